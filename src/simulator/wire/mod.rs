//! The wire protocols of AWS: one request form and one reply form, written in five dialects.
//!
//! Operations see a [`WireRequest`] whose parameters are a JSON tree, and answer with a [`Shape`] or a [`WireError`].
//! Source of names, shapes and dialects: the service models in botocore.

pub(crate) mod cbor;
pub(crate) mod json11;
mod parameters;
pub(crate) mod query;
pub(crate) mod rest;
mod rest_path;
mod route;
mod service;
mod shape;

pub(crate) use parameters::Parameters;
pub(crate) use route::parse;
pub(crate) use service::Service;
pub(crate) use shape::Shape;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// How an operation's parameters and answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json10,
    Json11,
    RestJson,
    Query,
    Cbor,
}

/// One call, freed from its dialect.
#[derive(Debug, Clone)]
pub(crate) struct WireRequest {
    pub(crate) protocol: Protocol,
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// From the credential scope of the signature, which is not verified.
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) parameters: serde_json::Value,
}

impl WireRequest {
    /// The IAM action that this call needs, such as `secretsmanager:DescribeSecret`.
    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service.iam_prefix(), self.operation)
    }

    pub(crate) fn parameters(&self) -> Parameters<'_> {
        Parameters::new(&self.parameters)
    }
}

/// An error as AWS answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) code: String,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl WireError {
    /// A refusal that blames the caller (HTTP 400).
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        WireError { code: code.into(), status: 400, message: message.into() }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// The answer to `request`, in the dialect it was asked in.
pub(crate) fn respond(request: &WireRequest, result: &Result<Shape, WireError>) -> Response {
    match request.protocol {
        Protocol::Json10 | Protocol::Json11 => json11::respond(request, result),
        Protocol::RestJson => rest::respond(result),
        Protocol::Query => query::respond(request, result),
        Protocol::Cbor => cbor::respond(result),
    }
}

/// A response with `body`; a header whose value is not valid ASCII is left out.
fn response(status: u16, content_type: &'static str, extra: &[(&'static str, String)], body: Vec<u8>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert("x-amzn-requestid", HeaderValue::from_static("00000000-0000-4000-8000-000000000000"));
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(*name, value);
        }
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, body).into_response()
}
