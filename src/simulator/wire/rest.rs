//! REST-JSON, as Lambda answers in it.

use super::{Shape, WireError, json11::to_json, response};
use axum::response::Response;

pub(super) fn respond(result: &Result<Shape, WireError>) -> Response {
    const CONTENT_TYPE: &str = "application/json";
    match result {
        Ok(shape) => response(200, CONTENT_TYPE, &[], to_json(shape).to_string().into()),
        Err(refusal) => {
            let body = serde_json::json!({ "Type": "User", "Message": refusal.message });
            let extra = [("x-amzn-errortype", refusal.code.clone())];
            response(refusal.status, CONTENT_TYPE, &extra, body.to_string().into())
        }
    }
}
