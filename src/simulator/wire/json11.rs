//! AWS JSON 1.0 and 1.1: one path, the operation in `X-Amz-Target`.

use super::{Protocol, Service, Shape, WireError, WireRequest, response};
use axum::response::Response;
use serde_json::{Map, Number, Value};

pub(super) fn respond(request: &WireRequest, result: &Result<Shape, WireError>) -> Response {
    let content_type = match request.protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    match result {
        Ok(shape) => response(200, content_type, &[], to_json(shape).to_string().into()),
        Err(refusal) => {
            // Secrets Manager and every access refusal write "Message", the others "message".
            let key = if request.service == Service::SecretsManager || refusal.code.starts_with("AccessDenied") {
                "Message"
            } else {
                "message"
            };
            let body = serde_json::json!({ "__type": refusal.code, key: refusal.message });
            let mut extra = vec![("x-amzn-errortype", refusal.code.clone())];
            if request.protocol == Protocol::Json10 {
                extra.push(("x-amzn-query-error", format!("{};Sender", refusal.code)));
            }
            response(refusal.status, content_type, &extra, body.to_string().into())
        }
    }
}

/// Timestamps are seconds since the epoch, with milliseconds.
pub(super) fn to_json(shape: &Shape) -> Value {
    match shape {
        Shape::Absent => Value::Null,
        Shape::Bool(value) => Value::Bool(*value),
        Shape::Integer(value) => Value::Number((*value).into()),
        Shape::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Shape::Text(value) => Value::String(value.clone()),
        Shape::Timestamp(at) => {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium are exact in a double")]
            let seconds = at.as_millisecond() as f64 / 1000.0;
            Number::from_f64(seconds).map_or(Value::Null, Value::Number)
        }
        Shape::List(items) => Value::Array(items.iter().map(to_json).collect()),
        Shape::Structure(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), to_json(value))).collect::<Map<_, _>>())
        }
    }
}
