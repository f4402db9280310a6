//! The inspector in a browser: one function from text to JSON.

use otel_baggage_limits::Limits;
use otel_inspect::{Config, Request, inspect, to_json};
use otel_trust_boundary::{Boundary, Destination};
use wasm_bindgen::prelude::wasm_bindgen;

/// The report of a request as JSON, or `{"error": …, "field": …}` where a setting cannot be used.
///
/// 0 members or bytes leave the limit as it is; an empty policy is none, and an empty destination is unknown.
#[wasm_bindgen]
#[must_use]
pub fn explain(
    text: &str,
    propagators: &str,
    max_bytes: usize,
    max_members: usize,
    policy: &str,
    destination: &str,
) -> String {
    let mut limits = Limits::new();
    if max_bytes > 0 {
        limits = limits.max_bytes(max_bytes);
    }
    if max_members > 0 {
        limits = limits.max_members(max_members);
    }
    match config(propagators, limits, policy, destination) {
        Ok(config) => to_json(&inspect(&Request::parse(text.as_bytes()), &config)),
        Err((field, error)) => serde_json::json!({ "error": error, "field": field }).to_string(),
    }
}

fn config(
    propagators: &str,
    limits: Limits,
    policy: &str,
    destination: &str,
) -> Result<Config, (&'static str, String)> {
    let config =
        Config::with_limits(propagators, limits).map_err(|error| ("propagators", error.to_string()))?;
    if policy.trim().is_empty() {
        return Ok(config);
    }
    let policy = Boundary::from_config(&mut serde_json::Deserializer::from_str(policy));
    let policy = policy.map_err(|error| ("policy", error.to_string()))?;
    let to = match destination.trim() {
        "" => Destination::unknown(),
        host => Destination::host(host),
    };
    Ok(config.with_boundary(policy, to))
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn a_report_or_which_setting_cannot_be_used() {
        let report = explain("b3: 0", "b3", 0, 0, "", "");
        assert!(report.contains("\"decision-only\""), "{report}");
        let rows = [("b4", "", "propagators"), ("b3", "{}", "policy"), ("b3", "{", "policy")];
        for (propagators, policy, field) in rows {
            let error = explain("b3: 0", propagators, 0, 0, policy, "");
            assert!(error.contains(&format!("\"field\":\"{field}\"")), "{error}");
        }
    }

    #[test]
    fn a_policy_for_a_destination() {
        let policy = r#"{"default_egress_action": "suppress_trace_context"}"#;
        let report = explain("baggage: a=1", "baggage", 0, 0, policy, "api.example:443");
        assert!(report.contains("\"api.example:443\"") && report.contains("\"sent\": []"), "{report}");
    }
}
