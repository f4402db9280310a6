//! Why is nothing propagated?

use crate::{CompositePropagator, Concern, Part, Problem, install};
use opentelemetry::{global, propagation::TextMapPropagator};
use otel_propagator_core::sampling;
use std::fmt;
use tracing::level_filters::LevelFilter;

/// Looks at what is installed in this process, for one call at start-up or in a test.
///
/// It looks at the global propagator, at `tracing`, and at what the installed composite is made of. It sends nothing and
/// emits nothing. The [`Diagnosis`] prints as a report:
///
/// ```standalone_crate
/// # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))] {
/// otel_composite::install(otel_composite::from_list("tracecontext,baggage")?);
/// let diagnosis = otel_composite::doctor();
/// assert_eq!(
///     diagnosis.to_string(),
///     "propagator: extract: tracecontext; inject: tracecontext; baggage: baggage, at most 64 members and 4096 bytes\n\
///      reads: traceparent, tracestate, baggage\n\
///      writes: traceparent, tracestate, baggage\n\
///      - no subscriber is set in this process: events of the propagators go nowhere, unless tracing's feature log is on\n"
/// );
/// # }
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[must_use]
pub fn doctor() -> Diagnosis {
    let (handle, shown, writes) = global::get_text_map_propagator(|global| {
        let (handle, shown) = install::shown(&global);
        (handle, shown, global.fields().map(str::to_owned).collect::<Vec<_>>())
    });
    let composite = handle.as_ref().and_then(|handle| handle.composite().cloned());
    let mut findings = Vec::new();
    if handle.is_none() {
        findings.push(not_ours(&shown));
    }
    if let Some(composite) = &composite {
        of_composite(composite, &mut findings);
    }
    if !tracing::dispatcher::has_been_set() {
        findings.push(Finding::NoSubscriber);
    } else if LevelFilter::current() < LevelFilter::WARN {
        findings.push(Finding::WarningsAreFiltered);
    }
    Diagnosis { shown, composite, writes, findings }
}

fn not_ours(shown: &str) -> Finding {
    if shown.starts_with("NoopTextMapPropagator") {
        Finding::NoPropagator
    } else if install::was_called() {
        Finding::Replaced
    } else {
        Finding::NotInstalledHere
    }
}

fn of_composite(composite: &CompositePropagator, findings: &mut Vec<Finding>) {
    findings.extend(composite.problems().iter().cloned().map(Finding::Problem));
    if !composite.parts().any(Part::extracts) {
        findings.push(Finding::NothingIsRead);
    }
    if !composite.parts().any(Part::injects) {
        findings.push(Finding::NothingIsSent);
    }
    for header in composite.fields() {
        let writes = |part: &&Part| part.fields().any(|field| field.eq_ignore_ascii_case(header));
        let names: Vec<String> =
            composite.parts().filter(writes).map(|part| part.name().to_owned()).collect();
        if names.len() > 1 {
            findings.push(Finding::WrittenTwice { header: header.to_owned(), names });
        }
    }
    let several = |concern: Concern| {
        let parts = composite.parts().filter(|part| part.concern() == concern && part.injects());
        let names: Vec<String> = parts.map(|part| part.name().to_owned()).collect();
        (names.len() > 1).then_some(Finding::SeveralFormats { concern, names })
    };
    findings.extend([Concern::Trace, Concern::Baggage].into_iter().filter_map(several));
    if composite.parts().any(Part::exceeds_baggage) {
        findings.push(Finding::LimitsAboveBaggage);
    }
    let leaves_open = |part: &&Part| part.extracts() && part.leaves_decisions_open();
    let names: Vec<String> =
        composite.parts().filter(leaves_open).map(|part| part.name().to_owned()).collect();
    if !names.is_empty() && !sampling::is_decision_sampler_installed() {
        findings.push(Finding::NoDecisionSampler { names });
    }
}

/// What [`doctor`] found.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// How the global propagator shows itself.
    shown: String,
    composite: Option<CompositePropagator>,
    writes: Vec<String>,
    findings: Vec<Finding>,
}

impl Diagnosis {
    /// Everything worth a look, the worst first.
    ///
    /// ```standalone_crate
    /// use otel_composite::{Finding, doctor};
    ///
    /// assert_eq!(doctor().findings().first(), Some(&Finding::NoPropagator));
    /// ```
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing =
            |names: Vec<&str>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        writeln!(f, "propagator: {}", self.shown)?;
        if let Some(composite) = &self.composite {
            writeln!(f, "reads: {}", or_nothing(composite.extract_fields().collect()))?;
        }
        writeln!(f, "writes: {}", or_nothing(self.writes.iter().map(String::as_str).collect()))?;
        #[cfg(feature = "boundary")]
        if let Some(boundary) = self.composite.as_ref().and_then(CompositePropagator::boundary) {
            writeln!(f, "trust boundary:\n{boundary}")?;
        }
        self.findings.iter().try_for_each(|finding| writeln!(f, "- {finding}"))
    }
}

/// One thing worth a look.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// The global propagator is the no-op one: nobody has set one.
    NoPropagator,
    /// The global propagator was not set by [`install`](crate::install()).
    NotInstalledHere,
    /// [`install`](crate::install()) was called, and somebody has replaced the global propagator since.
    Replaced,
    /// Something was wrong with a setting.
    Problem(Problem),
    /// No format is read.
    NothingIsRead,
    /// No format is sent.
    NothingIsSent,
    /// Several propagators write one header: the last one's value stays.
    WrittenTwice {
        /// The header.
        header: String,
        /// The propagators.
        names: Vec<String>,
    },
    /// Several formats of one concern are sent, as in a migration.
    SeveralFormats {
        /// What they are about.
        concern: Concern,
        /// The propagators.
        names: Vec<String>,
    },
    /// Limits are above the 64 members that OpenTelemetry's `Baggage` holds, or the 8192 bytes.
    LimitsAboveBaggage,
    /// Formats are read that leave sampling decisions open, and no `DecisionSampler` was made that makes them.
    NoDecisionSampler {
        /// The formats.
        names: Vec<String>,
    },
    /// Nobody listens to `tracing`.
    NoSubscriber,
    /// Whoever listens to `tracing` takes no warnings.
    WarningsAreFiltered,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPropagator => f.write_str(
                "no propagator is set in this process, so nothing is read or sent: call otel_composite::install. If it was \
                 called, two versions of opentelemetry are in the program: cargo tree -i opentelemetry",
            ),
            Self::NotInstalledHere => f.write_str("the global propagator was not set by otel_composite::install"),
            Self::Replaced => f.write_str(
                "somebody has replaced the global propagator after otel_composite::install: look for \
                 set_text_map_propagator, also in the crates that set up tracing",
            ),
            Self::Problem(problem) => problem.fmt(f),
            Self::NothingIsRead => f.write_str("no format is read"),
            Self::NothingIsSent => f.write_str("no format is sent"),
            Self::WrittenTwice { header, names } => {
                write!(f, "{header} is written by {}: the last one's value stays", names.join(" and "))
            }
            Self::SeveralFormats { concern, names } => {
                let concern = format!("{concern:?}").to_lowercase();
                write!(f, "several {concern} formats are sent: {}", names.join(", "))
            }
            Self::LimitsAboveBaggage => f.write_str(
                "limits are above what OpenTelemetry's Baggage holds: 64 members and 8192 bytes, not escaped",
            ),
            Self::NoDecisionSampler { names } => write!(
                f,
                "{} may leave the sampling decision to this service, or ask for debug, and no DecisionSampler was made: the \
                 SDK takes an open decision for a no",
                names.join(", ")
            ),
            Self::NoSubscriber => f.write_str(
                "no subscriber is set in this process: events of the propagators go nowhere, unless tracing's feature log is \
                 on",
            ),
            Self::WarningsAreFiltered => f.write_str("no subscriber takes warnings: those of the propagators go nowhere"),
        }
    }
}
