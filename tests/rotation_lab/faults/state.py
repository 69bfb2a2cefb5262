"""An earlier rotation stopped half-way, and a label or a password is where it should not be."""

from ..lab import Expected
from ..servers import HOST
from .fault import collector
from .value import NOBODY, twice

FAULTS, on = collector()


@on("postgres single outspoken")
def role_is_shut_after_set_secret(lab):
    lab.set_up()
    user = lab.current()["username"]
    lab.service.after_step["setSecret"] = lambda: lab.server.do(f'ALTER ROLE "{user}" CONNECTION LIMIT 0')
    lab.fails()
    lab.after_set_secret = True
    return Expected(("target_service_limit",), says=["connection"])


@on("mysql single outspoken")
def account_is_locked_after_set_secret(lab):
    lab.set_up()
    lab.service.after_step["setSecret"] = lambda: lab.server.do(f"ALTER USER '{lab.user}'@'%' ACCOUNT LOCK")
    lab.fails()
    lab.after_set_secret = True
    return Expected(("db_auth_failed",), says=["lock"])


@on("postgres single outspoken")
def pg_hba_rejects_after_set_secret(lab):
    lab.set_up()
    user = lab.current()["username"]
    lab.service.after_step["setSecret"] = lambda: lab.server.rule(f"host all {user} {HOST}/8 reject")
    lab.fails()
    lab.after_set_secret = True
    return Expected(("db_auth_failed", "db_network_unreachable"), says=["pg_hba"],
                    edit=lambda: lab.server.without_rules(user))


@on("postgres single", "mysql single outspoken")
def value_was_mended_and_the_pending_one_was_not(lab):
    """The issue's own case: host and key were corrected by a person, AWSPENDING still holds what was wrong."""
    lab.set_up()
    lab.put(host=NOBODY)
    lab.put(host=NOBODY)
    lab.fails()
    lab.put(host=HOST)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), value={"host": HOST}, says=["AWSPENDING"])


@on("postgres single", "mysql single")
def user_was_exchanged_and_the_pending_version_has_the_old_one(lab):
    lab.set_up()
    old = lab.current()
    lab.server.make_user("shop_v2_" + lab.user, "of-the-new-User-1")
    if lab.engine == "mysql":
        lab.server.do(f"GRANT ALL PRIVILEGES ON `{lab.database}`.* TO 'shop_v2_{lab.user}'@'%'", f"DROP USER '{lab.user}'@'%'")
    else:
        lab.server.do(f'DROP ROLE "{lab.user}"')
    lab.fails()
    assert old["username"] == lab.user
    lab.put(username="shop_v2_" + lab.user, password="of-the-new-User-1")
    lab.fails()
    return Expected(("secret_username_changed",), value={"username": "shop_v2_" + lab.user}, says=["AWSPENDING"])


@on("postgres single outspoken")
def port_was_mended_after_set_secret(lab):
    """setSecret got in with the previous value; the port was then corrected, with the password that no longer holds."""
    lab.set_up()
    lab.put(port=1)
    lab.fails()
    lab.put(port=lab.server.port)
    lab.fails()
    lab.after_set_secret = True
    return Expected(("db_network_unreachable", "db_host_mismatch_replica", "stuck_awspending"), value={"port": lab.server.port}, says=["AWSPENDING"])
