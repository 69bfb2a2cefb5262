"""The database's account is gone, shut, or for others."""

from ..lab import Expected
from ..servers import HOST
from .fault import collector
from .value import twice

FAULTS, on = collector()


def ambiguous(lab, *causes):
    return causes if lab.outspoken else ("db_login_ambiguous", *causes)


@on("postgres single outspoken", "mysql single outspoken", "postgres single", "mysql single")
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


@on("postgres single outspoken", "postgres alternating outspoken", "postgres single")
def role_has_no_connection_left(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.current()["username"]}" CONNECTION LIMIT 0')
    lab.fails()
    return Expected(("target_service_limit",) if lab.outspoken else ("db_login_ambiguous",), says=["connection"])


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


@on("mysql single outspoken", "mysql single")
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


@on("postgres single outspoken", "mysql single outspoken", "postgres alternating")
def user_was_renamed(lab):
    lab.set_up()
    user = lab.current()["username"]
    if lab.engine == "postgres":
        lab.server.do(f'ALTER ROLE "{user}" RENAME TO "{user}_before"')
    else:
        lab.server.do(f"RENAME USER '{user}'@'%' TO '{user}_before'@'%'")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"), never=["previous package"])


@on("postgres single outspoken", "postgres alternating")
def role_has_no_password(lab):
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.current()["username"]}" PASSWORD NULL')
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"), says=["password"])


@on("postgres single outspoken", "postgres single")
def role_may_not_connect_to_the_database(lab):
    lab.set_up()
    lab.server.do(f'REVOKE CONNECT ON DATABASE "{lab.database}" FROM PUBLIC')
    lab.fails()
    return Expected(ambiguous(lab, "db_permission_insufficient", "db_auth_failed"), says=["CONNECT"], never=["security group", "CREATEROLE"])


@on("postgres alternating outspoken", "postgres alternating")
def other_user_may_not_log_in(lab):
    """Made by hand, as a group; the superuser sets its password, and then it may not log in."""
    lab.set_up()
    lab.server.do(f'ALTER ROLE "{lab.user}" NOLOGIN')
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed"), says=["log ?in"])


@on("mysql single outspoken", "mysql single")
def account_is_shut_after_wrong_passwords(lab):
    lab.set_up("mysql-second")
    lab.server.do("SET GLOBAL max_password_errors = 3")
    lab.undo.append(lambda: lab.server.do("SET GLOBAL max_password_errors = 4294967295", "FLUSH PRIVILEGES"))
    lab.knock(5)
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed", "target_service_limit"), says=["block|lock"])


@on("mysql single outspoken", "mysql alternating")
def account_takes_no_password(lab):
    lab.set_up()
    lab.server.do(f"ALTER USER '{lab.current()['username']}'@'%' IDENTIFIED VIA unix_socket")
    lab.fails()
    return Expected(ambiguous(lab, "db_auth_failed", "db_auth_plugin_removed"), never=["previous package"])


@on("mysql single outspoken", "mysql single")
def account_demands_tls_and_the_value_says_no(lab):
    lab.set_up()
    lab.server.do(f"ALTER USER '{lab.user}'@'%' REQUIRE SSL")
    twice(lab, ssl=False)
    lab.fails()
    # MariaDB has the same answer for this as for a wrong password.
    return Expected(ambiguous(lab, "db_ssl_mismatch", "db_auth_failed"), value={"ssl": True}, says=["ssl|TLS"])


@on("postgres single outspoken")
def passwords_are_stored_in_another_way_than_asked_for(lab):
    """pg_hba.conf asks for SCRAM, and the role's own setting stores MD5: each new password is refused once it is set."""
    lab.set_up()
    lab.server.do(f"ALTER ROLE \"{lab.user}\" SET password_encryption = 'md5'")
    lab.fails()
    lab.after_set_secret = True
    return Expected(("db_auth_failed",), says=["password"])
