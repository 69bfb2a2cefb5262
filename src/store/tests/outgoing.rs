//! Messages that wait to be shown.

use super::*;

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
