"""One world of the lab: a secret whose rotation really ran, and the person who carries out what the report prints."""

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from moto_account.world import DAY, HOUR, REGION, World

from .servers import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, HOST
from .service import FUNCTION_KEY, PERSON_KEY, REATTEMPTED, LabProxy, Service

HERE = Path(__file__).parent
FIRST_PASSWORD = "first-Password-of-the-secret-1"
COMMAND_SECONDS = 90
PLACEHOLDER = re.compile(r"(?<![\w$\"/.-])(?:<[A-Z][A-Z0-9_ -]+>|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w=(])")
# Names that a shell or a client reads, or that AWS writes so: nothing a person fills in.
NAMES = {"AWS_REGION", "MAX_USER_CONNECTIONS", "AWS_PROFILE", "PGPASSWORD", "MYSQL_PWD", "CURRENT_USER", "REQUIRE_EACH_INCLUDED_TYPE", "EXCLUDE_CHARACTERS",
         "PASSWORD_LENGTH", "SECRETS_MANAGER_ENDPOINT"}


class Runtimes:
    """A few of the runtime's processes; an invocation waits for a free one."""

    def __init__(self, number):
        self.free: queue.Queue = queue.Queue()
        self.all = [subprocess.Popen([sys.executable, str(HERE / "runtime.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                    for _ in range(number)]
        for process in self.all:
            self.free.put(process)

    def invoke(self, job):
        process = self.free.get()
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())
        finally:
            self.free.put(process)

    def stop(self):
        for process in self.all:
            process.stdin.close()
            process.wait()


class CommandLine:
    """AWS's command line, ready to be forked; its folder goes before all others on the person's path."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-lab-aws-"))
        self.socket = self.folder / "socket"
        shim = self.folder / "aws"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {HERE / "aws_shim.py"} "$@"\n')
        shim.chmod(0o755)
        self.process = subprocess.Popen([sys.executable, str(HERE / "aws_host.py"), str(self.socket)])

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Expected:
    """What an expert would say of a fault, and what the person knows who mends it."""

    cause: tuple[str, ...]
    # Words of which the finding's text and plan hold at least one each, and none.
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    # What the person corrects in the value's JSON; `None` takes a key away.
    value: dict = field(default_factory=dict)
    # The same for the superuser's secret.
    superuser: dict = field(default_factory=dict)
    # The variables the person adds to the function's environment.
    environment: dict = field(default_factory=dict)
    # Placeholders of this fault.
    filled: dict = field(default_factory=dict)
    # What the person edits by hand on the server, where the plan asks for it, before the server reads it again.
    edit: object = None
    # What ended the fault by itself or by someone whom no command of a plan can reach: done before the plan is carried out.
    meanwhile: object = None


class Lab(World):
    PROXY = LabProxy

    def __init__(self, moto, number, name, engine, strategy, outspoken, servers, runtimes):
        super().__init__(moto, number, name)
        self.engine, self.strategy, self.outspoken, self.servers = engine, strategy, outspoken, servers
        self.server = servers[f"{engine}-main"]
        self.service = Service(self, runtimes)
        self.service.watch = self.moment
        self.service.removes_pending = True
        self.user, self.database = f"orders_{number}", f"shop_{number}"
        self.password = FIRST_PASSWORD
        self.superuser, self.superuser_password = f"rotator_{number}", "superuser-Password-1"
        self.superuser_arn = ""
        self.moments: list[tuple[str, str]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="rotation-lab-person-"))
        self.person = self.client("secretsmanager", PERSON_KEY)
        self.undo: list = []
        # Whether the database has taken the pending password, and a single user's applications are refused with AWSCURRENT.
        self.after_set_secret = False
        # moto dates every version now, and lists those without a label.
        self.proxy.patches["secretsmanager:ListSecretVersionIds"] = {"Versions": lambda old: [
            {**version, "CreatedDate": self.service.secret(self.secret_arn).versions[version["VersionId"]]["createdate"]}
            if version["VersionId"] in self.service.secret(self.secret_arn).versions else version for version in old or []]}
        self.described(VersionIdsToStages=lambda old: {version: labels for version, labels in (old or {}).items() if labels})

    def client(self, service, key=None):
        import boto3

        if key is None:
            return super().client(service)
        return boto3.client(service, region_name=REGION, endpoint_url=self.proxy.endpoint, aws_access_key_id=key, aws_secret_access_key="x")

    def close(self):
        self.service.wait()
        try:
            with contextlib.ExitStack() as stack:
                # All of it, whatever fails: what one world leaves shut keeps others waiting.
                for step in self.undo:
                    stack.callback(step)
        finally:
            self.proxy.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- how it was set up -----------------------------------------------------------------------------------------

    def value(self, **changes):
        value = {"engine": self.engine, "host": HOST, "port": self.server.port, "username": self.user, "password": self.password,
                 "dbname": self.database}
        if self.strategy == "alternating":
            value["masterarn"] = self.superuser_arn
        value.update(changes)
        return {key: member for key, member in value.items() if member is not None}

    def set_up(self, server=None, environment=None, attributes="", timeout=30, scoped=True):
        """A database user, the secret, the function; and a first rotation that went well, two days ago."""
        self.server = self.servers[server] if server else self.server
        if self.server.name in ("mysql-second", "postgres-small"):
            self.server.alone.acquire()
            self.undo.append(self.server.alone.release)
        self.server.make_database(self.database)
        self.server.make_user(self.user, self.password)
        if self.engine == "mysql":
            self.server.do(f"GRANT ALL PRIVILEGES ON `{self.database}`.* TO '{self.user}'@'%'")
        if self.strategy == "alternating":
            if self.engine == "postgres":
                self.server.make_user(self.superuser, self.superuser_password, "LOGIN CREATEROLE")
            else:
                self.server.make_user(self.superuser, self.superuser_password)
                self.server.do(f"GRANT ALL PRIVILEGES ON *.* TO '{self.superuser}'@'%' WITH GRANT OPTION")
            text = json.dumps({"engine": self.engine, "host": HOST, "port": self.server.port, "username": self.superuser,
                               "password": self.superuser_password})
            self.superuser_arn = self.secrets.create_secret(Name=f"{self.secret_name}-superuser", SecretString=text)["ARN"]
        self.secret(value=json.dumps(self.value()))
        self.role(resource=[self.secret_arn] + ([self.superuser_arn] if self.superuser_arn else []))
        module = "single_user" if self.strategy == "single" else "alternating_users"
        self.function(Handler=f"{module}.lambda_handler", Timeout=timeout, Environment={"Variables": {
            "SECRETS_MANAGER_ENDPOINT": self.proxy.endpoint, "ENGINE": self.engine, "LOG_DRIVER_ERRORS": str(self.outspoken).lower(),
            **(environment or {})}})
        self.rotating(last=int(time.time()) - 60 * DAY)
        self.service.shift = -2 * DAY
        assert self.rotate() == "succeeded", "the rotation before the fault fails"
        self.service.shift = -HOUR - 600
        self.moments.clear()
        return self

    def rotate(self):
        """What the schedule does, or a person; whether the rotation succeeded."""
        from botocore.exceptions import ClientError

        before = len(self.service.outcomes)
        try:
            self.person.rotate_secret(SecretId=self.secret_arn)
        except ClientError as error:
            if REATTEMPTED not in str(error):
                return str(error)
        self.service.wait()
        return self.service.outcomes[-1] if len(self.service.outcomes) > before else "nothing ran"

    def fails(self):
        """The rotation that the program is asked about, an hour ago."""
        self.service.shift = -HOUR
        outcome = self.rotate()
        assert outcome == "failed", f"the fault does not stop the rotation: {outcome}"
        self.service.shift = 0.0

    # --- values, as people change them -----------------------------------------------------------------------------

    def current(self):
        return json.loads(self.stored("AWSCURRENT"))

    def stored(self, label, arn=None):
        version = self.service.with_label(self.service.secret(arn or self.secret_arn), label)
        return version.get("secret_string") if version else None

    def put(self, text=None, **changes):
        """Somebody stores another value."""
        if text is None:
            value = {**self.current(), **changes}
            text = json.dumps({key: member for key, member in value.items() if member is not None})
        self.person.put_secret_value(SecretId=self.secret_arn, SecretString=text)

    def configure(self, **variables):
        """Somebody changes the function's environment."""
        present = self.lambda_.get_function_configuration(FunctionName=self.function_name)["Environment"]["Variables"]
        changed = {name: value for name, value in {**present, **variables}.items() if value is not None}
        self.client("lambda", PERSON_KEY).update_function_configuration(
            FunctionName=self.function_name, Environment={"Variables": changed})

    def set_handler(self, handler):
        """Somebody changes what the runtime is to call."""
        self.client("lambda", PERSON_KEY).update_function_configuration(FunctionName=self.function_name, Handler=handler)

    # --- what others do in the database ----------------------------------------------------------------------------

    def hold(self):
        """An application's connection that stays."""
        import pymysql

        value = self.current()
        return pymysql.connect(host=HOST, port=self.server.port, user=value["username"], password=value["password"])

    def knock(self, times):
        """Somebody tries wrong passwords."""
        import pymysql

        value = self.current()
        for _ in range(times):
            try:
                pymysql.connect(host=HOST, port=self.server.port, user=value["username"], password="not-this-one-1").close()
            except pymysql.Error:
                pass

    def fill_up(self):
        """Applications take every connection that the server has for them."""
        import psycopg2
        import pymysql

        value, held = self.current(), []
        while True:
            try:
                if self.engine == "postgres":
                    held.append(psycopg2.connect(host=HOST, port=self.server.port, user=value["username"], password=value["password"],
                                                 dbname=self.database))
                else:
                    held.append(self.hold())
            except (psycopg2.Error, pymysql.Error):
                return held

    def hold_tables(self):
        """A dump that has locked the accounts' table; what ends it."""
        connection = self.server.administrator()
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLES mysql.global_priv READ")
        return lambda: connection.open and connection.close()

    def hold_role(self, name):
        """A transaction of an administrator that changed the role and never ended; what ends it."""
        connection = self.server.administrator(self.database)
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER ROLE "{name}" CONNECTION LIMIT 90')
        return connection.close

    # --- does the application still get in? ------------------------------------------------------------------------

    def moment(self, when):
        self.moments.append((when, self.login()))

    def login(self):
        """What an application that reads AWSCURRENT now is told; empty where it gets in."""
        import psycopg2
        import pymysql

        try:
            value = json.loads(self.stored("AWSCURRENT"))
            host, port, user, password = value["host"], int(value["port"]), value["username"], value["password"]
        except (ValueError, KeyError, TypeError) as error:
            return f"no value: {error!r}"
        try:
            if self.engine == "postgres":
                mode = {None: "prefer", True: "require", False: "disable"}[value.get("ssl")]
                psycopg2.connect(host=host, port=port, user=user, password=password, dbname=value.get("dbname") or "postgres", sslmode=mode,
                                 connect_timeout=2).close()
            else:
                tls = {"ssl": {"check_hostname": False}} if value.get("ssl", True) else {"ssl_disabled": True}
                # Another kind of server waits for the client to speak first, and so would this one for the server.
                pymysql.connect(host=host, port=port, user=user, password=password, database=value.get("dbname"), connect_timeout=2,
                                read_timeout=5, **tls).close()
        except (psycopg2.Error, pymysql.Error) as error:
            return str(error).strip().splitlines()[0]
        return ""


class Person:
    """Carries out what the report prints, to the letter; fills in only what a person has to."""

    def __init__(self, lab: Lab, expected: Expected, command_line: CommandLine):
        self.lab, self.expected = lab, expected
        self.log: list[str] = []
        home = lab.folder
        (home / "admin.cnf").write_text(
            f"[client]\nhost={HOST}\nport={lab.server.port}\nuser={ADMINISTRATOR}\npassword={ADMINISTRATOR_PASSWORD}\n")
        (home / ".pg_service.conf").write_text(
            f"[admin]\nhost={HOST}\nport={lab.server.port}\nuser={ADMINISTRATOR}\npassword={ADMINISTRATOR_PASSWORD}\ndbname=postgres\n")
        (home / ".pgpass").write_text(f"*:*:*:{ADMINISTRATOR}:{ADMINISTRATOR_PASSWORD}\n")
        (home / ".pgpass").chmod(0o600)
        (home / ".my.cnf").write_text(f"[client]\npassword={ADMINISTRATOR_PASSWORD}\n")
        self.environment = {
            "PATH": f"{command_line.folder}:/usr/bin:/bin:{Path(sys.executable).parent}", "AWS_HOST_SOCKET": str(command_line.socket), "HOME": str(home), "AWS_ENDPOINT_URL": lab.proxy.endpoint,
            "AWS_ACCESS_KEY_ID": PERSON_KEY, "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "LC_ALL": "C.UTF-8"}

    def carry_out(self, commands):
        """The faults of the commands; what they did to the logins is in the lab's moments."""
        faults = []
        for command in commands:
            command = self.fill(command)
            left = [word for word in PLACEHOLDER.findall(re.sub(r"#.*", "", command)) if word not in NAMES]
            if left:
                faults.append(f"nobody can know {', '.join(left)}: {command}")
                continue
            if command.startswith("aws logs tail "):
                # It shows lines, and the first version of AWS's command line does not have it.
                continue
            self.write_files(command)
            if "pg_reload_conf" in command and self.expected.edit:
                self.expected.edit()
            done = subprocess.run(["bash", "-c", command], cwd=self.lab.folder, env=self.environment, capture_output=True, text=True,
                                  timeout=COMMAND_SECONDS)
            self.lab.service.wait()
            self.log.append(f"$ {command}\n[{done.returncode}] {(done.stdout + done.stderr).strip()[:1500]}")
            if done.returncode and REATTEMPTED not in done.stderr:
                faults.append(f"exit {done.returncode} of {command}: {done.stderr.strip()[-300:]}")
            self.lab.moment(f"after {command[:70]}")
        return faults

    def fill(self, command):
        lab = self.lab
        known = {
            "DB_HOST": HOST, "DATABASE_HOST": HOST, "DB_PORT": str(lab.server.port), "DATABASE_PORT": str(lab.server.port),
            "DB_ADMIN": ADMINISTRATOR, "ADMIN_USER": ADMINISTRATOR, "DB_NAME": lab.database, "DATABASE_NAME": lab.database,
            "DB_USER": lab.user, "USER_FOUND": lab.user, "HOST_FOUND": "%", "SUPERUSER_SECRET_ARN": lab.superuser_arn,
            **self.expected.filled}
        for name, value in known.items():
            command = re.sub(rf"(?<![\w-])<?{re.escape(name)}>?(?![\w=])", lambda _: value, command)
        return command

    def write_files(self, command):
        for name in re.findall(r"file://([\w./-]+)", command):
            path = self.lab.folder / name
            if "environment" in name:
                path.write_text(json.dumps(self.environment_of_the_function()))
            elif "--secret-string" in command:
                self.write_value(path, command)

    def environment_of_the_function(self):
        answer = self.lab.lambda_.get_function_configuration(FunctionName=self.lab.function_name)
        return {"Variables": {**answer["Environment"]["Variables"], **self.expected.environment}}

    def write_value(self, path, command):
        """The complete JSON: of what the plan has put into the file, or of AWSCURRENT, with what was wrong corrected."""
        superuser = "superuser.json" in command
        arn = self.lab.superuser_arn if superuser else self.lab.secret_arn
        try:
            value = json.loads(path.read_text() if path.exists() else self.lab.stored("AWSCURRENT", arn))
            assert isinstance(value, dict)
        except (ValueError, TypeError, AssertionError):
            value = {}
        if superuser:
            value = {**value, "password": self.lab.superuser_password, **self.expected.superuser}
        else:
            # What a person remembers of a value that is no longer there.
            value = {**self.lab.value(), **value, **self.expected.value}
        path.write_text(json.dumps({key: member for key, member in value.items() if member is not None}))
