//! A report for a person, as lines of text.

use crate::report::{Format, Header, Member, Outcome, Report, Sent, Severity, Withheld};
use std::fmt::Write;

/// The report as plain text, without control characters.
///
/// ```
/// use otel_inspect::{Config, Request, inspect, to_text};
///
/// let report = inspect(&Request::new([("b3", "0\u{7}")]), &Config::new("b3")?);
/// assert!(to_text(&report).contains("b3: 0\\x07"));
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[must_use]
pub fn to_text(report: &Report) -> String {
    Page { out: String::new(), colours: false }.report(report)
}

/// The same with ANSI colours.
///
/// ```
/// use otel_inspect::{Config, Request, inspect, to_ansi_text, to_text};
///
/// let report = inspect(&Request::new([("b3", "0")]), &Config::default());
/// assert!(to_ansi_text(&report).contains('\u{1b}') && !to_text(&report).contains('\u{1b}'));
/// ```
#[must_use]
pub fn to_ansi_text(report: &Report) -> String {
    Page { out: String::new(), colours: true }.report(report)
}

/// The report as JSON, with an escape for each control character and for what turns text around.
///
/// ```
/// use otel_inspect::{Config, Request, inspect, to_json};
///
/// let report = inspect(&Request::new([("baggage", "a=%C2%9B31m")]), &Config::default());
/// assert!(to_json(&report).contains(r#""value": "\u009b31m""#));
/// ```
#[must_use]
pub fn to_json(report: &Report) -> String {
    let json = serde_json::to_string_pretty(report).unwrap_or_default();
    // Outside of strings there is none but the ends of lines.
    json.chars().fold(String::with_capacity(json.len()), |mut escaped, c| {
        if c != '\n' && is_unprintable(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
        escaped
    })
}

struct Page {
    out: String,
    colours: bool,
}

#[derive(Clone, Copy)]
enum Colour {
    Head,
    Bad,
    Doubtful,
    Good,
    Faint,
    /// Parts of a value, in turn.
    Part(usize),
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Head => "1",
            Self::Bad => "31",
            Self::Doubtful => "33",
            Self::Good => "32",
            Self::Faint => "2",
            Self::Part(turn) => match turn % 4 {
                0 => "36",
                1 => "35",
                2 => "34",
                _ => "33",
            },
        }
    }
}

impl Page {
    fn report(mut self, report: &Report) -> String {
        if report.headers.is_empty() {
            self.line(Colour::Doubtful, "no header that carries context");
        }
        report.headers.iter().for_each(|header| self.header(header));
        self.head("read, in the order of preference");
        report.formats.iter().for_each(|format| self.format(format));
        self.chosen(report);
        if !report.baggage.is_empty() {
            self.head("baggage");
            report.baggage.iter().for_each(|member| self.member(member));
        }
        self.head("sent on, with a span of this service's own");
        if report.sent.is_empty() {
            self.line(Colour::Faint, "  nothing: there is no span yet, and no baggage");
        }
        report.sent.iter().for_each(|sent| self.sent(sent));
        self.policy(report);
        self.findings(report);
        self.differences(report);
        self.out
    }

    fn put(&mut self, colour: Colour, text: &str) {
        let text = printable(text);
        let _ = if self.colours {
            write!(self.out, "\u{1b}[{}m{text}\u{1b}[0m", colour.code())
        } else {
            write!(self.out, "{text}")
        };
    }

    fn plain(&mut self, text: &str) {
        self.out.push_str(&printable(text));
    }

    fn end(&mut self) {
        self.out.push('\n');
    }

    fn line(&mut self, colour: Colour, text: &str) {
        self.put(colour, text);
        self.end();
    }

    fn head(&mut self, text: &str) {
        self.end();
        self.line(Colour::Head, text);
    }

    fn header(&mut self, header: &Header) {
        self.put(Colour::Head, &header.name);
        self.plain(": ");
        let mut at = 0;
        for (turn, part) in header.parts.iter().enumerate() {
            self.plain(header.value.get(at..part.from).unwrap_or_default());
            self.put(Colour::Part(turn), header.value.get(part.from..part.to).unwrap_or_default());
            at = part.to;
        }
        self.plain(header.value.get(at..).unwrap_or_default());
        self.end();
        for part in header.parts.iter().filter(|part| !part.meaning.is_empty()) {
            let indent = header.name.len() + 2 + part.from;
            self.plain(&" ".repeat(indent.min(MAX_INDENT)));
            self.line(Colour::Faint, &format!("{}: {}", part.production, part.meaning));
        }
        for problem in &header.problems {
            let indent = header.name.len() + 2 + problem.from;
            self.plain(&" ".repeat(indent.min(MAX_INDENT)));
            let mark = "^".repeat((problem.to - problem.from).clamp(1, MAX_MARK));
            self.put(Colour::Bad, &format!("{mark} {} (column {})", problem.rule, problem.from + 1));
            self.line(Colour::Faint, &format!(" {}", problem.specification));
        }
    }

    fn format(&mut self, format: &Format) {
        self.plain(&format!("  {:<13} ", format.name));
        let (colour, outcome) = match format.outcome {
            Outcome::Absent => (Colour::Faint, "absent"),
            Outcome::Refused => (Colour::Bad, "refused"),
            Outcome::DecisionOnly => (Colour::Doubtful, "a sampling decision without a trace"),
            Outcome::Chosen => (Colour::Good, "chosen"),
            Outcome::Agrees => (Colour::Good, "names the same trace"),
            Outcome::Conflicts => (Colour::Bad, "names another trace"),
        };
        self.put(colour, outcome);
        if let Some(span) = &format.span {
            let random = if span.random { ", random trace-id" } else { "" };
            self.plain(&format!(
                "  trace {} span {} ({}{random})",
                span.trace_id, span.span_id, span.sampling
            ));
        }
        self.end();
    }

    fn chosen(&mut self, report: &Report) {
        self.head("continues");
        match &report.chosen {
            Some(chosen) => {
                self.line(
                    Colour::Good,
                    &format!("  trace {}: {}, {}", chosen.span.trace_id, chosen.format, chosen.why),
                );
            }
            None => self.line(Colour::Doubtful, "  nothing: a new trace starts here"),
        }
    }

    fn member(&mut self, member: &Member) {
        let metadata =
            if member.metadata.is_empty() { String::new() } else { format!(" ;{}", member.metadata) };
        let colour = if member.left_out.is_some() { Colour::Bad } else { Colour::Good };
        self.put(colour, &format!("  {}", member.key));
        self.plain(&format!(" = {:?}{metadata}  ", member.value));
        match &member.left_out {
            Some(reason) => self
                .line(Colour::Bad, &format!("{} bytes received, left out: {reason}", member.received_bytes)),
            None => self.line(
                Colour::Faint,
                &format!("{} bytes received, {} sent", member.received_bytes, member.sent_bytes),
            ),
        }
    }

    fn sent(&mut self, sent: &Sent) {
        self.plain(&format!("  {}: {}  ", sent.name, sent.value));
        self.line(
            Colour::Faint,
            &format!(
                "{} bytes; on HTTP/2 {}, the first time {}",
                sent.bytes, sent.http2_bytes, sent.http2_first_bytes
            ),
        );
    }

    fn policy(&mut self, report: &Report) {
        let Some(policy) = &report.boundary else { return };
        self.head("trust boundary");
        self.plain(&format!("  the caller's trace: {}", policy.trace));
        self.end();
        if !policy.not_accepted.is_empty() {
            self.line(
                Colour::Doubtful,
                &format!("  baggage not accepted: {}", policy.not_accepted.join(", ")),
            );
        }
        self.plain(&format!("  {} has the rule {:?}", policy.destination, policy.rule));
        self.end();
        for Withheld { header, keys } in &policy.withheld {
            let what = if keys.is_empty() { "all of it".to_owned() } else { keys.join(", ") };
            self.line(Colour::Doubtful, &format!("  {header} withheld: {what}"));
        }
    }

    fn findings(&mut self, report: &Report) {
        self.head("findings");
        if report.findings.is_empty() {
            let nothing = report.headers.is_empty();
            let none =
                if nothing { "nothing came" } else { "everything that came is understood and goes on" };
            let none = format!("  none: {none}");
            return self.line(Colour::Good, &none);
        }
        for finding in &report.findings {
            let (colour, word) = match finding.severity {
                Severity::Error => (Colour::Bad, "error"),
                Severity::Warning => (Colour::Doubtful, "warning"),
                Severity::Note => (Colour::Faint, "note"),
            };
            self.put(colour, &format!("  {word:<8}"));
            self.plain(&format!("{:<12} {}", finding.header, finding.text));
            self.end();
        }
    }

    fn differences(&mut self, report: &Report) {
        if report.sdk.is_empty() {
            return;
        }
        self.head("opentelemetry_sdk's own propagators would have done otherwise");
        for row in &report.sdk {
            self.plain(&format!("  {}: {} (here: {})", row.row, row.sdk, row.here));
            self.end();
        }
    }
}

const MAX_MARK: usize = 60;
/// A mark under a value of a megabyte is not pushed a megabyte to the right.
const MAX_INDENT: usize = 200;

/// The text with an escape for each control character, and for what turns text around, so that it cannot steer a terminal.
///
/// ```
/// assert_eq!(otel_inspect::printable("a\u{1b}[2J"), "a\\u{1b}[2J");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut printable, c| {
        if is_unprintable(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
        printable
    })
}

/// Controls, and what turns text around or cannot be seen; all are in the basic plane.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
