//! Host names and IP addresses, as they are written.
//!
//! An address counts in every spelling that resolvers accept, `2130706433` and `0x7f.1` too,
//! except those that readers take for different addresses: `010.0.0.1` is 8.0.0.1 to some and
//! 10.0.0.1 to others. Names are not resolved: one that is not listed may lead to an address
//! that is.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::domain::{Domain, DomainPattern, to_ascii};
use super::glob::{PatternError, check};
use super::matching::Match;

const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

/// Whom a connection is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(Domain),
    /// Never one that is mapped from IPv4, but that IPv4 address.
    Address(IpAddr),
}

impl Host {
    /// The name or address that every reader sees in a text, IPv6 with or without brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let inner = rest.strip_suffix(']')?;
            return Some(Self::Address(inner.parse::<Ipv6Addr>().ok()?.into()));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Self::Address(address.into()));
        }
        let ascii = to_ascii(text)?;
        match url::Host::parse(&ascii).ok()? {
            url::Host::Ipv4(address) => {
                // Octal to some, and `0x` alone is nothing to some.
                let is_doubtful = |label: &str| {
                    label.len() > 1 && label.starts_with('0') && !label.starts_with("0x")
                        || label == "0x"
                };
                let is_plain = !ascii.split('.').any(is_doubtful);
                is_plain.then_some(Self::Address(address.into()))
            }
            url::Host::Domain(_) => Some(Self::Name(Domain::from_ascii(ascii))),
            url::Host::Ipv6(_) => None,
        }
    }

    /// Whether a connection may end on this machine: its names, and the addresses that are it
    /// or, like `0.0.0.0`, are taken for it.
    fn is_local(&self) -> bool {
        let is_local = |address: IpAddr| address.is_unspecified() || address.is_loopback();
        match self {
            Self::Name(domain) => domain.is_local(),
            Self::Address(address) => {
                is_local(address.to_canonical())
                    || embedded(*address).any(|inner| is_local(inner.into()))
            }
        }
    }
}

/// The IPv4 addresses that a gateway or a tunnel may take from an IPv6 one: IPv4-compatible
/// (RFC 4291), NAT64 (RFC 6052), translated (RFC 2765), 6to4 (RFC 3056), and that of its interface
/// (ISATAP, RFC 5214), which may stand behind a prefix of 6to4.
fn embedded(address: IpAddr) -> impl Iterator<Item = Ipv4Addr> {
    let segments = match address {
        IpAddr::V4(_) => [0; 8],
        IpAddr::V6(address) => address.segments(),
    };
    let from = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    let by_prefix = match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0 | 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    };
    let by_interface = match segments {
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => from(high, low),
        _ => None,
    };
    by_prefix.into_iter().chain(by_interface)
}

/// Whether an IPv6 address carries an IPv4 one that cannot be told from it alone: NAT64 with a
/// prefix of local use (RFC 8215), and Teredo (RFC 4380), which carries two.
fn embeds_unknown(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else {
        return false;
    };
    matches!(address.segments(), [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..])
}

/// One entry of a list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    Name(DomainPattern),
    Block(IpNet),
}

impl HostPattern {
    /// An entry `acme.com`, `*.acme.com`, `192.0.2.1`, `2001:db8::1` or `10.0.0.0/8`.
    pub(crate) fn new(entry: &str) -> Result<Self, PatternError> {
        if entry.is_empty() || entry == "*" {
            return Err(PatternError::new(
                "names no host; write one, such as `acme.com`, `*.acme.com` or `10.0.0.0/8`, or leave the list out for any",
            ));
        }
        check(entry)?;
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Self::block(address.into());
        }
        if let Ok(block) = entry.parse::<IpNet>() {
            return Self::block(block);
        }
        for (sign, problem) in [
            (
                "://",
                "has a scheme; write the host alone, such as `acme.com`",
            ),
            ("@", "has an `@`, which no host has; write what follows it"),
            (
                "[",
                "has brackets; write an IPv6 address without, such as `2001:db8::1`",
            ),
            (
                "/",
                "is neither a block such as `10.0.0.0/8` nor a host without a path; write one of these",
            ),
            (
                ":",
                "has a port, or is not an IPv6 address; write the host alone",
            ),
        ] {
            if entry.contains(sign) {
                return Err(PatternError::new(problem));
            }
        }
        DomainPattern::new(entry, parse_name).map(Self::Name)
    }

    fn block(block: IpNet) -> Result<Self, PatternError> {
        if block.trunc() != block {
            return Err(PatternError::new(format!(
                "has bits set past its prefix; write `{}`, or `{}` for the one address",
                block.trunc(),
                block.addr()
            )));
        }
        if let IpNet::V6(v6) = block
            && let Some(inner) = v6.addr().to_ipv4_mapped()
        {
            let prefix = v6.prefix_len().saturating_sub(96);
            return Err(PatternError::new(format!(
                "is mapped from IPv4, and judged as such; write `{inner}/{prefix}`"
            )));
        }
        Ok(Self::Block(block))
    }

    /// Whether all that another entry covers is covered, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(pattern), Self::Name(other)) => pattern.covers(other),
            (Self::Block(block), Self::Block(other)) => block.contains(other),
            _ => false,
        }
    }

    fn judge(&self, host: &Host) -> Match {
        let answer = match (self, host) {
            (Self::Name(pattern), Host::Name(domain)) => pattern.judge(domain),
            (Self::Block(block), Host::Address(address)) => {
                Match::from(block.contains(&address.to_canonical()))
            }
            (Self::Name(_), Host::Address(_)) | (Self::Block(_), Host::Name(_)) => Match::No,
        };
        match answer {
            Match::No if self.may_be(host) => Match::Unreadable,
            answer => answer,
        }
    }

    /// Whether a host that is not covered as it is written may turn out to be one that is.
    fn may_be(&self, host: &Host) -> bool {
        let is_local = match self {
            Self::Name(pattern) => pattern.covers_local(),
            Self::Block(IpNet::V4(block)) => block.contains(&LOOPBACK) || LOOPBACK.contains(block),
            Self::Block(IpNet::V6(block)) => block.contains(&Ipv6Addr::LOCALHOST),
        };
        if is_local && host.is_local() {
            return true;
        }
        match (self, host) {
            (Self::Block(block), Host::Address(address)) => {
                block.contains(address)
                    || embedded(*address).any(|inner| block.contains(&IpAddr::from(inner)))
                    || (block.addr().is_ipv4() && embeds_unknown(*address))
            }
            _ => false,
        }
    }

    /// Hosts at every border of what is covered, and beyond.
    pub(crate) fn examples(&self) -> Vec<String> {
        let mut hosts = vec![
            "localhost".to_owned(),
            "0.0.0.0".to_owned(),
            "other.example".to_owned(),
        ];
        match self {
            Self::Name(pattern) => hosts.extend(pattern.examples()),
            Self::Block(IpNet::V4(block)) => {
                let (first, last) = (block.network(), block.broadcast());
                let before = u32::from(first).checked_sub(1).map(Ipv4Addr::from);
                let after = u32::from(last).checked_add(1).map(Ipv4Addr::from);
                let addresses = [Some(first), Some(last), before, after];
                hosts.extend(addresses.iter().flatten().map(Ipv4Addr::to_string));
                hosts.push(format!("64:ff9b::{first}"));
            }
            Self::Block(IpNet::V6(block)) => {
                let (first, last) = (block.network(), block.broadcast());
                let before = u128::from(first).checked_sub(1).map(Ipv6Addr::from);
                let after = u128::from(last).checked_add(1).map(Ipv6Addr::from);
                let addresses = [Some(first), Some(last), before, after];
                hosts.extend(addresses.iter().flatten().map(Ipv6Addr::to_string));
            }
        }
        hosts
    }

    pub(super) fn judge_all(host: &Host, patterns: &[Self]) -> Match {
        Match::any(patterns.iter().map(|pattern| pattern.judge(host)))
    }
}

/// The name that an entry is, for the lists of hosts and of e-mail domains.
pub(super) fn parse_name(entry: &str) -> Result<Domain, PatternError> {
    match Host::parse(entry) {
        Some(Host::Name(domain)) => Ok(domain),
        Some(Host::Address(address)) => Err(PatternError::new(format!(
            "is a spelling of an address; write `{}`",
            address.to_canonical()
        ))),
        None => Err(PatternError::new(
            "is not a host name that every reader looks up the same way; write it in letters, digits and `-`, such as `acme.com` or `xn--bcher-kva.example`",
        )),
    }
}

/// Whether a text is a listed host.
pub(crate) fn host(text: &str, patterns: &[HostPattern]) -> Match {
    Host::parse(text).map_or(Match::Unreadable, |host| {
        HostPattern::judge_all(&host, patterns)
    })
}
