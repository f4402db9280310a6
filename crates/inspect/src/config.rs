//! What the service is set to.

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
};
use otel_baggage_limits::Limits;
use otel_composite::{CompositePropagator, Registry, SettingError};
#[cfg(feature = "boundary")]
use otel_trust_boundary::{Boundary, Destination, DestinationExt, Guarded};
use std::collections::HashMap;

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
    /// The trace formats in the order of preference, each with a propagator of its own.
    pub(crate) formats: Vec<(String, CompositePropagator)>,
    pub(crate) reads_baggage: bool,
    pub(crate) limits: Limits,
    /// All of them together, without a policy.
    pub(crate) propagator: CompositePropagator,
    #[cfg(feature = "boundary")]
    pub(crate) boundary: Option<(Guarded<CompositePropagator>, Destination)>,
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
    /// ```
    /// use otel_baggage_limits::Limits;
    /// use otel_inspect::{Config, Request, inspect};
    ///
    /// let config = Config::with_limits("baggage", Limits::new().deny(&["user.*"]))?;
    /// let report = inspect(&Request::new([("baggage", "user.id=7")]), &config);
    /// assert_eq!(report.baggage[0].left_out.as_deref(), Some("not sent: the key is denied"));
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn with_limits(propagators: &str, limits: Limits) -> Result<Self, SettingError> {
        let list = if propagators.trim().is_empty() { DEFAULT } else { propagators };
        let propagator = Registry::new().builder_from_list(list)?.limits(limits.clone()).build();
        let mut formats: Vec<(String, CompositePropagator)> = Vec::new();
        let mut reads_baggage = false;
        for name in list.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            match &*name {
                "" | "none" => {}
                "baggage" => reads_baggage = true,
                _ if formats.iter().any(|(other, _)| *other == name) => {}
                _ => {
                    let alone = otel_composite::from_list(&name)?;
                    formats.push((name, alone));
                }
            }
        }
        Ok(Self {
            formats,
            reads_baggage,
            limits,
            propagator,
            #[cfg(feature = "boundary")]
            boundary: None,
        })
    }

    /// Holds the service to a policy (feature `boundary`), for a request to this destination.
    ///
    /// ```
    /// use otel_inspect::{Config, Request, inspect};
    /// use otel_trust_boundary::{Boundary, Destination};
    ///
    /// let config = Config::default().with_boundary(Boundary::deny_external(), Destination::host("api.example:443"));
    /// let report = inspect(&Request::new([("baggage", "tenant=acme")]), &config);
    /// assert!(report.sent.is_empty());
    /// assert_eq!(report.boundary.unwrap().withheld[0].header, "baggage");
    /// ```
    #[cfg(feature = "boundary")]
    #[must_use]
    pub fn with_boundary(mut self, boundary: Boundary, destination: Destination) -> Self {
        self.boundary = Some((boundary.wrap(self.propagator.clone()), destination));
        self
    }

    /// Whether one of the formats looks at the header.
    pub(crate) fn reads(&self, header: &str) -> bool {
        self.propagator.extract_fields().any(|field| field == header)
    }

    /// What a policy lets in, of what the formats read.
    #[cfg_attr(
        not(feature = "boundary"),
        allow(unused_variables, clippy::unused_self, reason = "there is no policy")
    )]
    pub(crate) fn accept(&self, carrier: &dyn Extractor, read: &Context) -> Context {
        #[cfg(feature = "boundary")]
        if let Some((guarded, _)) = &self.boundary {
            return guarded.extract_with_context(&Context::new(), carrier);
        }
        read.clone()
    }

    /// What a policy lets out, of what the formats send.
    pub(crate) fn send(&self, cx: &Context) -> HashMap<String, String> {
        #[cfg(feature = "boundary")]
        if let Some((guarded, destination)) = &self.boundary {
            return injected(guarded, &cx.with_destination(destination.clone()));
        }
        self.send_unheld(cx)
    }

    /// What would go out without a policy.
    pub(crate) fn send_unheld(&self, cx: &Context) -> HashMap<String, String> {
        injected(&self.propagator, cx)
    }
}

/// An empty value overrides an older header, and is none.
fn injected(propagator: &dyn TextMapPropagator, cx: &Context) -> HashMap<String, String> {
    let mut headers = HashMap::new();
    propagator.inject_context(cx, &mut headers);
    headers.retain(|_, value| !value.is_empty());
    headers
}

const DEFAULT: &str = "tracecontext,baggage";

/// What OpenTelemetry says where nothing is set: W3C Trace Context and W3C Baggage.
impl Default for Config {
    fn default() -> Self {
        Self::new(DEFAULT).unwrap_or_else(|_| Self {
            formats: Vec::new(),
            reads_baggage: false,
            limits: Limits::new(),
            propagator: CompositePropagator::builder().build(),
            #[cfg(feature = "boundary")]
            boundary: None,
        })
    }
}
