//! What Discord's refusals mean.

use super::code::{self, is_passing};
use super::rest::RestFailure;
use crate::chat::SendError;

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
