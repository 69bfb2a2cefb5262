//! What the evidence lacks, and where to look next: at the network, further back, for the change behind a cause, or at what it took
//! away.

use super::context::DiagnosisContext;
use super::lost_policies;
use super::network_look;
use super::rules::rule_of;
use crate::model::{Confidence, CorrelatedChange, EventSource, Finding, FollowUp, Observation, Outcome};

/// Where another look can tell more; `root` is the finding that leads, where it is a cause.
pub(super) fn decide(
    context: &DiagnosisContext<'_>,
    outcome: Outcome,
    findings: &[Finding],
    root: Option<&Finding>,
    changes: &[CorrelatedChange],
) -> Option<FollowUp> {
    let network = || network_look::decide(context, outcome, findings).map(FollowUp::LookAtNetwork);
    // A look at the network rests on what the failing invocations say, where any can be found.
    let is_silent = outcome == Outcome::Inconclusive && context.failures.is_empty();
    let first = if is_silent { widen(context, outcome).or_else(network) } else { network().or_else(|| widen(context, outcome)) };
    first.or_else(|| search_changes(context, root?, changes)).or_else(|| read_detached(context, root))
}

/// Reads what the role lost, where it lacks something: attached again, it helps only where it gives that.
fn read_detached(context: &DiagnosisContext<'_>, root: Option<&Finding>) -> Option<FollowUp> {
    let policies = lost_policies::to_read(context, root);
    (!policies.is_empty()).then_some(FollowUp::ReadDetached { policies })
}

/// Looks further back when rotation is unwell, nothing explains it, and the logs can be read at all.
fn widen(context: &DiagnosisContext<'_>, outcome: Outcome) -> Option<FollowUp> {
    let unexplained = outcome == Outcome::Inconclusive && context.is_unwell();
    let readable = matches!(context.evidence.logs.observation, Observation::Found(_) | Observation::NoData { .. })
        && context.evidence.function.found().is_some();
    if unexplained && readable { context.evidence.lookback.wider().map(FollowUp::Widen) } else { None }
}

/// Looks for the change behind the root cause by event name, where the window before the failures did not show one.
///
/// A trail's log group is read with all names at once, so this concerns `LookupEvents` alone.
fn search_changes(context: &DiagnosisContext<'_>, root: &Finding, changes: &[CorrelatedChange]) -> Option<FollowUp> {
    let searched = match &context.evidence.changes.observation {
        Observation::Found(changes) if changes.source == EventSource::EventHistory => Some(changes),
        // Nothing failed that a change would have to explain; but somebody turned rotation off.
        Observation::NotApplicable { .. } => None,
        _ => return None,
    };
    if changes.iter().any(|change| change.explains.contains(&root.cause)) {
        return None;
    }
    let is_settled = |name: &str| searched.is_some_and(|changes| changes.is_settled(name));
    let mut events: Vec<String> = Vec::new();
    for name in rule_of(root.cause)?.explaining_events().filter(|name| !is_settled(name)) {
        if !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    (!events.is_empty()).then_some(FollowUp::SearchChanges { events, proven: root.confidence == Confidence::Confirmed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{change, deny, facts, fail, healthy, hours_ago, no_data};
    use crate::model::{Cause, Concern, Evidence, Lookback, Network, RotationStep, SimulatedDecision, StepName};

    /// Where to look next, the network having been looked at.
    fn next(evidence: &Evidence) -> Option<FollowUp> {
        let seen = Observation::NoData { searched: "the network".to_owned() };
        diagnose(&Evidence { network: Network::unseen(&seen), ..evidence.clone() }).follow_up
    }

    fn wider(evidence: &Evidence) -> Option<Lookback> {
        next(evidence).and_then(|follow_up| match follow_up {
            FollowUp::Widen(lookback) => Some(lookback),
            FollowUp::SearchChanges { .. } | FollowUp::LookAtNetwork(_) | FollowUp::ReadDetached { .. } => None,
        })
    }

    fn events(evidence: &Evidence) -> Vec<String> {
        match next(evidence) {
            Some(FollowUp::SearchChanges { events, .. }) => events,
            _ => Vec::new(),
        }
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
        let mut lookbacks = vec![evidence.lookback];
        while let Some(lookback) = wider(&evidence) {
            evidence.lookback = lookback;
            lookbacks.push(lookback);
        }
        assert_eq!(lookbacks, Lookback::ALL);
    }

    #[test]
    fn the_network_comes_before_a_wider_window_where_a_failing_invocation_was_seen() {
        let asked = |evidence: &Evidence| diagnose(evidence).follow_up;
        assert!(matches!(asked(&unexplained()), Some(FollowUp::LookAtNetwork(_))));
        let mut silent = unexplained();
        facts(&mut silent.logs).invocations.clear();
        assert_eq!(asked(&silent), Some(FollowUp::Widen(Lookback::Week)));
        silent.lookback = Lookback::Quarter;
        assert!(matches!(asked(&silent), Some(FollowUp::LookAtNetwork(_))));
    }

    #[test]
    fn nothing_is_widened_for_a_healthy_secret_or_where_the_logs_cannot_be_read() {
        assert_eq!(next(&healthy()), None);
        let mut refused = unexplained();
        deny(&mut refused, StepName::FunctionLogs);
        assert_eq!(next(&refused), None);
        let mut gone = unexplained();
        gone.function.observation = no_data();
        assert_eq!(wider(&gone), None);
    }

    #[test]
    fn the_change_behind_a_cause_is_searched_once_by_the_names_that_explain_it() {
        let mut evidence = without_permission();
        let searched = events(&evidence);
        assert!(searched.iter().any(|name| name == "DetachRolePolicy"), "{searched:?}");
        facts(&mut evidence.changes).searched.push("DetachRolePolicy".to_owned());
        assert_eq!(events(&evidence).len(), searched.len() - 1);
        facts(&mut evidence.changes).searched = searched;
        assert_eq!(next(&evidence), None);
    }

    #[test]
    fn who_turned_rotation_off_is_searched_although_nothing_failed() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).enabled = Some(false);
        evidence.changes.observation = Observation::NotApplicable { because: "nothing failed".to_owned() };
        assert!(events(&evidence).iter().any(|name| name == "CancelRotateSecret"), "{:?}", next(&evidence));
    }

    #[test]
    fn no_change_is_searched_where_one_explains_the_cause_or_a_trail_was_read_or_nothing_may_be() {
        let mut explained = without_permission();
        facts(&mut explained.changes).changes.push(change(hours_ago(2), "DetachRolePolicy", Concern::Role));
        assert_eq!(next(&explained), None);
        let mut by_trail = without_permission();
        facts(&mut by_trail.changes).source = EventSource::TrailLogGroup("cloudtrail".to_owned());
        assert_eq!(next(&by_trail), None);
        let mut refused = without_permission();
        deny(&mut refused, StepName::ConfigChanges);
        assert_eq!(next(&refused), None);
    }
}
