//! What the service is set to.

use otel_baggage_limits::Limits;
use otel_composite::{CompositePropagator, Registry, SettingError};

/// The propagators and limits of the service that receives the request.
///
/// ```
/// use otel_inspect::Config;
///
/// let config = Config::new("b3,tracecontext,baggage")?;
/// assert!(Config::new("b4").unwrap_err().to_string().contains("b4"));
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) formats: Vec<String>,
    pub(crate) propagator: CompositePropagator,
}

impl Config {
    /// A list as `OTEL_PROPAGATORS` has it.
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn new(propagators: &str) -> Result<Self, SettingError> {
        Self::with_limits(propagators, Limits::new())
    }

    /// The same with limits for the baggage that is sent.
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn with_limits(propagators: &str, limits: Limits) -> Result<Self, SettingError> {
        let list = if propagators.trim().is_empty() { DEFAULT } else { propagators };
        let propagator = Registry::new().builder_from_list(list)?.limits(limits).build();
        let mut formats: Vec<String> = Vec::new();
        for name in list.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            if !name.is_empty() && !formats.contains(&name) {
                formats.push(name);
            }
        }
        Ok(Self { formats, propagator })
    }
}

const DEFAULT: &str = "tracecontext,baggage";

/// What OpenTelemetry says where nothing is set: W3C Trace Context and W3C Baggage.
impl Default for Config {
    fn default() -> Self {
        let propagator = otel_composite::from_list(DEFAULT);
        let formats = DEFAULT.split(',').map(str::to_owned).collect();
        Self { formats, propagator: propagator.unwrap_or_else(|_| CompositePropagator::builder().build()) }
    }
}
