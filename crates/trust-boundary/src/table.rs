//! The policy as a table.

use crate::{Boundary, Inbound, Outbound, Strategy};
use otel_propagator_core::keys::Keys;
use std::fmt;

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut inbound = vec![["in ", "rule", "requests", "trace", "sampled", "baggage"].map(str::to_owned)];
        inbound.extend(self.inbound.iter().map(|rule| received(rule, rule.conditions())));
        inbound.push(received(&self.otherwise, "every other request".to_owned()));
        write_rows(f, &inbound)?;
        let mut outbound = vec![["out", "rule", "destinations", "trace", "baggage"].map(str::to_owned)];
        outbound.extend(self.outbound.iter().map(|rule| sent(rule, hosts(rule))));
        outbound.push(sent(&self.unknown, "every other".to_owned()));
        write_rows(f, &outbound)
    }
}

fn received(rule: &Inbound, requests: String) -> [String; 6] {
    let is_ignored = rule.strategy == Strategy::Ignore;
    let sampled = match rule.strategy {
        Strategy::Continue if rule.trusts_sampled => "trusted",
        Strategy::Continue => "untrusted",
        _ => "-",
    };
    let baggage = if is_ignored { keys(&Keys::NONE) } else { keys(&rule.baggage) };
    [
        String::new(),
        rule.name().to_owned(),
        requests,
        rule.strategy.as_str().to_owned(),
        sampled.to_owned(),
        baggage,
    ]
}

fn sent(rule: &Outbound, destinations: String) -> [String; 5] {
    let external = if rule.is_external { " (external)" } else { "" };
    let trace = rule.trace.as_str().to_owned();
    [String::new(), rule.name().to_owned(), destinations + external, trace, keys(&rule.baggage)]
}

fn hosts(rule: &Outbound) -> String {
    if rule.hosts.is_empty() {
        return "by name".to_owned();
    }
    list(rule.hosts.iter().map(ToString::to_string))
}

fn keys(keys: &Keys) -> String {
    if keys.is_empty() { "-".to_owned() } else { list(keys.patterns().map(str::to_owned)) }
}

/// So many items of a list are shown.
const SHOWN: usize = 4;

fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = items.take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// Columns as wide as their widest cell, two spaces between them, and none at the end of a line.
fn write_rows<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
