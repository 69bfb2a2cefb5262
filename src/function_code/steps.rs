//! What the code does for each of the four rotation steps: where it tells them apart, and what stands there.

use crate::model::{CodePlace, RotationStep, StepBody, StepCode};
use std::collections::{BTreeMap, BTreeSet};

/// How far a function that only calls another is followed.
const MAX_CALLS: usize = 4;

/// What a block of code comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodeBody {
    Works,
    OnlyRaises,
    OnlyPasses,
    /// It does nothing but call the function of this name.
    Calls(String),
}

/// What is done where a step is told from the others.
#[derive(Debug, Clone)]
pub(super) struct StepDispatch {
    pub(super) body: CodeBody,
    pub(super) line: u32,
}

/// What one module says about the steps.
#[derive(Debug, Default)]
pub(super) struct Steps {
    functions: BTreeMap<String, (CodeBody, u32)>,
    dispatched: BTreeMap<RotationStep, StepDispatch>,
    named: BTreeSet<RotationStep>,
}

impl Steps {
    /// A function of the module.
    pub(super) fn define(&mut self, name: &str, body: CodeBody, line: u32) {
        self.functions.insert(name.to_owned(), (body, line));
    }

    /// The code names the step, in whatever way.
    pub(super) fn name(&mut self, step: RotationStep) {
        self.named.insert(step);
    }

    /// The code tells the step from the others, and does this; where it does so twice, the first stands.
    pub(super) fn dispatch(&mut self, step: RotationStep, dispatch: StepDispatch) {
        self.named.insert(step);
        self.dispatched.entry(step).or_insert(dispatch);
    }
}

/// What the modules, each with its path, do for the four steps.
pub(super) fn judge(modules: &[(&str, &Steps)]) -> Vec<StepCode> {
    let told_apart =
        RotationStep::ALL.into_iter().filter(|step| modules.iter().any(|(_, steps)| steps.dispatched.contains_key(step)));
    let is_told = told_apart.count() >= 2;
    let judged = RotationStep::ALL.into_iter().map(|step| {
        let found = modules.iter().find_map(|(file, steps)| Some((*file, *steps, steps.dispatched.get(&step)?)));
        let Some((file, own, dispatch)) = found else {
            let is_named = modules.iter().any(|(_, steps)| steps.named.contains(&step));
            let does = if is_told && !is_named { StepBody::Absent } else { StepBody::Untold };
            return StepCode { step, does, place: None };
        };
        let (does, line, file) = follow(modules, file, own, dispatch);
        StepCode { step, does, place: Some(CodePlace { file: file.to_owned(), line }) }
    });
    judged.collect()
}

fn follow<'m>(
    modules: &[(&'m str, &'m Steps)],
    file: &'m str,
    own: &'m Steps,
    dispatch: &'m StepDispatch,
) -> (StepBody, u32, &'m str) {
    let (mut body, mut line, mut file, mut own) = (&dispatch.body, dispatch.line, file, own);
    for _ in 0..MAX_CALLS {
        let name = match body {
            CodeBody::Works => return (StepBody::Works, line, file),
            CodeBody::OnlyRaises => return (StepBody::OnlyRaises, line, file),
            CodeBody::OnlyPasses => return (StepBody::OnlyPasses, line, file),
            CodeBody::Calls(name) => name,
        };
        let here = own.functions.get(name).map(|function| (file, own, function));
        let elsewhere = || modules.iter().find_map(|(file, steps)| Some((*file, *steps, steps.functions.get(name)?)));
        // A function of another package does something.
        let Some((its_file, its_steps, (its_body, its_line))) = here.or_else(elsewhere) else { break };
        (body, line, file, own) = (its_body, *its_line, its_file, its_steps);
    }
    (StepBody::Works, line, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use RotationStep::{CreateSecret, FinishSecret, SetSecret, TestSecret};

    fn does(steps: &Steps) -> Vec<StepBody> {
        judge(&[("a.py", steps)]).into_iter().map(|step| step.does).collect()
    }

    #[test]
    fn a_step_is_what_its_function_does_and_one_that_is_left_out_is_absent() {
        let mut steps = Steps::default();
        let calls = |name: &str| StepDispatch { body: CodeBody::Calls(name.to_owned()), line: 3 };
        steps.dispatch(CreateSecret, calls("create"));
        steps.dispatch(SetSecret, calls("set"));
        steps.dispatch(TestSecret, calls("elsewhere"));
        steps.define("create", CodeBody::Works, 10);
        steps.define("set", CodeBody::Calls("really_set".to_owned()), 20);
        steps.define("really_set", CodeBody::OnlyRaises, 30);
        assert_eq!(does(&steps), [StepBody::Works, StepBody::OnlyRaises, StepBody::Works, StepBody::Absent]);
        steps.name(FinishSecret);
        assert_eq!(does(&steps).last(), Some(&StepBody::Untold));
    }

    #[test]
    fn functions_that_call_each_other_come_to_an_end() {
        let mut steps = Steps::default();
        steps.dispatch(CreateSecret, StepDispatch { body: CodeBody::Calls("a".to_owned()), line: 1 });
        steps.define("a", CodeBody::Calls("b".to_owned()), 2);
        steps.define("b", CodeBody::Calls("a".to_owned()), 3);
        assert_eq!(does(&steps), [StepBody::Works, StepBody::Untold, StepBody::Untold, StepBody::Untold]);
    }
}
