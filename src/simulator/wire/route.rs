//! Which service, operation and region a request is for.

use super::{Protocol, WireRequest, cbor, query, rest_path};
use axum::http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use serde_json::{Map, Value};

/// The services the simulator plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Logs,
    CloudTrail,
    Kms,
    Health,
    Lambda,
    Iam,
    Sts,
    CloudWatch,
    Ec2,
    Rds,
}

impl Service {
    const ALL: [Service; 11] = [
        Service::SecretsManager,
        Service::Logs,
        Service::CloudTrail,
        Service::Kms,
        Service::Health,
        Service::Lambda,
        Service::Iam,
        Service::Sts,
        Service::CloudWatch,
        Service::Ec2,
        Service::Rds,
    ];

    /// The prefix of its actions in policies.
    pub(crate) const fn iam_prefix(self) -> &'static str {
        match self {
            Service::SecretsManager => "secretsmanager",
            Service::Logs => "logs",
            Service::CloudTrail => "cloudtrail",
            Service::Kms => "kms",
            Service::Health => "health",
            Service::Lambda => "lambda",
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::CloudWatch => "cloudwatch",
            Service::Ec2 => "ec2",
            Service::Rds => "rds",
        }
    }

    /// Its name in the credential scope of a signature.
    const fn signing_name(self) -> &'static str {
        match self {
            Service::CloudWatch => "monitoring",
            other => other.iam_prefix(),
        }
    }

    const fn target_prefix(self) -> Option<&'static str> {
        match self {
            Service::SecretsManager => Some("secretsmanager"),
            Service::Logs => Some("Logs_20140328"),
            Service::CloudTrail => Some("CloudTrail_20131101"),
            Service::Kms => Some("TrentService"),
            Service::Health => Some("AWSHealth_20160804"),
            Service::CloudWatch => Some("GraniteServiceVersion20100801"),
            Service::Lambda | Service::Iam | Service::Sts | Service::Ec2 | Service::Rds => None,
        }
    }

    /// botocore writes CloudTrail's prefix with its Java package in front, the Rust SDK without.
    fn of_target(prefix: &str) -> Option<Self> {
        let prefix = prefix.rsplit('.').next()?;
        Service::ALL.into_iter().find(|service| service.target_prefix() == Some(prefix))
    }

    pub(super) const fn xml_namespace(self) -> &'static str {
        match self {
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Rds => "http://rds.amazonaws.com/doc/2014-10-31/",
            _ => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        }
    }
}

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
