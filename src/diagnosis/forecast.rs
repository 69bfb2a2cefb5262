//! The next rotation, foretold: what will stop it, and what no evidence can tell.
//!
//! The rules decide. They are asked about the evidence as it would be if no rotation had failed yet: what still speaks for a
//! cause then is a fact that holds now, and meets the next rotation.

use super::DiagnosisContext;
use super::readings::network::{NOT_YET, NOT_YET_PERHAPS, NOT_YET_THERE};
use super::rules::rule_of;
use super::verdict::Verdict;
use crate::model::{
    AttemptOutcome, Cause, Confidence, Diagnosis, EventSource, Evidence, Finding, Forecast, FunctionLogs, FunctionMetrics,
    Invocation, InvocationStatus, Observation, Obstacle, Remediation, RotationHistory, Severity,
};

/// The causes that present facts decide, in the order in which a rotation meets them.
const FORETOLD: &[Cause] = &[
    Cause::SecretMarkedForDeletion,
    Cause::RotationNeverEnabled,
    Cause::RotationDisabled,
    Cause::RotationNoLambdaArn,
    Cause::ScheduleWrongOrOverdue,
    Cause::SecretNoCurrentValue,
    Cause::LambdaFunctionMissing,
    Cause::LambdaInvokePermissionMissing,
    Cause::LambdaThrottledConcurrency,
    Cause::LambdaStateFailed,
    Cause::LambdaVpcConfigInvalid,
    Cause::LambdaVpcCapacity,
    Cause::LambdaEniPermissionMissing,
    Cause::LambdaEnvKmsDenied,
    Cause::DeprecatedRuntime,
    Cause::KmsKeyDisabledOrPendingDeletion,
    Cause::IamIdentityPolicyMissing,
    Cause::IamExplicitDeny,
    Cause::PermissionsBoundaryOrScpDeny,
    Cause::SecretResourcePolicyDeny,
    Cause::SecretResourcePolicyMissingAllow,
    Cause::KmsAccessDenied,
    Cause::ExternalRoleTrust,
    Cause::ExternalRolePermission,
    Cause::ExternalMetadataInvalid,
    Cause::ExternalTokenExpired,
    Cause::ManagedSecretImpaired,
    Cause::LambdaInPublicSubnet,
    Cause::AwsEndpointUnreachable,
    Cause::VpcEndpointPolicyDeny,
    Cause::DbNotAvailable,
    Cause::DbNetworkUnreachable,
];

/// The causes that the network decides. Where it was not seen, the forecast says so and nothing else suffers: neither the plan nor
/// the other causes rest on it.
const BY_NETWORK: &[Cause] = &[
    Cause::LambdaInPublicSubnet,
    Cause::AwsEndpointUnreachable,
    Cause::VpcEndpointPolicyDeny,
    Cause::DbNotAvailable,
    Cause::DbNetworkUnreachable,
];

/// The causes that the function's code decides, where it was looked at.
const FORETOLD_BY_CODE: &[Cause] = &[
    Cause::CodeSyntaxOrHandlerError,
    Cause::CodeImportError,
    Cause::CodeMissingEnv,
    Cause::CodeNotImplemented,
    Cause::TemplateBug,
    Cause::LambdaTimeoutTooShort,
];

/// Causes of which a mere risk is told as a remark: Lambda goes on running what it has.
const ONLY_WHEN_REFUSED: &[Cause] = &[
    Cause::LambdaStateFailed,
    Cause::LambdaVpcConfigInvalid,
    Cause::LambdaVpcCapacity,
    Cause::LambdaEniPermissionMissing,
    Cause::DeprecatedRuntime,
];

/// Causes that stop one attempt and not the next, or not a rotation that its schedule starts.
const PASSING: &[Cause] = &[
    Cause::LambdaInactiveTransient,
    Cause::EventualConsistencyTransient,
    Cause::AwsApiThrottled,
    Cause::AwsServiceIssue,
    Cause::StuckAwspending,
    Cause::VersionNotStagedRace,
    Cause::RotationAbandonedManualChange,
    Cause::OperatorPermissionMissing,
    Cause::InvokedManuallyOrBadEvent,
    Cause::ConsumerStaleCredentials,
    Cause::ReplicaRotatesInPrimaryRegion,
    Cause::ManagedRotation,
    Cause::SecretNotFound,
];

/// How a rule says that the cause of the last failure is not seen any more.
const PERHAPS_MENDED: &str = "it may have been fixed since";

/// Remarks of the rules that say of the past what a forecast need not.
const ASIDES: &[&str] = &[
    NOT_YET,
    NOT_YET_THERE,
    NOT_YET_PERHAPS,
    " It has not stopped a rotation yet, or another reason stopped it first.",
    " The next rotation will fail, and so will every read of the secret.",
    " The next rotation will fail.",
];

/// An obstacle, and what its rule would do about it.
#[derive(Clone)]
pub(super) struct Foreseen {
    pub(super) obstacle: Obstacle,
    pub(super) remediation: Remediation,
}

/// What present facts say about the next rotation.
pub(super) struct Outlook {
    pub(super) foreseen: Vec<Foreseen>,
    /// What was not seen, and could stop it too.
    pub(super) unseen: Vec<String>,
    /// Those of `unseen` that are questions, such as `whether Lambda may …`.
    pub(super) questions: Vec<String>,
    /// The causes of which present facts make no more than a possibility, each with how `unseen` speaks of it.
    possible: Vec<(Cause, String)>,
}

impl Outlook {
    /// True where present facts make no more than a possibility of it.
    pub(super) fn is_possible(&self, cause: Cause) -> bool {
        self.possible.iter().any(|(possible, _)| *possible == cause)
    }
}

/// Foretells the next rotation, from present facts and from why the last one failed.
pub(super) fn forecast(context: &DiagnosisContext<'_>, diagnosis: &Diagnosis) -> Forecast {
    let outlook = outlook(&without_failures(context.evidence));
    let mut unknown = outlook.unseen;
    let mut obstacles: Vec<Obstacle> = outlook.foreseen.into_iter().map(|foreseen| foreseen.obstacle).collect();
    if let Some(root) = diagnosis.root_cause().filter(|root| root.severity > Severity::Info) {
        match will_repeat(root) {
            true if obstacles.iter().any(|obstacle| obstacle.cause == root.cause) => {}
            true => {
                // What failed already is known to be in the way, however little the configuration alone tells of it.
                let doubts = outlook.possible.iter().filter(|(cause, _)| *cause == root.cause);
                doubts.for_each(|(_, doubt)| unknown.retain(|one| one != doubt));
                obstacles.push(repeated(context, root));
            }
            false if is_perhaps_mended(root) => {
                unknown.push(format!("whether the last failure is over: {}, which is no longer seen", root.title));
            }
            false => {}
        }
    }
    let is_complete = unknown.is_empty();
    unknown.extend(super::readings::network::doubts(context));
    unknown.extend(beyond(context));
    let turned_on = context.config().filter(|config| config.enabled == Some(true));
    let lives = context.secret().is_some_and(|secret| secret.deleted_at.is_none() && !secret.is_replica());
    let next_rotation = turned_on
        .filter(|_| lives)
        .and_then(|config| config.due.next.or(config.next_rotation_at))
        .filter(|at| *at > context.now());
    Forecast { next_rotation, obstacles, unknown, is_complete }
}

/// True where the finding's cause stands in the way of the next rotation too.
pub(super) fn will_repeat(root: &Finding) -> bool {
    !PASSING.contains(&root.cause) && root.cause != Cause::ScheduleWrongOrOverdue && !is_perhaps_mended(root)
}

pub(super) fn is_perhaps_mended(finding: &Finding) -> bool {
    finding.explanation.contains(PERHAPS_MENDED)
}

fn repeated(context: &DiagnosisContext<'_>, root: &Finding) -> Obstacle {
    Obstacle {
        cause: root.cause,
        confidence: root.confidence,
        at: context.failing.as_ref().map(|row| row.first_at),
        text: format!("{} Nothing shows that this has been corrected since.", root.explanation),
        proof: root.evidence.first().cloned(),
        author: author(context, root.cause).map(|(_, author)| author),
    }
}

/// What no evidence can tell: the answer of what is behind the secret.
fn beyond(context: &DiagnosisContext<'_>) -> Option<String> {
    let secret = context.secret()?;
    if secret.is_replica() {
        return Some(format!(
            "what happens in {}, where the secret rotates",
            secret.primary_region.as_deref().unwrap_or("its region")
        ));
    }
    if let Some(owner) = super::managed::owner(context) {
        return Some(format!("what {} does, which rotates this secret", super::managed::name_of(owner)));
    }
    let config = context.config().filter(|config| config.enabled == Some(true) && secret.deleted_at.is_none())?;
    match (&config.function_arn, &config.external_role_arn) {
        (Some(_), _) => Some("what the database or service behind the secret answers".to_owned()),
        (None, Some(_)) => Some("what the partner answers".to_owned()),
        (None, None) => None,
    }
}

/// Asks the rules about the next rotation; `ahead` is the evidence [`without_failures`].
pub(super) fn outlook(ahead: &Evidence) -> Outlook {
    let context = DiagnosisContext::new(ahead);
    let mut outlook = Outlook { foreseen: Vec::new(), unseen: Vec::new(), questions: Vec::new(), possible: Vec::new() };
    let mut possible = Vec::new();
    let mut questions = Vec::new();
    let mut note = |missing: String| {
        if !outlook.unseen.contains(&missing) {
            outlook.unseen.push(missing);
        }
    };
    let by_code = if ahead.function_code.found().is_some() { FORETOLD_BY_CODE } else { &[] };
    for rule in FORETOLD.iter().chain(by_code).filter_map(|cause| rule_of(*cause)) {
        match (rule.evaluate)(&context) {
            Verdict::Fires(finding) if finding.confidence == Confidence::Possible => {
                let doubt = doubt_of(&finding);
                possible.push((finding.cause, doubt.clone()));
                questions.push(doubt.clone());
                note(doubt);
            }
            Verdict::Fires(finding) if finding.severity > Severity::Info || !ONLY_WHEN_REFUSED.contains(&finding.cause) => {
                outlook.foreseen.push(Foreseen { obstacle: obstacle(&context, &finding), remediation: finding.remediation });
            }
            Verdict::Fires(_) | Verdict::Clear { .. } => {}
            Verdict::Unknown { .. } if BY_NETWORK.contains(&rule.cause) => {}
            Verdict::Unknown { missing } => note(missing),
        }
    }
    if let Some(text) = environment_doubt(&context) {
        questions.push(text.clone());
        note(text);
    }
    if let Some(missing) = super::readings::trust::gap(&context).filter(|_| context.rotates_by_function()) {
        let question = format!("whether Lambda may assume the function's role: {missing}");
        questions.push(question.clone());
        note(question);
    }
    if let Some(missing) = ahead.function_code.missing() {
        note(format!("the function's code: {missing}"));
    }
    outlook.possible = possible;
    outlook.questions = questions;
    outlook.foreseen.extend(
        super::readings::runtime::support::past_block(&context)
            .map(|obstacle| Foreseen { obstacle, remediation: Remediation::default() }),
    );
    outlook
}

fn doubt_of(finding: &Finding) -> String {
    format!("whether {}: {}", finding.title, without_asides(&finding.explanation).trim_end_matches('.'))
}

/// The key of the function's environment is used by Lambda's own grant, which no policy shows.
fn environment_doubt(context: &DiagnosisContext<'_>) -> Option<String> {
    use super::need::{NeedState, Target};
    let stopped = context
        .standings()
        .iter()
        .any(|(need, standing)| need.target == Target::EnvironmentKey && matches!(standing, NeedState::Stopped(_)));
    stopped.then(|| {
        "whether Lambda may decrypt the function's environment: the policies do not allow it, but a grant \
                     may"
        .to_owned()
    })
}

fn obstacle(context: &DiagnosisContext<'_>, finding: &Finding) -> Obstacle {
    let author = author(context, finding.cause);
    let fact = finding.evidence.first();
    Obstacle {
        cause: finding.cause,
        confidence: finding.confidence,
        at: author.as_ref().map(|(at, _)| *at).or_else(|| fact.and_then(|proof| proof.at)),
        text: without_asides(&finding.explanation),
        proof: fact.cloned(),
        author: author.map(|(_, who)| who),
    }
}

fn without_asides(text: &str) -> String {
    ASIDES.iter().fold(text.to_owned(), |text, aside| text.replace(aside, ""))
}

/// Who made the newest change since the last success that can have led to the cause, and when.
fn author(context: &DiagnosisContext<'_>, cause: Cause) -> Option<(jiff::Timestamp, String)> {
    let changes = &context.evidence.changes.found()?.changes;
    let since = |at: jiff::Timestamp| context.last_success_at.is_none_or(|success| at > success);
    let rule = rule_of(cause)?;
    let change = changes.iter().rev().find(|change| since(change.at) && rule.is_explained_by(&change.event))?;
    Some((change.at, change.actor.clone()))
}

/// The evidence as if no rotation had failed: what is configured stays, and what succeeded.
pub(super) fn without_failures(evidence: &Evidence) -> Evidence {
    let mut ahead = evidence.clone();
    ahead.function_code = super::readings::code::not_refuted(evidence);
    let function = evidence.function.found();
    let log_group = function.map(|function| function.log_group.clone()).unwrap_or_default();
    let (windows, invocations) = match evidence.logs.found() {
        Some(logs) => {
            let ran = |status| status == InvocationStatus::Succeeded;
            (logs.windows.clone(), logs.invocations.iter().filter(|one| ran(one.status)).map(without_lines).collect())
        }
        None => (Vec::new(), Vec::new()),
    };
    ahead.logs.observation = Observation::Found(FunctionLogs { log_group, windows, invocations, complete: true });
    let (attempts, source) = match evidence.history.found() {
        Some(history) => {
            let succeeded = history.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Succeeded);
            (succeeded.cloned().collect(), history.source.clone())
        }
        None => (Vec::new(), EventSource::EventHistory),
    };
    ahead.history.observation = Observation::Found(RotationHistory {
        attempts,
        other_attempts: Vec::new(),
        fleet: Observation::NotApplicable { because: "nothing was compared".to_owned() },
        source,
        complete: true,
    });
    ahead.metrics.observation = Observation::Found(FunctionMetrics { period_s: 300, points: Vec::new(), complete: true });
    if let Some(changes) = ahead.changes.observation.found_mut() {
        changes.refusals.clear();
    }
    if let Some(secret) = ahead.secret.observation.found_mut() {
        for version in secret.versions.iter_mut().filter(|version| !version.has("AWSCURRENT")) {
            version.labels.retain(|label| label != "AWSPENDING");
        }
    }
    if let Some(config) = ahead.rotation_config.observation.found_mut() {
        config.due.overdue_since = None;
    }
    ahead
}

/// That it ran is what counts; its lines would only be read again and again.
fn without_lines(invocation: &Invocation) -> Invocation {
    Invocation { lines: Vec::new(), ..invocation.clone() }
}
