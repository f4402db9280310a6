//! `otelp exec`.

use crate::send;
use otel_carriers::environment;
use std::{
    error::Error,
    process::{Command, ExitCode},
};

/// The context goes into the child's environment as
/// <https://opentelemetry.io/docs/specs/otel/context/env-carriers/> says; what this process was started with does not.
pub(crate) fn run(
    baggage: &[String],
    command: &[String],
    propagators: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let [program, arguments @ ..] = command else { return Err("no command".into()) };
    let propagator = otel_composite::from_list(propagators)?;
    let mut child = Command::new(program);
    child.args(arguments);
    environment::inject(&propagator, &send::new_trace(baggage, true)?, &mut child);
    let status = child.status().map_err(|error| format!("{program}: {error}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
