//! Whether the rules let anybody do anything, as far as the configuration alone can tell.

use crate::app::platforms::tables;
use crate::chat::PlatformKind;
use crate::chat::setup::{Checked, checked, fine, missing, open};
use crate::config::{AccessRule, Config};
use crate::model::Place;

pub(super) fn check(kinds: &[&dyn PlatformKind], config: &Config) -> Vec<Checked> {
    let found = match config.allow.len() {
        0 => missing("there is no [[allow]] rule: every request is refused"),
        allow => fine(format!("{allow} [[allow]], {} [[deny]]", config.deny.len())),
    };
    let mut all = vec![checked("rules", found)];
    if config.platforms.is_empty() && config.agents.is_none() {
        let why = format!("none of {} is configured: nobody could ask anything", tables(kinds, "and"));
        all.push(checked("platforms", missing(why)));
    }
    for platform in kinds.iter().map(|kind| kind.name()) {
        let rules = config.allow.iter().filter(|rule| rule.platform == Some(platform)).count();
        let id = platform.id();
        match (config.platforms.get(platform).is_some(), rules) {
            (true, 0) if !config.allow.is_empty() => {
                let why = format!("no [[allow]] rule has platform = \"{id}\": every request there is refused");
                all.push(checked("rules", missing(why)));
            }
            (false, 1..) => {
                let why = format!("a rule under [[allow]] has platform = \"{id}\", and there is no table [{id}]");
                all.push(checked("rules", missing(why)));
            }
            _ => {}
        }
    }
    all.extend(unknown_accounts(config));
    all.extend(config.alarms.routes.iter().filter_map(|route| unpressed(config, &route.place)));
    all
}

fn unknown_accounts(config: &Config) -> Option<Checked> {
    let named = config.allow.iter().chain(&config.deny).flat_map(|rule| &rule.accounts);
    let mut unknown: Vec<&str> = named.filter(|name| !config.accounts.contains_key(*name)).map(String::as_str).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let why = || format!("rules name the accounts {}, and [accounts] does not: they cover nothing", unknown.join(", "));
    (!unknown.is_empty()).then(|| checked("rules", missing(why())))
}

/// Alarms open threads whose buttons nobody could press.
fn unpressed(config: &Config, place: &Place) -> Option<Checked> {
    let covers = |rule: &AccessRule| {
        rule.platform.is_none_or(|platform| platform == place.platform)
            && rule.workspace.as_ref().is_none_or(|workspace| *workspace == place.workspace)
            && rule.channels.as_ref().is_none_or(|channels| channels.hold(&place.channel))
    };
    let why = || {
        format!(
            "alarms are announced in channel {} of {} {}, and no [[allow]] rule covers it: nobody could press a button there",
            place.channel,
            place.platform.id(),
            place.workspace
        )
    };
    (!config.allow.iter().any(covers)).then(|| checked("rules", open(why())))
}
