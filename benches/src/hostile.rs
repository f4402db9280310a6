//! Headers that a peer sends to make reading them expensive, in any size.

use crate::{
    Task,
    carrier::Carrier,
    contenders::{Propagator, ours, sdk},
    floor::Floor,
    input::TRACEPARENT,
    task,
};
use http::HeaderMap;
use std::{collections::HashMap, fmt};

/// The sizes between which nothing may grow: both are beyond every limit.
pub const SIZES: [usize; 2] = [64 << 10, 1 << 20];

/// As much as `baggage` may have.
pub const WITHIN: usize = 8192;

/// More than any of our propagators reads of a header: 32 members of `tracestate` have half of it.
pub const LONG: usize = 32 << 10;

/// One kind of hostile header.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hostile {
    /// The header, and who reads it where that is not the propagator of its name.
    pub header: &'static str,
    /// What is wrong with it.
    pub kind: &'static str,
    text: Text,
    reads: &'static [&'static str],
    /// The SDK's propagator and ours.
    makers: [fn() -> Propagator; 2],
    /// Reads the good header that it is held against.
    good: fn() -> Propagator,
}

#[derive(Clone, Copy, Debug)]
enum Text {
    /// One line that starts with the first and goes on with the second for as long as it takes.
    OneLine(&'static str, &'static str),
    /// One line of members, each with another number in the place of `#`.
    Numbered(&'static str),
    /// This line again and again.
    Lines(&'static str),
    /// One line of 64 members.
    Good,
}

/// Who reads it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "the columns of the tables")]
pub enum Reader {
    /// The SDK.
    Sdk,
    /// This workspace.
    Ours,
    /// `Extractor::get_all` alone: what the carrier itself costs.
    Carrier,
    /// This workspace, a header of that size in which nothing is wrong.
    Good,
}

/// Every kind.
#[must_use]
pub fn all() -> Vec<Hostile> {
    use Text::{Lines, Numbered, OneLine};
    let baggage = [
        ("many members", Numbered("key-#=value,")),
        ("one key again and again", OneLine("", "k=v,")),
        ("one long value", OneLine("k=", "v")),
        ("one long escaped value", OneLine("k=", "%41")),
        ("one long value, not UTF-8", OneLine("k=", "%ff")),
        ("one long key", OneLine("", "k")),
        ("one long property", OneLine("k=v;", "p")),
        ("many properties", OneLine("k=v", ";p")),
        ("only commas", OneLine("", ",")),
        ("only spaces", OneLine("", " ")),
        ("members without `=`", OneLine("", "member,")),
        ("many lines", Lines("key=value-of-an-entry")),
    ];
    let tracestate = [
        ("many members", Numbered("key#=value,")),
        ("one long value", OneLine("k=", "v")),
        ("one long key", OneLine("", "k")),
        ("only commas", OneLine("", ",")),
        ("only spaces", OneLine("", " ")),
        ("many lines", Lines("key=value-of-a-member")),
    ];
    let traceparent = [
        (
            "a later version that goes on",
            OneLine("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "x"),
        ),
        ("only hyphens", OneLine("", "-")),
        ("only spaces", OneLine("", " ")),
        ("many lines", Lines(TRACEPARENT)),
    ];
    let b3 = [
        ("a valid start that goes on", OneLine("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", "-1")),
        ("only hyphens", OneLine("", "-")),
        ("many lines", Lines("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")),
    ];
    let ids =
        [("one long value", OneLine("", "0")), ("many lines", Lines("0af7651916cd43dd8448eb211c80319c"))];
    [
        of("baggage", &["baggage"], &baggage, [sdk::baggage, ours::baggage]),
        // A relay hardly looks at a good one: what counts is what it saves others from.
        of("baggage, relayed", &["baggage"], &baggage, [sdk::baggage, ours::relay])
            .into_iter()
            .map(|kind| Hostile { good: ours::baggage, ..kind })
            .collect(),
        of(
            "tracestate",
            &["traceparent", "tracestate"],
            &tracestate,
            [sdk::trace_context, ours::trace_context],
        ),
        of("traceparent", &["traceparent"], &traceparent, [sdk::trace_context, ours::trace_context]),
        of("b3", &["b3"], &b3, [sdk::b3_single, ours::b3_single]),
        of("x-b3-traceid", &["x-b3-traceid"], &ids, [sdk::b3_multi, ours::b3_multi]),
    ]
    .concat()
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hostile {} ({})", self.header, self.kind)
    }
}

fn of(
    header: &'static str,
    reads: &'static [&'static str],
    kinds: &[(&'static str, Text)],
    makers: [fn() -> Propagator; 2],
) -> Vec<Hostile> {
    kinds.iter().map(|&(kind, text)| Hostile { header, kind, text, reads, makers, good: makers[1] }).collect()
}

impl Hostile {
    /// Whether the SDK does the same work: it looks at the first line alone, and what is not UTF-8 it does not replace.
    #[must_use]
    pub fn sdk_reads_all(&self) -> bool {
        !matches!(self.text, Text::Lines(_) | Text::OneLine(_, "%ff"))
    }

    /// The reading of such a header of about `bytes` bytes.
    #[must_use]
    pub fn task(&self, reader: Reader, bytes: usize) -> Task {
        let [sdk, ours] = self.makers;
        let propagator = match reader {
            Reader::Sdk => sdk(),
            Reader::Ours => ours(),
            Reader::Good => (self.good)(),
            Reader::Carrier => Box::new(Floor::reading(self.reads)),
        };
        let text = if reader == Reader::Good { Text::Good } else { self.text };
        match text {
            Text::Good => {
                let members = (0..64).map(|i| format!("key{i:05}={}", "v".repeat(bytes / 64 - 10)));
                let line = members.collect::<Vec<_>>().join(",");
                task::extract(propagator, self.beside::<HashMap<_, _>>(&[line]))
            }
            // `HeaderMap` looks at every byte each time it is asked; this carrier does not, so the reader is seen.
            Text::OneLine(start, rest) => {
                let text = [start, &rest.repeat((bytes - start.len()) / rest.len())].concat();
                task::extract(propagator, self.beside::<HashMap<_, _>>(&[text]))
            }
            Text::Numbered(member) => {
                let members =
                    (0..bytes / (member.len() + 4)).map(|i| member.replace('#', &format!("{i:05}")));
                task::extract(propagator, self.beside::<HashMap<_, _>>(&[members.collect()]))
            }
            Text::Lines(line) => task::extract(
                propagator,
                self.beside::<HeaderMap>(&vec![line.to_owned(); bytes / line.len()]),
            ),
        }
    }

    /// The header with what must be there for it to be read at all.
    fn beside<C: Carrier>(&self, lines: &[String]) -> C {
        let mut carrier = C::default();
        if self.header == "tracestate" {
            carrier.append("traceparent", TRACEPARENT);
        }
        for line in lines {
            carrier.append(self.reads.last().copied().unwrap_or(self.header), line);
        }
        carrier
    }
}
