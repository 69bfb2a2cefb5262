"""A permission is missing, denied, or stopped by another layer."""

import json

from ..world import DAY, HOUR, MINUTE, NOW, ROTATION_ACTIONS, VPC, Expected, inconclusive, root_cause
from .lines import CREDENTIALS, denied, error, no_identity_allow, raised


def role_lost_its_policy_fifteen_minutes_before(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    detached = w.iam.create_policy(PolicyName="rotation-write", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}]}))["Policy"]["Arn"]
    w.event("DetachRolePolicy", "iam", NOW - 5 * HOUR - 15 * MINUTE, region="us-east-1",
            params={"roleName": w.role_name, "policyArn": detached})
    return root_cause("iam_identity_policy_missing", confidence="Confirmed", says=["DetachRolePolicy", "carol"])


def no_random_password(w):
    w.role(random_password=False)
    w.broken("createSecret", [CREDENTIALS, denied("GetRandomPassword", "because no identity-based policy allows the "
             "secretsmanager:GetRandomPassword action", resource="*")])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def may_not_move_the_label(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "PutSecretValue"])
    w.broken("finishSecret", [CREDENTIALS, no_identity_allow("UpdateSecretVersionStage")])
    return root_cause("iam_identity_policy_missing", also=["stuck_awspending"], confidence="Confirmed")


def policy_names_the_arn_without_its_suffix(w):
    w.role(resource=f"arn:aws:secretsmanager:eu-west-1:{w.account}:secret:{w.secret_name}")
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("DescribeSecret")])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def policy_of_the_secret_that_was_recreated(w):
    w.role(resource=f"arn:aws:secretsmanager:eu-west-1:{w.account}:secret:{w.secret_name}-Zz9Zz9")
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("DescribeSecret")])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def denial_without_a_reason(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue")])
    return root_cause("iam_identity_policy_missing")


def explicit_deny_outside_the_vpc(w):
    w.role(statements=[{"Sid": "VpcOnly", "Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*",
                        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}])
    w.broken("createSecret", [CREDENTIALS, denied("DescribeSecret", "with an explicit deny in an identity-based policy")])
    return root_cause("iam_explicit_deny", never=["iam_identity_policy_missing"])


def explicit_deny_in_a_managed_policy(w):
    w.role()
    arn = w.iam.create_policy(PolicyName="freeze", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Freeze", "Effect": "Deny", "Action": "secretsmanager:Put*", "Resource": "*"}]}))["Policy"]["Arn"]
    w.iam.attach_role_policy(RoleName=w.role_name, PolicyArn=arn)
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue", "with an explicit deny in an identity-based policy: " + arn)])
    w.event("AttachRolePolicy", "iam", NOW - 5 * HOUR - 10 * MINUTE, region="us-east-1", params={"roleName": w.role_name, "policyArn": arn})
    return root_cause("iam_explicit_deny", confidence="Confirmed", says=["freeze"], never=["iam_identity_policy_missing"])


def permissions_boundary(w):
    w.role()
    arn = w.iam.create_policy(PolicyName="developer-boundary", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["logs:*", "ec2:*", "secretsmanager:Get*", "secretsmanager:Describe*"], "Resource": "*"}]}))["Policy"]["Arn"]
    w.iam.put_role_permissions_boundary(RoleName=w.role_name, PermissionsBoundary=arn)
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue", "because no permissions boundary allows the "
             "secretsmanager:PutSecretValue action")])
    return root_cause("permissions_boundary_or_scp_deny", confidence="Confirmed", never=["iam_identity_policy_missing"])


def service_control_policy(w):
    w.role()
    w.proxy.organization = [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                            {"Effect": "Deny", "Action": "secretsmanager:UpdateSecretVersionStage", "Resource": "*"}]
    w.broken("finishSecret", [CREDENTIALS, denied("UpdateSecretVersionStage", "with an explicit deny in a service control policy")])
    return root_cause("permissions_boundary_or_scp_deny", also=["stuck_awspending"], never=["iam_identity_policy_missing", "iam_explicit_deny"])


def secret_policy_with_not_principal(w):
    w.role().secret()
    w.secrets.put_resource_policy(SecretId=w.secret_arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "NotPrincipal": {"AWS": [f"arn:aws:iam::{w.account}:role/admin", f"arn:aws:iam::{w.account}:root"]},
         "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}))
    w.broken("createSecret", [CREDENTIALS, denied("GetSecretValue", "with an explicit deny in a resource-based policy")])
    w.event("PutResourcePolicy", "secretsmanager", NOW - 5 * HOUR - 5 * MINUTE, params={"secretId": w.secret_arn})
    return root_cause("secret_resource_policy_deny", confidence="Confirmed", says=["PutResourcePolicy"])


def secret_policy_denies_but_the_message_gives_no_reason(w):
    w.role().secret()
    w.secrets.put_resource_policy(SecretId=w.secret_arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": {"AWS": w.role_arn}, "Action": "secretsmanager:*", "Resource": "*"}]}))
    w.broken("createSecret", [CREDENTIALS, denied("DescribeSecret")])
    return root_cause("secret_resource_policy_deny", never=["iam_identity_policy_missing"])


def function_of_another_account(w):
    w.role().secret()
    w.function_arn = "arn:aws:lambda:eu-west-1:999988887777:function:central-rotation"
    w.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR).failing("createSecret")
    w.deny("lambda:*", "logs:FilterLogEvents")
    return inconclusive(never=["lambda_function_missing", "lambda_invoke_permission_missing"],
                        needs=["lambda:GetFunctionConfiguration"])


def superuser_secret_denied(w):
    w.role(resource=f"arn:aws:secretsmanager:eu-west-1:{w.account}:secret:shop/*")
    master = f"arn:aws:secretsmanager:eu-west-1:{w.account}:secret:platform/superuser-Ab12Cd"
    w.broken("setSecret", [CREDENTIALS, no_identity_allow("GetSecretValue", resource=master)])
    return root_cause("superuser_secret_access_denied", also=["stuck_awspending"], says=[master], never=["iam_identity_policy_missing"])


def key_policy_leaves_the_role_out(w):
    w.role(statements=[{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}])
    w.secret(KmsKeyId=w.key(w.key_policy(f"arn:aws:iam::{w.account}:role/admin")))
    w.broken("createSecret", [CREDENTIALS, raised("ClientError", "An error occurred (AccessDeniedException) when calling the "
             "GetSecretValue operation: Access to KMS is not allowed")])
    return root_cause("kms_access_denied", never=["iam_identity_policy_missing"], confidence=("Confirmed", "Likely"))


def role_may_not_use_the_key(w):
    w.role().secret(KmsKeyId=w.key(w.key_policy(f"arn:aws:iam::{w.account}:root")))
    key = w.backend_secret().kms_key_id
    w.broken("createSecret", [CREDENTIALS, denied("PutSecretValue", "because no identity-based policy allows the kms:GenerateDataKey "
             "action", action="kms:GenerateDataKey", resource=key)])
    return root_cause("kms_access_denied", never=["iam_identity_policy_missing"])


def key_disabled_an_hour_before(w):
    w.role(statements=[{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]).secret(KmsKeyId=w.key())
    key = w.backend_secret().kms_key_id
    w.kms.disable_key(KeyId=key.rsplit("/", 1)[1])
    w.broken("createSecret", [CREDENTIALS, raised("ClientError", "An error occurred (KMSInvalidStateException) when calling the "
             f"GetSecretValue operation: {key} is disabled.")])
    w.event("DisableKey", "kms", NOW - 5 * HOUR - 20 * MINUTE, params={"keyId": key})
    return root_cause("kms_key_disabled_or_pending_deletion", confidence="Confirmed", says=["enable-key"], never=["kms_access_denied"])


def key_will_be_deleted(w):
    w.role(statements=[{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]).secret(KmsKeyId=w.key())
    w.kms.schedule_key_deletion(KeyId=w.backend_secret().kms_key_id.rsplit("/", 1)[1], PendingWindowInDays=7)
    w.broken("createSecret", [CREDENTIALS, raised("DecryptionFailure", "An error occurred (DecryptionFailure) when calling the "
             "GetSecretValue operation: Secrets Manager can't decrypt the protected secret text using the provided KMS key.")])
    return root_cause("kms_key_disabled_or_pending_deletion", says=["cancel-key-deletion"])


def environment_key_denied(w):
    w.role().secret().function(KMSKeyArn=w.key(w.key_policy(f"arn:aws:iam::{w.account}:role/admin")))
    w.broken("createSecret", None)
    return root_cause(("lambda_env_kms_denied",), never=["lambda_invoke_permission_missing"])


def function_policy_removed(w):
    w.role().secret().function(invoke="nobody").rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY).succeeded(NOW - 10 * DAY)
    w.event("RemovePermission20150331v2", "lambda", NOW - 3 * DAY, actor="terraform",
            params={"functionName": w.function_name, "statementId": "SecretsManagerAccess"})
    return root_cause("lambda_invoke_permission_missing", says=["terraform", "add-permission"], confidence="Confirmed")


def function_policy_for_another_account(w):
    w.role().secret().function(invoke="other").rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    return root_cause("lambda_invoke_permission_missing", says=["add-permission", w.account])


def function_policy_not_on_the_alias(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    w.lambda_.publish_version(FunctionName=w.function_name)
    w.lambda_.create_alias(FunctionName=w.function_name, Name="live", FunctionVersion="1")
    w.backend_secret().rotation_lambda_arn = w.function_arn + ":live"
    w.proxy.patches["lambda:GetPolicy"] = {}
    w.fault("lambda:GetPolicy", "missing")
    return root_cause("lambda_invoke_permission_missing", says=["--qualifier live"])


def function_policy_for_another_secret(w):
    w.role().secret().function(invoke="nobody").rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    w.lambda_.add_permission(FunctionName=w.function_name, StatementId="one", Action="lambda:InvokeFunction",
                             Principal="secretsmanager.amazonaws.com",
                             SourceArn=f"arn:aws:secretsmanager:eu-west-1:{w.account}:secret:other/db-Qw3rTy")
    return root_cause("lambda_invoke_permission_missing")


def function_policy_for_the_organization_alone(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    w.proxy.patches["lambda:GetPolicy"] = {"Policy": json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": [
        {"Sid": "OurOrganization", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": w.function_arn,
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]})}
    return root_cause("lambda_invoke_permission_missing", confidence="Confirmed", says=["OurOrganization", "aws:PrincipalOrgID"])


def policy_asks_for_a_tag_that_the_secret_lacks(w):
    w.role(actions=None, statements=[{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:ResourceTag/rotate": "yes"}}}]).secret(Tags=[{"Key": "team", "Value": "shop"}])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("DescribeSecret")])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed", says=["PutSecretValue"])


def function_policy_and_trust_lost_at_once(w):
    w.role().secret().function(invoke="nobody").rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    w.iam.update_assume_role_policy(RoleName=w.role_name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    return root_cause("lambda_invoke_permission_missing", also=["iam_identity_policy_missing"], says=["update-assume-role-policy"])


def secret_policy_denies_outside_the_office(w):
    w.role().secret()
    w.secrets.put_resource_policy(SecretId=w.secret_arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Office", "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
         "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]}))
    w.broken("createSecret", [CREDENTIALS, denied("DescribeSecret", "with an explicit deny in a resource-based policy")])
    return root_cause("secret_resource_policy_deny", says=["Office", "put-resource-policy"], silent_about=["fixed-policy.json"])


def denied_without_a_reason_where_the_secrets_policy_may_not_be_read(w):
    w.role().secret()
    w.broken("createSecret", [CREDENTIALS, denied("DescribeSecret")])
    w.deny("secretsmanager:GetResourcePolicy")
    return inconclusive(needs=["secretsmanager:GetResourcePolicy"])


def former_key_is_disabled(w):
    w.role(statements=[{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]).secret(KmsKeyId=w.key())
    former = w.key()
    w.kms.disable_key(KeyId=former.rsplit("/", 1)[1])
    w.broken("createSecret", [CREDENTIALS, raised("ClientError", "An error occurred (KMSInvalidStateException) when calling the "
             f"GetSecretValue operation: {former} is disabled.")])
    return root_cause("kms_key_disabled_or_pending_deletion", says=[f"enable-key --key-id {former}"])


def key_without_its_material(w):
    w.role(statements=[{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]).secret(KmsKeyId=w.key())
    key = w.backend_secret().kms_key_id
    w.proxy.patches["kms:DescribeKey"] = {"KeyMetadata": lambda told: {**told, "KeyState": "PendingImport", "Enabled": False}}
    w.broken("createSecret", [CREDENTIALS, raised("ClientError", "An error occurred (KMSInvalidStateException) when calling the "
             f"GetSecretValue operation: {key} is pending import.")])
    return root_cause("kms_key_disabled_or_pending_deletion", says=["get-parameters-for-import"], silent_about=["enable-key"])


def endpoint_policy(w):
    w.role().secret().function(VpcConfig=VPC)
    w.broken("createSecret", [CREDENTIALS, denied("DescribeSecret", "because no VPC endpoint policy allows the "
             "secretsmanager:DescribeSecret action")])
    w.event("ModifyVpcEndpoint", "ec2", NOW - 5 * HOUR - 8 * MINUTE, params={
            "ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-0aa1bb2cc", "PolicyDocument": "{}"}})
    return root_cause("vpc_endpoint_policy_deny", never=["iam_identity_policy_missing"])


def no_network_interface_for_the_function(w):
    w.role().secret().function(VpcConfig=VPC)
    w.configured(State="Failed", StateReasonCode="InsufficientRolePermissions", StateReason="The provided execution role does not have "
                 "permissions to call CreateNetworkInterface on EC2")
    w.broken("createSecret", None)
    return root_cause("lambda_eni_permission_missing", says=["AWSLambdaVPCAccessExecutionRole"])


def operator_may_not_rotate(w):
    w.role().secret().function().rotating().succeeded()
    me = f"arn:aws:iam::{w.account}:user/erin"
    w.event("RotateSecret", "secretsmanager", NOW - HOUR, actor="erin", params={"secretId": w.secret_name},
            error=("AccessDenied", f"User: {me} is not authorized to perform: secretsmanager:RotateSecret on resource: {w.secret_arn} "
                   "because no identity-based policy allows the secretsmanager:RotateSecret action"))
    return Expected(("healthy", "root_cause"), also=["operator_permission_missing"], never=["iam_identity_policy_missing"])


def database_api_denied_for_the_superuser(w):
    nested = ("An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: arn:aws:sts::{account}:assumed-role/"
              "{role}/{function} is not authorized to perform: rds:DescribeDBInstances on resource: "
              "arn:aws:rds:eu-west-1:{account}:db:orders because no identity-based policy allows the rds:DescribeDBInstances action")
    text = "setSecret: Encountered API error while fetching connection parameters from DescribeDBInstances: " + nested
    w.broken("setSecret", [CREDENTIALS, error(text), raised("Exception", text.removeprefix("setSecret: "))])
    return root_cause(("superuser_metadata_api_error", "iam_identity_policy_missing"))


def role_path_and_full_actions(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"], path="/service-role/")
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    return root_cause("iam_identity_policy_missing", confidence="Confirmed", says=["--role-name " + w.role_name])


def first_rotation_of_a_cdk_grant(w):
    w.role(actions=[a for a in ROTATION_ACTIONS if a != "UpdateSecretVersionStage"]).secret().function().rotating(
        last=None, due=NOW + 29 * DAY)
    w.failing("finishSecret", [CREDENTIALS, no_identity_allow("UpdateSecretVersionStage")], first=NOW - 4 * HOUR, times=2)
    return root_cause("iam_identity_policy_missing", also=["stuck_awspending"])
