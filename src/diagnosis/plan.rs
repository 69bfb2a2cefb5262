//! The proven fix: the remedies of what stands in the way, as one list of commands in an order in which each works.
//!
//! A remedy is applied to the evidence before it is printed, and the next rotation is foretold again: what still stands in the
//! way then is either the next thing to mend, or what no command here mends.

mod apply;
mod command;
mod effect;
mod network;
mod undo;

use super::DiagnosisContext;
use super::aws_policies::is_of_aws;
use super::forecast::{self, Foreseen, Outlook, outlook, without_failures};
use super::iam::{Caller, Context, Decision, Policy, Request, evaluate_identity};
use super::signatures::{AccessDenied, RefusingLayer};
use super::{lost_policies, managed, readings, refusal, remedy};
use crate::model::{
    Cause, Change, Confidence, Diagnosis, Evidence, Finding, Obstacle, Outcome, Plan, PlanStep, PolicyDocument, Severity,
    StepName,
};
use command::AwsCommand;
use effect::CommandEffect;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// What a person needs whose rotation invokes a function.
const INVOKE: &str = "lambda:InvokeFunction";

/// How many remedies one plan may hold; no fault needs more than a few.
const MAX_REMEDIES: usize = 24;

/// A command with when it is due.
struct Move {
    phase: u8,
    step: PlanStep,
}

/// A plan in the making.
struct Draft {
    /// The evidence as it would be after the commands so far.
    world: Evidence,
    /// What stands in the way then.
    outlook: Outlook,
    moves: Vec<Move>,
    /// The command that rotates, where a remedy asked for one.
    rotation: Option<PlanStep>,
    /// A policy that was detached, and what it must have allowed, as rotation worked until then.
    detached: Option<(String, Value)>,
    doubts: Vec<String>,
    /// What could be lost by the remedies that were added.
    warnings: Vec<String>,
    /// What no command mends.
    remaining: Vec<Obstacle>,
}

/// The plan against what the diagnosis found, and against whatever else stands in the way of the next rotation.
pub(super) fn make(context: &DiagnosisContext<'_>, diagnosis: &Diagnosis) -> Plan {
    let leading =
        diagnosis.findings.first().filter(|first| first.severity > Severity::Info && diagnosis.outcome != Outcome::Healthy);
    let world = without_failures(context.evidence);
    let mut draft = Draft {
        outlook: outlook(&world),
        world,
        moves: Vec::new(),
        rotation: None,
        detached: detached(context, leading),
        doubts: Vec::new(),
        warnings: Vec::new(),
        remaining: Vec::new(),
    };
    let mut proven = true;
    if let Some(finding) = leading {
        proven = draft.mend_leading(finding);
    }
    for _ in 0..MAX_REMEDIES {
        let blocks = |foreseen: &Foreseen| {
            foreseen.obstacle.confidence > Confidence::Possible
                && !draft.remaining.iter().any(|one| is_same(one, &foreseen.obstacle))
        };
        let Some(next) = draft.outlook.foreseen.iter().find(|foreseen| blocks(foreseen)).cloned() else { break };
        draft.mend(next);
    }
    draft.finish(context, leading, proven)
}

/// True where every call that the log shows as refused would be allowed by the role's policies, as they are in `world`.
///
/// The forecast asks about what every rotation does; what this function does beside it, only its log tells.
fn allows_what_was_refused(context: &DiagnosisContext<'_>, cause: Cause, world: &Evidence) -> bool {
    let refused = refusal::refused(context, cause);
    let Some(role) = world.role.found() else { return false };
    let Some(policies) = role.policies.found().filter(|policies| policies.complete) else { return false };
    let parsed = |documents: &[&PolicyDocument]| -> Option<Vec<Policy>> {
        documents.iter().map(|one| Policy::from_value(&one.name, &one.document).ok()).collect()
    };
    let identity: Vec<&PolicyDocument> = policies.identity.iter().collect();
    let (Some(identity), Ok(caller)) = (parsed(&identity), Caller::role(role.role.arn().as_str(), None)) else { return false };
    let boundary = match &policies.boundary {
        None => None,
        Some(document) => match parsed(&[document]) {
            Some(boundary) => Some(boundary),
            None => return false,
        },
    };
    !refused.is_empty()
        && refused.iter().all(|denied| {
            let resource = denied.resource.as_deref().unwrap_or("*");
            let request = Request::new(caller.clone(), &denied.action, resource, Context::new());
            let allows = |policies: &[Policy]| matches!(evaluate_identity(policies.iter(), &request), Decision::Allowed { .. });
            let is_shown =
                matches!(denied.layer, RefusingLayer::IdentityPolicy | RefusingLayer::Boundary | RefusingLayer::Unknown);
            is_shown && allows(&identity) && boundary.as_deref().is_none_or(allows)
        })
}

/// The policy whose detachment alone can have broken rotation, with what the role lacks without it: with it, rotation worked.
fn detached(context: &DiagnosisContext<'_>, leading: Option<&Finding>) -> Option<(String, Value)> {
    // What a policy is known to allow is known by itself, and is no more than that.
    let is_unknown = |arn: &str| !is_of_aws(arn) && lost_policies::document_of(context.evidence, arn).is_none();
    let policy = lost_policies::only_loss(context).filter(|policy| policy.is_sure && is_unknown(policy.arn))?;
    let lacking = lost_policies::lacking(context, leading);
    let is_needed_always = |denied: &AccessDenied| {
        let on = |resource: &str| denied.resource.as_deref().is_none_or(|named| resource == "*" || resource.starts_with(named));
        context.standings().iter().any(|(need, _)| need.action.eq_ignore_ascii_case(&denied.action) && on(&need.resource))
    };
    if !lacking.iter().all(is_needed_always) && may_call_more(context) {
        return None;
    }
    Some((policy.arn.to_owned(), refusal::allowing(context, &lacking)))
}

/// True where the function may call what it did not call when rotation last worked: its code or the secret's value was changed.
fn may_call_more(context: &DiagnosisContext<'_>) -> bool {
    const CHANGES: [&str; 5] =
        ["UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishLayerVersion", "PutSecretValue", "UpdateSecret"];
    let changes = context.evidence.changes.found().map(|found| found.changes.as_slice()).unwrap_or_default();
    let since = |change: &&Change| context.last_success_at.is_none_or(|success| change.at > success);
    changes.iter().filter(since).any(|change| CHANGES.contains(&change.event.as_str()))
}

/// Causes that may be over by the time somebody reads of them.
const MAY_PASS: &[Cause] = &[
    Cause::TargetServiceError,
    Cause::TargetServiceLimit,
    Cause::TargetServiceAsyncPropagation,
    Cause::DbNetworkUnreachable,
    Cause::AwsEndpointUnreachable,
    Cause::LambdaThrottledConcurrency,
    Cause::ExternalPartnerUnreachable,
    Cause::UnknownFailure,
];

/// Why nobody can say before the next rotation whether the plan helps against what only the log tells of.
fn why_open(finding: &Finding, changes: bool) -> &'static str {
    let shows = |step: StepName| finding.evidence.iter().any(|proof| proof.step == step);
    match finding.cause {
        Cause::OperatorPermissionMissing => "whether the caller has the permission now",
        Cause::ScheduleWrongOrOverdue => "whether rotation starts now",
        // A label does not go by itself, and what is removed with it is not known to be a fault.
        Cause::StuckAwspending if changes => "whether it goes through without the label",
        _ if !forecast::will_repeat(finding) || !changes && MAY_PASS.contains(&finding.cause) => {
            "whether the fault is over: it may have passed by itself"
        }
        _ if shows(StepName::FunctionLogs) && !StepName::ALL.into_iter().any(|step| shows(step) && is_of_state(step)) => {
            "whether that was all, because nothing but the function's log shows the fault"
        }
        _ => "whether this is enough",
    }
}

/// True for a step that shows how something is, and not what happened.
fn is_of_state(step: StepName) -> bool {
    !matches!(step, StepName::FunctionLogs | StepName::RotationHistory | StepName::FunctionMetrics | StepName::ConfigChanges)
}

/// What is left where the commands only show things, if that, and rotate, which helps only then.
fn by_hand(finding: &Finding, shown: bool, is_retried: bool) -> Obstacle {
    let look = if shown { "; the commands show where to look." } else { "." };
    let retry = if is_retried { " Rotate after that." } else { "" };
    Obstacle {
        cause: finding.cause,
        confidence: finding.confidence,
        at: None,
        text: format!("what has to change is elsewhere, as described above{look}{retry}"),
        proof: finding.evidence.first().cloned(),
        author: None,
    }
}

/// True for a command that prepares a change and is of no use without it.
fn leaves_a_file(command: &str) -> bool {
    command.contains(" > ") || command.starts_with("curl ")
}

/// The IAM actions that a command takes, and those of a command within it, each once.
fn needs_of(text: &str) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    for action in [AwsCommand::parse(text), AwsCommand::substituted(text)].iter().flatten().flat_map(AwsCommand::needs) {
        if !needs.contains(&action) {
            needs.push(action);
        }
    }
    needs
}

fn is_same(one: &Obstacle, other: &Obstacle) -> bool {
    one.cause == other.cause && one.text == other.text
}

impl Draft {
    /// Begins with what failed; false where only the next rotation can show whether its remedy helps.
    fn mend_leading(&mut self, finding: &Finding) -> bool {
        let present = self.outlook.foreseen.iter().find(|foreseen| foreseen.obstacle.cause == finding.cause).cloned();
        if let Some(foreseen) = present.filter(|foreseen| foreseen.obstacle.confidence > Confidence::Possible) {
            // Where no command mends what failed, those that show it are still of use.
            let looks = self.mend(foreseen);
            self.moves.extend(looks);
            return true;
        }
        let was_possible = self.outlook.is_possible(finding.cause);
        let (moves, rotation) = self.moves_of(finding.cause, &finding.remediation.commands);
        self.rotation = self.rotation.take().or(rotation);
        if !forecast::is_perhaps_mended(finding) {
            self.moves.extend(moves);
        }
        self.outlook = outlook(&self.world);
        // What is possible by its configuration alone, and confirmed by the log, is mended where it is not even possible any more.
        let is_gone = !self.outlook.is_possible(finding.cause)
            && !self.outlook.foreseen.iter().any(|foreseen| foreseen.obstacle.cause == finding.cause);
        was_possible && is_gone && finding.confidence == Confidence::Confirmed && !forecast::is_perhaps_mended(finding)
    }

    /// Adds the remedy where it takes the obstacle away; sets the obstacle aside where it does not, and returns what only shows it.
    fn mend(&mut self, foreseen: Foreseen) -> Vec<Move> {
        let Foreseen { obstacle, remediation } = foreseen;
        let (before, doubts) = (self.world.clone(), self.doubts.len());
        let (moves, rotation) = self.moves_of(obstacle.cause, &remediation.commands);
        let changes = moves.iter().any(|one| !one.step.is_read_only);
        let after = outlook(&self.world);
        let stays = after.foreseen.iter().any(|next| is_same(&next.obstacle, &obstacle));
        if changes && !stays {
            self.outlook = after;
            self.moves.extend(moves);
            self.rotation = self.rotation.take().or(rotation);
            self.warnings.extend(remediation.warning);
            return Vec::new();
        }
        self.world = before;
        self.doubts.truncate(doubts);
        self.remaining.push(obstacle);
        moves.into_iter().filter(|one| one.step.is_read_only && !leaves_a_file(&one.step.command)).collect()
    }

    /// The commands with their effects, each applied to the evidence; one that only rotates is held back for the end.
    fn moves_of(&mut self, cause: Cause, commands: &[String]) -> (Vec<Move>, Option<PlanStep>) {
        let mut moves: Vec<Move> = Vec::new();
        let mut rotation = None;
        // A partner's system and another service rotate without a function.
        let is_partners = self.world.rotation_config.found().is_some_and(|config| config.external_role_arn.is_some());
        let is_managed = self.world.secret.found().is_some_and(|secret| secret.owning_service.is_some());
        let invokes = !is_partners && !is_managed;
        for text in commands {
            let effect = CommandEffect::of(text, &self.world);
            let undo = undo::undo(text, &effect, &self.world);
            let step = PlanStep {
                command: text.clone(),
                cause,
                effect: effect.describe(text),
                is_read_only: effect == CommandEffect::Reads,
                undo_danger: undo.as_ref().filter(|undo| !command::is_nothing(undo)).and_then(|_| undo::danger(&effect)),
                undo,
                needs: needs_of(text).into_iter().filter(|action| invokes || action != INVOKE).collect(),
            };
            if matches!(effect, CommandEffect::Rotates { turns_on: false, function: None, schedule: None, .. }) {
                rotation = Some(step);
                continue;
            }
            let doubt = match (&effect, &self.detached) {
                (CommandEffect::Attachment { role, arn, attaches: true }, Some((known, document))) if arn == known => {
                    apply::attach(&mut self.world, role, arn, document.clone())
                }
                _ => apply::apply(&effect, &mut self.world),
            };
            if let Some(doubt) = doubt
                && !self.doubts.contains(&doubt)
            {
                self.doubts.push(doubt);
            }
            // Whoever is let in by a key is let in before, or beside, whatever else is changed for them.
            let lets_in = effect == CommandEffect::Elsewhere && text.contains(" put-key-policy ");
            let phase = if lets_in { CommandEffect::SecretKey { key: None }.phase() } else { effect.phase() };
            moves.push(Move { phase, step });
        }
        // A look stays before the command it is for.
        let mut phase = None;
        for one in moves.iter_mut().rev() {
            match one.step.is_read_only {
                true => one.phase = phase.unwrap_or(one.phase),
                false => phase = Some(one.phase),
            }
        }
        (moves, rotation)
    }

    fn finish(mut self, context: &DiagnosisContext<'_>, leading: Option<&Finding>, proven: bool) -> Plan {
        let rotates_now = leading.is_some();
        let proven = proven || leading.is_some_and(|finding| allows_what_was_refused(context, finding.cause, &self.world));
        let is_needed = rotates_now || !self.moves.is_empty() || !self.remaining.is_empty();
        self.moves.sort_by_key(|one| one.phase);
        let mut steps: Vec<PlanStep> = Vec::new();
        for one in std::mem::take(&mut self.moves) {
            if !steps.iter().any(|step| step.command == one.step.command) {
                steps.push(one.step);
            }
        }
        let rotates =
            |step: &PlanStep| step.command.contains(" rotate-secret ") && !step.command.contains("--no-rotate-immediately");
        let changes = steps.iter().any(|step| !step.is_read_only);
        // RotateSecret refuses what another service manages: its own command stands among the steps.
        if changes && context.is_unwell() && self.rotation.is_none() && managed::owner(context).is_none() {
            let cause = steps.last().map_or(Cause::UnknownFailure, |step| step.cause);
            self.rotation = self.moves_of(cause, &[remedy::rotate_now(context)]).1;
        }
        // A rotation that something is known to stop is not asked for, nor one that the schedule brings anyway.
        if rotates_now && self.remaining.is_empty() && !steps.iter().any(rotates) {
            steps.extend(self.rotation);
        }
        let unseen = self.outlook.unseen;
        // Where nothing is changed, nothing is mended; what passes by itself needs no change.
        if let Some(finding) = leading.filter(|finding| {
            !changes && self.remaining.is_empty() && forecast::will_repeat(finding) && !MAY_PASS.contains(&finding.cause)
        }) {
            let retry = steps.iter_mut().find(|step| rotates(step));
            let is_retried = retry.is_some();
            if let Some(retry) = retry {
                retry.effect = format!("after that, {}", retry.effect);
            }
            self.remaining.push(by_hand(finding, steps.iter().any(|step| step.is_read_only), is_retried));
        }
        // What opens the way to an endpoint opens none to the database.
        if changes && leading.is_some_and(|finding| finding.cause == Cause::AwsEndpointUnreachable) {
            self.doubts.extend(readings::network::doubts_of_database(context));
        }
        let heals = match (is_needed, self.remaining.is_empty()) {
            (false, _) => None,
            (true, false) => Some(false),
            (true, true) => (proven && changes && self.doubts.is_empty() && unseen.is_empty()).then_some(true),
        };
        if is_needed && self.doubts.is_empty() {
            // A question stands for itself.
            let is_question = |one: &String| self.outlook.questions.contains(one);
            let (questions, unseen): (Vec<String>, Vec<String>) = unseen.into_iter().partition(is_question);
            self.doubts.extend(questions);
            self.doubts.extend(
                (!unseen.is_empty())
                    .then(|| format!("whether something that was not seen stands in the way ({})", unseen.join("; "))),
            );
        }
        if let Some(finding) = leading.filter(|_| heals.is_none() && self.doubts.is_empty()) {
            self.doubts.push(why_open(finding, changes).to_owned());
        }
        let own = leading.and_then(|finding| finding.remediation.warning.as_deref()).unwrap_or_default();
        let mut warnings: Vec<String> = Vec::new();
        for warning in self.warnings {
            if !own.contains(&warning) && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        Plan { steps, heals, remaining: self.remaining, doubts: self.doubts, warnings }
    }
}
