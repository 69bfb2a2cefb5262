//! Discord's codes that are acted upon, and what they have in common.
//!
//! Source: Discord developer documentation, "JSON Error Codes".

/// Unknown channel: also a thread that is gone, or was never opened.
pub(super) const UNKNOWN_CHANNEL: u64 = 10_003;
/// Unknown message.
pub(super) const UNKNOWN_MESSAGE: u64 = 10_008;
/// Unknown server.
pub(super) const UNKNOWN_SERVER: u64 = 10_004;
/// What it says is not for everybody.
pub(super) const EXPLICIT: u64 = 20_009;
/// The channel takes nothing for a while from this bot.
pub(super) const SLOWMODE: u64 = 20_016;
/// An announcement cannot be edited so often.
pub(super) const ANNOUNCEMENT_EDITS: u64 = 20_022;
/// A name holds words that are not allowed.
pub(super) const WORDS: u64 = 20_031;
/// A message older than an hour cannot be edited so often.
pub(super) const OLD_EDITS: u64 = 30_046;
/// Forums hold threads alone.
pub(super) const FORUM: u64 = 40_058;
/// The forum wants each post to have a tag.
pub(super) const NEEDS_TAG: u64 = 40_067;
/// The interaction was answered already.
pub(super) const ALREADY_ANSWERED: u64 = 40_060;
/// The interaction takes no further answers.
pub(super) const FOLLOW_UPS_USED_UP: u64 = 40_094;
/// The bot does not see the channel.
pub(super) const MISSING_ACCESS: u64 = 50_001;
/// The bot may not do this here.
pub(super) const MISSING_PERMISSION: u64 = 50_013;
/// No channel for text.
pub(super) const NO_TEXT_CHANNEL: u64 = 50_008;
/// Not in a channel of this kind.
pub(super) const WRONG_CHANNEL_KIND: u64 = 50_024;
/// Something in the body is not valid, such as the message a reply belongs to.
pub(super) const INVALID_BODY: u64 = 50_035;
/// The thread is archived.
pub(super) const ARCHIVED: u64 = 50_083;
/// A reply needs the history, which the bot may not read.
pub(super) const NO_REPLY: u64 = 160_002;
/// The message has a thread.
pub(super) const THREAD_EXISTS: u64 = 160_004;
/// The thread is locked.
pub(super) const LOCKED: u64 = 160_005;
/// The server has as many active threads as it may.
pub(super) const THREADS_FULL: u64 = 160_006;
/// Automatic moderation blocks what it says.
pub(super) const MODERATED: u64 = 200_000;
/// Automatic moderation blocks what it is called.
pub(super) const MODERATED_TITLE: u64 = 200_001;
/// A link in it is taken for harmful.
pub(super) const HARMFUL_LINK: u64 = 240_000;

/// Refusals that pass by themselves: write limits of a channel or server, features and sending switched off for a while,
/// overload, an index that is not there yet, Cloudflare. Source: as above.
const PASSING: [u64; 11] = [SLOWMODE, 20_028, 20_029, 40_004, 40_006, 40_062, 40_333, 110_000, 110_001, 130_000, 530_006];

/// True for a refusal that does not last; whatever else Discord refuses, it refuses again.
pub(super) fn is_passing(status: u16, code: u64) -> bool {
    matches!(status, 408 | 425 | 500..) || PASSING.contains(&code)
}

/// True where it is the place that takes nothing, whatever is sent there.
pub(super) fn is_about_place(code: u64) -> bool {
    matches!(
        code,
        UNKNOWN_CHANNEL | UNKNOWN_SERVER | UNKNOWN_MESSAGE | MISSING_ACCESS | NO_TEXT_CHANNEL | FORUM | ARCHIVED | LOCKED
    )
}

/// True where it is what a text says that is refused.
pub(super) fn is_about_words(code: u64) -> bool {
    matches!(code, EXPLICIT | WORDS | INVALID_BODY | MODERATED | MODERATED_TITLE | HARMFUL_LINK)
}
