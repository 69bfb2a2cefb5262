//! Whether the function's runtime changed before it failed, and from what.

pub(in crate::diagnosis) mod support;
pub(in crate::diagnosis) mod version;

use crate::diagnosis::DiagnosisContext;
use crate::lambda_log::{Platform, Record};
use crate::model::{Change, Concern, LogEvent, Proof, StepName};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use support::{identifier, may_be_set};
use version::RuntimeVersion;

/// A change of the runtime.
pub(in crate::diagnosis) struct RuntimeChange {
    /// ` carol changed the runtime to python3.13.`, or what AWS changed by itself.
    pub(in crate::diagnosis) said: String,
    /// True where an event tells of it, and not the versions alone that two environments started with.
    pub(in crate::diagnosis) is_told: bool,
    pub(in crate::diagnosis) proof: Proof,
}

/// The last change of the function's runtime before `failed_at`: by an event, or by the versions in INIT_START lines.
pub(in crate::diagnosis) fn change(context: &DiagnosisContext<'_>, failed_at: Timestamp) -> Option<RuntimeChange> {
    by_event(context, failed_at)
        .map(|(change, runtime)| RuntimeChange {
            said: format!(" {} changed the runtime to {runtime}.", change.actor),
            is_told: true,
            proof: Proof {
                step: StepName::ConfigChanges,
                call: "cloudtrail:LookupEvents".to_owned(),
                at: Some(change.at),
                text: format!("{} by {}: runtime {runtime}", change.event, change.actor),
            },
        })
        .or_else(|| by_init_start(context, failed_at))
}

fn by_event<'a>(context: &DiagnosisContext<'a>, failed_at: Timestamp) -> Option<(&'a Change, &'a str)> {
    let since = |at: Timestamp| context.last_success_at.is_none_or(|success| at > success);
    chosen(context).rfind(|(change, _)| change.at <= failed_at && since(change.at))
}

/// The runtimes that were chosen for the function, oldest first.
fn chosen<'a>(context: &DiagnosisContext<'a>) -> impl DoubleEndedIterator<Item = (&'a Change, &'a str)> {
    let changes = context.evidence.changes.found().map(|found| found.changes.as_slice()).unwrap_or_default();
    changes
        .iter()
        .filter(|change| change.concerns == Concern::Function && change.event.starts_with("UpdateFunctionConfiguration"))
        .filter_map(|change| Some((change, change.parameters.get("runtime")?.as_str()?)))
}

fn by_init_start(context: &DiagnosisContext<'_>, failed_at: Timestamp) -> Option<RuntimeChange> {
    let mut versions = versions(context).take_while(|(event, _)| event.at <= failed_at).collect::<Vec<_>>().into_iter().rev();
    let (event, now) = versions.next()?;
    let (_, before) = versions.find(|(_, version)| *version != now)?;
    Some(RuntimeChange {
        said: format!(" The function now starts with {now}; before, it started with {before}."),
        is_told: false,
        proof: Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(event.at),
            text: event.text.trim().to_owned(),
        },
    })
}

/// The runtime versions that environments started with, oldest first.
fn versions<'a>(context: &DiagnosisContext<'a>) -> impl Iterator<Item = (&'a LogEvent, RuntimeVersion)> {
    let invocations = context.evidence.logs.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default();
    let is_start = |event: &&LogEvent| Record::read(&event.text).platform == Some(Platform::InitStart);
    let starts = invocations.iter().flat_map(|invocation| &invocation.lines).filter(is_start);
    let mut versions: Vec<_> = starts.filter_map(|event| Some((event, version::read(&event.text)?))).collect();
    versions.sort_by_key(|(event, _)| event.at);
    versions.into_iter()
}

/// The runtime the function had before it was changed, where that is known and Lambda still takes it.
pub(in crate::diagnosis) fn previous(context: &DiagnosisContext<'_>) -> Option<String> {
    let now = context.function()?.runtime.as_deref()?;
    let today = TimeZone::UTC.to_datetime(context.now()).date();
    let chosen_before = chosen(context).rev().map(|(_, runtime)| runtime.to_owned()).find(|runtime| runtime != now);
    let started_before = || {
        let started: Vec<String> = versions(context).filter_map(|(_, version)| identifier(&version.runtime)).collect();
        started.into_iter().rev().find(|runtime| runtime != now)
    };
    chosen_before.or_else(started_before).filter(|runtime| may_be_set(runtime, today))
}
