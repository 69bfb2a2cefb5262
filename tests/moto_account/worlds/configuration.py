"""Rotation is off, has no function, or has a schedule that does not do what is wanted."""

import uuid
from datetime import datetime, timedelta, timezone

from ..world import DAY, HOUR, NOW, healthy, root_cause


def switched_off_on_purpose(w):
    w.role().secret().function().rotating(last=NOW - 60 * DAY, due=None, enabled=False)
    w.event("CancelRotateSecret", "secretsmanager", NOW - 20 * DAY, actor="alice", params={"secretId": w.secret_arn})
    return root_cause("rotation_disabled", says=["alice"], never=["schedule_wrong_or_overdue", "stuck_awspending"])


def never_switched_on(w):
    w.secret()
    return root_cause("rotation_never_enabled", never=["rotation_disabled"])


def on_without_a_function(w):
    w.secret().rotating(last=None, due=NOW + 9 * DAY)
    w.described(RotationLambdaARN=None)
    return root_cause("rotation_no_lambda_arn")


def due_three_days_ago_and_nobody_started_it(w):
    w.role().secret().function().rotating(last=NOW - 33 * DAY, due=NOW - 3 * DAY).succeeded(NOW - 13 * DAY)
    return root_cause("schedule_wrong_or_overdue")


def cron_on_the_thirtieth_of_february(w):
    w.role().secret().function().rotating(last=NOW - 80 * DAY, due=None, rules={"ScheduleExpression": "cron(0 4 30 2 ? *)", "Duration": "3h"})
    return root_cause("schedule_wrong_or_overdue", says=["cron(0 4 30 2 ? *)"])


def cron_of_every_monday_in_good_order(w):
    today = datetime.fromtimestamp(NOW, timezone.utc).replace(hour=4, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday()) if (today.weekday(), NOW) >= (0, today.timestamp()) else today - timedelta(days=7)
    if monday.timestamp() > NOW - 5 * HOUR:
        monday -= timedelta(days=7)
    last, due = int(monday.timestamp()) + 600, int(monday.timestamp()) + 7 * DAY
    w.role().secret().function().rotating(last=last, due=due, rules={"ScheduleExpression": "cron(0 4 ? * MON *)", "Duration": "4h"})
    w.succeeded(last - 20)
    return healthy(never=["schedule_wrong_or_overdue"])


def managed_by_rds_and_failing(w):
    w.secret("rds!db-1234").rotating(last=NOW - 20 * DAY, due=NOW - 6 * DAY, days=7)
    w.described(OwningService="rds", RotationLambdaARN=None)
    for i in range(3):
        version = str(uuid.uuid4())
        w.rotation_event("RotationStarted", NOW - 6 * DAY + i * HOUR, version)
        w.rotation_event("RotationFailed", NOW - 6 * DAY + i * HOUR + 30, version, message="Internal failure")
    return root_cause("managed_rotation_failing", never=["rotation_no_lambda_arn", "lambda_function_missing"])


def partner_secret_without_rights(w):
    w.secret().rotating(last=NOW - 20 * DAY, due=NOW - 6 * HOUR)
    w.described(Type="SalesforceClientSecret", RotationLambdaARN=None, ExternalSecretRotationRoleArn=f"arn:aws:iam::{w.account}:role/partner",
                ExternalSecretRotationMetadata=[])
    for i in range(3):
        version = str(uuid.uuid4())
        w.rotation_event("RotationStarted", NOW - 5 * HOUR + i * HOUR, version)
        w.rotation_event("RotationFailed", NOW - 5 * HOUR + i * HOUR + 30, version, message="Access denied for the rotation role")
    return root_cause("external_role_trust", never=["rotation_no_lambda_arn"])


def replica_that_failed_to_replicate(w):
    w.role().secret().described(PrimaryRegion="us-east-1", ReplicationStatus=[
        {"Region": "eu-west-1", "Status": "Failed", "StatusMessage": "Replication failed: Secret name simple already exists in region eu-west-1."}])
    return root_cause("replica_rotates_in_primary_region", says=["us-east-1"])


def primary_whose_replica_failed(w):
    w.role().secret().function().rotating().succeeded()
    w.described(ReplicationStatus=[{"Region": "us-east-1", "Status": "Failed", "StatusMessage": "Secret name already exists in region us-east-1."}])
    return healthy(never=["replica_rotates_in_primary_region"], says=["us-east-1"])
