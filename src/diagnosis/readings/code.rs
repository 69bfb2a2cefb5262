//! What the function's code shows, as faults: each with the cause it leads to, and with what would speak against it.

use super::by_log::{not_said, said};
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::{DiagnosisContext, Rule, Verdict};
use crate::model::{
    AttemptOutcome, Cause, CodeSource, Confidence, Evidence, Finding, FunctionCode, FunctionFacts, HandlerPart, InvocationStatus,
    MissingReason, Observation, Proof, Remediation, RotationStep, Severity, StepBody, StepName,
};
use jiff::Timestamp;

/// A fault of the code.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeFault {
    pub cause: Cause,
    /// How sure it is that it stops a rotation.
    pub confidence: Confidence,
    /// One sentence about the function's code.
    pub text: String,
    /// The module, variable or function it is about, as a log line would name it.
    name: Option<String>,
    call: &'static str,
}

impl CodeFault {
    /// The fault as evidence.
    pub(in crate::diagnosis) fn proof(&self) -> Proof {
        Proof { step: StepName::RotationFunction, call: self.call.to_owned(), at: None, text: self.text.clone() }
    }
}

/// The faults of `code`, of a function that is configured as `function` says.
#[must_use]
pub fn faults(code: &FunctionCode, function: Option<&FunctionFacts>) -> Vec<CodeFault> {
    let call = code.source.call();
    let fault = |cause, confidence, name: Option<&str>, text: String| CodeFault {
        cause,
        confidence,
        text,
        name: name.map(str::to_owned),
        call,
    };
    let mut faults = Vec::new();
    if let Some(file) = code.handler_file.missing() {
        let text = format!("the package has no {file}, where the handler should be");
        faults.push(fault(Cause::CodeSyntaxOrHandlerError, Confidence::Confirmed, None, text));
    } else if let Some(name) = code.handler_function.missing() {
        let text = format!("the handler's file defines no {name}");
        faults.push(fault(Cause::CodeSyntaxOrHandlerError, Confidence::Likely, Some(name), text));
    }
    for place in &code.syntax_errors {
        let text = format!("{place}, does not parse");
        faults.push(fault(Cause::CodeSyntaxOrHandlerError, Confidence::Likely, None, text));
    }
    for module in &code.missing_modules {
        let why = match module.because {
            Some(MissingReason::LeftTheLibrary) => ", which this Python has no more",
            Some(MissingReason::LeftTheRuntime) => ", which Lambda's runtime brings no more",
            Some(MissingReason::BuiltForAnother) => ", whose compiled file is for another interpreter or processor",
            None => ", which neither the package nor a layer has",
        };
        let text = format!("{} imports {}{why}", module.place, module.name);
        let confidence = if module.at_load { Confidence::Likely } else { Confidence::Possible };
        faults.push(fault(Cause::CodeImportError, confidence, Some(&module.name), text));
    }
    for misfit in &code.misfits {
        let text = format!("{} is built for {}, and the function is {}", misfit.file, misfit.built_for, misfit.runs_on);
        let confidence = if misfit.is_loaded { Confidence::Likely } else { Confidence::Possible };
        let file = misfit.file.rsplit('/').next().unwrap_or(&misfit.file);
        let name = file.split('.').next().filter(|name| !name.is_empty());
        faults.push(fault(Cause::CodeImportError, confidence, name, text));
    }
    for step in &code.steps {
        let at = step.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let makes_or_ends = matches!(step.step, RotationStep::CreateSecret | RotationStep::FinishSecret);
        let says = match step.does {
            StepBody::OnlyRaises => format!("the code of {} only raises an error{at}", step.step),
            StepBody::OnlyPasses if makes_or_ends => format!("the code of {} does nothing{at}", step.step),
            StepBody::Absent if makes_or_ends => format!("no code is there for {}", step.step),
            _ => continue,
        };
        faults.push(fault(Cause::CodeNotImplemented, Confidence::Likely, None, says));
    }
    if let Some(function) = function.filter(|function| function.environment_error.is_none()) {
        for name in code.required_environment.iter().filter(|name| !function.environment_names.contains(name)) {
            let text = format!("the code reads {name} from its environment, which does not set it");
            faults.push(fault(Cause::CodeMissingEnv, Confidence::Likely, Some(name), text));
        }
    }
    for defect in code.template.iter().flat_map(|template| &template.defects) {
        let engine = code.template.as_ref().map(|template| template.engine.as_str()).unwrap_or_default();
        let text = format!("the code is of the {engine} template from before {}: {}", defect.mended(), defect.tells());
        faults.push(fault(Cause::TemplateBug, Confidence::Possible, None, text));
    }
    if let Some((timeout_s, waits_ms)) = function.and_then(|function| function.timeout_s).zip(code.connect_timeout_ms)
        && u64::from(timeout_s) * 1_000 <= waits_ms
    {
        let text = format!(
            "the code waits up to {} s for a connection, and the function's timeout is {timeout_s} s",
            waits_ms.div_ceil(1_000)
        );
        faults.push(fault(Cause::LambdaTimeoutTooShort, Confidence::Possible, None, text));
    }
    faults
}

/// What of the code rotations since its last change do not speak against.
pub(in crate::diagnosis) fn not_refuted(evidence: &Evidence) -> Observation<FunctionCode> {
    evidence.function_code.clone().map(|code| {
        let changed = evidence.function.found().and_then(|function| function.last_modified_at);
        // A package that is not deployed has not run.
        match changed.filter(|_| code.source == CodeSource::Deployed).map(|changed| passed_since(evidence, changed)) {
            None | Some(Passed::Nothing) => code,
            Some(passed) => without_refuted(code, passed),
        }
    })
}

fn without_refuted(mut code: FunctionCode, passed: Passed) -> FunctionCode {
    for part in [&mut code.handler_file, &mut code.handler_function] {
        if part.missing().is_some() {
            *part = HandlerPart::Untold;
        }
    }
    code.syntax_errors.clear();
    code.missing_modules.retain(|module| !module.at_load);
    code.misfits.retain(|misfit| !misfit.is_loaded);
    if passed != Passed::Before(RotationStep::CreateSecret) {
        code.required_environment.clear();
    }
    for step in &mut code.steps {
        let is_passed = match passed {
            Passed::Nothing => false,
            Passed::Before(failed) => step.step < failed,
            Passed::Everything => true,
        };
        if is_passed {
            step.does = StepBody::Works;
        }
    }
    code
}

/// How far rotations came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    Nothing,
    /// All steps before this one.
    Before(RotationStep),
    Everything,
}

/// How far rotations came with the code as it is since `changed`.
fn passed_since(evidence: &Evidence, changed: Timestamp) -> Passed {
    let attempts = evidence.history.found().map(|history| history.attempts.as_slice()).unwrap_or_default();
    let since = attempts.iter().filter(|attempt| attempt.started_at.or(attempt.ended_at).is_some_and(|at| at > changed));
    let mut furthest = Passed::Nothing;
    for attempt in since {
        match (attempt.outcome, attempt.step) {
            (AttemptOutcome::Succeeded, _) => return Passed::Everything,
            // A first step that failed may have failed to load.
            (_, Some(step)) if step > RotationStep::CreateSecret => {
                let is_further = !matches!(furthest, Passed::Before(known) if known >= step);
                furthest = if is_further { Passed::Before(step) } else { furthest };
            }
            _ => {}
        }
    }
    let runs = evidence.logs.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default();
    let loaded = runs.iter().any(|run| run.started_at > changed && run.status == InvocationStatus::Succeeded);
    if furthest == Passed::Nothing && loaded { Passed::Before(RotationStep::CreateSecret) } else { furthest }
}

/// Adds what the code shows to a finding that rests on the line `seen`: agreement confirms it; a package that was deployed
/// after the failure and has no such fault may have mended it.
pub(in crate::diagnosis) fn beside(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, cause: Cause, finding: &mut Finding) {
    let Some(code) = context.evidence.function_code.found() else { return };
    let line = seen.read.event.text.as_str();
    let all = faults(code, context.function());
    let names_it = |fault: &&CodeFault| fault.cause == cause && fault.name.as_deref().is_none_or(|name| mentions(line, name));
    if let Some(fault) = all.iter().find(names_it) {
        if seen.is_latest {
            finding.confidence = Confidence::Confirmed;
        }
        finding.evidence.push(fault.proof());
        return;
    }
    let deployed_later = code.source == CodeSource::Deployed
        && context.function().and_then(|function| function.last_modified_at).is_some_and(|at| at > seen.read.event.at);
    let decides = matches!(cause, Cause::CodeImportError | Cause::CodeSyntaxOrHandlerError | Cause::CodeNotImplemented);
    if decides && deployed_later && code.unread.is_empty() && !all.iter().any(|fault| fault.cause == cause) {
        finding.confidence = finding.confidence.min(Confidence::Likely);
        finding.explanation.push_str(" The package that was deployed since shows no such fault: it may have been fixed since.");
    }
}

/// True where the line has the name as a word; of a dotted one, its first part is enough.
fn mentions(line: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let first = name.split('.').next().unwrap_or(name);
    let has = |word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    };
    has(name) || has(first)
}

/// The faults that lead to `cause`, and that no rotation speaks against.
pub(in crate::diagnosis) fn of(context: &DiagnosisContext<'_>, cause: Cause) -> Vec<CodeFault> {
    let code = not_refuted(context.evidence);
    let all = code.found().map(|code| faults(code, context.function())).unwrap_or_default();
    all.into_iter().filter(|fault| fault.cause == cause).collect()
}

/// The verdict on a cause that a log line names and that the code shows too; `tell` gives what the line means, `remedy` what
/// to do where only the code shows it.
pub(in crate::diagnosis) fn by_log_or_code(
    context: &DiagnosisContext<'_>,
    rule: &Rule,
    tell: impl FnOnce(&LogMatch<'_, '_>) -> (String, Remediation),
    remedy: impl FnOnce() -> Remediation,
) -> Verdict {
    let Some(seen) = context.seen(rule.cause) else {
        return ahead(context, rule.cause, remedy).map_or_else(|| not_said(context, rule), Verdict::from);
    };
    let (explanation, remediation) = tell(&seen);
    let mut finding = said(context, rule.cause, &seen, explanation, remediation);
    beside(context, &seen, rule.cause, &mut finding);
    finding.into()
}

/// The finding that rests on the code alone, where no failing invocation says anything else.
pub(in crate::diagnosis) fn ahead(
    context: &DiagnosisContext<'_>,
    cause: Cause,
    remediation: impl FnOnce() -> Remediation,
) -> Option<Finding> {
    let is_off = context.config().is_some_and(|config| config.enabled == Some(false));
    if !context.failures.is_empty() || !context.rotates_by_function() || is_off {
        return None;
    }
    let faults = of(context, cause);
    let strongest = faults.iter().max_by_key(|fault| fault.confidence)?;
    let mut explanation = format!("{}.", sentence(&strongest.text));
    if strongest.confidence == Confidence::Possible {
        explanation.push_str(" Nothing shows that it stopped a rotation.");
    }
    let proofs = faults.iter().take(5).map(CodeFault::proof).collect();
    let mut finding = context.finding(cause, strongest.confidence, explanation, proofs, remediation());
    if strongest.confidence == Confidence::Possible {
        finding.severity = Severity::Info;
    }
    Some(finding)
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // Not a file's name.
        Some(first) if text.starts_with("the ") || text.starts_with("no ") => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{attempt, deny, facts, fail, fail_unseen, finding, healthy, hours_ago};
    use crate::model::{CompiledMisfit, MissingModule, Outcome, StepCode, TemplateDefect, TemplateMark};

    fn code() -> FunctionCode {
        FunctionCode {
            source: CodeSource::Deployed,
            handler_file: HandlerPart::Found("lambda_function.py".to_owned()),
            handler_function: HandlerPart::Found("lambda_handler".to_owned()),
            syntax_errors: Vec::new(),
            steps: RotationStep::ALL.map(|step| StepCode { step, does: StepBody::Works, place: None }).to_vec(),
            template: None,
            missing_modules: Vec::new(),
            misfits: Vec::new(),
            required_environment: vec!["SECRETS_MANAGER_ENDPOINT".to_owned()],
            connect_timeout_ms: Some(5_000),
            unread: Vec::new(),
        }
    }

    fn place() -> crate::model::CodePlace {
        crate::model::CodePlace { file: "lambda_function.py".to_owned(), line: 3 }
    }

    fn lacks(module: &str) -> FunctionCode {
        let missing = MissingModule { name: module.to_owned(), place: place(), at_load: true, because: None };
        FunctionCode { missing_modules: vec![missing], ..code() }
    }

    /// The healthy world with this code, deployed so many hours ago.
    fn world(code: FunctionCode, hours: i64) -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.function).last_modified_at = Some(hours_ago(hours));
        evidence.function_code = Observation::Found(code);
        evidence
    }

    const LINE: &str = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'psycopg2'";

    #[test]
    fn code_without_a_fault_changes_nothing() {
        let diagnosis = diagnose(&world(code(), 5));
        assert_eq!((diagnosis.outcome, diagnosis.findings.len()), (Outcome::Healthy, 0), "{:?}", diagnosis.findings);
        assert!(diagnosis.forecast.obstacles.is_empty());
    }

    #[test]
    fn a_fault_since_the_last_success_is_foretold_and_one_that_a_success_went_through_is_not() {
        let step = |does| {
            let steps = RotationStep::ALL.map(|step| StepCode {
                step,
                does: if step == RotationStep::SetSecret { does } else { StepBody::Works },
                place: None,
            });
            FunctionCode { steps: steps.to_vec(), ..code() }
        };
        let misfit = CompiledMisfit {
            file: "_pg.so".into(),
            built_for: "arm64".into(),
            runs_on: "python3.13 on x86_64".into(),
            is_loaded: true,
        };
        for (fault, cause) in [
            (lacks("psycopg2"), Cause::CodeImportError),
            (FunctionCode { misfits: vec![misfit], ..code() }, Cause::CodeImportError),
            (FunctionCode { handler_file: HandlerPart::Missing("a.py".into()), ..code() }, Cause::CodeSyntaxOrHandlerError),
            (FunctionCode { handler_function: HandlerPart::Missing("f".into()), ..code() }, Cause::CodeSyntaxOrHandlerError),
            (FunctionCode { syntax_errors: vec![place()], ..code() }, Cause::CodeSyntaxOrHandlerError),
            (FunctionCode { required_environment: vec!["TABLE".into()], ..code() }, Cause::CodeMissingEnv),
            (step(StepBody::OnlyRaises), Cause::CodeNotImplemented),
        ] {
            let diagnosis = diagnose(&world(fault.clone(), 5));
            assert!(diagnosis.forecast.obstacles.iter().any(|obstacle| obstacle.cause == cause), "{cause}");
            assert_eq!(diagnosis.findings.first().map(|found| found.cause), Some(cause));
            // The last success is 240 hours back.
            let diagnosis = diagnose(&world(fault.clone(), 300));
            assert_eq!((diagnosis.outcome, diagnosis.forecast.obstacles.len()), (Outcome::Healthy, 0), "{cause}");
            // What is not deployed has not run.
            let local = FunctionCode { source: CodeSource::LocalFile, ..fault };
            assert!(!diagnose(&world(local, 300)).forecast.obstacles.is_empty(), "{cause}");
        }
        // A step that may do nothing.
        assert_eq!(diagnose(&world(step(StepBody::OnlyPasses), 5)).outcome, Outcome::Healthy);
    }

    #[test]
    fn a_rotation_that_failed_later_shows_that_the_code_loads() {
        let mut evidence = world(lacks("psycopg2"), 5);
        deny(&mut evidence, StepName::FunctionLogs);
        fail_unseen(&mut evidence, Some(RotationStep::TestSecret));
        let obstacles = diagnose(&evidence).forecast.obstacles;
        assert!(obstacles.iter().all(|obstacle| obstacle.cause != Cause::CodeImportError), "{obstacles:?}");
    }

    #[test]
    fn the_log_and_the_code_confirm_each_other_where_they_name_the_same() {
        let failing = |code| {
            let mut evidence = world(code, 5);
            fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
            deny(&mut evidence, StepName::RotationHistory);
            finding(Cause::CodeImportError, &evidence)
        };
        let alone = failing(code());
        let other = failing(lacks("requests"));
        let agreed = failing(lacks("psycopg2.extras"));
        assert_eq!(
            [alone.confidence, other.confidence, agreed.confidence],
            [Confidence::Likely, Confidence::Likely, Confidence::Confirmed]
        );
        assert!(agreed.evidence.iter().any(|proof| proof.call == "lambda:GetFunction" && proof.text.contains("psycopg2.extras")));
    }

    #[test]
    fn a_package_that_was_deployed_since_and_has_no_such_fault_may_have_mended_it() {
        let mut evidence = world(code(), 0);
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        let found = finding(Cause::CodeImportError, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("may have been fixed since"), "{}", found.explanation);
        let mut unread = code();
        unread.unread.push("layer 1: permission lambda:GetLayerVersion".to_owned());
        evidence.function_code = Observation::Found(unread);
        assert_eq!(finding(Cause::CodeImportError, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn a_fault_of_a_template_is_a_remark_until_it_bites() {
        let template = TemplateMark {
            engine: "Oracle".to_owned(),
            is_multi_user: true,
            not_before: None,
            before: Some("2024-03".to_owned()),
            defects: vec![TemplateDefect::OracleGrantsInOne],
        };
        let mut evidence = world(FunctionCode { template: Some(template), ..code() }, 300);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Healthy);
        let remark = diagnosis.findings.first().unwrap();
        assert_eq!((remark.cause, remark.severity), (Cause::TemplateBug, Severity::Info));
        assert!(diagnosis.forecast.unknown.iter().any(|doubt| doubt.contains("ORA-00933")), "{:?}", diagnosis.forecast.unknown);
        fail(&mut evidence, RotationStep::SetSecret, &["[ERROR] DatabaseError: ORA-00933: SQL command not properly ended"]);
        deny(&mut evidence, StepName::RotationHistory);
        assert_eq!(finding(Cause::TemplateBug, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn the_plan_deploys_other_code_and_then_knows_no_more_of_it() {
        let plan = diagnose(&world(lacks("psycopg2"), 5)).plan;
        assert!(plan.steps.iter().any(|step| step.command.contains("update-function-code")), "{plan:?}");
        assert!(plan.remaining.is_empty());
        assert_eq!(plan.heals, None);
    }

    #[test]
    fn how_far_rotations_came_is_read_from_their_ends() {
        let mut evidence = healthy();
        let changed = hours_ago(100);
        assert_eq!(passed_since(&evidence, changed), Passed::Nothing);
        let ended = |step, hours| crate::model::Attempt { step, ..attempt(hours_ago(hours), AttemptOutcome::Failed) };
        facts(&mut evidence.history).attempts.push(ended(Some(RotationStep::CreateSecret), 50));
        assert_eq!(passed_since(&evidence, changed), Passed::Nothing);
        facts(&mut evidence.history).attempts.push(ended(Some(RotationStep::TestSecret), 40));
        facts(&mut evidence.history).attempts.push(ended(Some(RotationStep::SetSecret), 30));
        assert_eq!(passed_since(&evidence, changed), Passed::Before(RotationStep::TestSecret));
        assert_eq!(passed_since(&evidence, hours_ago(300)), Passed::Everything);
    }

    #[test]
    fn a_name_is_found_as_a_word() {
        assert!(mentions("No module named 'psycopg2'", "psycopg2") && mentions("No module named 'psycopg2'", "psycopg2.extras"));
        assert!(!mentions("No module named 'psycopg2'", "psycopg") && !mentions("No module named '_pg'", "pg"));
    }
}
