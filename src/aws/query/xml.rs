//! Lists as the Query protocol writes them.

use serde::{Deserialize, Deserializer};

/// Reads a list whatever its items' elements are called: `item`, `member`, `DBInstance`.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    struct List<T> {
        #[serde(rename = "$value", default = "Vec::new")]
        items: Vec<T>,
    }
    Ok(List::deserialize(deserializer)?.items)
}

#[cfg(test)]
mod tests {
    use super::super::listing::Listing;
    use super::super::rds::{DescribeDbInstances, Instances};
    use super::super::{QueryAction, ec2, rds, transit};
    use crate::model::{GroupPeer, IpProtocol};
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    #[test]
    fn a_list_may_be_empty_but_an_answer_without_it_is_none() {
        let subnets = |text: &str| {
            quick_xml::de::from_str::<<ec2::DescribeSubnets as QueryAction>::Answer>(text).map(ec2::DescribeSubnets::page)
        };
        assert_eq!(subnets("<DescribeSubnetsResponse><subnetSet/><nextToken/></DescribeSubnetsResponse>").unwrap().0, []);
        assert!(subnets("<DescribeSubnetsResponse><requestId>1</requestId></DescribeSubnetsResponse>").is_err());
        assert!(subnets("").is_err());
        assert!(subnets("<html>no</html>").is_err());
    }

    #[test]
    fn a_rule_of_several_peers_is_one_rule_for_each_and_all_ports_are_no_range() {
        let text = "<DescribeSecurityGroupsResponse>\n  <securityGroupInfo>\n <item><groupId>sg-1</groupId><vpcId>vpc-1</vpcId>\
                    <ipPermissions><item><ipProtocol>6</ipProtocol><fromPort>5432</fromPort><toPort>5433</toPort>\
                    <groups><item><userId>1</userId><groupId>sg-2</groupId></item></groups>\
                    <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>a &amp; b</description></item></ipRanges>\
                    <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>\
                    <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item></ipPermissions>\
                    <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>\
                    </item></ipPermissionsEgress></item>\n</securityGroupInfo></DescribeSecurityGroupsResponse>";
        let (groups, next) = ec2::DescribeSecurityGroups::page(
            quick_xml::de::from_str::<<ec2::DescribeSecurityGroups as QueryAction>::Answer>(text).unwrap(),
        );
        let [group] = groups.as_slice() else { panic!("{groups:?}") };
        assert_eq!((group.ingress.len(), next), (4, None));
        assert!(group.ingress.iter().all(|rule| rule.protocol == IpProtocol::Tcp && rule.ports.is_some()));
        assert!(matches!(&group.ingress[0].peer, GroupPeer::Group { id, peering_id: None, .. } if id == "sg-2"));
        assert_eq!((group.egress[0].protocol, group.egress[0].ports), (IpProtocol::All, None));
    }

    #[test]
    fn an_instance_without_an_endpoint_or_a_cluster_is_read_and_its_elements_have_names_of_their_own() {
        let text = "<DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeDBInstancesResult>\
                    <DBInstances><DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier><DBInstanceStatus>creating\
                    </DBInstanceStatus><VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>\
                    <Status>active</Status></VpcSecurityGroupMembership></VpcSecurityGroups><SomethingNew><x/></SomethingNew>\
                    </DBInstance></DBInstances><Marker>next</Marker></DescribeDBInstancesResult></DescribeDBInstancesResponse>";
        let (instances, next) = DescribeDbInstances::page(quick_xml::de::from_str::<Instances>(text).unwrap());
        let [orders] = instances.as_slice() else { panic!("{instances:?}") };
        let groups: Vec<&str> = orders.vpc_security_groups.iter().map(|group: &rds::Membership| group.id.as_str()).collect();
        assert_eq!((orders.id.as_str(), orders.endpoint.is_none(), groups), ("orders", true, vec!["sg-1"]));
        assert_eq!(next.as_deref(), Some("next"));
    }

    /// Answers of EC2 and RDS as they come.
    const ANSWERS: [&str; 4] = [
        "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><vpcId>vpc-1</vpcId><ipPermissions><item>\
         <ipProtocol>tcp</ipProtocol><fromPort>5432</fromPort><toPort>5432</toPort><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item>\
         </ipRanges></item></ipPermissions><ipPermissionsEgress/></item></securityGroupInfo><nextToken>x</nextToken>\
         </DescribeSecurityGroupsResponse>",
        "<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet><item>\
         <destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId><state>active</state></item></routeSet>\
         <associationSet><item><main>true</main></item></associationSet></item></routeTableSet></DescribeRouteTablesResponse>",
        "<DescribeNetworkAclsResponse><networkAclSet><item><networkAclId>acl-1</networkAclId><vpcId>vpc-1</vpcId><default>true</default>\
         <entrySet><item><ruleNumber>100</ruleNumber><protocol>6</protocol><ruleAction>allow</ruleAction><egress>false</egress>\
         <cidrBlock>10.0.0.0/16</cidrBlock><portRange><from>1024</from><to>65535</to></portRange></item></entrySet><associationSet/>\
         </item></networkAclSet></DescribeNetworkAclsResponse>",
        "<DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeDBInstancesResult><DBInstances>\
         <DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier><DBInstanceStatus>available</DBInstanceStatus><Endpoint>\
         <Address>orders.example.com</Address><Port>5432</Port></Endpoint><VpcSecurityGroups/></DBInstance></DBInstances>\
         </DescribeDBInstancesResult></DescribeDBInstancesResponse>",
    ];

    /// Reads it as every answer there is, and lists what it holds.
    fn read_as_everything(text: &str) -> usize {
        fn page<L: Listing>(text: &str) -> usize {
            quick_xml::de::from_str::<L::Answer>(text).map(|answer| L::page(answer).0.len()).unwrap_or_default()
        }
        page::<ec2::DescribeSecurityGroups>(text)
            + page::<ec2::DescribeSubnets>(text)
            + page::<ec2::DescribeRouteTables>(text)
            + page::<ec2::DescribeNetworkAcls>(text)
            + page::<ec2::DescribeVpcEndpoints>(text)
            + page::<ec2::DescribeNatGateways>(text)
            + page::<ec2::DescribeVpcPeeringConnections>(text)
            + page::<transit::DescribeTransitGatewayVpcAttachments>(text)
            + page::<transit::DescribeTransitGatewayAttachments>(text)
            + page::<ec2::GetManagedPrefixListEntries>(text)
            + page::<rds::DescribeDbInstances>(text)
            + page::<rds::DescribeDbClusters>(text)
            + page::<rds::DescribeDbProxies>(text)
    }

    proptest! {
        #[test]
        fn a_damaged_answer_is_refused_or_read(
            which in 0..ANSWERS.len(),
            changes in prop::collection::vec((any::<Index>(), select(DAMAGE.to_vec()), any::<bool>()), 0..5),
        ) {
            let mut text: Vec<char> = ANSWERS[which].chars().collect();
            for (at, damage, replaces) in changes {
                let at = at.index(text.len());
                let until = if replaces { (at + 3).min(text.len()) } else { at };
                text.splice(at..until, damage.chars());
            }
            let text: String = text.into_iter().collect();
            // No more is read than is there.
            prop_assert!(read_as_everything(&text) <= text.matches('<').count());
        }
    }

    /// What means something in XML, or is too much of a good thing.
    const DAMAGE: [&str; 14] = [
        "<",
        ">",
        "</item>",
        "<item>",
        "<item/>",
        "&amp;",
        "&#x0;",
        "&unknown;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "<?xml?>",
        "99999999999",
        "-1",
    ];

    #[test]
    fn nesting_without_end_is_no_way_to_the_end_of_the_stack() {
        for (open, close) in [("<x>", "</x>"), ("<item>", "</item>"), ("<groups><item>", "</item></groups>")] {
            let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
            let answer =
                ANSWERS[0].replace("<ipPermissionsEgress/>", &format!("<ipPermissionsEgress/><something>{deep}</something>"));
            assert_eq!(read_as_everything(&answer), 1, "what is not known is passed over");
            read_as_everything(&ANSWERS[0].replace("<item><groupId>", &format!("{deep}<item><groupId>")));
        }
    }
}
