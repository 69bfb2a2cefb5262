//! What Discord's refusals mean.

use super::rest::Failure;
use crate::chat::SendError;

/// Discord's codes that are acted upon. Source: Discord developer documentation, "JSON Error Codes".
pub(super) mod code {
    /// Unknown channel: also a thread that is gone, or was never opened.
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10_003;
    /// Unknown message.
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10_008;
    /// The channel takes nothing for a while from this bot.
    pub(crate) const SLOWMODE: u64 = 20_016;
    /// The interaction was answered already.
    pub(crate) const ALREADY_ANSWERED: u64 = 40_060;
    /// The bot does not see the channel.
    pub(crate) const MISSING_ACCESS: u64 = 50_001;
    /// The bot may not do this here.
    pub(crate) const MISSING_PERMISSION: u64 = 50_013;
    /// Not in a channel of this kind.
    pub(crate) const WRONG_CHANNEL_KIND: u64 = 50_024;
    /// Something in the body is not valid, such as the message a reply belongs to.
    pub(crate) const INVALID_BODY: u64 = 50_035;
    /// The thread is archived.
    pub(crate) const ARCHIVED: u64 = 50_083;
    /// The message has a thread.
    pub(crate) const THREAD_EXISTS: u64 = 160_004;
    /// The thread is locked.
    pub(crate) const LOCKED: u64 = 160_005;
    /// The server has as many active threads as it may.
    pub(crate) const THREADS_FULL: u64 = 160_006;
}

/// What was asked for, as far as a failure means something else for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To add something: repeating it after a lost answer may add it twice.
    Add,
    /// To look, or to set something that can be set again.
    Repeatable,
}

/// What a failure means for the delivery.
pub(super) fn meaning(failure: &Failure, asked: Asked) -> SendError {
    let unsure = |why: &str| match asked {
        Asked::Add => SendError::Uncertain { why: why.to_owned() },
        Asked::Repeatable => SendError::Later { after: None, why: why.to_owned() },
    };
    match failure {
        Failure::Held(after) => SendError::Later { after: Some(*after), why: "Discord asks to wait".to_owned() },
        Failure::Unreachable => SendError::Later { after: None, why: "Discord could not be reached".to_owned() },
        Failure::Lost(why) => unsure(why),
        Failure::TokenRefused => SendError::Unauthorized { why: "Discord does not accept the bot's token".to_owned() },
        Failure::Refused { status, code } => {
            let why = said(*status, *code);
            match (*status, *code) {
                (_, code::SLOWMODE) | (408 | 425, _) => SendError::Later { after: None, why },
                (404 | 410, _) | (403, code::MISSING_ACCESS) => SendError::Gone { why },
                (500.., _) => unsure(&why),
                // Success and "wait" never get here; a redirection is not followed, because the token would go along.
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
                404 | 410 => ("gone", "gone"),
                100..500 => ("refused", "refused"),
                _ => ("uncertain", "later"),
            };
            let failure = Failure::Refused { status, code: 0 };
            let found = (meaning(&failure, Asked::Add).kind(), meaning(&failure, Asked::Repeatable).kind());
            assert_eq!(found, expected, "{status}");
        }
    }

    #[test]
    fn codes_refine_what_a_status_means() {
        for (status, code, expected) in [
            (403, code::MISSING_ACCESS, "gone"),
            (403, code::MISSING_PERMISSION, "refused"),
            (400, code::INVALID_BODY, "refused"),
            (404, code::UNKNOWN_CHANNEL, "gone"),
            (404, code::UNKNOWN_MESSAGE, "gone"),
            (400, code::SLOWMODE, "later"),
            (400, code::ARCHIVED, "refused"),
        ] {
            assert_eq!(meaning(&Failure::Refused { status, code }, Asked::Add).kind(), expected, "{code}");
        }
        assert_eq!(meaning(&Failure::TokenRefused, Asked::Add).kind(), "unauthorized");
        assert_eq!(meaning(&Failure::Unreachable, Asked::Add).kind(), "later");
    }
}
