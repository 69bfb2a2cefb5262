//! Ranges of addresses and ports, as rules of a network name them.

use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A range of IPv4 or IPv6 addresses in CIDR form; a single address is a range too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    address: IpAddr,
    bits: u8,
}

/// A text that names no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a range of IP addresses")]
pub struct IpRangeError(String);

impl IpRange {
    /// All IPv4 addresses.
    pub const ANY_V4: IpRange = IpRange { address: IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), bits: 0 };

    /// The range of one address.
    #[must_use]
    pub const fn one(address: IpAddr) -> IpRange {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        IpRange { address, bits }
    }

    /// Reads a range whose IPv4 address may be written as an IPv6 one, such as `::ffff:10.0.0.0/8`.
    ///
    /// # Errors
    /// [`IpRangeError`].
    pub fn parse_canonical(text: &str) -> Result<IpRange, IpRangeError> {
        IpRange::read(text, |address| address.to_canonical()).ok_or_else(|| IpRangeError(text.to_owned()))
    }

    fn read(text: &str, form: fn(IpAddr) -> IpAddr) -> Option<IpRange> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let whole = IpRange::one(form(address.parse().ok()?));
        let bits = bits.unwrap_or(whole.bits);
        (bits <= whole.bits).then_some(IpRange { bits, ..whole })
    }

    /// The length of its prefix in bits: the longer, the narrower the range.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// True for a range of IPv4 addresses.
    #[must_use]
    pub const fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Its first and last address as numbers; `None` for a range of IPv6.
    #[must_use]
    pub fn bounds_v4(&self) -> Option<(u32, u32)> {
        let IpAddr::V4(address) = self.address else { return None };
        let hosts = u32::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0);
        let first = u32::from(address) & !hosts;
        Some((first, first | hosts))
    }

    /// True where every address of `other` is in this range.
    #[must_use]
    pub fn covers(&self, other: &IpRange) -> bool {
        self.is_v4() == other.is_v4()
            && self.bits <= other.bits
            && masked(other.address, self.bits) == masked(self.address, self.bits)
    }

    /// True where some address is in both.
    #[must_use]
    pub fn overlaps(&self, other: &IpRange) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// True where the address is in this range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&IpRange::one(address))
    }
}

/// The address's leading bits, the others zero.
fn masked(address: IpAddr, bits: u8) -> u128 {
    let (value, width) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let dropped = width.saturating_sub(u32::from(bits));
    value.checked_shr(dropped).and_then(|kept| kept.checked_shl(dropped)).unwrap_or(0)
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;

    fn from_str(text: &str) -> Result<IpRange, IpRangeError> {
        IpRange::read(text, |address| address).ok_or_else(|| IpRangeError(text.to_owned()))
    }
}

impl TryFrom<String> for IpRange {
    type Error = IpRangeError;

    fn try_from(text: String) -> Result<IpRange, IpRangeError> {
        text.parse()
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> String {
        range.to_string()
    }
}

/// Ports from the first to the last, both among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortRange {
    pub from: u16,
    pub to: u16,
}

impl PortRange {
    /// One port.
    #[must_use]
    pub const fn one(port: u16) -> PortRange {
        PortRange { from: port, to: port }
    }

    /// From the first port to the last one; `None` where these are no ports, such as the `-1` by which EC2 means all.
    #[must_use]
    pub fn between(from: i64, to: i64) -> Option<PortRange> {
        Some(PortRange { from: u16::try_from(from).ok()?, to: u16::try_from(to).ok()? })
    }

    /// True where every port of `other` is among these.
    #[must_use]
    pub const fn covers(&self, other: &PortRange) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// True where some port is in both.
    #[must_use]
    pub const fn overlaps(&self, other: &PortRange) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from == self.to {
            true => write!(f, "{}", self.from),
            false => write!(f, "{}-{}", self.from, self.to),
        }
    }
}

/// What a rule of a group or a network ACL is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpProtocol {
    /// All protocols and all ports.
    All,
    Tcp,
    /// UDP, ICMP and the others: nothing that a rotation function speaks.
    Other,
}

impl IpProtocol {
    /// From EC2's name or number: `-1`, `tcp` or `6`; anything else is another protocol.
    #[must_use]
    pub fn of(name: &str) -> IpProtocol {
        match name {
            "-1" | "all" => IpProtocol::All,
            "tcp" | "6" => IpProtocol::Tcp,
            _ => IpProtocol::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_covers_what_its_prefix_names_and_nothing_else() {
        assert!(range("10.0.0.0/8").covers(&range("10.20.0.0/16")));
        assert!(!range("10.20.0.0/16").covers(&range("10.0.0.0/8")));
        assert!(range("10.20.0.0/16").overlaps(&range("10.0.0.0/8")));
        assert!(!range("10.0.0.0/16").overlaps(&range("10.1.0.0/16")));
        assert!(range("0.0.0.0/0").contains("203.0.113.7".parse().unwrap()));
        assert!(!range("0.0.0.0/0").covers(&range("::/0")), "the two families have nothing in common");
        assert!(range("::/0").contains("2001:db8::1".parse().unwrap()));
        assert!(range("10.0.0.5/24").covers(&range("10.0.0.200")), "bits behind the prefix do not count");
    }

    #[test]
    fn a_text_that_is_no_range_is_refused() {
        for text in ["10.0.0.0/33", "10.0.0/8", "host/8", "", "10.0.0.0/-1", "::/129"] {
            assert!(text.parse::<IpRange>().is_err(), "{text}");
        }
        assert_eq!(serde_json::to_string(&range("10.0.0.1")).unwrap(), "\"10.0.0.1/32\"");
    }
}
