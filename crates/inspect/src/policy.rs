//! What a trust boundary does with the request.

#[cfg(feature = "boundary")]
use crate::report::Withheld;
use crate::{Config, report::Policy};
use opentelemetry::Context;
use std::collections::HashMap;

#[cfg(not(feature = "boundary"))]
pub(crate) const fn policy(
    _: &Config,
    _: &Context,
    _: &Context,
    _: &HashMap<String, String>,
    _: &HashMap<String, String>,
) -> Option<Policy> {
    None
}

/// What is accepted of what is read, and what goes out of what would go without it.
#[cfg(feature = "boundary")]
pub(crate) fn policy(
    config: &Config,
    read: &Context,
    accepted: &Context,
    unheld: &HashMap<String, String>,
    going: &HashMap<String, String>,
) -> Option<Policy> {
    use opentelemetry::{baggage::BaggageExt, trace::TraceContextExt};
    use otel_trust_boundary::RestartExt;

    let (guarded, destination) = config.boundary.as_ref()?;
    let is_valid = |cx: &Context| cx.span().span_context().is_valid();
    let mut not_accepted: Vec<String> = read.baggage().iter().map(|(key, _)| key.to_string()).collect();
    not_accepted.retain(|key| accepted.baggage().get(key.as_str()).is_none());
    not_accepted.sort_unstable();
    let mut withheld: Vec<Withheld> =
        unheld.iter().filter_map(|(header, value)| kept_back(header, value, going.get(header))).collect();
    withheld.sort_unstable_by(|one, other| one.header.cmp(&other.header));
    Some(Policy {
        trace: match (is_valid(read), is_valid(accepted)) {
            (false, _) => "none",
            (true, true) => "continued",
            (true, false) if accepted.restarted_from().is_some() => "restarted-with-link",
            (true, false) => "not-continued",
        },
        not_accepted,
        destination: destination.to_string(),
        rule: guarded.boundary().rule_for(destination).name().to_owned(),
        withheld,
    })
}

/// What a destination does not get of a header.
#[cfg(feature = "boundary")]
fn kept_back(header: &str, unheld: &str, going: Option<&String>) -> Option<Withheld> {
    let keys = |value: &str| -> Vec<String> {
        value.split(',').filter_map(|member| Some(member.split_once('=')?.0.to_owned())).collect()
    };
    let keys = match going {
        None => Vec::new(),
        Some(going) if going == unheld => return None,
        Some(going) => {
            let going = keys(going);
            keys(unheld).into_iter().filter(|key| !going.contains(key)).collect()
        }
    };
    Some(Withheld { header: header.to_owned(), keys })
}
