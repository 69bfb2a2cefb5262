//! The store alone: what is accepted, claimed, finished and shown, and what survives.

mod encrypted;
mod moving;
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod replicas;

use super::*;
use crate::chat::Message;
use crate::chat::document::Tone;
use crate::config::{StoreFile, StoreServer};
use crate::model::{
    Action, ActionRequest, ActionToken, Actor, AlarmState, Command, InvestigationId, InvestigationRequest, Place, PlatformName,
    ReplyTo, Standing, ThreadId, Trigger,
};
use crate::redact::SafeText;
use sqlx::SqlitePool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

const LEASE: Duration = Duration::from_secs(60);

/// The thread of this name.
fn t(id: &str) -> ThreadId {
    id.parse().unwrap()
}

/// An investigation's id that is told by its name.
fn id(name: &str) -> InvestigationId {
    InvestigationId::of(name.bytes().fold(0, |id, byte| (id << 8) | u128::from(byte)))
}

fn place(channel: &str) -> Place {
    Place { platform: PlatformName::new("slack"), workspace: "T1".to_owned(), channel: channel.to_owned(), thread: None }
}

fn question() -> InvestigationRequest {
    InvestigationRequest { secret: "prod/orders-db".parse().unwrap(), account: None, region: None, lookback: None }
}

fn entry(key: &str, lane: &str, subject: &str) -> NewTrigger {
    let actor = Actor {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        user: "U1".to_owned(),
        groups: None,
        standing: Standing::Member,
    };
    let reply_to = Some(ReplyTo("https://answers.example/capability".to_owned()));
    let command = Command { actor, place: place(lane), reply_to, question: question(), in_thread: false };
    NewTrigger {
        key: key.to_owned(),
        origin: key.to_owned(),
        lane: lane.to_owned(),
        subject: subject.to_owned(),
        same: None,
        trigger: Trigger::Command(command),
        what: SafeText::redact("a question"),
    }
}

/// The triggers that wait or are worked on.
async fn open_triggers(store: &Store) -> i64 {
    let open = sqlx::query_scalar("SELECT count(*) FROM inbox WHERE state IN ('waiting', 'running')");
    open.fetch_one(&store.readers).await.unwrap()
}

/// Why triggers were given up, the newest first.
async fn given_up_triggers(store: &Store) -> Vec<String> {
    let dead = sqlx::query_scalar("SELECT why FROM inbox WHERE state = 'dead' ORDER BY id DESC");
    dead.fetch_all(&store.readers).await.unwrap()
}

/// The messages that were given up, the newest first: key, reason, why.
async fn given_up_messages(store: &Store) -> Vec<(String, String, String)> {
    let given_up = sqlx::query_as("SELECT slot, reason, why FROM messages WHERE state = 'given_up' ORDER BY id DESC");
    given_up.fetch_all(&store.readers).await.unwrap()
}

/// Where a store is kept: in a folder, or in a database on a server.
struct Folder {
    folder: tempfile::TempDir,
    server: Option<StoreServer>,
}

impl Folder {
    fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap(), server: None }
    }

    /// A new database, where there is a PostgreSQL.
    fn on_server() -> Option<Folder> {
        let server = StoreServer::new(&postgres::database()?, None, None).unwrap();
        Some(Folder { server: Some(server), ..Folder::new() })
    }

    /// Another one on the same engine.
    fn another(&self) -> Folder {
        if self.server.is_some() { Folder::on_server().unwrap() } else { Folder::new() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn configured(&self) -> StoreFile {
        StoreFile { path: self.path(), server: self.server.clone(), ..StoreFile::default() }
    }

    async fn open(&self) -> Store {
        // Another test may be starting a server: until that child has become one, it holds every lock of this process too.
        for _ in 0..10_000 {
            match Store::open_configured(&self.configured(), Clock::system()).await {
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
        panic!("the store stays in use")
    }

    async fn refused(&self) -> String {
        Store::open(&self.path(), Clock::system()).await.unwrap_err().to_string()
    }
}

/// The test of this name, on each engine.
macro_rules! on_each_engine {
    ($name:ident) => {
        mod $name {
            use super::Folder;

            #[tokio::test]
            async fn on_sqlite() {
                super::$name(Folder::new()).await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                if let Some(folder) = Folder::on_server() {
                    super::$name(folder).await;
                }
            }
        }
    };
}

fn files(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder.folder.path()).unwrap().map(Result::unwrap);
    let read =
        |entry: std::fs::DirEntry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap_or_default());
    let mut files: Vec<_> = entries.map(read).filter(|(name, _)| !name.ends_with(".lock")).collect();
    files.sort();
    files
}

on_each_engine!(what_was_accepted_is_there_after_the_process_is_gone);
async fn what_was_accepted_is_there_after_the_process_is_gone(folder: Folder) {
    let store = folder.open().await;
    assert_eq!(store.accept(&entry("k1", "C1", "s1"), None).await.unwrap(), Accepted::New);
    // No farewell: as if it was killed.
    drop(store);
    let store = folder.open().await;
    let claimed = store.claim(LEASE).await.unwrap().unwrap();
    assert_eq!((claimed.subject.as_str(), claimed.attempt), ("s1", 1));
    assert_eq!(store.accept(&entry("k1", "C1", "s2"), None).await.unwrap(), Accepted::Redelivered);
    let other = NewTrigger { origin: "another click".to_owned(), ..entry("k1", "C1", "s1") };
    assert_eq!(store.accept(&other, None).await.unwrap(), Accepted::AlreadyDone);
}

on_each_engine!(ten_workers_claim_one_row_and_one_wins);
async fn ten_workers_claim_one_row_and_one_wins(folder: Folder) {
    let store = folder.open().await;
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let claims = futures::future::join_all((0..10).map(|_| store.claim(LEASE))).await;
    assert_eq!(claims.into_iter().filter(|claim| claim.as_ref().unwrap().is_some()).count(), 1);
}

on_each_engine!(a_claim_that_ran_out_is_fenced_off);
async fn a_claim_that_ran_out_is_fenced_off(folder: Folder) {
    let store = folder.open().await;
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let slow = store.claim(Duration::ZERO).await.unwrap().unwrap();
    let quick = store.claim(LEASE).await.unwrap().unwrap();
    assert_eq!((slow.attempt, quick.attempt), (1, 2));
    assert!(!store.renew(slow.lease, LEASE).await.unwrap());
    assert!(!store.complete(slow.lease, &Completion::default()).await.unwrap());
    assert!(store.renew(quick.lease, LEASE).await.unwrap());
    assert!(store.complete(quick.lease, &Completion::default()).await.unwrap());
    assert!(!store.complete(quick.lease, &Completion::default()).await.unwrap());
}

on_each_engine!(lanes_are_served_in_turn);
async fn lanes_are_served_in_turn(folder: Folder) {
    let store = folder.open().await;
    for number in 0..20 {
        store.accept(&entry(&format!("busy{number}"), "busy", &format!("b{number}")), None).await.unwrap();
    }
    for lane in ["quiet", "calm"] {
        store.accept(&entry(lane, lane, lane), None).await.unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        order.push(store.claim(LEASE).await.unwrap().unwrap().subject);
    }
    assert_eq!(order, ["b0", "quiet", "calm", "b1", "b2", "b3"]);
}

on_each_engine!(one_investigation_is_worked_on_by_one_worker_at_a_time_in_order);
async fn one_investigation_is_worked_on_by_one_worker_at_a_time_in_order(folder: Folder) {
    let store = folder.open().await;
    store.accept(&entry("first", "C1", "same"), None).await.unwrap();
    store.accept(&entry("second", "C2", "same"), None).await.unwrap();
    let first = store.claim(LEASE).await.unwrap().unwrap();
    assert!(store.claim(LEASE).await.unwrap().is_none());
    store.complete(first.lease, &Completion::default()).await.unwrap();
    assert!(store.claim(LEASE).await.unwrap().is_some());
}

/// Waits until something may be claimed, where there is something.
async fn claim_in_time(store: &Store) -> Option<Claimed> {
    let mut look = tokio::time::interval(Duration::from_millis(10));
    loop {
        look.tick().await;
        if let Some(claimed) = store.claim(LEASE).await.unwrap() {
            return Some(claimed);
        }
        store.next_claim().await.unwrap().filter(|wait| *wait < LEASE / 2)?;
    }
}

#[tokio::test]
async fn a_trigger_is_not_given_up_because_the_process_is_killed_while_it_runs() {
    let folder = Folder::new();
    folder.open().await.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    for killed in 0..25 {
        let store = folder.open().await;
        sqlx::query("UPDATE inbox SET not_before = 0").execute(&store.writer).await.unwrap();
        let claimed = claim_in_time(&store).await.unwrap();
        assert_eq!((claimed.failures, claimed.is_spent()), (0, false), "killed {killed} times");
        assert_eq!(claimed.is_suspect(), killed >= 2, "killed {killed} times");
    }
    let store = folder.open().await;
    assert!(store.next_claim().await.unwrap().unwrap() <= Duration::from_secs(1), "chance is not held against it for long");
    // Its own failures count, and nothing else did.
    for failure in 1..=MAX_ATTEMPTS {
        let claimed = claim_in_time(&store).await.unwrap();
        let given_up = store.fail(claimed.lease, &SafeText::redact("no luck"), Duration::ZERO).await.unwrap();
        assert_eq!(given_up, failure == MAX_ATTEMPTS, "failure {failure}");
    }
    assert_eq!(given_up_triggers(&store).await.len(), 1);
}

#[tokio::test]
async fn a_trigger_that_kills_the_process_each_time_is_begun_alone_and_ever_more_rarely() {
    let folder = Folder::new();
    {
        let store = folder.open().await;
        for poison in ["poison", "venom"] {
            store.accept(&entry(poison, "C1", poison), None).await.unwrap();
        }
        for number in 0..4 {
            store.accept(&entry(&format!("k{number}"), "C2", &format!("bystander{number}")), None).await.unwrap();
        }
        store.close().await;
    }
    for start in 0..2 {
        // All at once, and then one of them kills the process.
        let store = folder.open().await;
        let mut claimed = 0;
        while store.claim(LEASE).await.unwrap().is_some() {
            claimed += 1;
        }
        assert_eq!(claimed, 6, "start {start}");
    }
    // Now all of them are suspects: each is begun alone, and those that end are cleared.
    let store = folder.open().await;
    let mut ended = Vec::new();
    while let Some(claimed) = store.claim(LEASE).await.unwrap() {
        assert!(claimed.is_suspect());
        assert!(store.claim(LEASE).await.unwrap().is_none(), "two suspects at once");
        ended.push(claimed.subject.clone());
        if !["poison", "venom"].contains(&claimed.subject.as_str()) {
            store.complete(claimed.lease, &Completion::default()).await.unwrap();
        } else {
            store.fail(claimed.lease, &SafeText::redact("it stays"), LEASE).await.unwrap();
        }
    }
    ended.sort();
    assert_eq!(ended, ["bystander0", "bystander1", "bystander2", "bystander3", "poison", "venom"]);
    let pauses: Vec<u64> = [1, 2, 3, 30, 31, 35, 40, 1_000].map(|begun| inbox::pause(begun).as_secs()).to_vec();
    assert_eq!(pauses, [0, 0, 1, 1, 2, 32, 900, 900]);
}

on_each_engine!(a_failure_is_tried_again_and_then_given_up_with_its_reason);
async fn a_failure_is_tried_again_and_then_given_up_with_its_reason(folder: Folder) {
    let store = folder.open().await;
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    for attempt in 1..=MAX_ATTEMPTS {
        let claimed = store.claim(LEASE).await.unwrap().unwrap();
        assert_eq!(claimed.attempt, attempt);
        let given_up = store.fail(claimed.lease, &SafeText::redact("no luck"), Duration::ZERO).await.unwrap();
        assert_eq!(given_up, attempt == MAX_ATTEMPTS);
    }
    assert!(store.claim(LEASE).await.unwrap().is_none());
    assert_eq!(given_up_triggers(&store).await[0].as_str(), "no luck");
}

on_each_engine!(letting_go_at_the_end_of_a_process_costs_no_attempt);
async fn letting_go_at_the_end_of_a_process_costs_no_attempt(folder: Folder) {
    let store = folder.open().await;
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    for _ in 0..10 {
        let claimed = store.claim(LEASE).await.unwrap().unwrap();
        assert_eq!(claimed.attempt, 1);
        store.release(claimed.lease).await.unwrap();
    }
}

on_each_engine!(five_hundred_triggers_at_once_are_each_kept_once);
async fn five_hundred_triggers_at_once_are_each_kept_once(folder: Folder) {
    let store = folder.open().await;
    let entries: Vec<NewTrigger> =
        (0..500).map(|number| entry(&format!("k{}", number % 400), "C1", &format!("s{number}"))).collect();
    let accepted = futures::future::join_all(entries.iter().map(|entry| store.accept(entry, None))).await;
    assert_eq!(accepted.iter().filter(|accepted| matches!(accepted, Ok(Accepted::New))).count(), 400);
    assert!(accepted.iter().all(Result::is_ok));
    assert_eq!(open_triggers(&store).await, 400);
}

#[tokio::test]
async fn the_end_of_a_trigger_takes_the_address_of_the_answer_with_it() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let claimed = store.claim(LEASE).await.unwrap().unwrap();
    store.complete(claimed.lease, &Completion::default()).await.unwrap();
    store.close().await;
    for (name, bytes) in files(&folder) {
        assert!(!bytes.windows(10).any(|window| window == b"capability"), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_store_is_refused_with_what_to_do_and_left_alone() {
    let whole = {
        let folder = Folder::new();
        let store = folder.open().await;
        for number in 0..50 {
            store.accept(&entry(&format!("k{number}"), "C1", &format!("s{number}")), None).await.unwrap();
        }
        store.close().await;
        drop(store);
        std::fs::read(folder.path()).unwrap()
    };
    let mut scrambled = whole.clone();
    scrambled[4_096..12_288].fill(0x5a);
    let cases: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "is damaged (it is empty or cut off): move it"),
        ("short", &whole[..60], "is damaged (it is empty or cut off)"),
        ("truncated", &whole[..whole.len() - 8_192], "is damaged"),
        ("scrambled", &scrambled, "is damaged"),
        ("text", &[b'x'; 200], "is damaged (it is no SQLite file)"),
        ("of another format", OTHER, "cannot be used: unsupported file format"),
    ];
    for (what, bytes, expected) in cases {
        let folder = Folder::new();
        std::fs::write(folder.path(), bytes).unwrap();
        let told = folder.refused().await;
        assert!(told.contains(expected), "{what}: {told}");
        let kept = std::fs::read(folder.path()).unwrap();
        assert!(kept == bytes, "{what} was changed");
    }
}

/// A header of SQLite, and nothing it promises.
const OTHER: &[u8] = b"SQLite format 3\0\x10\x00\x01\x01\x00\x40\x20\x20\x00\x00\x00\x01\x00\x00\x00\x09............................................................................................................";

#[tokio::test]
async fn a_database_of_another_program_is_not_taken_over() {
    let folder = Folder::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path()).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE inbox (id)").execute(&pool).await.unwrap();
    pool.close().await;
    let told = folder.refused().await;
    assert!(told.contains("is another program's database: name a file that does not exist yet"), "{told}");
}

#[tokio::test]
async fn folders_links_and_files_that_cannot_be_written_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = Folder::new();
    std::fs::create_dir(folder.path()).unwrap();
    assert!(folder.refused().await.contains("is a folder: name a file"));

    let folder = Folder::new();
    symlink("/tmp/elsewhere", folder.path()).unwrap();
    assert!(folder.refused().await.contains("is a symbolic link"));

    let folder = Folder::new();
    folder.open().await.close().await;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(folder.refused().await.contains("it is read-only"));

    let nowhere = Path::new("/nonexistent/folder/store.db");
    let told = Store::open(nowhere, Clock::system()).await.unwrap_err().to_string();
    assert!(told.contains("must be readable and writable"), "{told}");
}

#[tokio::test]
async fn a_second_one_on_the_same_file_is_refused_and_may_look_at_the_audit_trail() {
    let folder = Folder::new();
    let store = folder.open().await;
    assert!(folder.refused().await.contains("is in use by another process: stop that one first"));
    store.audit(&Audited::system("did", "something", "")).await.unwrap();
    let lines = Store::read_audit_trail(&folder.path(), Timestamp::UNIX_EPOCH, 10).await.unwrap();
    assert_eq!((lines.len(), lines[0].did.as_str()), (1, "did"));
    drop(store);
    folder.open().await.close().await;
}

#[tokio::test]
async fn a_start_that_was_killed_while_making_the_store_is_made_good() {
    let folder = Folder::new();
    std::fs::write(folder.folder.path().join("store.db.new"), b"half of it").unwrap();
    std::fs::write(folder.folder.path().join("store.db.new-wal"), b"and of that").unwrap();
    folder.open().await.close().await;
    let names: Vec<String> = files(&folder).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["store.db"]);
}

#[tokio::test]
async fn the_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.open().await.close().await;
    assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn another_writer_is_waited_for() {
    let folder = Folder::new();
    let store = folder.open().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path());
    let other = SqlitePool::connect_with(options).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mine = entry("k1", "C1", "s1");
    let waiting = store.accept(&mine, None);
    let freed = async {
        // Only once the other one waits.
        tokio::task::yield_now().await;
        held.commit().await.unwrap();
    };
    let (accepted, ()) = tokio::join!(waiting, freed);
    assert_eq!(accepted.unwrap(), Accepted::New);
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_keep_and_takes_it_when_there_is_room() {
    let folder = Folder::new();
    let store = folder.open().await;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.writer).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(&store.writer).await.unwrap();
    let mut kept = 0;
    let refused = loop {
        match store.accept(&entry(&format!("k{kept}"), "C1", &format!("s{kept}")), None).await {
            Ok(_) => kept += 1,
            Err(error) => break error.to_string(),
        }
        assert!(kept < 1_000, "the disk is never full");
    };
    assert!(refused.contains("full"), "{refused}");
    assert_eq!(open_triggers(&store).await, kept);
    // The connection was made anew, without its bound.
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.writer).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(&store.writer).await.unwrap();
    assert!(store.try_out().await.unwrap_err().contains("full"), "it is told before somebody needs it");
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&store.writer).await.unwrap();
    assert_eq!(store.try_out().await, Ok(()));
    assert_eq!(store.accept(&entry("later", "C1", "later"), None).await.unwrap(), Accepted::New);
}

#[tokio::test]
async fn a_store_that_would_take_nothing_is_noticed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let store = folder.open().await;
    for _ in 0..3 {
        assert_eq!(store.try_out().await, Ok(()));
    }
    let names: Vec<String> = files(&folder).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.ends_with(".trial")), "{names:?}");

    let mode = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o400);
    assert!(store.try_out().await.unwrap_err().contains("read-only"));
    mode(0o600);
    assert_eq!(store.try_out().await, Ok(()));

    // Where the trial cannot be written, neither can the log.
    let trial = folder.folder.path().join("store.db.trial");
    std::fs::create_dir(&trial).unwrap();
    assert!(!store.is_healthy().await);
    std::fs::remove_dir(&trial).unwrap();
    assert!(store.is_healthy().await);

    let away = folder.folder.path().join("away");
    std::fs::rename(folder.path(), &away).unwrap();
    assert!(!store.is_healthy().await);
    std::fs::copy(&away, folder.path()).unwrap();
    assert!(store.try_out().await.unwrap_err().contains("replaced"), "another file of the same name");
    std::fs::remove_file(folder.path()).unwrap();
    std::fs::rename(&away, folder.path()).unwrap();
    assert!(store.is_healthy().await);

    std::fs::remove_file(folder.folder.path().join("store.db-wal")).unwrap();
    assert!(!store.is_healthy().await);
    let refused = store.accept(&entry("k1", "C1", "s1"), None).await;
    assert!(matches!(refused, Err(Refused::Store(_))), "what is in no file that a next start finds is not accepted: {refused:?}");
}

on_each_engine!(certificates_are_known_after_a_restart_and_only_the_newest_are_kept);
async fn certificates_are_known_after_a_restart_and_only_the_newest_are_kept(folder: Folder) {
    let store = folder.open().await;
    let at = |second| Timestamp::from_second(second).unwrap();
    let kept =
        |number: i64| KeptCertificate { address: format!("https://sns/{number}"), der: vec![1, 2], fetched_at: at(number) };
    for number in 0..70 {
        store.keep_certificate(&kept(number)).await.unwrap();
    }
    let again = KeptCertificate { der: vec![3], fetched_at: at(100), ..kept(10) };
    store.keep_certificate(&again).await.unwrap();
    drop(store);
    let known = folder.open().await.certificates().await.unwrap();
    assert_eq!((known.len(), &known[0], &known[1]), (64, &again, &kept(69)));
}

#[tokio::test]
async fn a_change_of_the_date_expires_nothing() {
    // The store measures leases from its start; the wall clock only stamps what people read.
    let folder = Folder::new();
    let store = Store::open(&folder.path(), Clock::starting_at("1970-01-02T00:00:00Z".parse().unwrap())).await.unwrap();
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    store.close().await;
    drop(store);
    let store = Store::open(&folder.path(), Clock::starting_at("2100-01-01T00:00:00Z".parse().unwrap())).await.unwrap();
    let claimed = store.claim(LEASE).await.unwrap().unwrap();
    store.fail(claimed.lease, &SafeText::redact("later"), Duration::from_secs(3_600)).await.unwrap();
    store.close().await;
    drop(store);
    // The date goes back: the wait ends all the same, within the longest one.
    let store = Store::open(&folder.path(), Clock::starting_at("2026-01-01T00:00:00Z".parse().unwrap())).await.unwrap();
    assert!(store.next_claim().await.unwrap().unwrap() <= Duration::from_secs(15 * 60));
}

fn line(text: &str) -> Message {
    Message::line(Tone::Neutral, SafeText::redact(text))
}

on_each_engine!(retention_removes_what_is_over_and_nothing_that_is_not);
async fn retention_removes_what_is_over_and_nothing_that_is_not(folder: Folder) {
    let store = folder.open().await;
    let thread = |name: &str| NewThread { id: id(name).into(), place: place("C1") };
    let root = |name: &str| [DesiredMessage::root(&id(name).into(), line(name), "a test")];
    for name in ["over", "running", "watched", "pending", "clicked"] {
        store.open_investigation(&thread(name), &id(name), ROOT, &question(), &root(name)).await.unwrap();
    }
    let due = store.due_messages(PlatformName::new("slack"), &HashSet::new(), &HashSet::new(), 10).await.unwrap().due;
    for due in due.iter().filter(|due| due.thread != id("pending").as_str()) {
        store.sent(due, &due.thread, EditInterval { between_edits: Duration::ZERO }, false, Duration::ZERO).await.unwrap();
    }
    let done = |name: &str| RunResult {
        id: id(name),
        stage: InvestigationStage::Done,
        record: None,
        headline: SafeText::default(),
        locations: Vec::new(),
    };
    let now = store.now();
    let watch = Watch { investigation: id("watched"), by: SafeText::redact("U1"), since: now, next_look: now, until: now };
    let concluded = ["over", "watched", "pending", "clicked"].map(done).to_vec();
    store.accept(&entry("work", "C3", "work"), None).await.unwrap();
    let work = store.claim(LEASE).await.unwrap().unwrap();
    let ended = Completion { concluded, watch: Some(watch), ..Completion::default() };
    assert!(store.complete(work.lease, &ended).await.unwrap());
    store.accept(&entry("click", "C1", &id("clicked")), None).await.unwrap();
    store.accept(&entry("old", "C2", "old"), None).await.unwrap();
    while let Some(claimed) = store.claim(LEASE).await.unwrap() {
        if claimed.subject == "old" {
            store.complete(claimed.lease, &Completion::default()).await.unwrap();
        }
    }
    store.audit(&Audited::system("did", "", "")).await.unwrap();
    assert!(store.remove_before(Timestamp::UNIX_EPOCH).await.unwrap().is_nothing());
    let removed = store.remove_before(Timestamp::MAX).await.unwrap();
    assert_eq!(removed, Removed { triggers: 2, threads: 1, audit_lines: 1, alarms: 0 });
    for (name, is_there) in [("over", false), ("running", true), ("watched", true), ("pending", true), ("clicked", true)] {
        assert_eq!(store.investigation(&id(name)).await.unwrap().is_some(), is_there, "{name}");
    }
}

on_each_engine!(alarms_are_told_apart_by_their_own_time);
async fn alarms_are_told_apart_by_their_own_time(folder: Folder) {
    let store = folder.open().await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (one, two, three) = (at("2026-11-25T10:00:00Z"), at("2026-11-25T10:05:00Z"), at("2026-11-25T10:10:00Z"));
    let cases = [
        (AlarmState::Alarm, two, Newness::Changed),
        (AlarmState::Alarm, two, Newness::Repeated),
        (AlarmState::Ok, one, Newness::Outdated),
        (AlarmState::Ok, three, Newness::Changed),
        (AlarmState::Alarm, two, Newness::Outdated),
    ];
    for (state, at, expected) in cases {
        assert_eq!(store.note_alarm("arn", state, at).await.unwrap(), expected, "{state:?} {at}");
    }
    assert_eq!(store.alarm_state("arn").await.unwrap(), Some((AlarmState::Ok, three)));
    assert_eq!(store.alarm_state("other").await.unwrap(), None);
}

on_each_engine!(an_end_is_stored_whole_or_not_at_all);
async fn an_end_is_stored_whole_or_not_at_all(folder: Folder) {
    let store = folder.open().await;
    let thread = NewThread { id: t("t1"), place: place("C1") };
    store.open_investigation(&thread, &id("t1"), ROOT, &question(), &[]).await.unwrap();
    let token = ActionToken { investigation: id("t1"), revision: 1, action: Action::RerunAll };
    let Trigger::Command(command) = entry("k", "C1", "t1").trigger else { panic!("no command") };
    let act = ActionRequest { actor: command.actor, place: command.place, reply_to: None, token };
    store.accept(&NewTrigger { trigger: Trigger::Action(act), ..entry("k1", "C1", "t1") }, None).await.unwrap();
    let claimed = store.claim(LEASE).await.unwrap().unwrap();
    // A message for a thread that does not exist cannot be stored; neither is the rest then.
    let completion = Completion {
        resolved: vec![(id("t1"), SafeText::redact("U1"))],
        messages: vec![
            DesiredMessage::root(&t("t1"), line("closed"), "a test"),
            DesiredMessage::root(&t("nowhere"), line("x"), "a test"),
        ],
        ..Completion::default()
    };
    assert!(store.complete(claimed.lease, &completion).await.is_err());
    assert_eq!(store.stated(&t("t1"), ROOT).await.unwrap(), None);
    assert_eq!(store.investigation(&id("t1")).await.unwrap().unwrap().resolved, None);
    assert!(store.renew(claimed.lease, LEASE).await.unwrap());
}

on_each_engine!(what_another_version_wrote_is_given_up_and_keeps_nothing_waiting);
async fn what_another_version_wrote_is_given_up_and_keeps_nothing_waiting(folder: Folder) {
    let store = folder.open().await;
    for key in ["k1", "k2"] {
        store.accept(&entry(key, "C1", key), None).await.unwrap();
        let thread = NewThread { id: t(key), place: place("C1") };
        store.open_thread(&thread, &[DesiredMessage::root(&t(key), line(key), "a test")]).await.unwrap();
    }
    sqlx::query("UPDATE inbox SET job = '{\"kind\":\"new\"}' WHERE key = 'k1'").execute(&store.writer).await.unwrap();
    sqlx::query("UPDATE messages SET message = '{}' WHERE thread = 'k1'").execute(&store.writer).await.unwrap();
    assert!(store.claim(LEASE).await.unwrap().is_none());
    assert_eq!(store.claim(LEASE).await.unwrap().unwrap().subject, "k2");
    assert_eq!(given_up_triggers(&store).await.len(), 1);
    let due = store.due_messages(PlatformName::new("slack"), &HashSet::new(), &HashSet::new(), 10).await.unwrap().due;
    assert_eq!(due.iter().map(|due| due.thread.as_str()).collect::<Vec<_>>(), ["k2"]);
    assert_eq!(given_up_messages(&store).await.len(), 1);
}

on_each_engine!(a_first_sign_of_life_is_not_kept_waiting_by_edits_of_progress);
async fn a_first_sign_of_life_is_not_kept_waiting_by_edits_of_progress(folder: Folder) {
    let store = folder.open().await;
    let thread = |id: &str| NewThread { id: t(id), place: place("C1") };
    let root = |id: &str, text: &str| DesiredMessage::root(&t(id), line(text), "a test").as_progress();
    for id in ["t1", "t2", "t3"] {
        store.open_thread(&thread(id), &[root(id, "begun")]).await.unwrap();
    }
    let due =
        async |limit| store.due_messages(PlatformName::new("slack"), &HashSet::new(), &HashSet::new(), limit).await.unwrap().due;
    for due in due(10).await {
        store.sent(&due, &due.thread, EditInterval { between_edits: Duration::ZERO }, false, Duration::ZERO).await.unwrap();
        store.upsert_messages(&[root(&due.thread, "half done")]).await.unwrap();
    }
    store.open_thread(&thread("new"), &[root("new", "begun")]).await.unwrap();
    assert_eq!(due(1).await[0].thread, "new");
}

on_each_engine!(a_message_that_would_wait_past_its_deadline_is_given_up_with_its_reason_and_its_thread);
async fn a_message_that_would_wait_past_its_deadline_is_given_up_with_its_reason_and_its_thread(folder: Folder) {
    let store = folder.open().await;
    let thread = NewThread { id: t("t1"), place: place("C1") };
    let messages = [
        DesiredMessage::root(&t("t1"), line("verdict"), "a verdict"),
        DesiredMessage::reply(&t("t1"), "details", line("more"), "details"),
    ];
    store.open_thread(&thread, &messages).await.unwrap();
    let nobody = HashSet::new();
    let due = store.due_messages(PlatformName::new("slack"), &nobody, &nobody, 10).await.unwrap().due;
    let down = SafeText::redact("Slack could not be reached");
    let just_below = messages::DEADLINE - Duration::from_secs(60);
    assert!(!store.put_off(&due[0], just_below, Some(false), &down).await.unwrap());
    assert!(store.put_off(&due[0], messages::DEADLINE + Duration::from_secs(1), Some(false), &down).await.unwrap());
    let of = |key: &str, reason: &str| (key.to_owned(), reason.to_owned(), down.to_string());
    assert_eq!(given_up_messages(&store).await, [of("details", "details"), of("root", "a verdict")]);
    assert_eq!(store.pending_messages().await.unwrap(), 0);
    let trail = Store::audit_trail(&folder.configured(), Timestamp::UNIX_EPOCH, 10).await.unwrap();
    assert!(trail.iter().any(|line| line.did.as_str() == "gave up a message"), "{trail:?}");
}

on_each_engine!(a_look_tells_when_the_next_one_is_worth_it);
async fn a_look_tells_when_the_next_one_is_worth_it(folder: Folder) {
    let store = folder.open().await;
    let nobody = HashSet::new();
    let look = async || store.due_messages(PlatformName::new("slack"), &nobody, &nobody, 10).await.unwrap();
    assert!(look().await.next.is_none());
    for id in ["t1", "t2"] {
        let thread = NewThread { id: t(id), place: place("C1") };
        store.open_thread(&thread, &[DesiredMessage::root(&t(id), line("x"), "a test")]).await.unwrap();
    }
    let due = look().await.due;
    store.put_off(&due[0], Duration::from_secs(60), Some(false), &SafeText::redact("later")).await.unwrap();
    let seen = look().await;
    assert_eq!(seen.due.len(), 1, "one is due, and another one is on the way");
    let next = seen.next.unwrap();
    assert!(next > Duration::from_secs(30) && next <= Duration::from_secs(60), "{next:?}");
}

/// How SQLite goes about a query.
async fn plan(store: &Store, query: &str) -> Vec<String> {
    let query = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(query).fetch_all(&store.readers).await.unwrap();
    steps.into_iter().map(|(.., step)| step).collect()
}

#[tokio::test]
async fn only_the_messages_that_are_due_are_read() {
    let folder = Folder::new();
    let store = folder.open().await;
    let next = plan(&store, super::messages::NEXT).await;
    assert_eq!(next[0], "SEARCH p USING COVERING INDEX messages_pending (not_before>?)", "{next:#?}");
    assert!(!next.iter().any(|step| step.contains("ORDER BY")), "{next:#?}");
    let plan = plan(&store, super::messages::DUE).await;
    for found_by in [
        "SEARCH p USING COVERING INDEX messages_pending (not_before<?)",
        "SEARCH e USING COVERING INDEX messages_unposted (thread=? AND posted=? AND alone=? AND rowid<?)",
        "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)",
    ] {
        assert!(plan.iter().any(|step| step == found_by), "{found_by}\n{plan:#?}");
    }
    assert!(!plan.iter().any(|step| step.starts_with("SCAN m") || step.starts_with("SCAN p")), "{plan:#?}");
}

#[tokio::test]
async fn neither_finished_rows_nor_all_that_wait_are_read_to_find_one() {
    let folder = Folder::new();
    let store = folder.open().await;
    for (query, found_by) in [
        (inbox::EXPIRED, "SEARCH inbox USING INDEX inbox_state (state=?)"),
        (inbox::DUE, "SEARCH inbox USING INDEX inbox_later (not_before<?)"),
        (inbox::LINE_UP, "SEARCH inbox USING INTEGER PRIMARY KEY (rowid=?)"),
        (inbox::NEXT_OF_SUBJECT, "SEARCH inbox USING COVERING INDEX inbox_subject (subject=? AND state=?)"),
        (inbox::UNLINED, "SEARCH inbox USING COVERING INDEX inbox_later (not_before<?)"),
        (inbox::UNLINED, "SEARCH inbox USING INDEX inbox_state (state=?)"),
        (inbox::LINE_UP_SUSPECT, "SEARCH inbox USING INTEGER PRIMARY KEY (rowid=?)"),
        (inbox::LINE_UP_SUSPECT, "SEARCH o USING INDEX inbox_state (state=?)"),
        (inbox::LINE_UP_SUSPECT, "SEARCH inbox USING COVERING INDEX inbox_suspect"),
        (inbox::FORGET_LANES, "SEARCH i USING COVERING INDEX inbox_ready (lane=?)"),
        (inbox::FORGET_LANES, "SEARCH i USING COVERING INDEX inbox_suspect (lane=?)"),
        (lanes::IN_FILE.next, "SEARCH i EXISTS USING COVERING INDEX inbox_ready (lane=?)"),
        (lanes::IN_FILE.next, "SEARCH l USING INDEX lanes_turn (served>?)"),
        (inbox::TAKE, "SEARCH inbox USING INTEGER PRIMARY KEY (rowid=?)"),
        (inbox::TAKE, "SEARCH inbox USING COVERING INDEX inbox_ready (lane=?)"),
        (inbox::NEXT_CLAIM, "SEARCH inbox USING COVERING INDEX inbox_later"),
        (inbox::NEXT_CLAIM, "SEARCH inbox USING INDEX inbox_state (state=?)"),
        (inbox::WAITING, "SEARCH inbox USING COVERING INDEX inbox_state (state=?)"),
        (inbox::SAME, "SEARCH inbox USING INDEX inbox_same (same=?)"),
    ] {
        let plan = plan(&store, query).await;
        assert!(plan.iter().any(|step| step == found_by), "{query}\n{plan:#?}");
        let bounded = [
            "SCAN (subquery-",
            "SCAN moments",
            "SCAN counted",
            "SCAN json_each",
            "SCAN CONSTANT ROW",
            "SCAN inbox USING COVERING INDEX inbox_suspect",
            // Sixteen of them.
            "SCAN lanes USING INDEX lanes_turn",
            // Only where a suspect waits.
            "SCAN o USING INDEX inbox_ready",
        ];
        let scanned: Vec<&String> = (plan.iter())
            .filter(|step| step.starts_with("SCAN ") && !bounded.iter().any(|known| step.starts_with(known)))
            .collect();
        assert!(scanned.is_empty(), "{query}\n{plan:#?}");
        // How SQLite calls it when it looks for a lowest number in the whole table.
        assert!(!plan.iter().any(|step| step == "SEARCH inbox"), "{query}\n{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{query}\n{plan:#?}");
    }
}

/// What may be taken, by the rules alone.
#[derive(Default)]
struct Rules {
    open: Vec<Open>,
}

struct Open {
    key: usize,
    lane: String,
    subject: String,
    is_running: bool,
    /// It waits for a moment that does not come in the test.
    sleeps: bool,
}

impl Rules {
    fn may_be_taken(&self, at: usize) -> bool {
        let one = &self.open[at];
        let blocks = |other: &Open| other.subject == one.subject && (other.is_running || other.key < one.key);
        !one.is_running && !one.sleeps && !self.open.iter().any(|other| other.key != one.key && blocks(other))
    }
}

/// Numbers that look random and are the same for the same seed: xorshift64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

on_each_engine!(whatever_happens_the_next_one_is_taken_by_the_rules);
async fn whatever_happens_the_next_one_is_taken_by_the_rules(folder: Folder) {
    for seed in 1..13 {
        let mut dice = Dice(seed);
        let folder = folder.another();
        let store = folder.open().await;
        let mut rules = Rules::default();
        let mut leases: Vec<(usize, Lease)> = Vec::new();
        let mut taken = 0;
        for step in 0..120_usize {
            match dice.below(10) {
                0..4 => {
                    let (lane, subject) = (format!("C{}", dice.below(3)), format!("s{}", dice.below(6)));
                    store.accept(&entry(&format!("k{step}"), &lane, &subject), None).await.unwrap();
                    rules.open.push(Open { key: step, lane, subject, is_running: false, sleeps: false });
                }
                4..7 => {
                    let may: Vec<usize> = (0..rules.open.len()).filter(|at| rules.may_be_taken(*at)).collect();
                    match store.claim(LEASE).await.unwrap() {
                        None => assert!(may.is_empty(), "seed {seed}, step {step}: nothing was taken"),
                        Some(claimed) => {
                            let at = may.iter().copied().find(|at| rules.open[*at].subject == claimed.subject);
                            let at =
                                at.unwrap_or_else(|| panic!("seed {seed}, step {step}: {} may not be taken", claimed.subject));
                            let lane = rules.open[at].lane.clone();
                            // The oldest of its lane.
                            assert!(
                                may.iter().all(|other| *other >= at || rules.open[*other].lane != lane),
                                "seed {seed}, step {step}"
                            );
                            rules.open[at].is_running = true;
                            leases.push((rules.open[at].key, claimed.lease));
                            taken += 1;
                        }
                    }
                }
                7 if !leases.is_empty() => {
                    let (key, lease) = leases.swap_remove(dice.below(leases.len()));
                    assert!(store.complete(lease, &Completion::default()).await.unwrap());
                    rules.open.retain(|one| one.key != key);
                }
                8 if !leases.is_empty() => {
                    let (key, lease) = leases.swap_remove(dice.below(leases.len()));
                    let sleeps = dice.below(2) == 0;
                    store.postpone(lease, if sleeps { LEASE * 60 } else { Duration::ZERO }).await.unwrap();
                    let one = rules.open.iter_mut().find(|one| one.key == key).unwrap();
                    (one.is_running, one.sleeps) = (false, sleeps);
                }
                9 if !leases.is_empty() => {
                    let (key, lease) = leases.swap_remove(dice.below(leases.len()));
                    store.release(lease).await.unwrap();
                    rules.open.iter_mut().find(|one| one.key == key).unwrap().is_running = false;
                }
                _ => {}
            }
        }
        assert!(taken > 10, "seed {seed}: {taken} were taken");
        // Nothing is left behind: what does not sleep is taken once its subject is free.
        for (_, lease) in leases {
            store.complete(lease, &Completion::default()).await.unwrap();
        }
        rules.open.retain(|one| !one.is_running);
        while let Some(claimed) = store.claim(LEASE).await.unwrap() {
            let at =
                (0..rules.open.len()).find(|at| rules.may_be_taken(*at) && rules.open[*at].subject == claimed.subject).unwrap();
            rules.open.remove(at);
            store.complete(claimed.lease, &Completion::default()).await.unwrap();
        }
        assert!((0..rules.open.len()).all(|at| !rules.may_be_taken(at)), "seed {seed}: something was left behind");
    }
}

on_each_engine!(a_lane_that_is_never_empty_keeps_no_other_waiting);
async fn a_lane_that_is_never_empty_keeps_no_other_waiting(folder: Folder) {
    let store = folder.open().await;
    for number in 0..1_200 {
        store.accept(&entry(&format!("busy{number}"), "busy", &format!("b{number}")), None).await.unwrap();
    }
    let mut waited = Vec::new();
    for number in 0..10 {
        store.accept(&entry(&format!("quiet{number}"), "quiet", &format!("q{number}")), None).await.unwrap();
        let mut claims = 0;
        loop {
            claims += 1;
            let claimed = store.claim(LEASE).await.unwrap().unwrap();
            store.complete(claimed.lease, &Completion::default()).await.unwrap();
            if claimed.subject == format!("q{number}") {
                break;
            }
        }
        waited.push(claims);
    }
    // What was there before is lined up bit by bit; then the lanes take turns.
    assert!(waited[0] <= 4 && waited[1..].iter().all(|claims| *claims <= 2), "{waited:?}");
}

#[tokio::test]
async fn what_waited_before_a_restart_is_taken_in_its_order_after_it() {
    let folder = Folder::new();
    let store = folder.open().await;
    for (key, subject) in [("k0", "s0"), ("k1", "s0"), ("k2", "s1"), ("k3", "s0")] {
        store.accept(&entry(key, "C1", subject), None).await.unwrap();
    }
    store.claim(LEASE).await.unwrap().unwrap();
    drop(store);
    let store = folder.open().await;
    let mut order = Vec::new();
    while let Some(claimed) = store.claim(LEASE).await.unwrap() {
        order.push((claimed.lease.number(), claimed.subject));
        if order.len() > 1 {
            store.complete(claimed.lease, &Completion::default()).await.unwrap();
        }
    }
    assert_eq!(order, [(1, "s0".to_owned()), (3, "s1".to_owned())], "the others wait for the first of their subject");
}

on_each_engine!(whoever_goes_away_while_triggers_are_accepted_takes_only_theirs_along);
async fn whoever_goes_away_while_triggers_are_accepted_takes_only_theirs_along(folder: Folder) {
    let store = folder.open().await;
    let entries = [entry("k1", "C1", "s1"), entry("k2", "C1", "s2"), entry("k3", "C1", "s3")];
    for gone in 0..2 {
        let names = |number: usize| format!("{gone}-{number}");
        let entries: Vec<NewTrigger> = (entries.iter().enumerate())
            .map(|(at, entry)| NewTrigger { key: names(at), subject: names(at), ..entry.clone() })
            .collect();
        let held = store.write_at_once().await.unwrap();
        let mut waiting: Vec<_> = entries.iter().map(|entry| Box::pin(store.accept(entry, None))).collect();
        for accepting in &mut waiting {
            assert!(futures::poll!(accepting).is_pending());
        }
        // First the one that writes for those that came with it, then one that waits.
        drop(waiting.remove(gone));
        drop(held);
        for accepting in waiting {
            assert_eq!(accepting.await.unwrap(), Accepted::New);
        }
        assert_eq!(store.accept(&entries[gone], None).await.unwrap(), Accepted::New, "it was accepted for nobody");
    }
}

#[tokio::test]
async fn a_store_of_the_schema_before_keeps_its_threads_groups_and_buttons() {
    use crate::alarm::{AlarmDecision, AlarmGroup, Storm, Suppressed};
    let folder = Folder::new();
    let before = sqlx::migrate::Migrator {
        migrations: open::MIGRATIONS.iter().filter(|one| one.version < 20).cloned().collect::<Vec<_>>().into(),
        ..sqlx::migrate::Migrator::DEFAULT
    };
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path()).create_if_missing(true);
    let pool = SqlitePool::connect_with(file.pragma("application_id", open::OURS.to_string())).await.unwrap();
    before.run(&pool).await.unwrap();
    let id = "0123456789abcdef0123456789abcdef";
    let token = ActionToken { investigation: id.parse().unwrap(), revision: 1, action: Action::RerunAll };
    let mut message = Message::line(Tone::Bad, SafeText::redact("a verdict"));
    message.controls = vec![crate::chat::document::Control::Button(crate::chat::document::MenuItem {
        label: SafeText::redact("Rerun all"),
        token: token.clone(),
    })];
    for (thread, state) in [(id, "open"), ("storm", "recovered")] {
        sqlx::query(
            "INSERT INTO threads (id, platform, workspace, channel, root, state, alarm_key, alarm_state, alarm_at, opened_at, touched_at)
             VALUES (?1, 'slack', 'T1', 'C1', 'root of ' || ?1, ?2, 'arn:aws:cloudwatch:x', 'alarm', 7, 7, 7)",
        )
        .bind(thread)
        .bind(state)
        .execute(&pool)
        .await
        .unwrap();
    }
    sqlx::query("INSERT INTO investigations (id, thread, slot, revision, question, state, started_at) VALUES (?1, ?1, 'root', 1, ?2, 'done', 7)")
        .bind(id)
        .bind(to_json("question", &question()).unwrap())
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO messages (thread, slot, reason, message, passing, state, not_before, due_by, stated_at)
         VALUES (?, 'root', 'verdict', ?, 0, 'sent', 0, 0, 7)",
    )
    .bind(id)
    .bind(to_json("message", &message).unwrap())
    .execute(&pool)
    .await
    .unwrap();
    let group = r#"{"alarms":{},"secrets":["s"],"opened_at":"2026-11-25T10:00:00Z","told_at":"2026-11-25T10:00:00Z","times":3,
        "ended_at":null,"doing":{"9":{"fold":"repeat"}}}"#;
    let storm = r#"{"began_at":"2026-11-25T10:00:00Z","last_at":"2026-11-25T10:00:00Z","filed":41}"#;
    for (thread, body) in [(id, group), ("storm", storm)] {
        sqlx::query("INSERT INTO stories (thread, body) VALUES (?, ?)").bind(thread).bind(body).execute(&pool).await.unwrap();
    }
    pool.close().await;

    let store = folder.open().await;
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('threads') ORDER BY name")
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let left = ["channel", "held_in", "id", "opened_at", "platform", "root", "touched_at", "workspace"];
    assert_eq!(columns, left);
    let at = Place { thread: Some(format!("root of {id}")), ..place("C1") };
    assert_eq!(store.thread_at(&at).await.unwrap().unwrap(), Thread { id: t(id), place: at, held_in: None });
    let stored = store.investigation(&id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.stage, stored.question), (InvestigationStage::Done, question()));
    let shown = store.stated(&t(id), ROOT).await.unwrap().unwrap();
    assert_eq!(shown, message);
    let group = store.group_in::<AlarmGroup>(&t(id)).await.unwrap().unwrap().group;
    assert_eq!(group.doing.get(&9), Some(&AlarmDecision::Suppressed(Suppressed::Repeat)));
    assert_eq!(store.group_in::<Storm>(&t("storm")).await.unwrap().unwrap().group.filed, 41);
    store.open_thread(&NewThread { id: t("new"), place: place("C1") }, &[]).await.unwrap();
}

on_each_engine!(what_only_replaces_is_stated_where_something_stands_and_nowhere_else);
async fn what_only_replaces_is_stated_where_something_stands_and_nowhere_else(folder: Folder) {
    let store = folder.open().await;
    let thread = NewThread { id: t("t1"), place: place("C1") };
    store.open_investigation(&thread, &id("t1"), ROOT, &question(), &[]).await.unwrap();
    let line = |text: &'static str| Message::line(Tone::Neutral, text.into());
    let nothing_left = || DesiredMessage::reply(&t("t1"), "changes", line("nothing left"), "a test").only_replacing();
    store.upsert_messages(&[nothing_left()]).await.unwrap();
    assert_eq!(store.stated(&t("t1"), "changes").await.unwrap(), None);
    store.upsert_messages(&[DesiredMessage::reply(&t("t1"), "changes", line("one change"), "a test")]).await.unwrap();
    store.upsert_messages(&[nothing_left()]).await.unwrap();
    assert_eq!(store.stated(&t("t1"), "changes").await.unwrap(), Some(line("nothing left")));
}
