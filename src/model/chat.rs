//! People and places in a chat, and what they ask.

use super::secret_ref::SecretRef;
use super::step::StepName;
use super::window::Lookback;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A chat platform, by the word that configuration and store call it. Which there are is the composition root's to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlatformName {
    /// The word, and zeros after it.
    letters: [u8; PlatformName::MAX_LETTERS],
}

/// A text cannot be a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a platform is called by 1 to 16 small letters")]
pub struct NotAPlatform;

impl PlatformName {
    /// The longest name, in letters.
    pub const MAX_LETTERS: usize = 16;

    /// The name `word`, for a constant; what is longer than a name may be is cut off.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "both are indexed below their lengths, and iterators are not const")]
    pub const fn new(word: &'static str) -> PlatformName {
        let word = word.as_bytes();
        let mut letters = [0; PlatformName::MAX_LETTERS];
        let mut at = 0;
        while at < word.len() && at < PlatformName::MAX_LETTERS {
            letters[at] = word[at];
            at += 1;
        }
        PlatformName { letters }
    }

    /// The name as configuration and store write it.
    #[must_use]
    pub fn id(&self) -> &str {
        let word = self.letters.split(|letter| *letter == 0).next().unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}

impl FromStr for PlatformName {
    type Err = NotAPlatform;

    fn from_str(text: &str) -> Result<PlatformName, NotAPlatform> {
        let is_word = !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_lowercase());
        let mut letters = [0; PlatformName::MAX_LETTERS];
        let place = letters.get_mut(..text.len()).filter(|_| is_word).ok_or(NotAPlatform)?;
        place.copy_from_slice(text.as_bytes());
        Ok(PlatformName { letters })
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for PlatformName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for PlatformName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<PlatformName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A channel, or a thread in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The platform.
    pub platform: PlatformName,
    /// What rights are given in: the workspace or server, by its id.
    pub workspace: String,
    /// The channel's id; on Discord the parent channel of a thread.
    pub channel: String,
    /// The id of the message the thread hangs on: Slack's `ts`, Discord's message id, which is also the thread's id.
    pub thread: Option<String>,
}

/// A thread: the message it hangs on, in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ThreadRef {
    /// The platform.
    pub platform: PlatformName,
    /// As in [`Place`].
    pub workspace: String,
    /// The channel's id.
    pub channel: String,
    /// The id of the message the thread hangs on.
    pub root: String,
}

/// A person. Rights depend on ids alone; a display name is never asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The platform.
    pub platform: PlatformName,
    /// As in [`Place`].
    pub workspace: String,
    /// The person's id on that platform.
    pub user: String,
    /// The ids of the person's user groups or roles; `None` where they could not be looked up.
    pub groups: Option<Vec<String>>,
    /// What kind of account it is.
    pub standing: Standing,
}

/// What kind of account a person acts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A full member of the workspace or server.
    Member,
    /// A guest, someone of another organization, a deactivated account or a bot.
    Outsider,
    /// It was not looked up, or the look-up failed.
    Unknown,
    /// The platform can tell and was not asked yet: whoever works on it asks before anything is told or done.
    Pending,
}

/// Where the one person who asked can be answered alone. Only its platform reads it; it may be a capability, so it is
/// never shown.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReplyTo(pub String);

impl fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyTo(…)")
    }
}

/// What a person does with an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// All nine steps again.
    RerunAll,
    /// One step again.
    RerunStep(StepName),
    /// Look further back.
    Widen(Lookback),
    /// Show what a step saw.
    Evidence(StepName),
    /// Say how other secrets fare.
    Compare,
    /// Hand over the report as files.
    Export,
    /// Look again until the next rotation succeeds or fails.
    Watch,
    /// Close it.
    Resolve,
    /// Answer the question in which of several places the secret is; counts from zero.
    Choose(u8),
}

impl Action {
    /// What rules of the configuration call it.
    #[must_use]
    pub const fn kind(self) -> ActionKind {
        match self {
            Action::RerunAll | Action::RerunStep(_) => ActionKind::Rerun,
            Action::Widen(_) => ActionKind::Widen,
            Action::Evidence(_) => ActionKind::Evidence,
            Action::Compare => ActionKind::Compare,
            Action::Export => ActionKind::Export,
            Action::Watch => ActionKind::Watch,
            Action::Resolve => ActionKind::Resolve,
            Action::Choose(_) => ActionKind::Investigate,
        }
    }
}

/// What a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Start an investigation.
    Investigate,
    /// Perform all steps, or one, again.
    Rerun,
    /// Look further back.
    Widen,
    /// See what a step saw.
    Evidence,
    /// Compare with other secrets.
    Compare,
    /// Take the report away as files.
    Export,
    /// Watch for the next rotation.
    Watch,
    /// Close an investigation.
    Resolve,
}

impl ActionKind {
    /// All of them.
    pub const ALL: [ActionKind; 8] = [
        ActionKind::Investigate,
        ActionKind::Rerun,
        ActionKind::Widen,
        ActionKind::Evidence,
        ActionKind::Compare,
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
    /// The investigation's id.
    pub investigation: String,
    /// How often the investigation had been rendered anew when the button was made.
    pub revision: u32,
    /// What to do.
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
            Action::Widen(reach) => write!(f, "widen-{}", reach.hours() / 24),
            Action::Evidence(step) => write!(f, "evidence-{}", step.number()),
            Action::Compare => f.write_str("compare"),
            Action::Export => f.write_str("export"),
            Action::Watch => f.write_str("watch"),
            Action::Resolve => f.write_str("resolve"),
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
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let revision = revision.parse().map_err(|_| TokenError)?;
        let action = action_of(action).filter(|_| is_id).ok_or(TokenError)?;
        let token = ActionToken { investigation: id.to_owned(), revision, action };
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
        ("widen", Some(days)) => Action::Widen(Lookback::ALL.into_iter().find(|reach| reach.hours() == i64::from(days) * 24)?),
        ("evidence", Some(_)) => Action::Evidence(step?),
        ("compare", None) => Action::Compare,
        ("export", None) => Action::Export,
        ("watch", None) => Action::Watch,
        ("resolve", None) => Action::Resolve,
        ("choose", Some(at)) => Action::Choose(at),
        _ => return None,
    })
}

/// What to investigate, as a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvestigationRequest {
    /// The secret.
    pub secret: SecretRef,
    /// The configured account; `None` where none was named.
    pub account: Option<String>,
    /// The region; `None` where none was named.
    pub region: Option<String>,
    /// How far back; `None` widens by itself.
    pub reach: Option<Lookback>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_platform_s_name_is_a_short_word_and_survives_the_store() {
        const NAME: PlatformName = PlatformName::new("slack");
        assert_eq!((NAME.id(), "slack".parse()), ("slack", Ok(NAME)));
        assert_eq!(serde_json::to_string(&NAME).unwrap(), "\"slack\"");
        assert_eq!(serde_json::from_str::<PlatformName>("\"slack\"").unwrap(), NAME);
        for text in ["", "Slack", "a b", "ä", "seventeen-letters", "aaaaaaaaaaaaaaaaa", "a\0"] {
            assert_eq!(text.parse::<PlatformName>(), Err(NotAPlatform), "{text}");
        }
        assert_eq!("aaaaaaaaaaaaaaaa".parse::<PlatformName>().unwrap().id().len(), PlatformName::MAX_LETTERS);
    }

    #[test]
    fn every_action_survives_its_button() {
        let mut actions =
            vec![Action::RerunAll, Action::Compare, Action::Export, Action::Watch, Action::Resolve, Action::Choose(7)];
        actions.extend(StepName::ALL.map(Action::RerunStep));
        actions.extend(StepName::ALL.map(Action::Evidence));
        actions.extend(Lookback::ALL.map(Action::Widen));
        for action in actions {
            let token = ActionToken { investigation: ID.to_owned(), revision: u32::MAX, action };
            let text = token.to_string();
            assert_eq!(text.parse(), Ok(token));
            assert!(text.len() <= 60, "{text}");
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
    fn an_address_for_one_person_is_not_shown() {
        assert_eq!(format!("{:?}", ReplyTo("https://hooks.example/secret".to_owned())), "ReplyTo(…)");
    }
}
