//! AWS refuses: policies, KMS keys, network interfaces.

use super::access_denied::AccessDenied;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::{Cause, RotationStep};

fn denied(line: &Line<'_>) -> Option<Cause> {
    let denied = AccessDenied::parse(line.text)?;
    let names_superuser = ["masterarn", "master_arn", "superuser", "master secret", "admin secret"]
        .iter()
        .any(|word| line.text.to_ascii_lowercase().contains(word));
    let step = match names_superuser {
        true => Some(RotationStep::SetSecret),
        false => line.step(),
    };
    Some(denied.cause(step, None))
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::LambdaEnvKmsDenied, AccessLayer, &[
        r"decrypt the environment variables because KMS access was denied",
        r"KMSAccessDeniedException",
    ])
    .matches(&[
        "KMSAccessDeniedException: Lambda couldn't decrypt the environment variables because KMS access was denied. Check the Lambda function's KMS permissions.",
        "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the function's KMS key settings. KMS Exception: AccessDeniedException KMS Message: User: x is not authorized to perform: kms:Decrypt on resource: y",
    ])
    .ignores(&["Decrypted the environment variables with KMS"]),
    is(Cause::KmsKeyDisabledOrPendingDeletion, AccessLayer, &[
        r"\bKMS(?:Disabled|InvalidState|NotFound)Exception",
        r"\b(?:Decryption|Encryption)Failure\b",
        r"arn:aws\S*:kms:\S+ is (?:disabled|pending deletion|pending import)",
        r"(?:KMS|customer master) key\b.* (?:is|are) (?:currently )?(?:disabled|pending deletion|not enabled|scheduled for deletion)",
        r"can.{0,4}t (?:de|en)crypt the protected secret text using the provided KMS key",
        r"\b(?:KMS\W+)?DisabledException\b.*(?:kms|key)",
        r"Invalid keyId|key ID .* does not exist|Key '?arn:aws\S*:kms:\S+ does not exist",
    ])
    .matches(&[
        "botocore.errorfactory.KMSInvalidStateException: An error occurred (KMSInvalidStateException) when calling the Decrypt operation: arn:aws:kms:us-east-1:123456789012:key/7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11 is pending deletion.",
        "An error occurred (DecryptionFailure) when calling the GetSecretValue operation: Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        "DisabledException: arn:aws:kms:us-east-1:123456789012:key/7b2a4c10 is disabled.",
        "EncryptionFailure: the KMS key is not enabled",
        "NotFoundException: Key 'arn:aws:kms:us-east-1:123456789012:key/7b2a4c10' does not exist",
        "NotFoundException: Invalid keyId alias/rotation",
    ])
    .ignores(&["[INFO] the KMS key is enabled", "key rotation of KMS keys is disabled by default"]),
    depends(denied, AccessLayer, &[r"(?:is|are) not authorized to perform:?\s"])
    .matches(&[
        "An error occurred (AccessDeniedException) when calling the PutSecretValue operation: User: arn:aws:sts::123456789012:assumed-role/rotator/fn is not authorized to perform: secretsmanager:PutSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf because no identity-based policy allows the secretsmanager:PutSecretValue action",
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/rotator/fn is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/7b2a because no resource-based policy allows the kms:GenerateDataKey action",
    ])
    .ignores(&["User carol is not authorized to rotate"]),
    is(Cause::KmsAccessDenied, Kms, &[
        r"Access to KMS is not allowed",
        r"ciphertext refers to a (?:customer master|KMS) key that does not exist, does not exist in this region, or you are not allowed to access",
    ])
    .matches(&[
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: Access to KMS is not allowed",
        "AccessDeniedException: The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    ])
    .ignores(&["[INFO] Access to KMS is configured"]),
    is(Cause::LambdaEniPermissionMissing, AccessLayer, &[
        r"EC2AccessDeniedException",
        r"permissions? to (?:call )?\W?CreateNetworkInterface",
        r"\(UnauthorizedOperation\) when calling the \w*NetworkInterfaces? operation",
    ])
    .matches(&[
        "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
        "EC2AccessDeniedException: Need additional permissions to configure VPC settings.",
        "Your access has been denied by EC2, please make sure your function execution role have permission to *CreateNetworkInterface*. EC2 Error Code: UnauthorizedOperation",
    ])
    .ignores(&["CreateNetworkInterface succeeded"]),
    is(Cause::LambdaInvokePermissionMissing, AccessLayer, &[
        r"cannot invoke the specified Lambda function",
        r"access to the principal secretsmanager\.amazonaws\.com",
    ])
    .matches(&["AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."])
    .ignores(&["Secrets Manager invoked the specified Lambda function"]),
    is(Cause::VpcEndpointPolicyDeny, AccessLayer, &[
        r"because no VPC endpoint policy allows",
        r"explicit deny in an? VPC endpoint policy",
    ])
    .matches(&["AccessDeniedException: denied because no VPC endpoint policy allows the secretsmanager:GetSecretValue action"])
    .ignores(&["the VPC endpoint policy allows the call"]),
    is(Cause::PermissionsBoundaryOrScpDeny, AccessLayer, &[
        r"because no (?:permissions boundary|service control policy|resource control policy|session policy) allows",
        r"explicit deny in an? (?:permissions boundary|service control policy|resource control policy|session policy)",
    ])
    .matches(&["AccessDenied: with an explicit deny in a service control policy"])
    .ignores(&["[INFO] no service control policy is attached"]),
    is(Cause::SecretResourcePolicyDeny, AccessLayer, &[r"secretsmanager.*explicit deny in a resource-based policy"])
    .matches(&["secretsmanager AccessDeniedException: explicit deny in a resource-based policy"])
    .ignores(&["the resource-based policy has no explicit deny"]),
    is(Cause::IamExplicitDeny, AccessLayer, &[r"explicit deny in an identity-based policy"])
    .matches(&["AccessDenied with an explicit deny in an identity-based policy"])
    .ignores(&["[INFO] found no explicit deny"]),
    is(Cause::IamIdentityPolicyMissing, NamedFault, &[
        r"\((?:AccessDenied(?:Exception)?|UnauthorizedOperation|AuthorizationError|UnauthorizedException)\) when calling the \w+ operation",
        r"(?-i:\bAccessDeniedException\b)",
        r"(?-i:\bAccessDenied: )",
        r"\berror ?code\W+AccessDenied",
        r"because no identity-based policy allows",
        r"is not authorized to access (?:this|the) resource",
    ])
    .matches(&[
        "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
        "software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException: (Service: SecretsManager, Status Code: 400) AccessDeniedException",
    ])
    .ignores(&["(1045, \"Access denied for user 'app'@'10.0.0.1' (using password: YES)\")"]),
];
