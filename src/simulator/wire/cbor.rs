//! Smithy RPC v2 CBOR, the only dialect of the Rust SDK's clients for CloudWatch and Health.

use super::{Shape, WireError, response};
use axum::response::Response;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

/// CBOR tag 1: seconds since the epoch (RFC 8949, section 3.4.2).
const EPOCH_TIME: u64 = 1;

pub(super) fn respond(result: &Result<Shape, WireError>) -> Response {
    let protocol = ("smithy-protocol", "rpc-v2-cbor".to_owned());
    let (status, extra, value) = match result {
        Ok(shape) => (200, vec![protocol], to_cbor(shape)),
        Err(refusal) => (
            refusal.status,
            vec![protocol, ("x-amzn-query-error", format!("{};Sender", refusal.code))],
            to_cbor(&Shape::structure().with("__type", &refusal.code).with("message", &refusal.message)),
        ),
    };
    let mut body = Vec::new();
    // Writing to memory fails only for want of memory.
    _ = ciborium::into_writer(&value, &mut body);
    response(status, "application/cbor", &extra, body)
}

fn to_cbor(shape: &Shape) -> Cbor {
    match shape {
        Shape::Absent => Cbor::Null,
        Shape::Bool(value) => Cbor::Bool(*value),
        Shape::Integer(value) => Cbor::Integer((*value).into()),
        Shape::Float(value) => Cbor::Float(*value),
        Shape::Text(value) => Cbor::Text(value.clone()),
        Shape::Timestamp(at) => Cbor::Tag(EPOCH_TIME, Box::new(Cbor::Integer(at.as_second().into()))),
        Shape::List(items) => Cbor::Array(items.iter().map(to_cbor).collect()),
        Shape::Structure(members) => {
            Cbor::Map(members.iter().map(|(name, value)| (Cbor::Text(name.clone()), to_cbor(value))).collect())
        }
    }
}

/// The body as a JSON tree; `None` where it is not CBOR.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(Map::new()));
    }
    from_cbor(ciborium::from_reader(body).ok()?)
}

fn from_cbor(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(value) => Value::Bool(value),
        Cbor::Integer(value) => Value::Number(i64::try_from(value).ok()?.into()),
        Cbor::Float(value) => Value::Number(Number::from_f64(value)?),
        Cbor::Text(value) => Value::String(value),
        Cbor::Tag(EPOCH_TIME, value) => from_cbor(*value)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(from_cbor).collect::<Option<_>>()?),
        Cbor::Map(members) => Value::Object(
            members.into_iter().map(|(name, value)| Some((name.into_text().ok()?, from_cbor(value)?))).collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}
