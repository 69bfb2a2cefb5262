//! A PostgreSQL of the tests' own: a throw-away cluster for each test process, made with `initdb`, and a database for each who
//! asks. It listens on a socket in its folder and nowhere else, and ends with the process that started it, however that ends.
//!
//! Where PostgreSQL's server is not installed (Debian: `postgresql`), half of the tests of the store say so and do nothing; with
//! `REQUIRE_POSTGRES` set they fail.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The superuser of the cluster; nobody needs a password.
const USER: &str = "rotation_diag";

/// Starts the server, says when it is ready, and ends it when its own standard input ends.
const KEEP: &str = r#""$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=300 >"$2/log" 2>&1 &
    server=$!
    until "$1/pg_isready" -q -h "$2"; do kill -0 $server || exit 1; sleep 0.05; done
    echo ready; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$2""#;

/// Ends the server at once. Those that served connections end by themselves, and have to before another server may begin.
const CRASH: &str = r#"kill -KILL "$(head -n 1 "$2/data/postmaster.pid")"
    while ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q "$2/data"; do sleep 0.02; done"#;

/// A running server.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
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
        let mut made = ours(programs.join("initdb"), &folder, owner);
        let made =
            made.arg("-D").arg(folder.join("data")).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let made = made.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let keeper = keep(&programs, &folder, owner);
        Some(Cluster { folder, programs, owner, keeper, databases: AtomicUsize::new(0) })
    }

    /// The address of a new and empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut make = ours(self.programs.join("createdb"), &self.folder, self.owner);
        let made = make.arg("-h").arg(&self.folder).args(["-U", USER, &name]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://{USER}@localhost/{name}?host={}", self.folder.display())
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
        self.keeper = keep(&self.programs, &self.folder, self.owner);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its input ends, and it ends the server.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn keep(programs: &Path, folder: &Path, owner: Option<(u32, u32)>) -> Child {
    let mut keeper = ours("/bin/sh", folder, owner);
    keeper.args(["-c", KEEP, "keeper"]).arg(programs).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut keeper = keeper.spawn().unwrap();
    let mut told = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, "ready\n", "{}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    keeper
}

/// A program that runs as somebody whom PostgreSQL takes: not as root.
fn ours(program: impl AsRef<std::ffi::OsStr>, folder: &Path, owner: Option<(u32, u32)>) -> Command {
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
