//! Links the first span of a restarted trace to the caller's.

use crate::RestartExt;
use opentelemetry::{Context, trace::Span as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use std::time::Duration;

/// Links the first span of a trace that was restarted with a link
/// ([`Strategy::RestartWithLink`](crate::Strategy::RestartWithLink)) to the caller's span; its children get no link.
///
/// It does nothing else, so it stands beside the processors that export. A span that the sampler drops is never seen
/// here, and needs no link.
///
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use otel_trust_boundary::RestartLinks;
///
/// let provider = SdkTracerProvider::builder().with_span_processor(RestartLinks::new()).build();
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RestartLinks;

impl RestartLinks {
    /// The processor; it has nothing to set.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl SpanProcessor for RestartLinks {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if let Some(link) = cx.take_restart_link() {
            span.add_link(link.span_context, link.attributes);
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
