//! What a report says of the next rotation and of the fix.

use super::time::moment;
use super::{Report, ReportedFinding, ReportedObstacle, ReportedPlanStep, ReportedStep, wording};
use crate::model::{Cause, Confidence, Forecast, Outcome, PlanStep, UndoDanger};
use crate::redact::SafeText;
use crate::safe_format;
use jiff::Timestamp;
use serde::Serialize;

/// How long a sentence may get before it is cut.
const SENTENCE: usize = 600;

/// The next rotation, foretold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedForecast {
    /// When its window opens; `None` where no date is known or none will come.
    pub next_rotation: Option<Timestamp>,
    /// What will stop it, in the order in which a rotation meets it.
    pub obstacles: Vec<ReportedObstacle>,
    /// What cannot be foretold.
    pub unknown: Vec<SafeText>,
}

impl ReportedForecast {
    /// What will stop the next rotation for sure or in all likelihood.
    pub fn blocking(&self) -> impl Iterator<Item = &ReportedObstacle> {
        self.obstacles.iter().filter(|obstacle| obstacle.confidence > Confidence::Possible)
    }
}

impl From<&Forecast> for ReportedForecast {
    fn from(forecast: &Forecast) -> ReportedForecast {
        ReportedForecast {
            next_rotation: forecast.next_rotation,
            obstacles: forecast.obstacles.iter().map(ReportedObstacle::from).collect(),
            unknown: forecast.unknown.iter().map(|unknown| SafeText::redact(unknown)).collect(),
        }
    }
}

impl From<&PlanStep> for ReportedPlanStep {
    fn from(step: &PlanStep) -> ReportedPlanStep {
        ReportedPlanStep {
            command: SafeText::redact(&step.command),
            cause: step.cause,
            effect: SafeText::redact(&step.effect),
            is_read_only: step.is_read_only,
            undo: step.undo.as_deref().map(SafeText::redact),
            undo_caution: step.undo_danger.map(caution),
            needs: step.needs.iter().map(|action| SafeText::redact(action)).collect(),
        }
    }
}

/// What stands in the way of the next rotation, in one line; nothing where no rotation is foretold.
#[must_use]
pub fn next_rotation(report: &Report) -> Option<SafeText> {
    let forecast = &report.forecast;
    let when = match forecast.next_rotation {
        Some(at) => safe_format!("Next rotation {}", moment(at, report.now)),
        None if forecast.obstacles.is_empty() => return None,
        None => "Next rotation".into(),
    };
    let [first, rest @ ..] = forecast.obstacles.as_slice() else {
        return Some(safe_format!("{}: nothing known stands in its way", when));
    };
    let verb = verb(first);
    let more = match rest.len() {
        0 => SafeText::default(),
        more => {
            safe_format!(" And {} more: {}.", more, SafeText::join(rest.iter().map(|obstacle| obstacle.cause.title()), "; "))
        }
    };
    Some(safe_format!("{}: ⚠ {}: {}{}", when, verb, first.text.single_line(), more).cut(SENTENCE))
}

/// What cannot be foretold, to be read after "not foretold": a permission that is missing is what would tell, and nothing to come.
#[must_use]
pub fn not_foretold(unknown: &SafeText) -> SafeText {
    let text = unknown.single_line();
    match text.as_str().strip_prefix("permission ") {
        Some(action) => safe_format!("what {} would show, which is not permitted", SafeText::redact(action)),
        None => text,
    }
}

/// What the forecast of a secret that rotates leaves open; nothing where rotation does not work, which says enough.
#[must_use]
pub fn unforeseen(report: &Report) -> Option<SafeText> {
    let unknown = SafeText::join(report.forecast.unknown.iter().map(not_foretold), "; ");
    (report.outcome == Outcome::Healthy && !unknown.is_empty()).then(|| safe_format!("Not foretold: {}.", unknown).cut(SENTENCE))
}

/// What a report ends its verdict with: the next rotation of a secret that rotates, or what stands in its way beside a fix.
#[must_use]
pub fn ending(report: &Report) -> Vec<SafeText> {
    // Where rotation fails, the fix says what is worth knowing of the next one; where nobody knows whether it does, that
    // nothing was found in its way would be taken for good news.
    let is_said = report.leading().is_some() || report.outcome == Outcome::NotFound;
    let is_known = report.outcome == Outcome::Healthy || !report.forecast.obstacles.is_empty();
    next_rotation(report).filter(|_| !is_said && is_known).into_iter().chain(unforeseen(report)).collect()
}

/// What to do before the next rotation where no command does it; nothing where rotation does not work, or a plan is printed.
#[must_use]
pub fn advice_without_commands(report: &Report) -> Option<SafeText> {
    let first = report.forecast.blocking().next()?;
    let finding = report.findings.iter().find(|finding| finding.cause == first.cause)?;
    let is_alone = report.leading().is_none() && report.plan.is_empty();
    is_alone.then(|| safe_format!("before it is due: {}", finding.remediation.summary.single_line()))
}

/// How many of the obstacles beside the leading one are named.
const NAMED_BESIDES: usize = 2;

/// What to do about the finding that leads, and what else the plan takes out of the way.
#[must_use]
pub fn fix(report: &Report, leading: &ReportedFinding) -> SafeText {
    let summary = leading.remediation.summary.single_line();
    let mut others: Vec<Cause> = Vec::new();
    for step in report.plan.iter().filter(|step| !step.is_read_only && step.cause != leading.cause) {
        if !others.contains(&step.cause) {
            others.push(step.cause);
        }
    }
    let title = |cause: &Cause| {
        let found = report.findings.iter().find(|finding| finding.cause == *cause);
        found.map_or_else(|| cause.title().into(), |finding| finding.title.single_line())
    };
    let named = SafeText::join(others.iter().take(NAMED_BESIDES).map(title), "; ");
    match others.len() {
        0 => summary,
        1 => safe_format!("{} The plan removes a second obstacle, too: {}.", summary, named),
        count @ ..=NAMED_BESIDES => safe_format!("{} The plan removes {} more obstacles, too: {}.", summary, count, named),
        count => safe_format!("{} The plan removes {} more obstacles, too, first of all: {}.", summary, count, named),
    }
}

/// Said of a plan that is proven to help.
pub const CLEARS_THE_WAY: &str = "After this, nothing known stands in the way of the next rotation.";

/// Said of a plan of which nothing shows whether it helps.
pub const NEXT_ROTATION_SHOWS: &str = "Only the next rotation shows whether this is enough.";

/// What the plan is worth; nothing where there is none.
#[must_use]
pub fn worth(report: &Report) -> Option<SafeText> {
    let doubts: Vec<SafeText> = report.doubts.iter().map(SafeText::single_line).collect();
    let text: SafeText = match report.heals {
        Some(true) => CLEARS_THE_WAY.into(),
        Some(false) => {
            // What the verdict has said already is not said again.
            let said = report.leading().map(|finding| finding.explanation.single_line());
            let is_new = |text: &SafeText| said.as_ref().is_none_or(|said| !said.as_str().contains(text.as_str()));
            let remaining: Vec<SafeText> =
                report.remaining.iter().map(|obstacle| obstacle.text.single_line()).filter(is_new).collect();
            match remaining.is_empty() {
                true => "No command here removes this obstacle.".into(),
                false => safe_format!("No command here removes this obstacle: {}", SafeText::join(remaining, " ")),
            }
        }
        None if report.plan.iter().all(|step| step.is_read_only) => return None,
        None if doubts.is_empty() => NEXT_ROTATION_SHOWS.into(),
        None => safe_format!("Only the next rotation shows {}.", SafeText::join(doubts, ", and ")),
    };
    Some(text.cut(SENTENCE))
}

/// What could be lost by the plan, what is said of the leading finding's remedy first.
#[must_use]
pub fn cautions(report: &Report) -> Vec<SafeText> {
    let own = report.leading().and_then(|finding| finding.remediation.warning.as_ref());
    own.into_iter().chain(&report.warnings).map(SafeText::single_line).collect()
}

/// The commands that take the plan back, the last step first.
#[must_use]
pub fn undo(report: &Report) -> Vec<&SafeText> {
    report.plan.iter().rev().filter_map(|step| step.undo.as_ref()).collect()
}

/// In which order the plan is taken back, and how much of it: a step that was refused, as where the same rule was there already,
/// left nothing of its own.
pub const UNDO_ORDER: &str = "from the last step to the first, and only steps that succeeded";

/// What is to be heeded before a command is taken back.
const fn caution(danger: UndoDanger) -> &'static str {
    match danger {
        UndoDanger::OldLabels => {
            "Move labels back only as long as no rotation has succeeded since: after one, they would lead applications to a password \
             that is no longer valid."
        }
        UndoDanger::DisabledKey => "While the key is disabled, no application can read what is encrypted with it.",
        UndoDanger::DeletedKey => "Once the key is deleted, everything that is encrypted with it is lost for good.",
        UndoDanger::DeletedSecret => "From then on no application can read the secret.",
        UndoDanger::StoppedDatabase => "A database that is stopped cuts every application off.",
        UndoDanger::NoNameServer => "Without its name server nothing in the VPC resolves a name.",
        UndoDanger::DeletedEndpoint => "Delete only an endpoint that the fix made: whatever uses another one would be cut off.",
    }
}

/// What to heed before the plan is taken back; nothing where that cuts nobody off.
#[must_use]
pub fn undo_caution(report: &Report) -> Option<SafeText> {
    let mut cautions: Vec<&'static str> = Vec::new();
    for caution in report.plan.iter().rev().filter_map(|step| step.undo_caution) {
        if !cautions.contains(&caution) {
            cautions.push(caution);
        }
    }
    (!cautions.is_empty()).then(|| SafeText::join(cautions, " "))
}

/// What an obstacle lets the next rotation do.
fn verb(obstacle: &ReportedObstacle) -> &'static str {
    if obstacle.confidence > Confidence::Possible { "will fail" } else { "may fail" }
}

/// What stands in the way of the next rotation, one line each.
#[must_use]
pub fn obstacles(report: &Report) -> Vec<SafeText> {
    let line = |obstacle: &ReportedObstacle| {
        safe_format!("{}: {}", SafeText::from(verb(obstacle)).capitalized(), obstacle.text.single_line()).cut(SENTENCE)
    };
    report.forecast.obstacles.iter().map(line).collect()
}

/// True where nothing could be looked at for want of permissions.
#[must_use]
pub fn is_blind(report: &Report) -> bool {
    let saw_something = |step: &ReportedStep| matches!(step.status, "found" | "no_data");
    report.outcome != Outcome::NotFound
        && !report.steps.iter().any(saw_something)
        && report.steps.iter().any(|step| !step.denied.is_empty())
}

/// The command that lets the program look, where it may look at nothing.
#[must_use]
pub fn permission_command(report: &Report) -> Option<SafeText> {
    if !is_blind(report) {
        return None;
    }
    let is_action = |action: &SafeText| action.chars().all(|c| c.is_ascii_alphanumeric() || ":-*".contains(c));
    let mut actions: Vec<SafeText> = wording::permissions_to_add(report).into_iter().filter(is_action).collect();
    actions.sort();
    actions.dedup();
    let quoted = actions.iter().map(|action| safe_format!("\"{}\"", action));
    (!actions.is_empty()).then(|| {
        safe_format!(
            "aws iam put-role-policy --role-name \"${}ROTATION_DIAG_ROLE:?the name of the role that rotation-diag uses here{}\" \
             --policy-name rotation-diag-reads --policy-document \
             '{}\"Version\":\"2012-10-17\",\"Statement\":[{}\"Effect\":\"Allow\",\"Action\":[{}],\"Resource\":\"*\"{}]{}'",
            "{",
            "}",
            "{",
            "{",
            SafeText::join(quoted, ","),
            "}",
            "}"
        )
    })
}

/// The IAM actions a person needs for the plan, each once.
#[must_use]
pub fn needs(report: &Report) -> Vec<SafeText> {
    let mut needs: Vec<SafeText> = Vec::new();
    let has_own = |finding: &&ReportedFinding| report.plan.is_empty() && !finding.remediation.commands.is_empty();
    let own = report.leading().filter(has_own).map(|finding| finding.remediation.needs.as_slice());
    let of_plan = report.plan.iter().flat_map(|step| &step.needs);
    for action in of_plan.chain(own.unwrap_or_default()).map(SafeText::single_line) {
        if !needs.contains(&action) {
            needs.push(action);
        }
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, Investigation, InvestigationId, Observation};

    fn report(evidence: Evidence) -> Report {
        let diagnosis = diagnose(&evidence);
        let id = InvestigationId::of(7);
        Report::new(&Investigation { id, evidence, diagnosis, consumers: None, api_calls: 0, duration_ms: 0 })
    }

    /// Nobody may invoke the function.
    fn not_invoked() -> Evidence {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.metrics).points.clear();
        facts(&mut evidence.access).function_policy = no_data();
        evidence
    }

    #[test]
    fn a_fix_of_two_obstacles_names_the_second_and_one_of_the_leading_one_alone_adds_nothing() {
        let alone = report(not_invoked());
        let leading = alone.leading().unwrap();
        assert_eq!(fix(&alone, leading), leading.remediation.summary.single_line());

        let mut evidence = not_invoked();
        let Observation::Found(key) = &mut facts(&mut evidence.access).secret_key else { panic!() };
        key.state = "Disabled".to_owned();
        let two = report(evidence);
        let leading = two.leading().unwrap();
        let changes = |step: &&ReportedPlanStep| !step.is_read_only && step.cause != leading.cause;
        let second = two.plan.iter().find(changes).unwrap().cause;
        let found = two.findings.iter().find(|finding| finding.cause == second);
        let title = found.map_or_else(|| second.title().into(), |finding| finding.title.single_line());
        let summary = leading.remediation.summary.single_line();
        let expected = safe_format!("{} The plan removes a second obstacle, too: {}.", summary, title);
        assert_eq!(fix(&two, leading), expected);
    }
}
