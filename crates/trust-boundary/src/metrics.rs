//! What was decided, on the OpenTelemetry metrics API.

use crate::{Boundary, action::Action, watch::Watch};
use opentelemetry::{
    Key, KeyValue,
    metrics::{Counter, Meter},
};
use otel_propagator_core::diagnostics::Direction;
use std::sync::Arc;

const DIRECTION: Key = Key::from_static_str("propagator.direction");
const RULE: Key = Key::from_static_str("propagator.boundary.rule");
const ACTION: Key = Key::from_static_str("propagator.boundary.action");

/// The counter, and the attributes of every rule and action, made beforehand.
pub(crate) struct Metrics {
    decisions: Counter<u64>,
    inbound: Vec<Attributes>,
    outbound: Vec<Attributes>,
}

/// Of one rule.
type Attributes = Vec<(Action, [KeyValue; 3])>;

impl Metrics {
    pub(crate) fn new(boundary: &Boundary, meter: &Meter) -> Self {
        let decisions = meter
            .u64_counter("propagator.boundary.decisions")
            .with_description("What the trust boundary decided")
            .with_unit("{decision}");
        let (inbound, outbound) = (Direction::In, Direction::Out);
        let received = boundary.inbound.iter().chain([&boundary.otherwise]);
        let sent = boundary.outbound.iter().chain([&boundary.unknown]);
        Self {
            decisions: decisions.build(),
            inbound: received.map(|rule| attributes(inbound, rule.name(), &Action::INBOUND)).collect(),
            outbound: sent.map(|rule| attributes(outbound, rule.name(), &Action::OUTBOUND)).collect(),
        }
    }
}

impl Watch for Metrics {
    fn decided(&self, direction: Direction, place: usize, action: Action) {
        let rules = match direction {
            Direction::In => &self.inbound,
            Direction::Out => &self.outbound,
        };
        let of_action = rules.get(place).and_then(|rule| rule.iter().find(|(of, _)| *of == action));
        if let Some((_, attributes)) = of_action {
            self.decisions.add(1, attributes);
        }
    }
}

fn attributes(direction: Direction, rule: &str, actions: &[Action]) -> Attributes {
    // Copies of the name are shared, not made again.
    let rule = opentelemetry::StringValue::from(Arc::<str>::from(rule));
    let of = |action: &Action| {
        let rule = KeyValue::new(RULE, rule.clone());
        let direction = KeyValue::new(DIRECTION, direction.as_str());
        (*action, [direction, rule, KeyValue::new(ACTION, action.as_str())])
    };
    actions.iter().map(of).collect()
}
