//! Who made a call that CloudTrail recorded, and with what.
//!
//! Source: CloudTrail User Guide, "CloudTrail userIdentity element" and "CloudTrail record contents".

use crate::model::Tool;
use serde_json::Value;

/// The user's name, or role and session (`ci-terraform/run-77`) of who assumed a role.
pub(super) fn actor(identity: &Value) -> Option<String> {
    let text = |pointer: &str| identity.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let arn = text("/arn").unwrap_or_default();
    let resource = arn.rsplit(':').next().unwrap_or_default();
    if resource == "root" {
        return Some("root".to_owned());
    }
    if let Some(session) = resource.strip_prefix("assumed-role/") {
        return Some(session.to_owned());
    }
    let of_role = || {
        let session = text("/principalId")?.split_once(':')?.1;
        Some(format!("{}/{session}", text("/sessionContext/sessionIssuer/userName")?))
    };
    let by_arn = || resource.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
    text("/userName")
        .map(str::to_owned)
        .or_else(of_role)
        .or_else(by_arn)
        .or_else(|| text("/sessionContext/sessionIssuer/userName").map(str::to_owned))
}

/// The session's name of who assumed a role: Lambda gives it the function's name.
pub(super) fn session(identity: &Value) -> Option<&str> {
    let arn = identity.get("arn").and_then(Value::as_str).unwrap_or_default();
    let of_arn = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split_once('/')).map(|(_, session)| session);
    of_arn.or_else(|| identity.get("principalId").and_then(Value::as_str)?.split_once(':').map(|(_, session)| session))
}

/// What made the call: by whom it was invoked, by its user agent, and by the names of roles that tools make for themselves.
pub(super) fn tool(event: &Value, actor: &str) -> Option<Tool> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let agent = text("/userAgent").to_ascii_lowercase();
    let by_service = [text("/userIdentity/invokedBy"), text("/sourceIPAddress"), agent.as_str()];
    if by_service.contains(&"cloudformation.amazonaws.com") || actor.ends_with("/AWSCloudFormation") {
        // The CDK's bootstrap roles are named so; source: CDK v2 Developer Guide, "Bootstrapping".
        let of_cdk = actor.starts_with("cdk-") || actor.contains("/aws-cdk-");
        return Some(if of_cdk { Tool::Cdk } else { Tool::CloudFormation { stack: stack(event) } });
    }
    let says = |word: &str| agent.contains(word);
    // Several name themselves in one agent: the tool stands beside the SDK it uses.
    Some(if says("opentofu") {
        Tool::OpenTofu
    } else if says("terraform") {
        Tool::Terraform
    } else if says("pulumi") {
        Tool::Pulumi
    } else if says("ansible") {
        Tool::Ansible
    } else if says("aws-cdk") || says("cdk-cli") {
        Tool::Cdk
    } else if text("/sessionCredentialFromConsole") == "true"
        || ["console.amazonaws.com", "signin.amazonaws.com", "mozilla/"].iter().any(|word| says(word))
    {
        Tool::ManagementConsole
    } else if says("aws-cli") {
        Tool::Cli
    } else if ["aws-sdk", "boto3", "botocore"].iter().any(|word| says(word)) {
        Tool::Sdk
    } else {
        return None;
    })
}

/// The tag CloudFormation gives what it makes.
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// The stack's name, where the request carries the tag, as a map or as a list of pairs.
fn stack(event: &Value) -> Option<String> {
    fn find(value: &Value) -> Option<&str> {
        match value {
            Value::Object(fields) => {
                let pair = |name: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
                let listed = pair("key").and_then(Value::as_str) == Some(STACK_TAG);
                fields
                    .get(STACK_TAG)
                    .and_then(Value::as_str)
                    .or_else(|| pair("value").and_then(Value::as_str).filter(|_| listed))
                    .or_else(|| fields.values().find_map(find))
            }
            Value::Array(items) => items.iter().find_map(find),
            _ => None,
        }
    }
    find(event.get("requestParameters")?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_actor_is_the_user_or_role_and_session() {
        let assumed = json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE:run-77",
            "arn": "arn:aws:sts::123456789012:assumed-role/ci-terraform/run-77",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/ci-terraform", "userName": "ci-terraform"}}});
        assert_eq!(actor(&assumed).as_deref(), Some("ci-terraform/run-77"));
        assert_eq!(session(&assumed), Some("run-77"));
        let without_arn = json!({"principalId": "AROAEXAMPLE:carol",
            "sessionContext": {"sessionIssuer": {"userName": "AWSReservedSSO_Admin_0123456789abcdef"}}});
        assert_eq!(actor(&without_arn).as_deref(), Some("AWSReservedSSO_Admin_0123456789abcdef/carol"));
        for (identity, expected) in [
            (json!({"arn": "arn:aws:iam::123456789012:root"}), "root"),
            (json!({"arn": "arn:aws:iam::123456789012:user/team/ana", "userName": "ana"}), "ana"),
            (json!({"arn": "arn:aws:iam::123456789012:user/team/ana"}), "ana"),
            (json!({"arn": "arn:aws:sts::123456789012:federated-user/bob"}), "bob"),
            (json!({"sessionContext": {"sessionIssuer": {"userName": "admin"}}}), "admin"),
        ] {
            assert_eq!(actor(&identity).as_deref(), Some(expected), "{identity}");
        }
        assert_eq!(actor(&json!({"invokedBy": "rds.amazonaws.com"})), None);
    }

    #[test]
    fn what_made_the_call_is_told_by_the_agent_the_invoker_and_the_roles_of_tools() {
        let made = |event: Value, actor: &str| tool(&event, actor);
        let agent = |agent: &str| made(json!({"userAgent": agent}), "ci/run-1");
        for (text, expected) in [
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3",
                Some(Tool::Terraform),
            ),
            ("APN/1.0 OpenTofu/1.8.1 terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3", Some(Tool::OpenTofu)),
            ("APN/1.0 Pulumi/1.0 (+https://www.pulumi.com) PulumiAWS/6.0 aws-sdk-go-v2/1.30.3", Some(Tool::Pulumi)),
            ("APN/1.0 Ansible/2.17 boto3/1.34 Botocore/1.34", Some(Tool::Ansible)),
            ("aws-cli/2.17.20 md/awscrt Botocore/1.34", Some(Tool::Cli)),
            ("Boto3/1.34.100 md/Botocore#1.34.100", Some(Tool::Sdk)),
            ("aws-sdk-js/3.600.0 ua/2.0 os/linux lang/js", Some(Tool::Sdk)),
            ("console.amazonaws.com", Some(Tool::ManagementConsole)),
            ("Mozilla/5.0 (Macintosh) Safari/605", Some(Tool::ManagementConsole)),
            ("AWS Internal", None),
            ("198.51.100.7", None),
        ] {
            assert_eq!(agent(text), expected, "{text}");
        }
        assert_eq!(
            made(json!({"userAgent": "AWS Internal", "sessionCredentialFromConsole": "true"}), "carol"),
            Some(Tool::ManagementConsole)
        );
        let by_stack = json!({"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}, "userAgent": "cloudformation.amazonaws.com",
            "requestParameters": {"tags": [{"key": "aws:cloudformation:stack-name", "value": "orders"}]}});
        assert_eq!(made(by_stack.clone(), "carol"), Some(Tool::CloudFormation { stack: Some("orders".to_owned()) }));
        assert_eq!(made(by_stack, "cdk-hnb659fds-cfn-exec-role-123456789012-eu-west-1/AWSCloudFormation"), Some(Tool::Cdk));
        let bare = json!({"sourceIPAddress": "cloudformation.amazonaws.com"});
        assert_eq!(made(bare, "deploy/run"), Some(Tool::CloudFormation { stack: None }));
        let map = json!({"userAgent": "cloudformation.amazonaws.com", "requestParameters": {"tags": {"aws:cloudformation:stack-name": "web"}}});
        assert_eq!(made(map, "x"), Some(Tool::CloudFormation { stack: Some("web".to_owned()) }));
        assert!(Tool::Terraform.applies_code() && !Tool::ManagementConsole.applies_code());
    }
}
