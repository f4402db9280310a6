//! From what somebody pasted to header lines.

use serde::Serialize;
use serde_json::Value;

/// How many bytes of a text are looked at; the rest is left out, and the report says so.
pub const MAX_TEXT_BYTES: usize = 1 << 20;
/// How many header lines are looked at.
pub const MAX_LINES: usize = 1000;

/// One header line.
///
/// ```
/// use otel_inspect::{Line, Request};
///
/// let request = Request::new([("B3", " 0 "), ("baggage", "name=Amélie")]);
/// let [b3, baggage]: &[Line] = request.lines() else { panic!("two lines") };
/// assert_eq!((b3.name.as_str(), b3.text()), ("b3", Some("0")));
/// assert_eq!(baggage.text(), None, "no carrier gives it as text");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// The name, in lower case.
    pub name: String,
    /// The value as it was received, without the white space around it.
    pub value: Vec<u8>,
}

impl Line {
    /// The value where a carrier would give it as text: visible ASCII, spaces and tabs.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let is_text = self.value.iter().all(|&byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        std::str::from_utf8(&self.value).ok().filter(|_| is_text)
    }
}

/// What a text was taken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// Lines of `name: value`, with or without a request line in front.
    Headers,
    /// What `curl -v` prints: the lines that begin with `>`.
    Curl,
    /// JSON: an entry of a HAR file, an object of headers, or a structured access log line.
    Json,
    /// A line of text, such as an access log's, that names headers somewhere.
    LogLine,
}

/// The header lines of a request, in their order.
///
/// ```
/// use otel_inspect::{Request, Source};
///
/// let request = Request::parse(b"> GET / HTTP/1.1\n> b3: 0\n< HTTP/1.1 200 OK\n");
/// assert_eq!(request.source(), Source::Curl);
/// assert_eq!((&*request.lines()[0].name, &*request.lines()[0].value), ("b3", &b"0"[..]));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    lines: Vec<Line>,
    source: Source,
    left_out: usize,
}

impl Request {
    /// Header lines as they are, such as those of a server.
    ///
    /// ```
    /// let request = otel_inspect::Request::new([("Baggage", "a=1"), ("baggage", "b=2")]);
    /// assert_eq!(request.lines().len(), 2);
    /// ```
    #[must_use]
    pub fn new<N: AsRef<str>, V: AsRef<[u8]>>(lines: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut request = Self::empty(Source::Headers);
        for (name, value) in lines {
            request.push(name.as_ref(), value.as_ref());
        }
        request
    }

    /// Whatever somebody has at hand: header lines, an HTTP request, the output of `curl -v`, an entry of a HAR file,
    /// a line of an access log. What is not a header line is passed over.
    ///
    /// Of more than [`MAX_TEXT_BYTES`] and [`MAX_LINES`] the rest is left out.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let within = text.get(..MAX_TEXT_BYTES).unwrap_or(text);
        let mut request = Self::json(within).unwrap_or_else(|| Self::lines_of(within));
        request.left_out += text.len() - within.len();
        request
    }

    /// The lines, in the order in which they came.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What the text was taken for.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// How many bytes were not looked at.
    ///
    /// ```
    /// use otel_inspect::{MAX_TEXT_BYTES, Request};
    ///
    /// let text = vec![b' '; MAX_TEXT_BYTES + 7];
    /// assert_eq!(Request::parse(&text).left_out(), 7);
    /// ```
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    const fn empty(source: Source) -> Self {
        Self { lines: Vec::new(), source, left_out: 0 }
    }

    fn push(&mut self, name: &str, value: &[u8]) {
        let (name, value) = (name.trim(), trim(value));
        if self.lines.len() < MAX_LINES {
            self.lines.push(Line { name: name.to_ascii_lowercase(), value: value.to_vec() });
        } else {
            self.left_out += name.len() + value.len();
        }
    }

    fn json(text: &[u8]) -> Option<Self> {
        if !matches!(trim(text), [b'{' | b'[', ..]) {
            return None;
        }
        let value: Value = serde_json::from_slice(text).ok()?;
        let mut request = Self::empty(Source::Json);
        request.walk(&value);
        Some(request)
    }

    /// A HAR file has lists of `{"name": …, "value": …}`, other logs have the name as the key.
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(object) => {
                if let (Some(Value::String(name)), Some(Value::String(value))) =
                    (object.get("name"), object.get("value"))
                {
                    return self.push(name, value.as_bytes());
                }
                for (key, value) in object {
                    match value {
                        Value::String(text) if carries_context(&key.to_ascii_lowercase()) => {
                            self.push(key, text.as_bytes());
                        }
                        Value::Array(lines) if carries_context(&key.to_ascii_lowercase()) => {
                            let lines = lines.iter().filter_map(Value::as_str);
                            lines.for_each(|line| self.push(key, line.as_bytes()));
                        }
                        _ if NOT_HEADERS.contains(&key.as_str()) => {}
                        value => self.walk(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn lines_of(text: &[u8]) -> Self {
        let is_curl = text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"> "));
        let mut request = Self::empty(if is_curl { Source::Curl } else { Source::Headers });
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = if is_curl { line.strip_prefix(b"> ").unwrap_or_default() } else { line };
            match header_line(line) {
                Some((name, value)) => request.push(name, value),
                None if !is_curl => request.log_line(line),
                None => {}
            }
        }
        request
    }

    /// `name=value`, `name: value`, `name="value"` anywhere in a line, of names that carry context.
    fn log_line(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let lower = line.to_ascii_lowercase();
        let places = |name: &'static str| lower.match_indices(name).map(move |(at, _)| (at, name));
        let mut places: Vec<(usize, &str)> = KNOWN.into_iter().flat_map(places).collect();
        places.sort_unstable();
        let mut end = 0;
        for (at, name) in places {
            // A value is text, whatever names are in it, and no byte of one is looked at twice.
            let Some(before) = lower.get(..at).filter(|_| at >= end) else { continue };
            let starts_here = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            let after = line.get(at + name.len()..).unwrap_or_default();
            if let Some(value) = assigned(after).filter(|_| starts_here) {
                self.source = Source::LogLine;
                end = at + name.len() + value.len();
                self.push(name, value.as_bytes());
            }
        }
    }
}

/// Whether a header of this name, in lower case, carries context.
pub(crate) fn carries_context(name: &str) -> bool {
    KNOWN.contains(&name)
        || ["x-b3-", "uberctx-", "ot-tracer-", "ot-baggage-"].iter().any(|prefix| name.starts_with(prefix))
}

/// The headers that carry context, by their whole names.
const KNOWN: [&str; 16] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "jaeger-baggage",
    "jaeger-debug-id",
    "x-amzn-trace-id",
    "ot-tracer-traceid",
    "ot-tracer-spanid",
    "ot-tracer-sampled",
];

/// In a HAR file, what else has a name and a value; and the answer, which is not what a server was asked.
const NOT_HEADERS: [&str; 4] = ["response", "cookies", "queryString", "postData"];

/// `name: value`, of which the name is a token.
fn header_line(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = std::str::from_utf8(name).ok()?;
    let is_token = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    Some((name, value.get(1..)?)).filter(|_| is_token)
}

/// The value behind `=` or `:`, up to its closing quote or to the next space.
fn assigned(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('"').trim_start();
    let text = text.strip_prefix(['=', ':'])?.trim_start_matches(' ');
    let value = match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => text.split([' ', '"', '\t']).next(),
    };
    value.filter(|value| !value.is_empty() && *value != "-")
}

fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, &'static str, Source, &'static [(&'static str, &'static str)]);

    fn read(text: &str) -> (Source, Vec<(String, String)>) {
        let request = Request::parse(text.as_bytes());
        let text = |line: &Line| (line.name.clone(), String::from_utf8_lossy(&line.value).into_owned());
        (request.source(), request.lines().iter().map(text).collect())
    }

    #[test]
    fn whatever_somebody_has_at_hand() {
        let rows: &[Row] = &[
            ("header lines", "b3: 0\nBaggage:a=1\r\n", Source::Headers, &[("b3", "0"), ("baggage", "a=1")]),
            (
                "an HTTP request",
                "GET /a:b HTTP/1.1\r\nhost: a\r\nb3: 1\r\n\r\n{}",
                Source::Headers,
                &[("host", "a"), ("b3", "1")],
            ),
            (
                "curl -v",
                "* Connected\n> GET / HTTP/1.1\n> Host: a\n> b3: d\n>\n< HTTP/1.1 200 OK\n< b3: 0\n",
                Source::Curl,
                &[("host", "a"), ("b3", "d")],
            ),
            (
                "an entry of a HAR file",
                r#"{"request":{"headers":[{"name":"B3","value":"0"}]},"response":{"headers":[{"name":"b3","value":"1"}]}}"#,
                Source::Json,
                &[("b3", "0")],
            ),
            (
                "a HAR file's cookies, query and form",
                r#"{"request":{"cookies":[{"name":"b3","value":"1"}],"queryString":[{"name":"b3","value":"1"}],"headers":[{"name":"b3","value":"0"}],"postData":{"params":[{"name":"baggage","value":"a=1"}]}}}"#,
                Source::Json,
                &[("b3", "0")],
            ),
            (
                "an object of headers",
                r#"{"baggage":["a=1","b=2"],"other":"x"}"#,
                Source::Json,
                &[("baggage", "a=1"), ("baggage", "b=2")],
            ),
            (
                "Envoy's access log, JSON",
                r#"{"authority":"shop","x-b3-traceid":"4d","X-Amzn-Trace-Id":"Root=1-5759e988-bd","uberctx-tenant":"acme","response_code":200}"#,
                Source::Json,
                &[
                    ("x-amzn-trace-id", "Root=1-5759e988-bd"),
                    ("uberctx-tenant", "acme"),
                    ("x-b3-traceid", "4d"),
                ],
            ),
            (
                "Envoy's access log, text: its default format with the headers after it",
                "[2026-01-01T00:00:00.000Z] \"GET /orders HTTP/1.1\" 200 - 0 6 2 1 \"-\" \"curl/8.5.0\" \"88d2e0d0\" \"shop\" \"10.0.0.1:80\" uber-trace-id=\"4d:17c29:0:1\" X-B3-TraceId=4d ot-tracer-traceid=- baggage=\"a=1;p, b3=2\"",
                Source::LogLine,
                &[("uber-trace-id", "4d:17c29:0:1"), ("x-b3-traceid", "4d"), ("baggage", "a=1;p, b3=2")],
            ),
            ("names in a value without end", "b3=b3=b3=b3=1", Source::LogLine, &[("b3", "b3=b3=b3=1")]),
            (
                "an access log line",
                r#"[2026-01-01T00:00:00Z] "GET / HTTP/1.1" 200 traceparent="00-a-b-01" b3=0 x-b3-flags=-"#,
                Source::LogLine,
                &[("traceparent", "00-a-b-01"), ("b3", "0")],
            ),
            ("nothing", "", Source::Headers, &[]),
            ("a broken object is no header", "{\"b3\"", Source::Headers, &[]),
        ];
        for (rule, text, source, lines) in rows {
            let lines = lines.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(read(text), (*source, lines), "{rule}");
        }
    }

    #[test]
    fn a_megabyte_and_no_more() {
        let text = format!("baggage: {}", "x".repeat(2 * MAX_TEXT_BYTES));
        let request = Request::parse(text.as_bytes());
        assert_eq!(request.left_out(), text.len() - MAX_TEXT_BYTES);
        let many = "b3: 0\n".repeat(MAX_LINES + 1);
        assert_eq!(Request::parse(many.as_bytes()).lines().len(), MAX_LINES);
        assert_eq!(Request::parse(many.as_bytes()).left_out(), 3);
    }

    #[test]
    fn what_is_text() {
        let rows = [
            ("plain", &b"a b\tc"[..], true),
            ("not ASCII", "é".as_bytes(), false),
            ("a control", b"a\x07", false),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(Request::new([("b3", value)]).lines()[0].text().is_some(), expected, "{rule}");
        }
    }
}
