"""PostgreSQL and MariaDB, as far as a rotation needs them.

With LOG_DRIVER_ERRORS=true a driver's exception ends the step, as in functions that teams write; else it is dropped and the step
says only that the login failed, as the official templates do.
"""

import logging
import os

import psycopg2
import pymysql

logger = logging.getLogger()
CONNECT_TIMEOUT = 5
DRIVER_ERRORS = (psycopg2.Error, pymysql.Error)


def is_outspoken():
    return os.environ.get("LOG_DRIVER_ERRORS", "false") == "true"


def connect(value, last_chance=True):
    """A connection, or None where the login failed; an outspoken function's last chance raises instead."""
    try:
        connection = OPEN[value["engine"]](value)
    except DRIVER_ERRORS as error:
        if is_outspoken() and last_chance:
            raise
        if is_outspoken():
            logger.info("login as %s did not succeed, going on: %s", value["username"], type(error).__name__)
        return None
    logger.info("Successfully established %s connection as user '%s' with host: '%s'",
                "SSL/TLS" if is_encrypted(connection) else "TCP", value["username"], value["host"])
    return connection


def postgres(value):
    mode = {None: "prefer", True: "require", False: "disable"}[flag(value.get("ssl"))]
    return psycopg2.connect(host=value["host"], port=int(value.get("port", 5432)), user=value["username"], password=value["password"],
                            dbname=value.get("dbname") or "postgres", sslmode=mode, connect_timeout=CONNECT_TIMEOUT)


def mariadb(value):
    def login(tls):
        return pymysql.connect(host=value["host"], port=int(value.get("port", 3306)), user=value["username"], password=value["password"],
                               database=value.get("dbname"), connect_timeout=CONNECT_TIMEOUT, autocommit=True,
                               **({"ssl": {"check_hostname": False}} if tls else {"ssl_disabled": True}))

    wanted = flag(value.get("ssl"))
    if wanted is not None:
        return login(wanted)
    try:
        return login(True)
    except pymysql.OperationalError:
        return login(False)


# Not where a traceback shows it: a function for one engine does not name another.
OPEN = {"postgres": postgres, "mysql": mariadb}


def flag(value):
    return value if value is None or isinstance(value, bool) else str(value).lower() in ("true", "1", "yes")


def is_encrypted(connection):
    if isinstance(connection, pymysql.connections.Connection):
        return connection.ssl
    return connection.info.ssl_in_use


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


def set_own_password(engine, connection, value):
    with connection.cursor() as cursor:
        if engine == "postgres":
            cursor.execute(f"ALTER USER {identifier(value['username'])} WITH PASSWORD %s", (value["password"],))
            connection.commit()
        else:
            cursor.execute("SET PASSWORD = PASSWORD(%s)", (value["password"],))


def set_password_of(engine, connection, current, value):
    """Gives the other user the new password, and makes it where it does not exist, with the rights of the current one."""
    with connection.cursor() as cursor:
        if engine == "postgres":
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (value["username"],))
            if cursor.fetchone():
                cursor.execute(f"ALTER USER {identifier(value['username'])} WITH PASSWORD %s", (value["password"],))
            else:
                cursor.execute(f"CREATE ROLE {identifier(value['username'])} WITH LOGIN PASSWORD %s", (value["password"],))
                cursor.execute(f"GRANT {identifier(current['username'])} TO {identifier(value['username'])}")
            connection.commit()
        else:
            cursor.execute("SELECT 1 FROM mysql.user WHERE User = %s", (value["username"],))
            if cursor.fetchone():
                cursor.execute("SET PASSWORD FOR %s = PASSWORD(%s)", (value["username"], value["password"]))
            else:
                cursor.execute("CREATE USER %s IDENTIFIED BY %s", (value["username"], value["password"]))
                cursor.execute("SHOW GRANTS FOR %s", (current["username"],))
                for (grant,) in cursor.fetchall():
                    cursor.execute(grant.split(" TO ")[0].replace("%", "%%") + " TO %s", (value["username"],))


def probe(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOW()")
        cursor.fetchone()
