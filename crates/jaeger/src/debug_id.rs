//! `jaeger-debug-id`: a name for the debug trace that a request asks for.
//!
//! <https://github.com/jaegertracing/jaeger-client-go#debug-traces-forced-sampling>

use crate::percent;

pub(crate) const DEBUG_ID: &str = "jaeger-debug-id";

/// The longest value of `jaeger-debug-id` that is read, in bytes, percent-encoded or not.
pub const MAX_DEBUG_ID_BYTES: usize = 128;

/// The name; the rule that was broken where it is none.
pub(crate) fn parse(value: &str) -> Result<String, &'static str> {
    if value.is_empty() {
        return Err("empty");
    }
    if value.len() > MAX_DEBUG_ID_BYTES {
        return Err("longer than 128 bytes");
    }
    let id = percent::decode(value).map_err(|_| "not percent-encoded text")?;
    if id.chars().any(char::is_control) { Err("a control character") } else { Ok(id.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        let rows = [
            ("a word", "ticket-4711".to_owned(), Ok("ticket-4711".to_owned())),
            ("percent-encoded", "a%20b".to_owned(), Ok("a b".to_owned())),
            ("empty", String::new(), Err("empty")),
            ("127 bytes", "a".repeat(127), Ok("a".repeat(127))),
            ("128 bytes", "a".repeat(128), Ok("a".repeat(128))),
            ("129 bytes", "a".repeat(129), Err("longer than 128 bytes")),
            ("half an escape", "a%2".to_owned(), Err("not percent-encoded text")),
            ("a line end", "a%0Ab".to_owned(), Err("a control character")),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(parse(&value), expected, "{rule}");
        }
    }
}
