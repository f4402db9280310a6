//! Where a request goes, as far as the process knows.

use crate::host::Authority;
use opentelemetry::{
    Context,
    trace::{SpanId, TraceContextExt},
};
use std::{borrow::Cow, fmt};

/// Where a request goes: a host, or a rule of the policy by its name.
///
/// ```
/// use opentelemetry::Context;
/// use otel_trust_boundary::{Destination, DestinationExt};
///
/// let cx = Context::new().with_destination(Destination::host("orders.internal:8080"));
/// assert_eq!(cx.destination().map(ToString::to_string).as_deref(), Some("orders.internal:8080"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination(pub(crate) Kind);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Host(Authority),
    Named(Cow<'static, str>),
    Unknown,
    /// What was given is no host, by this rule.
    Unusable(&'static str),
}

impl Destination {
    /// A host with or without a port: `orders.internal`, `10.0.0.1:8080`, `[::1]:8080`, `::1`.
    ///
    /// Names are compared without regard to case, and `orders.internal.` is `orders.internal`. Whatever is not a host
    /// to the letter is a destination that no pattern matches, so the rule for [unknown](crate::Boundary::unknown)
    /// ones holds, and a `WARN` event tells of it: a URL, user information, a host with a zone, port 0, a name that is
    /// not in ASCII (a client sends `xn--…`; how it gets there differs between clients), or one that ends in a number,
    /// which some clients take for an IPv4 address.
    ///
    /// ```
    /// use otel_trust_boundary::Destination;
    ///
    /// assert_eq!(Destination::host("ORDERS.internal."), Destination::host("orders.internal"));
    /// assert_eq!(Destination::host("https://evil.example/?x=.internal").to_string(), "unknown");
    /// ```
    #[must_use]
    pub fn host(authority: &str) -> Self {
        Self(match Authority::parse(authority) {
            Ok(authority) => Kind::Host(authority),
            Err(error) => Kind::Unusable(error.rule()),
        })
    }

    /// The hosts of the [outbound rule](crate::Outbound) of this name, whatever their names are: for a queue, or a
    /// client that is made for one partner.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination, Outbound};
    ///
    /// let boundary = Boundary::deny_external().outbound(Outbound::internal("orders queue"));
    /// assert_eq!(boundary.rule_for(&Destination::named("orders queue")).name(), "orders queue");
    /// assert_eq!(boundary.rule_for(&Destination::named("mistyped")).name(), "unknown");
    /// ```
    #[must_use]
    pub fn named(rule: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Named(rule.into()))
    }

    /// A destination of which nothing is known, such as one that is not to inherit that of an outer context.
    #[must_use]
    pub const fn unknown() -> Self {
        Self(Kind::Unknown)
    }
}

/// `unknown` where what was given is no host.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Host(authority) => authority.fmt(f),
            Kind::Named(rule) => f.write_str(rule),
            Kind::Unknown | Kind::Unusable(_) => f.write_str("unknown"),
        }
    }
}

/// The authority of the URI; the port that its scheme implies where it has none. User information is not looked at.
///
/// A URI without an authority, such as `/orders`, is [`Destination::unknown`]: what a `Host` header says may come from
/// a peer.
///
/// ```
/// use otel_trust_boundary::Destination;
///
/// let uri: http::Uri = "https://orders.internal@evil.example/?x=.internal".parse()?;
/// assert_eq!(Destination::from(&uri).to_string(), "evil.example:443");
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[cfg(feature = "http")]
impl From<&http::Uri> for Destination {
    fn from(uri: &http::Uri) -> Self {
        let Some(authority) = uri.authority() else { return Self::unknown() };
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let mut destination = Self::host(host);
        if let Kind::Host(authority) = &mut destination.0 {
            authority.port = authority.port.or_else(|| match uri.scheme_str() {
                Some("https") => Some(443),
                Some("http") => Some(80),
                _ => None,
            });
        }
        destination
    }
}

/// The destination in a context, and the span that it was said of.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) destination: Destination,
    pub(crate) span_id: SpanId,
}

/// The destination of a [`Context`]'s requests.
pub trait DestinationExt: sealed::Sealed {
    /// The context, for requests to this destination.
    ///
    /// It holds for every injection of this context and of those made from it, and, as long as it is
    /// [attached](Context::attach), for an injection of a context that has no destination. What the
    /// [sampler bridge](crate#destinations) says of a span started since counts more.
    #[must_use]
    fn with_destination(&self, destination: Destination) -> Context;

    /// The destination that was stated last.
    fn destination(&self) -> Option<&Destination>;
}

impl DestinationExt for Context {
    fn with_destination(&self, destination: Destination) -> Context {
        self.with_value(Stated { destination, span_id: self.span().span_context().span_id() })
    }

    fn destination(&self) -> Option<&Destination> {
        self.get::<Stated>().map(|stated| &stated.destination)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}
