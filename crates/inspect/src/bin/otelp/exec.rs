//! `otelp exec`.

use crate::send;
use std::{
    error::Error,
    process::{Command, ExitCode},
};

/// Environment variables carry context under the header's name in upper case, with an underscore for a hyphen:
/// <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>.
pub(crate) fn run(
    baggage: &[String],
    command: &[String],
    propagators: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let [program, arguments @ ..] = command else { return Err("no command".into()) };
    let headers = send::headers(&send::new_trace(baggage, true)?, propagators)?;
    let variables =
        headers.into_iter().map(|(name, value)| (name.to_ascii_uppercase().replace('-', "_"), value));
    let status = Command::new(program)
        .args(arguments)
        .envs(variables)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
