//! The traces and the baggage that every row is measured with.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use std::fmt::Write;

/// A sampled span.
pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const TRACE_ID: TraceId = TraceId::from_bytes(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
const SPAN_ID: SpanId = SpanId::from_bytes(0xb7ad_6b71_6920_3331_u64.to_be_bytes());

/// The members of a `tracestate` header.
#[must_use]
pub fn tracestate(members: usize) -> String {
    join((0..members).map(|i| format!("vendor{i:02}=t61rcWkgMzE{i:02}")))
}

/// A context with the span of [`TRACEPARENT`] and [`tracestate`], as a service has it that sends.
#[must_use]
pub fn span(members: usize) -> Context {
    let header = tracestate(members);
    let state = header.split(',').filter_map(|member| member.split_once('='));
    let state = TraceState::from_key_value(state).expect("its own members are valid");
    Context::new().with_remote_span_context(SpanContext::new(
        TRACE_ID,
        SPAN_ID,
        TraceFlags::SAMPLED,
        false,
        state,
    ))
}

/// What the entries of a baggage look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "the three kinds that the tables show")]
pub enum Entries {
    /// Nothing to escape.
    Plain,
    /// Spaces, a comma and a non-ASCII letter in the value.
    Escaped,
    /// A plain value with two properties.
    Metadata,
}

impl Entries {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Escaped, Self::Metadata];

    /// How a table calls them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Escaped => "escaped",
            Self::Metadata => "with metadata",
        }
    }

    /// The value of an entry: 5 to 40 bytes, 16 for the first and 23 on average.
    fn value(self, i: usize) -> String {
        let characters = match self {
            Self::Plain | Self::Metadata => "value-of-an-entry.",
            Self::Escaped => "caf\u{e9} au lait, 7. ",
        };
        let len = 5 + (11 + 7 * i) % 36;
        let mut value = String::new();
        for character in characters.chars().cycle() {
            if value.len() + character.len_utf8() > len {
                break;
            }
            value.push(character);
        }
        value
    }

    const fn metadata(self) -> &'static str {
        match self {
            Self::Plain | Self::Escaped => "",
            Self::Metadata => "origin=edge;secret",
        }
    }

    /// A `baggage` header of `count` entries.
    #[must_use]
    pub fn header(self, count: usize) -> String {
        let metadata = self.metadata();
        let semicolon = if metadata.is_empty() { "" } else { ";" };
        join((0..count).map(|i| format!("{}={}{semicolon}{metadata}", key(i), escaped(&self.value(i)))))
    }

    /// The same entries in a context.
    #[must_use]
    pub fn context(self, onto: &Context, count: usize) -> Context {
        let mut baggage = Baggage::new();
        for i in 0..count {
            let _ = baggage.insert_with_metadata(key(i), self.value(i), self.metadata());
        }
        onto.with_baggage(baggage)
    }
}

/// As it goes over the wire.
fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut wire, byte| {
        if byte.is_ascii_graphic() && byte != b',' {
            wire.push(byte.into());
        } else {
            write!(wire, "%{byte:02X}").expect("a string takes everything");
        }
        wire
    })
}

fn key(i: usize) -> String {
    format!("entry.key.{i:02}")
}

fn join(members: impl Iterator<Item = String>) -> String {
    members.fold(String::new(), |mut header, member| {
        let comma = if header.is_empty() { "" } else { "," };
        write!(header, "{comma}{member}").expect("a string takes everything");
        header
    })
}
