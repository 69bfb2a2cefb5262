//! Whether looking again can tell more: further back, or for the change behind a cause.

use super::Options;
use crate::diagnosis::{Case, events_explaining};
use crate::model::{Confidence, Diagnosis, EventSource, Evidence, Observation, Outcome, Reach, StepName};
use crate::playbook::MOST_LOOK_UPS;
use std::collections::BTreeSet;

/// What to look at again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NextLook {
    /// Look this far back.
    pub(super) reach: Option<Reach>,
    /// Look for these changes by name, the most telling first.
    pub(super) change_events: Vec<String>,
    /// At most with so many look-ups in a region's event history.
    pub(super) most_look_ups: usize,
}

/// How many look-ups in a region's event history are spent on the change behind a cause that is confirmed without it.
const ENOUGH_FOR_A_PROVEN_CAUSE: usize = 4;

impl NextLook {
    /// Further back.
    pub(super) fn widened(reach: Reach) -> NextLook {
        NextLook { reach: Some(reach), ..NextLook::default() }
    }

    /// The next look, if another can tell more.
    pub(super) fn after(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
        widen(evidence, diagnosis, options).or_else(|| search_change(evidence, diagnosis, options))
    }

    /// The steps that look again; the others keep what they saw.
    pub(super) fn steps(&self) -> BTreeSet<StepName> {
        let mut steps = BTreeSet::new();
        if self.reach.is_some() {
            steps.extend([StepName::FunctionLogs, StepName::FunctionMetrics]);
        }
        // Event history answers for 30 days at once; only the last widening goes beyond them.
        if self.reach == Some(Reach::Quarter) {
            steps.extend([StepName::RotationHistory, StepName::ConfigChanges]);
        }
        if !self.change_events.is_empty() {
            steps.insert(StepName::ConfigChanges);
        }
        steps
    }
}

/// Looks further back when rotation is unwell, nothing explains it, and the logs can be read at all.
fn widen(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
    let unexplained = diagnosis.outcome == Outcome::Inconclusive && Case::new(evidence).is_unwell();
    let readable = matches!(evidence.logs.observation, Observation::Found(_) | Observation::NoData { .. })
        && evidence.function.found().is_some();
    if options.reach.is_some() || !options.steps.is_empty() || !unexplained || !readable {
        return None;
    }
    Some(NextLook::widened(evidence.reach.wider()?))
}

/// Looks for the change behind the root cause by event name, where the window before the failures did not show one.
///
/// A trail's log group is read with all names at once, so this concerns `LookupEvents` alone.
fn search_change(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
    let root = diagnosis.root_cause()?;
    let searched = match &evidence.changes.observation {
        Observation::Found(changes) if changes.source == EventSource::EventHistory => Some(changes),
        // Nothing failed that a change would have to explain; but somebody turned rotation off.
        Observation::NotApplicable { .. } => None,
        _ => return None,
    };
    let is_settled = |name: &str| searched.is_some_and(|changes| changes.is_settled(name));
    let explained = diagnosis.changes.iter().any(|change| change.explains.contains(&root.cause));
    if explained || !options.steps.is_empty() {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for name in events_explaining(root.cause).filter(|name| !is_settled(name)) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    // What is already proven is only to be given its author.
    let most_look_ups = match root.confidence {
        Confidence::Confirmed => ENOUGH_FOR_A_PROVEN_CAUSE,
        Confidence::Likely | Confidence::Possible => MOST_LOOK_UPS,
    };
    (!names.is_empty()).then_some(NextLook { reach: None, change_events: names, most_look_ups })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{change, deny, facts, fail, healthy, hours_ago, no_data};
    use crate::model::{Cause, Concern, RotationStep, SimulatedDecision};

    fn options() -> Options {
        Options::new("prod/orders-db".parse().unwrap())
    }

    fn next(evidence: &Evidence, options: &Options) -> Option<NextLook> {
        NextLook::after(evidence, &diagnose(evidence), options)
    }

    /// Rotation fails, and its log does not say why.
    fn unexplained() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        assert_eq!(diagnose(&evidence).outcome, Outcome::Inconclusive);
        evidence
    }

    /// The role lost a permission, and no change that took it away was seen.
    fn without_permission() -> Evidence {
        const REFUSED: &str = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue \
                               operation: User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is \
                               not authorized to perform: secretsmanager:PutSecretValue on resource: \
                               arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf because no \
                               identity-based policy allows the secretsmanager:PutSecretValue action";
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[REFUSED]);
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let denied = simulations.iter_mut().filter(|one| one.action == "secretsmanager:PutSecretValue");
        denied.for_each(|one| one.decision = SimulatedDecision::ImplicitDeny);
        let cause = diagnose(&evidence).root_cause().map(|finding| finding.cause);
        assert_eq!(cause, Some(Cause::IamIdentityPolicyMissing));
        evidence
    }

    #[test]
    fn an_unexplained_failure_is_looked_for_further_back_until_ninety_days() {
        let mut evidence = unexplained();
        let mut reaches = vec![evidence.reach];
        while let Some(wider) = next(&evidence, &options()).and_then(|look| look.reach) {
            evidence.reach = wider;
            reaches.push(wider);
        }
        assert_eq!(reaches, Reach::ALL);
    }

    #[test]
    fn only_the_last_widening_reads_events_again() {
        let steps = |reach| NextLook::widened(reach).steps();
        let of_the_function = BTreeSet::from([StepName::FunctionLogs, StepName::FunctionMetrics]);
        assert_eq!(steps(Reach::Week), of_the_function);
        assert_eq!(steps(Reach::Month), of_the_function);
        let events = BTreeSet::from([StepName::RotationHistory, StepName::ConfigChanges]);
        assert_eq!(steps(Reach::Quarter), &of_the_function | &events);
    }

    #[test]
    fn nothing_is_widened_for_a_healthy_secret_or_where_the_logs_cannot_be_read() {
        assert_eq!(next(&healthy(), &options()), None);
        let mut refused = unexplained();
        deny(&mut refused, StepName::FunctionLogs);
        assert_eq!(next(&refused, &options()), None);
        let mut gone = unexplained();
        gone.function.observation = no_data();
        assert_eq!(next(&gone, &options()).and_then(|look| look.reach), None);
    }

    #[test]
    fn whoever_chose_a_window_or_a_step_gets_just_that() {
        let chosen = Options { reach: Some(Reach::Day), ..options() };
        assert_eq!(next(&unexplained(), &chosen), None);
        let asked = Options { steps: BTreeSet::from([StepName::FunctionLogs]), ..options() };
        assert_eq!(next(&unexplained(), &asked), None);
        assert_eq!(next(&without_permission(), &asked), None);
    }

    #[test]
    fn the_change_behind_a_cause_is_searched_once_by_the_names_that_explain_it() {
        let mut evidence = without_permission();
        let look = next(&evidence, &options()).unwrap();
        assert_eq!((look.reach, look.steps()), (None, BTreeSet::from([StepName::ConfigChanges])));
        assert!(look.change_events.iter().any(|name| name == "DetachRolePolicy"), "{look:?}");
        let searched = &mut facts(&mut evidence.changes).searched;
        searched.push("DetachRolePolicy".to_owned());
        let rest = next(&evidence, &options()).unwrap().change_events;
        assert_eq!(rest.len(), look.change_events.len() - 1);
        facts(&mut evidence.changes).searched = look.change_events;
        assert_eq!(next(&evidence, &options()), None);
    }

    #[test]
    fn who_turned_rotation_off_is_searched_although_nothing_failed() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).enabled = Some(false);
        evidence.changes.observation = Observation::NotApplicable { because: "nothing failed".to_owned() };
        let names = next(&evidence, &options()).map(|look| look.change_events).unwrap_or_default();
        assert!(names.iter().any(|name| name == "CancelRotateSecret"), "{names:?}");
    }

    #[test]
    fn no_change_is_searched_where_one_explains_the_cause_or_a_trail_was_read_or_nothing_may_be() {
        let mut explained = without_permission();
        facts(&mut explained.changes).changes.push(change(hours_ago(2), "DetachRolePolicy", Concern::Role));
        assert_eq!(next(&explained, &options()), None);
        let mut by_trail = without_permission();
        facts(&mut by_trail.changes).source = EventSource::TrailLogGroup("cloudtrail".to_owned());
        assert_eq!(next(&by_trail, &options()), None);
        let mut refused = without_permission();
        deny(&mut refused, StepName::ConfigChanges);
        assert_eq!(next(&refused, &options()), None);
    }
}
