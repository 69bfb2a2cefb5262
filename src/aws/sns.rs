//! Topics and their subscriptions: how they stand, and the one call that changes something. A subscription is confirmed, so
//! that alarms arrive.

use super::{Aws, AwsCaller};
use crate::clock::{self, Clock};
use crate::model::Observation;
use std::time::Duration;

/// How long confirming may take.
const DEADLINE: Duration = Duration::from_secs(4);

/// Pages of subscriptions that are read at most; a page holds 100.
///
/// Source: SNS API reference, `ListSubscriptionsByTopic`.
const MAX_PAGES: usize = 20;

/// How a topic stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicState {
    /// The version of the signature it signs with.
    pub(crate) signature_version: String,
    /// The key its messages are encrypted with, where they are.
    pub(crate) key: Option<String>,
}

/// Who is subscribed to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// Its ARN; `None` while it waits for its confirmation.
    pub(crate) arn: Option<String>,
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
}

/// How a subscription is delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubscriptionDelivery {
    /// Without SNS's envelope, and so without its signature.
    pub(crate) is_raw: bool,
    /// True where what is not taken goes to a dead-letter queue.
    pub(crate) keeps_undelivered: bool,
    /// True where a policy passes some messages over.
    pub(crate) is_filtered: bool,
}

impl Aws {
    /// Confirms the subscription to `topic` that `token` was sent for. Only whoever may in this account can end it again.
    pub async fn confirm_subscription(&self, topic: &str, token: &str) -> Observation<()> {
        let caller = AwsCaller::new(self, Clock::system(), clock::deadline(DEADLINE), false);
        let request = self.sns().confirm_subscription().topic_arn(topic).token(token).authenticate_on_unsubscribe("true").send();
        caller.call("sns:ConfirmSubscription", topic, request).await.map(drop)
    }

    /// How a topic stands.
    ///
    /// Source: SNS API reference, `GetTopicAttributes`: the version is 1 where the attribute `SignatureVersion` is absent.
    pub(crate) async fn topic(&self, caller: &AwsCaller, topic: &str) -> Observation<TopicState> {
        let request = self.sns().get_topic_attributes().topic_arn(topic).send();
        let answer = caller.call("sns:GetTopicAttributes", topic, request).await;
        answer.map(|output| {
            let mut attributes = output.attributes.unwrap_or_default();
            TopicState {
                signature_version: attributes.remove("SignatureVersion").unwrap_or_else(|| "1".to_owned()),
                key: attributes.remove("KmsMasterKeyId").filter(|key| !key.is_empty()),
            }
        })
    }

    /// The subscriptions of a topic, without those that were deleted.
    ///
    /// Source: SNS Developer Guide: in the place of an ARN stands `PendingConfirmation`, or `Deleted`.
    pub(crate) async fn subscriptions(&self, caller: &AwsCaller, topic: &str) -> Observation<Vec<Subscription>> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = self.sns().list_subscriptions_by_topic().topic_arn(topic).set_next_token(token).send();
            let page = match caller.call("sns:ListSubscriptionsByTopic", topic, request).await {
                Observation::Found(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            all.extend(page.subscriptions.unwrap_or_default().into_iter().filter_map(|one| {
                let arn = one.subscription_arn.filter(|arn| arn != "Deleted")?;
                Some(Subscription {
                    arn: arn.starts_with("arn:").then_some(arn),
                    protocol: one.protocol?,
                    endpoint: one.endpoint?,
                })
            }));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Observation::Found(all)
    }

    /// How a confirmed subscription is delivered to.
    pub(crate) async fn delivery(&self, caller: &AwsCaller, subscription: &str) -> Observation<SubscriptionDelivery> {
        let request = self.sns().get_subscription_attributes().subscription_arn(subscription).send();
        let answer = caller.call("sns:GetSubscriptionAttributes", subscription, request).await;
        answer.map(|output| {
            let attributes = output.attributes.unwrap_or_default();
            let has = |name: &str| attributes.get(name).map(String::as_str).unwrap_or_default();
            SubscriptionDelivery {
                is_raw: has("RawMessageDelivery").eq_ignore_ascii_case("true"),
                keeps_undelivered: has("RedrivePolicy").contains("deadLetterTargetArn"),
                is_filtered: !["", "{}"].contains(&has("FilterPolicy")),
            }
        })
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }
}
