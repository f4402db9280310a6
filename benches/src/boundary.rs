//! What a trust boundary costs: ours in every column, without a boundary where the table says SDK.

use crate::{
    Task,
    carrier::Carrier,
    contenders::Propagator,
    pair::{Given, Lines},
    rows::Contender,
    task,
};
use http::HeaderMap;
use opentelemetry::Context;
use otel_trust_boundary::{Boundary, Destination, Outbound};
use std::hint::black_box;

fn propagator(who: Contender) -> Option<Propagator> {
    let composite = otel_composite::from_list("tracecontext,baggage").expect("known names");
    match who {
        Contender::Sdk | Contender::Floor => Some(Box::new(composite)),
        Contender::Ours => Some(Box::new(Boundary::allow_all().wrap(composite))),
        _ => None,
    }
}

/// Writes the context.
pub(crate) fn inject(context: Given<Context>, who: Contender) -> Option<Task> {
    propagator(who).map(|it| task::inject::<HeaderMap>(it, &context))
}

/// Reads the headers.
pub(crate) fn extract(lines: Given<Lines>, who: Contender) -> Option<Task> {
    propagator(who).map(|it| task::extract(it, HeaderMap::of(&lines())))
}

/// Finds the rule for a host.
pub(crate) fn find(host: &'static str, who: Contender) -> Option<Task> {
    let count = match who {
        Contender::Sdk => 10,
        Contender::Ours => 1000,
        _ => return None,
    };
    let suffixes = (0..count / 2).map(|at| format!("*.zone{at}.internal"));
    let exact = (0..count / 2).map(|at| format!("host{at}.example"));
    let known = Outbound::internal("known").hosts(suffixes.chain(exact)).expect("hosts");
    let boundary = Boundary::deny_external().outbound(known);
    let destination = Destination::host(host);
    Some(Box::new(move || {
        black_box(boundary.rule_for(black_box(&destination)));
    }))
}
