//! Which step needs the facts of which others: read by the runner, and where steps are performed again.

use crate::model::StepName;
use std::collections::BTreeSet;

/// What a step needs.
struct Needs {
    step: StepName,
    /// It begins when these are known.
    starts_after: &'static [StepName],
    /// It reads these while it runs, as far as they are known then.
    reads: &'static [StepName],
}

const fn needs(step: StepName, starts_after: &'static [StepName], reads: &'static [StepName]) -> Needs {
    Needs { step, starts_after, reads }
}

/// One row for each step.
const NEEDS: [Needs; 9] = [
    needs(StepName::Secret, &[], &[]),
    needs(StepName::RotationConfig, &[StepName::Secret], &[]),
    needs(StepName::RotationFunction, &[StepName::Secret, StepName::RotationConfig], &[]),
    needs(StepName::FunctionLogs, &[StepName::RotationFunction], &[StepName::RotationHistory]),
    needs(StepName::ExecutionRole, &[StepName::RotationFunction], &[]),
    needs(StepName::RotationHistory, &[StepName::Secret, StepName::RotationConfig], &[]),
    needs(StepName::FunctionMetrics, &[StepName::RotationConfig], &[StepName::RotationFunction]),
    needs(StepName::SecretAccess, &[StepName::RotationConfig], &[StepName::RotationFunction]),
    needs(StepName::ConfigChanges, &[StepName::RotationFunction, StepName::RotationHistory], &[]),
];

/// The steps that have to be known before `step` begins.
pub(super) fn starts_after(step: StepName) -> &'static [StepName] {
    NEEDS.iter().find(|needs| needs.step == step).map(|needs| needs.starts_after).unwrap_or_default()
}

/// The steps, and all whose facts they need, directly or by way of others.
#[must_use]
pub fn with_needs(asked: &BTreeSet<StepName>) -> BTreeSet<StepName> {
    let mut steps = asked.clone();
    loop {
        let rows = NEEDS.iter().filter(|needs| steps.contains(&needs.step));
        let needed: Vec<StepName> = rows.flat_map(|needs| needs.starts_after.iter().chain(needs.reads).copied()).collect();
        let known = steps.len();
        steps.extend(needed);
        if steps.len() == known {
            return steps;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StepName::{ConfigChanges, ExecutionRole, FunctionLogs, RotationConfig, RotationFunction, RotationHistory, Secret};

    #[test]
    fn a_step_brings_all_that_its_facts_rest_on() {
        let of = |step| with_needs(&BTreeSet::from([step]));
        assert_eq!(of(Secret), BTreeSet::from([Secret]));
        assert_eq!(of(ExecutionRole), BTreeSet::from([Secret, RotationConfig, RotationFunction, ExecutionRole]));
        let all = [Secret, RotationConfig, RotationFunction, RotationHistory];
        assert_eq!(of(FunctionLogs), &BTreeSet::from(all) | &BTreeSet::from([FunctionLogs]));
        assert_eq!(of(ConfigChanges), &BTreeSet::from(all) | &BTreeSet::from([ConfigChanges]));
    }

    #[test]
    fn every_step_stands_in_the_table_once_and_needs_no_later_circle() {
        let listed: BTreeSet<StepName> = NEEDS.iter().map(|needs| needs.step).collect();
        assert_eq!(listed, BTreeSet::from(StepName::ALL));
        for Needs { step, starts_after, reads } in NEEDS {
            for need in starts_after.iter().chain(reads) {
                assert!(!with_needs(&BTreeSet::from([*need])).contains(&step), "{step:?} and {need:?} need each other");
            }
        }
    }
}
