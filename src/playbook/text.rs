//! From AWS's types to ours, and from facts to words.

use crate::model::{Arn, FunctionArn, MOMENT, Window};
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

/// A moment of the time that is searched: `Sun 22 Nov 04:52 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime(MOMENT).to_string()
}

/// A moment without its zone, where another follows that has it.
fn begin(at: Timestamp) -> String {
    at.strftime("%a %-d %b %H:%M").to_string()
}

/// `Sun 22 Nov 04:52 – Mon 23 Nov 04:52 UTC`.
pub(super) fn span(window: &Window) -> String {
    format!("{} – {}", begin(window.from), moment(window.to))
}

/// When something that was counted over a period happened: `Sun 22 Nov 04:50–04:55 UTC`, or the minute of a period of one.
pub(super) fn period(at: Timestamp, seconds: u32) -> String {
    let end = at.checked_add(jiff::SignedDuration::from_secs(i64::from(seconds))).unwrap_or(at);
    match seconds {
        ..=60 => moment(at),
        _ => format!("{}–{}", begin(at), end.strftime("%H:%M UTC")),
    }
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
    fn a_sum_over_minutes_is_told_as_the_span_it_counts() {
        let at = "2026-11-22T04:50:00Z".parse().unwrap();
        assert_eq!(period(at, 60), "Sun 22 Nov 04:50 UTC");
        assert_eq!(period(at, 300), "Sun 22 Nov 04:50–04:55 UTC");
        assert_eq!(period(at, 3600), "Sun 22 Nov 04:50–05:50 UTC");
    }

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(counted(1, "policy"), "1 policy");
        assert_eq!(counted(2, "policy"), "2 policies");
        assert_eq!(counted(0, "change"), "0 changes");
        assert_eq!(counted(3, "key"), "3 keys");
    }
}
