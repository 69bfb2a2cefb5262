//! Step 5: which of the actions rotation needs the function's role may perform, by simulation and by its policies.

use super::kms_key;
use super::role_policies;
use super::rotation_history::last_ended;
use super::secret::Described;
use super::{StepContext, StepResult, carried, not_here, text};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::role_actions::{ON_ADMIN_SECRET, ON_KEY, ON_NETWORK, ON_SECRET, RANDOM_PASSWORD};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{AttemptOutcome, FunctionFacts, Observation, RoleArn, RoleFacts, RotationStep, SimulatedDecision, Simulation};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType, Statement};
use std::sync::Arc;

/// Pages of one simulation that are read.
const MAX_PAGES: usize = 2;

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
    function: Observation<Arc<FunctionFacts>>,
) -> StepResult<RoleFacts> {
    let partners_role = |described: &Arc<Described>| {
        let is_here = not_here(described).is_none() && described.config.function_arn.is_none();
        described.config.external_role_arn.clone().filter(|_| is_here)
    };
    let (function, role) = match (function, subject.found().and_then(partners_role)) {
        (Observation::Found(function), _) => (Some(function.clone()), function.role.clone()),
        (Observation::NotApplicable { .. }, Some(role)) => (None, role),
        (Observation::NoData { .. }, _) => {
            return Observation::NotApplicable { because: "the function, which would name the role, does not exist".to_owned() }
                .into();
        }
        (unanswered, _) => return carried(unanswered).into(),
    };
    let described = match subject {
        Observation::Found(described) => described,
        unanswered => return carried(unanswered).into(),
    };
    let actor = RotationActor { role: &role, function: function.as_deref() };
    let role = actor.role;
    let (own, key) = tokio::join!(simulate_secret(cx, caller, &described, actor), simulate_keys(cx, caller, &described, actor));
    if let Observation::NoData { searched } = own {
        let summary = format!("the role {} does not exist", role.name());
        return StepResult { observation: Observation::NoData { searched }, window: None, summary };
    }
    let simulations = match (own, key) {
        (Observation::Found(mut simulations), Observation::Found(key)) => {
            simulations.extend(key);
            Observation::Found(simulations)
        }
        // Without the key's answer the secret's still counts; what is missing is among the denials.
        (own, _) => own,
    };
    let needed = needed_policies(&simulations);
    let policies = async {
        match needed {
            Some(scope) => role_policies::read(cx, caller, role, scope).await,
            None => Observation::NotApplicable { because: "the simulation left nothing open".to_owned() },
        }
    };
    let trust = async {
        // What the simulation shows has to be mended anyway, and an invocation in the log saves the call; but no plan relies on
        // a trust that nobody saw, nor does what is foretold of a secret that rotates: the trust may be lost since.
        let lacks = matches!(needed, Some(role_policies::PolicyScope { boundary: false }));
        if actor.function.is_some() && (failed_running(cx, caller).await || lacks && ran_last(cx, caller).await) {
            Observation::NotApplicable { because: "the function runs, so Lambda assumes the role".to_owned() }
        } else {
            role_policies::trust(cx, caller, role).await
        }
    };
    let (policies, trust) = tokio::join!(policies, trust);
    if !simulations.is_answered() && !policies.is_answered() && trust.found().is_none() {
        return carried(simulations).into();
    }
    let facts = RoleFacts { role: role.clone(), simulations, policies, trust, detached: Vec::new() };
    let is_whole = answers_all(&facts, &wanted_of_secret(&described, actor)) && answers_keys(&facts, &described, actor);
    let summary = summary(&facts, is_whole);
    StepResult { observation: Observation::Found(facts), window: None, summary }
}

/// True when the history shows that the function ran: the last rotation failed in a later step than the first.
async fn failed_running(cx: &StepContext<'_>, caller: &AwsCaller) -> bool {
    let history = caller.within_deadline(cx.board.history.wait()).await;
    let Some(history) = history.and_then(Observation::found) else { return false };
    let failed = last_ended(&history.attempts).filter(|attempt| attempt.outcome != AttemptOutcome::Succeeded);
    failed.and_then(|attempt| attempt.step).is_some_and(|step| step != RotationStep::CreateSecret)
}

/// True when the log has an invocation of the last attempt: Lambda had assumed the role.
async fn ran_last(cx: &StepContext<'_>, caller: &AwsCaller) -> bool {
    let history = caller.within_deadline(cx.board.history.wait()).await.and_then(Observation::found);
    let Some(began) =
        history.and_then(|history| last_ended(&history.attempts)?.at()).and_then(|at| at.checked_sub(ATTEMPT_SPAN).ok())
    else {
        return false;
    };
    let last_run = caller.within_deadline(cx.board.last_run.wait()).await;
    last_run.copied().flatten().is_some_and(|at| at >= began)
}

/// What to read of the role's policies: nothing where the simulation answered yes without reserve.
fn needed_policies(simulations: &Observation<Vec<Simulation>>) -> Option<role_policies::PolicyScope> {
    let Observation::Found(simulations) = simulations else { return Some(role_policies::PolicyScope { boundary: true }) };
    // The simulator mentions the boundary only where the role has one.
    let boundary = simulations.iter().any(|one| one.boundary_allows.is_some());
    simulations.iter().any(|one| !one.is_allowed()).then_some(role_policies::PolicyScope { boundary })
}

/// Who acts in rotation: the function in its role, or Secrets Manager in that of a partner-managed rotation.
#[derive(Clone, Copy)]
struct RotationActor<'a> {
    role: &'a RoleArn,
    function: Option<&'a FunctionFacts>,
}

/// On whose behalf the key is used.
#[derive(Clone, Copy)]
enum Via {
    SecretsManager,
    Lambda,
}

async fn simulate_secret(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: &Described,
    actor: RotationActor<'_>,
) -> Observation<Vec<Simulation>> {
    simulate(cx, caller, described, actor, Via::SecretsManager, &wanted_of_secret(described, actor)).await
}

/// What rotation needs beside the keys: actions, and the resource of each.
fn wanted_of_secret<'d>(described: &'d Described, actor: RotationActor<'_>) -> Vec<(&'static str, &'d str)> {
    let secret = described.facts.arn.arn().as_str();
    let mut wanted: Vec<(&str, &str)> = ON_SECRET.iter().map(|(action, _)| (*action, secret)).collect();
    wanted.push((RANDOM_PASSWORD.0, "*"));
    if actor.function.is_some_and(|function| function.vpc.is_some()) {
        wanted.extend(ON_NETWORK.iter().map(|(action, _)| (*action, "*")));
    }
    if let (None, Some(admin)) = (actor.function, described.config.admin_secret()) {
        wanted.extend(ON_ADMIN_SECRET.iter().map(|(action, _)| (*action, admin)));
    }
    wanted
}

/// The secret's key, and that of the function's environment, which Lambda uses in the role's name.
async fn simulate_keys(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: &Described,
    actor: RotationActor<'_>,
) -> Observation<Vec<Simulation>> {
    let environment = async {
        let key = actor.function.and_then(|function| function.kms_key_arn.as_ref())?;
        Some(simulate(cx, caller, described, actor, Via::Lambda, &[("kms:Decrypt", key.as_str())]).await)
    };
    match tokio::join!(simulate_key(cx, caller, described, actor), environment) {
        (own, None) => own,
        (Observation::Found(mut own), Some(Observation::Found(environment))) => {
            own.retain(|one| !environment.iter().any(|other| other.action == one.action && other.resource == one.resource));
            own.extend(environment);
            Observation::Found(own)
        }
        (own @ Observation::Found(_), Some(_)) => own,
        (_, Some(environment)) => environment,
    }
}

async fn simulate_key(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: &Described,
    actor: RotationActor<'_>,
) -> Observation<Vec<Simulation>> {
    let not_needed = || Observation::NotApplicable { because: "the secret uses the AWS managed key".to_owned() };
    let Some(key) = described.facts.kms_key_id.as_deref().filter(|key| !kms_key::is_default(key)) else { return not_needed() };
    let place = described.facts.arn.arn();
    let arn = if key.starts_with("arn:") && !key.contains(":alias/") {
        key.to_owned()
    } else if key.contains("alias/") {
        // Policies name keys, not aliases.
        match kms_key::facts(cx, caller, key).await {
            Observation::Found(facts) => facts.arn.to_string(),
            unanswered => return carried(unanswered),
        }
    } else {
        format!("arn:{}:kms:{}:{}:key/{key}", place.partition(), place.region(), place.account_id())
    };
    let wanted = ON_KEY.map(|(action, _)| (action, arn.as_str()));
    simulate(cx, caller, described, actor, Via::SecretsManager, &wanted).await
}

/// One simulation of every wanted action on every wanted resource; only the wanted pairs are kept.
async fn simulate(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: &Described,
    actor: RotationActor<'_>,
    via: Via,
    wanted: &[(&str, &str)],
) -> Observation<Vec<Simulation>> {
    let role = actor.role.arn().as_str();
    let actions: Vec<String> = wanted.iter().map(|(action, _)| (*action).to_owned()).collect();
    let mut resources: Vec<String> = wanted.iter().map(|(_, resource)| (*resource).to_owned()).collect();
    resources.dedup();
    let acting = actor.function.map_or(described.facts.arn.arn().as_str(), |function| function.arn.arn().as_str());
    let thing = CacheKey::Simulation(format!("{role} {acting} {actions:?} {resources:?}"));
    let ask = async {
        let mut simulations = Vec::new();
        let mut marker = None::<String>;
        for _ in 0..MAX_PAGES {
            let request = cx
                .aws
                .iam
                .simulate_principal_policy()
                .policy_source_arn(role)
                .set_action_names(Some(actions.clone()))
                .set_resource_arns(Some(resources.clone()))
                .set_context_entries(Some(circumstances(described, actor, via)))
                .max_items(1000)
                .set_marker(marker.take())
                .send();
            match caller.call("iam:SimulatePrincipalPolicy", &format!("role {}", actor.role.name()), request).await {
                Observation::Found(output) => {
                    simulations.extend(output.evaluation_results().iter().flat_map(|result| answers(result, wanted)));
                    if !output.is_truncated() {
                        break;
                    }
                    marker = output.marker;
                }
                unanswered => return carried(unanswered),
            }
        }
        if simulations.is_empty() {
            return Observation::Failed { error: "the simulation answered none of the questions".to_owned() };
        }
        Observation::Found(simulations)
    };
    cx.aws.shared().answers.get(thing, caller.fresh(), ask).await
}

/// What would be true of the function's own requests, for policies with conditions.
///
/// The policies of the official templates require `secretsmanager:resource/AllowRotationLambdaArn`.
///
/// Those of a partner-managed rotation require `secretsmanager:resource/Type`.
fn circumstances(described: &Described, actor: RotationActor<'_>, via: Via) -> Vec<ContextEntry> {
    let place = described.facts.arn.arn();
    let service = match via {
        Via::SecretsManager => "secretsmanager",
        Via::Lambda => "lambda",
    };
    let via = format!("{service}.{}.amazonaws.com", place.region());
    let secret = place.as_str().to_owned();
    let text = ContextKeyTypeEnum::String;
    let lambda = actor.function.map(|function| function.arn.arn().as_str().to_owned());
    let of_lambda = lambda.map(|lambda| ("secretsmanager:resource/AllowRotationLambdaArn", lambda, text.clone()));
    let kind = described.facts.secret_type.clone();
    let of_partner = kind.map(|kind| ("secretsmanager:resource/Type", kind, text.clone()));
    let own = [
        ("secretsmanager:SecretId", secret.clone(), text.clone()),
        ("aws:RequestedRegion", place.region().to_owned(), text.clone()),
        ("aws:PrincipalAccount", place.account_id().to_owned(), text.clone()),
        ("aws:SecureTransport", "true".to_owned(), ContextKeyTypeEnum::Boolean),
        ("kms:ViaService", via, text.clone()),
        ("kms:CallerAccount", place.account_id().to_owned(), text.clone()),
        ("kms:EncryptionContext:SecretARN", secret, text),
    ];
    (of_lambda.into_iter().chain(of_partner).chain(own))
        .map(|(key, value, kind)| {
            ContextEntry::builder().context_key_name(key).context_key_values(value).context_key_type(kind).build()
        })
        .collect()
}

fn answers(result: &EvaluationResult, wanted: &[(&str, &str)]) -> Vec<Simulation> {
    let action = result.eval_action_name();
    let is_wanted = |resource: &str| wanted.iter().any(|(a, r)| a.eq_ignore_ascii_case(action) && *r == resource);
    let organization_allows = result.organizations_decision_detail().map(|detail| detail.allowed_by_organizations());
    let answer = |resource: &str,
                  decision: &PolicyEvaluationDecisionType,
                  statements: &[Statement],
                  missing: &[String],
                  boundary| {
        is_wanted(resource).then(|| Simulation {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision: match decision {
                PolicyEvaluationDecisionType::Allowed => SimulatedDecision::Allowed,
                PolicyEvaluationDecisionType::ExplicitDeny => SimulatedDecision::ExplicitDeny,
                _ => SimulatedDecision::ImplicitDeny,
            },
            matched_policies: statements.iter().filter_map(|statement| statement.source_policy_id().map(str::to_owned)).collect(),
            missing_context: missing.to_vec(),
            boundary_allows: boundary,
            organization_allows,
        })
    };
    let boundary = result.permissions_boundary_decision_detail().map(|detail| detail.allowed_by_permissions_boundary());
    let specific = result.resource_specific_results();
    if specific.is_empty() {
        let resource = result.eval_resource_name().unwrap_or("*");
        let (statements, missing) = (result.matched_statements(), result.missing_context_values());
        return answer(resource, result.eval_decision(), statements, missing, boundary).into_iter().collect();
    }
    specific
        .iter()
        .filter_map(|one| {
            let own = one.permissions_boundary_decision_detail().map(|detail| detail.allowed_by_permissions_boundary());
            let (statements, missing) = (one.matched_statements(), one.missing_context_values());
            answer(one.eval_resource_name(), one.eval_resource_decision(), statements, missing, own.or(boundary))
        })
        .collect()
}

/// True where the simulation answered every one of the questions.
fn answers_all(facts: &RoleFacts, wanted: &[(&str, &str)]) -> bool {
    let simulations = facts.simulations.found().map(Vec::as_slice).unwrap_or_default();
    let is = |one: &Simulation, action: &str, resource: &str| one.action.eq_ignore_ascii_case(action) && one.resource == resource;
    wanted.iter().all(|(action, resource)| simulations.iter().any(|one| is(one, action, resource)))
}

/// True where the simulation answered for the secret's key and for that of the function's environment, where they have one.
fn answers_keys(facts: &RoleFacts, described: &Described, actor: RotationActor<'_>) -> bool {
    let simulations = facts.simulations.found().map(Vec::as_slice).unwrap_or_default();
    let has_own = described.facts.kms_key_id.as_deref().is_none_or(kms_key::is_default)
        || simulations.iter().any(|one| one.action.eq_ignore_ascii_case("kms:GenerateDataKey"));
    let environment = actor.function.and_then(|function| function.kms_key_arn.as_ref());
    has_own && environment.is_none_or(|key| simulations.iter().any(|one| one.resource == key.as_str()))
}

/// `is_whole` where everything that rotation needs was simulated.
fn summary(facts: &RoleFacts, is_whole: bool) -> String {
    let role: &RoleArn = &facts.role;
    match &facts.simulations {
        Observation::Found(simulations) => {
            let denied: Vec<_> = simulations
                .iter()
                .filter(|one| one.decision != SimulatedDecision::Allowed)
                .map(|one| one.action.as_str())
                .collect();
            let count = text::counted(simulations.len(), "action");
            if denied.is_empty() && is_whole {
                format!("the policies of {} allow all of the {count} that rotation needs", role.name())
            } else if denied.is_empty() {
                let were = if simulations.len() == 1 { "was" } else { "were" };
                format!("the policies of {} allow the {count} that {were} simulated; rotation needs more", role.name())
            } else {
                format!("{} may not perform {}", role.name(), denied.join(", "))
            }
        }
        other => {
            let why = other.missing().unwrap_or_default();
            let read = facts.policies.found().map_or(0, |policies| policies.identity.len());
            format!("{} was not simulated ({why}); {} read instead", role.name(), text::counted(read, "policy"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arn;
    use aws_sdk_iam::types::{PermissionsBoundaryDecisionDetail, ResourceSpecificResult};

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
    const WANTED: [(&str, &str); 2] = [("secretsmanager:PutSecretValue", SECRET), (RANDOM_PASSWORD.0, "*")];

    #[test]
    fn all_is_allowed_only_where_all_was_simulated() {
        let mut facts = RoleFacts {
            role: Arn::parse("arn:aws:iam::123456789012:role/rotator").and_then(RoleArn::try_from).unwrap(),
            simulations: Observation::Found(Vec::new()),
            policies: Observation::NotApplicable { because: "not needed".to_owned() },
            trust: Observation::NotApplicable { because: "not needed".to_owned() },
            detached: Vec::new(),
        };
        let simulated = |(action, resource): (&str, &str)| Simulation {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision: SimulatedDecision::Allowed,
            matched_policies: Vec::new(),
            missing_context: Vec::new(),
            boundary_allows: None,
            organization_allows: None,
        };
        facts.simulations = Observation::Found(WANTED[..1].iter().copied().map(simulated).collect());
        assert!(!answers_all(&facts, &WANTED));
        assert_eq!(summary(&facts, false), "the policies of rotator allow the 1 action that was simulated; rotation needs more");
        facts.simulations = Observation::Found(WANTED.into_iter().map(simulated).collect());
        assert!(answers_all(&facts, &WANTED));
        assert_eq!(summary(&facts, true), "the policies of rotator allow all of the 2 actions that rotation needs");
    }

    fn specific(resource: &str, decision: PolicyEvaluationDecisionType) -> ResourceSpecificResult {
        ResourceSpecificResult::builder().eval_resource_name(resource).eval_resource_decision(decision).build().unwrap()
    }

    #[test]
    fn of_all_pairs_only_the_wanted_ones_are_kept_in_either_form_of_the_answer() {
        let nested = EvaluationResult::builder()
            .eval_action_name("secretsmanager:PutSecretValue")
            .eval_decision(PolicyEvaluationDecisionType::ImplicitDeny)
            .resource_specific_results(specific(SECRET, PolicyEvaluationDecisionType::ExplicitDeny))
            .resource_specific_results(specific("*", PolicyEvaluationDecisionType::Allowed))
            .permissions_boundary_decision_detail(
                PermissionsBoundaryDecisionDetail::builder().allowed_by_permissions_boundary(false).build(),
            )
            .build()
            .unwrap();
        let seen = answers(&nested, &WANTED);
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].decision, seen[0].boundary_allows), (SimulatedDecision::ExplicitDeny, Some(false)));

        let flat = |resource: &str| {
            EvaluationResult::builder()
                .eval_action_name(RANDOM_PASSWORD.0)
                .eval_resource_name(resource)
                .eval_decision(PolicyEvaluationDecisionType::Allowed)
                .build()
                .unwrap()
        };
        assert_eq!(answers(&flat("*"), &WANTED).len(), 1);
        assert_eq!(answers(&flat(SECRET), &WANTED), []);
    }
}
