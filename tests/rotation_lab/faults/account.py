"""The database's account is gone, shut, or for others."""

from ..lab import Expected
from ..servers import HOST
from .fault import collector

FAULTS, on = collector()


def ambiguous(lab, *causes):
    return causes if lab.outspoken else ("db_login_ambiguous", *causes)


@on("postgres single outspoken", "mysql single outspoken", "postgres single")
def user_was_dropped(lab):
    lab.set_up()
    user = lab.current()["username"]
    if lab.engine == "postgres":
        lab.server.do(f'DROP ROLE "{user}"')
    else:
        lab.server.do(f"DROP USER '{user}'@'%'")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"))


@on("postgres alternating outspoken")
def clone_was_dropped_while_it_is_current(lab):
    lab.set_up()
    user = lab.current()["username"]
    assert user.endswith("_clone")
    if lab.engine == "postgres":
        lab.server.do(f'DROP ROLE "{user}"')
    else:
        lab.server.do(f"DROP USER '{user}'@'%'")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"))


@on("postgres single outspoken", "postgres alternating")
def role_may_not_log_in(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.current()["username"]}" NOLOGIN')
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"), says=["log ?in"])


@on("postgres single outspoken", "postgres single")
def role_has_expired(lab):
    lab.set_up()
    lab.server.do(f"""ALTER ROLE "{lab.current()["username"]}" VALID UNTIL '2024-01-01'""")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"))


@on("mysql single outspoken", "mysql single")
def account_is_locked(lab):
    lab.set_up()
    lab.server.do(f"ALTER USER '{lab.user}'@'%' ACCOUNT LOCK")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"), says=["lock"])


@on("mysql single outspoken")
def password_has_expired(lab):
    lab.set_up("mysql-second")
    lab.server.do("SET GLOBAL disconnect_on_expired_password = 1", f"ALTER USER '{lab.user}'@'%' PASSWORD EXPIRE")
    lab.undo.append(lambda: lab.server.do("SET GLOBAL disconnect_on_expired_password = 0"))
    lab.fails()
    return Expected(("db_auth_failed",), says=["expire"])


@on("postgres single outspoken", "postgres alternating outspoken")
def role_has_no_connection_left(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.current()["username"]}" CONNECTION LIMIT 0')
    lab.fails()
    return Expected(("target_service_limit",), says=["connection"])


@on("mysql single outspoken")
def user_has_no_connection_left(lab):
    lab.set_up()
    lab.server.do(f"ALTER USER '{lab.user}'@'%' WITH MAX_USER_CONNECTIONS 1")
    held = [lab.hold()]
    lab.undo.append(lambda: held[0].close())
    lab.fails()
    return Expected(("target_service_limit",), says=["connection"])


@on("postgres single outspoken", "postgres alternating")
def pg_hba_rejects_the_user(lab):
    lab.set_up()
    lab.server.rule(f"host all {lab.current()['username']} {HOST}/8 reject")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed", "db_network_unreachable"), says=["pg_hba"],
                    edit=lambda: lab.server.without_rules(lab.user, f"{lab.user}_clone"))


@on("postgres single outspoken")
def pg_hba_lets_members_in_and_the_user_is_none_any_more(lab):
    lab.set_up()
    user = lab.current()["username"]
    lab.server.do(f'CREATE ROLE "members_of_{user}"')
    lab.server.rule(f'host all "+members_of_{user}" {HOST}/8 scram-sha-256')
    lab.server.rule(f"host all {user} {HOST}/8 reject")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed", "db_network_unreachable"), says=["pg_hba"],
                    edit=lambda: lab.server.without_rules(lab.user, f"{lab.user}_clone"))


@on("mysql single outspoken")
def account_is_for_another_host_part(lab):
    lab.set_up()
    lab.server.do(f"RENAME USER '{lab.user}'@'%' TO '{lab.user}'@'10.0.%'")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed", "db_user_host_pattern"), says=["host"])


@on("mysql alternating outspoken", "mysql alternating")
def other_user_is_for_another_host_part(lab):
    lab.set_up()
    lab.server.do(f"RENAME USER '{lab.user}'@'%' TO '{lab.user}'@'{HOST}'")
    lab.fails()
    return Expected(("db_permission_insufficient", "db_user_host_pattern"), filled={"HOST_FOUND": HOST}, says=["host"])


@on("postgres alternating outspoken", "mysql alternating", "postgres alternating")
def superusers_secret_is_stale(lab):
    lab.set_up()
    lab.superuser_password = "new-Password-of-the-superuser-1"
    if lab.engine == "postgres":
        lab.server.do(f'ALTER ROLE "{lab.superuser}" PASSWORD %s', values=(lab.superuser_password,))
    else:
        lab.server.do(f"SET PASSWORD FOR '{lab.superuser}'@'%%' = PASSWORD(%s)", values=(lab.superuser_password,))
    lab.fails()
    cause = ("db_auth_failed", "db_superuser_login_ambiguous") if lab.outspoken else ("db_superuser_login_ambiguous",)
    return Expected(cause, says=["superuser"])


@on("postgres alternating outspoken")
def superuser_may_not_log_in(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.superuser}" NOLOGIN')
    lab.fails()
    return Expected(("db_auth_failed", "db_superuser_login_ambiguous"), says=["superuser|" + lab.superuser])
