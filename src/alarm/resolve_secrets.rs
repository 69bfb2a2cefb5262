//! From an alarm to the secrets it is about; the first way that answers counts.
//!
//! In this order: the configuration's mapping; what its dimensions and texts name; its tags; the alarms a composite one is
//! made of; the function they name, and the secrets that rotate with it; failed rotations around its time, for an alarm on
//! a metric filter, which carries no name at all.

use super::change::{StateChange, place_in};
use super::cloudwatch::AlarmMetrics;
use super::named::NamedSecrets;
use super::rotation_event::{FAILURES, RotationEvent};
use super::scope::Scope;
use crate::aws::{Aws, AwsCaller, DescribedAlarm};
use crate::clock::{self, Clock};
use crate::model::{Alarm, AlarmSource, AlarmState, Arn, FunctionArn, MOMENT, Observation, Region, SecretRef, Window};
use crate::redact::looks_like_a_value;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long all questions together may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long before an alarm's time a rotation may have failed that it is about: a metric filter counts in periods, and an
/// alarm may ask for several of them.
const BEFORE: SignedDuration = SignedDuration::from_hours(2);

/// How long after it: clocks and periods differ a little.
const AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Secrets of one alarm at most.
const MAX_SECRETS: usize = super::named::MAX_NAMED;

/// By what an alarm was found to be about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolvedBy {
    /// The configuration says so.
    Mapping,
    /// Its dimensions, description or detail name them.
    Named,
    /// Its tags name them.
    Tags,
    /// The alarms it is made of name them.
    Children,
    /// They rotate with the function it names.
    Function,
    /// Their rotation failed about that time.
    Events,
    Nothing,
}

impl ResolvedBy {
    /// How the secrets of what `source` told were found, to follow "found by".
    #[must_use]
    pub const fn words(self, source: AlarmSource) -> &'static str {
        match (self, source) {
            (ResolvedBy::Mapping, _) => "a mapping of the configuration",
            (ResolvedBy::Named, AlarmSource::CloudWatch) => "what the alarm names",
            (ResolvedBy::Named, AlarmSource::RotationEvent | AlarmSource::Health) => "what the event names",
            (ResolvedBy::Named, AlarmSource::Check) => "what the check names",
            (ResolvedBy::Named, AlarmSource::Text) => "what the message names",
            (ResolvedBy::Tags, _) => "the alarm's tags",
            (ResolvedBy::Children, _) => "the alarms it is made of",
            (ResolvedBy::Function, AlarmSource::CloudWatch) => "the function the alarm names",
            (ResolvedBy::Function, _) => "the function that it names",
            (ResolvedBy::Events, _) => "rotations that failed about that time",
            (ResolvedBy::Nothing, _) => "nothing",
        }
    }
}

/// The secrets an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedSecrets {
    /// Each once; empty where nothing told.
    pub secrets: Vec<SecretRef>,
    /// Those of them that may be looked into and told of, by names that are the same for the same secret.
    pub allowed: BTreeMap<String, SecretRef>,
    pub by: ResolvedBy,
    /// What was tried before, and what came of it, one sentence each.
    pub tried: Vec<String>,
}

impl ResolvedSecrets {
    /// Nothing was tried yet.
    #[must_use]
    pub const fn nothing() -> ResolvedSecrets {
        ResolvedSecrets { secrets: Vec::new(), allowed: BTreeMap::new(), by: ResolvedBy::Nothing, tried: Vec::new() }
    }
}

/// What AWS can be asked with.
pub enum Asking {
    /// It is not worth it: the alarm will only be counted.
    Spared,
    /// These clients, and their clock.
    With(Box<Aws>, Clock),
    /// There are none; why.
    Impossible(String),
}

/// The secrets an alarm is about, and which of them `scope` and `may_tell` allow to tell of; `None` where it was not worth
/// asking. What can be told without AWS is; only then is it decided `how` to ask.
///
/// # Errors
/// Those of `how`.
pub async fn resolve_secrets<E>(
    alarm: &Alarm,
    scope: &Scope<'_>,
    may_tell: impl Fn(&SecretRef) -> bool,
    how: impl Future<Output = Result<Asking, E>>,
) -> Result<Option<ResolvedSecrets>, E> {
    let mut found = match without_asking(alarm, scope.mapped) {
        Some(found) => found,
        // What is over is over for all that knows of it; nobody is to be asked whom it is about.
        None if alarm.state != AlarmState::Alarm => ResolvedSecrets::nothing(),
        None => match how.await? {
            Asking::Spared => return Ok(None),
            Asking::With(aws, clock) => by_asking(alarm, &aws, &clock).await,
            Asking::Impossible(why) => {
                ResolvedSecrets { tried: vec![format!("AWS could not be queried: {why}")], ..ResolvedSecrets::nothing() }
            }
        },
    };
    let is_allowed = |secret: &&SecretRef| scope.holds(alarm, secret) && may_tell(secret);
    let allowed: Vec<&SecretRef> = found.secrets.iter().filter(is_allowed).collect();
    let left_out = found.secrets.len() - allowed.len();
    found.allowed = allowed.into_iter().map(|secret| (alarm.secret_key(secret), secret.clone())).collect();
    if left_out > 0 {
        found.tried.push(format!("{left_out} of the secrets it refers to may not be named here"));
    }
    Ok(Some(found))
}

/// What can be told without asking AWS.
fn without_asking(alarm: &Alarm, mapped: &[SecretRef]) -> Option<ResolvedSecrets> {
    let found = |secrets: &[SecretRef], by| Some(ResolvedSecrets { secrets: secrets.to_vec(), by, ..ResolvedSecrets::nothing() });
    if !mapped.is_empty() {
        found(mapped, ResolvedBy::Mapping)
    } else if !alarm.secrets.is_empty() {
        found(&alarm.secrets, ResolvedBy::Named)
    } else {
        None
    }
}

/// Asks AWS, in the alarm's account and region.
pub async fn by_asking(alarm: &Alarm, aws: &Aws, clock: &Clock) -> ResolvedSecrets {
    let caller = AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), false);
    let mut search =
        SecretSearch { aws, caller: &caller, tried: vec!["no [[alarms.mapping]] of the configuration matches it".to_owned()] };
    let places = if alarm.source == AlarmSource::CloudWatch { "its dimensions and description name" } else { "its text names" };
    search.tried.push(format!("{places} no secret"));
    let (secrets, by) = search.look(alarm).await;
    ResolvedSecrets { secrets, by, tried: search.tried, ..ResolvedSecrets::nothing() }
}

struct SecretSearch<'a> {
    aws: &'a Aws,
    caller: &'a AwsCaller,
    tried: Vec<String>,
}

impl SecretSearch<'_> {
    async fn look(&mut self, alarm: &Alarm) -> (Vec<SecretRef>, ResolvedBy) {
        let mut named = NamedSecrets::default();
        alarm.functions.iter().for_each(|function| named.add_function(Some(function.clone())));
        if alarm.source == AlarmSource::CloudWatch {
            self.read_tags(alarm, &mut named).await;
            if !named.secrets.is_empty() {
                return (named.secrets, ResolvedBy::Tags);
            }
            self.read_children(alarm, &mut named).await;
            if !named.secrets.is_empty() {
                return (named.secrets, ResolvedBy::Children);
            }
        }
        if named.functions.is_empty() {
            self.tried.push("it names no function".to_owned());
        } else {
            let secrets = self.rotating_with(alarm, &named.functions).await;
            if !secrets.is_empty() {
                return (secrets, ResolvedBy::Function);
            }
        }
        let secrets = self.failed_around(alarm).await;
        let by = if secrets.is_empty() { ResolvedBy::Nothing } else { ResolvedBy::Events };
        (secrets, by)
    }

    async fn read_tags(&mut self, alarm: &Alarm, named: &mut NamedSecrets) {
        match self.aws.alarm_tags(self.caller, &alarm.key).await {
            Observation::Found(tags) => {
                tags.iter().for_each(|(name, value)| named.read_pair(name, value));
                if named.secrets.is_empty() {
                    self.tried.push("its tags name no secret".to_owned());
                }
            }
            other => self.tried.push(format!("its tags could not be read: {}", why(&other))),
        }
    }

    async fn read_children(&mut self, alarm: &Alarm, named: &mut NamedSecrets) {
        if alarm.children.is_empty() {
            return;
        }
        let names: Vec<String> = alarm.children.iter().map(|child| name_of(child).to_owned()).collect();
        match self.aws.alarms_named(self.caller, &names).await {
            Observation::Found(children) => {
                children.iter().for_each(|child| read_described(child, named));
                if named.secrets.is_empty() {
                    self.tried.push(match names.len() {
                        1 => "the alarm it is made of names no secret".to_owned(),
                        several => format!("the {several} alarms it is made of name no secret"),
                    });
                }
            }
            other => self.tried.push(format!("the alarms it is made of could not be read: {}", why(&other))),
        }
    }

    async fn rotating_with(&mut self, alarm: &Alarm, functions: &[String]) -> Vec<SecretRef> {
        let listed = match self.aws.secrets_and_functions(self.caller).await {
            Observation::Found(listed) => listed,
            other => {
                self.tried.push(format!(
                    "the secrets that rotate with {} could not be listed: {}",
                    functions.join(", "),
                    why(&other)
                ));
                return Vec::new();
            }
        };
        let rotates = |function: &str| functions.iter().any(|wanted| is_function(function, wanted, alarm));
        let mut secrets: Vec<SecretRef> = listed
            .iter()
            .filter(|secret| secret.function_arn.as_deref().is_some_and(rotates))
            .filter_map(|secret| secret.arn.parse().ok())
            .collect();
        secrets.truncate(MAX_SECRETS);
        if secrets.is_empty() {
            self.tried.push(format!("no secret rotates with {}", functions.join(", ")));
        }
        secrets
    }

    /// The trail's log group first: what set off an alarm on a metric filter stands there. Event history is later.
    async fn failed_around(&mut self, alarm: &Alarm) -> Vec<SecretRef> {
        let window = Window::around(alarm.state_at, BEFORE, AFTER);
        let mut secrets: Vec<SecretRef> = Vec::new();
        match self.aws.logged_trail_records(self.caller, &alarm.account_id, &FAILURES, window).await {
            Observation::Found(records) => add_failed(&mut secrets, &records, &alarm.region),
            Observation::NotApplicable { .. } => {}
            other => self.tried.push(format!("the trail's log group could not be read: {}", why(&other))),
        }
        if !secrets.is_empty() {
            return secrets;
        }
        for name in FAILURES {
            match self.aws.trail_records(self.caller, name, window).await {
                Observation::Found(records) => add_failed(&mut secrets, &records, &alarm.region),
                other => self.tried.push(format!("CloudTrail's {name} events could not be read: {}", why(&other))),
            }
        }
        if secrets.is_empty() {
            let moment = |at: Timestamp| at.strftime(MOMENT);
            self.tried.push(format!(
                "CloudTrail shows no failed rotation between {} and {}",
                moment(window.from),
                moment(window.to)
            ));
        }
        secrets
    }
}

/// Adds the secrets whose rotation failed; a trail of many regions tells of others too.
fn add_failed(secrets: &mut Vec<SecretRef>, records: &[Value], region: &Region) {
    for event in records.iter().filter_map(|record| RotationEvent::parse(record).ok()) {
        let is_value = matches!(&event.secret, SecretRef::Name(name) if looks_like_a_value(name));
        let is_asked_for = FAILURES.contains(&event.name.as_str()) && event.region == *region && !is_value;
        if is_asked_for && secrets.len() < MAX_SECRETS && !secrets.contains(&event.secret) {
            secrets.push(event.secret);
        }
    }
}

/// What an alarm as CloudWatch describes it names.
fn read_described(alarm: &DescribedAlarm, named: &mut NamedSecrets) {
    alarm.dimensions.iter().for_each(|(name, value)| named.read_pair(name, value));
    named.read_text(&alarm.description);
}

/// An alarm as CloudWatch describes it, found without its notification.
pub(super) fn of_described(described: DescribedAlarm) -> Option<Alarm> {
    let place = place_in(&described.arn)?;
    let mut metrics = AlarmMetrics::default();
    described.metrics.iter().for_each(|(namespace, name)| metrics.read_metric(Some(namespace), Some(name)));
    read_described(&described, &mut metrics.named);
    let mut children = Vec::new();
    super::cloudwatch::add_children(&mut children, &described.rule);
    let change = StateChange { state: AlarmState::Alarm, at: described.state_at?, reason: &described.reason };
    let said = change.by(AlarmSource::CloudWatch, &described.arn, &described.name, place).ok()?;
    Some(Alarm { description: described.description, children, ..metrics.of(said) })
}

/// The name in an alarm's ARN, or the name itself.
fn name_of(alarm: &str) -> &str {
    alarm.split_once(":alarm:").filter(|_| alarm.starts_with("arn:")).map_or(alarm, |(_, name)| name)
}

/// True when a rotation function's ARN is the one an alarm names, by name or by ARN, whatever the qualifier.
fn is_function(function: &str, wanted: &str, alarm: &Alarm) -> bool {
    let parse = |text: &str| Arn::parse(text).ok().and_then(|arn| FunctionArn::try_from(arn).ok());
    let Some(function) = parse(function) else { return false };
    match parse(wanted) {
        Some(wanted) => function.is_same_function(&wanted),
        None => function.name() == wanted && function.arn().account_id() == alarm.account_id,
    }
}

/// Why there is no answer, to stand behind a colon.
fn why<T>(observation: &Observation<T>) -> String {
    match observation {
        Observation::Denied(denial) => format!("the permission {} is missing", denial.action),
        Observation::Throttled { .. } => "AWS throttled the request".to_owned(),
        Observation::TimedOut { .. } => "AWS did not answer in time".to_owned(),
        Observation::NoData { .. } => "AWS returned none".to_owned(),
        Observation::Failed { error } => error.clone(),
        Observation::NotApplicable { because } => because.clone(),
        Observation::Found(_) => "it was read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::alarm;

    #[test]
    fn an_event_is_no_alarm_in_the_words_that_say_how_its_secrets_were_found() {
        for (source, words) in [
            (AlarmSource::CloudWatch, "what the alarm names"),
            (AlarmSource::RotationEvent, "what the event names"),
            (AlarmSource::Health, "what the event names"),
            (AlarmSource::Check, "what the check names"),
            (AlarmSource::Text, "what the message names"),
        ] {
            assert_eq!(ResolvedBy::Named.words(source), words);
        }
    }

    #[test]
    fn a_mapping_comes_before_what_the_alarm_names() {
        let mut alarm = alarm("x");
        assert_eq!(without_asking(&alarm, &[]), None);
        alarm.secrets = vec!["prod/named".parse().unwrap()];
        assert_eq!(without_asking(&alarm, &[]).unwrap().by, ResolvedBy::Named);
        let mapped = ["prod/mapped".parse().unwrap()];
        let found = without_asking(&alarm, &mapped).unwrap();
        assert_eq!((found.by, found.secrets.as_slice()), (ResolvedBy::Mapping, mapped.as_slice()));
    }

    #[test]
    fn a_function_is_known_by_name_or_arn_whatever_its_alias() {
        let alarm = alarm("x");
        let arn = |account: &str, name: &str| format!("arn:aws:lambda:eu-west-1:{account}:function:{name}");
        for (wanted, expected) in [
            ("rotator", true),
            (arn("123456789012", "rotator").as_str(), true),
            (arn("123456789012", "rotator:live").as_str(), true),
            (arn("210987654321", "rotator").as_str(), false),
            ("rotator2", false),
        ] {
            assert_eq!(is_function(&arn("123456789012", "rotator:blue"), wanted, &alarm), expected, "{wanted}");
        }
        assert!(!is_function(&arn("210987654321", "rotator"), "rotator", &alarm));
    }
}
