"""Somebody lacks a right: in the database, or in IAM."""

from moto_account.world import ROTATION_ACTIONS

from ..lab import Expected
from .fault import collector

FAULTS, on = collector()


@on("postgres alternating outspoken")
def superuser_may_create_no_roles(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.superuser}" NOCREATEROLE')
    lab.fails()
    return Expected(("db_permission_insufficient",), says=["CREATEROLE"])


@on("postgres alternating outspoken")
def user_is_a_superuser_itself(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.user}" SUPERUSER')
    lab.fails()
    return Expected(("db_permission_insufficient",))


@on("mysql alternating outspoken")
def superuser_may_set_no_passwords(lab):
    lab.set_up()
    lab.server.do(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{lab.superuser}'@'%'", f"GRANT SELECT ON *.* TO '{lab.superuser}'@'%'")
    lab.fails()
    return Expected(("db_permission_insufficient",), says=["GRANT"])


@on("mysql alternating outspoken")
def superuser_may_grant_nothing(lab):
    lab.set_up()
    lab.server.do(f"DROP USER '{lab.user}'@'%'", f"REVOKE GRANT OPTION ON *.* FROM '{lab.superuser}'@'%'")
    lab.fails()
    return Expected(("db_permission_insufficient",), says=["GRANT"])


@on("postgres alternating", "mysql alternating outspoken")
def masterarn_may_not_be_read(lab):
    lab.set_up()
    lab.role_policy("rotation", [
        {"Effect": "Allow", "Action": [f"secretsmanager:{action}" for action in ROTATION_ACTIONS], "Resource": lab.secret_arn},
        {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"}])
    lab.fails()
    return Expected(("superuser_secret_access_denied",), says=[lab.superuser_arn])


@on("postgres single", "mysql single outspoken", "postgres alternating")
def function_may_not_finish(lab):
    lab.set_up()
    allowed = [f"secretsmanager:{action}" for action in ROTATION_ACTIONS if action != "UpdateSecretVersionStage"]
    superuser = [lab.superuser_arn] if lab.superuser_arn else []
    lab.role_policy("rotation", [
        {"Effect": "Allow", "Action": allowed, "Resource": [lab.secret_arn, *superuser]},
        {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"}])
    lab.fails()
    lab.after_set_secret = lab.strategy == "single"
    return Expected(("iam_identity_policy_missing",), says=["UpdateSecretVersionStage"])


@on("postgres single")
def function_may_not_store(lab):
    lab.set_up()
    lab.role_policy("no-more", [{"Effect": "Deny", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}])
    lab.fails()
    return Expected(("iam_explicit_deny",), says=["PutSecretValue"])


@on("postgres single", "mysql alternating outspoken")
def function_may_not_describe(lab):
    lab.set_up()
    allowed = [f"secretsmanager:{action}" for action in ROTATION_ACTIONS if action != "DescribeSecret"]
    superuser = [lab.superuser_arn] if lab.superuser_arn else []
    lab.role_policy("rotation", [
        {"Effect": "Allow", "Action": allowed, "Resource": [lab.secret_arn, *superuser]},
        {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"}])
    lab.fails()
    return Expected(("iam_identity_policy_missing",), says=["DescribeSecret"])


@on("postgres alternating")
def function_may_make_no_password(lab):
    lab.set_up()
    lab.role_policy("rotation", [
        {"Effect": "Allow", "Action": [f"secretsmanager:{action}" for action in ROTATION_ACTIONS],
         "Resource": [lab.secret_arn, lab.superuser_arn]}])
    lab.fails()
    return Expected(("iam_identity_policy_missing",), says=["GetRandomPassword"])
