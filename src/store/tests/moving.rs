//! A store is moved from its file into a database.

use super::*;

/// A store with something in every table that has rows of its own while the bot runs.
async fn filled(folder: &Folder) -> Store {
    let store = folder.open().await;
    for number in 0..5 {
        store
            .accept(&entry(&format!("k{number}"), "C1", &format!("s{number}")), Some(&Audited::system("did", "x", "")))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        let claimed = store.claim(LEASE).await.unwrap().unwrap();
        store.complete(claimed.lease, &Completion::default()).await.unwrap();
    }
    for name in ["t1", "t2"] {
        let thread = NewThread { id: t(name), place: place("C1") };
        let root = DesiredMessage::root(&t(name), line("ein Wörtchen \u{1f600}"), "a test");
        store.open_investigation(&thread, &id(name), ROOT, &question(), &[root]).await.unwrap();
        store.keep_group(&t(name), &[format!("key of {name}")], &"a group".to_owned()).await.unwrap();
    }
    let now = store.now();
    store.recheck_at(&t("t1"), crate::model::Recheck::Still, now).await.unwrap();
    store.note_alarm("arn", AlarmState::Alarm, now).await.unwrap();
    let kept = KeptCertificate { address: "https://sns/1".to_owned(), der: vec![0, 1, 255], fetched_at: now };
    store.keep_certificate(&kept).await.unwrap();
    store
}

/// All that can be asked of a store, as text.
async fn all_of(store: &Store) -> String {
    let recent = store.recent_investigations(&place("C1"), 10).await.unwrap();
    let listed = store.threads_behind(None, 10, "").await.unwrap();
    let due = store.due_messages(PlatformName::new("slack"), &HashSet::new(), &HashSet::new(), 10).await.unwrap().due;
    let due: Vec<_> = due.into_iter().map(|due| (due.thread.clone(), due.message.clone(), due.key.clone())).collect();
    let group: Option<StoredGroup<String>> = store.group_of(&place("C1"), &["key of t2".to_owned()]).await.unwrap();
    let rechecks = store.due_rechecks(Timestamp::MAX, 10).await.unwrap();
    let certificates = store.certificates().await.unwrap();
    let alarm = store.alarm_state("arn").await.unwrap();
    format!("{recent:?} {listed:?} {due:?} {group:?} {rechecks:?} {certificates:?} {alarm:?}")
}

#[tokio::test]
async fn a_store_is_moved_whole_and_goes_on_where_it_was() {
    let (file, Some(database)) = (Folder::new(), Folder::on_server()) else { return };
    let before = filled(&file).await;
    let expected = all_of(&before).await;
    before.close().await;
    drop(before);
    let server = database.server.clone().unwrap();
    let moved = Store::move_to_server(&file.path(), &server, Clock::system()).await.unwrap();
    let rows = |table: &str| moved.iter().find(|(name, _)| *name == table).unwrap().1;
    assert_eq!(
        ["inbox", "threads", "investigations", "messages", "audit", "stories", "story_keys"].map(rows),
        [5, 2, 2, 2, 5, 2, 2]
    );
    assert_eq!(["rechecks", "alarms", "certificates"].map(rows), [1, 1, 1]);
    let after = database.open().await;
    assert_eq!(all_of(&after).await, expected);
    // What was known is known, what waited is done, and no number is given twice.
    assert_eq!(after.accept(&entry("k0", "C1", "s0"), None).await.unwrap(), Accepted::Redelivered);
    assert_eq!(after.accept(&entry("new", "C1", "new"), None).await.unwrap(), Accepted::New);
    let mut left = Vec::new();
    while let Some(claimed) = after.claim(LEASE).await.unwrap() {
        left.push((claimed.lease.number(), claimed.subject.clone()));
        assert!(after.complete(claimed.lease, &Completion::default()).await.unwrap());
    }
    let expected = [(3, "s2"), (4, "s3"), (5, "s4"), (6, "new")].map(|(number, subject)| (number, subject.to_owned()));
    assert_eq!(left, expected);
    after.open_thread(&NewThread { id: t("t3"), place: place("C1") }, &[]).await.unwrap();
    assert_eq!(after.threads_behind(None, 1, "").await.unwrap()[0].cursor.number, 3);
    // The file is as it was.
    assert_eq!(open_triggers(&file.open().await).await, 3);
}

#[tokio::test]
async fn what_cannot_be_moved_whole_is_not_moved() {
    let (file, Some(database)) = (Folder::new(), Folder::on_server()) else { return };
    let server = database.server.clone().unwrap();
    let before = filled(&file).await;
    let told = Store::move_to_server(&file.path(), &server, Clock::system()).await.unwrap_err().to_string();
    assert!(told.contains("is in use by another process"), "{told}");
    // No text, which the program itself never writes.
    sqlx::query("UPDATE alarms SET state = CAST(x'ff' AS TEXT)").execute(&before.writer).await.unwrap();
    before.close().await;
    drop(before);
    let told = Store::move_to_server(&file.path(), &server, Clock::system()).await.unwrap_err().to_string();
    assert!(told.starts_with("nothing was moved"), "{told}");
    let after = database.open().await;
    let left: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM threads)")
        .fetch_one(&after.readers)
        .await
        .unwrap();
    assert_eq!(left, 0);
    after.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let told = Store::move_to_server(&file.path(), &server, Clock::system()).await.unwrap_err().to_string();
    assert!(told.contains("holds something already (in inbox)"), "{told}");
    let nowhere = Store::move_to_server(Path::new("/nonexistent.db"), &server, Clock::system()).await.unwrap_err().to_string();
    assert!(nowhere.contains("there is no such file"), "{nowhere}");
}
