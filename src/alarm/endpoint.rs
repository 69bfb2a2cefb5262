//! `POST /sns`: parse, verify, keep, acknowledge. Answers have no body, and log lines no content.

use super::delivered::Delivered;
use super::envelope::{EnvelopeContent, SnsEnvelope};
use super::intake::{AcceptedNotice, NoticeIntake, Subscriptions, Unavailable};
use super::limits::{EndpointLimits, MAX_BODY_BYTES};
use super::message::{self, Notice};
use super::refusal::MessageRefusal;
use super::refusals::OnceAMinute;
use super::verification::Verification;
use crate::clock::Clock;
use crate::config::{Sns, Topic};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long connecting to the certificate's host may take, within the five seconds for all of it.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// Takes messages of SNS over HTTP.
pub struct Endpoint {
    verification: Verification,
    intake: Arc<dyn NoticeIntake>,
    subscriptions: Arc<dyn Subscriptions>,
    /// A permit for each byte.
    room: Semaphore,
    limits: EndpointLimits,
    refusals: Arc<OnceAMinute>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("verification", &self.verification).finish_non_exhaustive()
    }
}

/// The client that fetches certificates: no redirects, so that a certificate is from the host that was judged.
pub fn certificate_client() -> reqwest::ClientBuilder {
    crate::tls::choose();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_DEADLINE)
}

impl Endpoint {
    /// An endpoint for what `sns` allows. `client` fetches certificates; [`certificate_client`] makes it.
    #[must_use]
    pub fn new(
        sns: Sns,
        clock: Clock,
        client: reqwest::Client,
        intake: Arc<dyn NoticeIntake>,
        subscriptions: Arc<dyn Subscriptions>,
        limits: EndpointLimits,
    ) -> Endpoint {
        let verification = Verification::new(sns, clock, client, limits, Arc::clone(&intake));
        let room = Semaphore::new(limits.held);
        Endpoint { verification, intake, subscriptions, room, limits, refusals: Arc::default() }
    }

    /// The route `POST /sns`.
    pub fn router(self) -> Router {
        Router::new().route("/sns", post(answer)).with_state(Arc::new(self))
    }

    async fn take(&self, headers: &HeaderMap, body: Body) -> Result<(), MessageRefusal> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let announced = header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
            return Err(MessageRefusal::TooLarge);
        }
        if header("x-amz-sns-rawdelivery").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(MessageRefusal::Raw);
        }
        let read = tokio::time::timeout(self.limits.body, self.read(body)).await;
        // What is read takes about as much room until it is dealt with.
        let (envelope, _room) = {
            let (body, room) = read.map_err(|_| MessageRefusal::TooSlow)??;
            (SnsEnvelope::parse(&body)?, room)
        };
        if header("x-amz-sns-message-type").is_some_and(|kind| kind != envelope.content.kind()) {
            return Err(MessageRefusal::HeaderDiffers);
        }
        let topic = self.verification.verify(&envelope).await?;
        match &envelope.content {
            EnvelopeContent::Notification { subject } => {
                let delivered = Delivered { topic, sent_at: envelope.sent.at, subject: subject.as_deref() };
                let notice = message::read(&envelope.message, &delivered);
                self.keep(&envelope.message_id.to_string(), notice).await
            }
            EnvelopeContent::SubscriptionConfirmation(confirmation) => self.confirm(topic, &confirmation.token).await,
            EnvelopeContent::UnsubscribeConfirmation(_) => {
                tracing::warn!(
                    topic = topic.arn().as_str(),
                    "a subscription to this topic was removed; alarms of this topic no longer arrive"
                );
                Ok(())
            }
        }
    }

    async fn read(&self, body: Body) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), MessageRefusal> {
        let mut chunks = body.into_data_stream();
        let mut read = Vec::new();
        let mut room: Option<SemaphorePermit<'_>> = None;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| MessageRefusal::BrokenOff)?;
            if read.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(MessageRefusal::TooLarge);
            }
            let bytes = u32::try_from(chunk.len()).map_err(|_| MessageRefusal::TooLarge)?;
            let more = tokio::time::timeout(self.limits.room, self.room.acquire_many(bytes)).await;
            let Ok(Ok(more)) = more else { return Err(MessageRefusal::Busy) };
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            read.extend_from_slice(&chunk);
        }
        Ok((read, room))
    }

    async fn keep(&self, message_id: &str, notice: Notice) -> Result<(), MessageRefusal> {
        let ignored = match &notice {
            Notice::Alarm(_) => None,
            Notice::Ignored { reason } => Some(*reason),
        };
        let kept = tokio::time::timeout(self.limits.intake, self.intake.accept(message_id, notice)).await;
        match kept {
            Ok(Ok(AcceptedNotice::New)) => {
                tracing::info!(message_id, ignored, "an SNS message was accepted");
                Ok(())
            }
            Ok(Ok(AcceptedNotice::Duplicate)) => {
                tracing::debug!(message_id, "an SNS message was delivered again");
                Ok(())
            }
            Ok(Err(Unavailable)) | Err(_) => Err(MessageRefusal::NotKept),
        }
    }

    async fn confirm(&self, topic: &Topic, token: &str) -> Result<(), MessageRefusal> {
        let arn = topic.arn().as_str();
        match tokio::time::timeout(self.limits.intake, self.subscriptions.confirm(topic, token)).await {
            Ok(Ok(())) => {
                tracing::info!(topic = arn, "the subscription to this topic is confirmed");
                Ok(())
            }
            Ok(Err(why)) => {
                tracing::warn!(topic = arn, why, "the subscription to this topic could not be confirmed");
                Err(MessageRefusal::NotConfirmed)
            }
            Err(_) => {
                tracing::warn!(topic = arn, "the subscription to this topic could not be confirmed in time");
                Err(MessageRefusal::NotConfirmed)
            }
        }
    }
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, body: Body) -> StatusCode {
    match endpoint.take(&headers, body).await {
        Ok(()) => StatusCode::OK,
        Err(refusal) => {
            Arc::clone(&endpoint.refusals).note(&refusal);
            refusal.status()
        }
    }
}
