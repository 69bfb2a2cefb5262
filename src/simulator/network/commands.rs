//! The network as it would be after a command of a printed plan.

use super::forms::{DatabaseKindForm, EndpointForm, NetworkForms};
use super::rules::RouteText;
use crate::simulator::ids;
use serde_json::Value;
use std::collections::BTreeMap;

/// Changes the network as `aws SERVICE OPERATION` would. Of a network that is not declared, nothing can be wrong afterwards.
///
/// # Errors
/// What AWS would answer.
pub(in crate::simulator) fn carry_out(
    forms: &mut NetworkForms,
    (service, operation): (&str, &str),
    options: &BTreeMap<String, String>,
) -> Result<(), String> {
    if forms.vpcs.is_empty() {
        return Ok(());
    }
    let text = |name: &str| options.get(name).map(String::as_str).ok_or_else(|| format!("{operation} needs --{name}"));
    match (service, operation) {
        ("ec2", "authorize-security-group-ingress" | "authorize-security-group-egress") => {
            let id = text("group-id")?;
            let group = forms.groups.iter_mut().find(|group| group.id == id).ok_or("InvalidGroup.NotFound")?;
            let rules = if operation.ends_with("ingress") { &mut group.ingress } else { &mut group.egress };
            for rule in rules_of(options)? {
                if rules.contains(&rule) {
                    return Err("InvalidPermission.Duplicate".to_owned());
                }
                rules.push(rule);
            }
        }
        ("ec2", "create-route" | "replace-route") => {
            let (id, range) = (text("route-table-id")?, text("destination-cidr-block")?);
            let targets = ["nat-gateway-id", "vpc-peering-connection-id", "transit-gateway-id", "gateway-id"];
            let target = targets.iter().find_map(|name| options.get(*name)).ok_or("MissingParameter: a target")?;
            let table = forms.route_tables.iter_mut().find(|table| table.id == id).ok_or("InvalidRouteTableID.NotFound")?;
            let is_same = |route: &String| RouteText::parse(route).is_ok_and(|route| route.destination == range);
            let existed = table.routes.iter().any(is_same);
            match (operation, existed) {
                ("create-route", true) => return Err("RouteAlreadyExists".to_owned()),
                ("replace-route", false) => return Err("InvalidRoute.NotFound".to_owned()),
                _ => {}
            }
            table.routes.retain(|route| !is_same(route));
            table.routes.push(format!("{range} {target}"));
        }
        ("ec2", "create-network-acl-entry") => {
            let id = text("network-acl-id")?;
            let acl = forms.acls.iter_mut().find(|acl| acl.id == id).ok_or("InvalidNetworkAclID.NotFound")?;
            let (number, action, range) = (text("rule-number")?, text("rule-action")?, text("cidr-block")?);
            let ports: BTreeMap<&str, &str> = text("port-range")?.split(',').filter_map(|part| part.split_once('=')).collect();
            let (from, to) = ports.get("From").zip(ports.get("To")).ok_or("MissingParameter: PortRange")?;
            let way = if options.contains_key("egress") { "out" } else { "in" };
            let taken = format!("{number} {way} ");
            if acl.entries.iter().any(|entry| entry.starts_with(&taken)) {
                return Err("NetworkAclEntryAlreadyExists".to_owned());
            }
            acl.entries.push(format!("{number} {way} {action} tcp {from}-{to} {range}"));
        }
        ("ec2", "modify-vpc-endpoint") => {
            let id = text("vpc-endpoint-id")?;
            let endpoint = forms.endpoints.iter_mut().find(|one| one.id == id).ok_or("InvalidVpcEndpointId.NotFound")?;
            endpoint.private_dns |= options.contains_key("private-dns-enabled");
            if let Some(subnets) = options.get("add-subnet-ids") {
                endpoint.subnets.get_or_insert_default().extend(subnets.split(' ').map(str::to_owned));
            }
            if let Some(document) = options.get("policy-document") {
                let document = serde_json::from_str(document).map_err(|error| format!("InvalidPolicyDocument: {error}"))?;
                endpoint.document = Some(document);
            }
        }
        ("ec2", "modify-vpc-attribute") => {
            let id = text("vpc-id")?;
            let vpc = forms.vpcs.iter_mut().find(|vpc| vpc.id == id).ok_or("InvalidVpcID.NotFound")?;
            vpc.dns_support |= options.contains_key("enable-dns-support");
            vpc.dns_hostnames |= options.contains_key("enable-dns-hostnames");
        }
        ("ec2", "create-vpc-endpoint") => {
            let (vpc, service) = (text("vpc-id")?, text("service-name")?);
            let list = |name: &str| options.get(name).map(|ids| ids.split(' ').map(str::to_owned).collect());
            forms.endpoints.push(EndpointForm {
                id: format!("vpce-{}", ids::letters(service, "0123456789abcdef", 8)),
                vpc: vpc.to_owned(),
                service: service.to_owned(),
                gateway: false,
                state: "available".to_owned(),
                subnets: list("subnet-ids"),
                groups: list("security-group-ids"),
                route_tables: Vec::new(),
                private_dns: options.contains_key("private-dns-enabled"),
                policy: None,
                document: None,
            });
        }
        ("ec2", "accept-vpc-peering-connection") => {
            let id = text("vpc-peering-connection-id")?;
            let peering = forms.peerings.iter_mut().find(|one| one.id == id);
            let peering = peering.ok_or("InvalidVpcPeeringConnectionID.NotFound")?;
            if peering.status != "pending-acceptance" {
                return Err(format!("InvalidStateTransition: {}", peering.status));
            }
            "active".clone_into(&mut peering.status);
        }
        ("ec2", "modify-transit-gateway-vpc-attachment") => {
            let id = text("transit-gateway-attachment-id")?;
            let attachment = forms.attachments.iter_mut().find(|one| one.id == id);
            let attachment = attachment.ok_or("InvalidTransitGatewayAttachmentID.NotFound")?;
            attachment.subnets.extend(text("add-subnet-ids")?.split(' ').map(str::to_owned));
        }
        ("ec2", "create-transit-gateway-route" | "replace-transit-gateway-route") => {
            let (id, range) = (text("transit-gateway-route-table-id")?, text("destination-cidr-block")?);
            let attachment = text("transit-gateway-attachment-id")?;
            if !forms.attachments.iter().any(|one| one.id == attachment) {
                return Err("InvalidTransitGatewayAttachmentID.NotFound".to_owned());
            }
            let table = forms.transit_tables.iter_mut().find(|table| table.id == id).ok_or("InvalidRouteTableID.NotFound")?;
            let is_same = |route: &String| route.split_once(' ').is_some_and(|(destination, _)| destination == range);
            match (operation.starts_with("create"), table.routes.iter().any(is_same)) {
                (true, true) => return Err("RouteAlreadyExists".to_owned()),
                (false, false) => return Err("InvalidRoute.NotFound".to_owned()),
                _ => {}
            }
            table.routes.retain(|route| !is_same(route));
            table.routes.push(format!("{range} {attachment}"));
        }
        ("ec2", "associate-transit-gateway-route-table") => {
            let (id, table) = (text("transit-gateway-attachment-id")?, text("transit-gateway-route-table-id")?);
            let attachment = forms.attachments.iter_mut().find(|one| one.id == id);
            let attachment = attachment.ok_or("InvalidTransitGatewayAttachmentID.NotFound")?;
            if attachment.table.as_deref().is_some_and(|table| !table.is_empty()) {
                return Err("Resource.AlreadyAssociated".to_owned());
            }
            attachment.table = Some(table.to_owned());
        }
        ("rds", "modify-db-instance") => {
            let (id, gib) = (text("db-instance-identifier")?, text("allocated-storage")?);
            let database = forms.databases.iter_mut().find(|one| one.id == id && one.kind == DatabaseKindForm::Instance);
            let database = database.ok_or("DBInstanceNotFound")?;
            let more: i64 = gib.parse().map_err(|_| "InvalidParameterValue: AllocatedStorage")?;
            if more * 10 < database.storage * 11 {
                return Err("InvalidParameterCombination: storage has to grow by a tenth at least".to_owned());
            }
            database.storage = more;
            if database.status == "storage-full" {
                "available".clone_into(&mut database.status);
            }
        }
        ("rds", "start-db-instance") => start(forms, text("db-instance-identifier")?, DatabaseKindForm::Instance)?,
        ("rds", "start-db-cluster") => start(forms, text("db-cluster-identifier")?, DatabaseKindForm::Cluster)?,
        _ => return Err(format!("{service} {operation} is not simulated")),
    }
    Ok(())
}

fn start(forms: &mut NetworkForms, id: &str, kind: DatabaseKindForm) -> Result<(), String> {
    let database = forms.databases.iter_mut().find(|one| one.id == id && one.kind == kind).ok_or("DBInstanceNotFound")?;
    if database.status != "stopped" {
        return Err(format!("InvalidDBInstanceState: {}", database.status));
    }
    "available".clone_into(&mut database.status);
    Ok(())
}

/// The rules of a command: in the short form, or as `--ip-permissions` lists them.
fn rules_of(options: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    if let Some(short) = options.get("ip-permissions").filter(|text| !text.starts_with('[')) {
        return Ok(short_permission(short));
    }
    if let Some(listed) = options.get("ip-permissions") {
        let listed: Vec<Value> = serde_json::from_str(listed).map_err(|error| format!("InvalidParameterValue: {error}"))?;
        return Ok(listed.iter().flat_map(permission).collect());
    }
    let peer = options.get("source-group").or_else(|| options.get("cidr")).ok_or("MissingParameter: whom it lets in")?;
    let port = options.get("port").ok_or("MissingParameter: port")?;
    Ok(vec![format!("tcp {port} {peer}")])
}

/// `IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0}]`
fn short_permission(text: &str) -> Vec<String> {
    let parts = text.split([',', '[', ']', '{', '}']).filter_map(|part| part.split_once('='));
    let parts: Vec<(&str, &str)> = parts.collect();
    let value = |name: &str| parts.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let what = match (value("IpProtocol"), value("FromPort"), value("ToPort")) {
        (Some("tcp"), Some(from), Some(to)) => format!("tcp {from}-{to}"),
        _ => "all".to_owned(),
    };
    let is_peer = |key: &str| ["CidrIp", "GroupId", "PrefixListId"].contains(&key);
    parts.iter().filter(|(key, _)| is_peer(key)).map(|(_, peer)| format!("{what} {peer}")).collect()
}

fn permission(rule: &Value) -> Vec<String> {
    let port = |name: &str| rule.get(name).and_then(Value::as_i64);
    let what = match (rule.get("IpProtocol").and_then(Value::as_str), port("FromPort"), port("ToPort")) {
        (Some("tcp"), Some(from), Some(to)) => format!("tcp {from}-{to}"),
        _ => "all".to_owned(),
    };
    let peers = [("IpRanges", "CidrIp"), ("UserIdGroupPairs", "GroupId"), ("PrefixListIds", "PrefixListId")];
    let listed = peers.into_iter().flat_map(|(list, member)| {
        let items = rule.get(list).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(move |item| item.get(member).and_then(Value::as_str))
    });
    listed.map(|peer| format!("{what} {peer}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_listed_rule_come_to_the_same() {
        let listed = |text: &str| rules_of(&BTreeMap::from([("ip-permissions".to_owned(), text.to_owned())])).unwrap();
        let json = r#"[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"UserIdGroupPairs":[{"GroupId":"sg-1"}]}]"#;
        assert_eq!(listed(json), ["tcp 443-443 sg-1"]);
        assert_eq!(listed("IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-1}]"), ["tcp 443-443 sg-1"]);
    }
}
