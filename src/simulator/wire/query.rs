//! AWS Query: a form with `Action=…`, answered in XML; and EC2's own form of it.

use super::{Service, Shape, WireError, WireRequest, response};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use quick_xml::escape::escape;
use serde_json::{Map, Value};
use std::fmt::Write;

const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The form as a tree: `A.member.2.B=x` becomes `{"A": [.., {"B": "x"}]}`.
pub(super) fn parse_form(body: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in body.split('&').filter_map(|pair| pair.split_once('=')) {
        insert(&mut root, &decode(name), decode(value));
    }
    lists_from_members(root)
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn insert(root: &mut Value, path: &str, value: String) {
    let mut node = root;
    for segment in path.split('.') {
        if !node.is_object() {
            *node = Value::Object(Map::new());
        }
        let Some(members) = node.as_object_mut() else {
            return;
        };
        node = members.entry(segment).or_insert(Value::Null);
    }
    *node = Value::String(value);
}

/// A structure whose only member is `member` is a list, ordered by its indexes.
fn lists_from_members(node: Value) -> Value {
    let Value::Object(mut members) = node else {
        return node;
    };
    if members.len() == 1
        && let Some(Value::Object(items)) = members.get_mut("member")
    {
        let mut items: Vec<(usize, Value)> = std::mem::take(items)
            .into_iter()
            .filter_map(|(index, item)| Some((index.parse().ok()?, lists_from_members(item))))
            .collect();
        items.sort_by_key(|(index, _)| *index);
        return Value::Array(items.into_iter().map(|(_, item)| item).collect());
    }
    Value::Object(members.into_iter().map(|(name, member)| (name, lists_from_members(member))).collect())
}

pub(super) fn respond(request: &WireRequest, result: &Result<Shape, WireError>) -> Response {
    let namespace = request.service.xml_namespace();
    let operation = &request.operation;
    let mut xml = String::new();
    let status = match result {
        Ok(shape) => {
            let mut body = String::new();
            write_xml(&mut body, shape, item_of(request.service, ""), request.service);
            _ = match request.service {
                Service::Ec2 => write!(
                    xml,
                    "<{operation}Response xmlns=\"{namespace}\"><requestId>{REQUEST_ID}</requestId>{body}</{operation}Response>"
                ),
                _ => write!(
                    xml,
                    "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{body}</{operation}Result>\
                     <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
                ),
            };
            200
        }
        Err(refusal) => {
            let blame = if refusal.status < 500 { "Sender" } else { "Receiver" };
            let (code, message) = (escape(&refusal.code), escape(&refusal.message));
            _ = match request.service {
                Service::Ec2 => write!(
                    xml,
                    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
                     <RequestID>{REQUEST_ID}</RequestID></Response>"
                ),
                _ => write!(
                    xml,
                    "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{blame}</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
                ),
            };
            refusal.status
        }
    };
    response(status, "text/xml", &[], xml.into())
}

/// What the elements of the list `name` are called.
fn item_of(service: Service, name: &str) -> &'static str {
    match (service, name) {
        (Service::Ec2, _) => "item",
        (Service::Rds, "DBInstances") => "DBInstance",
        (Service::Rds, "DBClusters") => "DBCluster",
        (Service::Rds, "DBClusterMembers") => "DBClusterMember",
        (Service::Rds, "DBParameterGroups") => "DBParameterGroup",
        (Service::Rds, "Parameters") => "Parameter",
        (Service::Rds, "Subnets") => "Subnet",
        (Service::Rds, "VpcSecurityGroups") => "VpcSecurityGroupMembership",
        _ => "member",
    }
}

fn write_xml(xml: &mut String, shape: &Shape, item: &str, service: Service) {
    match shape {
        Shape::Absent => {}
        Shape::Bool(value) => _ = write!(xml, "{value}"),
        Shape::Integer(value) => _ = write!(xml, "{value}"),
        Shape::Float(value) => _ = write!(xml, "{value}"),
        Shape::Text(value) => xml.push_str(&escape(value)),
        Shape::Timestamp(at) => _ = write!(xml, "{}", at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        Shape::List(items) => {
            for one in items {
                _ = write!(xml, "<{item}>");
                write_xml(xml, one, item, service);
                _ = write!(xml, "</{item}>");
            }
        }
        Shape::Structure(members) => {
            for (name, value) in members {
                _ = write!(xml, "<{name}>");
                write_xml(xml, value, item_of(service, name), service);
                _ = write!(xml, "</{name}>");
            }
        }
    }
}
