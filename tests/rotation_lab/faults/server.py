"""The server refuses for reasons of its own: rules for passwords, read-only, locks, no answer."""

import socket

from ..lab import Expected
from ..servers import HOST
from .fault import collector
from .value import twice

FAULTS, on = collector()


@on("postgres single outspoken", "postgres alternating outspoken")
def password_is_too_short(lab):
    lab.set_up("postgres-plain")
    lab.configure(PASSWORD_LENGTH="6")
    lab.fails()
    return Expected(("db_password_policy_or_chars",), environment={"PASSWORD_LENGTH": "32"}, says=["PASSWORD_LENGTH"])


@on("postgres single outspoken")
def password_needs_more_than_letters(lab):
    lab.set_up("postgres-plain")
    lab.configure(EXCLUDE_NUMBERS="true", EXCLUDE_PUNCTUATION="true")
    lab.fails()
    return Expected(("db_password_policy_or_chars",), environment={"EXCLUDE_NUMBERS": "false", "EXCLUDE_PUNCTUATION": "false"},
                    says=["EXCLUDE_"])


@on("mysql single outspoken", "mysql alternating outspoken")
def password_breaks_the_servers_rules(lab):
    lab.set_up("mysql-second")
    lab.configure(PASSWORD_LENGTH="10", EXCLUDE_PUNCTUATION="true")
    lab.server.do("INSTALL SONAME 'simple_password_check'", "SET GLOBAL simple_password_check_minimal_length = 12")
    lab.undo.append(lambda: lab.server.do("UNINSTALL SONAME 'simple_password_check'"))
    lab.fails()
    return Expected(("db_password_policy_or_chars",), environment={"PASSWORD_LENGTH": "32", "EXCLUDE_PUNCTUATION": "false"},
                    says=["PASSWORD_LENGTH"])


@on("postgres single")
def password_length_is_no_number(lab):
    lab.set_up()
    lab.configure(PASSWORD_LENGTH="thirty-two")
    lab.fails()
    return Expected(("code_bad_input", "code_missing_env", "db_password_policy_or_chars", "code_unhandled_exception"),
                    environment={"PASSWORD_LENGTH": "32"}, says=["PASSWORD_LENGTH"], never=["previous package"])


@on("postgres single outspoken")
def host_is_a_reader(lab):
    lab.set_up()
    twice(lab, port=lab.servers["postgres-reader"].port)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), value={"port": lab.server.port}, says=["read"])


@on("postgres single outspoken")
def database_is_read_only_by_default(lab):
    lab.set_up()
    lab.server.do(f'ALTER DATABASE "{lab.database}" SET default_transaction_read_only = on')
    lab.fails()
    return Expected(("db_host_mismatch_replica", "db_permission_insufficient"), says=["read.only"])


@on("mysql single outspoken")
def host_is_a_read_only_server(lab):
    lab.set_up()
    reader, value = lab.servers["mysql-second"], lab.current()
    reader.alone.acquire()
    lab.undo.append(reader.alone.release)
    # As replication would have brought them.
    reader.make_database(lab.database)
    reader.make_user(lab.user, value["password"])
    reader.do(f"GRANT ALL PRIVILEGES ON `{lab.database}`.* TO '{lab.user}'@'%'", "SET GLOBAL read_only = 1")
    lab.undo.append(lambda: reader.do("SET GLOBAL read_only = 0"))
    twice(lab, port=reader.port)
    lab.fails()
    return Expected(("db_host_mismatch_replica",), value={"port": lab.server.port}, says=["read.only"])


@on("postgres single", "postgres alternating outspoken")
def statement_waits_for_a_lock(lab):
    lab.set_up(timeout=4)
    other = lab.user if lab.strategy == "alternating" else lab.current()["username"]
    end = lab.hold_role(other)
    lab.undo.append(end)
    lab.fails()
    return Expected(("db_lock_timeout", "target_service_error", "lambda_timeout_too_short", "timeout_ambiguous", "unknown_failure"),
                    says=["lock"], never=["security group"], meanwhile=end)


@on("postgres single outspoken")
def lock_timeout_ends_the_statement(lab):
    lab.set_up()
    lab.server.do(f"ALTER DATABASE \"{lab.database}\" SET lock_timeout = '500ms'")
    end = lab.hold_role(lab.current()["username"])
    lab.undo.append(end)
    lab.fails()
    return Expected(("target_service_error", "target_service_limit", "db_lock_timeout", "unknown_failure"), says=["lock"],
                    never=["previous package"], meanwhile=end)


@on("postgres single", "mysql single outspoken")
def nobody_answers(lab):
    lab.set_up()
    lab.silent = silence()
    twice(lab, host="127.0.0.8", port=lab.silent[0].getsockname()[1])
    lab.undo.append(lambda: [end.close() for end in lab.silent])
    lab.fails()
    return Expected(("db_network_unreachable",), value={"host": HOST, "port": lab.server.port}, says=["host"])


def silence():
    """A port whose queue is full: whoever connects is told nothing, as behind a security group."""
    listener = socket.socket()
    listener.bind(("127.0.0.8", 0))
    listener.listen(0)
    ends = [listener]
    for _ in range(3):
        end = socket.socket()
        end.setblocking(False)
        end.connect_ex(listener.getsockname())
        ends.append(end)
    return ends


@on("postgres single outspoken", "postgres single")
def database_has_no_connection_left(lab):
    lab.set_up()
    lab.server.do(f'ALTER DATABASE "{lab.database}" CONNECTION LIMIT 0')
    lab.fails()
    return Expected(("target_service_limit",) if lab.outspoken else ("db_login_ambiguous",), says=["connection"])


@on("postgres single outspoken", "mysql single outspoken", "postgres alternating outspoken")
def server_has_no_connection_left(lab):
    lab.set_up("postgres-small" if lab.engine == "postgres" else "mysql-second")
    if lab.engine == "mysql":
        lab.server.do("SET GLOBAL max_connections = 10")
        lab.undo.append(lambda: lab.server.do("SET GLOBAL max_connections = 151"))
    held = lab.fill_up()

    def end():
        while held:
            held.pop().close()

    lab.undo.append(end)
    lab.fails()
    return Expected(("target_service_limit",), says=["connection"], never=["access key", "password is wrong"], meanwhile=end)


@on("postgres single outspoken")
def database_takes_no_connections(lab):
    lab.set_up()
    lab.server.do(f'ALTER DATABASE "{lab.database}" ALLOW_CONNECTIONS false')
    lab.fails()
    return Expected(("db_network_unreachable", "target_service_error"), says=["accepting connections"], never=["previous package", "security group"])


@on("postgres single outspoken", "postgres alternating outspoken")
def user_is_read_only_by_default(lab):
    lab.set_up()
    user = lab.superuser if lab.strategy == "alternating" else lab.current()["username"]
    lab.server.do(f'ALTER ROLE "{user}" SET default_transaction_read_only = on')
    lab.fails()
    return Expected(("db_host_mismatch_replica", "db_permission_insufficient"), says=["read.only"])


@on("mysql single outspoken", "mysql alternating outspoken")
def statement_waits_for_a_table_lock(lab):
    lab.set_up("mysql-second", timeout=10)
    lab.server.do("SET GLOBAL lock_wait_timeout = 1")
    lab.undo.append(lambda: lab.server.do("SET GLOBAL lock_wait_timeout = 86400"))
    end = lab.hold_tables()
    lab.undo.append(end)
    lab.fails()
    return Expected(("db_lock_timeout", "target_service_error", "unknown_failure"), says=["lock"],
                    never=["previous package", "security group"], meanwhile=end)


@on("postgres single outspoken")
def statement_runs_out_of_time(lab):
    lab.set_up()
    lab.server.do(f"ALTER ROLE \"{lab.user}\" SET statement_timeout = '300ms'")
    end = lab.hold_role(lab.current()["username"])
    lab.undo.append(end)
    lab.fails()
    return Expected(("target_service_error", "target_service_limit", "db_lock_timeout"), says=["time"],
                    never=["previous package", "security group"], meanwhile=end)
