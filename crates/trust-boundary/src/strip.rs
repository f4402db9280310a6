//! Removes what the policy forbids from the headers of a request, whatever put it there.

use crate::{
    Boundary, Destination, Outbound, Trace, action::Action, events::Decision, gate::Carries, list,
    watch::Watch,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use otel_propagator_core::{
    diagnostics::Direction,
    header::{baggage_key, trim},
    keys::Keys,
};

/// Headers of trace context as tracing systems send them, beside those that [`Carries`] knows.
const TRACE: [&str; 20] = [
    "b3",
    "elastic-apm-traceparent",
    "grpc-trace-bin",
    "jaeger-debug-id",
    "newrelic",
    "ot-tracer-sampled",
    "ot-tracer-spanid",
    "ot-tracer-traceid",
    "sentry-trace",
    "singularityheader",
    "sw8",
    "traceparent",
    "uber-trace-id",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-honeycomb-trace",
    "x-instana-l",
    "x-instana-s",
    "x-instana-t",
    "x-ot-span-context",
];

const TRACE_PREFIXES: [&str; 5] = ["sw8-", "x-b3-", "x-datadog-", "x-dynatrace", "x-newrelic-"];

impl Boundary {
    /// Removes from the headers of a request what may not go to its destination, whoever put it there: an
    /// instrumentation with a propagator of its own, a request that was copied, or a propagator that was told of
    /// another destination.
    ///
    /// Of `baggage` the members stay that the rule allows, each as it is; a header of baggage that is encoded as a whole
    /// (`sw8-correlation`, `grpc-tags-bin`) only stays where all baggage may. It cannot be seen here which of them a
    /// caller sent: to an external destination with [`Keys::ALL`](crate::Keys::ALL) all of them go. Context headers without a value are removed
    /// too, but not `uberctx-KEY` and `ot-baggage-KEY`, which are entries that may be empty.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination, Keys, Outbound};
    ///
    /// let partner = Outbound::external("partner").hosts(["api.partner.example"])?.baggage(Keys::of(&["order.region"]));
    /// let boundary = Boundary::deny_external().outbound(partner);
    ///
    /// let mut request = http::Request::get("https://api.partner.example/")
    ///     .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    ///     .header("baggage", "tenant=acme,order.region=eu")
    ///     .body(())?;
    /// let destination = Destination::from(request.uri());
    /// boundary.strip(request.headers_mut(), &destination);
    /// assert_eq!(request.headers().len(), 1);
    /// assert_eq!(request.headers()["baggage"], "order.region=eu");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strip(&self, headers: &mut HeaderMap, destination: &Destination) {
        self.strip_and_tell(headers, destination, None);
    }

    pub(crate) fn strip_and_tell(
        &self,
        headers: &mut HeaderMap,
        destination: &Destination,
        watch: Option<&dyn Watch>,
    ) {
        let place = self.place_of(destination);
        let rule = place.and_then(|at| self.outbound.get(at)).unwrap_or(&self.unknown);
        let names: Vec<HeaderName> = headers.keys().filter(|name| self.is_context(name)).cloned().collect();
        if names.is_empty() {
            return;
        }
        let mut decision = Decision::default();
        for name in names {
            let concern = Carries::of(name.as_str());
            if concern == Carries::Baggage {
                decision.keys_dropped += baggage(headers, &name, rule);
            } else {
                let is_there = !remove_if(headers, &name, is_empty);
                let is_removed = is_there && concern.is_denied(rule) && headers.remove(&name).is_some();
                decision.is_change |= is_removed;
                if is_there && concern == Carries::Trace {
                    decision.trace = Some(action(rule.trace));
                }
            }
        }
        decision.trace = decision.trace.or(decision.is_change.then_some(action(rule.trace)));
        decision.tell(watch, Direction::Out, place.unwrap_or(self.outbound.len()), rule.name());
    }

    fn is_context(&self, name: &HeaderName) -> bool {
        let name = name.as_str();
        Carries::of(name) != Carries::Trace
            || TRACE.contains(&name)
            || TRACE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || self.headers.iter().any(|header| header.eq_ignore_ascii_case(name))
    }
}

const fn action(trace: Trace) -> Action {
    match trace {
        Trace::All => Action::Injected,
        Trace::Ids => Action::IdsInjected,
        Trace::Nothing => Action::Suppressed,
    }
}

/// Whether the header was removed, as all of its lines are so.
fn remove_if(headers: &mut HeaderMap, name: &HeaderName, is_so: fn(&HeaderValue) -> bool) -> bool {
    headers.get_all(name).iter().all(is_so) && headers.remove(name).is_some()
}

fn is_empty(value: &HeaderValue) -> bool {
    value.is_empty()
}

/// Leaves what the rule allows of a header with baggage; how many members it took away.
fn baggage(headers: &mut HeaderMap, name: &HeaderName, rule: &Outbound) -> usize {
    if let Some(key) = baggage_key(name.as_str()) {
        return usize::from(!rule.sends(key, false) && headers.remove(name).is_some());
    }
    if remove_if(headers, name, is_empty) || !rule.restricts_baggage() {
        return 0;
    }
    if list::position(name.as_str()).is_none() {
        return usize::from(rule.baggage != Keys::ALL && headers.remove(name).is_some());
    }
    // A line that is not text may not be sent.
    let members = || {
        headers.get_all(name).iter().flat_map(|line| list::members(line.to_str().unwrap_or("?"))).map(trim)
    };
    let Some((kept, dropped)) = list::filtered(members, |key| rule.sends(key, false)) else {
        return 0;
    };
    headers.remove(name);
    // A part of a valid value is valid, and has room where the whole had it.
    if let Some(kept) = HeaderValue::from_str(&kept).ok().filter(|kept| !kept.is_empty()) {
        let _ = headers.try_insert(name, kept);
    }
    dropped
}
