//! `otelp diff`.

use crate::read;
use otel_inspect::{Config, Report, inspect, printable};
use serde_json::Value;
use std::{error::Error, path::Path, process::ExitCode};

pub(crate) fn run(one: &Path, other: &Path, config: &Config) -> Result<ExitCode, Box<dyn Error>> {
    let [one, other] =
        [one, other].map(|path| read::from_file(path).map(|request| inspect(&request, config)));
    let differences = differences(&one?, &other?)?;
    for Difference { path, one, other } in &differences {
        crate::print(&format!("{path}\n  - {}\n  + {}\n", printable(one), printable(other)))?;
    }
    if differences.is_empty() {
        crate::print("the same to this service\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

struct Difference {
    path: String,
    one: String,
    other: String,
}

/// Every place in which the two reports say something else.
fn differences(one: &Report, other: &Report) -> Result<Vec<Difference>, Box<dyn Error>> {
    let mut differences = Vec::new();
    compare("", Some(&serde_json::to_value(one)?), Some(&serde_json::to_value(other)?), &mut differences);
    Ok(differences)
}

fn compare(path: &str, one: Option<&Value>, other: Option<&Value>, differences: &mut Vec<Difference>) {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for key in one.keys() {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, one.get(key), other.get(key), differences);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for at in 0..one.len().max(other.len()) {
                compare(&format!("{path}[{at}]"), one.get(at), other.get(at), differences);
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            differences.push(Difference { path: path.to_owned(), one: text(one), other: text(other) });
        }
    }
}
