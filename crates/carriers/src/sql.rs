//! Context in a comment of a statement.

use crate::ContextMap;
use opentelemetry::{Context, propagation::TextMapPropagator};
use std::{borrow::Cow, fmt::Write};

/// The statement with `cx` in a comment at its end, as
/// [SQL commenter](https://google.github.io/sqlcommenter/spec/) writes it.
///
/// A database that logs its slow statements, or shows those that run, then shows which request they belong to. It is
/// off unless this is called, which is what
/// [OpenTelemetry](https://opentelemetry.io/docs/specs/semconv/db/database-spans/#sql-commenter) asks for.
///
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use otel_carriers::{ContextMap, sql_comment};
/// use otel_tracecontext::TraceContextPropagator;
///
/// let propagator = TraceContextPropagator::new();
/// let request = [
///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
///     ("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
/// ];
/// let cx = request.into_iter().collect::<ContextMap>().extract(&propagator);
/// assert_eq!(
///     sql_comment(&propagator, &cx, "SELECT * FROM songs;"),
///     "SELECT * FROM songs /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',\
///      tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/;"
/// );
/// ```
///
/// The comment stands before a final `;`. Its keys are sorted; of keys and values every byte is percent-encoded that is
/// not a letter, a digit or one of `-._~`, so none can end the comment or a string. A statement comes back unchanged
/// where the propagator writes nothing, where it is empty, and where it has a comment already: where `/*` or `--` is
/// anywhere in it, in a string too, since telling these apart takes the grammar of each database.
///
/// # Caches of prepared statements
///
/// They go by the text, and the comment makes each text a new one: every statement is prepared anew, in the client
/// (`sqlx` and `tokio-postgres` keep one for each text) and in servers that keep plans by text (Oracle, SQL Server,
/// MySQL's prepared statements). Use it for statements that are not prepared, or with the client's cache switched off
/// for them.
///
/// # Baggage
///
/// What is written ends in the database's logs: give a propagator without baggage.
#[must_use]
pub fn sql_comment<'s>(propagator: &dyn TextMapPropagator, cx: &Context, statement: &'s str) -> Cow<'s, str> {
    let end = statement.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    if end.is_empty() || statement.contains("/*") || statement.contains("--") {
        return Cow::Borrowed(statement);
    }
    let mut entries: Vec<_> = ContextMap::inject(propagator, cx).into_iter().collect();
    if entries.is_empty() {
        return Cow::Borrowed(statement);
    }
    entries.sort_unstable();
    let mut commented = end.to_owned();
    let mut before = " /*";
    for (key, value) in entries {
        commented.push_str(before);
        percent_encode(&key, &mut commented);
        commented.push_str("='");
        percent_encode(&value, &mut commented);
        commented.push('\'');
        before = ",";
    }
    commented.push_str("*/");
    commented.push_str(statement.strip_prefix(end).unwrap_or_default());
    Cow::Owned(commented)
}

/// > unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte.into()),
            // A `String` takes all that is written.
            _ => drop(write!(into, "%{byte:02X}")),
        }
    }
}
