//! A PostgreSQL of the tests' own: a throw-away cluster for each test process, made with `initdb`, and a database for each who
//! asks. It listens on a socket in its folder and, where the connection is to be encrypted, on a port of the loopback; and it ends
//! with the process that started it, however that ends.
//!
//! Where PostgreSQL's server is not installed (Debian: `postgresql`), half of the tests of the store say so and do nothing; with
//! `REQUIRE_POSTGRES` set they fail.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The superuser of the cluster; nobody needs a password.
const USER: &str = "rotation_diag";

/// Starts the server, says when it is ready, and ends it when its own standard input ends.
const KEEP: &str = r#"programs=$1 folder=$2 port=$3; shift 3
    "$programs/postgres" -D "$folder/data" -k "$folder" -p "$port" -c fsync=off -c max_connections=300 "$@" >"$folder/log" 2>&1 &
    server=$!
    until "$programs/pg_isready" -q -h "$folder" -p "$port"; do kill -0 $server || exit 1; sleep 0.05; done
    echo ready; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$folder""#;

/// The name of the socket, where nothing listens on a port.
const NO_PORT: u16 = 5432;

/// How many ports are tried: another program may take one before the server does.
const PORTS: usize = 5;

/// Ends the server at once. Those that served connections end by themselves, and have to before another server may begin.
const CRASH: &str = r#"kill -KILL "$(head -n 1 "$2/data/postmaster.pid")"
    while ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q "$2/data"; do sleep 0.02; done"#;

/// Numbers of the user and the group that a program runs as; `None` where it runs as we do.
type Owner = Option<(u32, u32)>;

/// A running server.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    owner: Owner,
    port: u16,
    /// What the server is started with beside that.
    options: &'static [&'static str],
    keeper: Child,
    databases: AtomicUsize,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

/// The address of a new and empty database; `None` where there is no PostgreSQL.
pub(crate) fn database() -> Option<String> {
    CLUSTER.get_or_init(Cluster::start).as_ref().map(Cluster::database)
}

impl Cluster {
    /// Starts a server of its own.
    pub(crate) fn start() -> Option<Cluster> {
        let (programs, folder, owner) = made()?;
        let options = &["-c", "listen_addresses="];
        let keeper = keep(&programs, &folder, owner, NO_PORT, options).unwrap_or_else(|log| panic!("{log}"));
        Some(Cluster { folder, programs, owner, port: NO_PORT, options, keeper, databases: AtomicUsize::new(0) })
    }

    /// Starts a server on a port of the loopback, which shows this certificate and takes no connection there that is not encrypted.
    /// Certificate and key are in PEM.
    pub(crate) fn start_encrypted(certificate: &str, key: &str) -> Option<Cluster> {
        let (programs, folder, owner) = made()?;
        let data = folder.join("data");
        for (name, content) in [
            ("server.crt", certificate),
            ("server.key", key),
            ("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n"),
        ] {
            let path = data.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((user, group)) = owner {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        let options = &["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on"];
        let mut why = String::new();
        for _ in 0..PORTS {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match keep(&programs, &folder, owner, port, options) {
                Ok(keeper) => {
                    return Some(Cluster { folder, programs, owner, port, options, keeper, databases: AtomicUsize::new(0) });
                }
                Err(log) => why = log,
            }
        }
        panic!("{why}")
    }

    /// The address of a new and empty database over the network, on `host`; `?sslmode=disable` and the like may follow it.
    pub(crate) fn database_at(&self, host: &str) -> String {
        format!("postgres://{USER}@{host}:{}/{}", self.port, self.new_database())
    }

    /// The address of a new and empty database.
    pub(crate) fn database(&self) -> String {
        format!("postgres://{USER}@localhost:{}/{}?host={}", self.port, self.new_database(), self.folder.display())
    }

    fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut make = ours(self.programs.join("createdb"), &self.folder, self.owner);
        let port = self.port.to_string();
        let made = make.arg("-h").arg(&self.folder).args(["-p", &port, "-U", USER, &name]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        name
    }

    /// Ends the server at once, as a crash would, with what it has on the disk.
    pub(crate) fn crash(&self) {
        let mut crash = ours("/bin/sh", &self.folder, self.owner);
        crash.args(["-c", CRASH, "crash"]).arg(&self.programs).arg(&self.folder);
        assert!(crash.status().unwrap().success());
    }

    /// Starts it again after [`Cluster::crash`].
    pub(crate) fn restart(&mut self) {
        // The one before would remove the folder.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        let keeper = keep(&self.programs, &self.folder, self.owner, self.port, self.options);
        self.keeper = keeper.unwrap_or_else(|log| panic!("{log}"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its input ends, and it ends the server.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The programs, the folder of a new cluster and whose it is; `None` where there is no PostgreSQL.
fn made() -> Option<(PathBuf, PathBuf, Owner)> {
    let Some(programs) = programs() else {
        assert!(std::env::var_os("REQUIRE_POSTGRES").is_none(), "PostgreSQL's server is not installed");
        let _ = writeln!(std::io::stderr(), "PostgreSQL's server is not installed: what concerns it is not tested");
        return None;
    };
    let folder = tempfile::tempdir().unwrap().keep();
    let owner = is_root().then(postgres_user);
    if let Some((user, group)) = owner {
        chown(&folder, Some(user), Some(group)).unwrap();
    }
    let mut initdb = ours(programs.join("initdb"), &folder, owner);
    let initdb =
        initdb.arg("-D").arg(folder.join("data")).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    let made = initdb.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some((programs, folder, owner))
}

/// Starts the server; what it logged, where it does not come up.
fn keep(programs: &Path, folder: &Path, owner: Owner, port: u16, options: &[&str]) -> Result<Child, String> {
    let mut keeper = ours("/bin/sh", folder, owner);
    keeper.args(["-c", KEEP, "keeper"]).arg(programs).arg(folder).arg(port.to_string()).args(options);
    let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut told).unwrap();
    match told.as_str() {
        "ready\n" => Ok(keeper),
        _ => {
            let _ = keeper.wait();
            Err(fs::read_to_string(folder.join("log")).unwrap_or_default())
        }
    }
}

/// A program that runs as somebody whom PostgreSQL takes: not as root.
fn ours(program: impl AsRef<std::ffi::OsStr>, folder: &Path, owner: Owner) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C").env_remove("PGHOST").env_remove("PGPORT").env_remove("PGUSER");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Numbers of the user and group `postgres`, which Debian's package makes.
fn postgres_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user named postgres");
    let numbers: Vec<u32> = line.split(':').skip(2).take(2).map(|number| number.parse().unwrap()).collect();
    (numbers[0], numbers[1])
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = versions.filter_map(|version| version.ok()?.file_name().to_str()?.parse::<u32>().ok()).max()?;
    let programs = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    programs.join("initdb").is_file().then_some(programs)
}
