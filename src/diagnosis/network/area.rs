//! Sets of packets, by address and port.
//!
//! Where a packet goes is seldom known to the address: an interface takes any address of its subnet. A filter is therefore asked
//! about all the packets there may be: it lets them through, or stops them, or does either with some.

use crate::model::{IpRange, PortRange};

/// All addresses from the first to the last, at all ports of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressBlock {
    first: u32,
    last: u32,
    ports: PortRange,
}

const ALL_PORTS: PortRange = PortRange { from: 0, to: u16::MAX };

/// Addresses that the public network does not route, first and last. Source: IANA IPv4 Special-Purpose Address Registry.
const NOT_PUBLIC: &[(u32, u32)] = &[
    (0x0000_0000, 0x00ff_ffff),
    (0x0a00_0000, 0x0aff_ffff),
    (0x6440_0000, 0x647f_ffff),
    (0x7f00_0000, 0x7fff_ffff),
    (0xa9fe_0000, 0xa9fe_ffff),
    (0xac10_0000, 0xac1f_ffff),
    (0xc0a8_0000, 0xc0a8_ffff),
    (0xe000_0000, 0xffff_ffff),
];

impl AddressBlock {
    /// A rule's packets; `None` where it names addresses of IPv6, which no rotation function is sent over.
    pub(super) fn of(range: &IpRange, ports: Option<PortRange>) -> Option<AddressBlock> {
        let (first, last) = range.bounds_v4()?;
        Some(AddressBlock { first, last, ports: ports.unwrap_or(ALL_PORTS) })
    }

    /// All addresses, at these ports.
    pub(super) fn anywhere(ports: Option<PortRange>) -> AddressBlock {
        AddressBlock { first: 0, last: u32::MAX, ports: ports.unwrap_or(ALL_PORTS) }
    }

    fn meets(&self, other: &AddressBlock) -> bool {
        self.first <= other.last && other.first <= self.last && self.ports.overlaps(&other.ports)
    }
}

/// The packets that may have to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area(Vec<AddressBlock>);

impl Area {
    /// To any of these addresses, at one of the ports.
    pub(super) fn within(ranges: &[IpRange], ports: PortRange) -> Area {
        Area(ranges.iter().filter_map(|range| AddressBlock::of(range, Some(ports))).collect())
    }

    /// To some address of the public network.
    pub(super) fn public(ports: PortRange) -> Area {
        let mut area = Area(vec![AddressBlock::anywhere(Some(ports))]);
        for (first, last) in NOT_PUBLIC {
            area.take(&AddressBlock { first: *first, last: *last, ports: ALL_PORTS });
        }
        area
    }

    /// To some address that nothing is known of.
    pub(super) fn anywhere(ports: PortRange) -> Area {
        Area(vec![AddressBlock::anywhere(Some(ports))])
    }

    /// The same addresses, at other ports.
    pub(super) fn at(&self, ports: PortRange) -> Area {
        Area(self.0.iter().map(|block| AddressBlock { ports, ..*block }).collect())
    }

    /// Its addresses as one range that a rule can name: its own where it is one, else all.
    pub(super) fn as_range(&self) -> String {
        match self.0.as_slice() {
            [AddressBlock { first, last, .. }] => {
                let bits = (first ^ last).leading_zeros();
                format!("{}/{bits}", core::net::Ipv4Addr::from(*first))
            }
            _ => "0.0.0.0/0".to_owned(),
        }
    }

    /// True where the public network routes none of its addresses.
    pub(super) fn is_private(&self) -> bool {
        let mut left = self.clone();
        for (first, last) in NOT_PUBLIC {
            left.take(&AddressBlock { first: *first, last: *last, ports: ALL_PORTS });
        }
        !self.is_empty() && left.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes away what `other` holds; true where that was anything.
    pub(super) fn take(&mut self, other: &AddressBlock) -> bool {
        if !self.0.iter().any(|block| block.meets(other)) {
            return false;
        }
        let mut left = Vec::with_capacity(self.0.len());
        for block in &self.0 {
            if block.meets(other) {
                left.extend(rest(block, other));
            } else {
                left.push(*block);
            }
        }
        self.0 = left;
        true
    }
}

/// What of `block` is not in `taken`, which meets it.
fn rest(block: &AddressBlock, taken: &AddressBlock) -> impl Iterator<Item = AddressBlock> {
    let (first, last) = (block.first.max(taken.first), block.last.min(taken.last));
    let below = first.checked_sub(1).filter(|end| *end >= block.first && first > block.first);
    let above = last.checked_add(1).filter(|start| *start <= block.last);
    let under = taken.ports.from.checked_sub(1).filter(|end| *end >= block.ports.from);
    let over = taken.ports.to.checked_add(1).filter(|start| *start <= block.ports.to);
    let inner = AddressBlock { first, last, ports: block.ports };
    [
        below.map(|last| AddressBlock { last, ..*block }),
        above.map(|first| AddressBlock { first, ..*block }),
        under.map(|to| AddressBlock { ports: PortRange { to, ..block.ports }, ..inner }),
        over.map(|from| AddressBlock { ports: PortRange { from, ..block.ports }, ..inner }),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(range: &str, from: u16, to: u16) -> AddressBlock {
        AddressBlock::of(&range.parse().unwrap(), Some(PortRange { from, to })).unwrap()
    }

    fn area(range: &str, from: u16, to: u16) -> Area {
        Area::within(&[range.parse().unwrap()], PortRange { from, to })
    }

    #[test]
    fn two_halves_take_everything_and_a_neighbour_takes_nothing() {
        let mut all = area("0.0.0.0/0", 443, 443);
        assert!(all.take(&block("0.0.0.0/1", 0, 65535)));
        assert!(!all.is_empty());
        assert!(all.take(&block("128.0.0.0/1", 443, 443)));
        assert!(all.is_empty());
        assert!(!area("10.0.0.0/24", 443, 443).take(&block("10.0.1.0/24", 0, 65535)));
        assert!(!area("10.0.0.0/24", 443, 443).take(&block("10.0.0.0/8", 444, 65535)));
    }

    #[test]
    fn what_is_left_lies_on_all_sides_of_what_was_taken() {
        let mut left = area("10.0.0.0/24", 1024, 65535);
        assert!(left.take(&block("10.0.0.64/26", 2000, 3000)));
        let sides = [("10.0.0.0/26", 0), ("10.0.0.128/25", 0), ("10.0.0.64/26", 1), ("10.0.0.64/26", 2)];
        for (range, side) in sides {
            let ports = [(1024, 65535), (1024, 1999), (3001, 65535)][side];
            assert!(left.take(&block(range, ports.0, ports.1)), "{range} {ports:?}");
        }
        assert!(left.is_empty());
    }

    #[test]
    fn private_ranges_hold_no_public_address() {
        let mut public = Area::public(PortRange::one(443));
        for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "224.0.0.0/3"] {
            assert!(!public.take(&block(private, 0, 65535)), "{private}");
        }
        assert!(public.take(&block("52.94.0.0/16", 0, 65535)));
        assert!(public.take(&block("0.0.0.0/0", 443, 443)) && public.is_empty());
    }
}
