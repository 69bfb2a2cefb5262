//! Whether a message is authentic: from a topic we believe, fresh, signed by SNS.

use super::certificate::is_certificate_url;
use super::certificates::{Certificates, Fetched};
use super::envelope::{SignatureVersion, SnsEnvelope};
use super::intake::{NoticeIntake, Unavailable};
use super::limits::EndpointLimits;
use super::refusal::MessageRefusal;
use crate::clock::Clock;
use crate::config::{Sns, Topic};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How far ahead of ours SNS's clock may be.
const FUTURE: SignedDuration = SignedDuration::from_mins(5);

/// Verifies messages.
pub(super) struct Verification {
    sns: Sns,
    clock: Clock,
    certificates: Certificates,
    /// Keeps certificates across restarts.
    intake: Arc<dyn NoticeIntake>,
    /// How long that may take.
    patience: Duration,
    loaded: OnceCell<()>,
}

impl std::fmt::Debug for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verification").field("sns", &self.sns).field("certificates", &self.certificates).finish_non_exhaustive()
    }
}

impl Verification {
    /// `client` fetches certificates and must not follow redirects.
    pub(super) fn new(
        sns: Sns,
        clock: Clock,
        client: reqwest::Client,
        limits: EndpointLimits,
        intake: Arc<dyn NoticeIntake>,
    ) -> Verification {
        let certificates = Certificates::new(client, sns.certificate_origin.clone(), limits.certificate, clock);
        Verification { sns, clock, certificates, intake, patience: limits.intake, loaded: OnceCell::new() }
    }

    /// The topic an authentic message is from. What needs no look outside comes first: nothing is fetched for a message
    /// that would be refused anyway.
    pub(super) async fn verify(&self, envelope: &SnsEnvelope) -> Result<&Topic, MessageRefusal> {
        let topic = self.sns.topics.iter().find(|topic| *topic.arn() == envelope.topic).ok_or(MessageRefusal::UnknownTopic)?;
        if envelope.version == SignatureVersion::One && !self.sns.accepts_version_1 {
            return Err(MessageRefusal::VersionOne);
        }
        check_age(self.clock.now().duration_since(envelope.sent.at), self.sns.max_age)?;
        if !is_certificate_url(&envelope.certificate_url, topic) {
            return Err(MessageRefusal::CertificateAddress);
        }
        self.load().await;
        let fetched = self.certificates.get(&envelope.certificate_url).await?;
        let certificate = &fetched.certificate;
        if !certificate.is_of_sns(topic) {
            return Err(MessageRefusal::CertificateName);
        }
        if !certificate.is_valid_at(self.clock.now()) {
            return Err(MessageRefusal::CertificateExpired);
        }
        if !certificate.verifies(envelope.version, &envelope.signed_text(), &envelope.signature) {
            return Err(MessageRefusal::Signature);
        }
        self.keep(&fetched).await;
        Ok(topic)
    }

    /// Takes over the certificates that were kept before the restart. Where they cannot be read now, the next message tries.
    async fn load(&self) {
        let loading = async {
            let known = tokio::time::timeout(self.patience, self.intake.known_certificates()).await;
            let known = known.unwrap_or(Err(Unavailable))?;
            self.certificates.load(known);
            Ok::<(), Unavailable>(())
        };
        let _ = self.loaded.get_or_try_init(|| loading).await;
    }

    /// Keeps the certificate of an authentic message across restarts.
    async fn keep(&self, fetched: &Arc<Fetched>) {
        let Some(known) = self.certificates.is_good(fetched) else { return };
        let address = known.address.clone();
        let kept = tokio::time::timeout(self.patience, self.intake.keep_certificate(known)).await;
        if !matches!(kept, Ok(Ok(()))) {
            self.certificates.is_not_kept(&address);
        }
    }
}

/// Judges what was sent `age` ago, of which the `longest` is still taken.
fn check_age(age: SignedDuration, longest: Duration) -> Result<(), MessageRefusal> {
    if age < -FUTURE {
        return Err(MessageRefusal::FromTheFuture);
    }
    if SignedDuration::try_from(longest).is_ok_and(|longest| age > longest) {
        return Err(MessageRefusal::TooOld);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_old_or_as_early_as_is_taken_is_taken_and_not_a_moment_more() {
        let (hour, moment) = (SignedDuration::from_hours(1), SignedDuration::from_nanos(1));
        for (age, expected) in [
            (hour, Ok(())),
            (hour + moment, Err(MessageRefusal::TooOld)),
            (SignedDuration::ZERO, Ok(())),
            (-FUTURE, Ok(())),
            (-FUTURE - moment, Err(MessageRefusal::FromTheFuture)),
        ] {
            assert_eq!(check_age(age, hour.unsigned_abs()), expected, "{age:?}");
        }
        assert_eq!(check_age(SignedDuration::MAX, Duration::MAX), Ok(()), "without an end none is too old");
    }
}
