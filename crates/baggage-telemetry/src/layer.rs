//! Chosen entries of baggage on the lines of `tracing_subscriber::fmt`.

use crate::Entries;
use opentelemetry::{
    Context as OtelContext,
    baggage::{Baggage, BaggageExt},
};
use std::{
    fmt::{self, Write as _},
    marker::PhantomData,
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::{FormattedFields, format},
    layer::Context,
    registry::{ExtensionsMut, LookupSpan, SpanRef},
};

/// Puts chosen entries of baggage on the spans, and so on the events, that `tracing_subscriber::fmt` writes.
///
/// For services whose log lines do not go through the SDK's log bridge. It stands behind the layers of
/// `tracing-opentelemetry` (which makes a span's context current) and of `fmt`:
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
/// use otel_baggage_telemetry::{BaggageLayer, Keys};
/// use tracing_subscriber::layer::SubscriberExt;
/// # #[derive(Clone, Default)] struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
/// # impl std::io::Write for Log {
/// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(bytes) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let log = Log::default();
/// # let writer = log.clone();
///
/// let subscriber = tracing_subscriber::registry()
///     // .with(tracing_opentelemetry::layer().with_tracer(tracer))
///     .with(tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_target(false)
/// #       .with_writer(move || writer.clone())
///     )
///     .with(BaggageLayer::new(Keys::of(&["tenant"])));
/// tracing::subscriber::with_default(subscriber, || {
///     let _current = Context::new().with_baggage([KeyValue::new("tenant", "acme")]).attach();
///     tracing::info_span!("order").in_scope(|| tracing::info!("paid"));
/// });
/// # assert_eq!(String::from_utf8_lossy(&log.0.lock().unwrap()), " INFO order{tenant=\"acme\"}: paid\n");
/// //  INFO order{tenant="acme"}: paid
/// ```
///
/// The entries are those of the context that is current when a span is first entered after the other layers have seen
/// it. A field that the span was given a value for is not written twice. Values are quoted and escaped, so a caller
/// can neither end a line nor add a field. An event outside of any span has nothing to carry them.
///
/// `F` is the type of the fields that the `fmt` layer formats: `DefaultFields`, unless
/// [`with_fields`](Self::with_fields) says otherwise.
pub struct BaggageLayer<F = format::DefaultFields> {
    entries: Entries,
    fields: PhantomData<fn(F)>,
}

impl BaggageLayer {
    /// Copies these entries: [`Keys`](crate::Keys), or [`Entries`] where there is more to say.
    #[must_use]
    pub fn new(entries: impl Into<Entries>) -> Self {
        Self { entries: entries.into(), fields: PhantomData }
    }
}

impl<F> BaggageLayer<F> {
    /// For a `fmt` layer with these fields, such as `JsonFields` after `fmt::layer().json()`.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use otel_baggage_telemetry::{BaggageLayer, Keys};
    /// use tracing_subscriber::{fmt::format::JsonFields, layer::SubscriberExt};
    ///
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(tracing_subscriber::fmt::layer().json())
    ///     .with(BaggageLayer::new(Keys::of(&["tenant"])).with_fields::<JsonFields>());
    /// # }
    /// ```
    #[must_use]
    pub fn with_fields<G: SpanText>(self) -> BaggageLayer<G> {
        BaggageLayer { entries: self.entries, fields: PhantomData }
    }
}

impl<F> fmt::Debug for BaggageLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BaggageLayer").field(&self.entries).finish()
    }
}

/// Fields of a `fmt` layer to which a name and a value can be added.
///
/// Implement it for fields of your own, such as those of a formatter that writes `name=value;`:
///
/// ```
/// use otel_baggage_telemetry::SpanText;
///
/// struct Semicolons;
///
/// impl SpanText for Semicolons {
///     fn add(text: &mut String, name: &str, value: &str) {
///         text.push_str(&format!("{name}={};", value.escape_default()));
///     }
/// }
///
/// let mut text = "order=7;".to_owned();
/// Semicolons::add(&mut text, "tenant", "ac\nme");
/// assert_eq!(text, "order=7;tenant=ac\\nme;");
/// ```
pub trait SpanText: 'static {
    /// Adds a name and a value to the text of a span's fields.
    ///
    /// The name is a token, as baggage has it, behind the prefix that was set. The value is any text that a peer sent, and
    /// has to be escaped.
    fn add(text: &mut String, name: &str, value: &str);
}

/// ` name="value"`
impl SpanText for format::DefaultFields {
    fn add(text: &mut String, name: &str, value: &str) {
        let space = if text.is_empty() { "" } else { " " };
        // A `String` takes whatever is written to it.
        let _ = write!(text, "{space}{name}={value:?}");
    }
}

/// `,"name":"value"` before the closing brace.
#[cfg(feature = "json")]
impl SpanText for format::JsonFields {
    fn add(text: &mut String, name: &str, value: &str) {
        let Some(object) = text.strip_suffix('}') else { return };
        let comma = if object.trim_end().ends_with('{') { "" } else { "," };
        text.truncate(object.len());
        text.push_str(comma);
        json_string(text, name);
        text.push(':');
        json_string(text, value);
        text.push('}');
    }
}

/// > string = quotation-mark *char quotation-mark
///
/// <https://www.rfc-editor.org/rfc/rfc8259#section-7>
#[cfg(feature = "json")]
fn json_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            // A `String` takes whatever is written to it.
            '\0'..='\x1f' => drop(write!(text, "\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

/// What is kept with a span.
struct Seen<F> {
    /// The fields of a chosen name that were given a value.
    own: Vec<Field>,
    is_written: bool,
    fields: PhantomData<fn(F)>,
}

impl<F: 'static> Seen<F> {
    fn of<'a>(extensions: &'a mut ExtensionsMut<'_>) -> Option<&'a mut Self> {
        if extensions.get_mut::<Self>().is_none() {
            extensions.insert(Self { own: Vec::new(), is_written: false, fields: PhantomData });
        }
        extensions.get_mut()
    }
}

/// Keeps the fields of a span that would stand twice.
struct Own<'a, 'b, F, S: LookupSpan<'b>> {
    entries: &'a Entries,
    span: SpanRef<'b, S>,
    fields: PhantomData<fn(F)>,
}

impl<'b, F: 'static, S: LookupSpan<'b>> Visit for Own<'_, 'b, F, S> {
    /// Called for every field that is given a value, of whatever type.
    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        if self.entries.may_have_named(field.name()) {
            if let Some(seen) = Seen::<F>::of(&mut self.span.extensions_mut()) {
                seen.own.push(field.clone());
            }
        }
    }
}

impl<F: 'static> BaggageLayer<F> {
    fn own<'b, S: LookupSpan<'b>>(&self, span: SpanRef<'b, S>) -> Own<'_, 'b, F, S> {
        Own { entries: &self.entries, span, fields: PhantomData }
    }
}

impl<F: SpanText> BaggageLayer<F> {
    fn write(&self, baggage: &Baggage, extensions: &mut ExtensionsMut<'_>) {
        if extensions.get_mut::<Seen<F>>().is_some_and(|seen| seen.is_written) {
            return;
        }
        let chosen = self.entries.chosen(baggage);
        if chosen.is_empty() || extensions.get_mut::<FormattedFields<F>>().is_none() {
            return;
        }
        let Some(seen) = Seen::<F>::of(extensions) else { return };
        seen.is_written = true;
        let own = std::mem::take(&mut seen.own);
        let Some(formatted) = extensions.get_mut::<FormattedFields<F>>() else { return };
        for entry in chosen {
            if !own.iter().any(|field| entry.is_named(field.name())) {
                F::add(&mut formatted.fields, entry.name().as_str(), entry.text());
            }
        }
    }
}

impl<F: SpanText, S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for BaggageLayer<F> {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id) {
            attributes.record(&mut self.own(span));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id) {
            values.record(&mut self.own(span));
        }
    }

    fn on_enter(&self, id: &Id, cx: Context<'_, S>) {
        OtelContext::map_current(|current| {
            let baggage = current.baggage();
            if baggage.is_empty() {
                return;
            }
            if let Some(span) = cx.span(id) {
                self.write(baggage, &mut span.extensions_mut());
            }
        });
    }
}
