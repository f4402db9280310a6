//! The names of the headers.

pub(crate) const TRACE_ID: &str = "ot-tracer-traceid";
pub(crate) const SPAN_ID: &str = "ot-tracer-spanid";
pub(crate) const SAMPLED: &str = "ot-tracer-sampled";
