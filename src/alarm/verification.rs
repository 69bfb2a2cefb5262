//! Whether a message is authentic: from a topic we believe, fresh, signed by SNS.

use super::certificate::is_certificate_url;
use super::certificates::Certificates;
use super::envelope::{Envelope, SignatureVersion};
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::config::{Sns, Topic};
use jiff::SignedDuration;
use std::time::Duration;

/// How far ahead of ours SNS's clock may be.
const FUTURE: SignedDuration = SignedDuration::from_mins(5);

/// Verifies messages.
#[derive(Debug)]
pub(super) struct Verification {
    sns: Sns,
    clock: Clock,
    certificates: Certificates,
}

impl Verification {
    /// `client` fetches certificates and must not follow redirects.
    pub(super) fn new(sns: Sns, clock: Clock, client: reqwest::Client, fetch_deadline: Duration) -> Verification {
        let certificates = Certificates::new(client, sns.certificate_origin.clone(), fetch_deadline);
        Verification { sns, clock, certificates }
    }

    /// The topic an authentic message is from. What needs no look outside comes first: nothing is fetched for a message
    /// that would be refused anyway.
    pub(super) async fn verify(&self, envelope: &Envelope) -> Result<&Topic, Refusal> {
        let topic = self.sns.topics.iter().find(|topic| *topic.arn() == envelope.topic).ok_or(Refusal::UnknownTopic)?;
        if envelope.version == SignatureVersion::One && !self.sns.accepts_version_1 {
            return Err(Refusal::VersionOne);
        }
        self.check_age(envelope)?;
        if !is_certificate_url(&envelope.certificate_url, topic) {
            return Err(Refusal::CertificateAddress);
        }
        let certificate = self.certificates.get(&envelope.certificate_url).await?;
        if !certificate.is_of_sns(topic) {
            return Err(Refusal::CertificateName);
        }
        if !certificate.is_valid_at(self.clock.now()) {
            return Err(Refusal::CertificateExpired);
        }
        if !certificate.verifies(envelope.version, &envelope.signed_text(), &envelope.signature) {
            return Err(Refusal::Signature);
        }
        Ok(topic)
    }

    fn check_age(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let age = self.clock.now().duration_since(envelope.sent.at);
        if age < -FUTURE {
            return Err(Refusal::FromTheFuture);
        }
        if SignedDuration::try_from(self.sns.max_age).is_ok_and(|longest| age > longest) {
            return Err(Refusal::TooOld);
        }
        Ok(())
    }
}
