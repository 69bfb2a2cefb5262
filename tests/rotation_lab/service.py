"""Secrets Manager as a rotation meets it: values and labels, the four steps with their retries, and IAM before the function's calls.

moto keeps the secrets; what it lacks or does otherwise than AWS is here, after Secrets Manager's API reference and User Guide:
AWSPENDING on another version than AWSCURRENT is a rotation to be taken up again, and RotateSecret then refuses a new one; a
label is on one version at a time; who takes AWSCURRENT away leaves AWSPREVIOUS behind.
"""

import json
import threading
import time
import uuid

from moto.awslambda.models import lambda_backends
from moto.secretsmanager.models import secretsmanager_backends

from moto_account.proxy import Proxy
from moto_account.simulation import decide, identity_policies, role_of
from moto_account.wire import failure, success
from moto_account.world import DAY, REGION, STEPS

FUNCTION_KEY, PERSON_KEY = "function", "person"
# AWS publishes no number; each try of a rotation runs the four steps from the first one.
TRIES = 2
REATTEMPTED = "A previous rotation isn't complete. That rotation will be reattempted."
NOT_FOUND = "Secrets Manager can't find the specified secret."


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class LabProxy(Proxy):
    """Tells the function's calls, the person's and the program's apart by their access key."""

    service = None

    def answer(self, method, path, headers, body):
        from moto_account.wire import understand

        request = understand(method, path, headers, body)
        if request.key not in (FUNCTION_KEY, PERSON_KEY):
            return super().answer(method, path, headers, body)
        try:
            if request.key == FUNCTION_KEY:
                self.service.authorize(request)
            own = self.service.own(request)
            if own:
                return success(request, own(request.json(), request.key))
        except Refused as refused:
            return failure(request, 400, refused.code, refused.message)
        status, answered, text = super().answer(method, path, headers, body)
        if request.key == PERSON_KEY and status < 300:
            self.service.record(request, path)
        return status, answered, text


class Service:
    def __init__(self, world, runtime):
        self.world, self.runtime = world, runtime
        self.shift = 0.0
        self.running: threading.Thread | None = None
        self.outcomes: list[str] = []
        self.watch = lambda moment: None
        # An action of an administrator between two steps, by the step it follows.
        self.after_step: dict[str, object] = {}
        # Whether the service takes AWSPENDING off a version that has become current; both are seen.
        self.removes_pending = True
        world.proxy.service = self

    def now(self):
        return time.time() + self.shift

    # --- who may ---------------------------------------------------------------------------------------------------

    def authorize(self, request):
        account = self.world.account
        asked = request.json() if request.protocol == "json" else {}
        resource = "*"
        if "SecretId" in asked:
            try:
                resource = self.secret(asked["SecretId"]).arn
            except Refused:
                resource = asked["SecretId"]
        decision, _, _ = decide(identity_policies(account, role_of(account, self.world.role_arn)), request.action, resource)
        if decision != "allowed":
            why = f"because no identity-based policy allows the {request.action} action"
            if decision == "explicitDeny":
                why = "with an explicit deny in an identity-based policy"
            user = f"arn:aws:sts::{account}:assumed-role/{self.world.role_name}/{self.world.function_name}"
            raise Refused("AccessDeniedException",
                          f"User: {user} is not authorized to perform: {request.action} on resource: {resource} {why}")

    # --- values and labels -----------------------------------------------------------------------------------------

    def own(self, request):
        return {
            "secretsmanager:GetSecretValue": self.get_value, "secretsmanager:PutSecretValue": self.put_value,
            "secretsmanager:UpdateSecret": self.update_secret, "secretsmanager:UpdateSecretVersionStage": self.update_stage,
            "secretsmanager:RotateSecret": self.rotate_secret,
        }.get(request.action)

    def secret(self, name):
        try:
            return secretsmanager_backends[self.world.account][REGION].secrets[name]
        except KeyError:
            raise Refused("ResourceNotFoundException", NOT_FOUND) from None

    @staticmethod
    def with_label(secret, label):
        return next((version for version in secret.versions.values() if label in version["version_stages"]), None)

    def get_value(self, asked, _key):
        secret, label, identity = self.secret(asked["SecretId"]), asked.get("VersionStage"), asked.get("VersionId")
        if secret.is_deleted():
            raise Refused("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
        version = secret.versions.get(identity) if identity else self.with_label(secret, label or "AWSCURRENT")
        what = f"VersionId: {identity}" if identity and not label else f"staging label: {label or 'AWSCURRENT'}"
        if version is None or "secret_string" not in version or (label and label not in version["version_stages"]):
            raise Refused("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {what}")
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": version["version_id"], "SecretString": version["secret_string"],
                "VersionStages": version["version_stages"], "CreatedDate": version["createdate"]}

    def put_value(self, asked, key):
        secret, text = self.secret(asked["SecretId"]), asked["SecretString"]
        token = asked.get("ClientRequestToken") or str(uuid.uuid4())
        version = secret.versions.setdefault(
            token, {"createdate": int(self.now()), "version_id": token, "version_stages": []})
        if version.get("secret_string", text) != text:
            raise Refused("ResourceExistsException", f"You can't use ClientRequestToken {token} because that value is already in use for a "
                          f"version of secret {secret.arn}.")
        version["secret_string"] = text
        for label in asked.get("VersionStages") or ["AWSCURRENT"]:
            self.move(secret, label, version)
        secret.last_changed_date = int(self.now())
        self.written("PutSecretValue", key, {"secretId": asked["SecretId"], "clientRequestToken": token})
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": version["version_stages"]}

    def update_secret(self, asked, key):
        if "SecretString" not in asked:
            raise Refused("InvalidParameterException", "the lab changes values only")
        return self.put_value({"SecretId": asked["SecretId"], "SecretString": asked["SecretString"]}, key)

    def update_stage(self, asked, key):
        secret, label = self.secret(asked["SecretId"]), asked["VersionStage"]
        source, target = asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId")
        holder = self.with_label(secret, label)
        if source and (holder is None or holder["version_id"] != source):
            raise Refused("InvalidParameterException", f"The staging label {label} is not attached to version {source}.")
        if target and holder and not source:
            raise Refused("InvalidParameterException", f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently "
                          f"attached to version {holder['version_id']}, so you must explicitly reference that version in RemoveFromVersionId.")
        if target and target not in secret.versions:
            raise Refused("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for VersionId: {target}")
        if target:
            self.move(secret, label, secret.versions[target])
        elif label == "AWSCURRENT":
            raise Refused("InvalidParameterException", "You can't remove the staging label AWSCURRENT without moving it to another version.")
        else:
            holder["version_stages"].remove(label)
        self.written("UpdateSecretVersionStage", key, {"secretId": asked["SecretId"], "versionStage": label, "moveToVersionId": target,
                                                       "removeFromVersionId": source})
        return {"ARN": secret.arn, "Name": secret.name}

    def move(self, secret, label, target):
        holder = self.with_label(secret, label)
        if holder is target:
            return
        if holder:
            holder["version_stages"].remove(label)
        target["version_stages"].append(label)
        if label == "AWSCURRENT":
            secret.default_version_id = target["version_id"]
            if "AWSPREVIOUS" in target["version_stages"]:
                target["version_stages"].remove("AWSPREVIOUS")
            if holder:
                self.move(secret, "AWSPREVIOUS", holder)

    # --- what CloudTrail keeps -------------------------------------------------------------------------------------

    def written(self, name, key, parameters, source="secretsmanager", region=REGION):
        world = self.world
        if key == FUNCTION_KEY:
            session = f"arn:aws:sts::{world.account}:assumed-role/{world.role_name}/{world.function_name}"
            world.event(name, source, self.now(), actor=world.function_name, params=parameters, userIdentity={
                "type": "AssumedRole", "accountId": world.account, "arn": session,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": world.role_arn, "userName": world.role_name}}})
        else:
            world.event(name, source, self.now(), actor="oncall", params=parameters, region=region)

    def record(self, request, path):
        """A write that moto carried out for the person."""
        if request.operation.startswith(("Get", "Describe", "List", "Lookup", "Filter", "Simulate")):
            return
        if request.service == "iam":
            parameters = {name[0].lower() + name[1:]: values[0] for name, values in request.form().items() if name not in ("Action", "Version")}
            self.written(request.operation, PERSON_KEY, parameters, "iam", "us-east-1")
        elif request.service == "lambda" and request.operation.startswith("PUT") and path.endswith("/configuration"):
            self.written("UpdateFunctionConfiguration20150331v2", PERSON_KEY, {"functionName": self.world.function_name}, "lambda")

    # --- rotation --------------------------------------------------------------------------------------------------

    def rotate_secret(self, asked, key):
        secret = self.secret(asked["SecretId"])
        if secret.is_deleted():
            raise Refused("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
        secret.rotation_lambda_arn = asked.get("RotationLambdaARN") or secret.rotation_lambda_arn
        if not secret.rotation_lambda_arn:
            raise Refused("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
        secret.rotation_requested = secret.rotation_enabled = True
        secret.auto_rotate_after_days = asked.get("RotationRules", {}).get("AutomaticallyAfterDays") or secret.auto_rotate_after_days or 30
        self.written("RotateSecret", key, {"secretId": asked["SecretId"]})
        pending, current = self.with_label(secret, "AWSPENDING"), self.with_label(secret, "AWSCURRENT")
        if pending and pending is not current:
            self.begin(secret, pending["version_id"])
            raise Refused("InvalidRequestException", REATTEMPTED)
        token = asked.get("ClientRequestToken") or str(uuid.uuid4())
        secret.versions[token] = {"createdate": int(self.now()), "version_id": token, "version_stages": []}
        self.move(secret, "AWSPENDING", secret.versions[token])
        self.begin(secret, token)
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token}

    def begin(self, secret, token):
        """RotateSecret answers before the rotation has ended."""
        self.wait()
        self.running = threading.Thread(target=self.run, args=(secret, token))
        self.running.start()

    def wait(self):
        if self.running:
            self.running.join()
            self.running = None

    def run(self, secret, token):
        self.world.rotation_event("RotationStarted", self.now(), token, arn=secret.arn)
        outcome = "failed"
        for _ in range(TRIES):
            failed = next((step for step in STEPS if not self.step(secret, token, step)), None)
            if failed is None:
                outcome = "succeeded"
                break
            self.world.rotation_event("RotationFailed", self.now(), token, failed, arn=secret.arn)
        if outcome == "succeeded":
            if self.removes_pending and "AWSPENDING" in secret.versions[token]["version_stages"]:
                secret.versions[token]["version_stages"].remove("AWSPENDING")
            secret.last_rotation_date = int(self.now())
            secret.next_rotation_date = secret.last_rotation_date + secret.auto_rotate_after_days * DAY
            self.world.rotation_event("RotationSucceeded", self.now(), token, arn=secret.arn)
        self.outcomes.append(outcome)

    def step(self, secret, token, step):
        """One invocation of the function, with its log and its metrics."""
        function = lambda_backends[self.world.account][REGION].get_function(secret.rotation_lambda_arn)
        request, at = str(uuid.uuid4()), self.now()
        environment = {**(function.environment_vars or {}), "AWS_ACCESS_KEY_ID": FUNCTION_KEY, "AWS_SECRET_ACCESS_KEY": "x",
                       "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        answer = self.runtime.invoke({
            "handler": function.handler, "environment": environment, "timeout": function.timeout, "request": request, "shift": self.shift,
            "event": {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token, "RotationToken": str(uuid.uuid4())}})
        lines = answer["lines"]
        if answer["status"] == "timeout":
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.now())) + ".000Z"
            lines.append(f"{stamp} {request} Task timed out after {function.timeout:.2f} seconds\n")
        self.world.invocation(lines, at, answer["seconds"] * 1000, answer["failed"], request=request,
                              status="Status: timeout" if answer["status"] else "")
        self.watch(f"{step} of {token[:8]}")
        if not answer["failed"] and step in self.after_step:
            self.after_step.pop(step)()
        return not answer["failed"]
