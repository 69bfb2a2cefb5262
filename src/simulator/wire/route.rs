//! Which service, operation and region a request is for.

use super::{Protocol, Service, WireRequest, cbor, query, rest_path};
use axum::http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use serde_json::{Map, Value};

/// Reads one HTTP request; `Err` says what no AWS service would understand about it.
pub(crate) fn parse(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<WireRequest, &'static str> {
    let scope = CredentialScope::of(headers).ok_or("no AWS Signature Version 4 credential scope")?;
    let text = || std::str::from_utf8(body).map_err(|_| "the body is not UTF-8");
    let (protocol, service, operation, parameters) =
        if let Some((prefix, operation)) = uri.path().strip_prefix("/service/").and_then(|path| path.split_once("/operation/")) {
            let service = Service::of_target(prefix).ok_or("the path names no service known here")?;
            let parameters = cbor::parse(body).ok_or("the body is not CBOR")?;
            (Protocol::Cbor, service, operation.to_owned(), parameters)
        } else if let Some(target) = headers.get("x-amz-target").and_then(|value| value.to_str().ok()) {
            let (prefix, operation) = target.rsplit_once('.').ok_or("X-Amz-Target has no dot")?;
            let service = Service::of_target(prefix).ok_or("X-Amz-Target names no service known here")?;
            let protocol = if service == Service::CloudWatch { Protocol::Json10 } else { Protocol::Json11 };
            let parameters = if body.is_empty() {
                Value::Object(Map::new())
            } else {
                serde_json::from_slice(body).map_err(|_| "the body is not JSON")?
            };
            (protocol, service, operation.to_owned(), parameters)
        } else if scope.service == Service::Lambda {
            let (operation, parameters) = rest_path::operation(method, uri);
            (Protocol::RestJson, Service::Lambda, operation, parameters)
        } else {
            let parameters = query::parse_form(text()?);
            let operation = parameters.get("Action").and_then(Value::as_str).ok_or("the form has no Action")?.to_owned();
            (Protocol::Query, scope.service, operation, parameters)
        };
    if service != scope.service {
        return Err("the request is signed for another service");
    }
    Ok(WireRequest { protocol, service, operation, region: scope.region, access_key: scope.access_key, parameters })
}

struct CredentialScope {
    access_key: String,
    region: String,
    service: Service,
}

impl CredentialScope {
    /// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`
    fn of(headers: &HeaderMap) -> Option<Self> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        let (scope, _) = credential.split_once(',')?;
        let mut parts = scope.split('/');
        let access_key = parts.next()?.to_owned();
        let region = parts.nth(1)?.to_owned();
        let name = parts.next()?;
        let service = Service::ALL.into_iter().find(|service| service.signing_name() == name)?;
        Some(CredentialScope { access_key, region, service })
    }
}
