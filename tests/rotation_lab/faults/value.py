"""What the secret's value holds is wrong."""

import json

from ..lab import Expected
from ..servers import HOST, free_port
from .fault import collector

FAULTS, on = collector()
NOBODY = "127.0.0.9"
PENDING = ["AWSPENDING"]


def twice(lab, **changes):
    """Stored and stored again, so that AWSPREVIOUS holds the mistake too."""
    lab.put(**changes)
    lab.put(**changes)


@on("postgres single outspoken", "postgres single", "postgres alternating outspoken")
def password_in_the_value_is_wrong(lab):
    lab.set_up()
    right = lab.current()["password"]
    twice(lab, password="a-typing-Mistake-1")
    lab.fails()
    cause = ("db_auth_failed",) if lab.outspoken else ("db_login_ambiguous", "db_auth_failed")
    return Expected(cause, value={"password": right}, says=["password"], never=[] if lab.outspoken else ["database answered"])


@on("postgres single", "mysql single outspoken", "mysql alternating")
def password_was_changed_in_the_database(lab):
    lab.set_up()
    user, new = lab.current()["username"], "set-by-Hand-in-the-database-1"
    if lab.engine == "postgres":
        lab.server.do(f'ALTER ROLE "{user}" PASSWORD %s', values=(new,))
    else:
        lab.server.do(f"SET PASSWORD FOR '{user}'@'%%' = PASSWORD(%s)", values=(new,))
    lab.fails()
    cause = ("db_auth_failed",) if lab.outspoken else ("db_login_ambiguous", "db_auth_failed")
    return Expected(cause, value={"password": new}, says=["password"])


@on("postgres single outspoken", "postgres single", "mysql alternating")
def host_is_wrong(lab):
    lab.set_up()
    twice(lab, host=NOBODY)
    lab.fails()
    cause = ("db_network_unreachable",) if lab.outspoken else ("db_login_ambiguous", "db_network_unreachable")
    return Expected(cause, value={"host": HOST}, says=["host"], never=["database answered"])


@on("postgres single outspoken", "mysql single")
def host_was_edited_once(lab):
    lab.set_up()
    lab.put(host=NOBODY)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), value={"host": HOST}, says=["host"])


@on("postgres single outspoken", "mysql single", "postgres alternating outspoken")
def port_was_edited_once(lab):
    lab.set_up()
    lab.put(port=free_port())
    lab.fails()
    # With one user the previous value opened the door, so the new password is set, and the pending version has the wrong port.
    lab.after_set_secret = lab.strategy == "single"
    cause = ("db_network_unreachable",) if lab.outspoken else ("db_login_ambiguous", "db_network_unreachable")
    return Expected(cause, value={"port": lab.server.port}, says=["port"])


@on("postgres single outspoken", "mysql single outspoken", "postgres alternating")
def dbname_is_wrong(lab):
    lab.set_up()
    twice(lab, dbname="shop_before_the_move")
    lab.fails()
    cause = ("db_name_missing",) if lab.outspoken else ("db_login_ambiguous",)
    if lab.engine == "mysql":
        # Who has no right on a database is told the same whether or not it exists.
        cause += ("db_permission_insufficient", "db_auth_failed")
    return Expected(cause, value={"dbname": lab.database}, says=["dbname|database's name"])


@on("postgres single outspoken")
def dbname_was_edited_once(lab):
    lab.set_up()
    lab.put(dbname="shop_before_the_move")
    lab.fails()
    lab.after_set_secret = True
    return Expected(("db_name_missing",), value={"dbname": lab.database}, says=["dbname"])


@on("postgres single", "mysql alternating outspoken")
def value_is_no_json(lab):
    lab.set_up()
    value = lab.current()
    lab.put("{'engine': 'postgres', 'username': 'orders'}")
    lab.fails()
    return Expected(("secret_json_invalid",), value=value, says=["AWSPREVIOUS"])


@on("postgres single", "mysql alternating")
def value_is_a_bare_password(lab):
    lab.set_up()
    value = lab.current()
    lab.put(value["password"])
    lab.fails()
    return Expected(("secret_json_invalid",), value=value, says=["AWSPREVIOUS"])


@on("postgres single", "mysql single outspoken", "postgres alternating")
def key_host_is_missing(lab):
    lab.set_up()
    lab.put(host=None)
    lab.fails()
    return Expected(("secret_json_key_missing",), value={"host": HOST}, says=["host"])


@on("mysql alternating", "postgres single")
def key_password_is_missing(lab):
    lab.set_up()
    right = lab.current()["password"]
    lab.put(password=None)
    lab.fails()
    return Expected(("secret_json_key_missing",), value={"password": right}, says=["password"])


@on("postgres single", "mysql alternating")
def engine_is_wrong(lab):
    lab.set_up()
    lab.put(engine="mariadb" if lab.engine == "mysql" else "postgresql")
    lab.fails()
    return Expected(("secret_json_engine_wrong",), value={"engine": lab.engine}, says=["engine"])


@on("postgres alternating", "mysql alternating outspoken")
def masterarn_is_missing(lab):
    lab.set_up()
    lab.put(masterarn=None)
    lab.fails()
    return Expected(("secret_masterarn_missing",), value={"masterarn": lab.superuser_arn}, says=["masterarn"])


@on("postgres alternating outspoken", "mysql alternating")
def masterarn_names_a_secret_that_is_gone(lab):
    lab.set_up()
    gone = lab.superuser_arn.replace("superuser-", "superuser-old-")
    lab.role_policy("older", [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": gone}])
    lab.put(masterarn=gone)
    lab.fails()
    return Expected(("secret_not_found",), value={"masterarn": lab.superuser_arn}, says=["masterarn"])


@on("postgres alternating outspoken", "mysql alternating")
def masterarn_names_the_superuser_of_another_host(lab):
    lab.set_up()
    text = json.dumps({"engine": lab.engine, "host": NOBODY, "username": "other", "password": "x"})
    other = lab.secrets.create_secret(Name=f"{lab.secret_name}-of-another-host", SecretString=text)["ARN"]
    lab.role_policy("other", [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": other}])
    lab.put(masterarn=other)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), value={"masterarn": lab.superuser_arn}, says=["superuser|masterarn"])


@on("postgres single outspoken", "postgres alternating")
def tls_is_required_and_the_value_says_no(lab):
    lab.set_up()
    lab.server.rule(f"hostssl all {lab.user} {HOST}/8 scram-sha-256")
    lab.server.rule(f"hostssl all {lab.user}_clone {HOST}/8 scram-sha-256")
    lab.server.rule(f"hostnossl all {lab.user} {HOST}/8 reject")
    lab.server.rule(f"hostnossl all {lab.user}_clone {HOST}/8 reject")
    twice(lab, ssl=False)
    lab.fails()
    cause = ("db_ssl_mismatch",) if lab.outspoken else ("db_login_ambiguous",)
    return Expected(cause, value={"ssl": True}, says=["ssl|TLS"])


@on("mysql single outspoken")
def secure_transport_is_required_and_the_value_says_no(lab):
    lab.set_up("mysql-second")
    lab.server.do("SET GLOBAL require_secure_transport = 1")
    lab.undo.append(lambda: lab.server.do("SET GLOBAL require_secure_transport = 0"))
    twice(lab, ssl=False)
    lab.fails()
    # MariaDB has the same answer for this as for a wrong password.
    return Expected(("db_ssl_mismatch", "db_auth_failed"), value={"ssl": True}, says=["ssl|TLS"])


@on("postgres single outspoken", "postgres alternating outspoken")
def tls_is_asked_of_a_server_without(lab):
    lab.set_up("postgres-plain")
    twice(lab, ssl=True)
    lab.fails()
    return Expected(("db_ssl_mismatch",), value={"ssl": False}, says=["ssl|TLS"])


@on("postgres single outspoken", "postgres alternating")
def database_was_renamed(lab):
    lab.set_up()
    lab.server.do(f'ALTER DATABASE "{lab.database}" RENAME TO "{lab.database}_v2"')
    lab.fails()
    cause = ("db_name_missing",) if lab.outspoken else ("db_login_ambiguous",)
    return Expected(cause, value={"dbname": f"{lab.database}_v2"}, says=["dbname|database's name"])


@on("postgres single outspoken", "mysql single outspoken", "postgres single")
def port_is_that_of_another_service(lab):
    # A server that waits for the client to speak first lets it hang.
    lab.set_up(timeout=8)
    twice(lab, port=lab.servers["mysql-main" if lab.engine == "postgres" else "postgres-main"].port)
    lab.fails()
    cause = ("db_network_unreachable", "db_ssl_mismatch", "db_host_mismatch_replica") if lab.outspoken else ("db_login_ambiguous",)
    return Expected(cause, value={"port": lab.server.port}, says=["port"], never=["previous package"])


@on("postgres single", "mysql alternating outspoken")
def value_is_a_list(lab):
    lab.set_up()
    value = lab.current()
    lab.put(json.dumps([value]))
    lab.fails()
    return Expected(("secret_json_invalid",), value=value, never=["previous package"])


@on("postgres single outspoken", "mysql alternating")
def value_has_a_comma_too_many(lab):
    lab.set_up()
    value = lab.current()
    lab.put(json.dumps(value).replace("}", ",}"))
    lab.fails()
    return Expected(("secret_json_invalid",), value=value, says=["JSON"])


@on("postgres single outspoken", "mysql single")
def user_name_has_a_space_too_many(lab):
    lab.set_up()
    user = lab.current()["username"]
    twice(lab, username=user + " ")
    lab.fails()
    cause = ("db_auth_failed",) if lab.outspoken else ("db_login_ambiguous",)
    return Expected(cause, value={"username": user}, says=["user"])


@on("postgres single outspoken")
def password_ends_in_a_newline(lab):
    lab.set_up()
    right = lab.current()["password"]
    twice(lab, password=right + "\n")
    lab.fails()
    return Expected(("db_auth_failed",), value={"password": right}, says=["password"])


@on("postgres single", "mysql alternating outspoken")
def port_is_no_number(lab):
    lab.set_up()
    twice(lab, port=f"{lab.server.port}/tcp")
    lab.fails()
    return Expected(("code_bad_input", "secret_json_invalid", "secret_json_key_missing", "code_unhandled_exception"),
                    value={"port": lab.server.port}, says=["port"], never=["previous package"])


@on("postgres single", "mysql single outspoken")
def pending_value_of_another_user_was_stored_by_hand(lab):
    lab.set_up()
    value = {**lab.current(), "username": "somebody_else", "password": "another-Password-1"}
    lab.person.put_secret_value(SecretId=lab.secret_arn, SecretString=json.dumps(value), VersionStages=PENDING)
    lab.fails()
    return Expected(("secret_username_changed", "stuck_awspending"), says=["AWSPENDING"])


@on("postgres single outspoken", "mysql alternating")
def current_label_was_moved_back(lab):
    """Somebody restored the version before, whose password the database has forgotten."""
    lab.set_up()
    assert lab.rotate() == "succeeded"
    assert lab.rotate() == "succeeded"
    versions = lab.secrets.describe_secret(SecretId=lab.secret_arn)["VersionIdsToStages"]
    now = next(version for version, labels in versions.items() if "AWSCURRENT" in labels)
    before = next(version for version, labels in versions.items() if "AWSPREVIOUS" in labels)
    if lab.strategy == "alternating":
        lab.put(**{**lab.current(), "password": "of-a-Year-ago-1"})
    else:
        lab.person.update_secret_version_stage(
            SecretId=lab.secret_arn, VersionStage="AWSCURRENT", MoveToVersionId=before, RemoveFromVersionId=now)
        lab.person.update_secret_version_stage(SecretId=lab.secret_arn, VersionStage="AWSPREVIOUS", RemoveFromVersionId=now)
    lab.fails()
    cause = ("db_auth_failed",) if lab.outspoken else ("db_login_ambiguous",)
    return Expected(cause, says=["password"])
