//! Abilities the official templates learned on a known day.

use crate::diagnosis::DiagnosisContext;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// From this day on the templates connect by TLS.
///
/// Source: Secrets Manager User Guide, "Troubleshoot AWS Secrets Manager rotation".
pub(in crate::diagnosis) const TLS: Date = date(2021, 12, 20);

/// From this day on the PostgreSQL templates do SCRAM authentication.
///
/// Source: Secrets Manager User Guide, "Troubleshoot AWS Secrets Manager rotation".
pub(in crate::diagnosis) const SCRAM: Date = date(2021, 12, 30);

/// True when the function last changed before `day`, so that it cannot have what came then.
pub(in crate::diagnosis) fn is_older_than(context: &DiagnosisContext<'_>, day: Date) -> bool {
    let changed = context.function().and_then(|function| function.last_modified_at);
    let begin = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
    changed.zip(begin).is_some_and(|(changed, begin)| changed < begin)
}
