"""Secrets that rotate. Whatever looks odd here is not a fault."""

import json
import uuid

from moto.secretsmanager.models import secretsmanager_backends

from ..world import CANARY, DAY, HOUR, MINUTE, NOW, Expected, healthy, inconclusive
from .lines import CREDENTIALS, error, info, raised

FAULTS = ["unknown_failure", "stuck_awspending", "schedule_wrong_or_overdue", "lambda_invoke_permission_missing"]


def rotated_two_days_ago(w):
    w.role().secret().function().rotating().succeeded()
    return healthy(never=FAULTS)


def new_secret_whose_first_rotation_is_due_next_month(w):
    w.role().secret().function(invoke="account").rotating(last=None, due=NOW + 29 * DAY)
    w.event("RotateSecret", "secretsmanager", NOW - HOUR, params={"secretId": w.secret_arn, "rotateImmediately": False,
            "rotationLambdaARN": w.function_arn})
    version = str(uuid.uuid4())
    w.rotation_event("TestRotationStarted", NOW - HOUR, version).rotation_event("TestRotationSucceeded", NOW - HOUR + 9, version)
    w.good_step(2, version, NOW - HOUR + 4)
    return healthy(never=FAULTS)


def value_put_by_hand_yesterday(w):
    w.role().secret().function().rotating(last=NOW - 20 * DAY, due=NOW + 29 * DAY).succeeded(NOW - 20 * DAY + HOUR)
    w.described(LastChangedDate=NOW - DAY)
    w.event("PutSecretValue", "secretsmanager", NOW - DAY, actor="dave", params={"secretId": w.secret_name})
    return healthy(never=FAULTS + ["rotation_abandoned_manual_change"])


def due_two_hours_ago_but_the_window_is_open(w):
    w.role().secret().function().rotating(last=NOW - 7 * DAY, due=NOW - 2 * HOUR, rules={
        "ScheduleExpression": "rate(7 days)", "Duration": "24h"}).succeeded(NOW - 7 * DAY)
    return healthy(never=FAULTS)


def due_since_midnight_and_the_whole_day_is_the_window(w):
    midnight = NOW - NOW % DAY
    w.role().secret().function().rotating(last=midnight - 30 * DAY, due=midnight + DAY - 1, days=30)
    w.succeeded(NOW - 10 * DAY)
    return healthy(never=FAULTS)


def failed_twice_last_week_then_recovered(w):
    w.role().secret().function().rotating(last=NOW - 3 * DAY, due=NOW + 27 * DAY)
    w.failing("setSecret", [CREDENTIALS, raised("OperationalError", 'connection to server at "orders.internal" (10.0.0.5), port 5432 '
              "failed: Connection timed out")], times=2, first=NOW - 4 * DAY, pending=False, duration=9000.0)
    w.succeeded(NOW - 3 * DAY)
    return healthy(never=FAULTS + ["db_network_unreachable"])


def rotating_this_very_minute(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 40).succeeded(NOW - 9 * DAY)
    version = w.pending(at=NOW - 30)
    w.rotation_event("RotationStarted", NOW - 35, version)
    w.good_step(0, version, NOW - 30)
    return healthy(never=FAULTS)


def both_labels_on_one_version(w):
    w.role().secret().function().rotating().succeeded()
    versions = w.backend_secret().versions
    next(iter(versions.values()))["version_stages"] = ["AWSCURRENT", "AWSPENDING"]
    return healthy(never=FAULTS)


def pending_not_found_in_create_secret_is_how_it_works(w):
    w.role().secret().function().rotating(last=NOW - 3 * HOUR)
    version = str(uuid.uuid4())
    w.rotation_event("RotationStarted", NOW - 3 * HOUR, version)
    w.invocation([CREDENTIALS, info("ResourceNotFoundException: An error occurred (ResourceNotFoundException) when calling the "
                 "GetSecretValue operation: Secrets Manager can't find the specified secret value for staging label: AWSPENDING"),
                 info("createSecret: Successfully put secret for ARN {arn} and version " + version + ".")],
                 at=NOW - 3 * HOUR + 2, failed=False)
    for index in (1, 2, 3):
        w.good_step(index, version, NOW - 3 * HOUR + 4 * index)
    w.event("GetSecretValue", "secretsmanager", NOW - 3 * HOUR + 2, params={"secretId": w.secret_arn, "versionStage": "AWSPENDING"},
            error=("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSPENDING"))
    w.rotation_event("RotationSucceeded", NOW - 3 * HOUR + 20, version)
    return healthy(never=FAULTS + ["version_not_staged_race", "secret_not_found"])


def managed_by_redshift(w):
    w.role().secret("redshift!shop-admin")
    w.rotating(last=NOW - 2 * DAY, due=NOW + 5 * DAY, days=7)
    w.described(OwningService="redshift", RotationLambdaARN=None)
    version = str(uuid.uuid4())
    w.rotation_event("RotationStarted", NOW - 2 * DAY, version).rotation_event("RotationSucceeded", NOW - 2 * DAY + 30, version)
    return healthy(never=FAULTS + ["rotation_no_lambda_arn", "lambda_function_missing"])


def function_fails_for_another_secret_only(w):
    w.role().secret().function().rotating().succeeded(NOW - 6 * HOUR)
    other = w.secrets.create_secret(Name="shop/other-db", SecretString=CANARY)["ARN"]
    for attempt in range(3):
        at, version = NOW - 4 * HOUR + attempt * HOUR, str(uuid.uuid4())
        w.rotation_event("RotationStarted", at, version, arn=other)
        w.invocation([CREDENTIALS, error(f"setSecret: Unable to log into database with previous, current, or pending secret of secret "
                     f"arn {other}")], at=at + 5, duration=640.0)
        w.rotation_event("RotationFailed", at + 9, version, step="setSecret", arn=other)
    return healthy(never=FAULTS + ["db_login_ambiguous", "db_auth_failed"])


def runtime_deprecated_but_working(w):
    w.role().secret().function(Runtime="python3.8").rotating().succeeded()
    return healthy(never=FAULTS)


def name_that_ends_like_an_arn_suffix(w):
    w.role().secret("shop/orders-AbCdEf")
    w.secrets.create_secret(Name="shop/orders", SecretString=CANARY)
    w.function().rotating().succeeded()
    return healthy(never=FAULTS)


def sibling_whose_name_looks_like_our_arn_fails(w):
    sibling = w.secrets.create_secret(Name="shop/orders-AbCdEf", SecretString=CANARY)["ARN"]
    w.role().secret("shop/orders").function().rotating().succeeded()
    version = str(uuid.uuid4())
    w.rotation_event("RotationStarted", NOW - HOUR, version, arn=sibling)
    w.rotation_event("RotationFailed", NOW - HOUR + 9, version, step="createSecret", arn=sibling)
    return healthy(never=FAULTS)


def odd_name_and_a_description_in_unicode(w):
    w.role().secret("team+payments/eu_west=1/a.b@c-d/" + "x" * 120, Description="Zahlungs-Passwort für Köln 💳 – nicht anfassen")
    w.function().rotating().succeeded()
    return healthy(never=FAULTS)


def name_of_512_characters(w):
    w.role().secret("n" * 512).function().rotating().succeeded()
    return healthy(never=FAULTS)


def asked_for_by_its_arn(w):
    w.role().secret().function().rotating().succeeded()
    w.asks_for = w.secret_arn
    return healthy(never=FAULTS)


def account_with_600_secrets(w):
    w.role().secret().function().rotating().succeeded()
    backend = secretsmanager_backends[w.account]["eu-west-1"]
    for i in range(600):
        backend.create_secret(f"shop/fleet-{i:03d}", secret_string=CANARY, secret_binary=None, description=None, tags=[],
                              kms_key_id=None, client_request_token=None, replica_regions=[], force_overwrite=False)
    return healthy(never=FAULTS)


def invoked_by_hand_after_a_good_rotation(w):
    w.role().secret().function().rotating(last=NOW - 3 * DAY).succeeded(NOW - 3 * DAY)
    w.invocation([CREDENTIALS, raised("KeyError", "'SecretId'", "arn = event['SecretId']")], at=NOW - 2 * HOUR)
    return healthy(never=FAULTS + ["code_unhandled_exception", "code_missing_env"])


def retry_of_secrets_manager_healed_it(w):
    w.role().secret().function().rotating(last=NOW - 5 * HOUR)
    version = str(uuid.uuid4())
    w.rotation_event("RotationStarted", NOW - 6 * HOUR, version)
    w.good_step(0, version, NOW - 6 * HOUR + 3)
    w.invocation([CREDENTIALS, raised("ClientError", "An error occurred (ThrottlingException) when calling the GetSecretValue "
                 "operation (reached max retries: 4): Rate exceeded")], at=NOW - 6 * HOUR + 6)
    w.rotation_event("RotationFailed", NOW - 6 * HOUR + 9, version, step="setSecret")
    w.succeeded(NOW - 5 * HOUR, version)
    return healthy(never=FAULTS + ["aws_api_throttled"])


def health_event_of_another_service(w):
    w.role().secret().function().rotating().succeeded()
    w.proxy.health = []
    return healthy(never=FAULTS)


def policy_on_the_alias_that_rotates(w):
    w.role().secret().function(alias="live", invoke="account").rotating().succeeded()
    return healthy(never=FAULTS)


def inactive_function_between_rotations(w):
    w.role().secret().function().rotating(last=NOW - 20 * DAY, due=NOW + 10 * DAY).succeeded(NOW - 13 * DAY)
    w.configured(State="Inactive", StateReason="The function is inactive.", StateReasonCode="Idle")
    return healthy(never=FAULTS + ["lambda_state_failed"])


def shared_log_group_with_errors_of_another_function(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "Text", "LogGroup": "/shared/lambdas"}).rotating().succeeded(NOW - 6 * HOUR)
    w.invocation([raised("KeyError", "'orderId'"), "2026-01-01T00:00:00.000Z 1-2 Task timed out after 3.00 seconds"],
                 at=NOW - HOUR, function="checkout")
    return healthy(never=FAULTS + ["code_unhandled_exception", "lambda_timeout_too_short"])


def similar_function_is_throttled(w):
    w.role().secret().function("rotate-db").rotating().succeeded()
    for name in ("rotate-db-2", "rotate-db-legacy"):
        w.metric("Throttles", NOW - HOUR, 30, name).metric("Errors", NOW - HOUR, 30, name)
    return healthy(never=FAULTS + ["lambda_throttled_concurrency"])


def deny_that_spares_the_rotation_role(w):
    w.role().secret().function().rotating().succeeded()
    w.secrets.put_resource_policy(SecretId=w.secret_arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "OnlyTheRotator", "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
         "Condition": {"StringNotLike": {"aws:PrincipalArn": [w.role_arn, f"arn:aws:iam::{w.account}:role/admin"]}}}]}))
    return healthy(never=FAULTS + ["secret_resource_policy_deny"])


def tag_that_the_roles_policy_asks_for(w):
    w.role(actions=None, statements=[{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:ResourceTag/rotate": "yes"}}}]).secret(Tags=[{"Key": "rotate", "Value": "yes"}])
    w.function().rotating().succeeded()
    return healthy(never=FAULTS + ["iam_identity_policy_missing"])


def key_of_the_customer_in_good_order(w):
    w.role(statements=[{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}])
    w.secret(KmsKeyId=w.key()).function().rotating().succeeded()
    return healthy(never=FAULTS + ["kms_access_denied"])


def read_so_often_that_the_trail_is_full(w):
    w.role().secret().function().rotating().succeeded()
    for i in range(400):
        w.event("GetSecretValue", "secretsmanager", NOW - i * MINUTE, actor="app", params={"secretId": w.secret_name})
    return healthy(never=FAULTS)


def every_deny_that_matters_little(w):
    w.role().secret().function().rotating().succeeded()
    w.deny("secretsmanager:ListSecrets", "health:DescribeEvents")
    return healthy(never=FAULTS)


def healthy_but_history_and_logs_are_denied(w):
    w.role().secret().function().rotating(last=NOW - 2 * DAY).succeeded()
    w.deny("cloudtrail:LookupEvents", "cloudtrail:DescribeTrails", "logs:FilterLogEvents")
    return inconclusive(needs=["cloudtrail:LookupEvents", "logs:FilterLogEvents"], steps={4: "denied", 6: "denied"})


def replica_in_good_order(w):
    w.role().secret().described(PrimaryRegion="us-east-1", RotationEnabled=None, RotationLambdaARN=None, RotationRules=None,
                                ReplicationStatus=None)
    return Expected(("root_cause", "healthy"), "replica_rotates_in_primary_region", never=FAULTS + ["rotation_never_enabled"],
                    says=["us-east-1"])
