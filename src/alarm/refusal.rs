//! Why a message is not taken, and by whose fault: that decides whether SNS tries again.
//!
//! Source: SNS Developer Guide, "Message delivery retries": server errors are tried again, client errors are not. So an
//! alarm that we cannot take now, or cannot judge because of a fault between us and AWS, is answered with 503.

use super::certificates::NoCertificate;
use super::envelope::Malformed;
use axum::http::StatusCode;

/// Why a message is not taken. No text of the sender is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageRefusal {
    #[error("the body is larger than SNS's messages are")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the body broke off")]
    BrokenOff,
    #[error("raw message delivery is on for the subscription: turn it off, so that messages come with their signature")]
    Raw,
    #[error("it is malformed: {0}")]
    Malformed(#[from] Malformed),
    #[error("the header x-amz-sns-message-type says another type than the body")]
    HeaderDiffers,
    #[error("its topic is not in alarms.sns.topics")]
    UnknownTopic,
    #[error(
        "its signature is of version 1: set the topic's attribute SignatureVersion to 2, or allow \"1\" in signature_versions"
    )]
    VersionOne,
    #[error("it is older than alarms.sns.max_age_minutes allows")]
    TooOld,
    #[error("it is from the future: this machine's clock may be wrong")]
    FromTheFuture,
    #[error("its certificate's address is not one of SNS")]
    CertificateAddress,
    #[error("its certificate is not valid now")]
    CertificateExpired,
    #[error("its certificate is not made out to SNS")]
    CertificateName,
    #[error("its signature is wrong")]
    Signature,
    #[error("it cannot be judged: {0}")]
    NoCertificate(#[from] NoCertificate),
    #[error("too many messages are being read")]
    Busy,
    #[error("it could not be stored")]
    NotKept,
    #[error("its subscription could not be confirmed")]
    NotConfirmed,
}

impl MessageRefusal {
    /// The answer's status.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            MessageRefusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            MessageRefusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            MessageRefusal::BrokenOff | MessageRefusal::Raw | MessageRefusal::Malformed(_) | MessageRefusal::HeaderDiffers => {
                StatusCode::BAD_REQUEST
            }
            MessageRefusal::UnknownTopic
            | MessageRefusal::VersionOne
            | MessageRefusal::TooOld
            | MessageRefusal::FromTheFuture
            | MessageRefusal::CertificateAddress
            | MessageRefusal::CertificateExpired
            | MessageRefusal::CertificateName
            | MessageRefusal::Signature => StatusCode::FORBIDDEN,
            MessageRefusal::NoCertificate(_) | MessageRefusal::Busy | MessageRefusal::NotKept | MessageRefusal::NotConfirmed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}
