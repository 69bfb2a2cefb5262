//! Words that a person has to fill in before a printed command works: each has its reason, and is asked for before it is needed.

use super::diagnose;
use super::signatures;
use super::testing::*;
use crate::lambda_log::rotation_step;
use crate::model::{Diagnosis, Evidence, Observation, RotationStep, StepName};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// The placeholders that are left: why nobody can know the value here, and a word of the command before that asks for it; `None`
/// where the word stands only for what could not be looked at.
const LEFT: &[(&str, Option<&str>, &str)] = &[
    ("NEW_FUNCTION_ARN", Some("list-functions"), "which function shall rotate the secret, a person decides"),
    ("FUNCTION_ARN", Some("list-functions"), "no function was ever bound to the secret, as far as is known"),
    ("BOUNDARY_ARN", Some("get-role"), "the boundary that shall hold instead is not the one that is there"),
    ("LAYER_ARN_TO_KEEP", Some("get-function-configuration"), "which of several layers crashed, the line does not say"),
    ("PREVIOUS_HANDLER", Some("list-versions-by-function"), "an event tells what a handler was set to, not what it was before"),
    ("NEW_SUBNET_ID", Some("describe-subnets"), "subnets of the VPC are the network's facts"),
    ("USER_NAME", Some("list-users"), "the quota's refusal names no user, and the secret's value is not read"),
    ("MISSING_LAYER_ARN", Some("list-versions-by-function"), "no event names the layer that was taken away"),
    ("PROXY_NAME", None, "the line does not name the proxy"),
    ("VPCE_ID", Some("describe-vpc-endpoints"), "endpoints are the network's facts"),
    ("ENDPOINT_SECURITY_GROUP", Some("describe-security-groups"), "groups are the network's facts"),
    ("DATABASE_SECURITY_GROUP", Some("describe-db-instances"), "groups are the network's facts"),
    ("DATABASE_PORT", Some("describe-db-instances"), "ports are the network's facts"),
    ("FUNCTION_SECURITY_GROUP", None, "the function was not looked at"),
    ("FUNCTION_NAME", None, "the function was not looked at"),
    ("LOG_GROUP", None, "the function was not looked at"),
    ("ROLE_ARN", None, "the function was not looked at"),
    ("NEW_KEY_ID", Some("list-aliases"), "which key shall encrypt the secret, a person decides"),
    ("KEY_ARN", None, "the key was not looked at"),
    ("ACCOUNT_ID", None, "the secret was not looked at"),
    ("VPC_ID", None, "the function was not looked at"),
];

/// Words of AWS, of SQL and of the function's environment that look like placeholders and are none.
const NAMES: &[&str] = &[
    "MAX_USER_CONNECTIONS",
    "MAX_CONNECTIONS_PER_HOUR",
    "MAX_QUERIES_PER_HOUR",
    "MAX_UPDATES_PER_HOUR",
    "PASSWORD_LIFE_TIME",
    "CHECK_POLICY",
    "CHECK_EXPIRATION",
    "ADMIN_URI",
    "ON_ERROR_STOP",
    // A user that a sample names.
    "APP_CLONE",
];

fn commands(diagnosis: &Diagnosis) -> Vec<Vec<String>> {
    let plan = diagnosis.plan.steps.iter().map(|step| step.command.clone()).collect();
    let own = diagnosis.findings.iter().map(|finding| finding.remediation.commands.clone());
    own.chain([plan]).collect()
}

/// A world in which the function was seen, and one in which it was not.
fn worlds(sample: &str) -> [Evidence; 2] {
    let mut evidence = healthy();
    fail(&mut evidence, rotation_step(sample).unwrap_or(RotationStep::SetSecret), &[sample]);
    let mut unseen = evidence.clone();
    deny(&mut unseen, StepName::RotationFunction);
    [evidence, unseen]
}

/// Faults that no line tells of.
fn silent() -> Vec<Evidence> {
    let mut gone = healthy();
    fail_unseen(&mut gone, None);
    gone.function = record(no_data());
    let mut never = healthy();
    facts(&mut never.rotation_config).enabled = None;
    facts(&mut never.rotation_config).function_arn = None;
    let mut bounded = healthy();
    fail(&mut bounded, RotationStep::CreateSecret, &[]);
    let Observation::Found(simulations) = &mut facts(&mut bounded.role).simulations else { panic!() };
    for one in simulations.iter_mut() {
        one.decision = crate::model::SimulatedDecision::ImplicitDeny;
        one.boundary_allows = Some(false);
    }
    vec![gone, never, bounded]
}

#[test]
fn every_placeholder_that_is_printed_has_its_reason_and_is_asked_for_before() {
    let word = Regex::new(r"(?:^|[^\w$.-])([A-Z]{2,}(?:_[A-Z0-9]+)+)\b").unwrap();
    let left: BTreeMap<&str, Option<&str>> = LEFT.iter().map(|(name, asked, _)| (*name, *asked)).collect();
    let mut faults = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let worlds = signatures::samples().flat_map(worlds).chain(silent());
    for evidence in worlds {
        for commands in commands(&diagnose(&evidence)) {
            for (at, command) in commands.iter().enumerate() {
                for found in word.captures_iter(command).filter_map(|found| found.get(1)).map(|found| found.as_str()) {
                    if NAMES.contains(&found) || evidence_holds(found) {
                        continue;
                    }
                    match left.get(found) {
                        None => faults.insert(format!("{found}: no reason is known: {command}")),
                        Some(Some(asked)) if !commands[..at].iter().any(|before| before.contains(asked)) => {
                            faults.insert(format!("{found}: nothing asks for it before: {command}"))
                        }
                        Some(_) => seen.insert(found.to_owned()),
                    };
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
    for expected in ["NEW_FUNCTION_ARN", "BOUNDARY_ARN", "USER_NAME"] {
        assert!(seen.contains(expected), "{expected} is not printed any more: {seen:?}");
    }
}

/// Names that stand in the evidence itself, such as that of an environment variable.
fn evidence_holds(found: &str) -> bool {
    healthy().function.found().is_some_and(|function| function.environment_names.iter().any(|name| name == found))
}
