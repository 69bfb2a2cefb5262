//! What log lines and policies together say about one way in which the function's role is refused.

use super::context::{ClassifiedLine, DiagnosisContext, Failure, LogMatch};
use super::need::{Need, NeedState, Stop, Target};
use super::permissions::cause_of;
use super::signatures::{AccessDenied, RefusingLayer};
use super::verdict::Verdict;
use crate::lambda_log::Record;
use crate::model::{Cause, Confidence, Finding, Observation, Proof, Remediation, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Causes that a refused call stands for, one for another where the refusal's parts tell more than its text.
const REFUSALS: &[Cause] = &[
    Cause::IamIdentityPolicyMissing,
    Cause::IamExplicitDeny,
    Cause::PermissionsBoundaryOrScpDeny,
    Cause::SecretResourcePolicyDeny,
    Cause::SecretResourcePolicyMissingAllow,
    Cause::SuperuserSecretAccessDenied,
    Cause::KmsAccessDenied,
    Cause::VpcEndpointPolicyDeny,
    Cause::OperatorPermissionMissing,
    Cause::LambdaEniPermissionMissing,
];

/// A refusal that failing invocations logged.
pub(super) struct Logged<'c, 'a> {
    pub(super) seen: LogMatch<'c, 'a>,
    /// Its parts, where the line names them.
    pub(super) denied: Option<AccessDenied>,
    /// The refused principal, where it is not the function's role.
    pub(super) stranger: Option<String>,
}

/// The newest failing invocation whose decisive line is a refusal that stands for `cause`.
pub(super) fn logged<'c, 'a>(context: &'c DiagnosisContext<'a>, cause: Cause) -> Option<Logged<'c, 'a>> {
    let told = context.failures.iter().enumerate().filter_map(|(at, failure)| Some((at, failure, failure.most_specific_line()?)));
    let mut hits = told.filter(|(_, failure, read)| refused_as(context, failure, read).0 == cause);
    let (at, failure, read) = hits.next_back()?;
    let newest = context.failures.iter().rposition(|failure| failure.most_specific_line().is_some());
    let seen = LogMatch { failure, read, count: hits.count() + 1, is_latest: newest == Some(at) };
    let (_, denied) = refused_as(context, failure, read);
    let stranger = denied.as_ref().and_then(|denied| denied.principal.clone()).filter(|who| !is_own_role(context, who));
    Some(Logged { seen, denied, stranger })
}

/// What is refused, by the log and by the policies, in a way that stands for `cause`.
pub(super) fn refused(context: &DiagnosisContext<'_>, cause: Cause) -> Vec<AccessDenied> {
    let logged = logged(context, cause).and_then(|logged| logged.denied);
    let stops = context.standings().iter().filter_map(|(_, standing)| standing.stop());
    // A partner's role is refused by whatever layer in one cause of its own.
    let stops = stops.filter(|stop| cause == Cause::ExternalRolePermission || cause_of(context, &stop.denied, None) == cause);
    logged.into_iter().chain(stops.map(|stop| stop.denied.clone())).collect()
}

fn refused_as(context: &DiagnosisContext<'_>, failure: &Failure<'_>, read: &ClassifiedLine<'_>) -> (Cause, Option<AccessDenied>) {
    let said = read.classification.cause;
    if !REFUSALS.contains(&said) {
        return (said, None);
    }
    let Some(mut denied) = AccessDenied::parse(&Record::read(&read.event.text).text) else { return (said, None) };
    if denied.layer == RefusingLayer::Unknown && denied.principal.as_deref().is_none_or(|who| is_own_role(context, who)) {
        name_layer(context, &mut denied);
    }
    // A line that speaks of the superuser secret speaks of setSecret, whatever step it names.
    let step = match said {
        Cause::SuperuserSecretAccessDenied => Some(crate::model::RotationStep::SetSecret),
        _ => failure.step,
    };
    let own = denied.principal.as_deref().is_some_and(|who| names_role(context, who));
    match cause_of(context, &denied, step) {
        // What the function's own role calls is no operator's doing.
        Cause::OperatorPermissionMissing if own => (Cause::IamIdentityPolicyMissing, Some(denied)),
        cause => (cause, Some(denied)),
    }
}

/// Older services do not say which layer refused; the policies do, where they stop the very action.
fn name_layer(context: &DiagnosisContext<'_>, denied: &mut AccessDenied) {
    let is_same = |need: &Need| {
        let named = denied.resource.as_deref();
        need.action.eq_ignore_ascii_case(&denied.action)
            && named.is_none_or(|named| need.resource == "*" || !named.starts_with("arn:") || need.resource.starts_with(named))
    };
    let stop = context.standings().iter().find_map(|(need, standing)| match standing {
        NeedState::Stopped(stop) if is_same(need) => Some(stop),
        _ => None,
    });
    if let Some(stop) = stop {
        denied.layer = stop.denied.layer;
        denied.explicit |= stop.denied.explicit;
    }
}

/// True for a session of the function's role, by the name in `arn:aws:sts::account:assumed-role/name/session`.
fn names_role(context: &DiagnosisContext<'_>, principal: &str) -> bool {
    let named = principal.split_once("role/").map(|(_, rest)| rest);
    let Some(role) = context.role_name() else { return false };
    named.is_some_and(|rest| rest.split('/').any(|part| part == role))
}

/// True unless the principal is legibly somebody else.
fn is_own_role(context: &DiagnosisContext<'_>, principal: &str) -> bool {
    !principal.starts_with("arn:") || context.role_name().is_none() || names_role(context, principal)
}

/// True for a session that carries the function's name, as Lambda's own do: the function acts, through whichever role.
fn is_own_session(context: &DiagnosisContext<'_>, principal: &str) -> bool {
    principal.rsplit('/').next().is_some_and(|session| Some(session) == context.function_name())
}

/// What speaks for a cause.
pub(super) struct Opinion {
    pub(super) confidence: Confidence,
    pub(super) severity: Severity,
    pub(super) evidence: Vec<Proof>,
    /// The refusals it rests on.
    pub(super) refused: Vec<AccessDenied>,
    /// A remark about them, or nothing.
    pub(super) note: &'static str,
    pub(super) stranger: Option<String>,
    /// True where the role's policies allow what was refused, and the layer that may have refused was not read.
    pub(super) is_unread: bool,
}

impl Opinion {
    /// The finding that rests on it.
    pub(super) fn finding(
        self,
        context: &DiagnosisContext<'_>,
        cause: Cause,
        explanation: String,
        remediation: Remediation,
    ) -> Finding {
        let explanation = format!("{explanation}{}", self.note);
        let mut finding = context.finding(cause, self.confidence, explanation, self.evidence, remediation);
        finding.severity = self.severity;
        finding
    }

    /// The ARN of the policy that denies, where a message names it.
    pub(super) fn denying_policy(&self) -> Option<&str> {
        self.refused.iter().find_map(|denied| denied.policy.as_deref())
    }

    /// `secretsmanager:PutSecretValue and kms:Decrypt`, or `the call` where no line names one.
    pub(super) fn actions(&self) -> String {
        let mut actions: Vec<&str> = self.refused.iter().map(|denied| denied.action.as_str()).collect();
        actions.dedup();
        match actions.as_slice() {
            [] => "a call".to_owned(),
            [one] => (*one).to_owned(),
            [others @ .., last] => format!("{} and {last}", others.join(", ")),
        }
    }
}

/// What lines and policies say about a cause.
pub(super) enum Weighed {
    /// They speak for it.
    For(Opinion),
    /// They do not; the verdict says why, or what is missing.
    Against(Verdict),
}

fn concerns(cause: Cause, target: Target) -> bool {
    match cause {
        Cause::KmsAccessDenied => target == Target::SecretKey,
        Cause::LambdaEnvKmsDenied => target == Target::EnvironmentKey,
        Cause::LambdaEniPermissionMissing => target == Target::Network,
        Cause::SecretResourcePolicyDeny | Cause::SecretResourcePolicyMissingAllow => target == Target::Secret,
        Cause::PermissionsBoundaryOrScpDeny => target != Target::EnvironmentKey,
        _ => matches!(target, Target::Secret | Target::RandomPassword),
    }
}

/// Weighs what failing invocations logged about `cause` against what the policies say now; `clear` is the fact that
/// speaks against it where neither speaks for it.
pub(super) fn weigh(context: &DiagnosisContext<'_>, cause: Cause, clear: &str) -> Weighed {
    if let Some(verdict) = context.without_function() {
        return Weighed::Against(verdict);
    }
    let standings: Vec<(Need, NeedState)> =
        context.standings().iter().filter(|(need, _)| concerns(cause, need.target)).cloned().collect();
    let stops: Vec<Stop> = standings
        .iter()
        .filter_map(|(_, standing)| match standing {
            NeedState::Stopped(stop) => Some((**stop).clone()),
            _ => None,
        })
        .filter(|stop| cause_of(context, &stop.denied, None) == cause)
        .collect();
    match logged(context, cause) {
        Some(logged) => weigh_logged(context, logged, &standings, stops),
        None if says_so(context, cause) => weigh_words(context, cause, stops),
        None if stops.is_empty() => Weighed::Against(nothing_speaks(context, cause, &standings, clear)),
        None => weigh_stops(context, cause, stops),
    }
}

/// True where the rotation event's own words name the cause, and no line of the function's names another.
fn says_so(context: &DiagnosisContext<'_>, cause: Cause) -> bool {
    context.reason_saying(cause).is_some() && !context.explained_otherwise(cause)
}

/// What the rotation event's own words say, and the policies that agree.
fn weigh_words(context: &DiagnosisContext<'_>, cause: Cause, stops: Vec<Stop>) -> Weighed {
    let said = context.reason_saying(cause);
    let denied = said.as_ref().and_then(|said| AccessDenied::parse(&said.text));
    let confidence = if stops.is_empty() { Confidence::Likely } else { Confidence::Confirmed };
    Weighed::For(Opinion {
        confidence,
        severity: Severity::Critical,
        evidence: said.into_iter().chain(stops.iter().map(|stop| stop.proof.clone())).collect(),
        refused: denied.into_iter().chain(stops.into_iter().map(|stop| stop.denied)).collect(),
        note: "",
        stranger: None,
        is_unread: false,
    })
}

fn nothing_speaks(context: &DiagnosisContext<'_>, cause: Cause, standings: &[(Need, NeedState)], clear: &str) -> Verdict {
    let unseen = context.evidence.secret.observation.missing().or_else(|| context.evidence.function.observation.missing());
    if let Some(missing) = unseen {
        return Verdict::unknown(missing);
    }
    if context.function().is_none() {
        return Verdict::clear("there is no such function");
    }
    let open = standings.iter().find_map(|(_, standing)| match standing {
        NeedState::Open(missing) => Some(missing.clone()),
        _ => None,
    });
    // The role's own policies can show a denial; that they show none does not replace the answer that was refused.
    let of_role = !matches!(cause, Cause::SecretResourcePolicyDeny | Cause::SecretResourcePolicyMissingAllow);
    let unsimulated = || match &context.evidence.role.observation {
        Observation::Found(role) => role.simulations.missing(),
        unanswered => unanswered.missing(),
    };
    let unsimulated = of_role.then(unsimulated).flatten();
    match open.or(unsimulated).or_else(|| context.evidence.logs.observation.missing()) {
        Some(missing) => Verdict::unknown(missing),
        None => Verdict::clear(clear),
    }
}

fn weigh_logged(
    context: &DiagnosisContext<'_>,
    logged: Logged<'_, '_>,
    standings: &[(Need, NeedState)],
    stops: Vec<Stop>,
) -> Weighed {
    let Logged { seen, denied, stranger } = logged;
    let same = |action: &str| denied.as_ref().is_none_or(|denied| denied.action.eq_ignore_ascii_case(action));
    // A stranger's refusal says nothing about what the function's own role lacks.
    let stops = if stranger.is_none() { stops } else { Vec::new() };
    let (agreeing, next): (Vec<Stop>, Vec<Stop>) = stops.into_iter().partition(|stop| same(stop.need.action));
    // Layers that no policy seen here can show say nothing by allowing.
    let shown = denied.as_ref().is_none_or(|denied| {
        !matches!(denied.layer, RefusingLayer::Rcp | RefusingLayer::SessionPolicy | RefusingLayer::VpcEndpoint)
            && stranger.is_none()
    });
    let own_resource = |need: &Need| {
        let resource = denied.as_ref().and_then(|denied| denied.resource.as_deref());
        resource
            .is_none_or(|resource| need.resource == "*" || need.resource.starts_with(resource) || !resource.starts_with("arn:"))
    };
    let mut judged = standings.iter().filter(|(need, _)| same(need.action) && own_resource(need)).peekable();
    let allowed_now = shown && judged.peek().is_some() && judged.all(|(_, standing)| *standing == NeedState::Allowed);
    if allowed_now && !seen.is_latest {
        return Weighed::Against(Verdict::clear(
            "the policies allow it now, and the newest failing invocation says something else",
        ));
    }
    let is_unread = allowed_now && denied.as_ref().is_some_and(|denied| is_layer_unread(context, denied));
    let mut confidence = match (agreeing.is_empty(), allowed_now) {
        (false, _) => Confidence::Confirmed,
        (true, true) => Confidence::Likely,
        (true, false) => seen.confidence(context),
    };
    if !seen.is_latest {
        confidence = confidence.min(Confidence::Likely);
    }
    if is_unread || stranger.as_deref().is_some_and(|who| !is_own_session(context, who)) {
        confidence = Confidence::Possible;
    }
    let mut evidence = vec![seen.proof()];
    evidence.extend(agreeing.iter().map(|stop| stop.proof.clone()));
    evidence.extend(context.failed_attempt_proof());
    Weighed::For(Opinion {
        confidence,
        severity: Severity::Critical,
        evidence,
        // What would be refused next is mended with it.
        refused: denied.into_iter().chain(next.into_iter().map(|stop| stop.denied)).collect(),
        note: if allowed_now && !is_unread { " The policies allow it now: it may have been fixed since." } else { "" },
        stranger,
        is_unread,
    })
}

/// What is said where policies do not allow the use of the key, and nothing shows that it was refused.
pub(super) const GRANT: &str = " A grant of the key, which was not looked at, may allow it.";

/// True for the use of the secret's key that no policy allows and none denies.
///
/// Source: AWS KMS Developer Guide, "Grants in AWS KMS": a grant allows beside all policies, and none shows it.
pub(super) fn may_be_granted(stop: &Stop) -> bool {
    stop.need.target == Target::SecretKey && !stop.denied.explicit
}

/// True where a line names no layer, and the secret's own policy is one that was not read.
fn is_layer_unread(context: &DiagnosisContext<'_>, denied: &AccessDenied) -> bool {
    let access = &context.evidence.access;
    let missing = match access.found() {
        Some(found) => found.secret_policy.missing(),
        None => access.observation.missing(),
    };
    denied.layer == RefusingLayer::Unknown && is_on_secret(&denied.action) && missing.is_some()
}

/// Policies alone: a cause where rotation fails unexplained or never worked, else a risk.
fn weigh_stops(context: &DiagnosisContext<'_>, cause: Cause, stops: Vec<Stop>) -> Weighed {
    let step = context.failing_step();
    let explains = |stop: &Stop| step.is_none_or(|step| stop.need.steps.contains(&step));
    let bites = stops.iter().any(explains);
    let (confidence, severity) = if context.failing.is_some() {
        match bites && !context.explained_otherwise(cause) {
            true => (Confidence::Likely, Severity::Critical),
            false => (Confidence::Likely, Severity::Info),
        }
    } else if context.never_rotated() {
        (Confidence::Likely, Severity::Critical)
    } else if context.is_overdue() && context.history_gap().is_some() {
        (Confidence::Possible, Severity::Critical)
    } else {
        (Confidence::Likely, Severity::Info)
    };
    let needless = |stop: &Stop| matches!(stop.need.target, Target::RandomPassword | Target::Network);
    if severity == Severity::Info && context.last_success_at.is_some() && stops.iter().all(needless) {
        return Weighed::Against(Verdict::clear("rotation has worked without this permission"));
    }
    let doubtful = stops.iter().all(|stop| stop.doubt.is_some());
    let confidence = if doubtful { Confidence::Possible } else { confidence };
    let mut evidence: Vec<Proof> = stops.iter().map(|stop| stop.proof.clone()).collect();
    evidence.extend(context.failed_attempt_proof());
    let note = match (severity, stops.iter().all(may_be_granted)) {
        (Severity::Info, true) => {
            " It has not stopped a rotation yet, or another reason stopped it first. A grant of the key, which was not looked at, \
             may allow it."
        }
        (Severity::Info, false) => " It has not stopped a rotation yet, or another reason stopped it first.",
        (_, true) => GRANT,
        (_, false) => "",
    };
    let refused = stops.into_iter().map(|stop| stop.denied).collect();
    Weighed::For(Opinion { confidence, severity, evidence, refused, note, stranger: None, is_unread: false })
}

/// The least policy that allows what was refused.
pub(super) fn allowing(context: &DiagnosisContext<'_>, refused: &[AccessDenied]) -> Value {
    let mut by_resource: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for denied in refused {
        let secret = context.secret().map(|secret| secret.arn.arn().as_str());
        let named = denied.resource.as_deref().filter(|resource| resource.starts_with("arn:"));
        let resource = match (named, secret) {
            // A message may print a secret's ARN without its suffix, which a policy would not match.
            (Some(named), Some(secret)) if secret.starts_with(named) => secret,
            (Some(named), _) => named,
            (None, Some(secret)) if is_on_secret(&denied.action) => secret,
            (None, _) => "*",
        };
        let actions = by_resource.entry(resource.to_owned()).or_default();
        if !actions.contains(&denied.action) {
            actions.push(denied.action.clone());
        }
    }
    let statements: Vec<_> = by_resource
        .into_iter()
        .map(|(resource, actions)| json!({ "Effect": "Allow", "Action": actions, "Resource": resource }))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn is_on_secret(action: &str) -> bool {
    action.starts_with("secretsmanager:") && action != "secretsmanager:GetRandomPassword"
}
