//! Which rule a host belongs to, in time that does not grow with the number of rules.

use crate::host::{Authority, Host, Hosts, Network, Pattern, Prefix};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// The rules of all patterns. The most specific pattern wins: a name before the names below another, a longer suffix
/// or prefix before a shorter one, a port before any port. Of equal patterns the first one added wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    names: HashMap<Box<str>, Ports>,
    below: HashMap<Box<str>, Ports>,
    networks: HashMap<Network, Ports>,
    prefixes: BTreeSet<Prefix>,
}

/// The rules of one pattern by port.
#[derive(Clone, Debug, Default)]
struct Ports(Vec<(Option<u16>, usize)>);

impl Index {
    pub(crate) fn add(&mut self, pattern: &Pattern, rule: usize) {
        let ports = match &pattern.hosts {
            Hosts::Name(name) => self.names.entry(name.clone()).or_default(),
            Hosts::Below(name) => self.below.entry(name.clone()).or_default(),
            Hosts::Network(network) => {
                self.prefixes.insert(network.prefix);
                self.networks.entry(*network).or_default()
            }
        };
        ports.0.push((pattern.port, rule));
    }

    pub(crate) fn find(&self, to: &Authority) -> Option<usize> {
        match &to.host {
            Host::Name(name) => self.name(name, to.port),
            Host::Address(address) => self.address(*address, to.port),
        }
    }

    /// One look for each label of the name, of which it has 127 at most.
    fn name(&self, name: &str, port: Option<u16>) -> Option<usize> {
        let exact = self.names.get(name).and_then(|ports| ports.find(port));
        exact.or_else(|| parents(name).find_map(|parent| self.below.get(parent)?.find(port)))
    }

    /// One look for each length of a prefix that the rules have, the longest first.
    fn address(&self, address: IpAddr, port: Option<u16>) -> Option<usize> {
        let around = |prefix: &Prefix| self.networks.get(&Network::around(address, *prefix)?)?.find(port);
        self.prefixes.iter().rev().find_map(around)
    }
}

impl Ports {
    fn find(&self, port: Option<u16>) -> Option<usize> {
        let first = |of: Option<u16>| self.0.iter().find(|(port, _)| *port == of).map(|(_, rule)| *rule);
        port.and_then(|port| first(Some(port))).or_else(|| first(None))
    }
}

/// `b.c` and `c` of `a.b.c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.split_once('.'), |(_, parent)| parent.split_once('.'))
        .map(|(_, parent)| parent)
}
