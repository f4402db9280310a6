//! Random and mutated headers: the same ones for the same seed.

use crate::protocol::{Format, Header};

/// `SplitMix64`: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.below(from.len())).copied().unwrap_or("")
    }

    fn text(&mut self, from: &[&str], longest: usize) -> String {
        (0..self.below(longest + 1)).map(|_| self.pick(from)).collect()
    }

    fn hex(&mut self, digits: usize) -> String {
        let text = format!("{:016x}{:016x}", self.next(), self.next());
        text.chars().take(digits).collect()
    }

    /// The headers of one request in the format: every second time with one or two mutations.
    pub(crate) fn headers(&mut self, format: Format) -> Vec<Header> {
        let mut headers = match format {
            Format::TraceContext => self.trace_context(),
            Format::Baggage => self.baggage(),
            Format::B3 => vec![("b3".to_owned(), self.b3_single())],
            Format::B3Multi => self.b3_multi(),
            Format::Jaeger => self.jaeger(),
            Format::Xray => vec![("x-amzn-trace-id".to_owned(), self.xray())],
            Format::OtTrace => self.ot_trace(),
        };
        for _ in 0..self.below(4).saturating_sub(1) {
            self.mutate(&mut headers);
        }
        headers
    }

    fn trace_context(&mut self) -> Vec<Header> {
        let version = if self.one_in(8) { self.hex(2) } else { "00".to_owned() };
        let flags = if self.one_in(8) { self.hex(2) } else { format!("0{}", self.below(4)) };
        let more = if self.one_in(16) { self.pick(&["-", "-00", "-more", "."]) } else { "" };
        let (trace, span) = (self.id(32), self.id(16));
        let mut headers = vec![("traceparent".to_owned(), format!("{version}-{trace}-{span}-{flags}{more}"))];
        for _ in 0..self.below(4).saturating_sub(1) {
            headers.push(("tracestate".to_owned(), self.trace_state()));
        }
        headers
    }

    /// An id, rarely the one that is all zeros.
    fn id(&mut self, digits: usize) -> String {
        if self.one_in(40) { "0".repeat(digits) } else { self.hex(digits) }
    }

    fn trace_state(&mut self) -> String {
        let count = if self.one_in(40) { 30 + self.below(5) } else { self.below(5) };
        let members = (0..count).map(|i| {
            let key = if self.one_in(4) { self.pick(KEYS).to_owned() } else { format!("k{i}") };
            let value = if self.one_in(60) { "v".repeat(250 + self.below(10)) } else { self.text(TEXT, 6) };
            format!("{key}={value}")
        });
        let members: Vec<_> = members.collect();
        members.join(self.pick(&[",", ",", ",", ", ", " ,", ",,", "\t,"]))
    }

    fn baggage(&mut self) -> Vec<Header> {
        let lines = if self.one_in(8) { 2 } else { 1 };
        (0..lines).map(|_| ("baggage".to_owned(), self.baggage_line())).collect()
    }

    fn baggage_line(&mut self) -> String {
        let count = if self.one_in(150) { 60 + self.below(8) } else { self.below(5) };
        let long = if self.one_in(300) { self.below(5000) } else { 0 };
        let members = (0..count).map(|i| {
            let key = if self.one_in(6) { self.pick(KEYS).to_owned() } else { format!("k{i}") };
            let value = self.text(ESCAPED, 5) + &"v".repeat(long);
            let metadata: String = (0..self.below(5).saturating_sub(2)).map(|_| self.property()).collect();
            format!("{key}{}{value}{metadata}", self.pick(&["=", "=", "=", "=", " = "]))
        });
        let members: Vec<_> = members.collect();
        members.join(self.pick(&[",", ",", ",", ", ", " ,\t"]))
    }

    fn property(&mut self) -> String {
        let value = self.text(ESCAPED, 3);
        let space = self.pick(&["", "", "", " "]);
        if self.one_in(2) { format!("{space};{space}p") } else { format!("{space};{space}p={value}") }
    }

    fn b3_single(&mut self) -> String {
        let trace = if self.one_in(4) { self.id(16) } else { self.id(32) };
        let span = self.id(16);
        match self.below(8) {
            0 => self.pick(&["0", "1", "d", "2", ""]).to_owned(),
            1 => format!("{trace}-{span}"),
            2 => format!("{trace}-{span}-{}-{}", self.pick(&["0", "1", "d"]), self.id(16)),
            3 => format!("{trace}-{span}-{}", self.pick(&["2", "true", "D", "", "-"])),
            _ => format!("{trace}-{span}-{}", self.pick(&["0", "1", "d"])),
        }
    }

    fn b3_multi(&mut self) -> Vec<Header> {
        let trace = if self.one_in(4) { self.id(16) } else { self.id(32) };
        let mut headers = vec![("x-b3-traceid".to_owned(), trace), ("x-b3-spanid".to_owned(), self.id(16))];
        if self.one_in(8) {
            headers.clear();
        }
        let sampled = ["0", "1", "1", "true", "false", "True", "d", "2", ""];
        let optional =
            [("x-b3-sampled", self.pick(&sampled), 2), ("x-b3-flags", self.pick(&["1", "1", "0", "d"]), 4)];
        for (name, value, rarity) in optional {
            if self.one_in(rarity) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        if self.one_in(6) {
            headers.push(("x-b3-parentspanid".to_owned(), self.id(16)));
        }
        if self.one_in(12) {
            headers.push(("b3".to_owned(), self.b3_single()));
        }
        headers
    }

    fn jaeger(&mut self) -> Vec<Header> {
        let (trace, span) = if self.one_in(4) {
            let (trace, span) = (1 + self.below(32), 1 + self.below(16));
            (self.id(trace), self.id(span))
        } else {
            (self.id(32), self.id(16))
        };
        let parent = if self.one_in(4) { self.id(16) } else { self.pick(&["0", "0", ""]).to_owned() };
        let flags = self.pick(&["0", "1", "1", "01", "3", "03", "2", "9", "0b", "", "10", "100", "g"]);
        let separator = self.pick(&[":", ":", ":", ":", ":", "%3A", "%3a"]);
        let mut headers = vec![("uber-trace-id".to_owned(), [&trace, &span, &parent, flags].join(separator))];
        for _ in 0..self.below(4).saturating_sub(1) {
            let value = self.text(ESCAPED, 4);
            headers.push((format!("uberctx-{}", self.pick(NAMES)), value));
        }
        headers
    }

    fn xray(&mut self) -> String {
        let mut pairs = vec![format!("Root=1-{}-{}", self.id(8), self.id(24))];
        if !self.one_in(10) {
            pairs.push(format!("Parent={}", self.id(16)));
        }
        if !self.one_in(6) {
            let sampled = self.pick(&["0", "1", "1", "1", "?", "2", ""]);
            pairs.push(format!("Sampled={sampled}"));
        }
        if self.one_in(6) {
            pairs.push(
                self.pick(&["Self=1-67891234-12456789abcdef012345678", "Foo=bar", "Lineage=1:e65a2c4d:9"])
                    .to_owned(),
            );
        }
        if self.one_in(6) {
            let (one, other) = (self.below(pairs.len()), self.below(pairs.len()));
            pairs.swap(one, other);
        }
        pairs.join(self.pick(&[";", ";", ";", ";", "; "]))
    }

    fn ot_trace(&mut self) -> Vec<Header> {
        let digits = if self.one_in(4) { 32 } else { 16 };
        let mut headers = vec![
            ("ot-tracer-traceid".to_owned(), self.id(digits)),
            ("ot-tracer-spanid".to_owned(), self.id(16)),
        ];
        if !self.one_in(6) {
            let sampled = self.pick(&["true", "true", "false", "1", "0", "True", "", "x"]);
            headers.push(("ot-tracer-sampled".to_owned(), sampled.to_owned()));
        }
        for _ in 0..self.below(4).saturating_sub(1) {
            let value = self.text(PLAIN, 4);
            headers.push((format!("ot-baggage-{}", self.pick(NAMES)), value));
        }
        headers
    }

    fn mutate(&mut self, headers: &mut Vec<Header>) {
        let which = self.below(headers.len());
        let Some((name, value)) = headers.get_mut(which) else { return };
        let mut text: Vec<char> = value.chars().collect();
        let at = self.below(text.len() + 1);
        match self.below(8) {
            0 => text.truncate(at),
            1 => text.extend(text.get(at).copied()),
            2 => {
                let doubled = (name.clone(), value.clone());
                headers.push(doubled);
                return;
            }
            3 => text = value.to_uppercase().chars().collect(),
            4 | 5 if at < text.len() => {
                text.remove(at);
            }
            6 if at < text.len() => {
                let other = self.pick(MARKS);
                text.splice(at..=at, other.chars());
            }
            _ => {
                let other = self.pick(MARKS);
                text.splice(at..at, other.chars());
            }
        }
        *value = text.into_iter().collect();
    }
}

/// The marks with a meaning in one of the grammars, and some without.
const MARKS: &[&str] = &[
    "-", ",", ";", "=", "%", "@", "+", " ", "\t", "\"", "\\", "0", "1", "a", "f", "g", "A", "F", "_", "*",
    "/", ":", "(", "%2C", "%zz", "\u{e9}", "\u{7f}", "\u{1}", "\u{a0}",
];
const TEXT: &[&str] = &["a", "b", "0", "9", " ", ":", ";", "~", "!", "@", "%", "/", "A", "\"", "\\"];
const ESCAPED: &[&str] = &[
    "a", "b", "0", "+", "=", ":", "/", "A", "%20", "%2C", "%3B", "%25", "%C3%A9", "%FF", "%41", "%0A", "(",
    "~",
];
const PLAIN: &[&str] = &["a", "b", "0", "%20", "+", " ", "=", ":", "/", "(", "~", ",", ";"];
const NAMES: &[&str] = &["a", "b", "k1", "user-id", "a_b"];
const KEYS: &[&str] = &[
    "a",
    "b",
    "tenant@system",
    "0day",
    "a@b@c",
    "a_b-c*d/e",
    "k1",
    "a!#$&'*+-.^_`|~b",
    "a%20b",
    "K",
    "9t@s",
    "a.b",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_headers() {
        for format in Format::ALL {
            let (mut one, mut other) = (Random(7), Random(7));
            for _ in 0..100 {
                assert_eq!(one.headers(format), other.headers(format));
            }
        }
    }
}
