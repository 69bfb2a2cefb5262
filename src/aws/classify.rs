//! The one place where a failed request becomes an observation.
//!
//! By error *code*, never by HTTP status: AWS throttles with 400 as well as 429, and refuses with 400 as well as 403.

use crate::model::{Denial, Observation, excerpt};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// The longest text of an error that is kept, in characters.
const MAX_ERROR_CHARS: usize = 600;

/// What was asked: everything a sentence about its failure needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct AskedCall<'a> {
    /// `service:Operation`, which is also the IAM action.
    pub(super) call: &'static str,
    /// What it was asked of; `*` where the action has no resource.
    pub(super) resource: &'a str,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
}

/// The observation a failed request makes.
pub(super) fn classify<T, E, R>(question: AskedCall<'_>, error: &SdkError<E, R>) -> Observation<T>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let call = question.call;
    match error {
        SdkError::TimeoutError(_) => Observation::TimedOut { after_ms: question.took_ms },
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Observation::TimedOut { after_ms: question.took_ms },
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            let chain = bounded(&root_of(error));
            if chain.to_ascii_lowercase().contains("credential") {
                Observation::Failed { error: format!("our own credentials could not be loaded for {call}: {chain}") }
            } else {
                Observation::Failed { error: format!("{call} could not be sent: {chain}") }
            }
        }
        SdkError::ResponseError(_) => Observation::Failed { error: format!("the answer of {call} could not be read") },
        SdkError::ServiceError(_) => match error.code() {
            Some(code) => by_code(question, code, error.message().unwrap_or_default()),
            None => Observation::Failed { error: format!("{call} failed with an answer that names no error") },
        },
        _ => Observation::Failed { error: format!("{call} failed: {}", bounded(&root_of(error))) },
    }
}

/// The innermost error, which says what really happened.
fn root_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

fn bounded(text: &str) -> String {
    excerpt(text, MAX_ERROR_CHARS).to_owned()
}

fn by_code<T>(question: AskedCall<'_>, code: &str, message: &str) -> Observation<T> {
    // `Client.` and `#`: EC2's and some JSON services' prefixes of the same codes.
    let code = code.rsplit(['.', '#']).next().unwrap_or(code);
    let AskedCall { call, resource, .. } = question;
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException"
        | "SlowDown" => Observation::Throttled { call: call.to_owned() },

        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnauthorizedAccess"
        | "UnauthorizedException"
        | "NotAuthorized"
        | "NotAuthorizedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "KMSAccessDeniedException" => Observation::Denied(denial(call, resource, message)),

        "ResourceNotFoundException"
        | "ResourceNotFound"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "NotFoundException"
        | "NotFound"
        | "NoSuchResourceException"
        // RDS names the thing, and some with `Fault`.
        | "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "DBClusterNotFoundFault"
        | "DBProxyNotFoundFault"
        | "DBParameterGroupNotFound"
        | "DBClusterParameterGroupNotFound" => Observation::NoData { searched: format!("{call}: there is no {resource}") },

        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            Observation::Failed { error: format!("our own credentials have expired ({code} on {call}); sign in again and rerun") }
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "NotSignedUp" => Observation::Failed {
            error: format!(
                "AWS does not accept our own credentials ({code} on {call}); check the profile, and that the region is enabled for the account"
            ),
        },
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Observation::Failed {
            error: format!(
                "this machine's clock differs from that of AWS ({code} on {call}: {}); correct it and rerun",
                bounded(message)
            ),
        },
        "SignatureDoesNotMatch" | "InvalidSignatureException" => Observation::Failed {
            error: format!(
                "AWS does not accept our own signature ({code} on {call}: {}); check the secret access key and this machine's clock",
                bounded(message)
            ),
        },
        "SubscriptionRequiredException" => Observation::Failed {
            error:
                "not available: AWS Health answers only accounts with a Business, Enterprise On-Ramp or Enterprise support plan"
                    .to_owned(),
        },
        _ if message.is_empty() => Observation::Failed { error: format!("{call} failed with {code}") },
        _ => Observation::Failed { error: format!("{call} failed with {code}: {}", bounded(message)) },
    }
}

/// The permission that is missing: the one AWS names, which may be another than that of the call (a key, a role).
fn denial(call: &str, resource: &str, message: &str) -> Denial {
    if let Some(rest) = message.split("not authorized to perform: ").nth(1) {
        let mut words = rest.split_whitespace();
        let action = words.next().unwrap_or(call).trim_end_matches(['.', ',']);
        let named = rest.split("on resource: ").nth(1).and_then(|rest| rest.split_whitespace().next());
        if action.contains(':') {
            let named = named.map(|text| text.trim_end_matches(['.', ',']).trim_matches('"')).filter(|text| !text.is_empty());
            return Denial { action: action.to_owned(), resource: named.unwrap_or(resource).to_owned() };
        }
    }
    let action = if message.contains("KMS") && !call.starts_with("kms:") { "kms:Decrypt" } else { call };
    Denial { action: action.to_owned(), resource: resource.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: AskedCall<'_> = AskedCall { call: "logs:FilterLogEvents", resource: "log group /aws/lambda/f", took_ms: 12 };

    fn status(code: &str) -> &'static str {
        by_code::<()>(ASKED, code, "no reason given").status()
    }

    #[test]
    fn every_way_to_throttle_refuse_and_miss_is_told_apart_by_code() {
        for (code, expected) in [
            ("ThrottlingException", "throttled"),
            ("TooManyRequestsException", "throttled"),
            ("Client.RequestLimitExceeded", "throttled"),
            ("AccessDenied", "denied"),
            ("AccessDeniedException", "denied"),
            ("Client.UnauthorizedOperation", "denied"),
            ("com.amazonaws.kms#AccessDeniedException", "denied"),
            ("ResourceNotFoundException", "no_data"),
            ("NoSuchEntity", "no_data"),
            ("InvalidGroup.NotFound", "no_data"),
            ("DBInstanceNotFound", "no_data"),
            ("DBClusterNotFoundFault", "no_data"),
            ("UnauthorizedOperation", "denied"),
            ("ExpiredToken", "failed"),
            ("SubscriptionRequiredException", "failed"),
            ("InternalServiceError", "failed"),
            ("SomethingNew", "failed"),
        ] {
            assert_eq!(status(code), expected, "{code}");
        }
    }

    #[test]
    fn credentials_and_clock_are_called_our_own_fault() {
        for (code, words) in [
            ("ExpiredTokenException", "our own credentials have expired"),
            ("UnrecognizedClientException", "does not accept our own credentials"),
            ("RequestExpired", "this machine's clock"),
            ("SignatureDoesNotMatch", "our own signature"),
        ] {
            match by_code::<()>(ASKED, code, "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z") {
                Observation::Failed { error } => assert!(error.contains(words), "{error}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_denial_names_the_permission_aws_names() {
        let message = "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: kms:Decrypt on resource: \
                       arn:aws:kms:eu-west-1:123456789012:key/1 because no identity-based policy allows the kms:Decrypt action";
        assert_eq!(
            denial("logs:FilterLogEvents", "log group g", message),
            Denial { action: "kms:Decrypt".to_owned(), resource: "arn:aws:kms:eu-west-1:123456789012:key/1".to_owned() }
        );
        assert_eq!(denial("lambda:GetPolicy", "f", "no").action, "lambda:GetPolicy");
        assert_eq!(denial("logs:FilterLogEvents", "g", "Access to KMS is not allowed").action, "kms:Decrypt");
    }
}
