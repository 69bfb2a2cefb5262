//! AWS APIs: throttling, quotas, states, credentials.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::{Cause, RotationStep};
use regex::Regex;
use std::sync::LazyLock;

/// A key that was created a moment ago is unknown to other endpoints for a while.
fn credentials(line: &Line<'_>) -> Option<Cause> {
    Some(match line.step() {
        Some(RotationStep::TestSecret | RotationStep::SetSecret) => Cause::TargetServiceAsyncPropagation,
        _ => Cause::CodeUnhandledException,
    })
}

/// Names that only AWS gives a fault of its own, and marks of its SDKs: boto3 and the command line, Java 2 and 1, Go 2 and 1,
/// JavaScript, .NET, Rust, Ruby and PHP.
const OF_AWS: [&str; 22] = [
    "InternalServiceError",
    "KMSInternal",
    "KmsInternal",
    "error occurred on the server side",
    "when calling the ",
    "botocore",
    "(Service: ",
    "awssdk",
    "com.amazonaws",
    "operation error ",
    "https response error StatusCode",
    ", request id: ",
    "$fault",
    "$metadata",
    "aws-sdk",
    "@smithy",
    "Amazon.",
    "Error making request with Error Code",
    "aws_request_id",
    "smithy_",
    "Aws::",
    "AWS HTTP error",
];

/// True where AWS itself answered, and not a service of somebody else.
pub(super) fn is_of_aws(line: &Line<'_>) -> bool {
    OF_AWS.iter().any(|mark| line.event.contains(mark))
}

fn of_aws(line: &Line<'_>) -> Option<Cause> {
    is_of_aws(line).then_some(Cause::AwsServiceIssue)
}

/// A call that AWS refused: what its SDK prints of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) struct RefusedCall<'t> {
    /// Such as `ModifyDBInstance`, where the SDK prints it.
    pub(in crate::diagnosis) name: Option<&'t str>,
    /// Such as `InvalidParameterCombination`.
    pub(in crate::diagnosis) code: Option<&'t str>,
}

/// What boto3, the SDK for Go and the SDKs for Java print.
static REFUSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\((?P<code>[A-Za-z][\w.]*)\) when calling the (?P<boto>\w+) operation|",
        r"operation error (?P<go_service>[\w ]+): (?P<go>\w+), https response error StatusCode: 4\d\d|",
        r"\(Service: (?P<java>[\w ]+)[,;] Status Code: 4\d\d"
    ))
    .ok()
});

/// The call of another service than Secrets Manager that AWS refused, as `text` tells of it.
pub(in crate::diagnosis) fn refused_call(text: &str) -> Option<RefusedCall<'_>> {
    /// What a rotation asks of Secrets Manager itself. Source: Secrets Manager API reference.
    const OF_SECRETS_MANAGER: [&str; 12] = [
        "BatchGetSecretValue",
        "CancelRotateSecret",
        "CreateSecret",
        "DescribeSecret",
        "GetRandomPassword",
        "GetSecretValue",
        "ListSecretVersionIds",
        "ListSecrets",
        "PutSecretValue",
        "RotateSecret",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ];
    let found = REFUSED.as_ref()?.captures(text)?;
    let field = |name| found.name(name).map(|field| field.as_str());
    let name = field("boto").or(field("go"));
    let service = field("go_service").or(field("java")).unwrap_or_default().replace(' ', "");
    let is_own = name.is_some_and(|name| OF_SECRETS_MANAGER.contains(&name)) || service.ends_with("SecretsManager");
    (!is_own).then_some(RefusedCall { name, code: field("code") })
}

/// What AWS refuses is its answer, and no exception of the function's own; what it does not permit is told elsewhere.
fn refused(line: &Line<'_>) -> Option<Cause> {
    // The RDS Data API and the Redshift Data API hand on what the database answered.
    const OTHERWISE: [&str; 6] =
        ["AccessDenied", "Unauthorized", "AuthorizationError", "not authorized", "SQLState", "Database error code"];
    if OTHERWISE.iter().any(|word| line.text.contains(word)) {
        return None;
    }
    refused_call(line.text).map(|_| Cause::TargetServiceError)
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"(?:is|are) not a valid password|Only printable ASCII characters besides",
        r"parameter (?:MasterUserPassword|AuthToken) (?:is|must|cannot)",
        r"\bMasterUserPassword\b.*(?:invalid|not valid|not a valid|must)",
        r"\bPasswords? length must be\b",
        r"PasswordPolicyViolation|password does not conform to (?:the )?(?:account )?(?:password )?policy|InvalidPasswordException",
    ])
    .step(RotationStep::SetSecret)
    .matches(&[
        "An error occurred (InvalidParameterValue) when calling the ModifyDBInstance operation: The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.",
        "PasswordPolicyViolationException: Password does not conform to the account password policy.",
        "An error occurred (InvalidParameterValue) when calling the ModifyUser operation: Passwords length must be between 16-128 characters.",
    ])
    .ignores(&["[INFO] MasterUserPassword modified"]),
    // Before the states that pass by themselves.
    is(Cause::TargetServiceError, NamedFault, &[
        r"(?:InvalidDB(?:Instance|Cluster)State|InvalidClusterState)\w*\b.{0,400}\b(?:stopped|stopping|paused|pausing|deleting|failed|storage-full|inaccessible-encryption-credentials\S*)\b",
    ])
    .fault(Fault::ApiDatabaseDown)
    .matches(&[
        "InvalidDBClusterStateFault: An error occurred (InvalidDBClusterStateFault) when calling the ModifyDBCluster operation: Cluster cannot be modified; current state is stopped",
    ])
    .ignores(&["[INFO] the cluster is stopped"]),
    // Aurora Serverless v2 with a least capacity of 0.
    is(Cause::TargetServiceError, NamedFault, &[r"DatabaseResumingException|is resuming after being auto-paused"])
        .fault(Fault::DatabaseResuming)
        .matches(&["An error occurred (DatabaseResumingException) when calling the ExecuteStatement operation: The Aurora DB instance db-ABC is resuming after being auto-paused. Please wait a few seconds and try again."])
        .ignores(&["[INFO] DatabaseResumingException, retrying in 5 s"]),
    is(Cause::TargetServiceAsyncPropagation, NamedFault, &[
        r"InvalidDB(?:Instance|Cluster)State(?:Fault)?|InvalidClusterState(?:Fault)?|InvalidReplicationGroupState",
        r"(?:instance|cluster|group|user) .{0,80}(?:is )?not (?:currently )?in (?:an? |the )?available state",
        r"is currently being modified|is in modifying state|another (?:update|operation) is in progress",
        r"InvalidAction\w*State|ConcurrentModification(?:Exception)?\b|ResourceInUseException|OperationAborted",
    ])
    .matches(&[
        "An error occurred (InvalidDBInstanceState) when calling the ModifyDBInstance operation: Database instance is not in available state.",
        "InvalidDBClusterStateFault: Cluster is not in available state",
    ])
    .ignores(&["[INFO] instance is in available state"]),
    // What is created for the new version is created in its first step.
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"(?:LimitExceeded|QuotaExceeded)\w*\) when calling the Create\w+ operation|Cannot exceed quota for",
    ])
    .step(RotationStep::CreateSecret)
    .matches(&[
        "botocore.errorfactory.LimitExceededException: An error occurred (LimitExceeded) when calling the CreateAccessKey operation: Cannot exceed quota for AccessKeysPerUser: 2",
    ])
    .ignores(&["[INFO] quota for access keys: 2"]),
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"\(LimitExceeded\w*\)|\bLimitExceededException\b|ServiceQuotaExceeded|QuotaExceeded(?:Exception|Fault)?\b",
        r"(?:quota|limit) (?:for|of|on) .{0,80}(?:exceeded|reached)",
        r"exceeded (?:the|your) (?:allowed )?(?:quota|limit|maximum number)",
        r"\bActiveStatementsExceededException\b|\bMaximum number of keys on account reached\b",
    ])
    .matches(&[
        "An error occurred (LimitExceededException) when calling the UpdateSecretVersionStage operation: You've exceeded the maximum number of staging labels",
    ])
    .ignores(&["[INFO] quota for access keys: 2"]),
    is(Cause::AwsApiThrottled, NamedFault, &[
        r"\bThrottl(?:ing|ed|e)(?:Exception|dException|Error)?\b.*(?:rate|exceeded|request|when calling)",
        r"\bThrottling(?:Exception|ErrorException)?\b:? ",
        r"\(Throttling\w*\)|\(RequestLimitExceeded\)|\(TooManyRequestsException\)|\(SlowDown\)|\(RequestThrottled\w*\)|\(PriorRequestNotComplete\)",
        r"ProvisionedThroughputExceededException|RequestLimitExceeded\b|TooManyRequestsException",
        r"\bRate exceeded\b",
        r"(?:reached|exceeded) max(?:imum)? (?:number of )?(?:retries|attempts).*throttl",
    ])
    .matches(&[
        "An error occurred (ThrottlingException) when calling the GetSecretValue operation (reached max retries: 4): Rate exceeded",
        "ThrottlingException: Rate exceeded",
        "botocore.exceptions.ClientError: An error occurred (RequestLimitExceeded) when calling the DescribeDBInstances operation: Request limit exceeded.",
    ])
    .ignores(&["[INFO] ThrottlingException, retrying in 2 s", "[INFO] throttle limit is 10"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"\bUser(?:Group)?NotFound(?:Fault|Exception)|\((?:UserNotFound|UserGroupNotFound|NoSuchEntity|ReplicationGroupNotFoundFault|ACLNotFoundFault)\w*\) when calling",
        r"NoSuchEntity(?:Exception)?: |(?:ReplicationGroup|CacheCluster|ACL)NotFoundFault",
    ])
    .fault(Fault::ApiUserGone)
    .matches(&[
        "botocore.errorfactory.UserNotFoundFault: An error occurred (UserNotFound) when calling the DescribeUsers operation: User app not found.",
        "An error occurred (NoSuchEntity) when calling the UpdateLoginProfile operation: The user with name app cannot be found.",
    ])
    .ignores(&["[INFO] user app found"]),
    // Before the superuser's database, which is only looked up.
    is(Cause::TargetServiceError, NamedFault, &[
        r"\((?:DBInstance|DBCluster|Cluster)NotFound\w*\) when calling the (?:Modify|Reset|Reboot|Start|Failover)\w+ operation",
    ])
    .fault(Fault::ApiDatabaseGone)
    .matches(&["DBClusterNotFoundFault: An error occurred (DBClusterNotFoundFault) when calling the ModifyDBCluster operation: DBCluster orders not found."])
    .ignores(&["An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance prod not found."]),
    is(Cause::SuperuserMetadataNotFound, NamedFault, &[
        r"DBInstanceNotFound(?:Fault)?|DBClusterNotFoundFault|\(ClusterNotFound\)|ClusterNotFoundFault|DBInstance \S+ not found",
    ])
    .matches(&["An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance prod not found."])
    .ignores(&["[INFO] DBInstance prod found"]),
    depends(credentials, UnhandledException, &[
        r"ExpiredToken(?:Exception)?\b|security token included in the request is (?:expired|invalid)",
        r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidAccessKeyId|IncompleteSignature",
        r"Unable to locate credentials|NoCredentialsError|CredentialsProviderError|Could not load credentials|Unable to load credentials|failed to refresh cached credentials|no EC2 IMDS role found",
    ])
    .matches(&[
        "An error occurred (ExpiredTokenException) when calling the GetSecretValue operation: The security token included in the request is expired",
        "testSecret: An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.",
        "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    ])
    .ignores(&["[INFO] Found credentials in environment variables."]),
    depends(refused, UnhandledException, &[
        r"\) when calling the \w+ operation",
        r"operation error [\w ]+: \w+, https response error StatusCode: 4\d\d",
        r"\(Service: [\w ]+[,;] Status Code: 4\d\d",
    ])
    .fault(Fault::ApiRefused)
    .matches(&[
        "[ERROR] ClientError: An error occurred (InvalidParameterCombination) when calling the ModifyDBInstance operation: You can't specify MasterUserPassword together with this option.",
        "operation error RDS: ModifyDBInstance, https response error StatusCode: 400, RequestID: 3f1c2d4e, api error InvalidParameterCombination: bad",
        "software.amazon.awssdk.services.rds.model.RdsException: bad (Service: Rds, Status Code: 400, Request ID: 3f1c2d4e)",
    ])
    .ignores(&[
        "[ERROR] ClientError: An error occurred (ValidationException) when calling the PutSecretValue operation: bad",
        "software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException: bad (Service: SecretsManager, Status Code: 400, Request ID: 3f1c2d4e)",
    ]),
    // Each SDK writes the same answer in its own way; a status alone is AWS's only where the line is an SDK's.
    depends(of_aws, NamedFault, &[
        r"\((?:InternalServiceError|InternalFailure|InternalServer(?:Error|Exception|ErrorException)|Internal(?:Error|Exception)|KMSInternalException|DependencyTimeout(?:Exception)?|ServiceUnavailable(?:Exception|Error)?|ServiceFailure)\)|\((?:500|502|503|504)\) when calling",
        r"\bInternalServiceError(?:Exception)?\b|\bKmsInternal(?:Exception)?\b|An error occurred on the server side",
        r"\b(?:InternalFailure|InternalServer(?:Error|Exception|ErrorException)|ServiceUnavailable(?:Exception|Error)?|ServiceFailure(?:Exception)?|DependencyTimeout(?:Exception)?)\b: ",
        r"\bcode: Some\(\x22(?:InternalFailure|InternalServiceError|InternalServer\w+|ServiceUnavailable\w*|KMSInternal\w*)\x22",
        r"Status ?Code: 50[0234]\b|\$fault\W{1,4}server\b|Http Status Code (?:InternalServerError|BadGateway|ServiceUnavailable|GatewayTimeout)\b",
        r"AWS HTTP error: Server error|ResponseParserError\b.*\b50[0234]\b",
    ])
    .matches(&[
        "An error occurred (InternalServiceError) when calling the PutSecretValue operation (reached max retries: 4): An error occurred on the server side.",
        "[ERROR] ClientError: An error occurred (InternalFailure) when calling the DescribeDBInstances operation (reached max retries: 4): An internal error has occurred.",
        "botocore.errorfactory.KMSInternalException: An error occurred (KMSInternalException) when calling the Decrypt operation: ",
        "[ERROR] ClientError: An error occurred (503) when calling the AssumeRole operation (reached max retries: 4): Service Unavailable",
        "software.amazon.awssdk.services.secretsmanager.model.InternalServiceErrorException: An error occurred on the server side. (Service: SecretsManager, Status Code: 500, Request ID: 3f1c2d4e)",
        "software.amazon.awssdk.services.rds.model.RdsException: null (Service: Rds, Status Code: 503, Request ID: 3f1c2d4e)",
        "com.amazonaws.services.kms.model.KMSInternalException: (Service: AWSKMS; Status Code: 500; Error Code: KMSInternalException; Request ID: 3f1c2d4e; Proxy: null)",
        "operation error Secrets Manager: GetSecretValue, exceeded maximum number of attempts, 3, https response error StatusCode: 500, RequestID: 3f1c2d4e, InternalServiceError: An error occurred on the server side.",
        "operation error RDS: DescribeDBInstances, https response error StatusCode: 503, RequestID: 3f1c2d4e, api error ServiceUnavailable: Service Unavailable",
        "InternalFailure: An internal error has occurred\n\tstatus code: 500, request id: 3f1c2d4e",
        "InternalServiceError: An error occurred on the server side.\n    at throwDefaultError (/var/runtime/node_modules/@smithy/smithy-client/dist-cjs/index.js:867:20)",
        "InternalFailure: UnknownError\n    at throwDefaultError (/var/task/node_modules/@aws-sdk/client-rds/dist-cjs/index.js:1:1) {\n  '$fault': 'server',\n  '$metadata': { httpStatusCode: 500 }",
        "Amazon.SecretsManager.Model.InternalServiceErrorException: An error occurred on the server side.\n ---> Amazon.Runtime.Internal.HttpErrorResponseException: Exception of type 'Amazon.Runtime.Internal.HttpErrorResponseException' was thrown.",
        "Amazon.RDS.AmazonRDSException: Error making request with Error Code ServiceUnavailable and Http Status Code ServiceUnavailable. No further error information was returned by the service.",
        "Error: ServiceError(ServiceError { source: InternalServiceError(InternalServiceError { message: Some(\"An error occurred on the server side.\"), meta: ErrorMetadata { code: Some(\"InternalServiceError\")",
        "unhandled error (InternalFailure): Error { code: \"InternalFailure\", aws_request_id: \"3f1c2d4e\" }",
        "Aws::SecretsManager::Errors::InternalServiceError (An error occurred on the server side.)",
        "Error executing \"GetSecretValue\" on \"https://secretsmanager.eu-west-1.amazonaws.com\"; AWS HTTP error: Server error: `POST https://secretsmanager.eu-west-1.amazonaws.com` resulted in a `500 Internal Server Error` response",
        "botocore.parsers.ResponseParserError: Unable to parse response (no element found: line 1, column 0), invalid XML received. Further retries may succeed: b'<html><head><title>503 Service Temporarily Unavailable</title></head>'",
    ])
    .ignores(&[
        "Error: ERROR: InternalServerError: must be superuser to alter superusers",
        "urllib.error.HTTPError: HTTP Error 503: Service Unavailable",
        "AxiosError: Request failed with status code 500",
        "[ERROR] vendor API answered: InternalFailure: try later",
        "An error occurred (ValidationException) when calling the PutSecretValue operation: 500 is not a length",
    ]),
];
