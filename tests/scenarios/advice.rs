//! What single scenarios say, and what they must not say.

use super::*;

async fn scenario(name: &str) -> Investigation {
    let (name, text) = Scenario::embedded().find(|(own, _)| *own == name).unwrap();
    let played = play(name, text).await;
    assert_eq!(complaints(&played), [""; 0]);
    played.investigation
}

#[tokio::test(flavor = "multi_thread")]
async fn the_change_behind_a_failure_is_named_with_its_maker_and_what_it_did_however_long_before() {
    let rewritten = scenario("policy_rewritten_days_before").await;
    let told = &rewritten.diagnosis.findings[0].explanation;
    assert!(
        told.starts_with(
            "ci-terraform/run-77 (with Terraform) called PutRolePolicy on routes-rotator-role 5 days before the first failure, \
             and so caused it. "
        ),
        "{told}"
    );
    let closed = scenario("database_group_closed_by_range").await;
    let told = &closed.diagnosis.findings[0].explanation;
    assert!(
        told.starts_with("carol called RevokeSecurityGroupIngress on sg-0database 6 days before the first failure"),
        "{told}"
    );
    let step_9 = &closed.evidence.changes.summary;
    assert!(step_9.contains("1 change set aside: RevokeSecurityGroupIngress on sg-0bastion by carol"), "{step_9}");
    let partner = scenario("partner_role_names_another_region").await;
    let told = &partner.diagnosis.findings[0].explanation;
    assert!(told.contains("ci-terraform/run-77 (with Terraform) called UpdateAssumeRolePolicy"), "{told}");
    assert!(told.contains("us-west-2"), "{told}");
    for name in ["partner_role_names_another_region", "partner_rotation_role"] {
        let evidence = scenario(name).await.evidence;
        let statuses = [evidence.role.observation.status(), evidence.access.observation.status()];
        assert_eq!(statuses, ["found"; 2], "{name}: steps 5 and 8");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inconclusive_end_names_what_to_look_at_next_the_most_telling_first() {
    let blind = scenario("bot_without_logs").await;
    let report = Report::new(&blind);
    let looks = wording::next_looks(&report);
    assert!(looks[0].starts_with("allow logs:FilterLogEvents, and look again (this would settle "), "{looks:?}");
    assert!(report::text(&report, 110).contains("1. allow logs:FilterLogEvents"));
    let counts: Vec<usize> = blind.diagnosis.next_looks.iter().map(|look| look.decides.len()).collect();
    assert!(counts.is_sorted_by(|one, other| one >= other), "{counts:?}");
}

/// A scenario, where the report says something, and whether it says it.
type ReportExpectation = (&'static str, fn(&Report) -> String, &'static str, bool);

fn commands(report: &Report) -> String {
    report.plan.iter().map(|step| format!("{}\n", step.command)).collect()
}

fn remedy(report: &Report) -> String {
    let remedy = report.leading().map(|finding| &finding.remediation);
    let warning = remedy.and_then(|remedy| remedy.warning.as_ref()).map(ToString::to_string).unwrap_or_default();
    format!("{} {warning}", remedy.map(|remedy| remedy.summary.to_string()).unwrap_or_default())
}

fn happened(report: &Report) -> String {
    report.leading().map(wording::what_happened).unwrap_or_default().to_string()
}

fn effects(report: &Report) -> String {
    report.plan.iter().map(|step| format!("{}\n", step.effect)).collect()
}

fn needs(report: &Report) -> String {
    outlook::needs(report).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn proven(report: &Report) -> String {
    report.leading().into_iter().flat_map(|finding| &finding.evidence).map(|proof| format!("{}\n", proof.text)).collect()
}

fn headline(report: &Report) -> String {
    wording::headline(report).to_string()
}

fn summaries(report: &Report) -> String {
    report.steps.iter().map(|step| format!("{}\n", step.summary)).collect()
}

fn ways_back(report: &Report) -> String {
    outlook::undo(report).into_iter().map(|undo| format!("{undo}\n")).collect()
}

fn worth(report: &Report) -> String {
    outlook::worth(report).map(|worth| worth.to_string()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_advice_is_for_the_fault_that_was_seen_and_does_no_harm() {
    let expected: &[ReportExpectation] = &[
        // What was detached is attached again, and not written anew.
        ("role_detached_policy", commands, "attach-role-policy --role-name orders-rotator-role", true),
        ("role_detached_policy", commands, "put-role-policy", false),
        ("role_detached_policy", ways_back, "detach-role-policy", true),
        ("role_lost_two_policies", commands, "policy/ledger-write", true),
        ("role_lost_two_policies", commands, "policy/ledger-stage", true),
        ("role_lost_two_policies", worth, "nothing known stands in the way", true),
        // What a policy did not give, its loss did not take.
        ("role_lost_another_policy", commands, "attach-role-policy", false),
        ("role_lost_another_policy", commands, "put-role-policy", true),
        ("role_lost_another_policy", happened, "DetachRolePolicy", false),
        // What the role has already is not given to it again: the rest is the owner's.
        ("kms_key_of_another_account", commands, "put-role-policy", false),
        ("kms_key_of_another_account", remedy, "Ask the account 444455556666", true),
        ("kms_key_of_another_account", worth, "Rotate after that", true),
        ("current_label_moved_back", headline, "rotates, but AWSCURRENT was moved back to an older version", true),
        // What works today and fails next time is not healthy, and what fails beside it is another's.
        ("healthy_with_a_policy_that_would_deny", headline, "rotates, but the next rotation will fail", true),
        ("healthy_beside_a_failing_secret", headline, "is healthy", true),
        ("healthy_beside_a_failing_secret", summaries, "for other secrets", true),
        ("healthy_beside_a_failing_secret", summaries, "counted for every secret of the function", true),
        // No other account can use the AWS managed key.
        ("secret_policy_lacks_cross_account_allow", commands, "--kms-key-id NEW_KEY_ID", true),
        // There is no way back to what is gone.
        ("function_deleted", ways_back, "# nothing to go back to: the function", true),
        ("subnet_deleted", ways_back, "--vpc-config", false),
        ("runtime_updated_by_aws", ways_back, "--update-runtime-on Auto", true),
        // A person put it there, and the database has no password of it.
        ("pending_label_stuck", happened, "walter called PutSecretValue", true),
        ("pending_label_stuck", remedy, "only copy", false),
        ("managed_by_rds_without_its_key", commands, "--db-instance-identifier invoices --rotate-master-user-password", true),
        // No database is behind these.
        ("third_party_refuses_the_token", remedy, "in the database", false),
        ("cache_user_stays_in_modification", happened, "so the cache may have the pending password", true),
        // RDS's secrets are rotated by RDS: RotateSecret would be refused.
        ("managed_by_rds_failing", commands, "rotate-secret", false),
        ("managed_by_rds_without_its_key", commands, "rotate-secret", false),
        // No function, no role of Lambda's.
        ("partner_role_allows_another_type", worth, "Lambda", false),
        ("partner_role_allows_another_type", commands, "rotate-secret", true),
        // The pending version may have the only copy of a password, while nobody knows why the rotation failed.
        ("bot_without_logs", commands, "--remove-from-version-id", false),
        ("bot_may_only_describe", commands, "--remove-from-version-id", false),
        // KMS says no more of a disabled key than that access is not allowed.
        ("kms_key_disabled", headline, "is not rotating", true),
        ("kms_key_disabled", happened, "The next rotation will fail", false),
        // A handler does not mend a file that cannot be read, and may be the right one.
        ("syntax_error_deployed", commands, "--handler", false),
        ("describe_throttled_once", commands, "--handler", false),
        // Lambda refuses the subnet that is gone once more.
        ("subnet_deleted", commands, "SubnetIds=subnet-0b61", false),
        ("subnet_deleted", happened, "called DeleteSubnet on subnet-0b61", true),
        ("layer_taken_away", remedy, "put back the layer", true),
        ("layer_taken_away", proven, "Cannot find module", true),
        ("import_error_json", proven, "Unable to import module", true),
        // Code for the new runtime would fail on the old one.
        ("runtime_upgraded_under_the_bundle", commands, "--runtime python3.13", true),
        ("runtime_upgraded_under_the_bundle", commands, "update-function-code", false),
        // The plan takes the label off, so that nothing may say that it stays.
        ("rotation_through_a_proxy", remedy, "stays where it is", false),
        ("third_party_refuses_the_token", happened, "answered 401", true),
        ("third_party_unavailable", happened, "answered 503", true),
        ("third_party_unavailable", commands, "put-secret-value", false),
        // Each engine's own client sets the password, which is on no command line.
        ("sqlserver_login_failed", commands, "| sqlcmd -x -b", true),
        ("sqlserver_login_failed", remedy, "No command here does that", false),
        ("mongodb_authentication_failed", commands, "| mongosh --quiet \"$ADMIN_URI\"", true),
        ("transit_gateway_blackhole", commands, "replace-transit-gateway-route", false),
        (
            "transit_gateway_blackhole",
            commands,
            "create-transit-gateway-route --transit-gateway-route-table-id tgw-rtb-0f7",
            true,
        ),
        ("transit_gateway_of_another_account", commands, "transit-gateway-route", false),
        ("no_way_back_from_the_peered_vpc", commands, "create-route --route-table-id rtb-0a5data", true),
        ("postgres_password_refused", remedy, "No command here does that", false),
        // A replica is as it should be.
        ("replica_of_another_region", headline, "is not rotating", false),
        ("replica_of_another_region", worth, "next rotation", false),
        ("no_such_secret", worth, "next rotation", false),
        ("label_taken_away_in_a_race", happened, "less than a minute before the first failure", true),
        ("function_deleted", |report| wording::changes(report).0.iter().map(ToString::to_string).collect(), "(with ", false),
        ("two_access_keys_already", commands, "list-access-keys", true),
        // Whose session was refused is who has to be allowed.
        ("secret_policy_lacks_cross_account_allow", commands, "arn:aws:iam::444455556666:role/shared-rotation", true),
        // The version that was overwritten needs nobody to read a value.
        ("value_written_back_by_terraform", commands, "--version-stage AWSCURRENT --move-to-version-id", true),
        ("value_written_back_by_terraform", commands, "put-secret-value", false),
        // A package does not bring back a layer.
        ("layer_taken_away", commands, "list-versions-by-function", true),
        ("layer_taken_away", commands, "update-function-code", false),
        ("user_made_for_another_host", commands, "RENAME USER", true),
        ("user_made_for_another_host", remedy, "every address", true),
        ("trust_never_included_lambda", headline, "may not assume the function's role", true),
        ("trust_and_permission_both_lost", commands, "update-assume-role-policy", true),
        ("trust_and_permission_both_lost", commands, "put-role-policy", true),
        // What else the command changes at the same time.
        ("managed_by_rds_failing", remedy, "wait for the maintenance window", true),
        ("database_storage_full", remedy, "never takes storage back", true),
        // Not only the log shows these, or no function has one.
        ("concurrency_of_one", worth, "log", false),
        ("partner_token_outlived_by_its_interval", worth, "log", false),
        ("out_of_memory", worth, "nothing but the function's log", true),
        ("operator_may_not_rotate", worth, "passed by itself", false),
        // A partner's system rotates without a function.
        ("partner_token_expired", needs, "lambda:InvokeFunction", false),
        ("postgres_password_refused", needs, "lambda:InvokeFunction", true),
        // A client that no command uses, and words about another engine.
        ("failed_last_sunday", commands, "FROM pg_roles", true),
        ("postgres_password_refused", remedy, "mysql", false),
        ("mysql_snapshot_restored", remedy, "psql", false),
        ("sqlserver_login_failed", remedy, "made again", false),
        ("addresses_used_up", happened, "have no free address", true),
        ("third_party_refuses_the_token", happened, "answered 401 in setSecret", true),
        ("secret_lacks_password_key", effects, "saves the superuser's value", true),
        ("runtime_updated_by_aws", effects, "does not check", false),
    ];
    let mut faults = Vec::new();
    for played in played().await {
        let report = Report::new(&played.investigation);
        for (_, place, words, is_said) in expected.iter().filter(|(name, ..)| *name == played.name) {
            let text = place(&report);
            if text.contains(words) != *is_said {
                faults.push(format!("{}: {} {words:?}: {text}", played.name, if *is_said { "lacks" } else { "says" }));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
