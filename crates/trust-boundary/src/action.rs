//! The words for what became of a context, in events and metrics.

/// What became of a context.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    Continued,
    RestartedWithLink,
    Restarted,
    Ignored,
    Injected,
    IdsInjected,
    Suppressed,
    KeysDropped,
}

impl Action {
    #[cfg(feature = "metrics")]
    pub(crate) const INBOUND: [Self; 5] =
        [Self::Continued, Self::RestartedWithLink, Self::Restarted, Self::Ignored, Self::KeysDropped];
    #[cfg(feature = "metrics")]
    pub(crate) const OUTBOUND: [Self; 4] =
        [Self::Injected, Self::IdsInjected, Self::Suppressed, Self::KeysDropped];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Continued => "continued",
            Self::RestartedWithLink => "restarted_with_link",
            Self::Restarted => "restarted",
            Self::Ignored => "ignored",
            Self::Injected => "injected",
            Self::IdsInjected => "ids_injected",
            Self::Suppressed => "suppressed",
            Self::KeysDropped => "keys_dropped",
        }
    }
}
