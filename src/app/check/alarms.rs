//! The way of alarms: the topic, its subscription, the trail behind EventBridge's events.

use super::reach;
use crate::aws::{Aws, AwsCaller, Subscription, TopicState};
use crate::bot::{Accounts, Connected};
use crate::chat::setup::{CheckResult, Checked, checked, fine, missing, open};
use crate::clock;
use crate::config::{Config, Sns, Topic};
use crate::model::Observation;
use crate::store::Location;
use std::time::Duration;
use url::Url;

/// How long SNS and CloudTrail may take for one topic.
const DEADLINE: Duration = Duration::from_secs(20);

/// The address in the commands where the configuration does not name it.
const SOME_ENDPOINT: &str = "https://YOUR-HOST/sns";

pub(super) async fn check(config: &Config, accounts: &dyn Accounts) -> Vec<Checked> {
    let Some(sns) = &config.alarms.sns else { return Vec::new() };
    let mut all = Vec::new();
    for topic in &sns.topics {
        let arn = topic.arn();
        let what = format!("alarms of {}", arn.as_str());
        if let Some(why) = out_of_scope(config, topic) {
            all.push(checked(&what, missing(why)));
        }
        let account = accounts.known().iter().find(|known| known.account_id.as_deref() == Some(arn.account_id()));
        let Ok(region) = arn.region().parse() else { continue };
        let location = Location { account: account.and_then(|known| known.name.clone()), region };
        match accounts.connect(&location).await {
            Err(error) => all.push(checked(&what, missing(error.to_string()))),
            Ok(Connected { aws, clock }) => {
                let caller = AwsCaller::new(&aws, clock, clock::deadline(DEADLINE), true);
                let found = topic_and_trail(&aws, &caller, sns, arn.as_str()).await;
                all.extend(found.into_iter().map(|found| checked(&what, found)));
            }
        }
    }
    all
}

/// Alarms of an account or region that is not configured are recorded and told nowhere.
fn out_of_scope(config: &Config, topic: &Topic) -> Option<String> {
    let (id, region) = (topic.arn().account_id(), topic.arn().region());
    match config.accounts.iter().find(|(_, account)| account.has_id(id)) {
        None => {
            Some(format!("no table under [accounts] has account_id = \"{id}\": alarms of that account are recorded as ignored"))
        }
        Some((name, account)) if !account.regions.is_empty() && !account.regions.iter().any(|own| own == region) => {
            Some(format!("accounts.{name}.regions lacks {region}: alarms of that region are recorded as ignored"))
        }
        Some(_) => None,
    }
}

async fn topic_and_trail(aws: &Aws, caller: &AwsCaller, sns: &Sns, topic: &str) -> Vec<CheckResult> {
    let (mut all, region) = (Vec::new(), aws.region());
    match aws.topic(caller, topic).await {
        Observation::Found(TopicState { signature_version, key }) => {
            if signature_version != "2" && !sns.accepts_version_1 {
                all.push(missing(format!(
                    "it signs with version {signature_version}, which is refused: aws sns set-topic-attributes --region {region} --topic-arn {topic} --attribute-name SignatureVersion --attribute-value 2"
                )));
            }
            // Source: SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics".
            if key.as_deref() == Some("alias/aws/sns") {
                all.push(missing(
                    "it is encrypted with alias/aws/sns, and neither CloudWatch nor EventBridge may use that key, so nothing is published: choose a key of your own whose policy lets both use it, or none",
                ));
            }
        }
        Observation::NoData { .. } => {
            return vec![missing(
                "there is no such topic: deploy deploy/alarms.yaml with its TopicName, or name the topic there is",
            )];
        }
        other => all.push(unanswered("sns:GetTopicAttributes", &other)),
    }
    match aws.subscriptions(caller, topic).await {
        Observation::Found(subscriptions) => all.extend(subscribed(aws, caller, sns, topic, &subscriptions).await),
        other => all.push(unanswered("sns:ListSubscriptionsByTopic", &other)),
    }
    match aws.has_trail(caller).await {
        Observation::Found(true) => {}
        Observation::Found(false) => all.push(missing(
            "no trail records this region: EventBridge forwards no RotationFailed without one, and only CloudWatch's alarms come",
        )),
        other => all.push(unanswered("cloudtrail:DescribeTrails", &other)),
    }
    all
}

async fn subscribed(aws: &Aws, caller: &AwsCaller, sns: &Sns, topic: &str, all: &[Subscription]) -> Vec<CheckResult> {
    let wanted = sns.endpoint.as_ref().map_or(SOME_ENDPOINT, Url::as_str);
    let subscribe = |endpoint: &str| {
        let region = aws.region();
        format!("aws sns subscribe --region {region} --topic-arn {topic} --protocol https --notification-endpoint {endpoint}")
    };
    let over_http = |one: &&Subscription| one.protocol == "https" || one.protocol == "http";
    let ours: Vec<&Subscription> = all.iter().filter(|one| is_ours(one, sns)).collect();
    if let Some(one) = ours.iter().find(|one| one.arn.is_some()) {
        let mut found = vec![fine(format!("the subscription of {} is confirmed", one.endpoint))];
        if let Ok(endpoint) = Url::parse(&one.endpoint) {
            found.push(reach::sns(&endpoint).await);
        }
        found.extend(delivered(aws, caller, one.arn.as_deref().unwrap_or_default()).await);
        return found;
    }
    if let Some(one) = ours.first() {
        return vec![missing(format!(
            "the subscription of {} waits for its confirmation, which SNS asked for once: start the bot where SNS reaches it, then let SNS ask again: {}",
            one.endpoint,
            subscribe(&one.endpoint)
        ))];
    }
    vec![missing(match all.iter().find(over_http) {
        Some(one) => format!(
            "{} is subscribed over {}, and the bot takes messages at {wanted}: {}",
            one.endpoint,
            one.protocol,
            subscribe(wanted)
        ),
        None => {
            format!("nobody is subscribed over https: start the bot, then deploy deploy/alarms.yaml, or {}", subscribe(wanted))
        }
    })]
}

fn is_ours(one: &Subscription, sns: &Sns) -> bool {
    let Ok(endpoint) = Url::parse(&one.endpoint) else { return false };
    one.protocol == "https" && sns.endpoint.as_ref().map_or(endpoint.path() == "/sns", |wanted| *wanted == endpoint)
}

async fn delivered(aws: &Aws, caller: &AwsCaller, subscription: &str) -> Vec<CheckResult> {
    let set = |name: &str, value: &str| {
        format!(
            "aws sns set-subscription-attributes --region {} --subscription-arn {subscription} --attribute-name {name} --attribute-value {value}",
            aws.region()
        )
    };
    let mut all = Vec::new();
    match aws.delivery(caller, subscription).await {
        Observation::Found(delivery) => {
            if delivery.is_raw {
                let why = "raw messages come without a signature, and are refused";
                all.push(missing(format!("{why}: {}", set("RawMessageDelivery", "false"))));
            }
            if delivery.is_filtered {
                all.push(open("it has a filter policy: messages it excludes never arrive"));
            }
            if !delivery.keeps_undelivered {
                let why = "it has no dead-letter queue: messages the bot does not accept within an hour are lost";
                all.push(missing(format!("{why}: {}", set("RedrivePolicy", r#"'{"deadLetterTargetArn":"QUEUE_ARN"}'"#))));
            }
        }
        other => all.push(unanswered("sns:GetSubscriptionAttributes", &other)),
    }
    all
}

fn unanswered<T>(action: &str, observation: &Observation<T>) -> CheckResult {
    match observation {
        Observation::Denied(denial) => missing(format!("allow {}, as deploy/iam-policy.json does", denial.action)),
        Observation::Failed { error } => open(format!("{action} could not be called: {error}")),
        other => open(format!("{action} could not be called ({})", other.status())),
    }
}
