//! What was decided, on the OpenTelemetry metrics API.

use crate::{Boundary, action::Action};
use opentelemetry::{Key, KeyValue, metrics::Counter};
use otel_propagator_core::diagnostics::Direction;
use std::{fmt, sync::Arc};

const DIRECTION: Key = Key::from_static_str("propagator.direction");
const RULE: Key = Key::from_static_str("propagator.boundary.rule");
const ACTION: Key = Key::from_static_str("propagator.boundary.action");

/// The counter, and the attributes of every rule and action, made beforehand.
#[derive(Clone)]
pub(crate) struct Metrics(Option<Arc<Instruments>>);

struct Instruments {
    decisions: Counter<u64>,
    inbound: Vec<Attributes>,
    outbound: Vec<Attributes>,
}

/// Of one rule.
type Attributes = Vec<(Action, [KeyValue; 3])>;

impl Metrics {
    /// Nobody counts.
    #[cfg(feature = "http")]
    pub(crate) const OFF: Self = Self(None);

    pub(crate) fn new(boundary: &Boundary) -> Self {
        Self(boundary.meter.as_ref().map(|meter| {
            let decisions = meter
                .u64_counter("propagator.boundary.decisions")
                .with_description("What the trust boundary decided")
                .with_unit("{decision}");
            let (inbound, outbound) = (Direction::In, Direction::Out);
            let received = boundary.inbound.iter().chain([&boundary.otherwise]);
            let sent = boundary.outbound.iter().chain([&boundary.unknown]);
            Arc::new(Instruments {
                decisions: decisions.build(),
                inbound: received.map(|rule| attributes(inbound, rule.name(), &Action::INBOUND)).collect(),
                outbound: sent.map(|rule| attributes(outbound, rule.name(), &Action::OUTBOUND)).collect(),
            })
        }))
    }

    /// Whether anybody counts.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Counts a decision of the rule at this place; the one for all others comes after the last.
    pub(crate) fn count(&self, direction: Direction, place: usize, action: Action) {
        let Some(instruments) = &self.0 else { return };
        let rules = match direction {
            Direction::In => &instruments.inbound,
            Direction::Out => &instruments.outbound,
        };
        let of_action = rules.get(place).and_then(|rule| rule.iter().find(|(of, _)| *of == action));
        if let Some((_, attributes)) = of_action {
            instruments.decisions.add(1, attributes);
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

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metrics").field(&self.0.is_some()).finish()
    }
}
