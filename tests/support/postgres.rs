//! A PostgreSQL of the tests' own: a throw-away cluster for each test process, made with `initdb`, and a database for each who
//! asks. It listens on a socket in its folder and nowhere else, and ends with the process that started it, however that ends.
//!
//! Where PostgreSQL's server is not installed (Debian: `postgresql`), half of the tests of the store say so and do nothing; with
//! `REQUIRE_POSTGRES` set they fail.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::os::unix::fs::{FileExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The superuser of the cluster; nobody needs a password.
const USER: &str = "rotation_diag";

/// Starts the server, and ends it when its standard input ends.
const KEEP: &str = r#""$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=300 >"$2/log" 2>&1 &
    server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$2""#;

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
            eprintln!("PostgreSQL's server is not installed: what concerns it is not tested");
            return None;
        };
        let folder = tempfile::tempdir().unwrap().keep();
        let owner = (fs::metadata("/proc/self").map(|me| owner_of(&me)).unwrap_or_default() == 0).then(postgres_user);
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut made = ours(programs.join("initdb"), &folder, owner);
        let made =
            made.arg("-D").arg(folder.join("data")).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let made = made.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let keeper = keep(&programs, &folder, owner);
        let cluster = Cluster { folder, programs, owner, keeper, databases: AtomicUsize::new(0) };
        cluster.wait();
        Some(cluster)
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
        self.signal("KILL");
        // Those that served connections end by themselves, and have to, before another server may begin.
        let data = self.folder.join("data");
        let serves = |process: fs::DirEntry| fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == data);
        while fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(serves) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again after [`Cluster::crash`].
    pub(crate) fn restart(&mut self) {
        self.keeper = {
            // The one before ends when its input does; it must not remove the folder.
            let _ = self.keeper.kill();
            let _ = self.keeper.wait();
            keep(&self.programs, &self.folder, self.owner)
        };
        self.wait();
    }

    /// Sends a signal to the server: STOP and CONT hold it.
    pub(crate) fn signal(&self, signal: &str) {
        let file = fs::File::open(self.folder.join("data/postmaster.pid")).unwrap();
        let mut first = vec![0; 32];
        let read = file.read_at(&mut first, 0).unwrap();
        let text = String::from_utf8_lossy(&first[..read]).into_owned();
        let pid = text.lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    fn wait(&self) {
        let tries = 600;
        for _ in 0..tries {
            let ready = ours(self.programs.join("pg_isready"), &self.folder, self.owner).arg("-h").arg(&self.folder).output();
            if ready.is_ok_and(|ready| ready.status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start: {}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
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
    keeper.args(["-c", KEEP, "keeper"]).arg(programs.join("postgres")).arg(folder).stdin(Stdio::piped()).spawn().unwrap()
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

fn owner_of(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(meta)
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
