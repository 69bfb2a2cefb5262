//! Networks drawn at random, as plain numbers, and the same as the evaluator reads them.

use super::super::testing::{DB_GROUP, DB_SUBNET, ENDPOINT_GROUP, GROUP, SUBNET, VPC, database, to_group};
use crate::model::{
    AclEntry, EndpointKind, GroupPeer, GroupRule, IpProtocol, IpRange, NatGateway, Network, NetworkAcl, Observation, PeeredVpc,
    Peering, PortRange, PrefixList, RouteDestination, RouteTable, RouteTarget, SecurityGroup, Subnet, Vpc, VpcEndpoint, VpcRoute,
};

/// A generator that gives the same numbers for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

pub(super) type Cidr = (u32, u8);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Who {
    Cidr(Cidr),
    /// 0 the function's, 1 the far end's, 2 somebody else's.
    Group(usize),
    List(usize),
}

/// Protocol (`a`, `t` or `u`), ports, peer.
pub(super) type DrawnRule = (char, Option<(u16, u16)>, Who);

/// Number, out, allow, protocol, range, ports.
pub(super) type DrawnAclEntry = (u32, bool, bool, char, Cidr, Option<(u16, u16)>);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum To {
    Local,
    Nat,
    Igw,
    Peer,
    Gone,
}

/// The function's, the far end's and the NAT gateway's place, by these numbers.
pub(super) const FN: usize = 0;
pub(super) const FAR: usize = 1;
pub(super) const NAT: usize = 2;

#[derive(Debug, Clone)]
pub(super) struct Drawn {
    /// Where the three stand.
    pub(super) subnets: [Cidr; 3],
    /// True where the far end is in a VPC of its own.
    pub(super) is_peered: bool,
    pub(super) peering_active: bool,
    pub(super) one_region: bool,
    pub(super) ins: [Vec<DrawnRule>; 2],
    pub(super) outs: [Vec<DrawnRule>; 2],
    pub(super) lists: Vec<Vec<Cidr>>,
    pub(super) acls: [Vec<DrawnAclEntry>; 3],
    pub(super) tables: [Vec<(Cidr, To)>; 3],
    pub(super) nat_works: bool,
    pub(super) nat_public: bool,
    pub(super) endpoint: bool,
    pub(super) private_dns: bool,
    pub(super) dns: bool,
}

const fn at(a: u32, b: u32, c: u32, d: u32) -> u32 {
    a << 24 | b << 16 | c << 8 | d
}

const PORTS: &[Option<(u16, u16)>] = &[
    None,
    Some((0, 65535)),
    Some((1024, 65535)),
    Some((32768, 65535)),
    Some((1024, 32767)),
    Some((443, 443)),
    Some((5432, 5432)),
    Some((443, 5432)),
];

impl Drawn {
    pub(super) fn draw(dice: &mut Dice) -> Drawn {
        let is_peered = dice.one_in(3);
        let far = if is_peered { at(10, 1, 0, 8) } else { dice.pick(&[at(10, 0, 0, 8), at(10, 0, 0, 0)]) };
        let subnets = [(at(10, 0, 0, 0), 29), (far, 29), (at(10, 0, 0, 16), 29)];
        let mut cidrs = vec![(0, 0), (0, 0), (0, 1), (at(128, 0, 0, 0), 1), (at(52, 94, 0, 0), 16), (at(10, 0, 0, 0), 8)];
        cidrs.extend([(at(10, 0, 0, 0), 16), (at(10, 1, 0, 0), 16), (at(192, 168, 0, 0), 16)]);
        for (base, _) in subnets {
            cidrs.extend([(base, 29), (base, 30), (base + 4, 30), (base, 31), (base + 3, 32)]);
        }
        let lists: Vec<Vec<Cidr>> = (0..2).map(|_| (0..dice.below(3)).map(|_| dice.pick(&cidrs)).collect()).collect();
        let rules = |dice: &mut Dice| -> Vec<DrawnRule> {
            (0..dice.below(4) + 1)
                .map(|_| {
                    let who = match dice.below(4) {
                        0 => Who::Group(dice.below(3)),
                        1 if dice.one_in(2) => Who::List(dice.below(2)),
                        _ => Who::Cidr(dice.pick(&cidrs)),
                    };
                    (dice.pick(&['a', 't', 't', 't', 'u']), dice.pick(PORTS), who)
                })
                .collect()
        };
        let ins = [rules(dice), rules(dice)];
        let open: DrawnRule = ('a', None, Who::Cidr((0, 0)));
        let outs = [if dice.one_in(2) { vec![open] } else { rules(dice) }, vec![open]];
        let acl = |dice: &mut Dice| -> Vec<DrawnAclEntry> {
            let mut entries: Vec<DrawnAclEntry> = [false, true].map(|out| (900, out, true, 'a', (0, 0), None)).to_vec();
            if dice.one_in(4) {
                entries.remove(dice.below(2));
            }
            for number in 0..dice.below(4) as u32 {
                let (out, allow) = (dice.one_in(2), !dice.one_in(3));
                entries.push((100 + number, out, allow, dice.pick(&['a', 't', 't', 'u']), dice.pick(&cidrs), dice.pick(PORTS)));
            }
            entries
        };
        let acls = [acl(dice), acl(dice), acl(dice)];
        let default = |dice: &mut Dice| dice.pick(&[To::Nat, To::Nat, To::Nat, To::Igw, To::Gone]);
        let mut near = vec![((at(10, 0, 0, 0), 16), To::Local)];
        if !dice.one_in(5) {
            near.push(((0, 0), default(dice)));
        }
        if dice.one_in(8) {
            near.push(((at(52, 94, 0, 0), 16), default(dice)));
        }
        let mut far_table = vec![((at(10, if is_peered { 1 } else { 0 }, 0, 0), 16), To::Local)];
        if is_peered && !dice.one_in(5) {
            near.push((dice.pick(&[(at(10, 1, 0, 0), 16), (far, 29)]), To::Peer));
        }
        if is_peered && !dice.one_in(5) {
            far_table.push((dice.pick(&[(at(10, 0, 0, 0), 16), (at(10, 0, 0, 0), 29)]), To::Peer));
        }
        let mut nat = vec![((at(10, 0, 0, 0), 16), To::Local)];
        if !dice.one_in(6) {
            nat.push(((0, 0), dice.pick(&[To::Igw, To::Igw, To::Igw, To::Gone])));
        }
        Drawn {
            subnets,
            is_peered,
            peering_active: !dice.one_in(6),
            one_region: !dice.one_in(4),
            ins,
            outs,
            lists,
            acls,
            tables: [near, far_table, nat],
            nat_works: !dice.one_in(6),
            nat_public: !dice.one_in(6),
            endpoint: !is_peered && dice.one_in(2),
            private_dns: !dice.one_in(3),
            dns: !dice.one_in(4),
        }
    }

    /// The same as AWS would describe it.
    pub(super) fn network(&self) -> Network {
        let ids = [SUBNET, DB_SUBNET, "subnet-0pub"];
        // Subnets that coincide are one.
        let is_one = self.subnets[FAR] == self.subnets[FN];
        let ids = if is_one { [SUBNET, SUBNET, "subnet-0pub"] } else { ids };
        let vpc_of = |place: usize| if place == FAR && self.is_peered { "vpc-0db" } else { VPC };
        let places: &[usize] = if is_one { &[FN, NAT] } else { &[FN, FAR, NAT] };
        let subnet = |place: &usize| Subnet {
            id: ids[*place].to_owned(),
            vpc_id: vpc_of(*place).to_owned(),
            range: Some(range(self.subnets[*place])),
            zone: "eu-west-1a".to_owned(),
            free_addresses: 3,
            ipv6_ranges: Vec::new(),
        };
        let table = |place: &usize| RouteTable {
            id: format!("rtb-{place}"),
            vpc_id: vpc_of(*place).to_owned(),
            is_main: false,
            subnet_ids: vec![ids[*place].to_owned()],
            routes: self.tables[*place].iter().map(|(to, by)| route(*to, *by)).collect(),
        };
        let acl = |place: &usize| NetworkAcl {
            id: format!("acl-{place}"),
            vpc_id: vpc_of(*place).to_owned(),
            subnet_ids: vec![ids[*place].to_owned()],
            entries: self.acls[*place].iter().map(entry).collect(),
        };
        let group = |id: &str, end: usize| SecurityGroup {
            id: id.to_owned(),
            name: None,
            vpc_id: vpc_of(end).to_owned(),
            ingress: self.ins[end].iter().map(rule).collect(),
            egress: self.outs[end].iter().map(rule).collect(),
        };
        let vpc = |id: &str, b: u32| Vpc {
            id: id.to_owned(),
            ranges: vec![range((at(10, b, 0, 0), 16))],
            dns_support: Some(true),
            dns_hostnames: Some(self.dns),
        };
        let side = |id: &str, region: &str| PeeredVpc {
            vpc_id: id.to_owned(),
            owner: None,
            region: Some(region.to_owned()),
            ranges: Vec::new(),
        };
        let list = |(nth, ranges): (usize, &Vec<Cidr>)| PrefixList {
            id: format!("pl-{nth}"),
            name: None,
            ranges: Observation::Found(ranges.iter().map(|one| range(*one)).collect()),
        };
        let mut database = database();
        database.vpc_id = Some(vpc_of(FAR).to_owned());
        database.subnet_ids = vec![ids[FAR].to_owned()];
        let endpoint = VpcEndpoint {
            id: "vpce-0".to_owned(),
            kind: EndpointKind::Interface,
            service: "com.amazonaws.eu-west-1.secretsmanager".to_owned(),
            vpc_id: VPC.to_owned(),
            state: "available".to_owned(),
            subnet_ids: vec![ids[FAR].to_owned()],
            route_table_ids: Vec::new(),
            security_group_ids: vec![DB_GROUP.to_owned()],
            private_dns: self.private_dns,
            is_ipv6_only: false,
            policy: None,
        };
        Network {
            cut_short: Vec::new(),
            vpcs: Observation::Found(vec![vpc(VPC, 0), vpc("vpc-0db", 1)]),
            subnets: Observation::Found(places.iter().map(subnet).collect()),
            route_tables: Observation::Found(places.iter().map(table).collect()),
            nat_gateways: Observation::Found(vec![NatGateway {
                id: "nat-0".to_owned(),
                vpc_id: VPC.to_owned(),
                subnet_id: Some("subnet-0pub".to_owned()),
                state: if self.nat_works { "available" } else { "failed" }.to_owned(),
                is_public: self.nat_public,
                failure: None,
                public_addresses: Vec::new(),
            }]),
            network_acls: Observation::Found(places.iter().map(acl).collect()),
            security_groups: Observation::Found(vec![group(GROUP, FN), group(DB_GROUP, FAR)]),
            prefix_lists: Observation::Found(self.lists.iter().enumerate().map(list).collect()),
            endpoints: Observation::Found(self.endpoint.then_some(endpoint).into_iter().collect()),
            peerings: Observation::Found(vec![Peering {
                id: "pcx-0".to_owned(),
                status: if self.peering_active { "active" } else { "deleted" }.to_owned(),
                requester: side(VPC, "eu-west-1"),
                accepter: side("vpc-0db", if self.one_region { "eu-west-1" } else { "us-east-1" }),
            }]),
            transit_attachments: Observation::Found(Vec::new()),
            transit_associations: Observation::Found(Vec::new()),
            transit_tables: Observation::Found(Vec::new()),
            databases: Observation::Found(vec![database]),
        }
    }
}

fn range((base, bits): Cidr) -> IpRange {
    format!("{}/{bits}", std::net::Ipv4Addr::from(base)).parse().unwrap()
}

fn ports(of: Option<(u16, u16)>) -> Option<PortRange> {
    of.map(|(from, to)| PortRange { from, to })
}

fn protocol(of: char) -> IpProtocol {
    match of {
        'a' => IpProtocol::All,
        't' => IpProtocol::Tcp,
        _ => IpProtocol::Other,
    }
}

pub(super) fn rule((kind, of, who): &DrawnRule) -> GroupRule {
    let peer = match who {
        Who::Cidr(cidr) => GroupPeer::Range(range(*cidr)),
        Who::Group(end) => to_group([GROUP, DB_GROUP, ENDPOINT_GROUP][*end]),
        Who::List(nth) => GroupPeer::PrefixList(format!("pl-{nth}")),
    };
    GroupRule { protocol: protocol(*kind), ports: ports(*of), peer }
}

pub(super) fn entry((number, is_egress, is_allow, kind, cidr, of): &DrawnAclEntry) -> AclEntry {
    AclEntry {
        number: *number,
        is_egress: *is_egress,
        is_allow: *is_allow,
        protocol: protocol(*kind),
        range: range(*cidr),
        ports: ports(*of),
    }
}

fn route(to: Cidr, by: To) -> VpcRoute {
    let id = match by {
        To::Local => "local",
        To::Nat | To::Gone => "nat-0",
        To::Igw => "igw-0",
        To::Peer => "pcx-0",
    };
    VpcRoute {
        destination: RouteDestination::Range(range(to)),
        target: RouteTarget::from(id.to_owned()),
        is_blackhole: by == To::Gone,
    }
}
