//! The inspector in a browser: one function from text to JSON.

use otel_baggage_limits::Limits;
use otel_inspect::{Config, Request, inspect};
use wasm_bindgen::prelude::wasm_bindgen;

/// The report of a request as JSON, or `{"error": …}` where the list of propagators cannot be used.
///
/// 0 members or bytes leave the limit as it is.
#[wasm_bindgen]
#[must_use]
pub fn explain(text: &str, propagators: &str, max_bytes: usize, max_members: usize) -> String {
    let mut limits = Limits::new();
    if max_bytes > 0 {
        limits = limits.max_bytes(max_bytes);
    }
    if max_members > 0 {
        limits = limits.max_members(max_members);
    }
    let report = match Config::with_limits(propagators, limits) {
        Ok(config) => serde_json::to_value(inspect(&Request::parse(text.as_bytes()), &config)),
        Err(error) => Ok(serde_json::json!({ "error": error.to_string() })),
    };
    report.map(|report| report.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn a_report_or_what_is_wrong_with_the_list() {
        let report = explain("b3: 0", "b3", 0, 0);
        assert!(report.contains("\"decision-only\""), "{report}");
        let error = explain("b3: 0", "b4", 0, 0);
        assert!(error.starts_with("{\"error\":"), "{error}");
    }
}
