//! What texts and objects of somebody's own say: whether rotation failed, and of which secret.
//!
//! Topics carry much else: CloudFormation's stack events, AWS Config's items, budgets, pipelines. That the ARN of a secret or a
//! function occurs in a text says nothing; that its rotation failed, or is overdue, does.

use super::change::StateChange;
use super::delivered::Delivered;
use super::json::text;
use super::named::NamedSecrets;
use crate::model::{Alarm, AlarmSource, AlarmState, Arn, SecretRef};
use jiff::Timestamp;
use serde_json::Value;

/// Clauses of a text that are judged at most; a message has 256 KiB.
const MAX_CLAUSES: usize = 2_000;

/// Words of a clause that are judged at most.
const MAX_WORDS: usize = 400;

/// Why a message is ignored that has a value where a name belongs.
const VALUE: &str = "what stands where a secret's name belongs looks like a value: write the secret's name or ARN there";

/// Where an object names its secret: itself, what an input transformer nests, and CloudTrail's places for it.
const HOLDERS: [&str; 5] =
    ["", "/detail", "/detail/requestParameters", "/detail/additionalEventData", "/detail/serviceEventDetails"];

/// Keys of an object that say what happened.
const OUTCOMES: [&str; 14] = [
    "event",
    "eventname",
    "eventtype",
    "detailtype",
    "status",
    "state",
    "newstate",
    "result",
    "outcome",
    "compliance",
    "compliancetype",
    "compliancestatus",
    "rotationstatus",
    "rotation",
];

/// Keys of an object that say why.
const REASONS: [&str; 8] = ["reason", "errormessage", "error", "message", "text", "annotation", "description", "summary"];

/// Beginnings of words that say that something went wrong.
const FAILURES: [&str; 22] = [
    "fail",
    "error",
    "overdue",
    "abandon",
    "stuck",
    "missed",
    "broke",
    "unsucc",
    "timeout",
    "abort",
    "crash",
    "reject",
    "denied",
    "noncompl",
    "exception",
    "stall",
    "disabled",
    "problem",
    "trouble",
    "expired",
    "impaired",
    "delayed",
];

/// Beginnings of words that say that something went well.
const SUCCESSES: [&str; 10] =
    ["succe", "recovered", "resolved", "passed", "healthy", "fixed", "compliant", "complete", "enabled", "configured"];

/// Those of them after which something may still have gone wrong: it was completed, with errors.
const WEAK: [&str; 3] = ["complete", "enabled", "configured"];

/// The secrets that a text names outright: by an ARN, as `secret=NAME`, or behind the word "secret" of a sentence. Whoever points
/// at the text says that it is about a rotation, so that its sentences need not.
pub fn secrets_in(text: &str) -> Vec<SecretRef> {
    let mut named = NamedSecrets::default();
    named.read_text(text);
    for sentence in clauses(text).take(MAX_CLAUSES).map(|one| Sentence::of(&one)) {
        sentence.secrets.iter().for_each(|name| named.add_secret(name.parse().ok()));
    }
    named.secrets
}

/// A text counts where it says that the rotation of what it names failed, or points at a secret with `secret=NAME`.
pub(super) fn read(message: &str, delivered: &Delivered<'_>) -> Result<Alarm, &'static str> {
    let mut named = NamedSecrets::default();
    let texts = || delivered.subject.into_iter().chain([message]);
    texts().for_each(|text| named.read_text(text));
    let sentences: Vec<Sentence> =
        texts().flat_map(|text| clauses(text).take(MAX_CLAUSES)).map(|one| Sentence::of(&one)).collect();
    let failures: Vec<&Sentence> = sentences.iter().filter(|one| says(&one.rest, false) == Some(false)).collect();
    for failure in &failures {
        failure.secrets.iter().for_each(|name| named.add_secret(name.parse().ok()));
        failure.functions.iter().for_each(|name| named.read_function(name));
    }
    if named.is_empty() && named.is_value_refused() {
        return Err(VALUE);
    }
    if named.is_empty() && sentences.iter().all(Sentence::names_nothing) {
        return Err("it is text that names no secret: write its ARN, or secret=NAME");
    }
    if is_of_cloudformation(message) {
        return Err("it is from CloudFormation, which tells of a stack");
    }
    if named.is_empty() || (!named.is_pointed_at() && failures.is_empty()) {
        return Err(
            "it is text that names a secret, but does not say that its rotation failed: write secret=NAME to have it looked into",
        );
    }
    let title = delivered.subject.unwrap_or_else(|| message.lines().next().unwrap_or_default());
    let change = StateChange { state: AlarmState::Alarm, at: delivered.sent_at, reason: message };
    of(named, change, title, delivered, (None, None))
}

/// An object counts where it names a secret by its key, as an input transformer makes it: `{"secret": …}`.
pub(super) fn read_object(value: &Value, delivered: &Delivered<'_>) -> Option<Result<Alarm, &'static str>> {
    let of_others = text(value, "source").is_some_and(|source| source.starts_with("aws.") && source != "aws.secretsmanager");
    if of_others {
        return None;
    }
    let mut named = NamedSecrets::default();
    for (name, value) in HOLDERS.iter().filter_map(|holder| value.pointer(holder)?.as_object()).flatten() {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        items.iter().filter_map(Value::as_str).for_each(|text| named.read_own(name, text));
    }
    let Some(secret) = named.secrets.first() else { return named.is_value_refused().then_some(Err(VALUE)) };
    let outcome = field(value, &OUTCOMES).unwrap_or_default();
    let is_failure = says(outcome, true) == Some(false) || FAILED_EVENTS.contains(&outcome);
    if !is_failure && is_event_of_something_else(outcome) {
        return Some(Err("it names a secret, and an event that is no end of a rotation"));
    }
    let state = if says(outcome, true) == Some(true) || outcome == "OK" { AlarmState::Ok } else { AlarmState::Alarm };
    let own_title = format!("message about {}", secret.name());
    let title = delivered.subject.unwrap_or(&own_title).to_owned();
    let reason = field(value, &REASONS).unwrap_or(outcome);
    let told_at = field(value, &["time", "eventtime", "timestamp"]).and_then(|at| at.parse::<Timestamp>().ok());
    let at = told_at.map_or(delivered.sent_at, |at| at.min(delivered.sent_at));
    let place = (field(value, &["account", "accountid", "awsaccountid"]), field(value, &["region", "awsregion"]));
    Some(of(named, StateChange { state, at, reason }, &title, delivered, place))
}

/// What a person or a program of their own says, of the place of what it names, else of the place it says, else of the topic's.
fn of(
    named: NamedSecrets,
    change: StateChange<'_>,
    title: &str,
    delivered: &Delivered<'_>,
    told: (Option<&str>, Option<&str>),
) -> Result<Alarm, &'static str> {
    let topic = delivered.topic.arn();
    let by_arn = named.secrets.iter().find_map(|secret| match secret {
        SecretRef::Arn(arn) => Some(arn.arn().clone()),
        SecretRef::Name(_) => None,
    });
    let by_arn = by_arn.or_else(|| named.functions.iter().find_map(|function| Arn::parse(function).ok()));
    let place = match &by_arn {
        Some(arn) => (arn.account_id(), arn.region()),
        None => (told.0.unwrap_or_else(|| topic.account_id()), told.1.unwrap_or_else(|| topic.region())),
    };
    let about: Vec<&str> = named.secrets.iter().map(SecretRef::as_str).collect();
    let key = format!("text:{}:{}", about.join(","), named.functions.join(","));
    let said = change.by(AlarmSource::Text, &key, title, place)?;
    Ok(named.of(said))
}

/// The first text under one of these keys, without case and signs, of an object or of what an input transformer nests in it.
fn field<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v str> {
    let holders = ["", "/detail"].iter().filter_map(|holder| value.pointer(holder)?.as_object());
    let fields: Vec<(String, &str)> = holders
        .flatten()
        .filter_map(|(name, value)| Some((plain(name), value.as_str().filter(|text| !text.is_empty())?)))
        .collect();
    keys.iter().find_map(|key| fields.iter().find(|(name, _)| name == key).map(|(_, text)| *text))
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// CloudTrail's events of a rotation that did not happen.
const FAILED_EVENTS: [&str; 3] = super::rotation_event::FAILURES;

/// True for the name of a call or an event of Secrets Manager, such as `PutSecretValue`, that says nothing about how a rotation
/// ended.
fn is_event_of_something_else(outcome: &str) -> bool {
    let is_name =
        outcome.chars().all(|c| c.is_ascii_alphanumeric()) && outcome.chars().filter(char::is_ascii_uppercase).count() > 1;
    is_name && ["Secret", "Rotat"].iter().any(|word| outcome.contains(word)) && says(outcome, true).is_none()
}

/// Source: CloudFormation User Guide, "Set CloudFormation stack options", notifications; public examples of them.
fn is_of_cloudformation(message: &str) -> bool {
    let has_line =
        |name: &str| message.lines().any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with("='")));
    has_line("StackId") && has_line("LogicalResourceId")
}

/// A sentence, and what it names behind the word "secret" or "function".
#[derive(Debug, Default)]
struct Sentence {
    secrets: Vec<String>,
    functions: Vec<String>,
    /// What it says of them: the words of a name say nothing.
    rest: String,
}

impl Sentence {
    fn of(clause: &str) -> Sentence {
        const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
        let mut sentence = Sentence::default();
        let mut kind = "";
        for word in clause.split_whitespace() {
            let bare = word.trim_matches(|c: char| QUOTES.contains(&c) || "(),;:!?".contains(c)).trim_end_matches('.');
            let bare = bare.trim_end_matches(QUOTES);
            let is_quoted = word.starts_with(QUOTES);
            match std::mem::take(&mut kind) {
                "secret" if is_name(bare, is_quoted) => sentence.secrets.push(bare.to_owned()),
                "function" if is_name(bare, is_quoted) => sentence.functions.push(bare.to_owned()),
                before => {
                    sentence.rest.push(' ');
                    sentence.rest.push_str(word);
                    kind = match word.to_ascii_lowercase().as_str() {
                        "secret" => "secret",
                        "function" | "lambda" => "function",
                        "named" | "called" => before,
                        _ => "",
                    };
                }
            }
        }
        sentence
    }

    fn names_nothing(&self) -> bool {
        self.secrets.is_empty() && self.functions.is_empty()
    }
}

/// True for a word that is a name rather than one of the language: it is quoted, or has signs, digits or letters as only names do.
fn is_name(word: &str, is_quoted: bool) -> bool {
    /// Beginnings of words of the language that have a hyphen, such as "non-compliant".
    const PREFIXES: [&str; 5] = ["non-", "re-", "auto-", "self-", "un-"];
    let small = word.to_ascii_lowercase();
    let has_letter = word.contains(|c: char| c.is_ascii_alphabetic());
    let is_of_language = small.starts_with("arn:") || PREFIXES.iter().any(|prefix| small.starts_with(prefix));
    let is_camel = word.contains(|c: char| c.is_ascii_lowercase()) && word.chars().skip(1).any(|c| c.is_ascii_uppercase());
    let is_marked = is_camel || word.contains(|c: char| c.is_ascii_digit() || "/_-.@+".contains(c));
    has_letter && !is_of_language && (is_quoted || is_marked)
}

/// The sentences of a text. A line that goes on is no end of one, an empty line is.
fn clauses(text: &str) -> impl Iterator<Item = String> {
    let mut clauses = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            clauses.push(String::new());
        }
        for word in line.split_whitespace() {
            if let Some(clause) = clauses.last_mut() {
                clause.push(' ');
                clause.push_str(word);
            }
            if word.ends_with(['.', '!', '?', ';']) {
                clauses.push(String::new());
            }
        }
    }
    clauses.into_iter()
}

/// Whether a clause says that a rotation went well; `None` where it says neither. `is_about_rotation` where that is known.
fn says(clause: &str, is_about_rotation: bool) -> Option<bool> {
    let words: Vec<String> = words(clause).take(MAX_WORDS).collect();
    let has = |stems: &[&str], at: usize| words.get(at).is_some_and(|word| stems.iter().any(|stem| word.starts_with(stem)));
    let negates = |word: &str| {
        ["no", "not", "non", "never", "without", "zero", "0", "none", "cannot", "unable"].contains(&word) || word.ends_with("n't")
    };
    let before = |at: usize, within: usize| words.iter().take(at).skip(at.saturating_sub(within));
    let is_negated = |at: usize, within: usize| before(at, within).any(|word| negates(word));
    let positions = |stems: &[&str]| (0..words.len()).filter(|at| has(stems, *at)).collect::<Vec<usize>>();
    let rotations = positions(&["rotat"]);
    if !is_about_rotation && rotations.is_empty() {
        return None;
    }
    // "was not rotated", "cannot rotate", but not "no rotation failed", and not "do not rotate it by hand".
    let did_not = rotations.iter().any(|at| {
        let nots =
            before(*at, 3).any(|word| negates(word) && !["no", "without", "zero", "0", "none", "non"].contains(&word.as_str()));
        nots && !before(*at, 4).any(|word| word == "do" || word == "don't")
    });
    let failed = positions(&FAILURES).iter().any(|at| !is_negated(*at, 2))
        || (0..words.len()).any(|at| words.get(at).is_some_and(|word| word == "late") && !is_negated(at, 2));
    let successes = positions(&SUCCESSES);
    let unsuccessful = successes.iter().any(|at| is_negated(*at, 2));
    let went_well = successes.iter().any(|at| !is_negated(*at, 2) && !has(&WEAK, *at));
    let went_on = successes.iter().any(|at| !is_negated(*at, 2));
    match (did_not || unsuccessful, failed) {
        (true, _) => Some(false),
        (false, true) if !went_well => Some(false),
        (false, false) if !went_on => None,
        _ => Some(true),
    }
}

/// The words of a clause, in small letters and without signs; names and addresses are none, because they are of things.
fn words(clause: &str) -> impl Iterator<Item = String> {
    let said = clause.split_whitespace().filter(|word| !word.contains("arn:") && !word.contains('/'));
    let mut words = Vec::new();
    for word in said.take(2 * MAX_WORDS) {
        let mut part = String::new();
        let mut was_small = false;
        for c in word.chars().map(|c| if c == '\u{2019}' { '\'' } else { c }) {
            let begins = c.is_uppercase() && was_small;
            if (begins || !(c.is_alphanumeric() || c == '\'')) && !part.is_empty() {
                words.push(std::mem::take(&mut part));
            }
            was_small = c.is_lowercase();
            if c.is_alphanumeric() || c == '\'' {
                part.extend(c.to_lowercase());
            }
        }
        if !part.is_empty() {
            words.push(part);
        }
    }
    words.into_iter().map(|word| word.trim_matches('\'').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Topic;
    use serde_json::json;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/rotation-failed-db-AbCdEf";

    fn delivered<'a>(topic: &'a Topic, subject: Option<&'a str>) -> Delivered<'a> {
        Delivered { topic, sent_at: "2026-11-25T10:00:00Z".parse().unwrap(), subject }
    }

    fn alarm_of(message: &str, subject: Option<&str>) -> Result<Alarm, &'static str> {
        let topic = Topic::parse("arn:aws:sns:eu-central-1:210987654321:alarms").unwrap();
        read(message, &delivered(&topic, subject))
    }

    fn object(value: &Value) -> Option<Result<Alarm, &'static str>> {
        let topic = Topic::parse("arn:aws:sns:eu-central-1:210987654321:alarms").unwrap();
        read_object(value, &delivered(&topic, None))
    }

    #[test]
    fn a_text_counts_where_it_says_that_rotation_failed_or_is_overdue() {
        for words in [
            "Rotation of {} failed",
            "The rotation of\n{}\nhas failed again, please look",
            "RotationFailed for {}",
            "{} has not been rotated for 120 days",
            "{} wasn’t rotated",
            "Secrets Manager cannot rotate {}",
            "could not rotate {}: timeout",
            "Rotation is overdue: {}",
            "Rotation of {} did not complete",
            "Rotation of {} completed with errors",
            "Event: Rotation\nStatus: Failed\nSecret: {}",
            "The compliance state of secret {} for rule secretsmanager-rotation-enabled-check has changed to NON_COMPLIANT at 10:00.",
            "Automatic rotation is disabled for {}",
            "rotation was unsuccessful ({})",
        ] {
            let alarm = alarm_of(&words.replace("{}", SECRET), None).unwrap_or_else(|why| panic!("{words}: {why}"));
            assert_eq!(alarm.secrets[0].as_str(), SECRET, "{words}");
            assert_eq!((alarm.account_id.as_str(), alarm.region.as_str()), ("123456789012", "eu-west-1"), "{words}");
        }
        assert!(alarm_of(SECRET, Some("Rotation failed")).is_ok());
        assert!(alarm_of("arn:aws:lambda:eu-west-1:123456789012:function:rotator: rotation failed", None).is_ok());
        assert_eq!(alarm_of("please look at secret=prod/orders-db", None).unwrap().account_id, "210987654321", "the topic's");
        assert!(alarm_of(&format!("please look at secret={SECRET}"), None).is_ok());
    }

    #[test]
    fn what_a_text_is_pointed_at_for_it_names_without_saying_that_rotation_failed() {
        let names = |text: &str| secrets_in(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&format!("ALARM: {SECRET} in eu-west-1")), [SECRET]);
        assert_eq!(names("SecretName=prod/orders-db\nsecret prod/users-db is on fire"), ["prod/orders-db", "prod/users-db"]);
        assert_eq!(names("the secret is out, and secret q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE too"), [""; 0]);
    }

    #[test]
    fn a_sentence_about_a_failed_rotation_names_its_secret_by_the_word_before_it() {
        for (words, secrets, functions) in [
            ("Rotation of secret prod/s54-db failed", vec!["prod/s54-db"], vec![]),
            ("rotation of secret prod/s68-db is overdue.", vec!["prod/s68-db"], vec![]),
            ("Rotation of the secret 'orders' failed", vec!["orders"], vec![]),
            ("Rotation of secret MyDatabaseSecret failed!", vec!["MyDatabaseSecret"], vec![]),
            ("Rotation of function orders-rotator failed", vec![], vec!["orders-rotator"]),
            ("Rotation of secret prod/a-db succeeded. Rotation of secret prod/b-db failed.", vec!["prod/b-db"], vec![]),
            ("secret = prod/s65-db", vec!["prod/s65-db"], vec![]),
            ("look at secret=\"prod/s62-db\"", vec!["prod/s62-db"], vec![]),
        ] {
            let alarm = alarm_of(words, None).unwrap_or_else(|why| panic!("{words}: {why}"));
            let named: Vec<&str> = alarm.secrets.iter().map(SecretRef::as_str).collect();
            assert_eq!((named, alarm.functions), (secrets, functions.into_iter().map(str::to_owned).collect()), "{words}");
        }
        for words in [
            "Rotation of secret prod/s54-db succeeded",
            "No rotation failures of secret prod/s54-db",
            "Deployment of function orders-rotator failed",
            "Backup of secret rotation-failed-db is done",
        ] {
            let why = alarm_of(words, None).unwrap_err();
            assert!(why.contains("does not say that its rotation failed"), "{words}: {why}");
        }
        for words in ["Rotation of secret non-compliant values failed", "secret=, rotated well", "secret=\nrotated well"] {
            assert!(alarm_of(words, None).is_err(), "{words}");
        }
    }

    #[test]
    fn a_value_in_a_names_place_is_said_to_be_one_and_is_no_title() {
        let value = "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE";
        for why in [object(&json!({"secret": value})).unwrap(), alarm_of(&format!("secret={value}"), None)] {
            assert!(why.unwrap_err().starts_with("what stands where a secret's name belongs looks like a value"));
        }
        let alarm = alarm_of("secret=prod/orders-db", Some(value)).unwrap();
        assert_eq!(alarm.title, "a secret");
    }

    #[test]
    fn a_text_that_only_names_a_secret_opens_nothing() {
        for words in [
            "{}",
            "Rotation of {} succeeded",
            "Rotation of {} succeeded after 2 failed attempts",
            "No rotation failures for {} today",
            "The rotation of {} has completed without errors",
            "{} will be rotated tonight",
            "Pipeline deploy-rotation-lambda SUCCEEDED.\nDeployed for {}",
            "Build failed. See the log.\n\nThe rotation function of {} was deployed before.",
            "Do not rotate {} by hand",
            "The compliance state of secret {} for rule secretsmanager-rotation-enabled-check has changed to COMPLIANT at 10:00.",
            "The compliance state of secret {} for rule secretsmanager-secret-unused has changed to NON_COMPLIANT at 10:00.",
            "An AWS Backup job failed. Resource ARN : {}. BackupJob ID : 1b2345b2",
            "Secret: {}",
        ] {
            let why = alarm_of(&words.replace("{}", SECRET), Some("AWS Notification Message")).unwrap_err();
            assert!(why.contains("does not say that its rotation failed"), "{words}: {why}");
        }
    }

    /// The shape of CloudFormation's notice; the stack, the names and the ids are made up.
    #[test]
    fn cloudformations_notices_open_nothing_whatever_failed() {
        for (status, reason) in
            [("CREATE_COMPLETE", ""), ("UPDATE_FAILED", "Rotation failed: A previous rotation is not complete")]
        {
            let notice = format!(
                "StackId='arn:aws:cloudformation:eu-west-1:123456789012:stack/orders/bfa4'\nTimestamp='2026-11-25T10:00:00.000Z'\n\
                 EventId='Rotation-{status}-2026'\nLogicalResourceId='OrdersRotationFailed'\nNamespace='123456789012'\n\
                 PhysicalResourceId='{SECRET}'\nPrincipalId='AIDA'\nResourceProperties='{{\"SecretId\":\"{SECRET}\"}}'\n\
                 ResourceStatus='{status}'\nResourceStatusReason='{reason}'\nResourceType='AWS::SecretsManager::RotationSchedule'\n\
                 StackName='orders'\nClientRequestToken='null'\n"
            );
            assert_eq!(
                alarm_of(&notice, Some("AWS CloudFormation Notification")),
                Err("it is from CloudFormation, which tells of a stack")
            );
        }
    }

    #[test]
    fn an_object_names_its_secret_by_its_key_however_it_is_spelled_and_nested() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
        for value in [
            json!({"secret": arn}),
            json!({"secretId": arn}),
            json!({"secret_id": arn}),
            json!({"SecretId": arn}),
            json!({"secretArn": arn}),
            json!({"secret_arn": arn}),
            json!({"secret-name": arn}),
            json!({"secrets": [arn]}),
            json!({"detail": {"secret": arn}}),
            json!({"detail": {"additionalEventData": {"SecretId": arn}}, "event": "RotationFailed"}),
            json!({"source": "aws.secretsmanager", "detail": {"requestParameters": {"secretId": arn}}}),
        ] {
            let alarm = object(&value).unwrap().unwrap();
            assert_eq!((alarm.secrets[0].as_str(), alarm.state), (arn, AlarmState::Alarm), "{value}");
            assert_eq!((alarm.account_id.as_str(), alarm.region.as_str()), ("123456789012", "eu-west-1"), "{value}");
        }
        let named = json!({"secret": "prod/orders-db", "account": "123456789012", "region": "us-east-1", "reason": "it broke",
                           "time": "2026-11-25T09:00:00Z"});
        let alarm = object(&named).unwrap().unwrap();
        assert_eq!(
            (alarm.account_id.as_str(), alarm.region.as_str(), alarm.reason.as_str()),
            ("123456789012", "us-east-1", "it broke")
        );
        assert_eq!(
            (alarm.title.as_str(), alarm.state_at),
            ("message about prod/orders-db", "2026-11-25T09:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn an_object_says_by_its_outcome_whether_it_is_over_and_what_is_no_end_of_a_rotation_opens_nothing() {
        let of = |key: &str, outcome: &str| object(&json!({"secret": "prod/orders-db", key: outcome})).unwrap();
        for (key, outcome) in [
            ("eventName", "RotationFailed"),
            ("event", "TestRotationFailed"),
            ("status", "FAILED"),
            ("state", "ALARM"),
            ("compliance", "NON_COMPLIANT"),
            ("note", "RotationSucceeded"),
        ] {
            assert_eq!(of(key, outcome).unwrap().state, AlarmState::Alarm, "{key} {outcome}");
        }
        for (key, outcome) in [
            ("eventName", "RotationSucceeded"),
            ("status", "SUCCESS"),
            ("state", "OK"),
            ("complianceType", "COMPLIANT"),
            ("result", "PASSED"),
            ("detail-type", "resolved"),
        ] {
            assert_eq!(of(key, outcome).unwrap().state, AlarmState::Ok, "{key} {outcome}");
        }
        for event in ["RotationStarted", "GetSecretValue", "PutSecretValue", "CancelRotateSecret"] {
            assert_eq!(of("eventName", event), Err("it names a secret, and an event that is no end of a rotation"), "{event}");
        }
        for other in [
            json!({}),
            json!({"secret": 1}),
            json!({"secret": "x y"}),
            json!({"resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf"}),
            json!({"deep": {"secret": "prod/orders-db"}}),
            json!({"source": "aws.codebuild", "detail": {"secret": "prod/orders-db"}}),
        ] {
            assert_eq!(object(&other), None, "{other}");
        }
    }

    #[test]
    fn a_text_as_large_as_a_message_may_be_is_judged_in_bounded_time() {
        let words = "rotation not ".repeat(20_000);
        assert!(alarm_of(&format!("{SECRET} {words}"), None).is_ok() || alarm_of(&words, None).is_err());
        let sentences = "rotation. ".repeat(26_000);
        assert!(alarm_of(&format!("{SECRET} {sentences}"), None).is_err());
    }
}
