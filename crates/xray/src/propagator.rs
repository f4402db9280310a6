//! The propagator: the only file that knows `Extractor` and `Injector`.

use crate::{
    ParseError, TraceHeader,
    context::{self, Missing, VARIABLE, with_invocation},
    trace_header::X_AMZN_TRACE_ID,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_propagator_core::{diagnostics::Rejected, header::parse_line};
use std::{
    env::{self, VarError},
    sync::LazyLock,
};

/// Reads and writes `X-Amzn-Trace-Id`.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_xray::{Sampling, SamplingExt, XrayPropagator};
/// use std::collections::HashMap;
///
/// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
/// let request = HashMap::from([("x-amzn-trace-id".to_owned(), header.to_owned())]);
/// let xray = XrayPropagator::new();
/// let cx = xray.extract_with_context(&Context::new(), &request);
/// assert_eq!(cx.sampling(), Some(Sampling::Defer));
///
/// let mut sent = HashMap::new();
/// xray.inject_context(&cx, &mut sent);
/// assert_eq!(sent["x-amzn-trace-id"], format!("{header};Sampled=?"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct XrayPropagator {
    missing: Missing,
    lambda: bool,
}

impl XrayPropagator {
    /// A propagator for the header alone, called `xray` in `OTEL_PROPAGATORS`.
    #[must_use]
    pub const fn new() -> Self {
        Self { missing: Missing::Defer, lambda: false }
    }

    /// A propagator for a Lambda function that reports to X-Ray, called `xray-lambda` in `OTEL_PROPAGATORS`.
    ///
    /// It reads the header as [`new`](Self::new) does. Given a context without a valid span, it then reads the
    /// environment variable `_X_AMZN_TRACE_ID` in the same way, and what that says stands: Lambda names there the
    /// segment of the invocation, which is nearer than the caller's.
    ///
    /// > To avoid potential issues when extracting with an active span context (such as with a span link), the
    /// > `xray-lambda` propagator SHOULD check if the provided context already has an active span context. If found,
    /// > the propagator SHOULD just return the extract result of the `xray` propagator.
    ///
    /// <https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/#xray-lambda-propagator-functionality>
    ///
    /// A variable with `Sampled=0` is not used. Lambda says so of every invocation where X-Ray is off, and no function
    /// would ever be traced: <https://github.com/open-telemetry/opentelemetry-lambda/issues/1782>.
    ///
    /// The variable belongs to the process. Where several invocations run at once in it, use
    /// [`XrayExt::with_lambda_trace`](crate::XrayExt::with_lambda_trace).
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_xray::{XrayExt, XrayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let lambda = XrayPropagator::lambda();
    /// let of_the_invocation = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    ///
    /// let cx = Context::new().with_lambda_trace(of_the_invocation);
    /// let headers_of_the_event = HashMap::new();
    /// let cx = lambda.extract_with_context(&cx, &headers_of_the_event);
    ///
    /// let mut sent = HashMap::new();
    /// lambda.inject_context(&cx, &mut sent);
    /// assert_eq!(sent["x-amzn-trace-id"], of_the_invocation);
    /// ```
    #[must_use]
    pub const fn lambda() -> Self {
        Self { lambda: true, ..Self::new() }
    }

    /// What a header means that names a span and says neither yes nor no. [`Missing::Defer`] unless set.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
    /// use otel_xray::{Missing, XrayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
    /// let request = HashMap::from([("x-amzn-trace-id".to_owned(), header.to_owned())]);
    /// let xray = XrayPropagator::new().with_missing_sampled(Missing::Sampled);
    /// let cx = xray.extract_with_context(&Context::new(), &request);
    /// assert!(cx.span().span_context().is_sampled());
    /// ```
    #[must_use]
    pub const fn with_missing_sampled(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// Whether it reads the environment of a Lambda function too.
    ///
    /// ```
    /// use otel_xray::XrayPropagator;
    ///
    /// assert!(XrayPropagator::lambda().reads_environment());
    /// assert!(!XrayPropagator::new().reads_environment());
    /// ```
    #[must_use]
    pub const fn reads_environment(&self) -> bool {
        self.lambda
    }

    /// The names of all headers that extraction reads: those that injection writes.
    ///
    /// ```
    /// use otel_xray::XrayPropagator;
    ///
    /// assert_eq!(XrayPropagator::new().extract_fields().collect::<Vec<_>>(), ["x-amzn-trace-id"]);
    /// ```
    #[must_use]
    pub fn extract_fields(&self) -> FieldIter<'static> {
        FieldIter::new(&*NAMES)
    }
}

impl TextMapPropagator for XrayPropagator {
    /// Sends the context's span, if it is valid, with its [sampling state](crate::SamplingExt::sampling); else the
    /// [root](crate::XrayExt::xray_root) that was received; else nothing.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        if let Some(header) = context::to_send(cx) {
            injector.set(X_AMZN_TRACE_ID, header.write());
        }
    }

    /// Returns `cx` with what was received; `cx` as it is where that was nothing.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let received = match parse_line(extractor, X_AMZN_TRACE_ID, parse) {
            Some(header) => context::with_header(cx, X_AMZN_TRACE_ID, header, self.missing),
            None => cx.clone(),
        };
        if self.lambda { self.in_lambda(cx, received) } else { received }
    }

    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The name of the header.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*NAMES)
    }
}

static NAMES: LazyLock<[String; 1]> = LazyLock::new(|| [X_AMZN_TRACE_ID.to_owned()]);

impl XrayPropagator {
    fn in_lambda(&self, given: &Context, received: Context) -> Context {
        match env::var(VARIABLE) {
            Ok(header) if !header.is_empty() => with_invocation(given, received, &header, self.missing),
            Err(VarError::NotUnicode(value)) => {
                Rejected::new(VARIABLE, "value is not UTF-8", value.len()).emit();
                received
            }
            _ => received,
        }
    }
}

fn parse(value: &str) -> Result<TraceHeader, &'static str> {
    TraceHeader::parse(value).map_err(ParseError::rule)
}
