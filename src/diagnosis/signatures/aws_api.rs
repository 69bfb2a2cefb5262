//! AWS APIs: throttling, quotas, states, credentials.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::{Cause, RotationStep};

/// A key that was created a moment ago is unknown to other endpoints for a while.
fn credentials(line: &Line<'_>) -> Option<Cause> {
    Some(match line.step() {
        Some(RotationStep::TestSecret | RotationStep::SetSecret) => Cause::TargetServiceAsyncPropagation,
        _ => Cause::CodeUnhandledException,
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"(?:is|are) not a valid password|Only printable ASCII characters besides",
        r"parameter (?:MasterUserPassword|AuthToken) (?:is|must|cannot)",
        r"\bMasterUserPassword\b.*(?:invalid|not valid|not a valid|must)",
        r"PasswordPolicyViolation|password does not conform to (?:the )?(?:account )?(?:password )?policy|InvalidPasswordException",
    ])
    .step(RotationStep::SetSecret)
    .matches(&[
        "An error occurred (InvalidParameterValue) when calling the ModifyDBInstance operation: The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.",
        "PasswordPolicyViolationException: Password does not conform to the account password policy.",
    ])
    .ignores(&["[INFO] MasterUserPassword modified"]),
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
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"\(LimitExceeded\w*\)|\bLimitExceededException\b|ServiceQuotaExceeded|QuotaExceeded(?:Exception|Fault)?\b",
        r"Cannot exceed quota for",
        r"(?:quota|limit) (?:for|of|on) .{0,80}(?:exceeded|reached)",
        r"exceeded (?:the|your) (?:quota|limit|maximum number)",
    ])
    .matches(&[
        "botocore.errorfactory.LimitExceededException: An error occurred (LimitExceeded) when calling the CreateAccessKey operation: Cannot exceed quota for AccessKeysPerUser: 2",
    ])
    .ignores(&["[INFO] quota for access keys: 2"])
    .step(RotationStep::CreateSecret),
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
    is(Cause::SuperuserMetadataNotFound, NamedFault, &[
        r"DBInstanceNotFound(?:Fault)?|DBClusterNotFoundFault|\(ClusterNotFound\)|ClusterNotFoundFault|DBInstance \S+ not found",
    ])
    .matches(&["An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance prod not found."])
    .ignores(&["[INFO] DBInstance prod found"]),
    depends(credentials, UnhandledException, &[
        r"ExpiredToken(?:Exception)?\b|security token included in the request is (?:expired|invalid)",
        r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidAccessKeyId|IncompleteSignature",
        r"Unable to locate credentials|NoCredentialsError|CredentialsProviderError|Could not load credentials|Unable to load credentials",
    ])
    .matches(&[
        "An error occurred (ExpiredTokenException) when calling the GetSecretValue operation: The security token included in the request is expired",
        "testSecret: An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.",
        "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    ])
    .ignores(&["[INFO] Found credentials in environment variables."]),
    is(Cause::AwsServiceIssue, NamedFault, &[
        r"\((?:InternalServiceError|InternalFailure|InternalServerError|ServiceUnavailable(?:Exception)?|InternalError)\) when calling",
        r"\bInternalServiceError(?:Exception)?\b: |An error occurred on the server side",
    ])
    .matches(&["An error occurred (InternalServiceError) when calling the PutSecretValue operation (reached max retries: 4): An error occurred on the server side."])
    .ignores(&["Error: ERROR: InternalServerError: must be superuser to alter superusers"]),
];
