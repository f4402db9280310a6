//! The parts of each header's value, by the productions of its specification.
//!
//! Which part is where is read off the separators; where the value breaks a rule is what the format's own grammar says.

use crate::report::{Part, Problem};
use otel_baggage_limits::Limits;
use otel_jaeger::UberTraceId;
use otel_propagator_core::{header::baggage_key, located::Located};
use otel_tracecontext::{TraceParent, TraceStateList};
use otel_w3c_baggage::{decode, locate};
use otel_xray::TraceHeader;

/// Of more members than these, and of more broken ones, the rest of a header is not taken apart.
pub(crate) const MAX_MEMBERS: usize = 1000;

/// The parts of a value, and the rules that it breaks.
#[derive(Debug, Default)]
pub(crate) struct Anatomy {
    pub(crate) parts: Vec<Part>,
    pub(crate) problems: Vec<Problem>,
}

/// What the header's specification says of the value. What `x-b3-*` and `ot-tracer-*` break, their headers say together.
pub(crate) fn anatomy(name: &str, value: &str) -> Anatomy {
    let mut anatomy = Anatomy::default();
    match name {
        "traceparent" => anatomy.traceparent(value),
        "tracestate" => anatomy.tracestate(value),
        "baggage" => anatomy.baggage(value),
        "b3" => anatomy.b3(value),
        "x-b3-traceid" => anatomy.whole(value, "TraceId", ""),
        "x-b3-spanid" => anatomy.whole(value, "SpanId", ""),
        "x-b3-parentspanid" => anatomy.whole(value, "ParentSpanId", ""),
        "x-b3-sampled" => anatomy.whole(value, "SamplingState", sampling(value)),
        "x-b3-flags" => anatomy.whole(value, "SamplingState", if value == "1" { "debug" } else { "" }),
        "uber-trace-id" => anatomy.uber_trace_id(value),
        "x-amzn-trace-id" => anatomy.x_amzn_trace_id(value),
        "ot-tracer-traceid" => anatomy.whole(value, "trace id", ""),
        "ot-tracer-spanid" => anatomy.whole(value, "span id", ""),
        "ot-tracer-sampled" => anatomy.whole(value, "sampled", ""),
        _ if baggage_key(name).is_some() => anatomy.whole(value, "baggage value", ""),
        _ => {}
    }
    anatomy
}

/// A piece of a text, and where it begins.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    from: usize,
}

impl<'a> Piece<'a> {
    const fn whole(text: &'a str) -> Self {
        Self { text, from: 0 }
    }

    fn split(self, separator: char) -> impl Iterator<Item = Self> {
        let mut from = self.from;
        self.text.split(separator).map(move |text| {
            let piece = Self { text, from };
            from += text.len() + separator.len_utf8();
            piece
        })
    }

    fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(separator)?;
        let rest = self.from + before.len() + separator.len_utf8();
        Some((Self { text: before, from: self.from }, Self { text: after, from: rest }))
    }

    fn trim(self) -> Self {
        let start = self.text.trim_start_matches([' ', '\t']);
        let from = self.from + (self.text.len() - start.len());
        Self { text: start.trim_end_matches([' ', '\t']), from }
    }
}

impl Anatomy {
    fn part(&mut self, piece: Piece<'_>, production: &'static str, meaning: impl Into<String>) {
        if !piece.text.is_empty() {
            let (from, to) = (piece.from, piece.from + piece.text.len());
            self.parts.push(Part { from, to, production, meaning: meaning.into() });
        }
    }

    fn problem(&mut self, located: Located) {
        self.problems.push(Problem::at(located));
    }

    fn whole(&mut self, value: &str, production: &'static str, meaning: &'static str) {
        self.part(Piece::whole(value), production, meaning);
    }

    fn traceparent(&mut self, value: &str) {
        const FIELDS: [&str; 4] = ["version", "trace-id", "parent-id", "trace-flags"];
        for (piece, production) in Piece::whole(value).split('-').zip(FIELDS) {
            let meaning = if production == "trace-flags" { flags(piece.text) } else { String::new() };
            self.part(piece, production, meaning);
        }
        if let Err(error) = TraceParent::parse(value) {
            self.problem(error.located(value));
        }
    }

    fn b3(&mut self, value: &str) {
        let pieces: Vec<_> = Piece::whole(value).split('-').take(5).collect();
        if let [state] = pieces.as_slice() {
            self.part(*state, "SamplingState", sampling(state.text));
        } else {
            for (place, piece) in pieces.iter().enumerate() {
                match (place, piece.text.len()) {
                    (0, _) => self.part(*piece, "TraceId", ""),
                    (1, _) => self.part(*piece, "SpanId", ""),
                    (2, 1) => self.part(*piece, "SamplingState", sampling(piece.text)),
                    (2 | 3, _) => self.part(*piece, "ParentSpanId", ""),
                    _ => {}
                }
            }
        }
        if let Some(located) = otel_b3::locate_single(value) {
            self.problem(located);
        }
    }

    /// <https://www.jaegertracing.io/sdk-migration/#value>; a header that is percent-encoded as a whole is one part.
    fn uber_trace_id(&mut self, value: &str) {
        const FIELDS: [&str; 4] = ["trace-id", "span-id", "parent-span-id", "flags"];
        if value.contains(':') {
            for (piece, production) in Piece::whole(value).split(':').zip(FIELDS) {
                self.part(piece, production, "");
            }
        } else {
            self.whole(value, "uber-trace-id", "");
        }
        if let Err(error) = UberTraceId::parse(value) {
            self.problem(error.located(value));
        }
    }

    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    fn x_amzn_trace_id(&mut self, value: &str) {
        for field in Piece::whole(value).split(';').map(Piece::trim).take(MAX_MEMBERS) {
            match field.split_once('=') {
                Some((key, value)) => {
                    let production = match key.trim().text {
                        "Root" => "Root",
                        "Parent" => "Parent",
                        "Sampled" => "Sampled",
                        "Lineage" => "Lineage",
                        "Self" => "Self",
                        _ => "another key",
                    };
                    self.part(value.trim(), production, "");
                }
                None => self.part(field, "another key", ""),
            }
        }
        if let Err(error) = TraceHeader::parse(value) {
            self.problem(error.located(value));
        }
    }

    /// <https://www.w3.org/TR/trace-context-2/#list>
    fn tracestate(&mut self, value: &str) {
        for member in members(value) {
            match member.split_once('=') {
                Some((key, value)) => {
                    self.part(key, "key", "");
                    self.part(value, "value", "");
                }
                None => self.part(member, "list-member", ""),
            }
        }
        if let Err(error) = TraceStateList::parse(value) {
            self.problem(error.located(value));
        }
    }

    /// <https://www.w3.org/TR/baggage/#definition>
    fn baggage(&mut self, value: &str) {
        members(value).for_each(|member| self.baggage_member(member));
        self.problems.extend(locate(value).take(MAX_MEMBERS).map(Problem::at));
    }

    fn baggage_member(&mut self, member: Piece<'_>) {
        let Some((key, rest)) = member.split_once('=') else { return self.part(member, "list-member", "") };
        let (value, properties) = match rest.split_once(';') {
            Some((value, properties)) => (value, Some(properties)),
            None => (rest, None),
        };
        let (key, value) = (key.trim(), value.trim());
        self.part(key, "key", "");
        self.part(value, "value", decoded(value.text));
        for property in properties.into_iter().flat_map(|all| all.split(';')).take(MAX_MEMBERS) {
            self.part(property.trim(), "property", "");
        }
    }
}

/// The members of a list that are not empty.
fn members(value: &str) -> impl Iterator<Item = Piece<'_>> {
    let members = Piece::whole(value).split(',').map(Piece::trim);
    members.filter(|member| !member.text.is_empty()).take(MAX_MEMBERS)
}

fn flags(text: &str) -> String {
    let Ok(flags) = u8::from_str_radix(text, 16) else { return String::new() };
    let sampled = if flags & 1 == 1 { "sampled" } else { "not sampled" };
    let random = if flags & 2 == 2 { ", random trace-id" } else { "" };
    format!("{sampled}{random}")
}

fn sampling(state: &str) -> &'static str {
    match state {
        "0" => "deny",
        "1" => "accept",
        "d" => "debug",
        _ => "",
    }
}

/// The value as the application sees it, where that is another text.
fn decoded(value: &str) -> String {
    if !value.contains('%') {
        return String::new();
    }
    let (baggage, _) = decode(&format!("k={value}"), &Limits::new());
    baggage.get("k").map(|value| value.as_str().to_owned()).unwrap_or_default()
}
