//! What people do with an investigation: each button is one action, and most have a word of their own too.

use super::ids::InvestigationId;
use super::step::StepName;
use super::window::Lookback;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a person does with an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// All nine steps again.
    RerunAll,
    RerunStep(StepName),
    Widen(Lookback),
    /// Show what a step saw.
    Evidence(StepName),
    /// Say how other secrets fare.
    Compare,
    /// Say who reads the secret.
    Consumers,
    /// Hand over the report as files.
    Export,
    /// Hand over the commands of the fix with nothing around them.
    CopyFix,
    /// Look again until the next rotation succeeds or fails.
    Watch,
    /// End the watch before that.
    StopWatching,
    Resolve,
    /// Take back that it was resolved.
    Reopen,
    /// Answer the question in which of several places the secret is; counts from zero.
    Choose(u8),
}

impl Action {
    /// What it goes on from.
    #[must_use]
    pub const fn needs(self) -> ActionNeeds {
        match self {
            Action::Choose(_) => ActionNeeds::Choice,
            Action::Resolve | Action::Reopen => ActionNeeds::Nothing,
            Action::RerunAll => ActionNeeds::End,
            _ => ActionNeeds::Verdict,
        }
    }

    /// The name of the message that answers it as of `revision`; `None` for one that does more than answer.
    #[must_use]
    pub fn answer_name(self, revision: u32) -> Option<String> {
        match self {
            Action::Evidence(step) => Some(format!("evidence-{}-{revision}", step.number())),
            Action::Compare => Some(format!("compare-{revision}")),
            Action::Consumers => Some(format!("consumers-{revision}")),
            Action::Export => Some(format!("export-{revision}")),
            _ => None,
        }
    }

    /// What rules of the configuration call it: whoever may do something may take it back, and whoever may see the evidence may
    /// copy the fix.
    #[must_use]
    pub const fn kind(self) -> ActionKind {
        match self {
            Action::RerunAll | Action::RerunStep(_) => ActionKind::Rerun,
            Action::Widen(_) => ActionKind::Widen,
            Action::Evidence(_) | Action::CopyFix => ActionKind::Evidence,
            Action::Compare => ActionKind::Compare,
            Action::Consumers => ActionKind::Consumers,
            Action::Export => ActionKind::Export,
            Action::Watch | Action::StopWatching => ActionKind::Watch,
            Action::Resolve | Action::Reopen => ActionKind::Resolve,
            Action::Choose(_) => ActionKind::Investigate,
        }
    }

    /// True where each click counts for itself: it can be done again after it was taken back, or every person does it alone.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Action::Watch | Action::StopWatching | Action::Resolve | Action::Reopen | Action::CopyFix)
    }

    /// True where somebody did it already, by whether the investigation is watched and resolved.
    #[must_use]
    pub const fn is_done(self, is_watched: bool, is_resolved: bool) -> bool {
        match self {
            Action::Watch => is_watched,
            Action::StopWatching => !is_watched,
            Action::Resolve => is_resolved,
            Action::Reopen => !is_resolved,
            _ => false,
        }
    }

    /// What the audit trail calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Action::CopyFix => "copy the fix",
            Action::StopWatching => "stop watching",
            Action::Reopen => "reopen",
            other => other.kind().id(),
        }
    }
}

/// What an action goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionNeeds {
    /// The question in which of several places to look.
    Choice,
    /// Nothing: it is possible whenever nothing runs.
    Nothing,
    /// The end of a run, whatever that was.
    End,
    Verdict,
}

/// A word with which people go on with an investigation where they use no button. It is the word of the configuration's
/// rules too, where it takes nothing back.
#[derive(Debug, Clone, Copy)]
pub struct ActionWord {
    word: &'static str,
    /// The kind of action.
    pub kind: ActionKind,
    /// The help's line about it.
    pub help: &'static str,
    /// What is to be written, where what follows the word makes no sense.
    pub usage: &'static str,
    read: fn(&str) -> Option<Action>,
}

impl ActionWord {
    /// All of them, in the help's order.
    pub const ALL: [ActionWord; 10] = [
        ActionWord {
            word: ActionKind::Rerun.id(),
            kind: ActionKind::Rerun,
            help: "rerun — run all nine steps again; rerun 4 — one of them",
            usage: "use rerun, or rerun and a step from 1 to 9",
            read: |rest| match rest {
                "" | "all" => Some(Action::RerunAll),
                step => step_of(step).map(Action::RerunStep),
            },
        },
        ActionWord {
            word: ActionKind::Widen.id(),
            kind: ActionKind::Widen,
            help: "widen 7d, widen 30d, widen 90d — look further back",
            usage: "use widen 7d, widen 30d or widen 90d",
            read: |rest| rest.parse().ok().filter(|lookback| *lookback > Lookback::Day).map(Action::Widen),
        },
        ActionWord {
            word: ActionKind::Evidence.id(),
            kind: ActionKind::Evidence,
            help: "evidence 4 — what a step found",
            usage: "use evidence and a step from 1 to 9",
            read: |rest| step_of(rest).map(Action::Evidence),
        },
        ActionWord {
            word: ActionKind::Compare.id(),
            kind: ActionKind::Compare,
            help: "compare — other secrets with the same function or key",
            usage: "compare takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Compare),
        },
        ActionWord {
            word: ActionKind::Consumers.id(),
            kind: ActionKind::Consumers,
            help: "consumers — who reads the secret, and who has not since it rotated",
            usage: "consumers takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Consumers),
        },
        ActionWord {
            word: ActionKind::Watch.id(),
            kind: ActionKind::Watch,
            help: "watch — report how the next rotation ends",
            usage: "watch takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Watch),
        },
        ActionWord {
            word: "unwatch",
            kind: ActionKind::Watch,
            help: "unwatch — end the watch",
            usage: "unwatch takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::StopWatching),
        },
        ActionWord {
            word: ActionKind::Export.id(),
            kind: ActionKind::Export,
            help: "export — the report as files",
            usage: "export takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Export),
        },
        ActionWord {
            word: ActionKind::Resolve.id(),
            kind: ActionKind::Resolve,
            help: "resolve — close the investigation",
            usage: "resolve takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Resolve),
        },
        ActionWord {
            word: "reopen",
            kind: ActionKind::Resolve,
            help: "reopen — take back that it was resolved",
            usage: "reopen takes no arguments",
            read: |rest| rest.is_empty().then_some(Action::Reopen),
        },
    ];

    /// The word itself.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.word
    }

    /// The action that the word and what follows it, without spaces and in small letters, stand for.
    #[must_use]
    pub fn read(&self, rest: &str) -> Option<Action> {
        (self.read)(rest)
    }
}

fn step_of(text: &str) -> Option<StepName> {
    text.trim_start_matches('#').parse().ok().and_then(StepName::from_number)
}

/// What a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    Investigate,
    /// Perform all steps, or one, again.
    Rerun,
    Widen,
    /// See what a step saw.
    Evidence,
    /// Compare with other secrets.
    Compare,
    /// See who reads the secret.
    Consumers,
    /// Take the report away as files.
    Export,
    /// Watch for the next rotation.
    Watch,
    Resolve,
}

impl ActionKind {
    /// All of them.
    pub const ALL: [ActionKind; 9] = [
        ActionKind::Investigate,
        ActionKind::Rerun,
        ActionKind::Widen,
        ActionKind::Evidence,
        ActionKind::Compare,
        ActionKind::Consumers,
        ActionKind::Export,
        ActionKind::Watch,
        ActionKind::Resolve,
    ];

    /// The word of the configuration.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            ActionKind::Investigate => "investigate",
            ActionKind::Rerun => "rerun",
            ActionKind::Widen => "widen",
            ActionKind::Evidence => "evidence",
            ActionKind::Compare => "compare",
            ActionKind::Consumers => "consumers",
            ActionKind::Export => "export",
            ActionKind::Watch => "watch",
            ActionKind::Resolve => "resolve",
        }
    }
}

/// A button's or a menu entry's meaning: which investigation, as of which revision, and what to do.
///
/// Its text form is `1.<investigation>.<revision>.<action>`, at most 60 ASCII characters; the first number is the
/// version of the form. A click on an older revision than the current one has been answered already.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionToken {
    pub investigation: InvestigationId,
    /// How often the investigation had been rendered anew when the button was made.
    pub revision: u32,
    pub action: Action,
}

/// A text is no [`ActionToken`] of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this button is of another version")]
pub struct TokenError;

impl fmt::Display for ActionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}.", self.investigation, self.revision)?;
        match self.action {
            Action::RerunAll => f.write_str("rerun"),
            Action::RerunStep(step) => write!(f, "rerun-{}", step.number()),
            Action::Widen(lookback) => write!(f, "widen-{}", lookback.hours() / 24),
            Action::Evidence(step) => write!(f, "evidence-{}", step.number()),
            Action::Compare => f.write_str("compare"),
            Action::Consumers => f.write_str("consumers"),
            Action::Export => f.write_str("export"),
            Action::CopyFix => f.write_str("fix"),
            Action::Watch => f.write_str("watch"),
            Action::StopWatching => f.write_str("unwatch"),
            Action::Resolve => f.write_str("resolve"),
            Action::Reopen => f.write_str("reopen"),
            Action::Choose(at) => write!(f, "choose-{at}"),
        }
    }
}

impl FromStr for ActionToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<ActionToken, TokenError> {
        let mut parts = text.split('.');
        let (Some("1"), Some(id), Some(revision), Some(action), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError);
        };
        let investigation = id.parse().map_err(|_| TokenError)?;
        let revision = revision.parse().map_err(|_| TokenError)?;
        let action = action_of(action).ok_or(TokenError)?;
        let token = ActionToken { investigation, revision, action };
        // One text per token: no leading zeros, no plus signs.
        if token.to_string() == text { Ok(token) } else { Err(TokenError) }
    }
}

fn action_of(code: &str) -> Option<Action> {
    let (word, number) = match code.split_once('-') {
        Some((word, number)) => (word, Some(number.parse::<u8>().ok()?)),
        None => (code, None),
    };
    let step = number.and_then(StepName::from_number);
    Some(match (word, number) {
        ("rerun", None) => Action::RerunAll,
        ("rerun", Some(_)) => Action::RerunStep(step?),
        ("widen", Some(days)) => {
            Action::Widen(Lookback::ALL.into_iter().find(|lookback| lookback.hours() == i64::from(days) * 24)?)
        }
        ("evidence", Some(_)) => Action::Evidence(step?),
        ("compare", None) => Action::Compare,
        ("consumers", None) => Action::Consumers,
        ("export", None) => Action::Export,
        ("fix", None) => Action::CopyFix,
        ("watch", None) => Action::Watch,
        ("unwatch", None) => Action::StopWatching,
        ("resolve", None) => Action::Resolve,
        ("reopen", None) => Action::Reopen,
        ("choose", Some(at)) => Action::Choose(at),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn every_action_survives_its_button() {
        let mut actions = vec![
            Action::RerunAll,
            Action::Compare,
            Action::Consumers,
            Action::Export,
            Action::CopyFix,
            Action::Watch,
            Action::StopWatching,
            Action::Resolve,
            Action::Reopen,
            Action::Choose(7),
        ];
        actions.extend(StepName::ALL.map(Action::RerunStep));
        actions.extend(StepName::ALL.map(Action::Evidence));
        actions.extend(Lookback::ALL.map(Action::Widen));
        for action in actions {
            let token = ActionToken { investigation: ID.parse().unwrap(), revision: u32::MAX, action };
            let text = token.to_string();
            assert_eq!(text.parse(), Ok(token));
            assert!(text.len() <= 60, "{text}");
        }
    }

    #[test]
    fn buttons_of_messages_posted_by_earlier_versions_keep_their_meaning() {
        for (code, action) in [
            ("rerun", Action::RerunAll),
            ("rerun-4", Action::RerunStep(StepName::FunctionLogs)),
            ("widen-7", Action::Widen(Lookback::Week)),
            ("evidence-9", Action::Evidence(StepName::ConfigChanges)),
            ("compare", Action::Compare),
            ("consumers", Action::Consumers),
            ("export", Action::Export),
            ("watch", Action::Watch),
            ("resolve", Action::Resolve),
            ("choose-2", Action::Choose(2)),
        ] {
            let token: ActionToken = format!("1.{ID}.3.{code}").parse().unwrap();
            assert_eq!((token.revision, token.action), (3, action), "{code}");
        }
    }

    #[test]
    fn a_tampered_button_is_refused() {
        for text in [
            "",
            "1",
            &format!("0.{ID}.1.rerun"),
            &format!("1.{ID}.01.rerun"),
            &format!("1.{ID}.+1.rerun"),
            &format!("1.{ID}.-1.rerun"),
            &format!("1.{ID}.1.rerun-0"),
            &format!("1.{ID}.1.rerun-10"),
            &format!("1.{ID}.1.widen-8"),
            &format!("1.{ID}.1.drop"),
            &format!("1.{ID}.1.rerun.x"),
            &format!("1.{}.1.rerun", ID.to_uppercase()),
            &format!("1.{}.1.rerun", ID.get(1..).unwrap()),
            &format!("1.{ID}.4294967296.rerun"),
            &"x".repeat(10_240),
        ] {
            assert_eq!(text.parse::<ActionToken>(), Err(TokenError), "{text}");
        }
    }

    #[test]
    fn every_word_means_an_action_of_its_own_kind_and_its_help_begins_with_it() {
        for word in ActionWord::ALL {
            let read = ["", "all", "4", "#4", "7d"].map(|rest| word.read(rest));
            let read: Vec<Action> = read.into_iter().flatten().collect();
            assert!(!read.is_empty() && read.iter().all(|action| action.kind() == word.kind), "{word:?}");
            let others = ActionWord::ALL.iter().filter(|other| other.word() == word.word()).count();
            assert_eq!(others, 1, "{word:?}");
            assert!(word.help.starts_with(word.word()) && word.usage.contains(word.word()), "{word:?}");
        }
    }
}
