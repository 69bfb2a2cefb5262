//! From AWS's types to ours, and from facts to words.

use crate::model::{Arn, FunctionArn, Window};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// A date of the SDK as ours; `None` where it lies outside what can be represented.
pub(super) fn timestamp(date: &DateTime) -> Option<Timestamp> {
    Timestamp::new(date.secs(), i32::try_from(date.subsec_nanos()).ok()?).ok()
}

/// Our time as the SDK's.
pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

/// The ARN of a function.
pub(super) fn function_arn(text: &str) -> Option<FunctionArn> {
    Arn::parse(text).ok().and_then(|arn| FunctionArn::try_from(arn).ok())
}

/// `22 Nov 04:52 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%-d %b %H:%M UTC").to_string()
}

/// `22 Nov 04:52 – 23 Nov 04:52 UTC`.
pub(super) fn span(window: &Window) -> String {
    format!("{} – {}", window.from.strftime("%-d %b %H:%M"), moment(window.to))
}

/// `1 page`, `2 pages`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(counted(1, "policy"), "1 policy");
        assert_eq!(counted(2, "policy"), "2 policies");
        assert_eq!(counted(0, "change"), "0 changes");
        assert_eq!(counted(3, "key"), "3 keys");
    }
}
