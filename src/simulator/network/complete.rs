//! Completes what a scenario declares: subnets, groups, routes and ACLs that let everything through.

use super::forms::{
    AclForm, DatabaseForm, EndpointForm, GroupForm, NatForm, NetworkForms, RouteTableForm, SubnetForm, TransitTableForm,
    VpcDeclaration,
};
use super::rules::{AclRule, GroupRuleText, RouteText};
use crate::simulator::ids;
use serde::Deserialize;

/// The VPC that Lambda says a function is in.
pub(in crate::simulator) const FUNCTION_VPC: &str = "vpc-0a1b2c3d";

/// A function's part in the network.
pub(in crate::simulator) struct FunctionPlace<'a> {
    pub(in crate::simulator) subnets: &'a [String],
    pub(in crate::simulator) groups: &'a [String],
}

/// The declared network with everything that was left out. One of which nothing is declared stays empty.
///
/// # Errors
/// A rule or a route that makes no sense, or an empty id, in words.
pub(in crate::simulator) fn complete(mut forms: NetworkForms, functions: &[FunctionPlace<'_>]) -> Result<NetworkForms, String> {
    if forms.is_empty() {
        return Ok(forms);
    }
    if forms.vpcs.is_empty() {
        forms.vpcs.push(by_id(FUNCTION_VPC)?);
    }
    let own = forms.vpcs.first().map(|vpc| vpc.id.clone()).unwrap_or_default();
    forms.name_the_only_vpc(&own);
    databases(&mut forms, functions)?;
    endpoints(&mut forms, functions, &own)?;
    for subnet in functions.iter().flat_map(|function| function.subnets) {
        forms.add_subnet(subnet, &own)?;
    }
    for group in functions.iter().flat_map(|function| function.groups) {
        forms.add_group(group, &own, &[])?;
    }
    way_out(&mut forms, &own)?;
    for vpc in forms.vpcs.clone() {
        tables_and_acls(&mut forms, &vpc.id)?;
    }
    transit_tables(&mut forms);
    number_subnets(&mut forms);
    check(&forms)?;
    Ok(forms)
}

impl NetworkForms {
    fn is_empty(&self) -> bool {
        self.vpcs.is_empty()
            && self.subnets.is_empty()
            && self.route_tables.is_empty()
            && self.nat_gateways.is_empty()
            && self.acls.is_empty()
            && self.groups.is_empty()
            && self.endpoints.is_empty()
            && self.peerings.is_empty()
            && self.attachments.is_empty()
            && self.transit_tables.is_empty()
            && self.prefix_lists.is_empty()
            && self.databases.is_empty()
    }

    fn name_the_only_vpc(&mut self, own: &str) {
        let places = (self.subnets.iter_mut().map(|form| &mut form.vpc))
            .chain(self.route_tables.iter_mut().map(|form| &mut form.vpc))
            .chain(self.nat_gateways.iter_mut().map(|form| &mut form.vpc))
            .chain(self.acls.iter_mut().map(|form| &mut form.vpc))
            .chain(self.groups.iter_mut().map(|form| &mut form.vpc))
            .chain(self.endpoints.iter_mut().map(|form| &mut form.vpc))
            .chain(self.attachments.iter_mut().map(|form| &mut form.vpc))
            .chain(self.databases.iter_mut().map(|form| &mut form.vpc));
        places.filter(|vpc| vpc.is_empty()).for_each(|vpc| own.clone_into(vpc));
    }

    fn add_subnet(&mut self, id: &str, vpc: &str) -> Result<(), String> {
        if !self.subnets.iter().any(|subnet| subnet.id == id) {
            self.subnets.push(SubnetForm { vpc: vpc.to_owned(), ..by_id(id)? });
        }
        Ok(())
    }

    fn add_group(&mut self, id: &str, vpc: &str, ingress: &[String]) -> Result<(), String> {
        if !self.groups.iter().any(|group| group.id == id) {
            self.groups.push(GroupForm { vpc: vpc.to_owned(), ingress: ingress.to_vec(), ..by_id(id)? });
        }
        Ok(())
    }
}

fn by_id<T: for<'de> Deserialize<'de>>(id: &str) -> Result<T, String> {
    let mut table = toml::Table::new();
    table.insert("id".into(), id.into());
    T::deserialize(table).map_err(|error| error.to_string())
}

fn made_up(prefix: &str, of: &str) -> String {
    format!("{prefix}-{}", ids::letters(of, "0123456789abcdef", 8))
}

fn databases(forms: &mut NetworkForms, functions: &[FunctionPlace<'_>]) -> Result<(), String> {
    for at in 0..forms.databases.len() {
        let Some(form) = forms.databases.get(at) else { continue };
        let (id, vpc, port) = (form.id.clone(), form.vpc.clone(), form.port());
        let subnets = form.subnets.clone().unwrap_or_else(|| vec![made_up("subnet", &id)]);
        let groups = form.groups.clone().unwrap_or_else(|| vec![made_up("sg", &id)]);
        for subnet in &subnets {
            forms.add_subnet(subnet, &vpc)?;
        }
        let from_functions = functions.iter().flat_map(|function| function.groups);
        let ingress: Vec<String> = from_functions.map(|group| format!("tcp {port} {group}")).collect();
        for group in &groups {
            forms.add_group(group, &vpc, &ingress)?;
        }
        if let Some(form) = forms.databases.get_mut(at) {
            *form = DatabaseForm { subnets: Some(subnets), groups: Some(groups), ..form.clone() };
        }
    }
    Ok(())
}

fn endpoints(forms: &mut NetworkForms, functions: &[FunctionPlace<'_>], own: &str) -> Result<(), String> {
    let of_functions: Vec<String> = functions.iter().flat_map(|function| function.subnets).cloned().collect();
    for at in 0..forms.endpoints.len() {
        let Some(form) = forms.endpoints.get(at).filter(|form| !form.gateway) else { continue };
        let (id, vpc) = (form.id.clone(), form.vpc.clone());
        let subnets = form.subnets.clone().unwrap_or_else(|| if vpc == own { of_functions.clone() } else { Vec::new() });
        let groups = form.groups.clone().unwrap_or_else(|| vec![made_up("sg", &id)]);
        let range = forms.vpcs.iter().find(|known| known.id == vpc).map_or_else(String::new, |known| known.cidr.clone());
        for group in &groups {
            forms.add_group(group, &vpc, &[format!("tcp 443 {range}")])?;
        }
        if let Some(form) = forms.endpoints.get_mut(at) {
            *form = EndpointForm { subnets: Some(subnets), groups: Some(groups), ..form.clone() };
        }
    }
    Ok(())
}

/// Where nothing is said about it, the functions reach AWS through a NAT gateway in a public subnet.
fn way_out(forms: &mut NetworkForms, own: &str) -> Result<(), String> {
    let is_declared = forms.route_tables.iter().any(|table| table.vpc == own)
        || forms.nat_gateways.iter().any(|gateway| gateway.vpc == own && gateway.subnet.is_empty())
        || forms.endpoints.iter().any(|endpoint| endpoint.vpc == own && !endpoint.gateway);
    if is_declared {
        return Ok(());
    }
    let (public, gateway, internet) = (made_up("subnet", "public"), made_up("nat", own), made_up("igw", own));
    forms.add_subnet(&public, own)?;
    let nat: NatForm = by_id(&gateway)?;
    if forms.nat_gateways.is_empty() {
        forms.nat_gateways.push(NatForm { vpc: own.to_owned(), subnet: public.clone(), ..nat });
    }
    let gateway = forms.nat_gateways.first().map_or(gateway, |gateway| gateway.id.clone());
    let table = |id: String| -> Result<RouteTableForm, String> { Ok(RouteTableForm { vpc: own.to_owned(), ..by_id(&id)? }) };
    forms.route_tables.push(RouteTableForm {
        subnets: vec![public],
        routes: vec![format!("0.0.0.0/0 {internet}")],
        ..table(made_up("rtb", "public"))?
    });
    forms.route_tables.push(RouteTableForm {
        main: true,
        routes: vec![format!("0.0.0.0/0 {gateway}")],
        ..table(made_up("rtb", own))?
    });
    Ok(())
}

/// Every VPC has a main route table and a default network ACL, which has the subnets that no other names.
fn tables_and_acls(forms: &mut NetworkForms, vpc: &str) -> Result<(), String> {
    if !forms.route_tables.iter().any(|table| table.vpc == vpc && table.main) {
        let table: RouteTableForm = by_id(&made_up("rtb", vpc))?;
        forms.route_tables.push(RouteTableForm { vpc: vpc.to_owned(), main: true, ..table });
    }
    let named: Vec<String> = forms.acls.iter().flat_map(|acl| acl.subnets.clone()).collect();
    let rest = forms.subnets.iter().filter(|subnet| subnet.vpc == vpc && !named.contains(&subnet.id));
    let rest: Vec<String> = rest.map(|subnet| subnet.id.clone()).collect();
    match forms.acls.iter_mut().find(|acl| acl.vpc == vpc && acl.default) {
        Some(acl) => acl.subnets.extend(rest),
        None => {
            let acl: AclForm = by_id(&made_up("acl", vpc))?;
            let has_ipv6 = forms.subnets.iter().any(|subnet| subnet.vpc == vpc && subnet.cidr6.is_some());
            let of_ipv6: &[&str] = if has_ipv6 { &["101 in allow all ::/0", "101 out allow all ::/0"] } else { &[] };
            let both = ["100 in allow all 0.0.0.0/0", "100 out allow all 0.0.0.0/0"];
            let entries = both.iter().chain(of_ipv6).map(|entry| (*entry).to_owned()).collect();
            forms.acls.push(AclForm { vpc: vpc.to_owned(), default: true, subnets: rest, entries, ..acl });
        }
    }
    Ok(())
}

/// A transit gateway associates what is attached with its default table, which leads to every attached VPC.
fn transit_tables(forms: &mut NetworkForms) {
    for at in 0..forms.attachments.len() {
        let Some(form) = forms.attachments.get(at).filter(|form| form.table.is_none()) else { continue };
        let (gateway, table) = (form.gateway.clone(), made_up("tgw-rtb", &form.gateway));
        if !forms.transit_tables.iter().any(|known| known.id == table) {
            let attached = forms.attachments.iter().filter(|one| one.gateway == gateway);
            let range = |vpc: &str| forms.vpcs.iter().find(|known| known.id == vpc).map(|known| known.cidr.clone());
            let routes = attached.filter_map(|one| Some(format!("{} {}", range(&one.vpc)?, one.id))).collect();
            forms.transit_tables.push(TransitTableForm { id: table.clone(), routes });
        }
        if let Some(form) = forms.attachments.get_mut(at) {
            form.table = Some(table);
        }
    }
}

/// Gives every subnet a range of its own in its VPC, and the zones in turn.
fn number_subnets(forms: &mut NetworkForms) {
    for VpcDeclaration { id, cidr, .. } in &forms.vpcs {
        let leading: Vec<&str> = cidr.split('.').take(2).collect();
        let of_vpc = forms.subnets.iter_mut().filter(|subnet| subnet.vpc == *id);
        for (nth, subnet) in of_vpc.enumerate() {
            if subnet.cidr.is_empty() {
                subnet.cidr = format!("{}.{}.0/24", leading.join("."), nth + 1);
            }
            if subnet.zone.is_empty() {
                subnet.zone = if nth % 2 == 0 { "a" } else { "b" }.to_owned();
            }
        }
    }
}

fn check(forms: &NetworkForms) -> Result<(), String> {
    for rule in forms.groups.iter().flat_map(|group| group.ingress.iter().chain(&group.egress)) {
        GroupRuleText::parse(rule)?;
    }
    for entry in forms.acls.iter().flat_map(|acl| &acl.entries) {
        AclRule::parse(entry)?;
    }
    for route in forms.route_tables.iter().flat_map(|table| &table.routes) {
        RouteText::parse(route)?;
    }
    let is_known = |vpc: &str| forms.vpcs.iter().any(|known| known.id == vpc);
    let places = forms.subnets.iter().map(|form| &form.vpc).chain(forms.databases.iter().map(|form| &form.vpc));
    match places.into_iter().find(|vpc| !is_known(vpc)) {
        Some(vpc) => Err(format!("no [[vpc]] is named `{vpc}`")),
        None => Ok(()),
    }
}
