//! What Discord's refusals mean.

use super::rest::RestFailure;
use crate::chat::SendError;

/// Discord's codes that are acted upon. Source: Discord developer documentation, "JSON Error Codes".
pub(super) mod code {
    /// Unknown channel: also a thread that is gone, or was never opened.
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10_003;
    /// Unknown message.
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10_008;
    /// Unknown server.
    pub(crate) const UNKNOWN_SERVER: u64 = 10_004;
    /// What it says is not for everybody.
    pub(crate) const EXPLICIT: u64 = 20_009;
    /// The channel takes nothing for a while from this bot.
    pub(crate) const SLOWMODE: u64 = 20_016;
    /// An announcement cannot be edited so often.
    pub(crate) const ANNOUNCEMENT_EDITS: u64 = 20_022;
    /// A name holds words that are not allowed.
    pub(crate) const WORDS: u64 = 20_031;
    /// A message older than an hour cannot be edited so often.
    pub(crate) const OLD_EDITS: u64 = 30_046;
    /// Forums hold threads alone.
    pub(crate) const FORUM: u64 = 40_058;
    /// The interaction was answered already.
    pub(crate) const ALREADY_ANSWERED: u64 = 40_060;
    /// The interaction takes no further answers.
    pub(crate) const FOLLOW_UPS_USED_UP: u64 = 40_094;
    /// The bot does not see the channel.
    pub(crate) const MISSING_ACCESS: u64 = 50_001;
    /// The bot may not do this here.
    pub(crate) const MISSING_PERMISSION: u64 = 50_013;
    /// No channel for text.
    pub(crate) const NO_TEXT_CHANNEL: u64 = 50_008;
    /// Not in a channel of this kind.
    pub(crate) const WRONG_CHANNEL_KIND: u64 = 50_024;
    /// Something in the body is not valid, such as the message a reply belongs to.
    pub(crate) const INVALID_BODY: u64 = 50_035;
    /// The thread is archived.
    pub(crate) const ARCHIVED: u64 = 50_083;
    /// A reply needs the history, which the bot may not read.
    pub(crate) const NO_REPLY: u64 = 160_002;
    /// The message has a thread.
    pub(crate) const THREAD_EXISTS: u64 = 160_004;
    /// The thread is locked.
    pub(crate) const LOCKED: u64 = 160_005;
    /// The server has as many active threads as it may.
    pub(crate) const THREADS_FULL: u64 = 160_006;
    /// Automatic moderation blocks what it says.
    pub(crate) const MODERATED: u64 = 200_000;
    /// Automatic moderation blocks what it is called.
    pub(crate) const MODERATED_TITLE: u64 = 200_001;
    /// A link in it is taken for harmful.
    pub(crate) const HARMFUL_LINK: u64 = 240_000;
}

/// Refusals that pass by themselves: write limits of a channel or server, features and sending switched off for a while,
/// overload, an index that is not there yet, Cloudflare. Source: as [`code`].
const PASSING: [u64; 11] = [code::SLOWMODE, 20_028, 20_029, 40_004, 40_006, 40_062, 40_333, 110_000, 110_001, 130_000, 530_006];

/// True for a refusal that does not last; whatever else Discord refuses, it refuses again.
pub(super) fn is_passing(status: u16, code: u64) -> bool {
    matches!(status, 408 | 425 | 500..) || PASSING.contains(&code)
}

/// True where it is the place that takes nothing, whatever is sent there.
pub(super) fn is_about_place(code: u64) -> bool {
    matches!(
        code,
        code::UNKNOWN_CHANNEL
            | code::UNKNOWN_SERVER
            | code::UNKNOWN_MESSAGE
            | code::MISSING_ACCESS
            | code::NO_TEXT_CHANNEL
            | code::FORUM
            | code::ARCHIVED
            | code::LOCKED
    )
}

/// True where it is what a text says that is refused.
pub(super) fn is_about_words(code: u64) -> bool {
    matches!(
        code,
        code::EXPLICIT | code::WORDS | code::INVALID_BODY | code::MODERATED | code::MODERATED_TITLE | code::HARMFUL_LINK
    )
}

/// What whoever asked is told about a place that takes nothing.
fn tell(code: u64) -> &'static str {
    match code {
        code::MISSING_ACCESS => {
            "I am not in this channel or thread: let somebody add me to it, and my answer follows by itself, within an hour at the latest"
        }
        code::MISSING_PERMISSION => {
            "I may not write here: let somebody allow me to, and my answer follows by itself, within an hour at the latest"
        }
        code::UNKNOWN_CHANNEL | code::UNKNOWN_SERVER => "I cannot find this channel: ask again in another one",
        code::FORUM | code::NO_TEXT_CHANNEL | code::WRONG_CHANNEL_KIND => {
            "I cannot write in a channel of this kind: ask again in a text channel"
        }
        code::ARCHIVED | code::LOCKED => "this thread is closed: ask again in another thread or channel",
        _ => "Discord does not accept my messages here: ask again in another channel, or wait; I try again every hour",
    }
}

/// What was asked for, as far as a failure means something else for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedFor {
    /// To add something: repeating it after a lost answer may add it twice.
    Add,
    /// To look, or to set something that can be set again.
    Repeatable,
}

/// What a failure means for the delivery.
pub(super) fn meaning(failure: &RestFailure, asked: AskedFor) -> SendError {
    let unsure = |why: &str| match asked {
        AskedFor::Add => SendError::Uncertain { why: why.to_owned() },
        AskedFor::Repeatable => SendError::Later { after: None, why: why.to_owned() },
    };
    match failure {
        RestFailure::Held(after) => SendError::Later { after: Some(*after), why: "Discord asks to wait".to_owned() },
        RestFailure::Unreachable => SendError::Later { after: None, why: "Discord could not be reached".to_owned() },
        RestFailure::Lost(why) => unsure(why),
        RestFailure::TokenRefused => SendError::Unauthorized { why: "Discord does not accept the bot's token".to_owned() },
        RestFailure::Refused { status, code } => {
            let why = said(*status, *code);
            match (*status, *code) {
                (500.., _) => unsure(&why),
                (status, code) if is_passing(status, code) => SendError::Later { after: None, why },
                // Success and "wait" never get here; a redirection is not followed, because the token would go along. What
                // is refused in every form is refused for the place's sake.
                (_, code) if asked == AskedFor::Add => SendError::Closed { why, tell: tell(code) },
                (_, code::MISSING_ACCESS) => SendError::Closed { why, tell: tell(code::MISSING_ACCESS) },
                (404 | 410, _) => SendError::Gone { why },
                _ => SendError::Refused { why },
            }
        }
    }
}

/// What Discord answered, without its text.
pub(super) fn said(status: u16, code: u64) -> String {
    match (code, reason(code)) {
        (0, _) => format!("status {status}"),
        (code, "") => format!("status {status}, code {code}"),
        (code, reason) => format!("{reason} (status {status}, code {code})"),
    }
}

/// What a code says; nothing where it is none of ours.
pub(super) fn reason(code: u64) -> &'static str {
    match code {
        code::UNKNOWN_CHANNEL => "the channel or thread is gone",
        code::UNKNOWN_MESSAGE => "the message is gone",
        code::SLOWMODE => "the channel is in slow mode",
        code::MISSING_ACCESS => "the bot does not see the channel",
        code::MISSING_PERMISSION => "the bot lacks a permission there",
        code::WRONG_CHANNEL_KIND => "a channel of this kind cannot do that",
        code::INVALID_BODY => "the message is not valid",
        code::ARCHIVED => "the thread is archived",
        code::LOCKED => "the thread is locked",
        code::UNKNOWN_SERVER => "the bot is not in the server",
        code::FORUM => "a forum only holds threads",
        code::NO_TEXT_CHANNEL => "the channel is not for text",
        code::MODERATED | code::MODERATED_TITLE | code::WORDS => "the server's automatic moderation blocks what it says",
        code::HARMFUL_LINK => "a link in it is taken for harmful",
        code::EXPLICIT => "what it says is taken for explicit",
        code::THREADS_FULL => "the server has too many active threads",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_meaning() {
        for status in (100..600).filter(|status| !(200..300).contains(status) && ![401, 429].contains(status)) {
            let expected = match status {
                408 | 425 => ("later", "later"),
                404 | 410 => ("closed", "gone"),
                100..500 => ("closed", "refused"),
                _ => ("uncertain", "later"),
            };
            let failure = RestFailure::Refused { status, code: 0 };
            let found = (meaning(&failure, AskedFor::Add).kind(), meaning(&failure, AskedFor::Repeatable).kind());
            assert_eq!(found, expected, "{status}");
        }
    }

    #[test]
    fn codes_refine_what_a_status_means() {
        for (status, code, expected) in [
            (403, code::MISSING_ACCESS, ("closed", "closed")),
            (403, code::MISSING_PERMISSION, ("closed", "refused")),
            (400, code::INVALID_BODY, ("closed", "refused")),
            (404, code::UNKNOWN_CHANNEL, ("closed", "gone")),
            (404, code::UNKNOWN_MESSAGE, ("closed", "gone")),
            (400, code::SLOWMODE, ("later", "later")),
            (403, 40_004, ("later", "later")),
            (400, code::ARCHIVED, ("closed", "refused")),
            (400, 999_999, ("closed", "refused")),
        ] {
            let failure = RestFailure::Refused { status, code };
            let found = (meaning(&failure, AskedFor::Add).kind(), meaning(&failure, AskedFor::Repeatable).kind());
            assert_eq!(found, expected, "{code}");
        }
        assert_eq!(meaning(&RestFailure::TokenRefused, AskedFor::Add).kind(), "unauthorized");
        assert_eq!(meaning(&RestFailure::Unreachable, AskedFor::Add).kind(), "later");
    }
}
