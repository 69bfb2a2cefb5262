//! Which parameters of a recorded request are kept: they tell what was changed, and hold no values of secrets.

use serde_json::{Map, Value};

/// The longest parameter kept, in characters of JSON.
const MAX_PARAMETER_CHARS: usize = 1_000;

/// The request parameters that are kept: they tell what was changed and hold no values of secrets or environments.
const PARAMETERS: &[&str] = &[
    "secretId",
    "rotationLambdaARN",
    "rotationRules",
    "versionStage",
    "versionStages",
    "moveToVersionId",
    "removeFromVersionId",
    "clientRequestToken",
    "kmsKeyId",
    "recoveryWindowInDays",
    "forceDeleteWithoutRecovery",
    "functionName",
    "runtime",
    "timeout",
    "memorySize",
    "handler",
    "role",
    "layers",
    "vpcConfig",
    "kMSKeyArn",
    "reservedConcurrentExecutions",
    "publish",
    "action",
    "principal",
    "statementId",
    "sourceArn",
    "sourceAccount",
    "qualifier",
    "layerName",
    "roleName",
    "policyName",
    "policyArn",
    "versionId",
    "permissionsBoundary",
    "keyId",
    "grantId",
    "pendingWindowInDays",
    "groupId",
    "ipPermissions",
    "securityGroupRuleIds",
    "cidrIp",
    "ipProtocol",
    "fromPort",
    "toPort",
    "natGatewayId",
    "vpcEndpointId",
    "DeleteVpcEndpointsRequest",
    "ModifyVpcEndpointRequest",
    "routeTableId",
    "destinationCidrBlock",
    "networkAclId",
    "dBInstanceIdentifier",
    "dBClusterIdentifier",
    "dBParameterGroupName",
    "vpcSecurityGroupIds",
    "targetId",
    "policyId",
];

/// The parameters that hold a secret's value, where CloudTrail does not leave them out.
const SECRET_VALUES: [&str; 2] = ["secretString", "secretBinary"];

/// What a request that names a security group's rule by its id alone did, as the answer tells it.
const REVOKED_RULES: &str = "revokedSecurityGroupRuleSet";

/// What is kept of a request, and of its answer.
pub(super) fn parameters(request: &Value, response: &Value) -> Value {
    let Some(fields) = request.as_object() else { return Value::Null };
    let mut kept = Map::new();
    let revoked = response.get(REVOKED_RULES).filter(|rules| rules.to_string().len() <= MAX_PARAMETER_CHARS);
    kept.extend(revoked.map(|rules| (REVOKED_RULES.to_owned(), rules.clone())));
    // UpdateSecret answers with a version only where it wrote a value.
    let version = response.get("versionId").filter(|version| version.is_string());
    kept.extend(version.map(|version| ("versionId".to_owned(), version.clone())));
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("environment") {
            // Only that it changed: the values may be credentials.
            kept.insert(name.clone(), Value::Bool(true));
        } else if SECRET_VALUES.iter().any(|value| name.eq_ignore_ascii_case(value)) {
            // Only that a value was written.
            kept.insert(name.clone(), Value::Bool(true));
        } else if PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name))
            && !value.is_null()
            && value.to_string().len() <= MAX_PARAMETER_CHARS
        {
            kept.insert(name.clone(), value.clone());
        }
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_secrets_and_environments_are_not_kept() {
        let request = json!({"functionName": "rotator", "timeout": 30, "environment": {"variables": {"PASSWORD": "canary"}},
            "secretString": "canary", "masterUserPassword": "canary"});
        let kept = parameters(&request, &Value::Null);
        assert!(!kept.to_string().contains("canary"));
        assert_eq!(kept, json!({"functionName": "rotator", "timeout": 30, "environment": true, "secretString": true}));
    }
}
