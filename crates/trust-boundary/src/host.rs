//! The authority of a destination, and the patterns that name hosts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Why a text is no host, or no pattern for hosts. It never holds the text.
///
/// ```
/// use otel_trust_boundary::Outbound;
///
/// let error = Outbound::internal("mesh").hosts(["orders.internal", "10.0.0.0/33"]).unwrap_err();
/// assert_eq!(error.to_string(), "host 2: prefix is longer than the address");
/// assert_eq!((error.index(), error.rule()), (1, "prefix is longer than the address"));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HostError {
    index: usize,
    rule: &'static str,
}

impl HostError {
    const fn new(rule: &'static str) -> Self {
        Self { index: 0, rule }
    }

    pub(crate) const fn at(mut self, index: usize) -> Self {
        self.index = index;
        self
    }

    /// The place of the pattern in its list, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The rule that it broke.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}: {}", self.index + 1, self.rule)
    }
}

impl std::error::Error for HostError {}

/// A host, and a port where one is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Authority {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

/// A name in lower case without the dot of the root, or an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Host {
    Name(Box<str>),
    Address(IpAddr),
}

impl Authority {
    /// > host [ ":" port ]
    ///
    /// <https://www.rfc-editor.org/rfc/rfc3986#section-3.2>, without user information, which is never part of a host.
    /// An IPv6 address may come without its brackets, as `server.address` has it.
    pub(crate) fn parse(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { host: Host::address(address), port: None });
        }
        let (host, port) = if let Some(literal) = text.strip_prefix('[') {
            let (literal, rest) = literal.split_once(']').ok_or(NO_ADDRESS)?;
            (Host::address(literal.parse::<Ipv6Addr>().map_err(|_| NO_ADDRESS)?.into()), rest)
        } else {
            let (host, rest) = split_port(text);
            let address = host.parse::<Ipv4Addr>().map(|address| Host::Address(address.into()));
            (address.or_else(|_| Host::name(host))?, rest)
        };
        Ok(Self { host, port: port_after(port)? })
    }
}

/// The text before the first colon, and the rest with its colon.
fn split_port(text: &str) -> (&str, &str) {
    text.find(':').and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

/// The port behind a host, if there is one.
fn port_after(rest: &str) -> Result<Option<u16>, HostError> {
    match rest.strip_prefix(':') {
        Some(digits) => port(digits).map(Some),
        None if rest.is_empty() => Ok(None),
        None => Err(HostError::new("no port after the address")),
    }
}

/// `u16` also reads a sign; port 0 is no port that anything can be sent to.
fn port(digits: &str) -> Result<u16, HostError> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|&port: &u16| is_number && port != 0);
    port.ok_or(HostError::new("port is not a number from 1 to 65535"))
}

const NO_ADDRESS: HostError = HostError::new("not an IP address");

impl Host {
    /// `::ffff:10.0.0.1` is 10.0.0.1.
    fn address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    /// The labels of a name: letters, digits, `-` and the `_` of service names, as they are sent. Everything else is
    /// refused, so that no URL, user information or internationalised name that a client maps in its own way is taken
    /// for something that it is not.
    fn name(text: &str) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err(HostError::new("empty host"));
        }
        if name.len() > 253 {
            return Err(HostError::new("host is longer than 253 bytes"));
        }
        name.split('.').try_for_each(label)?;
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(HostError::new("a number that some clients take for an IPv4 address"));
        }
        Ok(Self::Name(name.to_ascii_lowercase().into()))
    }
}

fn label(label: &str) -> Result<(), HostError> {
    match label.len() {
        0 => return Err(HostError::new("empty label")),
        1..=63 => {}
        _ => return Err(HostError::new("label is longer than 63 bytes")),
    }
    if label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        Ok(())
    } else {
        Err(HostError::new("a character that is in no host name"))
    }
}

/// `0x7f.1`, `017700000001` and `2130706433` are 127.0.0.1 for those who follow
/// <https://url.spec.whatwg.org/#ends-in-a-number-checker>, and names for others.
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let is_hex = hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hex || label.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Address(IpAddr::V6(address)) if self.port.is_some() => write!(f, "[{address}]")?,
            Host::Address(address) => write!(f, "{address}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Hosts that a rule is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) hosts: Hosts,
    pub(crate) port: Option<u16>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Hosts {
    /// This name, and no other.
    Name(Box<str>),
    /// Every name that ends in a dot and this one.
    Below(Box<str>),
    /// Every address that begins with so many of these bits.
    Network(Network),
}

/// A CIDR block.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Network {
    pub(crate) prefix: Prefix,
    bits: u128,
}

/// The length of a network's prefix, in the family of its addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Prefix {
    pub(crate) len: u8,
    is_v4: bool,
}

impl Pattern {
    /// A host, `*.` and a host, or an address with or without `/` and the length of a prefix; each with or without a
    /// port.
    pub(crate) fn parse(text: &str) -> Result<Self, HostError> {
        if let Some((address, rest)) = text.split_once('/') {
            let (len, port) = split_port(rest);
            return Ok(Self {
                hosts: Hosts::Network(Network::parse(address, len)?),
                port: port_after(port)?,
            });
        }
        let (below, authority) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        let Authority { host, port } = Authority::parse(authority)?;
        let hosts = match (host, below) {
            (Host::Name(name), false) => Hosts::Name(name),
            (Host::Name(name), true) => Hosts::Below(name),
            (Host::Address(address), false) => Hosts::Network(Network::of(address)),
            (Host::Address(_), true) => return Err(HostError::new("`*.` before an address")),
        };
        Ok(Self { hosts, port })
    }
}

impl Network {
    fn parse(address: &str, len: &str) -> Result<Self, HostError> {
        let address: IpAddr = address.parse().map_err(|_| NO_ADDRESS)?;
        let whole = Self::of(address);
        let is_number = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
        let len: u8 =
            len.parse().ok().filter(|_| is_number).ok_or(HostError::new("prefix is not a number"))?;
        if len > whole.prefix.len {
            return Err(HostError::new("prefix is longer than the address"));
        }
        let network = Self::new(address, Prefix { len, ..whole.prefix });
        if network.bits != whole.bits {
            return Err(HostError::new("address has bits after the prefix"));
        }
        // `::ffff:10.0.0.0/104` is 10.0.0.0/8. Its prefix has 96 bits at least: a shorter one has `ffff` after it.
        let mapped = address.to_canonical();
        if mapped == address {
            return Ok(network);
        }
        Ok(Self::new(mapped, Prefix { len: len.saturating_sub(96), is_v4: true }))
    }

    fn of(address: IpAddr) -> Self {
        let (is_v4, len) = if address.is_ipv4() { (true, 32) } else { (false, 128) };
        Self::new(address, Prefix { len, is_v4 })
    }

    /// The network of this prefix in which the address is; `None` where that is of the other family.
    pub(crate) fn around(address: IpAddr, prefix: Prefix) -> Option<Self> {
        (address.is_ipv4() == prefix.is_v4).then(|| Self::new(address, prefix))
    }

    fn new(address: IpAddr, prefix: Prefix) -> Self {
        let (bits, all) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let after = u32::from(all - prefix.len);
        Self { prefix, bits: bits.checked_shr(after).unwrap_or(0).checked_shl(after).unwrap_or(0) }
    }

    /// The first of its addresses.
    fn address(self) -> IpAddr {
        match u32::try_from(self.bits) {
            Ok(bits) if self.prefix.is_v4 => Ipv4Addr::from_bits(bits).into(),
            _ => Ipv6Addr::from_bits(self.bits).into(),
        }
    }

    fn only_address(self) -> Option<IpAddr> {
        let whole = if self.prefix.is_v4 { 32 } else { 128 };
        (self.prefix.len == whole).then(|| self.address())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(name) => write!(f, "*.{name}")?,
            Hosts::Network(network) => match network.only_address() {
                Some(address) => return Authority { host: Host::Address(address), port: self.port }.fmt(f),
                None => write!(f, "{}/{}", network.address(), network.prefix.len)?,
            },
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
