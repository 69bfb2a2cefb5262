//! Step 1: does the secret exist, who owns it, is it a replica or scheduled for deletion; are the services healthy.

use super::{StepContext, StepResult, carried, due, find, health, text};
use crate::aws::AwsCaller;
use crate::model::{
    Arn, AttemptOutcome, DatabaseRef, MetadataItem, Observation, Replica, RoleArn, RotationConfig, RotationRules, SecretArn,
    SecretFacts, SecretRef, SecretVersion,
};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, RotationRulesType, SecretListEntry, Tag};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// Pages of `ListSecrets` read to find like names; a page holds 100 secrets.
const MAX_NAME_PAGES: usize = 10;

/// What DescribeSecret answers: the facts of step 1 and of step 2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    pub(super) facts: SecretFacts,
    pub(super) config: RotationConfig,
}

pub(super) async fn collect(cx: &StepContext<'_>, caller: &AwsCaller) -> StepResult<SecretFacts> {
    let subject = subject(cx, caller).await;
    let _ = cx.board.subject.set(subject.clone());
    let described = match subject {
        Observation::Found(described) => described,
        Observation::NoData { searched } => {
            let _ = cx.board.near_names.set(near_names(cx, caller).await);
            // Names like it are told apart from this, to those who may ask about them.
            let summary = "there is no such secret".to_owned();
            return StepResult { observation: Observation::NoData { searched }, window: None, summary };
        }
        unanswered => return carried(unanswered).into(),
    };
    let (versions, service_health) = tokio::join!(versions(cx, caller, &described), service_health(cx, caller, &described));
    let facts = SecretFacts { versions, service_health, ..described.facts.clone() };
    let summary = summary(&facts);
    StepResult { observation: Observation::Found(facts), window: None, summary }
}

/// Asks for the secret. Where DescribeSecret is refused, ListSecrets may still be allowed, and tells most of it.
pub(super) async fn subject(cx: &StepContext<'_>, caller: &AwsCaller) -> Observation<Arc<Described>> {
    let asked = &cx.request.asked;
    let handed = cx.aws.shared().answers.take::<find::Handed>(&find::description_of(asked)).await;
    if let Some((description, calls)) = handed.filter(|_| !caller.fresh()) {
        caller.note_calls(calls);
        return from_description(description, cx.now).map(Arc::new);
    }
    let request = cx.aws.secretsmanager.describe_secret().secret_id(asked.as_str()).send();
    let resource = format!("secret {asked}");
    let described = caller.call("secretsmanager:DescribeSecret", &resource, request).await;
    match described {
        Observation::Denied(denial) => match listed(cx, caller).await {
            Some(described) => described.map(Arc::new),
            None => Observation::Denied(denial),
        },
        other => other.and_then(|output| from_description(output, cx.now)).map(Arc::new),
    }
}

async fn listed(cx: &StepContext<'_>, caller: &AwsCaller) -> Option<Observation<Described>> {
    let asked = &cx.request.asked;
    let filter = Filter::builder().key(FilterNameStringType::Name).values(asked.name()).build();
    let request = cx.aws.secretsmanager.list_secrets().filters(filter).include_planned_deletion(true).max_results(100).send();
    let page = caller.call("secretsmanager:ListSecrets", "*", request).await;
    let Observation::Found(page) = page else { return None };
    let entry = page.secret_list?.into_iter().find(|entry| match asked {
        SecretRef::Name(name) => entry.name.as_deref() == Some(name),
        SecretRef::Arn(arn) => entry.arn.as_deref() == Some(arn.arn().as_str()),
    })?;
    Some(from_description(from_list_entry(entry), cx.now))
}

/// A list entry tells the same but the replicas, under other names.
fn from_list_entry(entry: SecretListEntry) -> DescribeSecretOutput {
    DescribeSecretOutput::builder()
        .set_arn(entry.arn)
        .set_name(entry.name)
        .set_type(entry.r#type)
        .set_kms_key_id(entry.kms_key_id)
        .set_rotation_enabled(entry.rotation_enabled)
        .set_rotation_lambda_arn(entry.rotation_lambda_arn)
        .set_rotation_rules(entry.rotation_rules)
        .set_external_secret_rotation_role_arn(entry.external_secret_rotation_role_arn)
        .set_external_secret_rotation_metadata(entry.external_secret_rotation_metadata)
        .set_last_rotated_date(entry.last_rotated_date)
        .set_last_changed_date(entry.last_changed_date)
        .set_last_accessed_date(entry.last_accessed_date)
        .set_deleted_date(entry.deleted_date)
        .set_next_rotation_date(entry.next_rotation_date)
        .set_owning_service(entry.owning_service)
        .set_created_date(entry.created_date)
        .set_primary_region(entry.primary_region)
        .set_version_ids_to_stages(entry.secret_versions_to_stages)
        .set_tags(entry.tags)
        .build()
}

fn from_description(output: DescribeSecretOutput, now: Timestamp) -> Observation<Described> {
    let unreadable = |what: &str| Observation::Failed { error: format!("the answer of DescribeSecret has no usable {what}") };
    let Some(arn) = output.arn().and_then(|arn| Arn::parse(arn).ok()).and_then(|arn| SecretArn::try_from(arn).ok()) else {
        return unreadable("ARN");
    };
    let function_arn = match output.rotation_lambda_arn().map(text::function_arn) {
        Some(None) => return unreadable("function ARN"),
        known => known.flatten(),
    };
    let external_role_arn = output
        .external_secret_rotation_role_arn()
        .and_then(|arn| Arn::parse(arn).ok())
        .and_then(|arn| RoleArn::try_from(arn).ok());
    let at = |date: Option<&_>| date.and_then(text::timestamp);
    let rules = output.rotation_rules().map(rules);
    let last_rotated_at = at(output.last_rotated_date());
    let next_rotation_at = at(output.next_rotation_date());
    let enabled = output.rotation_enabled();
    let basis = due::Basis {
        enabled: enabled.unwrap_or_default(),
        rules: rules.as_ref(),
        last_rotated_at,
        next_rotation_at,
        created_at: at(output.created_date()),
    };
    let due = due::due(&basis, now);
    let facts = SecretFacts {
        name: output.name().unwrap_or_else(|| arn.name()).to_owned(),
        arn,
        kms_key_id: output.kms_key_id().map(str::to_owned),
        owning_service: output.owning_service().map(str::to_owned),
        secret_type: output.r#type().map(str::to_owned),
        primary_region: output.primary_region().and_then(|region| region.parse().ok()),
        replicas: output
            .replication_status()
            .iter()
            .filter_map(|replica| {
                Some(Replica {
                    region: replica.region()?.parse().ok()?,
                    status: replica.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
                    message: replica.status_message().map(str::to_owned),
                })
            })
            .collect(),
        deleted_at: at(output.deleted_date()),
        created_at: at(output.created_date()),
        last_changed_at: at(output.last_changed_date()),
        last_accessed_on: at(output.last_accessed_date()),
        versions: output.version_ids_to_stages().map(labelled).unwrap_or_default(),
        tags: Some(tags(output.tags())),
        named_databases: named_databases(output.tags()),
        service_health: Observation::NotApplicable { because: "nothing points to an outage".to_owned() },
    };
    let items = output.external_secret_rotation_metadata().iter();
    let external_metadata = items
        .filter_map(|item| Some(MetadataItem { key: item.key()?.to_owned(), value: item.value().unwrap_or_default().to_owned() }))
        .collect();
    let config = RotationConfig {
        enabled,
        function_arn,
        rules,
        last_rotated_at,
        next_rotation_at,
        external_role_arn,
        external_metadata,
        due,
    };
    Observation::Found(Described { facts, config })
}

fn tags(tags: &[Tag]) -> Vec<MetadataItem> {
    let item = |tag: &Tag| Some(MetadataItem { key: tag.key()?.to_owned(), value: tag.value().unwrap_or_default().to_owned() });
    tags.iter().filter_map(item).collect()
}

/// Words in a tag's key that say that its value names a database.
const DATABASE_WORDS: [&str; 8] = ["database", "db", "rds", "aurora", "cluster", "instance", "endpoint", "host"];

/// Values of such tags that name an engine and no database.
const ENGINE_NAMES: [&str; 10] =
    ["rds", "aurora", "postgres", "postgresql", "aurora-postgresql", "mysql", "aurora-mysql", "mariadb", "oracle", "sqlserver"];

/// The databases that tags name: by an ARN or a host of RDS, whatever the key; by another host or an identifier, where the key
/// says that it is a database's. RDS tags the secrets it manages with the ARN of their owner.
fn named_databases(tags: &[Tag]) -> Vec<DatabaseRef> {
    let mut named = Vec::new();
    for (key, value) in tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()?.trim()))) {
        let words: Vec<String> = words_of(key);
        let is_of = |word: &str| words.iter().any(|own| own == word);
        let by_key = DATABASE_WORDS.iter().any(|word| is_of(word)) && !key.starts_with("aws:");
        let database = match DatabaseRef::of_arn(value) {
            Some(database) => Some(database),
            // Two labels may be anything, such as the class of an instance.
            None if value.matches('.').count() > 1 && DatabaseRef::is_host(value.split(':').next().unwrap_or_default()) => {
                value.parse().ok().filter(|named| by_key || !matches!(named, DatabaseRef::Host(_)))
            }
            None if by_key && DatabaseRef::is_id(value) && !ENGINE_NAMES.iter().any(|name| value.eq_ignore_ascii_case(name)) => {
                Some(match (is_of("cluster"), is_of("instance"), is_of("proxy")) {
                    (true, false, _) => DatabaseRef::Cluster(value.to_owned()),
                    (false, true, _) => DatabaseRef::Instance(value.to_owned()),
                    (false, false, true) => DatabaseRef::Proxy(value.to_owned()),
                    _ => DatabaseRef::Id(value.to_owned()),
                })
            }
            None => None,
        };
        named.extend(database.filter(|database| !named.contains(database)));
    }
    named
}

/// `rds-cluster`, `RdsCluster`, `rds:cluster` and `RDSCluster` are the same two words.
fn words_of(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut rest = key.chars().peekable();
    while let Some(c) = rest.next() {
        // A capital begins a word after a small letter, and as the last of several before one.
        let before_small = rest.peek().is_some_and(char::is_ascii_lowercase);
        let begins = c.is_ascii_uppercase() && (!before.is_ascii_uppercase() || before_small);
        if begins || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn rules(rules: &RotationRulesType) -> RotationRules {
    RotationRules {
        automatically_after_days: rules.automatically_after_days(),
        schedule_expression: rules.schedule_expression().map(str::to_owned),
        duration: rules.duration().map(str::to_owned),
    }
}

fn labelled(stages: &HashMap<String, Vec<String>>) -> Vec<SecretVersion> {
    let mut versions: Vec<_> =
        stages.iter().map(|(id, labels)| SecretVersion { id: id.clone(), labels: labels.clone(), created_at: None }).collect();
    versions.sort_by(|one, other| one.id.cmp(&other.id));
    versions
}

/// True when AWSPENDING sits on a version that is not current: a rotation is running, or one is stuck.
pub(super) fn is_pending_apart(facts: &SecretFacts) -> bool {
    facts.version_with("AWSPENDING").is_some_and(|version| !version.has("AWSCURRENT"))
}

/// The versions; with their creation dates where a pending one makes them matter.
async fn versions(cx: &StepContext<'_>, caller: &AwsCaller, described: &Described) -> Vec<SecretVersion> {
    let mut versions = described.facts.versions.clone();
    if is_pending_apart(&described.facts) {
        let id = described.facts.arn.arn().as_str();
        let request = cx.aws.secretsmanager.list_secret_version_ids().secret_id(id).max_results(100).send();
        let page = caller.call("secretsmanager:ListSecretVersionIds", &format!("secret {}", described.facts.name), request).await;
        for listed in page.found().map(|page| page.versions()).unwrap_or_default() {
            if let Some(version) = versions.iter_mut().find(|version| listed.version_id() == Some(&version.id)) {
                version.created_at = listed.created_date().and_then(text::timestamp);
            }
        }
    }
    let _ = cx.board.versions.set(versions.clone());
    versions
}

/// AWS Health is asked only where something fails: a healthy secret needs no excuse.
async fn service_health(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: &Described,
) -> Observation<Vec<crate::model::HealthEvent>> {
    let mut failing = described.config.due.overdue_since.is_some();
    if !failing {
        let history = caller.within_deadline(cx.board.history.wait()).await;
        failing = history.and_then(Observation::found).is_some_and(|history| {
            history
                .attempts
                .iter()
                .rfind(|attempt| attempt.outcome != AttemptOutcome::Started)
                .is_some_and(|attempt| matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned))
        });
    }
    if failing { health::incidents(cx, caller).await } else { described.facts.service_health.clone() }
}

/// Names of the region that look like the one asked for, the most alike first.
async fn near_names(cx: &StepContext<'_>, caller: &AwsCaller) -> Vec<String> {
    let mut names = Vec::new();
    let mut token = None;
    for _ in 0..MAX_NAME_PAGES {
        let request =
            cx.aws.secretsmanager.list_secrets().include_planned_deletion(true).max_results(100).set_next_token(token).send();
        let Observation::Found(page) = caller.call("secretsmanager:ListSecrets", "*", request).await else { break };
        names.extend(page.secret_list.unwrap_or_default().into_iter().filter_map(|entry| entry.name));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    find::nearest(&cx.request.asked, names)
}

fn summary(facts: &SecretFacts) -> String {
    let mut parts = Vec::new();
    match (&facts.deleted_at, &facts.primary_region) {
        (Some(at), _) => parts.push(format!("scheduled for deletion (DeletedDate {})", text::moment(*at))),
        (None, Some(primary)) if facts.is_replica() => parts.push(format!("a replica of the secret in {primary}")),
        _ => parts.push("exists".to_owned()),
    }
    if let Some(owner) = &facts.owning_service {
        parts.push(format!("owned by {owner}"));
    }
    if let Some(kind) = &facts.secret_type {
        parts.push(format!("partner type {kind}"));
    }
    parts.push(match &facts.kms_key_id {
        Some(_) => "encrypted with a customer managed key".to_owned(),
        None => "encrypted with the AWS managed key".to_owned(),
    });
    if is_pending_apart(facts) {
        parts.push("AWSPENDING on a version that is not current".to_owned());
    }
    if let Observation::Found(events) = &facts.service_health {
        let open = events.iter().filter(|event| event.ended_at.is_none()).count();
        let closed = events.len() - open;
        let told = [(open, "open AWS Health event"), (closed, "closed AWS Health event")];
        parts.extend(told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| text::counted(count, what)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(key: &str, value: &str) -> Vec<String> {
        let tag = Tag::builder().key(key).value(value).build();
        named_databases(&[tag]).iter().map(|database| format!("{database:?}")).collect()
    }

    #[test]
    fn a_tag_names_a_database_by_arn_host_or_identifier_and_other_tags_do_not() {
        let cluster = "arn:aws:rds:eu-west-1:123456789012:cluster:orders";
        for (key, value, expected) in [
            ("aws:rds:primaryDBClusterArn", cluster, Some("Cluster(\"orders\")")),
            ("anything", "orders.c9abcdefghij.eu-west-1.rds.amazonaws.com:5432", Some("Instance(\"orders\")")),
            ("DBInstance", "orders", Some("Instance(\"orders\")")),
            ("db-cluster", "orders", Some("Cluster(\"orders\")")),
            ("RDSInstanceId", "orders", Some("Instance(\"orders\")")),
            ("rds_proxy", "front", Some("Proxy(\"front\")")),
            ("database", "orders", Some("Id(\"orders\")")),
            ("database", "postgres", None),
            ("instance", "t3.micro", None),
            ("team", "orders", None),
            ("url", "https://db.example.internal/x", None),
            (
                "host",
                "db.example.internal",
                Some("Host(DatabaseHost { name: \"db.example.internal\", address: None, port: None })"),
            ),
            ("docs", "wiki.example.internal", None),
            ("aws:cloudformation:stack-name", "database", None),
        ] {
            assert_eq!(named(key, value), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{key} = {value}");
        }
    }
}
