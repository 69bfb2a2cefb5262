//! Context keys as AWS writes them.

/// Keys whose spelling says more to people than the lower case in which they are compared; a tag's name follows a slash.
///
/// Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys for AWS
/// Secrets Manager", "… for AWS KMS", "… for AWS Lambda".
const AWS_SPELLING: &[&str] = &[
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag",
    "aws:PrincipalType",
    "aws:RequestTag",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "kms:CallerAccount",
    "kms:EncryptionAlgorithm",
    "kms:EncryptionContextKeys",
    "kms:GrantIsForAWSResource",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:MultiRegion",
    "kms:MultiRegionKeyType",
    "kms:RequestAlias",
    "kms:ResourceAliases",
    "kms:ViaService",
    "lambda:FunctionArn",
    "lambda:FunctionUrlAuthType",
    "lambda:Principal",
    "lambda:SourceFunctionArn",
    "secretsmanager:Description",
    "secretsmanager:KmsKeyId",
    "secretsmanager:Name",
    "secretsmanager:RotationLambdaARN",
    "secretsmanager:SecretId",
    "secretsmanager:SecretPrimaryRegion",
    "secretsmanager:VersionId",
    "secretsmanager:VersionStage",
    "secretsmanager:resource/AllowRotationLambdaArn",
    "secretsmanager:resource/Type",
    "sts:ExternalId",
    "sts:RoleSessionName",
];

/// The keys for people, one after another: in AWS's spelling where that is known, else as they are.
#[must_use]
pub fn key_names(keys: impl IntoIterator<Item = String>) -> String {
    keys.into_iter().map(spelled).collect::<Vec<_>>().join(", ")
}

fn spelled(key: String) -> String {
    if let Some(known) = by_aws(&key) {
        return known.to_owned();
    }
    match key.split_once('/').map(|(name, tag)| (by_aws(name), tag)) {
        Some((Some(name), tag)) => format!("{name}/{tag}"),
        _ => key,
    }
}

fn by_aws(key: &str) -> Option<&'static str> {
    AWS_SPELLING.iter().copied().find(|known| known.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spelled_as_aws_spells_them_and_others_stay_as_they_are() {
        let keys =
            ["aws:sourceip", "aws:resourcetag/team", "secretsmanager:resource/allowrotationlambdaarn", "saml:aud", "own/key"];
        let expected = "aws:SourceIp, aws:ResourceTag/team, secretsmanager:resource/AllowRotationLambdaArn, saml:aud, own/key";
        assert_eq!(key_names(keys.map(str::to_owned)), expected);
    }
}
