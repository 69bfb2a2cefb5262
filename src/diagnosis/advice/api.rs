//! What an API of AWS answers to the function that calls it.

use super::{Advice, Shown};
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, TROUBLESHOOTING, aws, aws_in};
use crate::diagnosis::signatures::refused_call;
use crate::lambda_log::Record;
use crate::model::Remediation;

/// AWS's page on the pause that Aurora takes, and how long it takes to wake.
const AUTO_PAUSE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html";

/// AWS's page on the passwords that RDS manages in secrets of its own.
const MANAGED_BY_RDS: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html";

pub(super) fn user_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let text = shown.text();
    if text.contains("Access Key with id") {
        return access_key_gone(shown);
    }
    let of_iam =
        ["NoSuchEntity", "LoginProfile", "AccessKey", "ServiceSpecificCredential"].iter().any(|word| text.contains(word));
    let of_cache = ["UserNotFoundFault", "(UserNotFound", "UserGroupNotFound", "ReplicationGroup", "CacheCluster", "ACLNotFound"]
        .iter()
        .any(|word| text.contains(word));
    let remediation = Remediation::new(
        "List the service's users, and store the ARN or name of an existing one in the secret, or create the user again. Remove \
         AWSPENDING from the version created before, and rotate.",
    );
    let remediation = if of_iam {
        list_iam_users(remediation)
    } else if of_cache {
        remediation.run(aws_in(shown.context, &["elasticache", "describe-users"])).needs("elasticache:DescribeUsers")
    } else {
        remediation
    };
    Advice {
        title: "the service knows no such user".into(),
        explanation: format!(
            "The service behind the secret answered{} that the user in the secret does not exist.",
            shown.in_step()
        ),
        remediation: remediation
            .put_value(shown.context)
            .discard_pending(shown.context)
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

fn list_iam_users(remediation: Remediation) -> Remediation {
    remediation.run(aws(&["iam", "list-users", "--query", "Users[].[UserName,CreateDate]"])).needs("iam:ListUsers")
}

fn access_key_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let remediation = Remediation::new(
        "See which keys the user has (iam list-access-keys), and compare them with those in AWSCURRENT and AWSPENDING. If only the \
         old key is gone, nothing is left to delete: let the function accept NoSuchEntity there. If the key in the secret is gone, \
         store one that exists. Then rotate.",
    );
    Advice {
        title: "IAM knows no such access key".into(),
        explanation: format!(
            "IAM answered{} that the access key which the call names does not exist: it was deleted before.",
            shown.in_step()
        ),
        remediation: list_iam_users(remediation).rotate(shown.context).link(ROTATION_FUNCTIONS),
    }
}

pub(super) fn refused(shown: Shown<'_, '_, '_>) -> Advice {
    let text = Record::read(shown.text()).text;
    if let Some(advice) = managed_by_rds(shown, &text).or_else(|| endpoint_off(shown, &text)) {
        return advice;
    }
    let call = refused_call(&text);
    let name = call.and_then(|call| call.name);
    let named = name.map_or_else(|| "a call of the function".to_owned(), |name| format!("the call {name}"));
    let code = call.and_then(|call| call.code).map(|code| format!(" with {code}")).unwrap_or_default();
    let fix = Remediation::new(
        "Correct what the quoted answer names: what the function passes to the call, or the state of what the call is about. Then \
         rotate.",
    );
    let fix = match name.filter(|name| !is_data_call(name)) {
        // The event history has each call that manages something, with its parameters and the answer.
        Some(name) => {
            let attribute = format!("AttributeKey=EventName,AttributeValue={name}");
            let query = "Events[].CloudTrailEvent";
            let look = ["cloudtrail", "lookup-events", "--lookup-attributes", &attribute, "--max-results", "5", "--query", query];
            fix.run(aws_in(shown.context, &look)).needs("cloudtrail:LookupEvents")
        }
        None => list_databases(shown, fix),
    };
    Advice {
        title: "AWS refuses what the function asks for".into(),
        explanation: format!(
            "AWS refused {named}{}{code}: not for want of a permission, but for what the function asked, or for the state of what it \
             asked about.",
            shown.in_step()
        ),
        remediation: fix.rotate_after_others(shown.context).link(ROTATION_FUNCTIONS),
    }
}

/// The databases of the region, where the line is about one: what the API says of them is asked for by its own names.
fn list_databases(shown: Shown<'_, '_, '_>, fix: Remediation) -> Remediation {
    let text = shown.text();
    if text.contains("edshift") || text.contains("ModifyCluster operation") {
        let query = "Clusters[].[ClusterIdentifier,ClusterStatus]";
        return fix
            .run(aws_in(shown.context, &["redshift", "describe-clusters", "--query", query]))
            .needs("redshift:DescribeClusters");
    }
    if !["DB", "Rds", "RDS", "ExecuteStatement", "Transaction"].iter().any(|word| text.contains(word)) {
        return fix;
    }
    let clusters = "DBClusters[].[DBClusterIdentifier,Status]";
    let instances = "DBInstances[].[DBInstanceIdentifier,DBInstanceStatus]";
    fix.run(aws_in(shown.context, &["rds", "describe-db-clusters", "--query", clusters]))
        .run(aws_in(shown.context, &["rds", "describe-db-instances", "--query", instances]))
        .needs("rds:DescribeDBClusters")
        .needs("rds:DescribeDBInstances")
}

/// True for statements through the Data APIs of RDS and Redshift, which the event history does not keep.
fn is_data_call(name: &str) -> bool {
    name.ends_with("ExecuteStatement") || name.ends_with("Transaction") || name == "ExecuteSql"
}

/// The user's password is RDS's own business: `ManageMasterUserPassword` was turned on.
fn managed_by_rds(shown: Shown<'_, '_, '_>, text: &str) -> Option<Advice> {
    let is_change = ["ModifyDBInstance", "ModifyDBCluster"].iter().any(|call| text.contains(call));
    let small = text.to_ascii_lowercase();
    let says = ["managemasteruserpassword", "manage master user password", "managed master", "secrets manager integration"];
    let is_managed = ["masteruserpassword", "master user password", "master password"].iter().any(|word| small.contains(word))
        && says.iter().any(|word| small.contains(word));
    (is_change && is_managed).then(|| {
        let query = "DBInstances[].[DBInstanceIdentifier,MasterUserSecret.SecretArn]";
        let clusters = "DBClusters[].[DBClusterIdentifier,MasterUserSecret.SecretArn]";
        let fix = Remediation::new(
            "Let the applications read the secret that RDS keeps for the database (MasterUserSecret), and turn off the rotation of \
             this one. Or turn off RDS's management, if this secret is to stay the one.",
        )
        .run(aws_in(shown.context, &["rds", "describe-db-instances", "--query", query]))
        .run(aws_in(shown.context, &["rds", "describe-db-clusters", "--query", clusters]))
        .needs("rds:DescribeDBInstances")
        .needs("rds:DescribeDBClusters")
        .link(MANAGED_BY_RDS);
        Advice {
            title: "RDS manages the master user's password itself".into(),
            explanation: format!(
                "The function tried to set the master user's password{}, and RDS refused: it keeps that password in a secret of its \
                 own and changes it by itself.",
                shown.in_step()
            ),
            remediation: fix,
        }
    })
}

/// The cluster's Data API is turned off.
fn endpoint_off(shown: Shown<'_, '_, '_>, text: &str) -> Option<Advice> {
    let (_, rest) = text.split_once("HttpEndpoint is not enabled for cluster ")?;
    let cluster = rest.split([' ', '.', '"', '\n']).next().filter(|name| !name.is_empty())?;
    let secret = shown.context.secret()?.arn.arn();
    let arn = format!("arn:{}:rds:{}:{}:cluster:{cluster}", secret.partition(), secret.region(), secret.account_id());
    let fix = Remediation::new("Turn on the cluster's Data API, and rotate.")
        .run(aws_in(shown.context, &["rds", "enable-http-endpoint", "--resource-arn", &arn]))
        .needs("rds:EnableHttpEndpoint")
        .rotate(shown.context)
        .link("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html");
    Some(Advice {
        title: "the cluster's Data API is turned off".into(),
        explanation: format!(
            "The function runs its statements through the RDS Data API{}, which the cluster {cluster} does not have turned on.",
            shown.in_step()
        ),
        remediation: fix,
    })
}

pub(super) fn database_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let fix = Remediation::new(
        "Compare the identifier that the quoted line names with the databases of the region. If the database was renamed, correct \
         the identifier where the function takes it from: the secret, its tags or the function's environment. If it was deleted, \
         restore it, or turn off the rotation of this secret. Then rotate.",
    );
    Advice {
        title: "AWS knows no such database".into(),
        explanation: format!(
            "The function asked AWS to change a database{}, and AWS answered that none has this identifier in this account and \
             region: it was renamed or deleted, or is elsewhere.",
            shown.in_step()
        ),
        remediation: list_databases(shown, fix).rotate(shown.context).link(TROUBLESHOOTING),
    }
}

pub(super) fn database_down(shown: Shown<'_, '_, '_>) -> Advice {
    let fix = Remediation::new(
        "See what state the database is in. Start it if it is stopped, wait while it changes its state, or repair what AWS names. \
         Then rotate.",
    );
    Advice {
        title: "the database is in a state in which its password cannot be set".into(),
        explanation: format!(
            "AWS refused to change the database{} because of the state that the quoted line names. A longer wait of the function \
             does not help as long as the database stays in it.",
            shown.in_step()
        ),
        remediation: list_databases(shown, fix).rotate(shown.context).link(TROUBLESHOOTING),
    }
}

pub(super) fn database_resuming(shown: Shown<'_, '_, '_>) -> Advice {
    let query = "DBClusters[].[DBClusterIdentifier,Status,ServerlessV2ScalingConfiguration]";
    let fix = Remediation::new(
        "Wake the database with any statement, wait half a minute, and rotate. So that it does not happen again, let the function try \
         anew while the database wakes, which takes some 15 seconds and longer after a day's pause, or give the cluster a least \
         capacity above 0.",
    )
    .run(aws_in(shown.context, &["rds", "describe-db-clusters", "--query", query]))
    .needs("rds:DescribeDBClusters");
    Advice {
        title: "the database was still waking from its pause".into(),
        explanation: format!(
            "Aurora had paused the database because nobody used it, and it was not awake yet when the function asked{}. Neither the \
             password nor the network is at fault.",
            shown.in_step()
        ),
        remediation: fix.rotate(shown.context).link(AUTO_PAUSE),
    }
}
