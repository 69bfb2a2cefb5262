"""PostgreSQL and MariaDB of the machine's packages, on loopback, in data directories that are thrown away."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg2
import pymysql
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
ADMINISTRATOR = "dba"
ADMINISTRATOR_PASSWORD = "the-dba-remembers-this-1"
PATIENCE = 60.0


class Missing(Exception):
    """A server's programs are not on this machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def programs() -> Path:
    """The directory with initdb, of the newest PostgreSQL there is."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise Missing("PostgreSQL's server: apt-get install postgresql")
    return Path(found[-1]).parent


class Server:
    """One database server; it ends with `stop`, and its directory with it."""

    engine: str
    user: str

    def __init__(self, name: str):
        self.name, self.port = name, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"rotation-lab-{name}-"))
        self.data = self.folder / "data"
        self.process: subprocess.Popen | None = None
        # Held by a world that changes the server for everybody.
        self.alone = threading.RLock()

    def as_owner(self) -> dict:
        """Servers refuse to run as root: then the package's own user owns directory and process."""
        if os.geteuid() != 0:
            return {}
        owner = pwd.getpwnam(self.user)
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(self, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=self.folder, **self.as_owner())
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stdout[-800:]}{done.stderr[-800:]}")

    def start(self, *words):
        log = open(self.folder / "log", "w")
        self.process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, cwd=self.folder, **self.as_owner())
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.administrator().close()
                return self
            except (psycopg2.Error, pymysql.Error):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name}: {(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.1)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def administrator(self, database=None):
        raise NotImplementedError

    def login(self, value: dict):
        """Logs in as an application would with the secret's value."""
        raise NotImplementedError

    def do(self, *statements: str, database=None, values=()):
        """Runs statements as the administrator."""
        connection = self.administrator(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, values) if values else cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def certificate(self):
        """A certificate for loopback, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(timezone.utc)
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
                .not_valid_after(now + timedelta(days=2)).sign(key, hashes.SHA256()))
        (self.folder / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / "server.key").write_bytes(private)
        (self.folder / "server.key").chmod(0o600)


class Postgres(Server):
    """A PostgreSQL server; `of` makes it a standby of another."""

    engine, user = "postgres", "postgres"

    def __init__(self, name, tls=False, of=None, **settings):
        super().__init__(name)
        self.settings = {"listen_addresses": HOST, "port": self.port, "fsync": "off", "shared_buffers": "16MB",
                         "unix_socket_directories": "''", "max_connections": 100, "log_min_messages": "panic", **settings}
        bin_ = programs()
        if of:
            self.run(bin_ / "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "--checkpoint=fast",
                     "-d", f"host={HOST} port={of.port} user={ADMINISTRATOR} password={ADMINISTRATOR_PASSWORD}")
        else:
            (self.folder / "password").write_text(ADMINISTRATOR_PASSWORD)
            self.run(bin_ / "initdb", "-D", self.data, "-U", ADMINISTRATOR, "--pwfile", self.folder / "password", "-A",
                     "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C")
            (self.data / "pg_hba.conf").write_text(self.hba([]))
        if tls:
            self.certificate()
            self.settings |= {"ssl": "on", "ssl_cert_file": f"'{self.folder / 'server.crt'}'",
                              "ssl_key_file": f"'{self.folder / 'server.key'}'"}
        self.rules: list[str] = []
        self.rule_lock = threading.Lock()
        self.start(bin_ / "postgres", "-D", self.data, *[word for name, value in self.settings.items()
                                                        for word in ("-c", f"{name}={value}".replace("'", ""))])

    @staticmethod
    def hba(rules):
        return "\n".join([f"host all {ADMINISTRATOR} {HOST}/32 scram-sha-256", f"host replication {ADMINISTRATOR} {HOST}/32 scram-sha-256",
                          *rules, f"host all all {HOST}/8 scram-sha-256", ""])

    def rule(self, line: str):
        """Puts a line before the general ones of pg_hba.conf."""
        with self.rule_lock:
            self.rules.append(line)
            self.write_rules()

    def without_rules(self, *users: str):
        with self.rule_lock:
            self.rules = [line for line in self.rules if not set(users) & set(line.split())]
            self.write_rules()

    def write_rules(self):
        (self.data / "pg_hba.conf").write_text(self.hba(self.rules))
        self.do("SELECT pg_reload_conf()")
        time.sleep(0.3)

    def administrator(self, database=None):
        connection = psycopg2.connect(host=HOST, port=self.port, user=ADMINISTRATOR, password=ADMINISTRATOR_PASSWORD,
                                      dbname=database or "postgres", connect_timeout=5)
        connection.autocommit = True
        return connection

    def make_database(self, name):
        self.do(f'CREATE DATABASE "{name}"')

    def make_user(self, name, password, attributes="LOGIN"):
        self.do(f'CREATE ROLE "{name}" WITH {attributes} PASSWORD %s', values=(password,))


class MariaDb(Server):
    engine, user = "mysql", "mysql"

    def __init__(self, name, tls=False, **settings):
        super().__init__(name)
        if not shutil.which("mariadbd") and not os.path.exists("/usr/sbin/mariadbd"):
            raise Missing("MariaDB's server: apt-get install mariadb-server")
        self.data.mkdir()
        common = ["--no-defaults", f"--datadir={self.data}"]
        self.run("mariadb-install-db", *common, "--skip-test-db", "--auth-root-authentication-method=normal")
        self.as_owner()
        (self.folder / "first.sql").write_text(
            f"CREATE USER '{ADMINISTRATOR}'@'%' IDENTIFIED BY '{ADMINISTRATOR_PASSWORD}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{ADMINISTRATOR}'@'%' WITH GRANT OPTION;\nDROP USER IF EXISTS ''@'localhost';\n")
        given = {"port": self.port, "bind-address": HOST, "socket": self.folder / "socket", "init-file": self.folder / "first.sql",
                 "innodb-buffer-pool-size": "16M", "innodb-flush-log-at-trx-commit": 0, "performance-schema": "OFF",
                 "innodb-log-file-size": "8M", "skip-name-resolve": 1, "pid-file": self.folder / "pid", "thread-handling": "one-thread-per-connection", **settings}
        if tls:
            self.certificate()
            given |= {"ssl-cert": self.folder / "server.crt", "ssl-key": self.folder / "server.key", "ssl-ca": self.folder / "server.crt"}
        self.start("/usr/sbin/mariadbd", *common, *[f"--{name}={value}" for name, value in given.items()])

    def administrator(self, database=None):
        return pymysql.connect(host=HOST, port=self.port, user=ADMINISTRATOR, password=ADMINISTRATOR_PASSWORD, database=database,
                               connect_timeout=5, autocommit=True)

    def make_database(self, name):
        self.do(f"CREATE DATABASE `{name}`")

    def make_user(self, name, password, host="%"):
        self.do(f"CREATE USER '{name}'@'{host.replace('%', '%%')}' IDENTIFIED BY %s", values=(password,))
