//! The parts of each header's value, by the productions of its specification.
//!
//! Which part is where is read off the separators; whether the value keeps the rules is what the format's own grammar
//! says.

use crate::report::{Part, Problem};
use otel_baggage_limits::{Limits, Reason};
use otel_jaeger::UberTraceId;
use otel_tracecontext::{Field, TraceParent};
use otel_w3c_baggage::decode;
use otel_xray::TraceHeader;

/// The parts of a value, and the rules that it breaks.
#[derive(Debug, Default)]
pub(crate) struct Anatomy {
    pub(crate) parts: Vec<Part>,
    pub(crate) problems: Vec<Problem>,
}

/// What the header's specification says of the value.
pub(crate) fn anatomy(name: &str, value: &str) -> Anatomy {
    let mut anatomy = Anatomy::default();
    match name {
        "traceparent" => anatomy.traceparent(value),
        "tracestate" => anatomy.list(value, "tracestate"),
        "baggage" => anatomy.list(value, "baggage"),
        "b3" => anatomy.b3(value),
        "x-b3-traceid" => anatomy.whole(value, "TraceId"),
        "x-b3-spanid" => anatomy.whole(value, "SpanId"),
        "x-b3-parentspanid" => anatomy.whole(value, "ParentSpanId"),
        "x-b3-sampled" | "x-b3-flags" => anatomy.whole(value, "SamplingState"),
        "uber-trace-id" => anatomy.uber_trace_id(value),
        "x-amzn-trace-id" => anatomy.x_amzn_trace_id(value),
        "ot-tracer-traceid" => anatomy.whole(value, "trace id"),
        "ot-tracer-spanid" => anatomy.whole(value, "span id"),
        "ot-tracer-sampled" => anatomy.whole(value, "sampled"),
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

    /// The first byte that is not as it should be, else the end.
    fn first(self, is_wrong: impl Fn(char) -> bool) -> usize {
        self.from + self.text.find(is_wrong).unwrap_or(self.text.len())
    }
}

impl Anatomy {
    fn part(&mut self, piece: Piece<'_>, production: &'static str, meaning: impl Into<String>) {
        if !piece.text.is_empty() {
            let (from, to) = (piece.from, piece.from + piece.text.len());
            self.parts.push(Part { from, to, production, meaning: meaning.into() });
        }
    }

    fn problem(&mut self, at: usize, rule: impl Into<String>, specification: &'static str) {
        self.problems.push(Problem { at, rule: rule.into(), specification });
    }

    fn whole(&mut self, value: &str, production: &'static str) {
        self.part(Piece::whole(value), production, "");
    }

    fn traceparent(&mut self, value: &str) {
        const FIELDS: [(&str, Field); 4] = [
            ("version", Field::Version),
            ("trace-id", Field::TraceId),
            ("parent-id", Field::ParentId),
            ("trace-flags", Field::TraceFlags),
        ];
        let pieces: Vec<_> = Piece::whole(value).split('-').collect();
        for (piece, (production, _)) in pieces.iter().zip(FIELDS) {
            let meaning = if production == "trace-flags" { flags(piece.text) } else { String::new() };
            self.part(*piece, production, meaning);
        }
        if let Err(error) = TraceParent::parse(value) {
            let place = FIELDS.iter().position(|&(_, field)| field == error.field());
            let piece = place.and_then(|place| pieces.get(place).copied());
            let at = piece.map_or(value.len(), |piece| piece.first(|c| !is_lower_hex(c)));
            self.problem(
                at,
                error.to_string(),
                "https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values",
            );
        }
    }

    fn b3(&mut self, value: &str) {
        let pieces: Vec<_> = Piece::whole(value).split('-').collect();
        if let [state] = pieces.as_slice() {
            return self.part(*state, "SamplingState", sampling(state.text));
        }
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

    /// <https://www.jaegertracing.io/sdk-migration/#trace-context>; a header that is percent-encoded as a whole is one part.
    fn uber_trace_id(&mut self, value: &str) {
        const FIELDS: [&str; 4] = ["trace-id", "span-id", "parent-span-id", "flags"];
        let pieces: Vec<_> = Piece::whole(value).split(':').collect();
        if let [encoded] = pieces.as_slice() {
            self.part(*encoded, "uber-trace-id", "");
        } else {
            for (piece, production) in pieces.iter().zip(FIELDS) {
                self.part(*piece, production, "");
            }
        }
        if let Err(error) = UberTraceId::parse(value) {
            use otel_jaeger::ErrorKind as Kind;
            let field = match error.kind() {
                Kind::TraceIdWidth | Kind::TraceIdDigits | Kind::TraceIdZero => 0,
                Kind::SpanIdWidth | Kind::SpanIdDigits | Kind::SpanIdZero => 1,
                Kind::ParentSpanIdWidth | Kind::ParentSpanIdDigits => 2,
                Kind::Flags => 3,
                _ => FIELDS.len(),
            };
            let at = pieces.get(field).map_or(value.len(), |piece| piece.first(|c| !c.is_ascii_hexdigit()));
            self.problem(at, error.to_string(), "https://www.jaegertracing.io/sdk-migration/#trace-context");
        }
    }

    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    fn x_amzn_trace_id(&mut self, value: &str) {
        let fields: Vec<_> = Piece::whole(value).split(';').map(Piece::trim).collect();
        for field in &fields {
            match field.split_once('=') {
                Some((key, value)) => {
                    let production = match key.text {
                        "Root" => "Root",
                        "Parent" => "Parent",
                        "Sampled" => "Sampled",
                        "Lineage" => "Lineage",
                        "Self" => "Self",
                        _ => "another key",
                    };
                    self.part(value, production, "");
                }
                None => self.part(*field, "another key", ""),
            }
        }
        if let Err(error) = TraceHeader::parse(value) {
            let rule = error.to_string();
            let named = fields.iter().find(|field| {
                ["Root", "Parent"].iter().any(|key| field.text.starts_with(key) && rule.contains(key))
            });
            self.problem(
                named.map_or(value.len(), |field| field.from),
                rule,
                "https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader",
            );
        }
    }

    fn list(&mut self, value: &str, header: &str) {
        for member in Piece::whole(value).split(',').map(Piece::trim) {
            if member.text.is_empty() {
                continue;
            }
            if header == "baggage" { self.baggage_member(member) } else { self.tracestate_member(member) }
        }
    }

    /// <https://www.w3.org/TR/trace-context-2/#list>
    fn tracestate_member(&mut self, member: Piece<'_>) {
        match member.split_once('=') {
            Some((key, value)) => {
                self.part(key, "key", "");
                self.part(value, "value", "");
            }
            None => self.part(member, "list-member", ""),
        }
    }

    /// <https://www.w3.org/TR/baggage/#definition>
    fn baggage_member(&mut self, member: Piece<'_>) {
        let (_, report) = decode(member.text, &Limits::new());
        let broken = report.reasons().next().map(|(reason, _)| reason);
        let Some((key, rest)) = member.split_once('=') else {
            self.part(member, "list-member", "");
            return self.baggage_problem(Reason::NoEqualsSign, member.from + member.text.len());
        };
        let (value, properties) = match rest.split_once(';') {
            Some((value, properties)) => (value, Some(properties)),
            None => (rest, None),
        };
        let (key, value) = (key.trim(), value.trim());
        self.part(key, "key", "");
        self.part(value, "value", decoded(value.text));
        for property in properties.into_iter().flat_map(|all| all.split(';')) {
            self.part(property.trim(), "property", "");
        }
        match broken {
            Some(Reason::Key) => self.baggage_problem(Reason::Key, key.first(|c| !is_token(c))),
            Some(Reason::Value) => self.baggage_problem(Reason::Value, value.first(|c| !is_baggage_octet(c))),
            _ => {}
        }
    }

    fn baggage_problem(&mut self, reason: Reason, at: usize) {
        let specification = match reason {
            Reason::Key => "https://www.w3.org/TR/baggage/#key",
            Reason::Value => "https://www.w3.org/TR/baggage/#value",
            _ => "https://www.w3.org/TR/baggage/#definition",
        };
        self.problem(at, reason.to_string(), specification);
    }
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

const fn is_lower_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn is_baggage_octet(c: char) -> bool {
    c.is_ascii_graphic() && !"\",;\\".contains(c)
}
