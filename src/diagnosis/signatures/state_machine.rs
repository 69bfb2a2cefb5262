//! Secrets Manager's own rules: staging labels, rotation settings, deletion.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::lambda_log::Level;
use crate::model::{Cause, RotationStep};

/// No AWSPENDING version is what createSecret hopes to find; in any later step it is a fault.
fn pending_is_missing(line: &Line<'_>) -> Option<Cause> {
    if line.handled {
        return Some(Cause::Benign);
    }
    let fault = match line.step() {
        Some(RotationStep::CreateSecret) => line.level() == Level::Error && !is_sdk_sentence(line),
        Some(_) => true,
        None => line.level() == Level::Error || !is_sdk_sentence(line),
    };
    Some(match fault {
        true => Cause::VersionNotStagedRace,
        false => Cause::Benign,
    })
}

/// After createSecret the version is there, so that only its value can be missing.
fn pending_was_never_stored(line: &Line<'_>) -> Option<Cause> {
    let stored_by_now = line.step().is_some_and(|step| step > RotationStep::CreateSecret);
    (stored_by_now && !line.handled).then_some(Cause::VersionNotStagedRace)
}

/// Python's SDK names the operation; the templates catch exactly this sentence.
fn is_sdk_sentence(line: &Line<'_>) -> bool {
    line.text.contains("when calling the GetSecretValue operation")
}

pub(super) const SIGNATURES: &[Signature] = &[
    depends(pending_was_never_stored, SecretContent, &[
        r"find the specified secret value for (?:staging label: AWSPENDING|VersionId: )",
    ])
    .fault(Fault::PendingNeverStored)
    .matches(&["[ERROR] ResourceNotFoundException: An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret value for staging label: AWSPENDING\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 40, in set_secret"])
    .ignores(&["found the specified secret value for staging label: AWSPENDING"]),
    depends(pending_is_missing, SecretContent, &[
        r"find the specified secret value for (?:staging label: AWSPENDING|VersionId: )",
    ])
    .matches(&[
        "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
        "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret value for VersionId: 7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11",
    ])
    .ignores(&["found the specified secret value for staging label: AWSPENDING"]),
    is(Cause::SecretNoCurrentValue, SecretContent, &[
        r"find the specified secret value for staging label: AWSCURRENT",
        r"(?:secret|it) has no (?:version (?:with|labell?ed|staged) )?AWSCURRENT",
        // finishSecret looks for the version to take the label from, and there is none.
        r"Invalid type for parameter RemoveFromVersionId, value: None|RemoveFromVersionId.{0,60}(?:null|undefined|None|nil)\b",
    ])
    .fault(Fault::NoCurrentVersion)
    .matches(&[
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        "[ERROR] ParamValidationError: Parameter validation failed:\nInvalid type for parameter RemoveFromVersionId, value: None, type: <class 'NoneType'>, valid types: <class 'str'>",
    ])
    .ignores(&["createSecret: found the AWSCURRENT value"]),
    is(Cause::SecretNotFound, SecretContent, &[
        r"find the specified secret(?:[.\x22')\\\s]*$|\.)",
        r"\bsecret (?:name|arn|id)?\W?.{0,200} (?:was not found|does not exist) in (?:this )?(?:region|secrets manager)",
    ])
    .matches(&[
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        "An error occurred (ResourceNotFoundException) when calling the DescribeSecret operation: Secrets Manager can't find the specified secret.",
        "Secrets Manager can\u{2019}t find the specified secret. (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException)",
    ])
    .ignores(&["Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"]),
    is(Cause::SecretMarkedForDeletion, SecretContent, &[
        r"because it was (?:marked for deletion|deleted)",
        r"secret\b.*\b(?:is|was) (?:currently |already )?(?:marked|scheduled) for deletion",
    ])
    .matches(&[
        "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
        "An error occurred (InvalidRequestException) when calling the CreateSecret operation: You can't create this secret because a secret with this name is already scheduled for deletion.",
    ])
    .ignores(&["[INFO] no secret is marked for deletion"]),
    is(Cause::VersionNotStagedRace, SecretContent, &[
        r"has no stage for rotation",
        r"(?:is )?not set as AWSPENDING",
        r"staging label \w+ is currently attached to version .* must explicitly reference that version",
        r"already in use for a version of secret",
        r"version (?:id )?\S+ (?:does not|doesn't) have (?:the )?AWSPENDING",
    ])
    .matches(&[
        "ValueError: Secret version fa8e75c2-a271-4840-9770-fce3f081a998 has no stage for rotation.",
        "[ERROR] ValueError: Secret version 7b2a not set as AWSPENDING for rotation of secret arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf.",
        "An error occurred (InvalidParameterException) when calling the UpdateSecretVersionStage operation: The staging label AWSCURRENT is currently attached to version 7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11, so you must explicitly reference that version in RemoveFromVersionId.",
        "ResourceExistsException: You can't use ClientRequestToken 7b2a4c10 because that value is already in use for a version of secret arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf.",
    ])
    .ignores(&["createSecret: version 7b2a is set as AWSPENDING"]),
    is(Cause::RotationTokenMissingCrossAccount, SecretContent, &[
        r"Pending secret version .* was not created by Lambda",
        r"Remove the AWSPENDING staging label and restart rotation",
        r"RotationToken (?:is|was) (?:missing|required|not (?:passed|provided))",
    ])
    .step(RotationStep::CreateSecret)
    .matches(&["Pending secret version 7b2a for Secret arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf was not created by Lambda arn:aws:lambda:us-east-1:123456789012:function:f. Remove the AWSPENDING staging label and restart rotation"])
    .ignores(&["[INFO] Pending secret version 7b2a was created"]),
    is(Cause::StuckAwspending, SecretContent, &[r"previous rotation (?:isn.{0,4}t|is not|has not been|was not) complete"])
    .matches(&["InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted."])
    .ignores(&["[INFO] the previous rotation is complete"]),
    is(Cause::RotationDisabled, SecretContent, &[
        r"(?:is )?not enabled for rotation",
        r"rotation (?:is|was) (?:not enabled|disabled|turned off) (?:for|on) (?:the |this )?secret",
        r"KeyError: '?\x22?RotationEnabled\b",
    ])
    .matches(&[
        "[ERROR] ValueError: Secret a is not enabled for rotation\nTraceback (most recent call last):",
        "[ERROR] KeyError: 'RotationEnabled'",
    ])
    .ignores(&["[INFO] Secret a is enabled for rotation"]),
    is(Cause::RotationNoLambdaArn, SecretContent, &[
        r"No Lambda rotation function ARN is associated with this secret",
        r"(?:rotation lambda|RotationLambdaARN) (?:arn )?(?:is|was) (?:not set|missing|required)",
    ])
    .matches(&["InvalidRequestException: No Lambda rotation function ARN is associated with this secret."])
    .ignores(&["RotationLambdaARN is set"]),
    is(Cause::ManagedRotation, SecretContent, &[
        r"secret (?:is |that is |that's )?managed by (?:another|an? AWS|the) (?:\w+ )?service",
        r"\bOwningService\b.{0,40}(?:can.?t|cannot|must)",
    ])
    .matches(&["InvalidRequestException: You can't modify rotation for a secret managed by another service"])
    .ignores(&["[INFO] this secret is managed by the platform team"]),
    is(Cause::ScheduleWrongOrOverdue, SecretContent, &[
        r"specify both rotation frequency and schedule expression",
        r"\bschedule ?expression\b.{0,120}(?:invalid|not valid|can.?t be parsed|malformed)",
        r"invalid (?:rotation )?(?:schedule ?expression|cron expression|rate expression)",
    ])
    .matches(&[
        "InvalidParameterException: You cannot specify both rotation frequency and schedule expression together.",
        "InvalidParameterException: The ScheduleExpression cron(0 25 * * ? *) is not valid.",
    ])
    .ignores(&["ScheduleExpression: rate(10 days)"]),
    is(Cause::InvokedManuallyOrBadEvent, SecretContent, &[
        r"(?:invalid|unknown|unsupported|unrecogni[sz]ed|unexpected) (?:rotation )?step\b",
        r"KeyError: '(?-i:Step|SecretId|ClientRequestToken)'",
        r"missing (?:required )?(?:key|field|parameter)s?:? '?(?-i:Step|SecretId|ClientRequestToken)\b",
        r"Runtime\.UnmarshalError|\bUnable to unmarshal input\b",
        r"event (?:is missing|has no|does not contain|missing) '?(?-i:Step|SecretId|ClientRequestToken)\b",
    ])
    .matches(&[
        "[ERROR] ValueError: Invalid step parameter rotate for secret a",
        "[ERROR] KeyError: 'SecretId'\nTraceback (most recent call last):",
        "Error: Unknown rotation step: undefined",
        "[ERROR] Runtime.UnmarshalError: Unable to unmarshal input: Expecting value: line 1 column 1 (char 0)",
    ])
    .ignores(&["[INFO] step createSecret is valid"]),
    is(Cause::RotationLambdaMisbound, SecretContent, &[r"is not allowed to use this Lambda function for rotation"])
    .matches(&["[ERROR] ValueError: Secret a is not allowed to use this Lambda function for rotation"])
    .ignores(&["[INFO] Secret a uses this Lambda function for rotation"]),
    is(Cause::DependencyApiChanged, SecretContent, &[r"must provide a ClientRequestToken value"])
    .step(RotationStep::CreateSecret)
    .matches(&["InvalidRequestException: You must provide a ClientRequestToken value. We recommend a UUID-type value."])
    .ignores(&["[INFO] ClientRequestToken value provided"]),
];
