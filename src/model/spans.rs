//! How long what belongs to a rotation lasts, where its beginning or its end was not seen.

use jiff::SignedDuration;

/// The longest an invocation can run.
///
/// Source: Lambda quotas, "Function timeout".
pub const MAX_INVOCATION: SignedDuration = SignedDuration::from_mins(15);

/// How long before its end an attempt may have begun: a rotation is four invocations of [`MAX_INVOCATION`] at most, and retries
/// follow within minutes.
pub const ATTEMPT_SPAN: SignedDuration = SignedDuration::from_mins(60);

/// How far clocks of AWS services may disagree about one moment.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);
