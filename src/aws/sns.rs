//! The one call that changes something: a subscription is confirmed, so that alarms arrive.

use super::{Asker, Aws};
use crate::clock::{self, Clock};
use crate::model::Observation;
use std::time::Duration;

/// How long confirming may take.
const DEADLINE: Duration = Duration::from_secs(4);

impl Aws {
    /// Confirms the subscription to `topic` that `token` was sent for. Only whoever may in this account can end it again.
    pub async fn confirm_subscription(&self, topic: &str, token: &str) -> Observation<()> {
        let asker = Asker::new(Clock::system(), clock::deadline(DEADLINE), false);
        let client = aws_sdk_sns::Client::new(&self.config);
        let request = client.confirm_subscription().topic_arn(topic).token(token).authenticate_on_unsubscribe("true").send();
        asker.ask("sns:ConfirmSubscription", topic, request).await.map(drop)
    }
}
