//! What to look at next where the end is inconclusive: what would decide most, first.

use super::context::DiagnosisContext;
use super::rule::{Specificity, Stage};
use super::rules::rule_of;
use crate::model::{Cause, Confidence, Finding, ManualCheck, NotChecked, Outcome, Severity};

/// How many are named; the rest would decide less.
const MAX_LOOKS: usize = 5;

/// Actions of the AWS CLI that only read.
const READS: [&str; 6] = ["describe-", "get-", "list-", "tail", "filter-log-events", "lookup-events"];

pub(super) fn decide(
    context: &DiagnosisContext<'_>,
    outcome: Outcome,
    findings: &[Finding],
    not_checked: &[NotChecked],
) -> Vec<ManualCheck> {
    if outcome != Outcome::Inconclusive {
        return Vec::new();
    }
    let mut looks = missing(context, not_checked);
    looks.extend(suspected(findings));
    looks.extend(unsearched(context));
    // What decides as much keeps its place: what is missing comes before what is only suspected.
    looks.sort_by_key(|look| std::cmp::Reverse(look.decides.len()));
    if looks.is_empty() {
        looks = fallback(context);
    }
    looks.truncate(MAX_LOOKS);
    looks
}

/// What was not seen, each once, with the causes that it leaves open.
fn missing(context: &DiagnosisContext<'_>, not_checked: &[NotChecked]) -> Vec<ManualCheck> {
    let mut looks: Vec<ManualCheck> = Vec::new();
    for open in not_checked.iter().filter(|open| can_explain(context, open.cause)) {
        let what = match open.missing.strip_prefix("permission ") {
            Some(action) => format!("allow {action}, and look again"),
            None if open.missing.ends_with("was throttled") || open.missing.starts_with("no answer") => {
                format!("ask again: {}", open.missing)
            }
            None => format!("find what is missing: {}", open.missing),
        };
        match looks.iter_mut().find(|look| look.what == what) {
            Some(look) => look.decides.push(open.cause),
            None => looks.push(ManualCheck { what, decides: vec![open.cause], command: None }),
        }
    }
    looks
}

/// True for a cause that could be why this rotation fails: a remark or what a failure leaves behind decides nothing.
fn can_explain(context: &DiagnosisContext<'_>, cause: Cause) -> bool {
    let Some(rule) = rule_of(cause) else { return false };
    let is_reason = !matches!(rule.stage, Stage::Aftermath | Stage::Remark) && rule.specificity > Specificity::Nothing;
    // Once the function ran, what keeps it from running is not what is looked for.
    is_reason && (rule.stage != Stage::Start || context.failures.is_empty())
}

/// The causes that are possible and no more, with a command that only reads, where their remedy has one.
fn suspected(findings: &[Finding]) -> Vec<ManualCheck> {
    let possible = findings.iter().filter(|finding| {
        finding.confidence == Confidence::Possible
            && finding.severity > Severity::Info
            && rule_of(finding.cause)
                .is_some_and(|rule| rule.specificity > Specificity::Nothing && rule.stage != Stage::Aftermath)
    });
    possible
        .map(|finding| ManualCheck {
            what: format!("whether {}", finding.title),
            decides: vec![finding.cause],
            command: finding.remediation.commands.iter().find(|command| is_read(command)).cloned(),
        })
        .collect()
}

fn is_read(command: &str) -> bool {
    command.split_whitespace().nth(2).is_some_and(|verb| READS.iter().any(|read| verb.starts_with(read)))
}

/// The events that could explain the failure and were not searched.
fn unsearched(context: &DiagnosisContext<'_>) -> Option<ManualCheck> {
    let changes = context.evidence.changes.found()?;
    let names: Vec<&str> = changes.unsearched.iter().filter(|one| !one.is_needless).map(|one| one.event.as_str()).collect();
    let of_name = |name: &str| {
        let mut rules = super::rules::RULES.iter();
        rules.find(|rule| rule.explaining_events().any(|event| event == name)).map(|rule| rule.cause)
    };
    let mut decides: Vec<Cause> =
        names.iter().filter_map(|name| of_name(name)).filter(|cause| can_explain(context, *cause)).collect();
    decides.dedup();
    let what = format!("who called {} since the last success", names.join(", "));
    (!decides.is_empty()).then_some(ManualCheck { what, decides, command: None })
}

/// Where everything was seen and nothing explains the failure: the runbook's own order.
fn fallback(context: &DiagnosisContext<'_>) -> Vec<ManualCheck> {
    let look = |what: String, command: Option<String>| ManualCheck { what, decides: Vec::new(), command };
    let step = context.failing_step().map_or_else(|| "the failing step".to_owned(), |step| step.to_string());
    let function = context.function();
    let tail = function.map(|function| super::remedy::aws_in(context, &["logs", "tail", &function.log_group, "--since", "1d"]));
    let mut looks = Vec::new();
    if context.is_unwell() {
        looks.push(look(format!("what the function's code does in {step}, read together with its log"), tail));
        looks.push(look("who else changes the secret or the user's password while it rotates".to_owned(), None));
        if let Some(seconds) = function.and_then(|function| function.timeout_s) {
            looks.push(look(format!("whether {seconds} s are enough for {step}"), None));
        }
        looks.push(look("whether the schedule falls into a time when the database or service is not available".to_owned(), None));
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{RotationStep, StepName, Unsearched};

    #[test]
    fn what_leaves_most_open_is_named_first() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, Some(RotationStep::SetSecret));
        deny(&mut evidence, StepName::FunctionLogs);
        deny(&mut evidence, StepName::FunctionMetrics);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
        let looks: Vec<&str> = diagnosis.next_looks.iter().map(|look| look.what.as_str()).collect();
        assert_eq!(looks.first(), Some(&"allow logs:FilterLogEvents, and look again"));
        assert!(looks.contains(&"allow cloudwatch:GetMetricData, and look again"), "{looks:?}");
        let counts: Vec<usize> = diagnosis.next_looks.iter().map(|look| look.decides.len()).collect();
        assert!(counts.is_sorted_by(|one, other| one >= other) && counts[0] > 20, "{counts:?}");
    }

    #[test]
    fn possible_causes_and_changes_that_were_not_searched_are_next() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.changes).unsearched =
            vec![Unsearched { event: "DeleteFunction20150331".into(), because: "too many".into(), is_needless: false }];
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
        let looks = &diagnosis.next_looks;
        assert!(looks.iter().any(|look| look.what == "who called DeleteFunction20150331 since the last success"), "{looks:?}");
    }

    #[test]
    fn where_all_was_seen_the_code_comes_first_and_a_known_end_needs_no_look() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &["[ERROR] Frobnication of the widget came to a bad end"]);
        let diagnosis = diagnose(&evidence);
        assert!(!diagnosis.next_looks.is_empty());
        assert_eq!(diagnose(&healthy()).next_looks, []);
    }
}
