//! `otelp read`.

use otel_inspect::{Config, MAX_TEXT_BYTES, Report, Request, inspect, to_ansi_text, to_json};
use std::{
    error::Error,
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

pub(crate) fn run(
    headers: &[OsString],
    file: Option<&Path>,
    json: bool,
    config: &Config,
) -> Result<ExitCode, Box<dyn Error>> {
    let report = inspect(&request(headers, file)?, config);
    let text = if json { to_json(&report) + "\n" } else { to_ansi_text(&report) };
    crate::print(&text)?;
    Ok(verdict(&report))
}

/// For use in a pipeline: 0 where everything goes on.
fn verdict(report: &Report) -> ExitCode {
    if report.is_clean() && !report.headers.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn request(headers: &[OsString], file: Option<&Path>) -> Result<Request, Box<dyn Error>> {
    match file {
        Some(path) => from_file(path),
        None if headers.is_empty() => bounded(io::stdin().lock()),
        None => {
            let lines: Vec<&[u8]> = headers.iter().map(|line| line.as_encoded_bytes()).collect();
            Ok(Request::parse(&lines.join(&b'\n')))
        }
    }
}

pub(crate) fn from_file(path: &Path) -> Result<Request, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    bounded(file)
}

/// One byte more than is looked at, so that the report can say that there was more.
fn bounded(text: impl Read) -> Result<Request, Box<dyn Error>> {
    let mut bytes = Vec::new();
    text.take(MAX_TEXT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Request::parse(&bytes))
}
