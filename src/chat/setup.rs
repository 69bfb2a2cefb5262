//! How things stand before the bot works: what `check` finds, and what a platform needs to look at its own set-up.

use crate::config::{Config, Ids, TokenSource};
use crate::model::PlatformName;
use crate::redact::SafeText;
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Channels of one platform that are looked at, at most: each is a request or two.
const MAX_CHANNELS: usize = 50;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub what: SafeText,
    pub found: CheckResult,
}

/// How something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    Fine(SafeText),
    /// It cannot be told, or is left out on purpose.
    Open(SafeText),
    /// It does not work, and what to do.
    Missing(SafeText),
}

/// How `what` stands.
pub(crate) fn checked(what: impl AsRef<str>, found: CheckResult) -> Checked {
    Checked { what: SafeText::redact(what.as_ref()), found }
}

/// It works.
pub(crate) fn fine(text: impl AsRef<str>) -> CheckResult {
    CheckResult::Fine(SafeText::redact(text.as_ref()))
}

/// It cannot be told.
pub(crate) fn open(text: impl AsRef<str>) -> CheckResult {
    CheckResult::Open(SafeText::redact(text.as_ref()))
}

/// It does not work.
pub(crate) fn missing(text: impl AsRef<str>) -> CheckResult {
    CheckResult::Missing(SafeText::redact(text.as_ref()))
}

/// How far clocks may differ; AWS, Slack and Discord refuse at five minutes.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// How this machine's clock, which is ahead by so much, stands to that of `whose`.
pub(crate) fn clock(what: impl AsRef<str>, whose: &str, ahead_by: SignedDuration) -> Checked {
    let seconds = ahead_by.as_secs();
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    let differs = format!("this machine's clock is {} s {way} that of {whose}", seconds.abs());
    let found = if ahead_by.abs() > MAX_SKEW {
        missing(format!("{differs}: set it, or what is signed is refused"))
    } else {
        fine(format!("this machine's clock agrees with that of {whose}"))
    };
    checked(what, found)
}

/// A token that everybody on this machine can read.
pub(crate) fn exposed(what: &str, source: &TokenSource) -> Option<Checked> {
    let why = || format!("{source} can be read by everybody on this machine: chmod 600");
    source.is_readable_by_all().then(|| checked(what, missing(why())))
}

/// The channels of a platform that rules and routes name, in the workspace or server `workspace`.
pub(crate) fn channels<'a>(config: &'a Config, platform: PlatformName, workspace: &str) -> Vec<&'a str> {
    let allowed = (config.allow.iter())
        .filter(|rule| rule.platform == Some(platform) && rule.workspace.as_deref() == Some(workspace))
        .filter_map(|rule| match rule.channels.as_ref()? {
            Ids::Only(ids) => Some(ids),
            Ids::Any => None,
        })
        .flatten()
        .map(String::as_str);
    let told = (config.alarms.routes.iter())
        .filter(|route| route.place.platform == platform && route.place.workspace == workspace)
        .map(|route| route.place.channel.as_str());
    allowed.chain(told).collect::<BTreeSet<&str>>().into_iter().take(MAX_CHANNELS).collect()
}

/// The workspaces or servers of a platform that rules and routes name.
pub(crate) fn workspaces(config: &Config, platform: PlatformName) -> BTreeSet<&str> {
    let rules = config.allow.iter().filter(|rule| rule.platform == Some(platform)).filter_map(|rule| rule.workspace.as_deref());
    let routes = config.alarms.routes.iter().filter(|route| route.place.platform == platform);
    rules.chain(routes.map(|route| route.place.workspace.as_str())).collect()
}
