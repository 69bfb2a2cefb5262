"""The secret's content and its labels."""

import uuid

from ..world import DAY, HOUR, NOW, Expected, root_cause
from .lines import CREDENTIALS, error, raised


def key_missing(w):
    w.broken("setSecret", [CREDENTIALS, raised("KeyError", "'host key is missing from secret JSON'")])
    return root_cause("secret_json_key_missing")


def plain_key_error_of_the_secret(w):
    w.broken("setSecret", [CREDENTIALS, raised("KeyError", "'password key is missing from secret JSON'", "get_secret_dict(client, arn, 'AWSCURRENT')")])
    return root_cause("secret_json_key_missing", never=["code_missing_env"])


def engine_wrong(w):
    w.broken("setSecret", [CREDENTIALS, raised("KeyError", "\"Database engine must be set to 'mysql' in order to use this rotation lambda\"")])
    return root_cause("secret_json_engine_wrong")


def not_json(w):
    w.broken("createSecret", [CREDENTIALS, raised("JSONDecodeError", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
             "secret_dict = json.loads(plaintext)")])
    return root_cause("secret_json_invalid")


def masterarn_missing(w):
    w.broken("setSecret", [CREDENTIALS, raised("KeyError", "'masterarn'", "master_arn = current_dict['masterarn']")])
    return root_cause("secret_masterarn_missing")


def not_created_by_the_function(w):
    version = str(uuid.uuid4())
    w.broken("createSecret", [CREDENTIALS], message=None, pending=True)
    w.proxy.events.clear()
    for i in range(3):
        at = NOW - 5 * HOUR + i * HOUR
        w.rotation_event("RotationStarted", at, version).rotation_event(
            "RotationFailed", at + 9, version, message=f"Pending secret version {version} for Secret {w.secret_arn} was not created by Lambda "
            f"{w.function_arn}. Remove the AWSPENDING staging label and restart rotation.")
    return root_cause("rotation_token_missing_cross_account", says=["RotationToken"])


def abandoned_because_of_a_person(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    version = str(uuid.uuid4())
    w.rotation_event("RotationStarted", NOW - 5 * HOUR, version)
    w.good_step(0, version, NOW - 5 * HOUR + 2)
    w.event("PutSecretValue", "secretsmanager", NOW - 5 * HOUR + 10, actor="liam", params={"secretId": w.secret_name})
    w.rotation_event("RotationAbandoned", NOW - 5 * HOUR + 15, version)
    return root_cause("rotation_abandoned_manual_change", says=["liam"])


def stuck_label_and_nothing_else_to_see(w):
    w.role().secret().function().rotating(last=NOW - 60 * DAY, due=NOW - 20 * DAY)
    w.pending(at=NOW - 40 * DAY)
    return root_cause(("stuck_awspending", "schedule_wrong_or_overdue"), also=["stuck_awspending"], says=["update-secret-version-stage"])


def invoked_by_hand_with_an_invented_token(w):
    text = "Secret version 1111 has no stage for rotation of secret {arn}."
    w.broken("createSecret", [CREDENTIALS, error(text), raised("ValueError", text)])
    return root_cause("version_not_staged_race")


def deletion_is_scheduled(w):
    w.role().secret().function().rotating(last=NOW - 30 * DAY, due=NOW - 5 * HOUR)
    w.secrets.delete_secret(SecretId=w.secret_arn, RecoveryWindowInDays=7)
    w.event("DeleteSecret", "secretsmanager", NOW - 6 * HOUR, actor="mia", params={"secretId": w.secret_name})
    return root_cause("secret_marked_for_deletion", says=["restore-secret", "mia"])


def never_had_a_value(w):
    w.role().secret().function().rotating(last=None, due=NOW + 29 * DAY)
    w.described(VersionIdsToStages=None)
    w.failing("createSecret", [CREDENTIALS, raised("ResourceNotFoundException", "An error occurred (ResourceNotFoundException) when calling the "
              "GetSecretValue operation: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")], first=NOW - 4 * HOUR, times=2)
    return root_cause("secret_no_current_value")


def secret_in_another_region(w):
    w.asks_for = "shop/orders-prod"
    w.secrets.create_secret(Name="shop/orders-prd", SecretString="x")
    return Expected("not_found", "secret_not_found", says=["shop/orders-prd"])


def arn_of_a_secret_that_was_created_again(w):
    w.role().secret()
    w.asks_for = w.secret_arn[:-6] + "Zz9Zz9"
    return Expected("not_found", "secret_not_found", says=["is there under another ARN", f"Values={w.secret_name}'"])


def superuser_secret_is_gone(w):
    w.broken("setSecret", [CREDENTIALS, raised("ResourceNotFoundException", "An error occurred (ResourceNotFoundException) when calling the "
             "GetSecretValue operation: Secrets Manager can't find the specified secret.")])
    return root_cause(("secret_not_found", "unknown_failure"), never=["version_not_staged_race"])


def failed_last_month_and_still_stuck(w):
    w.role().secret().function().rotating(last=NOW - 40 * DAY, due=NOW - 9 * DAY)
    w.failing("setSecret", [CREDENTIALS, raised("OperationalError", "(1045, \"Access denied for user 'app'@'10.0.3.17' (using password: YES)\")")],
              first=NOW - 9 * DAY, times=5)
    return root_cause("db_auth_failed", also=["stuck_awspending"])
