"""Carries a printed plan out on moto, as a person would who pastes it, and lets the rotation run that it asks for."""

import shlex
import time

from .commands import OWN_OPTIONS, kebab, service, typed
from .simulation import decide, document, identity_policies, managed
from .world import DAY, REGION

# Causes that lie in the configuration of the account, so that commands alone can mend them.
CONFIGURATION = {
    "iam_explicit_deny", "iam_identity_policy_missing", "kms_access_denied", "kms_key_disabled_or_pending_deletion",
    "lambda_invoke_permission_missing", "lambda_oom", "lambda_state_failed", "lambda_throttled_concurrency",
    "lambda_timeout_too_short", "permissions_boundary_or_scp_deny", "rotation_disabled", "schedule_wrong_or_overdue",
    "secret_marked_for_deletion", "secret_resource_policy_deny", "secret_resource_policy_missing_allow", "stuck_awspending",
    "aws_endpoint_unreachable", "db_network_unreachable", "db_not_available", "vpc_endpoint_policy_deny",
}
# What a person fills in, after the command before it has told.
FILLED_IN = ("PREVIOUS_HANDLER", "NEW_FUNCTION_ARN", "FUNCTION_ARN", "BOUNDARY_ARN", "NEW_SUBNET_ID", ".masterarn",
             "file://key-policy.json", "file://fixed-policy.json", "DATABASE_SECURITY_GROUP", "FUNCTION_SECURITY_GROUP",
             "DATABASE_PORT", "ENDPOINT_SECURITY_GROUP", "VPCE_ID", "VPC_ID", "file://endpoint-policy.json", "NAT_GATEWAY_ADDRESS",
             "NAT_GATEWAY_ID", "file://secret.json", "ADMIN")


def is_of_configuration(report: dict) -> bool:
    causes = [finding["cause"] for finding in report["findings"]]
    return report["outcome"] == "root_cause" and causes[0] in CONFIGURATION


def needs_a_person(report: dict) -> bool:
    return any(word in step["command"] for step in report["plan"] for word in FILLED_IN)


def carry_out(world, report: dict) -> list[str]:
    """Runs the commands in order; what AWS (moto) answers to those that fail."""
    failed = []
    for step in report["plan"]:
        words = shlex.split(step["command"])
        if "aws" not in words:
            continue
        words = words[words.index("aws") + 1:]
        name, operation, options = words[0], words[1], words[2:]
        if operation.startswith(("get-", "list-", "describe-", "lookup-", "filter-", "wait")):
            continue
        try:
            run(world, name, operation, options)
        except Exception as error:  # noqa: BLE001 - whatever AWS answers is the complaint
            failed.append(f"{type(error).__name__}: {error}: {step['command']}")
    return failed


def run(world, name: str, operation: str, options: list[str]):
    model = service(name)
    shape = next(model.operation_model(one).input_shape for one in model.operation_names if kebab(one) == operation)
    spelled = {kebab(member): member for member in shape.members}
    parameters, short = {}, {}
    while options:
        key, values = options.pop(0).removeprefix("--"), []
        while options and not options[0].startswith("--"):
            values.append(options.pop(0))
        if key in OWN_OPTIONS and key not in spelled:
            short[key] = " ".join(values)
            continue
        negated = key.startswith("no-") and key not in spelled
        member = spelled[key.removeprefix("no-") if negated else key]
        parameters[member] = typed(shape.members[member], values, negated)
    if operation == "rotate-secret":
        return rotate(world, parameters)
    if operation == "update-function-configuration":
        # The states that the proxy declares are what the command is there to mend.
        declared = world.proxy.patches.get("lambda:GetFunctionConfiguration", {})
        for member in [one for one in declared if one.startswith(("State", "LastUpdate"))]:
            del declared[member]
    if operation == "restore-secret":
        world.proxy.patches.get("secretsmanager:DescribeSecret", {}).pop("DeletedDate", None)
    if name == "kms":
        # moto finds keys by id alone when it enables one or keeps it; AWS takes the ARN as well.
        parameters["KeyId"] = parameters["KeyId"].rsplit("/", 1)[-1]
    if operation.startswith("authorize-security-group-") and "port" in short:
        whom = {"UserIdGroupPairs": [{"GroupId": short["source-group"]}]} if "source-group" in short else {
            "IpRanges": [{"CidrIp": short["cidr"]}]}
        port = int(short["port"])
        parameters["IpPermissions"] = [{"IpProtocol": short["protocol"], "FromPort": port, "ToPort": port, **whom}]
    if operation == "create-network-acl-entry":
        # The command line takes the protocol's name, and says the direction by one of two words.
        parameters["Protocol"] = {"tcp": "6"}[parameters["Protocol"]]
        parameters.setdefault("Egress", False)
    client = world.client(name)
    return getattr(client, operation.replace("-", "_"))(**parameters)


def rotate(world, parameters: dict):
    """What RotateSecret sets; moto would need a container to run the function."""
    secret = world.backend_secret()
    secret.rotation_requested, secret.rotation_enabled = True, True
    if "RotationLambdaARN" in parameters:
        secret.rotation_lambda_arn = parameters["RotationLambdaARN"]
    if "RotationRules" in parameters:
        world.proxy.patches.get("secretsmanager:DescribeSecret", {}).pop("RotationRules", None)
        secret.auto_rotate_after_days = int(parameters["RotationRules"].get("AutomaticallyAfterDays", 30))


def stopped(world) -> list[str]:
    """What would stop a rotation now, by moto's own state and a judgement of this suite's own."""
    found = []
    secret, role = world.backend_secret(), world.iam.get_role(RoleName=world.role_name)["Role"]
    if secret.is_deleted():
        found.append("the secret is scheduled for deletion")
    stored = next(one for one in identity_backend(world).roles.values() if one.name == world.role_name)
    for action in ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]:
        decision, by, unknown = decide(identity_policies(world.account, stored), f"secretsmanager:{action}", world.secret_arn)
        if decision != "allowed" and not unknown:
            found.append(f"{action}: {decision} {by}")
    if stored.permissions_boundary_arn:
        boundary = [("boundary", managed(world.account, stored.permissions_boundary_arn))]
        if decide(boundary, "secretsmanager:PutSecretValue", world.secret_arn)[0] == "implicitDeny":
            found.append("the boundary does not allow PutSecretValue")
    trust = document(role["AssumeRolePolicyDocument"])
    if "lambda.amazonaws.com" not in str(trust):
        found.append("Lambda may not assume the role")
    return found


def identity_backend(world):
    from moto.iam.models import iam_backends
    return iam_backends[world.account]["aws"]


def rotates(world):
    """The rotation that the plan asked for, or the schedule would bring, goes through."""
    now = int(time.time())
    secret = world.backend_secret()
    for member in ("LastRotatedDate", "NextRotationDate", "VersionIdsToStages"):
        world.proxy.patches.get("secretsmanager:DescribeSecret", {}).pop(member, None)
    secret.last_rotation_date, secret.next_rotation_date = now - 5, now + 30 * DAY
    for version in secret.versions.values():
        version["version_stages"] = [stage for stage in version["version_stages"] if stage != "AWSPENDING"]
    world.succeeded(at=now - 60)
    assert REGION
