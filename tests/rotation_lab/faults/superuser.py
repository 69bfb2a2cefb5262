"""The superuser's secret, or the superuser."""

import json

from ..lab import Expected
from .fault import collector
from .value import NOBODY

FAULTS, on = collector()


def put_superusers(lab, text=None, **changes):
    """Somebody stores another value in the superuser's secret."""
    if text is None:
        value = {**json.loads(lab.stored("AWSCURRENT", lab.superuser_arn)), **changes}
        text = json.dumps({key: member for key, member in value.items() if member is not None})
    lab.person.put_secret_value(SecretId=lab.superuser_arn, SecretString=text)


@on("postgres alternating", "mysql alternating outspoken")
def superusers_secret_is_of_another_engine(lab):
    lab.set_up()
    put_superusers(lab, engine="oracle")
    lab.fails()
    return Expected(("secret_json_engine_wrong",), superuser={"engine": lab.engine}, says=["superuser"])


@on("postgres alternating outspoken", "mysql alternating")
def superusers_secret_lacks_the_password(lab):
    lab.set_up()
    put_superusers(lab, password=None)
    lab.fails()
    return Expected(("secret_json_key_missing",), says=["superuser"])


@on("postgres alternating", "mysql alternating outspoken")
def superusers_secret_is_no_json(lab):
    lab.set_up()
    whole = json.loads(lab.stored("AWSCURRENT", lab.superuser_arn))
    put_superusers(lab, text=lab.superuser_password)
    lab.fails()
    return Expected(("secret_json_invalid",), superuser=whole, says=["superuser"])


@on("postgres alternating outspoken", "mysql alternating")
def superusers_secret_has_another_host(lab):
    lab.set_up()
    host = json.loads(lab.stored("AWSCURRENT", lab.superuser_arn))["host"]
    put_superusers(lab, host=NOBODY)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), superuser={"host": host}, says=["superuser"])


@on("postgres alternating outspoken", "mysql alternating")
def superusers_secret_has_a_wrong_port(lab):
    lab.set_up()
    put_superusers(lab, port=1)
    lab.fails()
    cause = ("db_network_unreachable",) if lab.outspoken else ("db_superuser_login_ambiguous",)
    return Expected(cause, superuser={"port": lab.server.port}, says=["superuser"])


@on("postgres alternating outspoken", "mysql alternating")
def superuser_was_dropped(lab):
    lab.set_up()
    lab.server.do(f'DROP ROLE "{lab.superuser}"' if lab.engine == "postgres" else f"DROP USER '{lab.superuser}'@'%'")
    lab.fails()
    cause = ("db_auth_failed",) if lab.outspoken else ("db_superuser_login_ambiguous",)
    return Expected(cause, says=["superuser"])
