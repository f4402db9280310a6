//! Ids with the time in front.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes trace ids that begin with the time in seconds, as X-Ray's own do.
///
/// > The time of the original request, in Unix epoch time, in 8 hexadecimal digits.
///
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids>
///
/// The other 96 bits are random, so such an id is random in the sense of
/// [W3C](https://www.w3.org/TR/trace-context-2/#random-trace-id-flag), which asks for 56.
///
/// X-Ray has taken ids without a time since
/// [October 2023](https://aws.amazon.com/about-aws/whats-new/2023/10/aws-x-ray-w3c-format-trace-ids-distributed-tracing/),
/// by way of AWS's agent from 1.300030.0 on or its collector from 0.34.0 on. Older ones drop spans whose id
/// does not begin with a time of the last weeks, so they need this generator.
///
/// ```
/// use opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use otel_xray::XrayIdGenerator;
///
/// let provider = SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default()).build();
/// let span = provider.tracer("shop").start("checkout");
/// let [s, e, c, o, ..] = span.span_context().trace_id().to_bytes();
/// assert!(u32::from_be_bytes([s, e, c, o]) > 1_700_000_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct XrayIdGenerator {
    random: RandomIdGenerator,
}

impl IdGenerator for XrayIdGenerator {
    fn new_trace_id(&self) -> TraceId {
        with_time(self.random.new_trace_id(), SystemTime::now())
    }

    fn new_span_id(&self) -> SpanId {
        self.random.new_span_id()
    }
}

/// A clock before 1970 or after 2106 costs the time, and no id.
fn with_time(random: TraceId, now: SystemTime) -> TraceId {
    let seconds = now.duration_since(UNIX_EPOCH).ok().and_then(|since| u32::try_from(since.as_secs()).ok());
    let mut id = random.to_bytes();
    if let (Some(seconds), Some(time)) = (seconds, id.first_chunk_mut()) {
        *time = seconds.to_be_bytes();
    }
    TraceId::from(u128::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_time_stands_in_front() {
        let random = TraceId::from(u128::MAX);
        let rows = [
            ("a second of 2016", UNIX_EPOCH + Duration::from_secs(0x5759_e988), 0x5759_e988),
            ("the first", UNIX_EPOCH, 0),
            ("the last", UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX)), u32::MAX),
            ("one more", UNIX_EPOCH + Duration::from_secs(1 << 32), u32::MAX),
            ("before the first", UNIX_EPOCH - Duration::from_secs(1), u32::MAX),
        ];
        for (rule, now, expected) in rows {
            let id = u128::from_be_bytes(with_time(random, now).to_bytes());
            assert_eq!(id, u128::from(expected) << 96 | u128::MAX >> 32, "{rule}");
        }
    }

    #[test]
    fn ids_differ_in_the_96_bits_after_it() {
        let ids = XrayIdGenerator::default();
        let [one, other] =
            [ids.new_trace_id(), ids.new_trace_id()].map(|id| u128::from_be_bytes(id.to_bytes()));
        assert_ne!(one << 32, other << 32);
        assert_ne!(ids.new_span_id(), ids.new_span_id());
    }
}
