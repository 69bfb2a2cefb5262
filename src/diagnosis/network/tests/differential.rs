//! The evaluator beside a walker that knows no sets and no third value: it sends one packet after the other, from every address to
//! every address, and its answer, and sees whether it arrives.

use super::drawn::{Cidr, Dice, Drawn, DrawnAclEntry, DrawnRule, FAR, FN, NAT, To, Who, entry, rule};
use super::{function, list};
use crate::diagnosis::network::{Reachability, to_database, to_service};
use crate::diagnosis::testing::denied;
use crate::model::{Network, Observation};

const NETWORKS: u64 = 2_500;

/// Ports that answers may go to, on both sides of every bound that is drawn.
const EPHEMERAL: [u16; 6] = [1024, 5432, 5433, 32767, 32768, 65535];

/// Public addresses, one in each part that the drawn rules tell apart.
const PUBLIC: [u32; 3] = [0x0101_0101, 0xc801_0101, 0x345e_0101];

fn is_in(address: u32, (base, bits): Cidr) -> bool {
    bits == 0 || address >> (32 - bits) == base >> (32 - bits)
}

/// One address of each part of a subnet of eight that the drawn rules tell apart: its halves, and in the first one a pair, the
/// third and the last.
fn addresses((base, _): Cidr) -> [u32; 4] {
    [0, 2, 3, 4].map(|host| base + host)
}

fn has_port(kind: char, ports: Option<(u16, u16)>, port: u16) -> bool {
    kind == 'a' || kind == 't' && ports.is_none_or(|(from, to)| from <= port && port <= to)
}

impl Drawn {
    fn group_allows(&self, rules: &[DrawnRule], address: u32, port: u16, peer: Option<usize>) -> bool {
        rules.iter().any(|(kind, ports, who)| {
            has_port(*kind, *ports, port)
                && match who {
                    Who::Cidr(cidr) => is_in(address, *cidr),
                    Who::List(nth) => self.lists[*nth].iter().any(|cidr| is_in(address, *cidr)),
                    Who::Group(end) => Some(*end) == peer,
                }
        })
    }

    fn acl_allows(&self, place: usize, out: bool, address: u32, port: u16) -> bool {
        let mut entries: Vec<&DrawnAclEntry> = self.acls[place].iter().filter(|one| one.1 == out).collect();
        entries.sort_by_key(|one| one.0);
        let first = entries.iter().find(|(_, _, _, kind, cidr, ports)| has_port(*kind, *ports, port) && is_in(address, *cidr));
        first.is_some_and(|one| one.2)
    }

    fn next(&self, place: usize, address: u32) -> Option<To> {
        let routes = self.tables[place].iter().filter(|(cidr, _)| is_in(address, *cidr));
        routes.max_by_key(|((_, bits), _)| *bits).map(|(_, to)| *to)
    }

    /// One packet from the function to the far end, and its answer.
    fn reaches_far(&self, from: u32, to: u32, port: u16, answer_port: u16) -> bool {
        let by_name = !self.is_peered || self.one_region;
        if !self.group_allows(&self.outs[FN], to, port, by_name.then_some(FAR)) {
            return false;
        }
        let is_one_subnet = self.subnets[FN] == self.subnets[FAR];
        let there = match self.next(FN, to) {
            Some(To::Local) => !self.is_peered,
            Some(To::Peer) => self.peering_active && self.next(FAR, from) == Some(To::Peer),
            _ => false,
        };
        let crosses = is_one_subnet
            || self.acl_allows(FN, true, to, port)
                && self.acl_allows(FAR, false, from, port)
                && self.acl_allows(FAR, true, from, answer_port)
                && self.acl_allows(FN, false, to, answer_port);
        there && crosses && self.group_allows(&self.ins[FAR], from, port, by_name.then_some(FN))
    }

    /// One packet from the function to a public address, and its answer.
    fn reaches_public(&self, from: u32, to: u32, answer_port: u16) -> bool {
        self.group_allows(&self.outs[FN], to, 443, None)
            && self.next(FN, to) == Some(To::Nat)
            && self.nat_works
            && self.nat_public
            && self.next(NAT, to) == Some(To::Igw)
            && self.acl_allows(FN, true, to, 443)
            && self.acl_allows(NAT, false, from, 443)
            && self.acl_allows(NAT, true, to, 443)
            && self.acl_allows(NAT, false, to, answer_port)
            && self.acl_allows(NAT, true, from, answer_port)
            && self.acl_allows(FN, false, to, answer_port)
    }

    fn uses_endpoint(&self) -> bool {
        self.endpoint && self.private_dns && self.dns
    }
}

/// Whether every packet arrives, or none.
#[derive(Debug, PartialEq)]
enum Arrive {
    All,
    Some,
    None,
}

fn arrive(packets: impl Iterator<Item = bool>) -> Arrive {
    let (mut any, mut all) = (false, true);
    for arrives in packets {
        any |= arrives;
        all &= arrives;
    }
    match (any, all) {
        (_, true) => Arrive::All,
        (true, false) => Arrive::Some,
        (false, false) => Arrive::None,
    }
}

fn to_far(drawn: &Drawn, port: u16) -> Arrive {
    let pairs = addresses(drawn.subnets[FN]).into_iter().flat_map(|from| addresses(drawn.subnets[FAR]).map(|to| (from, to)));
    arrive(pairs.flat_map(|(from, to)| EPHEMERAL.map(|answer| drawn.reaches_far(from, to, port, answer))))
}

fn to_aws(drawn: &Drawn) -> Arrive {
    if drawn.uses_endpoint() {
        return to_far(drawn, 443);
    }
    let pairs = addresses(drawn.subnets[FN]).into_iter().flat_map(|from| PUBLIC.map(|to| (from, to)));
    arrive(pairs.flat_map(|(from, to)| EPHEMERAL.map(|answer| drawn.reaches_public(from, to, answer))))
}

fn judged(network: &Network) -> [Reachability; 2] {
    let database = network.databases.found().unwrap().first().unwrap().clone();
    [
        to_service(network, &function(), "eu-west-1", "secretsmanager").unwrap().reach(),
        to_database(network, &function(), &database).unwrap().reach(),
    ]
}

#[test]
fn the_evaluator_and_the_walker_agree() {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for seed in 1..=NETWORKS {
        let drawn = Drawn::draw(&mut Dice::new(seed));
        let network = drawn.network();
        for (target, (judged, walked)) in judged(&network).into_iter().zip([to_aws(&drawn), to_far(&drawn, 5432)]).enumerate() {
            match (&walked, judged) {
                (Arrive::All, Reachability::Reachable)
                | (Arrive::None, Reachability::Blocked | Reachability::Unknown)
                | (Arrive::Some, Reachability::Unknown) => {}
                // A route to a peer may lead to an endpoint that only its name server knows.
                (_, Reachability::Unknown) if target == 0 && drawn.is_peered => {}
                wrong => panic!("seed {seed}, target {target}: {wrong:?}\n{drawn:#?}"),
            }
            *counts.entry(format!("{target} {walked:?} {judged:?}")).or_default() += 1;
        }
    }
    let count = |key: &str| counts.get(key).copied().unwrap_or(0);
    // The draw reaches every kind of answer, and the evaluator decides most of what is decided.
    for target in [0, 1] {
        assert!(count(&format!("{target} All Reachable")) >= 100, "{counts:?}");
        assert!(count(&format!("{target} Some Unknown")) >= 30, "{counts:?}");
        let (decided, open) = (count(&format!("{target} None Blocked")), count(&format!("{target} None Unknown")));
        assert!(decided >= 500 && decided > 3 * open, "{counts:?}");
    }
}

#[test]
fn a_rule_more_never_blocks_and_a_rule_less_never_opens() {
    let mut moved = 0;
    for seed in 1..=NETWORKS {
        let mut dice = Dice::new(seed);
        let drawn = Drawn::draw(&mut dice);
        let network = drawn.network();
        let before = judged(&network);
        let donor = Drawn::draw(&mut dice);
        let mut wider = network.clone();
        let group = dice.below(2);
        let rules = &mut list(&mut wider.security_groups)[group];
        rules.ingress.extend(donor.ins[group].iter().map(rule));
        rules.egress.extend(donor.outs[group].iter().map(rule));
        for acl in list(&mut wider.network_acls) {
            let mut first = donor.acls[FN][0];
            (first.0, first.2) = (1, true);
            acl.entries.push(entry(&first));
        }
        let mut narrower = network.clone();
        for group in list(&mut narrower.security_groups) {
            let rules = if dice.one_in(2) { &mut group.ingress } else { &mut group.egress };
            if !rules.is_empty() {
                rules.remove(dice.below(rules.len()));
            }
        }
        for acl in list(&mut narrower.network_acls) {
            let at = acl.entries.iter().position(|entry| entry.is_allow);
            at.filter(|_| dice.one_in(2)).map(|at| acl.entries.remove(at));
        }
        let (more, less) = (judged(&wider), judged(&narrower));
        for target in [0, 1] {
            assert!(more[target] <= before[target], "seed {seed}, target {target}: {:?} became {:?}", before, more);
            assert!(less[target] >= before[target], "seed {seed}, target {target}: {:?} became {:?}", before, less);
            moved += usize::from(more[target] < before[target]) + usize::from(less[target] > before[target]);
        }
    }
    assert!(moved > 500, "the changes hardly ever mattered: {moved}");
}

#[test]
fn what_is_not_seen_makes_an_answer_unknown_and_never_another_one() {
    let hide: [fn(&mut Network); 6] = [
        |n| n.subnets = denied("ec2:DescribeSubnets"),
        |n| n.route_tables = denied("ec2:DescribeRouteTables"),
        |n| n.network_acls = denied("ec2:DescribeNetworkAcls"),
        |n| n.security_groups = denied("ec2:DescribeSecurityGroups"),
        |n| n.endpoints = denied("ec2:DescribeVpcEndpoints"),
        |n| n.prefix_lists = Observation::Found(Vec::new()),
    ];
    for seed in 1..=NETWORKS / 3 {
        let network = Drawn::draw(&mut Dice::new(seed)).network();
        let before = judged(&network);
        for (nth, hidden) in hide.iter().enumerate() {
            let mut less = network.clone();
            hidden(&mut less);
            for (seen, unseen) in before.into_iter().zip(judged(&less)) {
                assert!(
                    unseen == Reachability::Unknown || unseen == seen,
                    "seed {seed}, hidden {nth}: {seen:?} became {unseen:?}"
                );
            }
        }
    }
}
