//! Rules and routes as scenario files write them, in one line each.

/// A rule of a security group: `tcp 5432 sg-0a1b over pcx-0a1b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct GroupRuleText<'a> {
    pub(in crate::simulator) protocol: &'a str,
    pub(in crate::simulator) ports: Option<(i64, i64)>,
    pub(in crate::simulator) peer: Peer<'a>,
}

/// Whom a rule lets in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Peer<'a> {
    Range(&'a str),
    Group { id: &'a str, peering: Option<&'a str> },
    PrefixList(&'a str),
}

/// An entry of a network ACL: `100 in allow tcp 5432 10.0.0.0/16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct AclRule<'a> {
    pub(in crate::simulator) number: i64,
    pub(in crate::simulator) egress: bool,
    pub(in crate::simulator) action: &'a str,
    /// EC2's number.
    pub(in crate::simulator) protocol: &'static str,
    pub(in crate::simulator) ports: Option<(i64, i64)>,
    pub(in crate::simulator) range: &'a str,
}

/// A route: `0.0.0.0/0 nat-0a1b blackhole`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct RouteText<'a> {
    pub(in crate::simulator) destination: &'a str,
    pub(in crate::simulator) target: &'a str,
    pub(in crate::simulator) is_blackhole: bool,
}

fn ports(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some((from.parse().ok()?, to.parse().ok()?))
}

impl<'a> GroupRuleText<'a> {
    /// # Errors
    /// What is wrong with it, in words.
    pub(in crate::simulator) fn parse(text: &'a str) -> Result<Self, String> {
        let expected = || format!("expected a rule such as `tcp 5432 sg-0a1b` or `all 10.0.0.0/8`, found {text:?}");
        let words: Vec<&str> = text.split_whitespace().collect();
        let (protocol, ports, rest) = match words.as_slice() {
            ["all", rest @ ..] => ("-1", None, rest),
            [protocol @ ("tcp" | "udp"), range, rest @ ..] => (*protocol, Some(ports(range).ok_or_else(expected)?), rest),
            _ => return Err(expected()),
        };
        let peer = match rest {
            [list] if list.starts_with("pl-") => Peer::PrefixList(list),
            [group] if group.starts_with("sg-") => Peer::Group { id: group, peering: None },
            [group, "over", peering] if group.starts_with("sg-") => Peer::Group { id: group, peering: Some(peering) },
            [range] if range.contains('/') => Peer::Range(range),
            _ => return Err(expected()),
        };
        Ok(GroupRuleText { protocol, ports, peer })
    }
}

impl<'a> AclRule<'a> {
    /// # Errors
    /// What is wrong with it, in words.
    pub(in crate::simulator) fn parse(text: &'a str) -> Result<Self, String> {
        let expected = || format!("expected an entry such as `100 in allow tcp 5432 10.0.0.0/16`, found {text:?}");
        let words: Vec<&str> = text.split_whitespace().collect();
        let [number, direction @ ("in" | "out"), action @ ("allow" | "deny"), rest @ ..] = words.as_slice() else {
            return Err(expected());
        };
        let (protocol, ports, range) = match rest {
            ["all", range] => ("-1", None, *range),
            ["tcp", range, cidr] => ("6", Some(ports(range).ok_or_else(expected)?), *cidr),
            ["udp", range, cidr] => ("17", Some(ports(range).ok_or_else(expected)?), *cidr),
            _ => return Err(expected()),
        };
        let number = number.parse().map_err(|_| expected())?;
        Ok(AclRule { number, egress: *direction == "out", action, protocol, ports, range })
    }
}

impl<'a> RouteText<'a> {
    /// # Errors
    /// What is wrong with it, in words.
    pub(in crate::simulator) fn parse(text: &'a str) -> Result<Self, String> {
        match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [destination, target] => Ok(RouteText { destination, target, is_blackhole: false }),
            [destination, target, "blackhole"] => Ok(RouteText { destination, target, is_blackhole: true }),
            _ => Err(format!("expected a route such as `0.0.0.0/0 nat-0a1b`, found {text:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_routes_are_read_from_one_line_each() {
        let rule = GroupRuleText::parse("tcp 5432 sg-1 over pcx-1").unwrap();
        assert_eq!((rule.protocol, rule.ports), ("tcp", Some((5432, 5432))));
        assert_eq!(rule.peer, Peer::Group { id: "sg-1", peering: Some("pcx-1") });
        assert_eq!(GroupRuleText::parse("all 0.0.0.0/0").unwrap().peer, Peer::Range("0.0.0.0/0"));
        let entry = AclRule::parse("90 out deny tcp 1024-65535 10.0.0.0/16").unwrap();
        assert_eq!((entry.number, entry.egress, entry.action, entry.ports), (90, true, "deny", Some((1024, 65535))));
        assert!(RouteText::parse("0.0.0.0/0 nat-1 blackhole").unwrap().is_blackhole);
        for wrong in ["", "tcp sg-1", "tcp x sg-1", "icmp 1 10.0.0.0/8", "tcp 1 somewhere"] {
            assert!(GroupRuleText::parse(wrong).is_err(), "{wrong}");
        }
        assert!(AclRule::parse("in allow all 0.0.0.0/0").is_err());
        assert!(RouteText::parse("0.0.0.0/0").is_err());
    }
}
