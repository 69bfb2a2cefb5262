//! Faults one by one and in stacks: the plan lists them all, each command works after those before it, and taking the commands
//! back brings the faults back.

mod broken_networks;
mod lost_policies;

use super::apply::apply;
use super::command::AwsCommand;
use super::effect::CommandEffect;
use crate::diagnosis::diagnose;
use crate::diagnosis::forecast::{outlook, without_failures};
use crate::diagnosis::testing::*;
use crate::model::{Cause, Concern, Evidence, Observation, Outcome, Plan, PolicyDocument, RotationStep, SecretVersion, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A fault of configuration, and the cause it must be mended as.
struct Fault {
    name: &'static str,
    cause: Cause,
    /// Faults of one kind replace each other and are not stacked.
    kind: &'static str,
    inflict: fn(&mut Evidence),
}

/// The healthy world, judged by the policies themselves.
fn account() -> Evidence {
    let mut evidence = healthy();
    let because = "the policies were read".to_owned();
    facts(&mut evidence.role).simulations = Observation::NotApplicable { because };
    evidence
}

fn identity(evidence: &mut Evidence) -> &mut Vec<PolicyDocument> {
    match &mut facts(&mut evidence.role).policies {
        Observation::Found(policies) => &mut policies.identity,
        _ => panic!("the policies were read"),
    }
}

fn without_action(evidence: &mut Evidence, action: &str) {
    for statement in identity(evidence)[0].document["Statement"].as_array_mut().unwrap() {
        match &mut statement["Action"] {
            Value::Array(actions) => actions.retain(|one| one != action),
            one if one == action => statement["Effect"] = json!("Deny"),
            _ => {}
        }
    }
}

fn policy(name: &str, statement: Value) -> PolicyDocument {
    PolicyDocument { name: name.to_owned(), document: json!({ "Version": "2012-10-17", "Statement": [statement] }) }
}

fn key_policy(evidence: &mut Evidence, statement: Value) {
    let Observation::Found(key) = &mut facts(&mut evidence.access).secret_key else { panic!() };
    key.policy = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [statement] }));
}

fn key_state(evidence: &mut Evidence, state: &str, days: Option<i64>) {
    let Observation::Found(key) = &mut facts(&mut evidence.access).secret_key else { panic!() };
    key.state = state.to_owned();
    key.deletion_at = days.map(|days| now() + jiff::SignedDuration::from_hours(24 * days));
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "the secret is scheduled for deletion",
        cause: Cause::SecretMarkedForDeletion,
        kind: "deletion",
        inflict: |e| facts(&mut e.secret).deleted_at = Some(hours_ago(5)),
    },
    Fault {
        name: "rotation is turned off",
        cause: Cause::RotationDisabled,
        kind: "rotation",
        inflict: |e| facts(&mut e.rotation_config).enabled = Some(false),
    },
    Fault {
        name: "the schedule never fires",
        cause: Cause::ScheduleWrongOrOverdue,
        kind: "rotation",
        inflict: |e| {
            let config = facts(&mut e.rotation_config);
            (config.due.never_fires, config.due.next, config.next_rotation_at) = (true, None, None);
        },
    },
    Fault {
        name: "concurrency is reserved away",
        cause: Cause::LambdaThrottledConcurrency,
        kind: "concurrency",
        inflict: |e| facts(&mut e.function).reserved_concurrency = Observation::Found(Some(0)),
    },
    Fault {
        name: "nobody may invoke the function",
        cause: Cause::LambdaInvokePermissionMissing,
        kind: "invoke",
        inflict: |e| facts(&mut e.access).function_policy = no_data(),
    },
    Fault {
        name: "another account may invoke the function",
        cause: Cause::LambdaInvokePermissionMissing,
        kind: "invoke",
        inflict: |e| {
            facts(&mut e.access).function_policy = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [{
                "Sid": "SecretsManagerAccess", "Effect": "Allow", "Principal": { "Service": "secretsmanager.amazonaws.com" },
                "Action": "lambda:InvokeFunction", "Resource": FUNCTION,
                "Condition": { "StringEquals": { "AWS:SourceAccount": "999988887777" } }
            }] }));
        },
    },
    Fault {
        name: "the role may not store a version",
        cause: Cause::IamIdentityPolicyMissing,
        kind: "write",
        inflict: |e| without_action(e, "secretsmanager:PutSecretValue"),
    },
    Fault {
        name: "the role may not move the label",
        cause: Cause::IamIdentityPolicyMissing,
        kind: "label",
        inflict: |e| without_action(e, "secretsmanager:UpdateSecretVersionStage"),
    },
    Fault {
        name: "the role may not use the key",
        cause: Cause::KmsAccessDenied,
        kind: "role key",
        inflict: |e| without_action(e, "kms:Decrypt"),
    },
    Fault {
        name: "an inline policy freezes writes",
        cause: Cause::IamExplicitDeny,
        kind: "freeze",
        inflict: |e| {
            let deny = json!({ "Sid": "Freeze", "Effect": "Deny", "Action": ["secretsmanager:Put*", "rds:*"], "Resource": "*" });
            identity(e).push(policy("freeze", deny));
        },
    },
    Fault {
        name: "a managed policy denies secrets",
        cause: Cause::IamExplicitDeny,
        kind: "guard",
        inflict: |e| {
            let deny = json!({ "Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*" });
            identity(e).push(policy("arn:aws:iam::123456789012:policy/guard", deny));
        },
    },
    Fault {
        name: "a policy of AWS denies secrets",
        cause: Cause::IamExplicitDeny,
        kind: "quarantine",
        inflict: |e| {
            let deny = json!({ "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*" });
            identity(e).push(policy("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3", deny));
        },
    },
    Fault {
        name: "the boundary lets reads through only",
        cause: Cause::PermissionsBoundaryOrScpDeny,
        kind: "boundary",
        inflict: |e| {
            let allow = json!({ "Effect": "Allow", "Action": ["secretsmanager:Get*", "secretsmanager:Describe*", "kms:*", "ec2:*"],
                "Resource": "*" });
            let Observation::Found(policies) = &mut facts(&mut e.role).policies else { panic!() };
            policies.boundary = Some(policy("arn:aws:iam::123456789012:policy/boundary", allow));
        },
    },
    Fault {
        name: "the secret's policy shuts everybody out",
        cause: Cause::SecretResourcePolicyDeny,
        kind: "secret policy",
        inflict: |e| {
            let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
                "Condition": { "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/admin" } } });
            facts(&mut e.access).secret_policy = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [deny] }));
        },
    },
    Fault {
        name: "the key is disabled",
        cause: Cause::KmsKeyDisabledOrPendingDeletion,
        kind: "key",
        inflict: |e| key_state(e, "Disabled", None),
    },
    Fault {
        name: "the key will be deleted",
        cause: Cause::KmsKeyDisabledOrPendingDeletion,
        kind: "key",
        inflict: |e| key_state(e, "PendingDeletion", Some(9)),
    },
    Fault {
        name: "the key's policy knows administrators only",
        cause: Cause::KmsAccessDenied,
        kind: "key policy",
        inflict: |e| {
            let admins = json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:role/admin" },
                "Action": "kms:*", "Resource": "*" });
            key_policy(e, admins);
        },
    },
    Fault {
        name: "the key's policy denies by name",
        cause: Cause::KmsAccessDenied,
        kind: "key policy",
        inflict: |e| {
            let Observation::Found(key) = &mut facts(&mut e.access).secret_key else { panic!() };
            let Observation::Found(document) = &mut key.policy else { panic!() };
            let deny = json!({ "Effect": "Deny", "Principal": { "AWS": ROLE }, "Action": "kms:Decrypt", "Resource": "*" });
            document["Statement"].as_array_mut().unwrap().push(deny);
        },
    },
    Fault {
        name: "Lambda may not assume the role",
        cause: Cause::IamIdentityPolicyMissing,
        kind: "trust",
        inflict: |e| {
            facts(&mut e.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }] }));
        },
    },
];

/// What AWS would refuse, in words of its own: no step may need what a later one brings.
fn refused(command: &AwsCommand, evidence: &Evidence) -> Option<&'static str> {
    let secret = evidence.secret.found()?;
    let key = evidence.access.found()?.secret_key.found();
    let is = |service: &str, operation: &str| command.service == service && command.operation == operation;
    if command.service == "secretsmanager" && secret.deleted_at.is_some() && !is("secretsmanager", "restore-secret") {
        return Some("InvalidRequestException: the secret is scheduled for deletion");
    }
    if is("kms", "enable-key") && key.is_some_and(|key| key.state == "PendingDeletion") {
        return Some("KMSInvalidStateException: the key is pending deletion");
    }
    let encrypts = is("secretsmanager", "put-secret-value") || is("secretsmanager", "rotate-secret");
    if encrypts && key.is_some_and(|key| key.state != "Enabled") {
        return Some("the key cannot be used");
    }
    let invokes = is("secretsmanager", "rotate-secret") && !command.has("no-rotate-immediately");
    if invokes && !outlook(&without_failures(&turned_on(evidence))).foreseen.is_empty() {
        return Some("the rotation would fail");
    }
    if command.service == "iam" && evidence.role.observation.is_empty() && !is("iam", "create-role") {
        return Some("NoSuchEntity");
    }
    None
}

fn turned_on(evidence: &Evidence) -> Evidence {
    let mut evidence = evidence.clone();
    let config = facts(&mut evidence.rotation_config);
    (config.enabled, config.due.never_fires) = (Some(true), false);
    evidence
}

fn obstacles(evidence: &Evidence) -> BTreeSet<(Cause, String)> {
    outlook(&without_failures(evidence)).foreseen.into_iter().map(|next| (next.obstacle.cause, next.obstacle.text)).collect()
}

/// Walks the plan on the evidence, and back; the complaints.
fn walk(evidence: &Evidence, plan: &Plan) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut world = evidence.clone();
    for step in &plan.steps {
        let Some(command) = AwsCommand::parse(&step.command) else {
            complaints.push(format!("not an aws command: {}", step.command));
            continue;
        };
        if let Some(why) = refused(&command, &world) {
            complaints.push(format!("{why}: {}", step.command));
        }
        let effect = CommandEffect::of(&step.command, &world);
        if effect == CommandEffect::Elsewhere {
            complaints.push(format!("an effect nobody sees: {}", step.command));
        }
        if step.needs.is_empty() {
            complaints.push(format!("needs nothing: {}", step.command));
        }
        let is_rotation = matches!(effect, CommandEffect::Rotates { turns_on: false, .. });
        if step.undo.is_none() && !step.is_read_only && !is_rotation {
            complaints.push(format!("cannot be taken back: {}", step.command));
        }
        apply(&effect, &mut world);
    }
    if !obstacles(&world).is_empty() {
        complaints.push(format!("still in the way: {:?}", obstacles(&world)));
    }
    for undo in plan.steps.iter().rev().filter_map(|step| step.undo.as_deref()) {
        match undo.contains("cancel-rotate-secret") {
            true => facts(&mut world.rotation_config).enabled = Some(false),
            false => drop(apply_undo(undo, &mut world)),
        }
    }
    complaints
}

fn apply_undo(text: &str, world: &mut Evidence) -> Option<String> {
    let command = AwsCommand::parse(text)?;
    match command.operation.as_str() {
        "disable-key" => key_state(world, "Disabled", None),
        "schedule-key-deletion" => key_state(world, "PendingDeletion", Some(7)),
        "delete-secret" => facts(&mut world.secret).deleted_at = Some(now()),
        _ => return apply(&CommandEffect::of(text, world), world),
    }
    None
}

fn failing(faults: &[&Fault]) -> Evidence {
    let mut evidence = account();
    fail_unseen(&mut evidence, None);
    facts(&mut evidence.metrics).points.clear();
    for fault in faults {
        (fault.inflict)(&mut evidence);
    }
    evidence
}

#[test]
fn every_fault_is_mended_by_commands_that_can_be_taken_back() {
    for fault in FAULTS {
        let evidence = failing(&[fault]);
        let diagnosis = diagnose(&evidence);
        let plan = &diagnosis.plan;
        let causes: BTreeSet<Cause> = plan.steps.iter().map(|step| step.cause).collect();
        assert!(causes.contains(&fault.cause), "{}: {plan:#?}", fault.name);
        assert_eq!(plan.heals, Some(true), "{}: {plan:#?}", fault.name);
        assert_eq!(walk(&evidence, plan), [""; 0], "{}", fault.name);
        let foreseen = &diagnosis.forecast.obstacles;
        assert!(foreseen.iter().any(|obstacle| obstacle.cause == fault.cause), "{}: {foreseen:#?}", fault.name);
    }
}

#[test]
fn a_fault_that_has_not_bitten_yet_is_foretold_and_its_plan_does_not_rotate() {
    for fault in FAULTS {
        let mut evidence = account();
        (fault.inflict)(&mut evidence);
        let diagnosis = diagnose(&evidence);
        let first = diagnosis.forecast.obstacles.first().map(|obstacle| obstacle.cause);
        assert_eq!(first, Some(fault.cause), "{}: {:#?}", fault.name, diagnosis.forecast);
        assert_eq!(diagnosis.plan.heals, Some(true), "{}: {:#?}", fault.name, diagnosis.plan);
        let rotates = diagnosis.plan.steps.iter().any(|step| step.command.contains(" rotate-secret "));
        assert!(diagnosis.outcome != Outcome::Healthy || !rotates, "{}: {:#?}", fault.name, diagnosis.plan);
    }
}

#[test]
fn a_function_that_is_gone_is_replaced_by_one_that_the_command_before_tells() {
    let mut evidence = account();
    fail_unseen(&mut evidence, None);
    evidence.function = record(no_data());
    let plan = diagnose(&evidence).plan;
    let commands: Vec<&str> = plan.steps.iter().map(|step| step.command.as_str()).collect();
    assert!(commands[0].starts_with("aws lambda list-functions "), "{commands:?}");
    assert!(commands[1].contains("--rotation-lambda-arn NEW_FUNCTION_ARN"), "{commands:?}");
    assert_eq!((plan.heals, commands.len()), (None, 2), "{plan:#?}");
}

#[test]
fn a_thousand_accounts_with_stacked_faults_are_mended_in_an_order_in_which_each_step_works() {
    let mut seed = 20_260_310_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut complaints = Vec::new();
    for account in 0..1_000 {
        let wanted = 2 + draw(3);
        let mut faults: Vec<&Fault> = Vec::new();
        while faults.len() < wanted {
            let fault = &FAULTS[draw(FAULTS.len())];
            if faults.iter().all(|one| one.kind != fault.kind) {
                faults.push(fault);
            }
        }
        let evidence = failing(&faults);
        let plan = diagnose(&evidence).plan;
        let names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
        for fault in &faults {
            if !plan.steps.iter().any(|step| step.cause == fault.cause) {
                complaints.push(format!("{account} {names:?}: nothing against {}", fault.name));
            }
        }
        if plan.heals != Some(true) {
            complaints.push(format!("{account} {names:?}: heals {:?}, {:?}", plan.heals, plan.doubts));
        }
        complaints.extend(walk(&evidence, &plan).into_iter().map(|what| format!("{account} {names:?}: {what}")));
    }
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn taking_the_plan_back_brings_the_faults_back() {
    for fault in FAULTS {
        let evidence = failing(&[fault]);
        let plan = diagnose(&evidence).plan;
        let mut world = evidence.clone();
        for step in &plan.steps {
            apply(&CommandEffect::of(&step.command, &world), &mut world);
        }
        for undo in plan.steps.iter().rev().filter_map(|step| step.undo.as_deref()) {
            if undo.contains("cancel-rotate-secret") {
                facts(&mut world.rotation_config).enabled = Some(false);
            } else {
                apply_undo(undo, &mut world);
            }
        }
        // What a policy of AWS says is not known when it is attached again; a schedule comes back as it was written, and the
        // evidence holds what it meant.
        if !matches!(fault.cause, Cause::ScheduleWrongOrOverdue) && fault.kind != "quarantine" {
            let causes = |evidence: &Evidence| obstacles(evidence).into_iter().map(|(cause, _)| cause).collect::<Vec<_>>();
            assert_eq!(causes(&world), causes(&evidence), "{}: {plan:#?}", fault.name);
        }
    }
}

#[test]
fn a_detached_policy_is_attached_again_and_proven_only_where_its_loss_alone_can_have_broken_rotation() {
    const POLICY: &str = "arn:aws:iam::123456789012:policy/rotation-write";
    let detached = |minutes: i64| {
        let mut evidence = failing(&[]);
        without_action(&mut evidence, "secretsmanager:PutSecretValue");
        let at = hours_ago(1) - jiff::SignedDuration::from_mins(minutes);
        let mut gone = change(at, "DetachRolePolicy", Concern::Role);
        gone.parameters = json!({ "roleName": "orders-rotator-role", "policyArn": POLICY });
        facts(&mut evidence.changes).changes.push(gone);
        evidence
    };
    let plan = diagnose(&detached(15)).plan;
    let attach = format!("aws iam attach-role-policy --role-name orders-rotator-role --policy-arn {POLICY}");
    let detach = attach.replace("attach-role-policy", "detach-role-policy");
    assert_eq!((plan.steps[0].command.as_str(), plan.steps[0].undo.as_deref()), (attach.as_str(), Some(detach.as_str())));
    assert_eq!(plan.heals, Some(true), "{plan:#?}");
    let plan = diagnose(&detached(300)).plan;
    assert_eq!(plan.steps[0].command, attach);
    assert_eq!(plan.heals, None, "{plan:#?}");
    assert_eq!(plan.doubts, [format!("whether {POLICY} allows all that rotation needs")]);
    let mut also = detached(15);
    facts(&mut also.changes).changes.push(change(hours_ago(2), "PutRolePolicy", Concern::Role));
    assert!(diagnose(&also).plan.steps[0].command.contains("put-role-policy"), "what took it away cannot be told");
    let mut back = detached(15);
    let again = PolicyDocument { name: POLICY.to_owned(), document: json!({ "Statement": [] }) };
    identity(&mut back).push(again);
    assert!(diagnose(&back).plan.steps[0].command.contains("put-role-policy"), "it is attached, and does not suffice");
}

#[test]
fn whoever_turns_on_what_another_service_rotates_invokes_no_function() {
    let needs = |owner: Option<&str>| {
        let mut evidence = account();
        facts(&mut evidence.secret).owning_service = owner.map(str::to_owned);
        let config = facts(&mut evidence.rotation_config);
        config.enabled = Some(false);
        if owner.is_some() {
            config.function_arn = None;
        }
        let plan = diagnose(&evidence).plan;
        let step = plan.steps.iter().find(|step| step.command.contains(" rotate-secret ")).cloned();
        step.map(|step| step.needs).unwrap_or_default()
    };
    assert_eq!(needs(None), ["secretsmanager:RotateSecret", "lambda:InvokeFunction"]);
    assert!(!needs(Some("rds")).contains(&"lambda:InvokeFunction".to_owned()));
}

/// The failing world whose role lost a permission, with the changes since rotation worked.
fn robbed(changes: &[(&str, Concern, serde_json::Value)]) -> Evidence {
    let mut evidence = failing(&[]);
    without_action(&mut evidence, "secretsmanager:PutSecretValue");
    for (event, concerns, parameters) in changes {
        let mut made = change(hours_ago(1) - jiff::SignedDuration::from_mins(15), event, *concerns);
        made.parameters = parameters.clone();
        facts(&mut evidence.changes).changes.push(made);
    }
    evidence
}

#[test]
fn no_policy_is_attached_again_that_cannot_have_given_what_is_missing() {
    let detached =
        |arn: &str| ("DetachRolePolicy", Concern::Role, json!({ "roleName": "orders-rotator-role", "policyArn": arn }));
    let first = |changes: &[(&str, Concern, serde_json::Value)]| diagnose(&robbed(changes)).plan.steps[0].command.clone();
    let own = "arn:aws:iam::123456789012:policy/rotation-write";
    assert!(first(&[detached(own)]).contains(" attach-role-policy "));
    let of_aws = |name: &str| detached(&format!("arn:aws:iam::aws:policy/{name}"));
    assert!(first(&[of_aws("SecretsManagerReadWrite")]).contains("SecretsManagerReadWrite"));
    let known = diagnose(&robbed(&[of_aws("SecretsManagerReadWrite")])).plan;
    assert_eq!(known.heals, Some(true), "{known:#?}");
    assert!(first(&[of_aws("AmazonS3ReadOnlyAccess")]).contains(" put-role-policy "), "it allows nothing with secrets");
    for (event, concerns, parameters) in [
        (
            "UpdateFunctionConfiguration",
            Concern::Function,
            json!({ "role": "arn:aws:iam::123456789012:role/orders-rotator-role" }),
        ),
        ("RotateSecret", Concern::Secret, json!({ "rotationLambdaARN": FUNCTION })),
        ("UpdateSecret", Concern::Secret, json!({ "kmsKeyId": KEY })),
        ("DeletePolicy", Concern::Role, json!({ "policyArn": own })),
    ] {
        let mut evidence = robbed(&[detached(own), (event, concerns, parameters)]);
        let last = facts(&mut evidence.changes).changes.last_mut().unwrap();
        last.at += jiff::SignedDuration::from_mins(1);
        let plan = diagnose(&evidence).plan;
        assert!(plan.steps[0].command.contains(" put-role-policy "), "{event}: {plan:#?}");
    }
}

#[test]
fn an_inline_policy_that_was_deleted_is_written_again_as_it_was_where_that_suffices() {
    let deleted = |actions: serde_json::Value| {
        let name = json!({ "roleName": "orders-rotator-role", "policyName": "Rotation" });
        let mut evidence = robbed(&[("DeleteRolePolicy", Concern::Role, name)]);
        let before = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] });
        let last = facts(&mut evidence.changes).changes.last_mut().unwrap();
        last.policy = Some(crate::model::PolicyChange { before: Some(before), after: None });
        diagnose(&evidence).plan
    };
    let plan = deleted(json!(["secretsmanager:PutSecretValue", "secretsmanager:DescribeSecret"]));
    assert!(plan.steps[0].command.contains(" --policy-name Rotation "), "{plan:#?}");
    let back = "aws iam delete-role-policy --role-name orders-rotator-role --policy-name Rotation";
    assert_eq!((plan.heals, plan.steps[0].undo.as_deref()), (Some(true), Some(back)), "{plan:#?}");
    let written = json!({ "roleName": "orders-rotator-role", "policyName": "Other" });
    let mut also = robbed(&[("PutRolePolicy", Concern::Role, written)]);
    facts(&mut also.changes).changes.push(change(hours_ago(1), "DeleteRolePolicy", Concern::Role));
    assert!(!diagnose(&also).plan.steps[0].command.contains(" --policy-name Other "), "another policy was written since");
    let plan = deleted(json!(["secretsmanager:DescribeSecret"]));
    assert!(plan.steps[0].command.contains(" --policy-name AllowRotationOf-"), "{plan:#?}");
}

#[test]
fn rotation_is_turned_on_with_a_schedule_that_fires() {
    let faults: Vec<&Fault> = FAULTS.iter().filter(|fault| fault.kind == "rotation").collect();
    let plan = diagnose(&failing(&faults)).plan;
    assert_eq!(plan.heals, Some(true), "{plan:#?}");
    assert!(plan.steps.iter().any(|step| step.command.contains("rate(30 days)")), "{plan:#?}");
}

#[test]
fn what_the_organization_denies_is_not_printed_as_a_fix() {
    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::CreateSecret, &[]);
    let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
    for one in simulations.iter_mut().filter(|one| one.action == "secretsmanager:PutSecretValue") {
        one.decision = crate::model::SimulatedDecision::ExplicitDeny;
        one.organization_allows = Some(false);
    }
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.plan.heals, Some(false));
    assert_eq!(diagnosis.plan.steps, []);
    assert_eq!(diagnosis.plan.remaining.first().map(|obstacle| obstacle.cause), Some(Cause::PermissionsBoundaryOrScpDeny));
    assert_eq!(diagnosis.root_cause().unwrap().remediation.commands, [""; 0]);
}

#[test]
fn a_corrected_value_takes_the_pending_one_away_unless_the_database_has_its_password() {
    let line = "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist";
    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::SetSecret, &[line]);
    let commands = |evidence: &Evidence| diagnose(evidence).plan.steps.into_iter().map(|step| step.command).collect::<Vec<_>>();
    let operations = |commands: &[String]| -> Vec<String> {
        commands.iter().map(|command| AwsCommand::parse(command).unwrap().operation).collect()
    };
    let before = commands(&evidence);
    assert_eq!(operations(&before), ["get-secret-value", "put-secret-value", "update-secret-version-stage", "rotate-secret"]);
    assert!(before[0].contains("--version-stage AWSCURRENT"), "{before:?}");
    assert!(before[2].contains(&format!("AWSPENDING --remove-from-version-id {PENDING}")), "{before:?}");
    assert_eq!(diagnose(&evidence).plan.heals, None, "whether the value is right is not seen");

    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::TestSecret, &[line]);
    let after = commands(&evidence);
    assert!(after[0].contains(&format!("--version-id {PENDING}")), "{after:?}");
    let warning = diagnose(&evidence).root_cause().unwrap().remediation.warning.clone().unwrap();
    assert!(warning.contains("refuse AWSCURRENT"), "{warning}");
}

#[test]
fn a_value_that_is_no_json_does_not_return_as_the_previous_one() {
    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::CreateSecret, &["[ERROR] ValueError: Invalid secret value json for secret x."]);
    let plan = diagnose(&evidence).plan;
    let taken = format!("--version-stage AWSPREVIOUS --remove-from-version-id {CURRENT}");
    assert!(plan.steps.iter().any(|step| step.command.contains(&taken)), "{plan:#?}");
}

#[test]
fn a_pending_password_that_the_database_has_is_never_thrown_away() {
    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::FinishSecret, &[]);
    let versions = &facts(&mut evidence.secret).versions;
    assert!(versions.iter().any(|version: &SecretVersion| version.id == PENDING));
    for finding in diagnose(&evidence).findings.iter().filter(|finding| finding.severity > Severity::Info) {
        let commands = finding.remediation.commands.join("\n");
        assert!(!commands.contains("AWSPENDING --remove-from-version-id"), "{}: {commands}", finding.cause);
    }
}

fn plan_after(line: &str) -> Plan {
    let mut evidence = account();
    fail(&mut evidence, RotationStep::SetSecret, &[line]);
    diagnose(&evidence).plan
}

#[test]
fn commands_that_only_show_things_heal_nothing_and_the_plan_says_so() {
    let plan = plan_after("oracledb.exceptions.DatabaseError: ORA-01031: insufficient privileges");
    assert!(plan.steps.iter().all(|step| step.is_read_only || step.command.contains(" rotate-secret ")), "{plan:#?}");
    assert_eq!((plan.heals, plan.remaining.len()), (Some(false), 1), "{plan:#?}");
    assert!(plan.remaining[0].text.contains("the commands show where to look"), "{plan:#?}");
}

#[test]
fn what_may_pass_by_itself_is_open_and_not_beyond_mending() {
    let plan = plan_after("psycopg2.errors.LockNotAvailable: canceling statement due to lock timeout");
    assert_eq!((plan.heals, plan.remaining.len()), (None, 0), "{plan:#?}");
    assert!(plan.doubts.iter().any(|doubt| doubt.contains("passed by itself")), "{plan:#?}");
}

#[test]
fn an_open_plan_always_says_why() {
    for line in [
        "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"",
        "[ERROR] JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'",
        "[ERROR] Frobnication of the widget came to a bad end",
        "[ERROR] ValueError: Unable to log into database with previous, current, or pending secret of secret arn x",
    ] {
        let plan = plan_after(line);
        assert!(plan.heals.is_some() || plan.steps.is_empty() || !plan.doubts.is_empty(), "{line}: {plan:#?}");
    }
}

#[test]
fn a_call_that_only_the_log_tells_of_is_proven_by_the_roles_policies() {
    let line = "[ERROR] ClientError: An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: \
                arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: rds:DescribeDBInstances on \
                resource: * because no identity-based policy allows the rds:DescribeDBInstances action";
    let plan = plan_after(line);
    assert!(plan.steps.iter().any(|step| step.command.contains("rds:DescribeDBInstances")), "{plan:#?}");
    assert_eq!(plan.heals, Some(true), "{plan:#?}");
    // What the role may do already was not read: nobody can say what else it lacks.
    let mut evidence = account();
    fail(&mut evidence, RotationStep::SetSecret, &[line]);
    facts(&mut evidence.role).policies = denied("iam:ListRolePolicies");
    assert_eq!(diagnose(&evidence).plan.heals, None);
}

#[test]
fn a_key_that_a_managed_secret_lost_is_foretold_and_given_back() {
    let mut evidence = account();
    let config = facts(&mut evidence.rotation_config);
    config.function_arn = None;
    facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
    key_state(&mut evidence, "Disabled", None);
    let diagnosis = diagnose(&evidence);
    let foretold: Vec<Cause> = diagnosis.forecast.obstacles.iter().map(|one| one.cause).collect();
    assert!(foretold.contains(&Cause::ManagedSecretImpaired), "{foretold:?}");
    assert!(diagnosis.plan.steps.iter().any(|step| step.command.contains("kms enable-key")), "{:#?}", diagnosis.plan);
}

#[test]
fn a_rotation_that_cannot_work_before_something_is_mended_by_hand_is_said_to_come_after_that() {
    let mut evidence = healthy();
    let line = "ldap3.core.exceptions.LDAPInvalidCredentialsResult: LDAPInvalidCredentialsResult - 49 - invalidCredentials";
    fail(&mut evidence, RotationStep::SetSecret, &[line]);
    let diagnosis = diagnose(&evidence);
    let plan = &diagnosis.plan;
    assert_eq!(plan.heals, Some(false), "{plan:#?}");
    let retry = plan.steps.iter().find(|step| step.command.contains(" rotate-secret ")).unwrap();
    assert_eq!(retry.effect, "after that, rotates at once");
    assert!(plan.remaining[0].text.ends_with(" Rotate after that."), "{:?}", plan.remaining);
}

#[test]
fn looking_again_costs_no_forecast_and_the_last_look_has_one() {
    let mut evidence = account();
    fail_unseen(&mut evidence, None);
    evidence.function = record(no_data());
    let judged = crate::diagnosis::judge(&evidence);
    assert_eq!((&judged.plan, judged.forecast.obstacles.len()), (&Plan::default(), 0));
    assert_eq!(crate::diagnosis::foretell(&evidence, judged), diagnose(&evidence));
}

#[test]
fn a_healthy_secret_has_a_forecast_and_no_plan() {
    let diagnosis = diagnose(&healthy());
    assert_eq!(diagnosis.plan, Plan::default());
    assert_eq!(diagnosis.forecast.obstacles, []);
    assert_eq!(diagnosis.forecast.next_rotation, Some(now() + jiff::SignedDuration::from_hours(480)));
    assert_eq!(diagnosis.forecast.unknown, ["what the database or service behind the secret answers"]);
    assert!(diagnosis.forecast.is_complete);
}

#[test]
fn what_was_not_seen_is_unknown_and_proves_no_plan() {
    let mut evidence = failing(&[&FAULTS[3]]);
    assert_eq!(FAULTS[3].cause, Cause::LambdaThrottledConcurrency);
    facts(&mut evidence.access).function_policy = denied("lambda:GetPolicy");
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.plan.heals, None);
    assert!(diagnosis.forecast.unknown.iter().any(|unknown| unknown.contains("lambda:GetPolicy")), "{:?}", diagnosis.forecast);
    assert!(!diagnosis.forecast.is_complete);
}

#[test]
fn a_trust_that_was_lost_since_the_last_rotation_is_foretold_and_given_back() {
    let mut evidence = healthy();
    facts(&mut evidence.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }
    ] }));
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.outcome, Outcome::Healthy);
    let foretold: Vec<Cause> = diagnosis.forecast.obstacles.iter().map(|one| one.cause).collect();
    assert_eq!(foretold, [Cause::IamIdentityPolicyMissing]);
    assert_eq!(diagnosis.plan.heals, Some(true));
    let given_back = diagnosis.plan.steps.iter().any(|step| step.command.contains("update-assume-role-policy"));
    assert!(given_back, "{:#?}", diagnosis.plan);
}

#[test]
fn a_trust_that_could_not_be_read_is_not_foretold() {
    let mut evidence = healthy();
    facts(&mut evidence.role).trust = denied("iam:GetRole");
    let diagnosis = diagnose(&evidence);
    assert_eq!((diagnosis.outcome, diagnosis.forecast.is_complete), (Outcome::Healthy, false));
    let is_about_trust = |unknown: &String| unknown.contains("Lambda may assume") && unknown.contains("iam:GetRole");
    assert!(diagnosis.forecast.unknown.iter().any(is_about_trust), "{:?}", diagnosis.forecast);
    // An invocation of the failed rotation has shown it.
    facts(&mut evidence.role).trust = Observation::NotApplicable { because: "the function runs".to_owned() };
    assert!(diagnose(&evidence).forecast.is_complete);
}
