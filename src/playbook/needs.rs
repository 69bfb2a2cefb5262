//! Which step starts from the facts of which others.

use crate::model::StepName;
use std::collections::BTreeSet;

/// Of every step, those whose facts it starts from.
const NEEDS: [(StepName, &[StepName]); 9] = [
    (StepName::Secret, &[]),
    (StepName::RotationConfig, &[StepName::Secret]),
    (StepName::RotationFunction, &[StepName::Secret, StepName::RotationConfig]),
    (StepName::FunctionLogs, &[StepName::RotationFunction, StepName::RotationHistory]),
    (StepName::ExecutionRole, &[StepName::RotationFunction]),
    (StepName::RotationHistory, &[StepName::Secret, StepName::RotationConfig]),
    (StepName::FunctionMetrics, &[StepName::RotationFunction]),
    (StepName::SecretAccess, &[StepName::RotationFunction]),
    (StepName::ConfigChanges, &[StepName::RotationFunction, StepName::RotationHistory]),
];

/// The steps, and all whose facts they start from, directly or by way of others.
#[must_use]
pub fn with_needs(asked: &BTreeSet<StepName>) -> BTreeSet<StepName> {
    let mut steps = asked.clone();
    loop {
        let needed: Vec<StepName> =
            NEEDS.iter().filter(|(step, _)| steps.contains(step)).flat_map(|(_, needs)| needs.iter().copied()).collect();
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
        let listed: BTreeSet<StepName> = NEEDS.iter().map(|(step, _)| *step).collect();
        assert_eq!(listed, BTreeSet::from(StepName::ALL));
        for (step, needs) in NEEDS {
            for need in needs {
                assert!(!with_needs(&BTreeSet::from([*need])).contains(&step), "{step:?} and {need:?} need each other");
            }
        }
    }
}
