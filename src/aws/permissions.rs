//! What each feature asks of AWS, and what none may ever ask: the one table behind `rotation-diag iam-policy` and the policies
//! in `deploy/`. The tests hold it to the calls that are really made.

use serde_json::{Value, json};

/// Something the bot can be run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// What `iam-policy --for` calls it.
    pub name: &'static str,
    /// The `Sid` of its statement.
    pub sid: &'static str,
    /// All actions it needs, as policies name them, sorted.
    pub actions: &'static [&'static str],
    /// False for what is only granted where it is asked for by name.
    pub by_default: bool,
}

/// All features. A statement of a policy leaves out what an earlier one of these grants already.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "diagnose",
        sid: "ReadWhatADiagnosisNeeds",
        actions: &[
            "cloudtrail:DescribeTrails",
            "cloudtrail:LookupEvents",
            "cloudwatch:GetMetricData",
            "health:DescribeEvents",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:SimulatePrincipalPolicy",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "lambda:GetFunctionConcurrency",
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents",
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetResourcePolicy",
            "secretsmanager:ListSecretVersionIds",
            "secretsmanager:ListSecrets",
        ],
        by_default: true,
    },
    Feature {
        name: "network",
        sid: "ReadTheNetwork",
        actions: &[
            "ec2:DescribeNatGateways",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeTransitGatewayAttachments",
            "ec2:DescribeTransitGatewayVpcAttachments",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcPeeringConnections",
            "ec2:GetManagedPrefixListEntries",
            "ec2:SearchTransitGatewayRoutes",
            "rds:DescribeDBClusterParameters",
            "rds:DescribeDBClusters",
            "rds:DescribeDBInstances",
            "rds:DescribeDBParameters",
            "rds:DescribeDBProxies",
        ],
        by_default: true,
    },
    Feature {
        name: "code",
        sid: "ReadTheFunctionsCode",
        actions: &["lambda:GetFunction", "lambda:GetLayerVersion"],
        by_default: false,
    },
    Feature {
        name: "alarms",
        sid: "LetAlarmsArrive",
        actions: &[
            "cloudtrail:DescribeTrails",
            "cloudtrail:LookupEvents",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
            "logs:FilterLogEvents",
            "secretsmanager:ListSecrets",
            "sns:ConfirmSubscription",
            "sns:GetSubscriptionAttributes",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
        ],
        by_default: true,
    },
];

/// Actions that show a secret's value, or what a log group masks.
const VALUES: &[&str] = &["logs:Unmask", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"];

/// Actions that change something in the services that are looked at, by service; what they begin with.
///
/// Source: the services' pages in the Service Authorization Reference. `sns:ConfirmSubscription` is none of them.
const CHANGES: &[(&str, &[&str])] = &[
    ("cloudtrail", &["Add*", "Create*", "Delete*", "Deregister*", "Put*", "Register*", "Remove*", "Start*", "Stop*", "Update*"]),
    ("cloudwatch", &["Delete*", "Disable*", "Enable*", "Put*", "Set*", "Start*", "Stop*", "Tag*", "Untag*"]),
    ("ec2", &["Authorize*", "Create*", "Delete*", "Modify*", "Replace*", "Revoke*"]),
    (
        "iam",
        &[
            "Add*", "Attach*", "Create*", "Delete*", "Detach*", "PassRole", "Put*", "Remove*", "Set*", "Tag*", "Untag*",
            "Update*", "Upload*",
        ],
    ),
    (
        "kms",
        &[
            "Cancel*",
            "Create*",
            "Delete*",
            "Disable*",
            "Enable*",
            "Import*",
            "Put*",
            "Replicate*",
            "Retire*",
            "Revoke*",
            "Rotate*",
            "Schedule*",
            "Tag*",
            "Untag*",
            "Update*",
        ],
    ),
    ("lambda", &["Add*", "Create*", "Delete*", "Enable*", "Invoke*", "Publish*", "Put*", "Remove*", "Tag*", "Untag*", "Update*"]),
    ("logs", &["Associate*", "Create*", "Delete*", "Disassociate*", "Put*", "Tag*", "Untag*", "Update*"]),
    ("rds", &["Create*", "Delete*", "Modify*", "Reboot*", "Start*", "Stop*"]),
    (
        "secretsmanager",
        &[
            "Cancel*",
            "Create*",
            "Delete*",
            "Put*",
            "Remove*",
            "Replicate*",
            "Restore*",
            "Rotate*",
            "Stop*",
            "Tag*",
            "Untag*",
            "Update*",
        ],
    ),
    ("sns", &["Add*", "Create*", "Delete*", "Publish*", "Put*", "Remove*", "Set*", "Subscribe", "Tag*", "Unsubscribe", "Untag*"]),
];

/// A statement of a policy, on all resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStatement {
    /// Its `Sid`.
    pub sid: &'static str,
    /// True where it allows, false where it denies.
    pub allows: bool,
    /// Sorted.
    pub actions: Vec<String>,
    /// `*`, or the ARNs it is limited to.
    pub resources: Vec<String>,
}

impl PolicyStatement {
    fn everywhere(sid: &'static str, allows: bool, actions: Vec<String>) -> PolicyStatement {
        PolicyStatement { sid, allows, actions, resources: vec!["*".to_owned()] }
    }

    /// `Allow` or `Deny`.
    #[must_use]
    pub const fn effect(&self) -> &'static str {
        if self.allows { "Allow" } else { "Deny" }
    }
}

/// The statements that grant these features and deny secret values and changes. `roles` are those it assumes in other
/// accounts; with `names_the_asker` it may tell them who asked.
#[must_use]
pub fn statements(features: &[&Feature], roles: &[String], names_the_asker: bool) -> Vec<PolicyStatement> {
    let mut statements: Vec<PolicyStatement> = Vec::new();
    for feature in features {
        let is_granted = |action: &&&str| statements.iter().any(|earlier| earlier.actions.iter().any(|one| one == **action));
        let actions: Vec<String> =
            feature.actions.iter().filter(|action| !is_granted(action)).map(|one| (*one).to_owned()).collect();
        if !actions.is_empty() {
            statements.push(PolicyStatement::everywhere(feature.sid, true, actions));
        }
    }
    if !roles.is_empty() {
        let needed: &[&str] = if names_the_asker { &["sts:AssumeRole", "sts:SetSourceIdentity"] } else { &["sts:AssumeRole"] };
        let actions = needed.iter().map(|action| (*action).to_owned()).collect();
        let resources = roles.to_vec();
        statements.push(PolicyStatement { sid: "AssumeTheReadersOfOtherAccounts", allows: true, actions, resources });
    }
    let values = VALUES.iter().map(|action| (*action).to_owned()).collect();
    statements.push(PolicyStatement::everywhere("NeverReadSecretValues", false, values));
    let changes = CHANGES.iter().flat_map(|(service, verbs)| verbs.iter().map(move |verb| format!("{service}:{verb}")));
    statements.push(PolicyStatement::everywhere("NeverChangeAnything", false, changes.collect()));
    statements
}

/// These statements as a policy document.
#[must_use]
pub fn document(statements: &[PolicyStatement]) -> Value {
    let statements: Vec<Value> = statements
        .iter()
        .map(|one| {
            let resource = match one.resources.as_slice() {
                [single] => json!(single),
                several => json!(several),
            };
            json!({ "Sid": one.sid, "Effect": one.effect(), "Action": one.actions, "Resource": resource })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest managed policy, without white space. Source: IAM quotas, "Managed policy length".
    const MAX_POLICY_CHARS: usize = 6_144;

    #[test]
    fn lists_are_sorted_and_no_feature_is_granted_what_is_denied() {
        let all: Vec<&Feature> = FEATURES.iter().collect();
        for feature in &all {
            assert!(feature.actions.is_sorted(), "{}", feature.name);
        }
        let statements = statements(&all, &[], false);
        let denied: Vec<&String> = statements.iter().filter(|one| !one.allows).flat_map(|one| &one.actions).collect();
        for action in all.iter().flat_map(|feature| feature.actions) {
            let hit = denied.iter().find(|pattern| match pattern.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => pattern.as_str() == *action,
            });
            assert_eq!(hit, None, "{action}");
        }
        for one in &statements {
            assert!(one.actions.is_sorted(), "{}", one.sid);
        }
    }

    #[test]
    fn the_whole_policy_fits_into_a_managed_one() {
        let all: Vec<&Feature> = FEATURES.iter().collect();
        let roles: Vec<String> = (0..5).map(|id| format!("arn:aws:iam::12345678901{id}:role/rotation-diag-reader")).collect();
        let length = document(&statements(&all, &roles, true)).to_string().len();
        assert!(length <= MAX_POLICY_CHARS, "{length}");
    }

    #[test]
    fn a_feature_alone_has_all_it_needs_and_beside_another_only_what_is_missing() {
        let [diagnose, alarms] = ["diagnose", "alarms"].map(|name| FEATURES.iter().find(|one| one.name == name).unwrap());
        let alone = statements(&[alarms], &[], false);
        assert_eq!(alone[0].actions, alarms.actions);
        let beside = statements(&[diagnose, alarms], &[], false);
        assert_eq!(beside[0].actions, diagnose.actions);
        assert!(beside[1].actions.iter().all(|action| !diagnose.actions.contains(&action.as_str())), "{beside:?}");
        assert!(beside[1].actions.contains(&"cloudwatch:DescribeAlarms".to_owned()));
    }
}
