//! The propagator: between carriers and the `Context`.

use crate::{
    context,
    fields::Fields,
    headers::{self, B3, FLAGS, Headers, PARENT_SPAN_ID, SAMPLED, SPAN_ID, TRACE_ID, Unreadable},
    multi, single,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_propagator_core::{
    diagnostics::Rejected,
    header::NOT_TEXT,
    leftover,
    located::Located,
    sampling::{self, Sampling},
};
use std::sync::LazyLock;

/// Reads B3 in either form and writes it in the configured one.
///
/// The form decides what is sent and nothing else: the single header is always tried first, then the multiple
/// ones, as [OpenTelemetry asks](https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-requirements).
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_b3::B3Propagator;
/// use std::collections::HashMap;
///
/// let received = HashMap::from([
///     ("x-b3-traceid".to_owned(), "64fe8b2a57d3eff7".to_owned()),
///     ("x-b3-spanid".to_owned(), "e457b5a2e4d86bd1".to_owned()),
///     ("x-b3-flags".to_owned(), "1".to_owned()),
/// ]);
/// let b3 = B3Propagator::single().with_64_bit_trace_ids(true);
/// let cx = b3.extract_with_context(&Context::new(), &received);
///
/// let mut sent = HashMap::new();
/// b3.inject_context(&cx, &mut sent);
/// assert_eq!(sent, HashMap::from([("b3".to_owned(), "64fe8b2a57d3eff7-e457b5a2e4d86bd1-d".to_owned())]));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct B3Propagator {
    form: Form,
    short_trace_ids: bool,
}

/// What injection writes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Form {
    #[default]
    Single,
    Multi,
    SingleAndMulti,
}

impl B3Propagator {
    /// The same as [`single`](Self::single).
    ///
    /// > When injecting B3, propagators MUST default to injecting B3 using the single-header format
    ///
    /// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-inject>
    #[must_use]
    pub const fn new() -> Self {
        Self::single()
    }

    /// Sends [`b3`](https://github.com/openzipkin/b3-propagation#single-header).
    #[must_use]
    pub const fn single() -> Self {
        Self::sending(Form::Single)
    }

    /// Sends [`x-b3-traceid`, `x-b3-spanid`, and `x-b3-sampled` or `x-b3-flags`](https://github.com/openzipkin/b3-propagation#multiple-headers).
    #[must_use]
    pub const fn multi() -> Self {
        Self::sending(Form::Multi)
    }

    /// Sends both forms, for a mesh in which some know only one of them.
    #[must_use]
    pub const fn single_and_multi() -> Self {
        Self::sending(Form::SingleAndMulti)
    }

    /// Whether to send a trace id whose upper half is zero as 16 digits instead of 32, for peers that know only
    /// [64-bit trace ids](https://github.com/openzipkin/b3-propagation#traceid). Off by default.
    ///
    /// A longer id is never cut.
    #[must_use]
    pub const fn with_64_bit_trace_ids(mut self, short: bool) -> Self {
        self.short_trace_ids = short;
        self
    }

    /// The names of all headers that extraction reads, in the order of preference.
    ///
    /// [`fields`](TextMapPropagator::fields) are those that injection writes.
    ///
    /// ```
    /// let read: Vec<_> = otel_b3::B3Propagator::multi().extract_fields().collect();
    /// assert_eq!(read, ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"]);
    /// ```
    #[must_use]
    pub fn extract_fields(&self) -> FieldIter<'static> {
        FieldIter::new(&*NAMES)
    }

    const fn sending(form: Form) -> Self {
        Self { form, short_trace_ids: false }
    }
}

impl TextMapPropagator for B3Propagator {
    /// The same into the current context, which is not borrowed meanwhile: whoever listens to events may attach another.
    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The same from the current context, which is not borrowed meanwhile.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    /// Sends the valid span of the context with its [sampling state](crate::SamplingExt::sampling), else a bare
    /// decision that was received, else nothing.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let Some(fields) = context::fields(cx) else { return };
        if self.form != Form::Multi {
            injector.set(B3, single::write(&fields, self.short_trace_ids));
        }
        if self.form != Form::Single {
            let has_older_flags = || leftover::is_in(cx, FLAGS);
            multi::write(&fields, self.short_trace_ids, has_older_flags, |name, value| {
                injector.set(name, value);
            });
        }
    }

    /// Returns `cx` with the remote span context or the bare decision that was received; `cx` as it is where there
    /// was neither.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let (fields, form) = received(extractor);
        let extracted = match fields {
            Some(fields) => {
                if !matches!(fields, Fields::Trace(_, Sampling::Accept | Sampling::Deny)) {
                    sampling::hint(B3);
                }
                context::with_fields(cx, fields)
            }
            None => cx.clone(),
        };
        let is_sent = self.form != Form::Single;
        if is_sent { leftover::remember(cx, extracted, left(extractor, fields, form)) } else { extracted }
    }

    /// The names of exactly those headers that injection may write, always in the same order.
    fn fields(&self) -> FieldIter<'_> {
        let written = match self.form {
            Form::Single => NAMES.get(..1),
            Form::Multi => NAMES.get(1..5),
            Form::SingleAndMulti => NAMES.get(..5),
        };
        FieldIter::new(written.unwrap_or_default())
    }
}

/// First the single header, then those of the other form, last the one that is never written.
static NAMES: LazyLock<[String; 6]> =
    LazyLock::new(|| [B3, TRACE_ID, SPAN_ID, SAMPLED, FLAGS, PARENT_SPAN_ID].map(str::to_owned));

/// Where a `b3` value, without whitespace around it, breaks the grammar; `None` where it does not. For tools that explain
/// headers.
///
/// ```
/// let value = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-D";
/// let located = otel_b3::locate_single(value).unwrap();
/// assert_eq!((located.production, &value[located.range]), ("SamplingState", "D"));
/// ```
#[must_use]
pub fn locate_single(value: &str) -> Option<Located> {
    single::locate(value)
}

/// Which of the `x-b3-*` headers of a carrier breaks the grammar first, and where; `None` where none does. For tools
/// that explain headers.
///
/// ```
/// use std::collections::HashMap;
///
/// let carrier = HashMap::from([("x-b3-sampled".to_owned(), "yes".to_owned())]);
/// let (header, located) = otel_b3::locate_multi(&carrier).unwrap();
/// assert_eq!((header, located.range), ("x-b3-sampled", 0..3));
/// ```
#[must_use]
pub fn locate_multi(extractor: &dyn Extractor) -> Option<(&'static str, Located)> {
    let headers = Headers::of(extractor)?;
    let error = multi::parse(|name| headers.get(name)).err()?;
    let header = error.header().name();
    let value = headers.get(header).ok().flatten().unwrap_or_default();
    Some((header, error.at(0..value.len())))
}

/// What was received, and the form that was read, or looked at last; none where nothing of B3 is there.
fn received(extractor: &dyn Extractor) -> (Option<Fields>, Option<Form>) {
    let value = headers::read(extractor, B3);
    if let Some(fields) = value.and_then(single) {
        return (Some(fields), Some(Form::Single));
    }
    let Some(headers) = Headers::of(extractor) else { return (None, None) };
    let unusual = if value.is_none() { unusual_single(&headers) } else { None };
    match unusual {
        Some(fields) => (Some(fields), Some(Form::Single)),
        None => (multi(&headers), Some(Form::Multi)),
    }
}

/// The debug flag, if it is there and not known to be unset. It is written of a debug trace alone, so an older one would
/// make a debug trace of any other that is sent: the one of the single header, or one that starts here.
fn left(extractor: &dyn Extractor, fields: Option<Fields>, form: Option<Form>) -> &'static [&'static str] {
    let is_unset = match (form, fields) {
        (None, _) => true,
        (Some(Form::Multi), Some(fields)) => fields.sampling() != Sampling::Debug,
        _ => false,
    };
    if is_unset || headers::read(extractor, FLAGS).is_none() { &[] } else { &[FLAGS] }
}

/// Where there is no single header under its usual name.
fn unusual_single(headers: &Headers<'_>) -> Option<Fields> {
    let value = headers.get_unusual(B3).unwrap_or_else(|Unreadable| {
        Rejected::new(B3, NOT_TEXT, 0).emit();
        None
    });
    value.and_then(single)
}

fn single(value: &str) -> Option<Fields> {
    single::parse(value).inspect_err(|&error| Rejected::new(B3, error.rule(), value.len()).emit()).ok()
}

fn multi(headers: &Headers<'_>) -> Option<Fields> {
    multi::parse(|name| headers.get(name)).unwrap_or_else(|error| {
        let header = error.header().name();
        let bytes = headers.get(header).ok().flatten().map_or(0, str::len);
        Rejected::new(header, error.rule(), bytes).emit();
        None
    })
}
