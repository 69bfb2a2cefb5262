"""Diagnoses worlds built on moto with the real binary: a second opinion, independent of our own simulator.

moto answers neither LookupEvents nor SimulatePrincipalPolicy, and does not speak CloudWatch's CBOR protocol, so these
worlds also show what the diagnosis does when three of its nine steps could not look.

Usage: moto_worlds.py path/to/rotation-diag
"""

import io
import json
import logging
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
DAY = 86_400
HOUR = 3_600
NOW = int(time.time())
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
ROTATION_ACTIONS = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]


@dataclass
class Expected:
    outcome: str
    cause: str | None = None
    also: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)


class World:
    """One account; every world uses its own secret, function, role and log group."""

    def __init__(self, endpoint: str, name: str):
        self.name = name
        self.secret_name = f"moto/{name}"
        self.function_name = f"rotate-{name}"
        self.role_name = f"role-{name}"
        client = lambda service: boto3.client(  # noqa: E731
            service, region_name=REGION, endpoint_url=endpoint,
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )
        self.secrets, self.lambda_, self.iam = client("secretsmanager"), client("lambda"), client("iam")
        self.logs, self.kms = client("logs"), client("kms")
        self.secret_arn = self.function_arn = self.role_arn = ""

    def role(self, actions=ROTATION_ACTIONS, deny=()):
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        created = self.iam.create_role(RoleName=self.role_name, AssumeRolePolicyDocument=json.dumps(trust))
        self.role_arn = created["Role"]["Arn"]
        statements = [
            {"Effect": "Allow", "Action": [f"secretsmanager:{a}" for a in actions], "Resource": "*"},
            {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
        ]
        if deny:
            statements.append({"Sid": "Freeze", "Effect": "Deny", "Action": list(deny), "Resource": "*"})
        self.iam.put_role_policy(
            RoleName=self.role_name, PolicyName="rotation",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        return self

    def function(self, invoke_permission=True, **settings):
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("lambda_function.py", "def lambda_handler(event, context): pass")
        created = self.lambda_.create_function(
            FunctionName=self.function_name, Role=self.role_arn, Handler="lambda_function.lambda_handler",
            Runtime="python3.12", Code={"ZipFile": package.getvalue()}, **{"Timeout": 30, **settings})
        self.function_arn = created["FunctionArn"]
        if invoke_permission:
            self.lambda_.add_permission(
                FunctionName=self.function_name, StatementId="SecretsManagerAccess",
                Action="lambda:InvokeFunction", Principal="secretsmanager.amazonaws.com")
        return self

    def secret(self, **settings):
        created = self.secrets.create_secret(
            Name=self.secret_name, SecretString=json.dumps({"username": "app", "password": "canary-value"}), **settings)
        self.secret_arn = created["ARN"]
        return self

    def rotating(self, last=NOW - 2 * DAY, due=NOW + 28 * DAY, enabled=True, pending=False, days=30):
        """Sets what moto's RotateSecret would need a running function for."""
        backend = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION]
        secret = backend.secrets[self.secret_name]
        secret.rotation_requested = True
        secret.rotation_enabled = enabled
        secret.rotation_lambda_arn = self.function_arn
        secret.auto_rotate_after_days = days
        secret.last_rotation_date = last
        secret.next_rotation_date = due
        if pending:
            version = "7b2a4c10-8d55-4b7e-9f60-2f1f4f0c9a11"
            secret.versions[version] = {
                "createdate": NOW - 3 * HOUR, "version_id": version, "version_stages": ["AWSPENDING"],
                "secret_string": "canary-value"}
        return self

    def invocation(self, lines, at=NOW - HOUR, duration=1200.0, status="", name_secret=True):
        """Writes one invocation as Lambda's text format does."""
        request = f"3f1c2d4e-0000-4000-8000-{abs(hash((self.name, at))) % 10**12:012d}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
        texts = [f"START RequestId: {request} Version: $LATEST\n"]
        if name_secret:
            texts.append(f"[INFO]\t{stamp}\t{request}\tFound credentials in environment variables.\n")
        texts += [line.replace("{arn}", self.secret_arn).replace("{stamp}", stamp).replace("{id}", request)
                  .replace("{role}", self.role_name).replace("{function}", self.function_name) + "\n" for line in lines]
        texts.append(f"END RequestId: {request}\n")
        texts.append(f"REPORT RequestId: {request}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\t"
                     f"Memory Size: 128 MB\tMax Memory Used: 73 MB\t{status}\n")
        self.write(texts, at, duration)
        return self

    def write(self, texts, at, duration=1000.0):
        group = f"/aws/lambda/{self.function_name}"
        stream = f"2026/01/01/[$LATEST]{abs(hash((self.name, at))):x}"
        if not self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            self.logs.create_log_group(logGroupName=group)
        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        step = max(1, int(duration) // max(1, len(texts) - 1))
        self.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
            {"timestamp": at * 1000 + i * step, "message": text} for i, text in enumerate(texts)])


PUT_DENIED = (
    "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the {op} operation: User: "
    "arn:aws:sts::123456789012:assumed-role/{role}/{function} is not authorized to perform: secretsmanager:{op} on resource: "
    "{arn} {why}")


def healthy(w):
    steps = ["createSecret: Successfully put secret for ARN {arn} and version x.",
             "setSecret: Successfully set password for user app in PostgreSQL DB for secret arn {arn}.",
             "testSecret: Successfully signed into PostgreSQL DB with AWSPENDING secret in {arn}.",
             "finishSecret: Successfully set AWSCURRENT stage to version x for secret {arn}."]
    w.role().secret().function().rotating(last=NOW - 3 * HOUR)
    for i, step in enumerate(steps):
        w.invocation([f"[INFO]\t{{stamp}}\t{{id}}\t{step}"], at=NOW - 3 * HOUR - 20 + i * 5)
    return Expected("inconclusive", never=["unknown_failure", "iam_identity_policy_missing", "lambda_invoke_permission_missing"])


def missing_action(w):
    w.role(actions=["DescribeSecret", "GetSecretValue", "UpdateSecretVersionStage"]).secret().function().rotating(due=NOW - DAY)
    w.invocation([PUT_DENIED.format(op="PutSecretValue", role="{role}", function="{function}", arn="{arn}",
                  why="because no identity-based policy allows the secretsmanager:PutSecretValue action")])
    return Expected("root_cause", "iam_identity_policy_missing")


def explicit_deny(w):
    w.role(deny=["secretsmanager:UpdateSecretVersionStage"]).secret().function().rotating(pending=True)
    w.invocation([PUT_DENIED.format(op="UpdateSecretVersionStage", role="{role}", function="{function}", arn="{arn}",
                  why="with an explicit deny in an identity-based policy")])
    return Expected("root_cause", "iam_explicit_deny", also=["stuck_awspending"])


def import_error(w):
    w.role().secret().function().rotating(due=NOW - DAY)
    w.write(["[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'\n"
             "Traceback (most recent call last):\n",
             "INIT_REPORT Init Duration: 312.21 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"], NOW - HOUR)
    return Expected("root_cause", "code_import_error")


def function_gone(w):
    w.role().secret().function().rotating()
    w.lambda_.delete_function(FunctionName=w.function_name)
    return Expected("root_cause", "lambda_function_missing")


def marked_for_deletion(w):
    w.role().secret().function().rotating()
    w.secrets.delete_secret(SecretId=w.secret_arn, RecoveryWindowInDays=7)
    return Expected("root_cause", "secret_marked_for_deletion")


def never_enabled(w):
    w.secret()
    return Expected("root_cause", "rotation_never_enabled")


def disabled(w):
    w.role().secret().function().rotating(enabled=False, last=NOW - 60 * DAY, due=None)
    return Expected("root_cause", "rotation_disabled")


def wrong_password(w):
    w.role().secret().function().rotating(pending=True)
    w.invocation(["[ERROR] OperationalError: connection to server at \"db.example.internal\" (10.0.0.5), port 5432 failed: "
                  "FATAL:  password authentication failed for user \"app\"",
                  "[ERROR]\t{stamp}\t{id}\tsetSecret: Unable to log into database with previous, current, or pending secret of "
                  "secret arn {arn}"], duration=640.0)
    return Expected("root_cause", "db_auth_failed", also=["stuck_awspending"])


def no_route_to_aws(w):
    w.role().secret().function(VpcConfig={"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}).rotating(due=NOW - DAY)
    w.invocation(["{stamp} {id} Task timed out after 30.03 seconds"], duration=30000.0, status="Status: timeout")
    return Expected("root_cause", "aws_endpoint_unreachable")


def key_disabled(w):
    key = w.kms.create_key(Description="rotation")["KeyMetadata"]
    w.role().secret(KmsKeyId=key["Arn"]).function().rotating(pending=True)
    w.kms.disable_key(KeyId=key["KeyId"])
    w.invocation(["[ERROR] ClientError: An error occurred (DecryptionFailure) when calling the GetSecretValue operation: Secrets "
                  "Manager can't decrypt the protected secret text using the provided KMS key."])
    return Expected("root_cause", "kms_key_disabled_or_pending_deletion")


def not_there(w):
    return Expected("not_found", "secret_not_found")


def cannot_be_invoked(w):
    w.role().secret().function(invoke_permission=False).rotating(last=NOW - 60 * DAY, due=NOW - 29 * DAY)
    return Expected("root_cause", "lambda_invoke_permission_missing")


def no_concurrency(w):
    w.role().secret().function().rotating(last=NOW - 60 * DAY, due=NOW - 29 * DAY)
    w.lambda_.put_function_concurrency(FunctionName=w.function_name, ReservedConcurrentExecutions=0)
    return Expected("root_cause", "lambda_throttled_concurrency")


def secret_policy_denies(w):
    w.role().secret().function().rotating(pending=True)
    w.secrets.put_resource_policy(SecretId=w.secret_arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "OnlyAdmins", "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
         "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/admin*"}}}]}))
    w.invocation([PUT_DENIED.format(op="GetSecretValue", role="{role}", function="{function}", arn="{arn}",
                  why="with an explicit deny in a resource-based policy")])
    return Expected("root_cause", "secret_resource_policy_deny")


def wrong_engine_in_json_format(w):
    w.role().secret().function(LoggingConfig={"LogFormat": "JSON"}).rotating(pending=True)
    record = {"timestamp": "2026-01-01T00:00:00Z", "level": "ERROR", "requestId": "3f1c2d4e-0000-4000-8000-123456789012",
              "errorType": "KeyError", "errorMessage": "\"Database engine must be set to 'mysql' in order to use this rotation lambda\"",
              "message": "\"Database engine must be set to 'mysql' in order to use this rotation lambda\"", "stackTrace": []}
    at = "2026-01-01T00:00:00.000Z"
    request = "3f1c2d4e-0000-4000-8000-123456789012"
    w.write([json.dumps({"time": at, "type": "platform.start", "record": {"requestId": request, "version": "$LATEST"}}),
             json.dumps({"timestamp": at, "level": "INFO", "requestId": request, "message": f"setSecret: starting for {w.secret_arn}"}),
             json.dumps(record),
             json.dumps({"time": at, "type": "platform.report", "record": {"requestId": request, "status": "error",
                         "errorType": "KeyError", "metrics": {"durationMs": 210.0, "billedDurationMs": 211, "memorySizeMB": 128,
                                                              "maxMemoryUsedMB": 70}}})], NOW - HOUR)
    return Expected("root_cause", "secret_json_engine_wrong")


def managed_by_rds(w):
    backend = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION]
    secret = backend.create_managed_secret("rds", w.secret_name, secret_string="canary-value")
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = ""
    secret.auto_rotate_after_days = 7
    secret.last_rotation_date = NOW - 2 * DAY
    secret.next_rotation_date = NOW + 5 * DAY
    return Expected("inconclusive", never=["rotation_no_lambda_arn", "lambda_function_missing", "unknown_failure"])


WORLDS = [healthy, missing_action, explicit_deny, import_error, function_gone, marked_for_deletion, never_enabled, disabled,
          wrong_password, no_route_to_aws, key_disabled, not_there, cannot_be_invoked, no_concurrency, secret_policy_denies,
          wrong_engine_in_json_format, managed_by_rds]


def complaints(report: dict, expected: Expected) -> list[str]:
    causes = [finding["cause"] for finding in report["findings"]]
    found = []
    if report["outcome"] != expected.outcome:
        found.append(f"outcome {report['outcome']}, expected {expected.outcome}")
    if expected.cause and causes[:1] != [expected.cause]:
        found.append(f"first cause {causes[:1]}, expected {expected.cause}")
    found += [f"{cause} is missing" for cause in expected.also if cause not in causes]
    found += [f"{cause} must not be found" for cause in expected.never if cause in causes]
    if len(report["steps"]) != 9:
        found.append(f"{len(report['steps'])} steps")
    if "canary-value" in json.dumps(report):
        found.append("a secret's value leaked")
    return found


def main() -> int:
    binary = sys.argv[1]
    only = set(sys.argv[2:])
    logging.disable(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    passed = failed = 0
    for build in WORLDS:
        name = build.__name__.replace("_", "-")
        if only and name not in only:
            continue
        world = World(endpoint, name)
        expected = build(world)
        run = subprocess.run(
            [binary, "diagnose", world.secret_name, "--format", "json"], capture_output=True, text=True, timeout=120,
            env={**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint})
        try:
            found = complaints(json.loads(run.stdout), expected)
        except ValueError:
            found = [f"exit {run.returncode}, no report: {run.stderr.strip()[-500:]}"]
        if found:
            failed += 1
            print(f"FAILED {name}: {'; '.join(found)}")
            if only:
                print(run.stdout, run.stderr)
        else:
            passed += 1
            print(f"ok     {name}: {expected.cause or expected.outcome}")
    server.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
