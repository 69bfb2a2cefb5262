//! The account's networks and databases, as a scenario declares them; what it leaves out is there and lets everything through.
//!
//! A scenario without any of these tables has no network that could be seen: every list is empty.

mod commands;
mod complete;
mod forms;
mod reach;
mod rules;

pub(super) use commands::carry_out;
pub(super) use complete::{FUNCTION_VPC, FunctionPlace, complete};
pub(super) use forms::{
    AclForm, AttachmentForm, DatabaseForm, DatabaseKindForm, EndpointForm, GroupForm, NatForm, NetworkForms, PeeringForm,
    PrefixListForm, RouteTableForm, SubnetForm, TransitTableForm, VpcDeclaration,
};
pub(super) use reach::{FunctionInVpc, to_database, to_secrets_manager};
pub(super) use rules::{AclRule, GroupRuleText, Peer, RouteText};
