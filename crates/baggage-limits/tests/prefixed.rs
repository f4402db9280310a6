//! Baggage in headers of its own, one an entry.

use opentelemetry::{Context, baggage::BaggageExt, propagation::Extractor};
use otel_baggage_limits::{BothWays, Limits, MOST_ELEMENTS, Observer, PrefixedBaggage, Reason};
use std::{
    borrow::Cow,
    cell::Cell,
    sync::{Arc, Mutex},
};

/// As many entries as it says, and how many of them were asked for.
struct Numbered(Vec<String>, Cell<usize>);

impl Numbered {
    fn new(entries: usize) -> Self {
        let name =
            |number| if number + 1 == entries { "uberctx-last".into() } else { format!("uberctx-k{number}") };
        Self((0..entries).map(name).collect(), Cell::new(0))
    }
}

impl Extractor for Numbered {
    fn get(&self, key: &str) -> Option<&str> {
        self.1.set(self.1.get() + 1);
        self.0.iter().any(|name| name == key).then_some("v")
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// A carrier may go through all that it has for each name that it is asked for: of an absurd number of entries the work is
/// bounded as it is for the members of `baggage`.
#[test]
fn no_more_entries_are_looked_at_than_a_header_may_have() {
    for (entries, looked_at, left_out) in [
        (0, 0, 0),
        (1, 1, 0),
        (MOST_ELEMENTS - 1, MOST_ELEMENTS - 1, 0),
        (MOST_ELEMENTS, MOST_ELEMENTS, 0),
        (MOST_ELEMENTS + 1, MOST_ELEMENTS, 1),
        (100_000, MOST_ELEMENTS, 1),
    ] {
        // All are denied but the last, so that none fills the limits before the end.
        let limits = Limits::new().keep_first(&["last"]).allow(&["last"]);
        let reports = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&reports);
        let observer = Observer::new(move |report| seen.lock().unwrap().push(*report));
        let prefixed = PrefixedBaggage::both().with_limits(BothWays { observer, ..limits.into() });
        let carrier = Numbered::new(entries);
        let cx = prefixed.extract("uberctx-", Context::new(), &carrier, |value| Some(Cow::Borrowed(value)));
        assert_eq!(carrier.1.get(), looked_at, "{entries} entries");
        let kept: Vec<String> = cx.baggage().iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(kept, ["last"].get(..entries.min(1)).unwrap(), "what is kept first is looked at first");
        let dropped: usize =
            reports.lock().unwrap().iter().map(|report| report.left_out(Reason::TooManyMembers)).sum();
        assert_eq!(dropped, left_out, "{entries} entries: the rest counts as one member");
    }
}
