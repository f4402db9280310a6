//! `X-Amzn-Trace-Id`: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>.

use crate::{ErrorKind, Lineage, ParseError, Sampling, error::LONGEST};
use memchr::{memchr, memchr_iter};
use opentelemetry::trace::{SpanId, TraceId};
use otel_propagator_core::{header::trim, hex};
use std::{fmt, str::FromStr};

/// In lower case, as all header names of this workspace are, and as HTTP/2 sends it.
pub(crate) const X_AMZN_TRACE_ID: &str = "x-amzn-trace-id";

const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
const PARENT: &str = ";Parent=53995c3f42cd8ad8";
const SAMPLED: &str = ";Sampled=?";

const ROOT_ID: usize = ROOT.len() - "Root=".len();
const PARENT_ID: usize = PARENT.len() - ";Parent=".len();

/// The length in bytes of what is written, without `Lineage`.
const IDENTITY: usize = ROOT.len() + PARENT.len() + SAMPLED.len();

/// An `X-Amzn-Trace-Id`: the trace that a request belongs to, the caller's span in it, and what the caller decided.
///
/// One that exists is valid: neither id is zero. Reading what was written gives the same value.
///
/// ```
/// use otel_xray::{Sampling, TraceHeader};
///
/// let received = " Sampled=1; Parent=53995c3f42cd8ad8; Root=1-5759e988-bd862e3fe1be46a994272793; Self=1-0-0";
/// let header: TraceHeader = received.parse()?;
/// assert_eq!(header.root().to_string(), "5759e988bd862e3fe1be46a994272793");
/// assert_eq!(header.parent().unwrap().to_string(), "53995c3f42cd8ad8");
/// assert_eq!(header.sampling(), Sampling::Accept);
/// assert_eq!(
///     header.to_string(),
///     "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
/// );
/// # Ok::<(), otel_xray::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceHeader {
    root: TraceId,
    parent: Option<SpanId>,
    sampling: Sampling,
    lineage: Option<Lineage>,
}

impl TraceHeader {
    /// What a span sends with its requests; `None` where one of the ids is zero.
    ///
    /// X-Ray does not know debug traces, so [`Sampling::Debug`] is [`Sampling::Accept`].
    ///
    /// ```
    /// use opentelemetry::trace::{SpanId, TraceId};
    /// use otel_xray::{Sampling, TraceHeader};
    ///
    /// let header = TraceHeader::new(TraceId::from(7), SpanId::from(9), Sampling::Defer).unwrap();
    /// assert_eq!(
    ///     header.to_string(),
    ///     "Root=1-00000000-000000000000000000000007;Parent=0000000000000009;Sampled=?",
    /// );
    /// assert_eq!(TraceHeader::new(TraceId::INVALID, SpanId::from(9), Sampling::Accept), None);
    /// ```
    #[must_use]
    pub fn new(root: TraceId, parent: SpanId, sampling: Sampling) -> Option<Self> {
        let valid = root != TraceId::INVALID && parent != SpanId::INVALID;
        let sampling = if sampling.is_sampled() { Sampling::Accept } else { sampling };
        valid.then_some(Self { root, parent: Some(parent), sampling, lineage: None })
    }

    /// A header without a span, as load balancers send it.
    pub(crate) const fn without_parent(root: TraceId, sampling: Sampling) -> Self {
        Self { root, parent: None, sampling, lineage: None }
    }

    /// The same with this `Lineage`, or with none.
    ///
    /// ```
    /// use otel_xray::TraceHeader;
    ///
    /// let received = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a87bd80c:0")?;
    /// assert!(received.lineage().is_some());
    /// assert!(!received.with_lineage(None).to_string().contains("Lineage"));
    /// # Ok::<(), otel_xray::ParseError>(())
    /// ```
    #[must_use]
    pub const fn with_lineage(mut self, lineage: Option<Lineage>) -> Self {
        self.lineage = lineage;
        self
    }

    /// Reads a header value of at most 256 bytes.
    ///
    /// The keys may come in any order, with spaces and tabs around them and their values. What is no key of X-Ray is
    /// not looked at. A `Sampled` that is neither `0` nor `1`, and none, leave the decision to the receiver. A
    /// `Lineage` that is none is left out.
    ///
    /// # Errors
    ///
    /// The first rule, from the left, that is broken.
    ///
    /// ```
    /// use otel_xray::{ErrorKind, Sampling, TraceHeader};
    ///
    /// let from_a_load_balancer = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793")?;
    /// assert_eq!(from_a_load_balancer.parent(), None);
    /// assert_eq!(from_a_load_balancer.sampling(), Sampling::Defer);
    /// assert_eq!(TraceHeader::parse("Sampled=1").map_err(|e| e.kind()), Err(ErrorKind::RootMissing));
    /// # Ok::<(), otel_xray::ParseError>(())
    /// ```
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        if value.len() > LONGEST {
            return Err(ErrorKind::TooLong.into());
        }
        if let Some(header) = as_written(value) {
            return Ok(header);
        }
        let Pairs { root, parent, sampled, lineage } = pairs(value)?;
        Ok(Self {
            root: root_id(root.ok_or(ErrorKind::RootMissing)?)?,
            parent: parent.map(parent_id).transpose()?,
            sampling: sampled.map_or(Sampling::Defer, sampling),
            lineage: lineage.and_then(Lineage::parse),
        })
    }

    /// The trace; never zero.
    #[must_use]
    pub const fn root(self) -> TraceId {
        self.root
    }

    /// The caller's span, if it has one; never zero.
    #[must_use]
    pub const fn parent(self) -> Option<SpanId> {
        self.parent
    }

    /// What the caller decided; never [`Sampling::Debug`].
    #[must_use]
    pub const fn sampling(self) -> Sampling {
        self.sampling
    }

    /// What Lambda counts.
    #[must_use]
    pub const fn lineage(self) -> Option<Lineage> {
        self.lineage
    }

    /// Writes the value in one exactly sized `String`.
    pub(crate) fn write(self) -> String {
        let identity = self.identity();
        // It is ASCII, so this is always `Ok`, and both places are between two characters.
        let identity = std::str::from_utf8(&identity).unwrap_or_default();
        if self.parent.is_some() && self.lineage.is_none() {
            return identity.to_owned();
        }
        let (root, rest) = identity.split_at_checked(ROOT.len()).unwrap_or_default();
        let (parent, sampled) = rest.split_at_checked(PARENT.len()).unwrap_or_default();
        let (has_parent, is_decided) = (self.parent.is_some(), self.sampling != Sampling::Defer);
        let part = |there: bool, part| if there { part } else { "" };
        let lineage = self.lineage.map(|lineage| format!(";Lineage={lineage}"));
        let parts = [
            root,
            part(has_parent, parent),
            // Where there is no parent there is nobody who could want to hear that nobody decided.
            part(has_parent || is_decided, sampled),
            lineage.as_deref().unwrap_or_default(),
        ];
        parts.concat()
    }

    /// All but `Lineage`, as if there were a parent.
    fn identity(self) -> [u8; IDENTITY] {
        let mut value = *b"Root=1-........-........................;Parent=................;Sampled=?";
        let root = hex::encode_u128(u128::from_be_bytes(self.root.to_bytes()));
        let (time, random) = root.split_at(8);
        value[7..15].copy_from_slice(time);
        value[16..40].copy_from_slice(random);
        let parent = self.parent.unwrap_or(SpanId::INVALID);
        value[48..64].copy_from_slice(&hex::encode_u64(u64::from_be_bytes(parent.to_bytes())));
        value[73] = match self.sampling {
            Sampling::Defer => b'?',
            Sampling::Deny => b'0',
            Sampling::Accept | Sampling::Debug => b'1',
        };
        value
    }
}

impl FromStr for TraceHeader {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Self::parse(value)
    }
}

impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.write())
    }
}

/// A header as this crate writes it, and everybody else who has a span and no `Lineage`. Its parts are where they always
/// are, so most headers are read without a look for them: 2450 instructions an extraction become 1610.
fn as_written(value: &str) -> Option<TraceHeader> {
    let (root, rest) = value.strip_prefix("Root=")?.split_at_checked(ROOT_ID)?;
    let (parent, rest) = rest.strip_prefix(";Parent=")?.split_at_checked(PARENT_ID)?;
    let sampling = match rest {
        ";Sampled=0" => Sampling::Deny,
        ";Sampled=1" => Sampling::Accept,
        _ => return None,
    };
    let (root, parent) = (root_id(root).ok()?, parent_id(parent).ok()?);
    Some(TraceHeader { root, parent: Some(parent), sampling, lineage: None })
}

/// The values of the keys that X-Ray knows.
#[derive(Default)]
struct Pairs<'a> {
    root: Option<&'a str>,
    parent: Option<&'a str>,
    sampled: Option<&'a str>,
    lineage: Option<&'a str>,
}

/// Key and value pairs with semicolons between them.
///
/// Load balancers add `Self`, and whoever sends the request may add keys of its own: they end no trace, and go nowhere.
fn pairs(value: &str) -> Result<Pairs<'_>, ParseError> {
    let (mut fields, mut start) = (Pairs::default(), 0);
    for end in memchr_iter(b';', value.as_bytes()).chain([value.len()]) {
        let pair = value.get(start..end).unwrap_or_default();
        start = end + 1;
        let Some((key, value)) = split_at_equals_sign(pair) else { continue };
        let value = trim(value);
        match trim(key) {
            "Root" => once(&mut fields.root, value)?,
            "Parent" => once(&mut fields.parent, value)?,
            "Sampled" => once(&mut fields.sampled, value)?,
            "Lineage" => fields.lineage = Some(value),
            _ => {}
        }
    }
    Ok(fields)
}

fn split_at_equals_sign(pair: &str) -> Option<(&str, &str)> {
    let (key, rest) = pair.split_at_checked(memchr(b'=', pair.as_bytes())?)?;
    Some((key, rest.get(1..)?))
}

/// Which of two values is meant, nobody can say.
fn once<'a>(field: &mut Option<&'a str>, value: &'a str) -> Result<(), ParseError> {
    match field.replace(value) {
        Some(before) if before != value => Err(ErrorKind::Repeated.into()),
        _ => Ok(()),
    }
}

/// > A trace_id consists of three numbers separated by hyphens. […] The version number, that is, 1. The time of the
/// > original request, in Unix epoch time, in 8 hexadecimal digits. […] A 96-bit identifier for the trace, globally
/// > unique, in 24 hexadecimal digits.
///
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids>
fn root_id(text: &str) -> Result<TraceId, ParseError> {
    let rest = text.as_bytes().strip_prefix(b"1-").ok_or(ErrorKind::RootVersion)?;
    let (time, rest) = rest.split_first_chunk::<8>().ok_or(ErrorKind::RootWidth)?;
    let [b'-', random @ ..] = rest else { return Err(ErrorKind::RootWidth.into()) };
    let random = <&[u8; 24]>::try_from(random).map_err(|_| ErrorKind::RootWidth)?;
    let mut digits = [0; 32];
    digits[..8].copy_from_slice(time);
    digits[8..].copy_from_slice(random);
    match hex::decode_u128(&digits).ok_or(ErrorKind::RootDigits)? {
        0 => Err(ErrorKind::RootZero.into()),
        id => Ok(TraceId::from(id)),
    }
}

/// The id of the caller's segment: 16 hexadecimal digits.
fn parent_id(text: &str) -> Result<SpanId, ParseError> {
    let digits = text.as_bytes().try_into().map_err(|_| ErrorKind::ParentWidth)?;
    match hex::decode_u64(digits).ok_or(ErrorKind::ParentDigits)? {
        0 => Err(ErrorKind::ParentZero.into()),
        id => Ok(SpanId::from(id)),
    }
}

/// `?` asks for a decision; whatever else is neither yes nor no decides nothing either.
fn sampling(text: &str) -> Sampling {
    match text {
        "0" => Sampling::Deny,
        "1" => Sampling::Accept,
        _ => Sampling::Defer,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::string_slice, reason = "a failed test; the identifiers are ASCII")]
mod tests {
    use super::*;
    use ErrorKind::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
    const PARENT: &str = "Parent=53995c3f42cd8ad8";

    fn header(sampling: Sampling) -> TraceHeader {
        let root = TraceId::from(0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793);
        TraceHeader::new(root, SpanId::from(0x5399_5c3f_42cd_8ad8), sampling).unwrap()
    }

    #[test]
    fn accepted() {
        use Sampling::{Accept, Defer, Deny};
        let lineage = Lineage::parse("32767:e65a2c4d:255");
        let alone = |sampling| TraceHeader::without_parent(header(sampling).root, sampling);
        let rows = [
            ("all three", format!("{ROOT};{PARENT};Sampled=1"), header(Accept)),
            ("not sampled", format!("{ROOT};{PARENT};Sampled=0"), header(Deny)),
            ("asked for a decision", format!("{ROOT};{PARENT};Sampled=?"), header(Defer)),
            ("nobody decided", format!("{ROOT};{PARENT}"), header(Defer)),
            ("Sampled is another digit", format!("{ROOT};{PARENT};Sampled=2"), header(Defer)),
            ("a letter", format!("{ROOT};{PARENT};Sampled=a"), header(Defer)),
            ("a number that begins with 1", format!("{ROOT};{PARENT};Sampled=10220"), header(Defer)),
            ("empty", format!("{ROOT};{PARENT};Sampled="), header(Defer)),
            ("a load balancer", ROOT.to_owned(), alone(Defer)),
            ("the first service of AWS", format!("{ROOT};Sampled=1"), alone(Accept)),
            // In any order and spacing.
            ("another order", format!("Sampled=1;{PARENT};{ROOT}"), header(Accept)),
            ("spaces after semicolons", format!("{ROOT}; {PARENT};\tSampled=1"), header(Accept)),
            (
                "spaces everywhere",
                format!(" {} ; Sampled = 1 ;{PARENT} ", ROOT.replace('=', " = ")),
                header(Accept),
            ),
            ("semicolons around", format!(";;{ROOT};;{PARENT};Sampled=1;"), header(Accept)),
            // What X-Ray does not know, or what is added on the way.
            (
                "Self of a load balancer",
                format!("Self=1-67891234-12456789abcdef012345678;{ROOT};{PARENT};Sampled=1"),
                header(Accept),
            ),
            ("a key of the sender's", format!("{ROOT};{PARENT};Sampled=1;Foo=Bar"), header(Accept)),
            (
                "keys of other cases are others",
                format!("{ROOT};{PARENT};Sampled=1;root=x;PARENT=y"),
                header(Accept),
            ),
            ("no pair", format!("{ROOT};{PARENT};Sampled=1;Foo"), header(Accept)),
            ("beyond ASCII", format!("{ROOT};{PARENT};Sampled=1;Füße=é"), header(Accept)),
            ("no key", format!("{ROOT};{PARENT};Sampled=1;=x"), header(Accept)),
            (
                "the same twice",
                format!("{ROOT};{PARENT};Sampled=1;{ROOT};{PARENT};Sampled=1"),
                header(Accept),
            ),
            // Lineage
            (
                "Lineage",
                format!("{ROOT};{PARENT};Sampled=1;Lineage=32767:e65a2c4d:255"),
                header(Accept).with_lineage(lineage),
            ),
            (
                "Lineage in front",
                format!("Lineage=32767:e65a2c4d:255;{ROOT};{PARENT};Sampled=1"),
                header(Accept).with_lineage(lineage),
            ),
            ("no Lineage", format!("{ROOT};{PARENT};Sampled=1;Lineage=1:badc0de:13"), header(Accept)),
            (
                "no Lineage, of the same length",
                format!("{ROOT};{PARENT};Sampled=1;Lineage=99999:e65a2c4d:255"),
                header(Accept),
            ),
            ("255 bytes", padded(255), header(Accept)),
            ("256 bytes", padded(256), header(Accept)),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(TraceHeader::parse(&value), Ok(expected), "{rule}: {value:?}");
        }
    }

    fn padded(bytes: usize) -> String {
        format!("{:<bytes$}", format!("{ROOT};{PARENT};Sampled=1;Foo="))
    }

    #[test]
    fn rejected() {
        let root = |text: &str| format!("Root={text};{PARENT};Sampled=1");
        let parent = |text: &str| format!("{ROOT};Parent={text};Sampled=1");
        let rows = [
            ("257 bytes", padded(257), TooLong),
            ("a megabyte", "8".repeat(1 << 20), TooLong),
            // Root
            ("empty", String::new(), RootMissing),
            ("a parent alone", format!("{PARENT};Sampled=1"), RootMissing),
            ("a decision alone", "Sampled=1".to_owned(), RootMissing),
            ("a key of lower case", format!("{ROOT};{PARENT}").to_lowercase(), RootMissing),
            ("an empty root", root(""), RootVersion),
            ("version 2", root("2-5759e988-bd862e3fe1be46a994272793"), RootVersion),
            ("version 10", root("10-5759e988-bd862e3fe1be46a994272793"), RootVersion),
            ("no version", root("5759e988-bd862e3fe1be46a994272793"), RootVersion),
            ("no dash", root("1-5759e988bd862e3fe1be46a994272793"), RootWidth),
            ("a time of 7 digits", root("1-759e988-bd862e3fe1be46a994272793"), RootWidth),
            ("a time of 9 digits", root("1-05759e988-bd862e3fe1be46a994272793"), RootWidth),
            ("23 digits", root("1-5759e988-bd862e3fe1be46a99427279"), RootWidth),
            ("25 digits", root("1-5759e988-bd862e3fe1be46a9942727930"), RootWidth),
            ("cut short", root("1-"), RootWidth),
            ("upper case", root("1-5759E988-BD862E3FE1BE46A994272793"), RootDigits),
            ("a sign", root("1-+759e988-bd862e3fe1be46a994272793"), RootDigits),
            ("not hex", root("1-5759e988-gd862e3fe1be46a994272793"), RootDigits),
            ("not ASCII", root("1-5759e988-bd862e3fe1be46a9942727é"), RootDigits),
            ("all zeros", root("1-00000000-000000000000000000000000"), RootZero),
            // Parent
            ("an empty parent", parent(""), ParentWidth),
            ("15 digits", parent("3995c3f42cd8ad8"), ParentWidth),
            ("17 digits", parent("053995c3f42cd8ad8"), ParentWidth),
            ("upper case", parent("53995C3F42CD8AD8"), ParentDigits),
            ("a sign", parent("+3995c3f42cd8ad8"), ParentDigits),
            ("all zeros", parent("0000000000000000"), ParentZero),
            // Which of two is meant?
            ("two roots", format!("{ROOT};{PARENT};{}", ROOT.replace('5', "6")), Repeated),
            ("two parents", format!("{ROOT};{PARENT};Parent=53995c3f42cd8ad9"), Repeated),
            ("two decisions", format!("{ROOT};{PARENT};Sampled=1;Sampled=0"), Repeated),
        ];
        for (rule, value, kind) in rows {
            assert_eq!(TraceHeader::parse(&value).map_err(ParseError::kind), Err(kind), "{rule}: {value:?}");
        }
    }

    #[test]
    fn a_foreign_byte_in_any_position_of_an_id_is_refused() {
        for (name, value) in [("Root", &ROOT[5..]), ("Parent", &PARENT[7..])] {
            for byte in ",:@%+\"\\\0gG".chars() {
                for (position, _) in value.char_indices() {
                    let (before, after) = value.split_at(position);
                    for after in [after, &after[1..]] {
                        let other = if name == "Root" { PARENT } else { ROOT };
                        let value = format!("{name}={before}{byte}{after};{other};Sampled=1");
                        assert!(TraceHeader::parse(&value).is_err(), "{value:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_exactly_sized_and_read_back() {
        let states = [Sampling::Defer, Sampling::Deny, Sampling::Accept];
        let alone = states.map(|sampling| TraceHeader::without_parent(TraceId::from(1), sampling));
        for header in states.map(header).into_iter().chain(alone) {
            for lineage in [None, Lineage::parse("0:00000000:0"), Lineage::parse("32767:e65a2c4d:255")] {
                let header = header.with_lineage(lineage);
                let value = header.write();
                assert_eq!(value.capacity(), value.len(), "{value}");
                assert!(value.len() <= 101, "{value}");
                assert_eq!(TraceHeader::parse(&value), Ok(header), "{value}");
                assert_eq!(header.to_string(), value);
            }
        }
        assert_eq!(header(Sampling::Debug), header(Sampling::Accept), "X-Ray knows no debug");
    }
}
