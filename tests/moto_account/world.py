"""The builder of one world: an account as an engineer would set it up with boto3, and what happened in it."""

import io
import json
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timezone

import boto3
from moto.secretsmanager.models import secretsmanager_backends

from .proxy import BUILDER_KEY, Fault, Proxy

REGION = "eu-west-1"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NOW = int(time.time())
CANARY = "canary-value-of-a-secret"
ROTATION_ACTIONS = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
VPC = {"SubnetIds": ["subnet-0a1b2c3d", "subnet-0d3c2b1a"], "SecurityGroupIds": ["sg-0a1b2c3d"]}


@dataclass
class Expected:
    """What an expert would say. `any_of` admits more than one first cause where experts differ."""

    outcome: str | tuple[str, ...]
    cause: str | tuple[str, ...] | None = None
    also: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    steps: dict[int, str] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    silent_about: list[str] = field(default_factory=list)
    confidence: str | tuple[str, ...] | None = None


def healthy(**more) -> Expected:
    return Expected("healthy", **more)


def root_cause(cause, **more) -> Expected:
    return Expected("root_cause", cause, **more)


def inconclusive(**more) -> Expected:
    return Expected("inconclusive", **more)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03d}Z"


class World:
    PROXY = Proxy

    def __init__(self, moto: tuple[str, int], number: int, name: str):
        self.account = f"{410_000_000_000 + number}"
        self.proxy = self.PROXY(moto, self.account)
        self.secret_name, self.function_name, self.role_name = f"shop/{name}", f"rotate-{name}"[:64], f"rotator-{name}"[:64]
        self.asks_for = self.secret_arn = self.function_arn = self.role_arn = ""
        self.log_group = ""
        self.json_logs = False
        # The Vpc that was built, where one was: moto's Lambda makes up the same one for every function, which its EC2 does not know.
        self.network = None
        self.region = REGION
        self.secrets, self.lambda_, self.iam = self.client("secretsmanager"), self.client("lambda"), self.client("iam")
        self.logs, self.kms = self.client("logs"), self.client("kms")

    def client(self, service: str):
        return boto3.client(service, region_name=REGION, endpoint_url=self.proxy.endpoint,
                            aws_access_key_id=BUILDER_KEY, aws_secret_access_key="x")

    # --- the account -----------------------------------------------------------------------------------------------

    def role(self, actions=ROTATION_ACTIONS, resource="*", random_password=True, statements=(), path="/"):
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        self.role_arn = self.iam.create_role(
            RoleName=self.role_name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        policy = []
        if actions:
            policy.append({"Effect": "Allow", "Action": [f"secretsmanager:{a}" for a in actions], "Resource": resource})
        if random_password:
            policy.append({"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"})
        policy.append({"Effect": "Allow", "Resource": "*", "Action": [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface"]})
        self.role_policy("rotation", policy + list(statements))
        return self

    def role_policy(self, name, statements):
        self.iam.put_role_policy(RoleName=self.role_name, PolicyName=name, PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": statements}))
        return self

    def secret(self, name=None, value=None, **settings):
        self.secret_name = name or self.secret_name
        text = json.dumps({"engine": "postgres", "host": "orders.internal", "username": "app", "password": CANARY})
        self.secret_arn = self.secrets.create_secret(Name=self.secret_name, SecretString=value or text, **settings)["ARN"]
        self.asks_for = self.asks_for or self.secret_name
        return self

    def function(self, name=None, invoke="any", alias=None, **settings):
        """`invoke` says whom the function's policy lets in: `any`, `account`, `other` account, `nobody`."""
        self.function_name = name or self.function_name
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("lambda_function.py", "def lambda_handler(event, context): pass")
        logging = settings.pop("LoggingConfig", None)
        created = self.lambda_.create_function(
            FunctionName=self.function_name, Role=self.role_arn,
            Code={"ZipFile": package.getvalue()},
            **{"Timeout": 30, "Runtime": "python3.12", "Handler": "lambda_function.lambda_handler", **settings})
        self.function_arn = created["FunctionArn"]
        self.log_group = f"/aws/lambda/{self.function_name}"
        if logging:
            # moto forgets the logging configuration.
            self.configured(LoggingConfig=logging)
            self.log_group = logging.get("LogGroup", self.log_group)
            self.json_logs = logging.get("LogFormat") == "JSON"
        if "KMSKeyArn" in settings:
            self.configured(KMSKeyArn=settings["KMSKeyArn"])
        if alias:
            version = self.lambda_.publish_version(FunctionName=self.function_name)["Version"]
            self.lambda_.create_alias(FunctionName=self.function_name, Name=alias, FunctionVersion=version)
            self.function_arn += f":{alias}"
        if invoke != "nobody":
            account = {"any": {}, "account": {"SourceAccount": self.account}, "other": {"SourceAccount": "999988887777"}}[invoke]
            self.lambda_.add_permission(
                FunctionName=self.function_name, StatementId="SecretsManagerAccess", Action="lambda:InvokeFunction",
                Principal="secretsmanager.amazonaws.com", **account, **({"Qualifier": alias} if alias else {}))
        return self

    def configured(self, **members):
        """Overrides members of what GetFunctionConfiguration answers."""
        self.proxy.patches.setdefault("lambda:GetFunctionConfiguration", {}).update(members)
        return self

    def described(self, **members):
        """Overrides members of what DescribeSecret answers."""
        self.proxy.patches.setdefault("secretsmanager:DescribeSecret", {}).update(members)
        return self

    def backend_secret(self):
        return secretsmanager_backends[self.account][REGION].secrets[self.secret_arn]

    def rotating(self, last=NOW - 2 * DAY, due=NOW + 28 * DAY, enabled=True, days=30, rules=None):
        """Sets what moto's RotateSecret would need a running function for."""
        secret = self.backend_secret()
        secret.rotation_requested, secret.rotation_enabled = True, enabled
        secret.rotation_lambda_arn, secret.auto_rotate_after_days = self.function_arn, days
        secret.last_rotation_date, secret.next_rotation_date = last, due
        secret.created_date = NOW - 300 * DAY
        if rules:
            self.described(RotationRules=rules)
        return self

    def pending(self, at=NOW - HOUR, version=None):
        version = version or str(uuid.uuid4())
        self.backend_secret().versions[version] = {
            "createdate": at, "version_id": version, "version_stages": ["AWSPENDING"], "secret_string": CANARY}
        return version

    def fault(self, action, kind, **more):
        self.proxy.faults[action] = Fault(kind, **more)
        return self

    def deny(self, *actions):
        for action in actions:
            self.fault(action, "deny")
        return self

    def key(self, policy=None):
        created = self.kms.create_key(Description="rotation", **({"Policy": json.dumps(policy)} if policy else {}))
        return created["KeyMetadata"]["Arn"]

    def key_policy(self, *principals):
        return {"Version": "2012-10-17", "Statement": [
            {"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "kms:*", "Resource": "*"}]}

    # --- what happened ---------------------------------------------------------------------------------------------

    def event(self, name, source, at, actor="carol", params=None, region=REGION, error=None, **more):
        record = {
            "eventVersion": "1.11", "eventID": str(uuid.uuid4()), "eventName": name, "eventSource": f"{source}.amazonaws.com",
            "eventTime": iso(at)[:19] + "Z", "awsRegion": region, "eventType": "AwsApiCall", "managementEvent": True,
            "readOnly": name.startswith(("Get", "Describe", "List")), "recipientAccountId": self.account,
            "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.17.0", "eventCategory": "Management",
            "userIdentity": {"type": "IAMUser", "accountId": self.account, "userName": actor, "principalId": "AIDAEXAMPLE",
                             "arn": f"arn:aws:iam::{self.account}:user/{actor}"},
            "requestParameters": params, "responseElements": None, **more}
        if error:
            record["errorCode"], record["errorMessage"] = error
        self.put_event(record, at, actor)
        return self

    def put_event(self, record, at, actor=None):
        resources = [{"ResourceType": "x", "ResourceName": value} for value in (record.get("requestParameters") or {}).values()
                     if isinstance(value, str)]
        self.proxy.events.append({
            "EventId": record["eventID"], "EventName": record["eventName"], "ReadOnly": str(record["readOnly"]).lower(),
            "EventTime": float(int(at)), "EventSource": record["eventSource"], "Resources": resources, "region": record["awsRegion"],
            "CloudTrailEvent": json.dumps(record), **({"Username": actor} if actor else {})})

    def rotation_event(self, name, at, version, step=None, message=None, arn=None):
        arn = arn or self.secret_arn
        record = {
            "eventVersion": "1.08", "userIdentity": {"accountId": self.account, "invokedBy": "secretsmanager.amazonaws.com"},
            "eventTime": iso(at)[:19] + "Z", "eventSource": "secretsmanager.amazonaws.com", "eventName": name,
            "awsRegion": REGION, "sourceIPAddress": "secretsmanager.amazonaws.com", "userAgent": "secretsmanager.amazonaws.com",
            "requestParameters": None, "responseElements": None, "additionalEventData": {"SecretId": arn},
            "requestID": f"Rotation-{arn}-{version}", "eventID": str(uuid.uuid4()), "readOnly": False,
            "eventType": "AwsServiceEvent", "managementEvent": True, "recipientAccountId": self.account,
            "eventCategory": "Management"}
        if step:
            message = f"Error when executing lambda {self.function_arn} during {step} step"
        if message:
            record["errorMessage"] = message
        self.put_event(record, at)
        return self

    def metric(self, name, at, value, function=None):
        self.proxy.metrics.setdefault((function or self.function_name, name), []).append((float(at), float(value)))
        return self

    def invocation(self, lines, at=NOW - HOUR, duration=1200.0, failed=True, status="", memory=(128, 73), group=None,
                   function=None, end=True, request=None):
        """One invocation in the text format. `{stamp}`, `{id}`, `{arn}`, `{role}`, `{function}` are filled in."""
        request = request or str(uuid.uuid4())
        texts = [f"START RequestId: {request} Version: $LATEST\n"]
        texts += [self.filled(line, request, at) + "\n" for line in lines]
        if end:
            texts.append(f"END RequestId: {request}\n")
            texts.append(f"REPORT RequestId: {request}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\t"
                         f"Memory Size: {memory[0]} MB\tMax Memory Used: {memory[1]} MB\t{status}\n")
        self.write(texts, at, duration, group)
        self.measured(at, duration, failed, function)
        return self

    def json_invocation(self, records, at=NOW - HOUR, duration=1200.0, failed=True, status=None, group=None):
        """One invocation in Lambda's JSON format; a record is a message at level INFO, or a dictionary of its own."""
        request = str(uuid.uuid4())
        texts = [{"time": iso(at), "type": "platform.start", "record": {"requestId": request, "version": "$LATEST"}}]
        for record in records:
            if isinstance(record, str):
                record = {"level": "INFO", "message": record, "logger": "root"}
            record = {name: self.filled(value, request, at) if isinstance(value, str) else value for name, value in record.items()}
            texts.append({"timestamp": iso(at)[:19] + "Z", "requestId": request, **record})
        texts.append({"time": iso(at), "type": "platform.report", "record": {
            "requestId": request, "status": status or ("error" if failed else "success"),
            "metrics": {"durationMs": duration, "billedDurationMs": int(duration) + 1, "memorySizeMB": 128, "maxMemoryUsedMB": 70}}})
        self.write([json.dumps(text) for text in texts], at, duration, group)
        self.measured(at, duration, failed)
        return self

    def filled(self, line, request, at):
        for name, value in {"stamp": iso(at), "id": request, "arn": self.secret_arn, "role": self.role_name,
                            "function": self.function_name, "account": self.account, "function_arn": self.function_arn}.items():
            line = line.replace("{" + name + "}", value)
        return line

    def measured(self, at, duration, failed, function=None):
        self.metric("Invocations", at, 1, function).metric("Errors", at, int(failed), function)
        self.metric("Duration", at, duration, function).metric("Throttles", at, 0, function)

    def write(self, texts, at, duration=1000.0, group=None, stream=None):
        group = group or self.log_group
        if not self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            self.logs.create_log_group(logGroupName=group)
        stream = stream or f"2026/01/01/[$LATEST]{uuid.uuid4().hex}"
        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        step = duration / max(1, len(texts) - 1)
        self.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
            {"timestamp": int(at * 1000 + i * step), "message": text} for i, text in enumerate(texts)])

    def succeeded(self, at=NOW - 2 * DAY, version=None, silent=False):
        """A whole rotation that went well, as the single-user PostgreSQL template logs it."""
        version = version or str(uuid.uuid4())
        self.rotation_event("RotationStarted", at, version)
        for i in range(4):
            self.good_step(i, version, at + 3 + 4 * i)
        self.rotation_event("RotationSucceeded", at + 20, version)
        return self

    def good_step(self, index, version, at):
        lines = [
            f"createSecret: Successfully put secret for ARN {self.secret_arn} and version {version}.",
            f"setSecret: Successfully set password for user app in PostgreSQL DB for secret arn {self.secret_arn}.",
            f"testSecret: Successfully signed into PostgreSQL DB with AWSPENDING secret in {self.secret_arn}.",
            f"finishSecret: Successfully set AWSCURRENT stage to version {version} for secret {self.secret_arn}."]
        if self.json_logs:
            self.json_invocation(["Found credentials in environment variables.", lines[index]], at, 800.0, failed=False)
        else:
            info = "[INFO]\t{stamp}\t{id}\t"
            self.invocation([info + "Found credentials in environment variables.", info + lines[index]], at, 800.0, failed=False)

    def failing(self, step, lines=None, times=3, first=None, duration=1200.0, pending=None, message=None, **more):
        """A row of rotations that all fail in `step`; `lines` is what the function logs in that step, None for nothing."""
        first = first or NOW - 5 * HOUR
        index = STEPS.index(step)
        for attempt in range(times):
            at, version = first + attempt * 90 * MINUTE, str(uuid.uuid4())
            self.rotation_event("RotationStarted", at, version)
            if lines is not None:
                for i in range(index):
                    self.good_step(i, version, at + 3 + 4 * i)
                (self.json_invocation if self.json_logs else self.invocation)(lines, at + 20, duration, **more)
            self.rotation_event("RotationFailed", at + 22 + duration / 1000, version, None if message else step, message)
        if pending if pending is not None else index > 0:
            self.pending(first, version)
        return self

    def broken(self, step, lines, **more):
        """The usual frame of a broken rotation: role, secret, function, overdue since the first failure."""
        if not self.role_arn:
            self.role()
        if not self.secret_arn:
            self.secret()
        if not self.function_arn:
            self.function()
        self.rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
        return self.failing(step, lines, **more)
