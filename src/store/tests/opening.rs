//! Opening the store: what is taken for one, who else has it, and a disk that takes nothing more.

use super::*;

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
