//! Why a call to Slack failed, and what follows from it for a message.

use super::method::Method;
use super::refusals::{self, Meaning, meaning};
use super::transport::NoAnswer;
use crate::chat::SendError;
use slack_morphism::errors::SlackClientError;
use std::fmt;
use std::time::Duration;

/// How long to wait where Slack says "too many requests" without saying how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// The shortest wait that a 429 means.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait that is honoured at once; whoever asks again too early is told so again.
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// The longest error code that is repeated, in bytes. Slack's longest is `method_not_supported_for_channel_type`.
const MAX_CODE: usize = 64;

/// A call that failed. It holds neither tokens, nor addresses, nor what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlackFailure {
    pub(super) method: Method,
    pub(super) kind: FailureKind,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FailureKind {
    NotSent,
    /// It was sent; nobody knows what became of it.
    Lost,
    /// Slack answered, but not with what it documents: it may have done what was asked.
    Garbled,
    /// Too many requests; how long to wait, within our bounds.
    RateLimited(Duration),
    /// An HTTP status that is not success.
    Status(u16),
    /// `ok: false` with an error code.
    Code(String),
}

impl SlackFailure {
    /// Reads slack-morphism's error.
    pub(super) fn new(method: Method, error: &SlackClientError) -> SlackFailure {
        let kind = match error {
            SlackClientError::RateLimitError(limit) => {
                FailureKind::RateLimited(limit.retry_after.unwrap_or(DEFAULT_WAIT).clamp(SHORTEST_WAIT, MAX_WAIT))
            }
            SlackClientError::HttpError(http) => FailureKind::Status(http.status_code.as_u16()),
            SlackClientError::ApiError(api) if matches!(api.code.as_str(), "ratelimited" | "rate_limited") => {
                FailureKind::RateLimited(DEFAULT_WAIT)
            }
            SlackClientError::ApiError(api) => FailureKind::Code(code(&api.code)),
            SlackClientError::SystemError(system) => {
                match system.cause.as_ref().and_then(|cause| cause.downcast_ref::<NoAnswer>()) {
                    Some(NoAnswer::NotSent) => FailureKind::NotSent,
                    _ => FailureKind::Lost,
                }
            }
            SlackClientError::HttpProtocolError(_) => FailureKind::NotSent,
            SlackClientError::ProtocolError(_)
            | SlackClientError::EndOfStream(_)
            | SlackClientError::SocketModeProtocolError(_) => FailureKind::Garbled,
        };
        SlackFailure { method, kind }
    }

    /// True where no call will succeed before an operator acts.
    pub(super) fn is_about_the_token(&self) -> bool {
        match &self.kind {
            FailureKind::Status(status) => matches!(status, 401 | 407),
            FailureKind::Code(code) => meaning(code) == Meaning::DeadToken || refusals::for_setup(self.method, code),
            _ => false,
        }
    }

    /// True where Slack may take the same message in plain text.
    pub(super) fn is_about_the_content(&self) -> bool {
        self.means(Meaning::Content)
    }

    /// True where replies are not taken, and a message beside the thread may be.
    pub(super) fn is_about_the_thread(&self) -> bool {
        self.means(Meaning::NoReplies)
    }

    fn means(&self, expected: Meaning) -> bool {
        matches!(&self.kind, FailureKind::Code(code) if meaning(code) == expected)
    }

    /// What it means for a message that was to be posted or edited: where it may have been done, that is told apart.
    pub(super) fn of_post(self) -> SendError {
        let maybe_done = match &self.kind {
            FailureKind::Lost | FailureKind::Garbled | FailureKind::Status(500..) => true,
            FailureKind::Code(code) => meaning(code) == Meaning::Uncertain,
            _ => false,
        };
        if maybe_done { SendError::Uncertain { why: self.to_string() } } else { self.of_repeatable() }
    }

    /// What it means for something that can be done again without harm, such as a look-up.
    pub(super) fn of_repeatable(self) -> SendError {
        let why = self.to_string();
        if self.is_about_the_token() {
            return SendError::Unauthorized { why };
        }
        match self.kind {
            FailureKind::RateLimited(after) => SendError::Later { after: Some(after), why },
            FailureKind::NotSent | FailureKind::Lost | FailureKind::Garbled => SendError::Later { after: None, why },
            // A redirect is not followed: it would carry the token elsewhere. A proxy may be in the way for a while.
            FailureKind::Status(100..=399 | 408 | 425 | 500..) => SendError::Later { after: None, why },
            FailureKind::Status(_) => SendError::Refused { why },
            FailureKind::Code(code) => match meaning(&code) {
                Meaning::DeadToken => SendError::Unauthorized { why },
                Meaning::Closed(tell) => SendError::Closed { why, tell },
                Meaning::NoReplies => SendError::Closed { why, tell: refusals::without_replies(&code) },
                Meaning::Gone => SendError::Gone { why },
                Meaning::Content | Meaning::Refused => SendError::Refused { why },
                Meaning::Uncertain | Meaning::Passing => SendError::Later { after: None, why },
            },
        }
    }
}

/// An error code as it may be repeated: Slack's are words with underscores, anything else stays out of our texts.
fn code(text: &str) -> String {
    let is_word = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_word && (1..=MAX_CODE).contains(&text.len()) { text.to_owned() } else { "an unknown error".to_owned() }
}

impl fmt::Display for SlackFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.method.name())?;
        match &self.kind {
            FailureKind::NotSent => f.write_str("Slack could not be reached"),
            FailureKind::Lost => f.write_str("Slack's answer was lost"),
            FailureKind::Garbled => f.write_str("Slack's answer could not be read"),
            FailureKind::RateLimited(after) => write!(f, "too many requests, wait {} s", after.as_secs()),
            FailureKind::Status(status) => write!(f, "HTTP status {status}"),
            FailureKind::Code(code) => match advice(code) {
                Some(advice) => write!(f, "{code}; {advice}"),
                None => f.write_str(code),
            },
        }
    }
}

/// What an operator does about it.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_in_channel" | "channel_not_found" => "invite the bot to the channel",
        "is_archived" => "choose another channel, or have it unarchived",
        "restricted_action" => "let the bot post there, in the channel's or the workspace's settings",
        "missing_scope" => "install the app again with config/slack-manifest.yaml",
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => "check the token",
        "not_allowed_token_type" => "the bot token begins with xoxb-, the app-level token with xapp-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use slack_morphism::errors::{SlackClientApiError, SlackClientHttpError, SlackRateLimitError};

    fn posted(error: &SlackClientError) -> SendError {
        SlackFailure::new(Method::ChatPostMessage, error).of_post()
    }

    #[test]
    fn every_status_has_its_meaning() {
        for status in (100..=599).filter(|status| !(200..300).contains(status) && *status != 429) {
            let code = http(status);
            let expected = match status {
                401 | 407 => "unauthorized",
                408 | 425 => "later",
                100..=399 => "later",
                400..=499 => "refused",
                _ => "uncertain",
            };
            assert_eq!(posted(&code).kind(), expected, "{status}");
            let edited = SlackFailure::new(Method::ChatUpdate, &code).of_repeatable();
            assert_eq!(edited.kind(), if expected == "uncertain" { "later" } else { expected }, "{status}");
        }
    }

    fn http(status: u16) -> SlackClientError {
        SlackClientError::HttpError(SlackClientHttpError::new(reqwest::StatusCode::from_u16(status).unwrap()))
    }

    #[test]
    fn every_code_has_its_meaning() {
        for (code, expected) in [
            ("channel_not_found", "closed"),
            ("not_in_channel", "closed"),
            ("is_archived", "closed"),
            ("restricted_action", "closed"),
            ("cannot_reply_to_message", "closed"),
            ("message_not_found", "gone"),
            ("invalid_auth", "unauthorized"),
            ("token_revoked", "unauthorized"),
            ("missing_scope", "closed"),
            ("not_allowed_token_type", "closed"),
            ("msg_too_long", "refused"),
            ("msg_blocks_too_long", "refused"),
            ("invalid_blocks", "refused"),
            ("ratelimited", "later"),
            ("service_unavailable", "later"),
            ("fatal_error", "uncertain"),
            ("internal_error", "uncertain"),
            ("never_seen_before", "later"),
        ] {
            let error = SlackClientError::ApiError(SlackClientApiError::new(code.to_owned()));
            assert_eq!(posted(&error).kind(), expected, "{code}");
        }
    }

    #[test]
    fn a_wait_is_honoured_within_bounds_and_has_a_default() {
        for (told, kept) in [(Some(0), 1), (Some(1), 1), (Some(30), 30), (Some(3_600), 900), (None, 30)] {
            let limit = SlackRateLimitError::new().opt_retry_after(told.map(Duration::from_secs));
            let SendError::Later { after, .. } = posted(&SlackClientError::RateLimitError(limit)) else { panic!("{told:?}") };
            assert_eq!(after, Some(Duration::from_secs(kept)), "{told:?}");
        }
    }

    #[test]
    fn nothing_of_an_answer_gets_into_an_error() {
        let code = "xoxb-1-secret https://hooks.slack.com/x".to_owned();
        let error = SlackClientApiError::new(code).with_http_response_body("{\"text\":\"evidence\"}".to_owned());
        let told = posted(&SlackClientError::ApiError(error)).to_string();
        assert_eq!(told, "not sent yet: chat.postMessage: an unknown error");
    }
}
