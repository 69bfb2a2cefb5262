//! What the function's code shows, fact by fact.

use super::Fact;
use crate::model::{
    CompiledMisfit, FunctionCode, HandlerPart, MissingModule, MissingReason, NOT_ASKED_FOR, Observation, StepBody, TemplateMark,
};

/// The facts of a function's code, the most telling first.
#[must_use]
pub fn code_facts(code: &FunctionCode) -> Vec<Fact> {
    let listed = |lead: &str, items: Vec<String>| (!items.is_empty()).then(|| Fact::new(lead, &items.join("; ")));
    let steps = code.steps.iter().map(|step| format!("{} {}", step.step, does(step.does)));
    let facts = [
        Some(Fact::new("handler", &handler(code))),
        Some(Fact::new("rotation steps", &steps.collect::<Vec<_>>().join(", "))),
        code.template.as_ref().map(|template| Fact::new("template", &made_from(template))),
        listed("missing modules", code.missing_modules.iter().map(missing).collect()),
        listed("compiled for something else", code.misfits.iter().map(misfit).collect()),
        listed("does not parse", code.syntax_errors.iter().map(ToString::to_string).collect()),
        listed("environment variables it needs", code.required_environment.clone()),
        code.connect_timeout_ms.map(|ms| Fact::new("waits for a connection", &format!("up to {} s", ms.div_ceil(1_000)))),
        listed("not looked at", code.unread.clone()),
    ];
    facts.into_iter().flatten().collect()
}

/// What the code shows, or why it was not seen; nothing where nobody asked for it.
#[must_use]
pub fn of_code(code: &Observation<FunctionCode>) -> Vec<Fact> {
    match code {
        Observation::Found(code) => code_facts(code),
        Observation::NotApplicable { because } if because == NOT_ASKED_FOR => Vec::new(),
        Observation::NotApplicable { because } => vec![Fact::new("", because)],
        other => vec![Fact::new("not looked at", &other.missing().unwrap_or_default())],
    }
}

fn handler(code: &FunctionCode) -> String {
    let part = |part: &HandlerPart| match part {
        HandlerPart::Found(name) => name.clone(),
        HandlerPart::Missing(name) => format!("{name} (missing)"),
        HandlerPart::Untold => "(cannot be told)".to_owned(),
    };
    format!("{} in {}", part(&code.handler_function), part(&code.handler_file))
}

const fn does(body: StepBody) -> &'static str {
    match body {
        StepBody::Works => "is there",
        StepBody::OnlyRaises => "only raises an error",
        StepBody::OnlyPasses => "does nothing",
        StepBody::Absent => "is missing",
        StepBody::Untold => "cannot be told",
    }
}

fn made_from(template: &TemplateMark) -> String {
    let users = if template.is_multi_user { "two users" } else { "one user" };
    let age = match (&template.not_before, &template.before) {
        (Some(since), Some(before)) => format!(", from between {since} and {before}"),
        (Some(since), None) => format!(", from {since} or later"),
        (None, Some(before)) => format!(", from before {before}"),
        (None, None) => String::new(),
    };
    let defects = template.defects.iter().map(|defect| format!("; {}", defect.tells()));
    format!("{} for {users}{age}{}", template.engine, defects.collect::<String>())
}

fn missing(module: &MissingModule) -> String {
    let why = match module.because {
        Some(MissingReason::LeftTheLibrary) => ", not in this Python any more",
        Some(MissingReason::LeftTheRuntime) => ", not in Lambda's runtime any more",
        Some(MissingReason::BuiltForAnother) => ", compiled for another interpreter or processor",
        None => "",
    };
    format!("{} ({}{why})", module.name, module.place)
}

fn misfit(misfit: &CompiledMisfit) -> String {
    format!("{}: for {}, not {}", misfit.file, misfit.built_for, misfit.runs_on)
}
