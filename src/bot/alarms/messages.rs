//! What threads say about alarms.

use super::context::AlarmContext;
use crate::alarm::{AlarmGroup, MAX_COUNTED, MAX_THREADS, Reason, Storm};
use crate::chat::Message;
use crate::chat::document::{Attachment, Content, Mention, Part, Tone};
use crate::config::Callee;
use crate::model::{Alarm, AlarmSource, AlarmState, Cause, Investigation, OkBasis, Outcome, SecretRef, ThreadId};
use crate::redact::SafeText;
use crate::report::time::{age, moment};
use crate::report::{Phrase, Report, wording};
use crate::safe_format;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Names in a list; more are counted.
const MAX_NAMES: usize = 20;

/// The longest of an alarm's own texts that is shown, in characters.
const MAX_CHARS: usize = 300;

fn section(label: &'static str, lines: impl IntoIterator<Item = SafeText>) -> Option<Part> {
    let lines: Vec<SafeText> = lines.into_iter().collect();
    (!lines.is_empty()).then(|| Part::Section { label: label.into(), lines })
}

fn headlines<'r>(records: impl IntoIterator<Item = &'r &'r Investigation>) -> Vec<SafeText> {
    records.into_iter().map(|record| wording::headline(&Report::new(record))).collect()
}

/// The alarm at the beginning of a sentence; other sources' titles begin with a name, which stays as it is.
fn title_of(case: &AlarmContext<'_>) -> SafeText {
    named(case.alarm)
}

pub(super) fn named(alarm: &Alarm) -> SafeText {
    let title = SafeText::redact(&alarm.title).single_line();
    let series = alarm.series.as_ref().filter(|series| !series.name.is_empty());
    match (alarm.source, series) {
        (AlarmSource::CloudWatch, Some(series)) => {
            safe_format!("Alarm {} ({})", title, SafeText::redact(&series.name).single_line())
        }
        (AlarmSource::CloudWatch, None) => safe_format!("Alarm {}", title),
        _ => title,
    }
}

/// A title within a sentence; what it begins with is a name, but for the word of our own.
fn in_sentence(title: &SafeText) -> SafeText {
    match title.starts_with("Alarm ") {
        true => safe_format!("alarm {}", title.part(|title| title.trim_start_matches("Alarm "))),
        false => title.clone(),
    }
}

/// The same, where it is OK: an event of a rotation says so in its title.
fn named_well(alarm: &Alarm) -> SafeText {
    match alarm.source {
        AlarmSource::RotationEvent => named(alarm),
        AlarmSource::Health => safe_format!("{} is over", named(alarm)),
        _ => safe_format!("{} is OK again", named(alarm)),
    }
}

/// Who closes the investigations of an alarm that recovered.
pub(super) fn closer(case: &AlarmContext<'_>) -> SafeText {
    match case.alarm.source {
        AlarmSource::RotationEvent => "the rotation that succeeded".into(),
        _ => safe_format!("the alarm {}", SafeText::redact(&case.alarm.title).single_line()),
    }
}

/// The alarm was given up.
pub(super) fn dead_letter(alarm: &Alarm, why: &'static str) -> Message {
    let mut message = Message::line(Tone::Warning, safe_format!("{} could not be processed: {}", named(alarm), why));
    let ask = "investigate the secret by hand; the next change of the alarm will be processed as usual";
    message.parts.push(Part::Context(vec![place_of(alarm), ask.into()]));
    message
}

fn place_of(alarm: &Alarm) -> SafeText {
    safe_format!("{} in {}", alarm.account_id, alarm.region)
}

/// While it is looked into.
pub(super) fn working(case: &AlarmContext<'_>) -> Message {
    let title = match case.secrets().len() {
        0 => safe_format!("{}: looking into it", title_of(case)),
        1 => safe_format!(
            "{}: looking into {}",
            title_of(case),
            SafeText::join(listed(case.secrets().values().map(SecretRef::name)), "")
        ),
        several => safe_format!("{}: looking into {} secrets together", title_of(case), counted(several)),
    };
    let mut message = Message::line(Tone::Working, title);
    if case.secrets().len() > 1 {
        message.parts.extend(section("Secrets", listed(case.secrets().values().map(SecretRef::name))));
    }
    message
}

/// How many secrets an alarm is about; of many it is only known that there are more.
fn counted(secrets: usize) -> SafeText {
    if secrets > MAX_COUNTED { safe_format!("more than {}", MAX_COUNTED) } else { safe_format!("{}", secrets) }
}

/// What the alarm itself says, how often it came, and how its secrets were found.
pub(super) fn about(case: &AlarmContext<'_>, group: &AlarmGroup, now: Timestamp) -> Message {
    let alarm = case.alarm;
    let at = moment(alarm.state_at, now);
    let what = match (alarm.state, alarm.source, alarm.basis) {
        (AlarmState::Alarm, AlarmSource::CloudWatch, _) => safe_format!("{} went to ALARM, {}", title_of(case), at),
        (AlarmState::Alarm, ..) => safe_format!("{}, {}", title_of(case), at),
        (AlarmState::Ok, _, OkBasis::NoData) => {
            safe_format!("{} is OK because data is missing, which says nothing about the rotation, {}", title_of(case), at)
        }
        (AlarmState::Ok, ..) => safe_format!("{}, {}", named_well(alarm), at),
        (AlarmState::InsufficientData, ..) => safe_format!("{} has insufficient data, {}", title_of(case), at),
    };
    // What the thread's first message says of the rotation decides its colour; what an alarm says has none.
    let mut message = Message::line(Tone::Neutral, what);
    let said = [&alarm.reason, &alarm.description].into_iter().filter(|text| !text.is_empty());
    message.parts.extend(section("Reason", said.map(|text| SafeText::redact(text).single_line().cut(MAX_CHARS))));
    message.parts.extend(section("About this alarm", alarm.remarks.iter().map(|remark| SafeText::redact(remark))));
    let mut context: Vec<SafeText> = Vec::new();
    if !case.secrets().is_empty() {
        context.push(safe_format!("{}{}", FOUND, case.found.by.words(alarm.source)));
    }
    context.extend(counts(group));
    if group.is_flapping(now) {
        context.push(
            "the alarm is flapping: its changes are only counted here; once it has been stable for ten minutes, it is investigated again"
                .into(),
        );
    }
    if !context.is_empty() {
        message.parts.push(Part::Context(context));
    }
    message
}

/// What the states that an alarm had before stand under.
const BEFORE: &str = "Before";

/// How many of them are kept.
const MAX_STATES: usize = 10;

/// The message with what the alarm said before, oldest first: its own state and time stay readable when it recovers.
pub(super) fn with_history(mut message: Message, earlier: Option<&Message>) -> Message {
    let Some(earlier) = earlier.filter(|earlier| earlier.title != message.title) else {
        let kept = earlier.and_then(|earlier| earlier.parts.iter().find(|part| is_history(part)));
        message.parts.extend(kept.cloned());
        return message;
    };
    let known = earlier.parts.iter().find_map(|part| match part {
        Part::Section { lines, .. } if is_history(part) => Some(lines.as_slice()),
        _ => None,
    });
    let mut states: Vec<SafeText> = known.unwrap_or_default().iter().cloned().chain([earlier.title.clone()]).collect();
    states.drain(..states.len().saturating_sub(MAX_STATES));
    message.parts.push(Part::Section { label: BEFORE.into(), lines: states });
    message
}

fn is_history(part: &Part) -> bool {
    matches!(part, Part::Section { label, .. } if label.as_str() == BEFORE)
}

/// What the words begin with that say how an alarm's secrets were found.
const FOUND: &str = "secrets found by ";

/// What the words begin with that say how often alarms came.
const CAME: &str = "alarms about this received: ";

/// What the words end with that say how many alarms there are.
const DIFFERENT: &str = " different alarms";

fn counts(group: &AlarmGroup) -> Vec<SafeText> {
    let times = (group.times > 1).then(|| safe_format!("{}{}", CAME, group.times));
    let different = (group.alarms.len() > 1).then(|| safe_format!("{}{}", group.alarms.len(), DIFFERENT));
    times.into_iter().chain(different).collect()
}

/// The message about the newest alarm with the count as it is after one that is older.
pub(super) fn recounted(mut message: Message, group: &AlarmGroup) -> Message {
    let context = message.parts.iter().rposition(|part| matches!(part, Part::Context(_)));
    let mut parts = match context.map(|at| message.parts.remove(at)) {
        Some(Part::Context(parts)) => parts,
        _ => Vec::new(),
    };
    parts.retain(|part| !part.as_str().starts_with(CAME) && !part.as_str().ends_with(DIFFERENT));
    let behind = parts.iter().take_while(|part| part.as_str().starts_with(FOUND)).count();
    parts.splice(behind..behind, counts(group));
    message.parts.push(Part::Context(parts));
    message
}

/// Whom a message calls.
pub(super) fn mention(callee: &Callee) -> Mention {
    match callee {
        Callee::User(id) => Mention::User(id.clone()),
        Callee::Group(id) => Mention::Group(id.clone()),
        Callee::Here => Mention::Here,
    }
}

/// No secret was found: what was tried, and how to say what the alarm is about.
pub(super) fn unmapped(case: &AlarmContext<'_>, may_come: bool, now: Timestamp) -> Message {
    let is_found = !case.found.secrets.is_empty();
    let title = match is_found {
        true => safe_format!("{} refers to a secret that may not be named here", title_of(case)),
        false => safe_format!("Could not determine which secret {} refers to", in_sentence(&title_of(case))),
    };
    let mut message = Message::line(Tone::Warning, title);
    let since = Phrase::from("since ").at(case.alarm.state_at, now);
    message.parts.push(Part::Facts(vec![place_of(case.alarm).into(), since]));
    if is_found {
        let how = "it is not investigated: let the rules of the configuration show the secret in this channel, or route the alarm to a \
                   channel where they do";
        message.parts.extend(section("To see it", [how.into()]));
        return message;
    }
    message.parts.extend(section("What was tried", case.found.tried.iter().map(|tried| SafeText::redact(tried))));
    if may_come {
        let hope = "CloudTrail shows events a few minutes late, so this is retried for a while";
        message.parts.push(Part::Context(vec![hope.into()]));
    } else {
        let how = match case.alarm.source {
            AlarmSource::CloudWatch => {
                "name the secret in the alarm's description (secret=NAME), a dimension or a tag, or map it in the configuration:"
            }
            _ => "name the secret in the message (secret=NAME), or map it in the configuration:",
        };
        message.parts.extend(section("To identify it next time", [how.into()]));
        let name = SafeText::redact(&case.alarm.title.replace(['\\', '"'], "*")).single_line();
        message.parts.push(Part::Commands(vec![
            "[[alarms.mapping]]".into(),
            safe_format!("alarm = \"{}\"", name),
            "secrets = [\"NAME\"]".into(),
        ]));
    }
    message
}

/// What several secrets have in common.
pub(super) fn overview(case: &AlarmContext<'_>, records: &[&Investigation], left: &[&SecretRef]) -> Message {
    let broken = not_rotating(records).count();
    let mut causes: BTreeMap<Option<&'static str>, usize> = BTreeMap::new();
    for record in records {
        *causes.entry(record.diagnosis.root_cause().map(|finding| finding.cause.title())).or_default() += 1;
    }
    let all = counted(records.len() + left.len());
    let (tone, title) = match causes.iter().next() {
        Some((Some(cause), count)) if *count == records.len() && records.len() > 1 => {
            (Tone::Bad, safe_format!("{}: {} of {} secrets have the same cause: {}", title_of(case), *count, all, *cause))
        }
        _ if left.is_empty() && records.iter().all(|record| record.diagnosis.outcome == Outcome::Healthy) => {
            let title = safe_format!("{}: {} rotate", title_of(case), every_secret(records));
            match records.iter().filter(|record| record.diagnosis.forecast.blocking().next().is_some()).count() {
                0 => (Tone::Good, title),
                some => (Tone::Warning, safe_format!("{}, but the next rotation of {} of them will fail", title, some)),
            }
        }
        _ if broken == 0 => {
            let healthy = records.iter().filter(|record| record.diagnosis.outcome == Outcome::Healthy).count();
            let what = match (healthy, left.is_empty()) {
                (0, true) => safe_format!("no cause was found for any of {} secrets", all),
                (0, false) => {
                    safe_format!("no cause was found for any of the {} of {} secrets that were investigated", records.len(), all)
                }
                (healthy, _) => {
                    let rotate = if healthy == 1 { "rotates" } else { "rotate" };
                    safe_format!("{} of {} secrets {}; nothing is known of the others", healthy, all, rotate)
                }
            };
            (Tone::Warning, safe_format!("{}: {}", title_of(case), what))
        }
        _ => {
            let cause = || Some(safe_format!(": {}", not_rotating(records).next()?.diagnosis.root_cause()?.cause.title()));
            let why = match distinct(records) {
                1 => cause().unwrap_or_default(),
                several => safe_format!(", because of {} different causes", several),
            };
            let are = if broken == 1 { "is" } else { "are" };
            (Tone::Bad, safe_format!("{}: {} of {} secrets {} not rotating{}", title_of(case), broken, all, are, why))
        }
    };
    let mut message = Message::line(tone, title);
    message.parts.extend(section("Each secret", headlines(records)));
    message.parts.extend(section("In common", in_common(records)));
    message.parts.extend(section("Not investigated", listed(left.iter().map(|secret| secret.name()))));
    message
}

/// The first message of a thread about several secrets, when it is over.
pub(super) fn all_over(case: &AlarmContext<'_>, records: &[&Investigation]) -> Message {
    let title = safe_format!("Resolved: {}, and the rotation of {} succeeded", named_well(case.alarm), every_secret(records));
    let mut message = Message::line(Tone::Neutral, title);
    message.parts.extend(section("Each secret", headlines(records)));
    message
}

/// The colour of what is said in the thread `thread` after a look: that of its first message, as far as it is known.
fn tone_after(records: &[&Investigation], thread: &ThreadId) -> Tone {
    let first = records.iter().find(|record| *thread == record.id.as_str());
    let is_broken = |record: &&Investigation| record.diagnosis.outcome == Outcome::RootCause;
    match first {
        Some(record) if !is_broken(record) => Tone::Neutral,
        _ if records.iter().any(is_broken) => Tone::Bad,
        _ => Tone::Neutral,
    }
}

/// An alarm that changed to and fro has been still, in ALARM.
pub(super) fn settled(case: &AlarmContext<'_>, records: &[&Investigation], thread: &ThreadId) -> Message {
    let state = match case.alarm.state {
        AlarmState::InsufficientData => "has insufficient data",
        _ => "is in ALARM",
    };
    let title = safe_format!("{} was flapping, has been stable for ten minutes, and {}", title_of(case), state);
    let mut message = Message::line(tone_after(records, thread), title);
    message.parts.extend(section("Now", headlines(records)));
    message
}

/// Such as `all 3 secrets`.
fn every_secret(records: &[&Investigation]) -> SafeText {
    if records.len() == 2 { "both secrets".into() } else { safe_format!("all {} secrets", records.len()) }
}

/// Those whose rotation does not happen.
fn not_rotating<'r>(records: &'r [&'r Investigation]) -> impl Iterator<Item = &'r Investigation> {
    records.iter().copied().filter(|record| record.diagnosis.outcome == Outcome::RootCause)
}

fn distinct(records: &[&Investigation]) -> usize {
    let causes: std::collections::BTreeSet<Cause> =
        not_rotating(records).filter_map(|record| Some(record.diagnosis.root_cause()?.cause)).collect();
    causes.len().max(1)
}

/// Functions and keys that all of them share.
fn in_common(records: &[&Investigation]) -> Vec<SafeText> {
    let shared = |of: fn(&Investigation) -> Option<String>| {
        let values: Vec<Option<String>> = records.iter().map(|record| of(record)).collect();
        let first = values.first().cloned().flatten()?;
        (values.len() > 1 && values.iter().all(|value| value.as_ref() == Some(&first))).then_some(first)
    };
    let function = shared(|record| {
        let config = record.evidence.rotation_config.found()?;
        config.function_arn.as_ref().map(|arn| arn.name().to_owned())
    });
    let key = shared(|record| record.evidence.secret.found()?.kms_key_id.clone());
    let function = function.map(|name| safe_format!("all rotate with the function {}", SafeText::redact(&name)));
    let key = key.map(|key| safe_format!("all are encrypted with the key {}", SafeText::redact(&key)));
    function.into_iter().chain(key).collect()
}

/// The thread says something new, and why.
pub(super) fn thread_update(case: &AlarmContext<'_>, reason: &Reason, records: &[&Investigation], thread: &ThreadId) -> Message {
    let is_well = !records.is_empty() && records.iter().all(|record| record.diagnosis.outcome == Outcome::Healthy);
    let what = match reason {
        Reason::NewSecrets(names) if names.len() == 1 => "a new secret is affected".into(),
        Reason::NewSecrets(names) => safe_format!("{} new secrets are affected", names.len()),
        Reason::StillFailing(hours) if is_well => safe_format!("it still fires after {} h, although rotation works now", *hours),
        Reason::StillFailing(hours) => safe_format!("still failing after {} h", *hours),
        Reason::Again => "it fired again after it had recovered".into(),
    };
    // A secret that is new says nothing about the one that the first message is about.
    let tone = if matches!(reason, Reason::NewSecrets(_)) { Tone::Neutral } else { tone_after(records, thread) };
    let mut message = Message::line(tone, safe_format!("{}: {}", title_of(case), what));
    message.parts.extend(section("Now", headlines(records)));
    if records.is_empty() {
        message.parts.extend(section("Now", ["it is still unknown which secret it refers to".into()]));
    }
    message
}

/// The reason, for the operator's records.
pub(super) const fn reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::NewSecrets(_) => "new secret affected",
        Reason::StillFailing(_) => "still failing",
        Reason::Again => "it came again",
    }
}

/// Everything is OK again; whether rotation is, is told for each secret. `known` secrets are in the thread; those of them that could
/// be looked into were `seen`.
pub(super) fn recovered(
    case: &AlarmContext<'_>,
    known: usize,
    seen: &[&Investigation],
    recovered: &[&Investigation],
    now: Timestamp,
) -> Message {
    let is_over = known > 0 && recovered.len() == known;
    let (tone, title) = match (is_over, known == 0) {
        (true, _) => (Tone::Good, safe_format!("{}, and rotation succeeded: resolved", named_well(case.alarm))),
        (_, true) => (Tone::Neutral, safe_format!("{}; which secret it referred to is unknown", named_well(case.alarm))),
        _ => {
            let what = match (recovered.len(), case.alarm.source) {
                _ if seen.is_empty() => "but its rotation could not be looked into: this thread stays open".into(),
                // The title says that one succeeded.
                (0, AlarmSource::RotationEvent) => "but a rotation has failed since: this thread stays open".into(),
                (0, _) => "but rotation has not succeeded since: this thread stays open".into(),
                (some, _) => safe_format!("but only {} of {} secrets rotated since: this thread stays open", some, known),
            };
            (Tone::Warning, safe_format!("{}, {}", named_well(case.alarm), what))
        }
    };
    let mut message = Message::line(tone, title);
    let lines: Vec<SafeText> = seen
        .iter()
        .map(|record| {
            let config = record.evidence.rotation_config.found();
            let headline = wording::headline(&Report::new(record));
            // Where the configuration was not seen, nothing is known of when it rotated.
            let Some(config) = config else { return headline };
            let rotated = config.last_rotated_at;
            let rotated = rotated.map_or("never rotated".into(), |at| safe_format!("last rotated {} ago", age(at, now)));
            safe_format!("{}; {}", headline, rotated)
        })
        .collect();
    message.parts.extend(section("Each secret", lines));
    if is_over {
        let by = match case.alarm.source {
            AlarmSource::RotationEvent => {
                "resolved by the rotation that succeeded; if one fails again, this is investigated again"
            }
            _ => "resolved by the alarm itself; if it fires again, this is investigated again",
        };
        message.parts.push(Part::Context(vec![by.into()]));
    }
    message
}

/// Many alarms at once.
pub(super) fn storm(storm: &Storm, size: u32, first: &[SafeText], question: SafeText, now: Timestamp) -> Message {
    let secrets = if size == 1 { "1 more secret".into() } else { safe_format!("{} more secrets", size) };
    let title = match (storm.is_over, storm.still_failing) {
        (false, _) => {
            safe_format!("Alarm storm: {} in this thread, because at most {} threads a minute are opened", secrets, MAX_THREADS)
        }
        (true, 0) => safe_format!("Alarm storm is over: {} in this thread, and none needs a thread of its own any more", secrets),
        (true, left) => {
            let threads = if left == 1 { "a thread" } else { "threads" };
            safe_format!("Alarm storm is over: {} in this thread; {} still failed afterwards and got {}", secrets, left, threads)
        }
    };
    let tone = if storm.is_over { Tone::Neutral } else { Tone::Bad };
    let mut message = Message::line(tone, title);
    message.parts.push(Part::Facts(vec![
        Phrase::from("since ").at(storm.began_at, now),
        Phrase::from("the last one ").at(storm.last_at, now),
    ]));
    let mut lines = first.to_vec();
    let more = usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(lines.len());
    if more > 0 {
        lines.push(safe_format!("and {} more, listed below", more));
    }
    message.parts.push(Part::Section { label: "Among them".into(), lines });
    message.parts.push(Part::Commands(vec![question]));
    message
}

/// A part of the list of a storm's secrets, the first of them at the place `first`.
pub(super) fn storm_page(first: u32, names: &[SafeText]) -> Message {
    let last = usize::try_from(first).unwrap_or(usize::MAX).saturating_add(names.len());
    let mut message = Message::line(Tone::Neutral, safe_format!("Secrets {} to {}", first.saturating_add(1), last));
    message.parts.push(Part::Section { label: "Without a thread yet".into(), lines: names.to_vec() });
    message
}

/// The whole list, as a file.
pub(super) fn storm_file(names: &[SafeText]) -> Message {
    let mut message = Message::line(Tone::Neutral, safe_format!("All {} secrets as a file", names.len()));
    let lines = SafeText::join(names.iter().map(SafeText::single_line), "\n");
    message.attachments.push(Attachment {
        name: "secrets.txt".to_owned(),
        description: "the secrets whose alarms have no thread, one per line".into(),
        content: Content::Text(lines),
    });
    message
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<SafeText> {
    let names: Vec<SafeText> = names.map(|name| SafeText::redact(name).single_line()).collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    let mut lines: Vec<SafeText> = names.into_iter().take(MAX_NAMES).collect();
    if more > 0 {
        lines.push(safe_format!("and {} more", more));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(title: String) -> Message {
        Message::line(Tone::Neutral, SafeText::redact(&title))
    }

    fn history(message: &Message) -> Vec<&str> {
        let lines = message.parts.iter().find_map(|part| match part {
            Part::Section { label, lines } if label.as_str() == BEFORE => Some(lines),
            _ => None,
        });
        lines.into_iter().flatten().map(SafeText::as_str).collect()
    }

    #[test]
    fn an_alarms_earlier_states_stay_readable_oldest_first() {
        let alarm = with_history(says("Alarm x went to ALARM, Sun 22 Nov 05:00 UTC".to_owned()), None);
        assert!(history(&alarm).is_empty());
        let well = with_history(says("Alarm x is OK again, Sun 22 Nov 06:00 UTC".to_owned()), Some(&alarm));
        assert_eq!(history(&well), ["Alarm x went to ALARM, Sun 22 Nov 05:00 UTC"]);
        // Said once more after a crash, it is no state of its own.
        let again = with_history(says(well.title.to_string()), Some(&well));
        assert_eq!(history(&again), history(&well));
        let mut last = again;
        for number in 0..20 {
            last = with_history(says(format!("state {number}")), Some(&last));
        }
        let kept: Vec<String> = (9..19).map(|number| format!("state {number}")).collect();
        assert_eq!(history(&last), kept);
    }
}
