//! What only AWS's rotation templates print.
//!
//! Source: aws-samples/aws-secrets-manager-rotation-lambdas. Error lines come in pairs (logged, then
//! raised); both match the same entry.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::{Cause, RotationStep::*};

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::SuperuserMetadataNotFound, AccessLayer, &[
        r"is not a valid DB (?:Cluster|Instance) ARN\. No \w+ found",
        r"but Redshift can't find",
    ])
    .matches(&[
        "[ERROR] ValueError: arn:aws:rds:us-east-1:123456789012:db:x is not a valid DB Instance ARN. No Instances found when using DescribeDBInstances RDS API to get connection params.",
        "setSecret: The secret has a tag aws:redshift:primaryclusterarn, but Redshift can't find the cluster defined in the tag: x",
    ])
    .ignores(&["setSecret: Successfully fetched connection params for Master Secret a from DescribeDBInstances API."]),
    is(Cause::SuperuserMetadataNotFound, AccessLayer, &[
        r"but the ARN in the tag exceeds the maximum length",
        r"is not a valid DB (?:Cluster|Instance) ARN\. It exceeds the maximum length",
    ])
    .fault(Fault::TagInvalid)
    .matches(&[
        "[ERROR] ValueError: x is not a valid DB Instance ARN. It exceeds the maximum length of 256.",
        "[ERROR] ValueError: The secret has a tag aws:redshift:primaryclusterarn or aws:redshift-serverless:namespacearn, but the ARN in the tag exceeds the maximum length 2048.",
    ])
    .ignores(&["[INFO] the ARN in the tag is valid"]),
    is(Cause::SuperuserMetadataApiError, AccessLayer, &[r"API error while fetching connection parameters from"])
    .matches(&["[ERROR] Exception: Encountered API error while fetching connection parameters from DescribeDBInstances RDS API: An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: arn:aws:sts::123456789012:assumed-role/rotator/fn is not authorized to perform: rds:DescribeDBInstances on resource: x because no identity-based policy allows the rds:DescribeDBInstances action"])
    .ignores(&["[INFO] fetching connection parameters from DescribeDBInstances"]),
    is(Cause::SecretUsernameChanged, SecretContent, &[
        r"Attempting to modify user \S+ other than",
        r"^.*Username \S+ in current dict does not match username",
        r"user(?:name)? .*(?:in|of) (?:the )?(?:current|AWSCURRENT).* does(?: not|n't) match .*(?:pending|AWSPENDING)",
    ])
    .matches(&[
        "[ERROR] ValueError: Attempting to modify user app_clone other than current user app",
        "[ERROR] ValueError: Username app in current dict does not match username app2 in pending dict",
    ])
    .ignores(&["[INFO] Username app in current dict matches"]),
    is(Cause::DbHostMismatchReplica, SecretContent, &[
        r"Attempting to modify user for (?:a )?DB \S+ other than",
        r"attempting to use a new DB instance for rotating token",
    ])
    .step(SetSecret)
    .fault(Fault::AnotherInstance)
    .matches(&[
        "[ERROR] ValueError: Attempting to modify user for DB a other than current DB b.",
        "[ERROR] ValueError: Rotation is attempting to use a new DB instance for rotating token for secret ARN a.",
    ])
    .ignores(&["[INFO] rotating the token of DB instance a"]),
    is(Cause::DbHostMismatchReplica, SecretContent, &[
        r"Attempting to modify user for host \S+ other than",
        r"Current database host \S+ is not the same host as",
    ])
    .step(SetSecret)
    .matches(&[
        "[ERROR] ValueError: Attempting to modify user for host a other than current host b",
        "setSecret: Current database host a is not the same host as/rds replica of master b",
    ])
    .ignores(&["[INFO] Current database host a is the same host as master a"]),
    is(Cause::UsernameTooLongForClone, SecretContent, &[r"username must not be empty after \S+ suffix is removed"])
        .fault(Fault::EmptyName)
        .step(CreateSecret)
        .matches(&["[ERROR] ValueError: Invalid username, username must not be empty after _clone suffix is removed"])
        .ignores(&["[INFO] the _clone suffix is removed"]),
    is(Cause::UsernameTooLongForClone, SecretContent, &[
        r"Unable to clone user, username length",
        r"username length .{0,40}would exceed \d+ characters",
    ])
    .matches(&["[ERROR] ValueError: Unable to clone user, username length with _clone appended would exceed 16 characters"])
    .ignores(&["[INFO] cloned user app_clone"])
    .step(CreateSecret),
    is(Cause::DbSuperuserLoginAmbiguous, AmbiguousLogin, &[
        r"Unable to log into (?:\w+ )?database using (?:the )?credentials in (?:the )?(?:master|admin|superuser)",
        r"(?:unable|failed|could not|cannot) to? ?(?:log ?in(?:to)?|connect|authenticate)\b.{0,80}(?:master|admin|superuser) (?:secret|user|credentials)",
    ])
    .step(SetSecret)
    .matches(&[
        "setSecret: Unable to log into database using credentials in master secret a",
        "[ERROR] ValueError: Unable to log into rdsadmin database using credentials in master secret a",
        "Failed to connect to the database with superuser credentials",
    ])
    .ignores(&["[INFO] logged into database using credentials in master secret a"]),
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[
        r"testSecret: Unable to log ?in",
        r"Unable to log into database with pending secret",
    ])
    .step(TestSecret)
    .matches(&["[ERROR] ValueError: Unable to log into database with pending secret of secret ARN a"])
    .ignores(&["testSecret: Successfully signed into MySQL DB with AWSPENDING secret in a."]),
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[r"Unable to log into database (?:with|using)"])
    .step(SetSecret)
    .matches(&[
        "setSecret: Unable to log into database with previous, current, or pending secret of secret arn a",
        "[ERROR] ValueError: Unable to log into database using current credentials for secret a",
    ])
    .ignores(&["Successfully logged into database with pending secret"]),
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[
        r"(?:Unable|Failed) to log ?in ?to (?:the )?(?:\w+ )?(?:database|db|server|cluster)",
        r"(?:Unable|Failed) to (?:establish|open|create|get|obtain) (?:an? |the )?(?:database|db) connection",
        r"(?:Unable|Failed|Could not|Cannot) (?:to )?connect to (?:the )?(?:\w+ )?(?:database\b|db(?:\s|$))",
        r"(?:database|db) (?:login|connection) (?:has )?failed",
        r": Connection failure with secret ARN",
    ])
    .matches(&[
        "setSecret: Unable to log into database",
        "[WARNING]\t2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tUnable to establish database connection",
        "Failed to connect to database",
        "database connection failed",
    ])
    .ignores(&["[INFO] connected to database db.example.internal", "If you are unable to log into the database, ask the DBA"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"Error encountered when attempting to set password in database for user",
        r"(?:^|: )Unable to create user \S+\s*$",
        r"Failed to update password for secret ARN",
    ])
    .matches(&[
        "setSecret: Error encountered when attempting to set password in database for user app",
        "[ERROR] ValueError: Unable to create user app\nTraceback (most recent call last):",
    ])
    .ignores(&["setSecret: Successfully set password for user app in Db2 DB for secret arn a."])
    .step(SetSecret),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"(?:^|: )User \S+ does not exist in database"])
        .step(SetSecret)
        .fault(Fault::UserGone)
        .matches(&["[ERROR] ValueError: User app does not exist in database"])
        .ignores(&["[INFO] user app exists in the database"]),
    is(Cause::TemplateBug, NamedFault, &[r"Invalid database (?:principal permission type|permission class) "])
        .engine("sqlserver")
        .step(SetSecret)
        .fault(Fault::PermissionUnknown)
        .matches(&["[ERROR] ValueError: Invalid database permission class 24"])
        .ignores(&["[INFO] database permission class 0 copied"]),
    is(Cause::TemplateBug, NamedFault, &[r"Cannot grant privilege to databases created from datashares"])
    .engine("redshift")
    .step(SetSecret)
    .matches(&["Cannot grant privilege to databases created from datashares and normal databases in one statement."])
    .ignores(&["granted privileges to the databases"]),
    is(Cause::TargetServiceAsyncPropagation, NamedFault, &[
        r"did not reach(?:ed)? the active status",
        r"InvalidUser(?:Group)?State",
        r"user \S+ is not in (?:the )?active state",
    ])
    .engine("elasticache")
    .matches(&[
        "[ERROR] ValueError: a: user app associated with secret b did not reached the active status.",
        "botocore.errorfactory.InvalidUserStateFault: An error occurred (InvalidUserState) when calling the ModifyUser operation: User is in modifying state",
    ])
    .ignores(&["a: user app active, exiting."]),
];
