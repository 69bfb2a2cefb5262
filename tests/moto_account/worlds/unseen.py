"""What the bot may not see, cannot get, or waits for in vain."""

from ..world import DAY, HOUR, NOW, VPC, Expected, healthy, inconclusive, root_cause
from .lines import CREDENTIALS, login_failed, no_identity_allow, raised


def _password_refused(w):
    w.broken("setSecret", [CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")")],
             duration=300.0)


def everything_denied(w):
    _password_refused(w)
    w.deny("*")
    return inconclusive(needs=["secretsmanager:DescribeSecret"], steps={1: "denied"}, never=["db_auth_failed"])


def all_but_the_secret_denied(w):
    _password_refused(w)
    w.deny("lambda:*", "logs:*", "iam:*", "cloudtrail:*", "cloudwatch:*", "kms:*", "health:*")
    return Expected(("inconclusive", "root_cause"), never=["db_auth_failed", "unknown_failure", "schedule_wrong_or_overdue"],
                    needs=["lambda:GetFunctionConfiguration", "cloudtrail:LookupEvents"], steps={3: "denied", 4: "denied", 6: "denied"})


def logs_denied(w):
    _password_refused(w)
    w.deny("logs:FilterLogEvents")
    return Expected(("inconclusive", "root_cause"), steps={4: "denied"}, needs=["logs:FilterLogEvents"],
                    never=["unknown_failure", "db_auth_failed", "iam_identity_policy_missing"])


def logs_denied_but_the_policy_tells(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    w.deny("logs:FilterLogEvents")
    return root_cause("iam_identity_policy_missing", steps={4: "denied"}, confidence=("Likely", "Possible", "Confirmed"))


def history_denied(w):
    _password_refused(w)
    w.deny("cloudtrail:LookupEvents")
    return root_cause("db_auth_failed", steps={6: "denied", 9: "denied"}, needs=["cloudtrail:LookupEvents"])


def role_denied(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    w.deny("iam:*")
    return root_cause("iam_identity_policy_missing", steps={5: "denied"})


def simulation_denied(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"])
    w.broken("createSecret", [CREDENTIALS, no_identity_allow("PutSecretValue")])
    w.deny("iam:SimulatePrincipalPolicy")
    return root_cause("iam_identity_policy_missing", confidence="Confirmed")


def function_denied(w):
    _password_refused(w)
    w.deny("lambda:*")
    return Expected(("root_cause", "inconclusive"), steps={3: "denied"}, needs=["lambda:GetFunctionConfiguration"],
                    never=["lambda_function_missing", "lambda_invoke_permission_missing"])


def metrics_denied(w):
    _password_refused(w)
    w.deny("cloudwatch:GetMetricData")
    return root_cause("db_auth_failed", steps={7: "denied"})


def key_denied(w):
    w.role().secret(KmsKeyId=w.key(w.key_policy("arn:aws:iam::999988887777:root")))
    w.broken("createSecret", [CREDENTIALS, raised("ClientError", "An error occurred (AccessDeniedException) when calling the GetSecretValue "
             "operation: Access to KMS is not allowed")])
    w.deny("kms:*")
    return root_cause("kms_access_denied")


def logs_throttled_for_good(w):
    _password_refused(w)
    w.fault("logs:FilterLogEvents", "throttle")
    return Expected(("inconclusive", "root_cause"), steps={4: "throttled"}, never=["unknown_failure", "db_auth_failed"])


def everything_throttled_once(w):
    _password_refused(w)
    for action in ("secretsmanager:DescribeSecret", "lambda:GetFunctionConfiguration", "logs:FilterLogEvents", "iam:SimulatePrincipalPolicy",
                   "cloudwatch:GetMetricData", "cloudtrail:LookupEvents"):
        w.fault(action, "throttle", times=1)
    return root_cause("db_auth_failed")


def describe_secret_throttled_for_good(w):
    _password_refused(w)
    w.fault("secretsmanager:DescribeSecret", "throttle")
    return inconclusive(steps={1: "throttled"}, never=["secret_not_found"])


def trail_answers_500(w):
    _password_refused(w)
    w.fault("cloudtrail:LookupEvents", "500")
    return root_cause("db_auth_failed", steps={6: "failed", 9: "failed"}, silent_about=["no changes"])


def healthy_but_the_trail_answers_500(w):
    w.role().secret().function().rotating().succeeded()
    w.fault("cloudtrail:LookupEvents", "500")
    return Expected(("inconclusive", "healthy"), steps={6: "failed"}, never=["unknown_failure", "schedule_wrong_or_overdue"])


def logs_never_answer(w):
    _password_refused(w)
    w.fault("logs:FilterLogEvents", "slow", seconds=25)
    return Expected(("inconclusive", "root_cause"), steps={4: "timed_out"}, never=["unknown_failure", "db_auth_failed"])


def all_of_aws_is_slow(w):
    _password_refused(w)
    w.fault("*", "slow", seconds=0.4)
    return root_cause("db_auth_failed")


def log_group_is_gone(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR).failing("setSecret", None, pending=True)
    for i in range(3):
        for step in range(2):
            w.measured(NOW - 5 * HOUR + i * 5400 + step * 4, 900.0, failed=step == 1)
    return Expected(("inconclusive", "root_cause"), ("unknown_failure", "stuck_awspending"), steps={4: "no_data"}, also=[],
                    never=["lambda_invoke_permission_missing", "lambda_env_kms_denied", "lambda_throttled_concurrency"])


def log_group_holds_only_another_function(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "Text", "LogGroup": "/shared/lambdas"}).rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.failing("setSecret", None, pending=True)
    w.invocation([raised("KeyError", "'orderId'", "handle(order)")], at=NOW - 4 * HOUR, function="checkout")
    return Expected(("inconclusive", "root_cause"), never=["code_missing_env", "secret_json_key_missing"])


def never_seen_words(w):
    w.broken("setSecret", [CREDENTIALS, "[ERROR] FrobnicationError: the flux of tenant 17 is inverted\nTraceback (most recent call last):\n  File "
             "\"/opt/python/flux/core.py\", line 3, in go"])
    return root_cause(("unknown_failure", "code_unhandled_exception"), says=["flux of tenant 17"], never=["db_auth_failed"])


def login_ambiguous_and_metrics_denied(w):
    w.role().secret().function(VpcConfig=VPC)
    w.broken("setSecret", login_failed(), duration=10400.0)
    w.deny("cloudwatch:GetMetricData", "cloudtrail:LookupEvents")
    return root_cause("db_network_unreachable")


def secret_policy_denied_but_rotation_works(w):
    w.role().secret().function().rotating().succeeded()
    w.deny("secretsmanager:GetResourcePolicy")
    return Expected(("healthy", "inconclusive"), needs=["secretsmanager:GetResourcePolicy"], never=["secret_resource_policy_deny"])


def function_policy_denied_and_overdue(w):
    w.role().secret().function(invoke="nobody").rotating(last=NOW - 30 * DAY, due=NOW - 2 * DAY)
    w.deny("lambda:GetPolicy")
    return Expected(("root_cause", "inconclusive"), needs=["lambda:GetPolicy"], never=["lambda_invoke_permission_missing"])


def list_secrets_denied_and_name_unknown(w):
    w.asks_for = "shop/nothing-here"
    w.deny("secretsmanager:ListSecrets")
    return Expected("not_found", "secret_not_found")


def simulation_of_a_world_in_good_order(w):
    w.role().secret().function().rotating().succeeded()
    w.deny("iam:SimulatePrincipalPolicy", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:GetRole")
    return healthy(steps={5: "denied"})
