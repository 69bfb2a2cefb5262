//! Several processes on one database, each with a store of its own, as if on machines of their own.

use super::*;
use std::collections::BTreeMap;

const SLACK: PlatformName = PlatformName::new("slack");

/// Longer than anything here takes, and shorter than the look now and then that stands in for a notice.
const SOON: Duration = Duration::from_secs(4);

async fn replicas<const N: usize>() -> Option<(Folder, [Store; N])> {
    let folder = Folder::on_server()?;
    let mut stores = Vec::new();
    for _ in 0..N {
        stores.push(folder.open().await);
    }
    Some((folder, stores.try_into().unwrap()))
}

/// Looks until there is something.
async fn look_again<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        if let Some(found) = look().await {
            return found;
        }
    }
}

/// Waits until something may be claimed.
async fn claim_soon(store: &Store, lasts: Duration) -> Claimed {
    look_again(async || store.claim(lasts).await.unwrap()).await
}

#[tokio::test]
async fn what_comes_to_several_at_once_is_new_once_and_acknowledged_by_each() {
    let Some((_folder, [one, two, three])) = replicas().await else { return };
    let entries: Vec<NewTrigger> = (0..30).map(|number| entry(&format!("k{number}"), "C1", &format!("s{number}"))).collect();
    let told = futures::future::join_all(
        entries
            .iter()
            .flat_map(|entry| [&one, &two, &three].map(|store| async move { store.accept(entry, None).await.unwrap() })),
    );
    let told = told.await;
    assert_eq!(told.iter().filter(|accepted| **accepted == Accepted::New).count(), 30);
    assert_eq!(told.iter().filter(|accepted| **accepted == Accepted::Redelivered).count(), 60);
    assert_eq!(open_triggers(&one).await, 30);
}

#[tokio::test]
async fn three_share_the_work_each_trigger_once_and_each_subject_one_at_a_time() {
    let Some((_folder, stores)) = replicas::<3>().await else { return };
    for number in 0..60 {
        stores[number % 3]
            .accept(&entry(&format!("k{number}"), &format!("C{}", number % 4), &format!("s{}", number % 10)), None)
            .await
            .unwrap();
    }
    let busy = std::sync::Mutex::new(HashSet::new());
    let done = std::sync::Mutex::new(BTreeMap::<i64, usize>::new());
    let work = async |store: &Store| {
        let mut share = 0;
        while open_triggers(store).await > 0 {
            let Some(claimed) = store.claim(LEASE).await.unwrap() else {
                tokio::task::yield_now().await;
                continue;
            };
            assert!(busy.lock().unwrap().insert(claimed.subject.clone()), "{} is worked on twice", claimed.subject);
            // The others get their turn.
            store.next_claim().await.unwrap();
            busy.lock().unwrap().remove(&claimed.subject);
            assert!(store.complete(claimed.lease, &Completion::default()).await.unwrap());
            *done.lock().unwrap().entry(claimed.lease.number()).or_default() += 1;
            share += 1;
        }
        share
    };
    let shares = tokio::join!(work(&stores[0]), work(&stores[1]), work(&stores[2]));
    let done = done.into_inner().unwrap();
    assert_eq!((done.len(), done.values().max()), (60, Some(&1)));
    assert!(shares.0 > 0 && shares.1 > 0 && shares.2 > 0, "{shares:?}");
}

#[tokio::test]
async fn a_claim_waits_neither_for_who_writes_nor_for_who_claims_from_another_lane() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    for (key, lane) in [("k0", "C1"), ("k1", "C1"), ("k2", "C2")] {
        one.accept(&entry(key, lane, key), None).await.unwrap();
    }
    let _turn = one.write_at_once().await.unwrap();
    let mut claiming = one.begin_claim().await.unwrap();
    let served: String = sqlx::query_scalar(lanes::ON_SERVER.next).fetch_one(&mut *claiming).await.unwrap();
    assert_eq!(served, "C1");
    let claimed = tokio::time::timeout(SOON, two.claim(LEASE)).await.unwrap().unwrap().unwrap();
    assert_eq!(claimed.subject, "k2", "a lane that another one serves is passed over");
    // Now there is no other lane.
    let waiting = tokio::spawn(async move { two.claim(LEASE).await.unwrap().unwrap().subject });
    claiming.rollback().await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, waiting).await.unwrap().unwrap(), "k0", "and is waited for where there is no other");
}

#[tokio::test]
async fn lanes_keep_their_turns_beside_a_program_that_counts_them_by_the_highest() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    for number in 0..6 {
        for lane in ["C1", "C2", "C3"] {
            one.accept(&entry(&format!("{lane}-{number}"), lane, &format!("{lane}-{number}")), None).await.unwrap();
        }
    }
    let mut order = Vec::new();
    for number in 0..18 {
        let claimed = if number % 2 == 0 { &one } else { &two }.claim(LEASE).await.unwrap().unwrap();
        let lane = claimed.subject.split_once('-').unwrap().0.to_owned();
        // As the version before gives out turns.
        if number % 3 == 0 {
            sqlx::query("UPDATE lanes SET served = (SELECT max(served) + 1 FROM lanes) WHERE lane = $1")
                .bind(&lane)
                .execute(&one.writer)
                .await
                .unwrap();
        }
        order.push(lane);
    }
    assert!(order.chunks(3).all(|round| round.iter().collect::<HashSet<_>>().len() == 3), "{order:?}");
}

#[tokio::test]
async fn what_a_living_one_holds_is_left_to_it_when_another_one_opens() {
    let Some((folder, [one])) = replicas().await else { return };
    one.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let held = one.claim(LEASE).await.unwrap().unwrap();
    let two = folder.open().await;
    assert!(two.claim(LEASE).await.unwrap().is_none());
    assert!(one.renew(held.lease, LEASE).await.unwrap());
    assert!(one.complete(held.lease, &Completion::default()).await.unwrap());
}

#[tokio::test]
async fn what_a_killed_one_held_is_taken_over_when_its_lease_ends_and_nothing_it_writes_late_counts() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let thread = NewThread { id: t("t1"), place: place("C1") };
    one.open_investigation(&thread, &id("t1"), ROOT, &question(), &[]).await.unwrap();
    one.accept(&entry("k1", "C1", &id("t1")), None).await.unwrap();
    let slow = one.claim(Duration::from_millis(300)).await.unwrap().unwrap();
    assert!(two.claim(LEASE).await.unwrap().is_none(), "the lease is not over");
    let quick = claim_soon(&two, LEASE).await;
    assert_eq!((quick.lease.number(), quick.attempt), (slow.lease.number(), 2));
    let verdict = DesiredMessage::root(&t("t1"), line("the verdict"), "a test");
    let progress = DesiredMessage::root(&t("t1"), line("half done"), "a test").as_progress();
    let location = Location { account: None, region: "eu-west-1".parse().unwrap() };
    assert!(two.begin_run(quick.lease, &id("t1"), 2, &location).await.unwrap());
    assert!(two.state_progress(quick.lease, std::slice::from_ref(&progress)).await.unwrap());
    let completion = Completion { messages: vec![verdict], ..Completion::default() };
    // The first one wakes up.
    assert!(!one.begin_run(slow.lease, &id("t1"), 3, &location).await.unwrap());
    assert!(!one.renew(slow.lease, LEASE).await.unwrap());
    assert!(!one.complete(slow.lease, &completion).await.unwrap());
    assert!(!one.fail(slow.lease, &SafeText::redact("late"), Duration::ZERO).await.unwrap());
    one.release(slow.lease).await.unwrap();
    assert!(two.complete(quick.lease, &completion).await.unwrap());
    assert!(!one.state_progress(slow.lease, &[progress]).await.unwrap());
    assert_eq!(two.stated(&t("t1"), ROOT).await.unwrap(), Some(line("the verdict")));
    assert_eq!(two.investigation(&id("t1")).await.unwrap().unwrap().revision, 2);
}

#[tokio::test]
async fn one_delivers_and_whoever_did_before_writes_nothing_more() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let office = courier(SLACK);
    assert!(one.lead(&office, Duration::from_millis(300)).await.unwrap());
    assert!(!two.lead(&office, LEASE).await.unwrap());
    assert!(one.delivers(SLACK) && !two.delivers(SLACK));
    let thread = NewThread { id: t("t1"), place: place("C1") };
    one.open_thread(&thread, &[DesiredMessage::root(&t("t1"), line("hello"), "a test")]).await.unwrap();
    let due = async |store: &Store| store.due_messages(SLACK, &HashSet::new(), &HashSet::new(), 10).await.unwrap().due.remove(0);
    let late = due(&one).await;
    look_again(async || two.lead(&office, LEASE).await.unwrap().then_some(())).await;
    assert!(!one.lead(&office, LEASE).await.unwrap());
    assert_eq!((*one.term_of(&office).borrow(), *two.term_of(&office).borrow()), (None, Some(2)));
    assert!(!one.posting(&late).await.unwrap(), "it would be posted twice");
    let mine = due(&two).await;
    assert!(two.posting(&mine).await.unwrap());
    two.sent(&mine, "right", EditInterval { between_edits: Duration::ZERO }, false, Duration::ZERO).await.unwrap();
    one.sent(&late, "wrong", EditInterval { between_edits: Duration::ZERO }, false, Duration::ZERO).await.unwrap();
    one.give_up(&late, &SafeText::redact("late")).await.unwrap();
    one.post_anew(&late).await.unwrap();
    let at = Place { thread: Some("right".to_owned()), ..place("C1") };
    assert_eq!(two.thread_at(&at).await.unwrap().unwrap().id, t("t1"));
    assert_eq!(two.pending_messages().await.unwrap(), 0);
    // Who leaves lets the others in at once.
    two.resign(&office).await.unwrap();
    assert!(one.lead(&office, LEASE).await.unwrap());
    assert_eq!(*one.term_of(&office).borrow(), Some(3));
}

#[tokio::test]
async fn one_hears_at_once_what_another_one_accepts_and_states() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let (mut inbox, mut messages) = (two.inbox_changes(), two.message_changes());
    // It tells of itself when it begins to listen.
    tokio::time::timeout(SOON, inbox.changed()).await.unwrap().unwrap();
    inbox.mark_unchanged();
    messages.mark_unchanged();
    one.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), inbox.changed()).await.unwrap().unwrap();
    let thread = NewThread { id: t("t1"), place: place("C1") };
    one.open_thread(&thread, &[DesiredMessage::root(&t("t1"), line("hello"), "a test")]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), messages.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_that_aws_allows_so_often_are_spread_over_all() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let every = Duration::from_millis(500);
    let mut waits = Vec::new();
    for store in [&one, &two, &one, &two] {
        waits.push(store.next_call("lookup-events/123456789012/eu-west-1", every).await.unwrap().as_millis());
    }
    let expected = [0, 500, 1_000, 1_500];
    for (wait, expected) in waits.iter().zip(expected) {
        assert!(wait.abs_diff(expected) < 400, "{waits:?}");
    }
    assert_eq!(one.next_call("lookup-events/123456789012/us-east-1", every).await.unwrap(), Duration::ZERO);
}

#[tokio::test]
async fn one_at_a_time_decides_about_alarms_and_may_write_meanwhile() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let deciding = one.deciding_turn().await.unwrap();
    let mut other = Box::pin(two.deciding_turn());
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut other).await.is_err());
    let (thread, group) = (NewThread { id: t("t1"), place: place("C1") }, "what is known".to_owned());
    one.open_thread(&thread, &[]).await.unwrap();
    one.keep_group(&t("t1"), &["a key".to_owned()], &group).await.unwrap();
    drop(deciding);
    let _turn = tokio::time::timeout(SOON, other).await.unwrap().unwrap();
    let found: Option<StoredGroup<String>> = two.group_of(&place("C1"), &["a key".to_owned()]).await.unwrap();
    assert_eq!(found.map(|found| found.group), Some(group));
}

#[tokio::test]
async fn a_trigger_that_ends_each_process_is_begun_alone_in_all_of_them() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    for key in ["poison", "bystander"] {
        one.accept(&entry(key, "C1", key), None).await.unwrap();
    }
    // Twice both are begun, and the process is gone.
    for _ in 0..2 {
        for _ in 0..2 {
            assert!(!claim_soon(&one, Duration::from_millis(500)).await.is_suspect());
        }
    }
    let first = claim_soon(&one, LEASE).await;
    assert!(first.is_suspect());
    assert!(two.claim(LEASE).await.unwrap().is_none(), "two suspects at once");
    one.complete(first.lease, &Completion::default()).await.unwrap();
    assert!(claim_soon(&two, LEASE).await.is_suspect());
}

#[tokio::test]
async fn what_was_acknowledged_outlives_the_database_and_the_connection_comes_back_by_itself() {
    let Some(mut cluster) = postgres::Cluster::start() else { return };
    let server = StoreServer::new(&cluster.database(), None, None).unwrap();
    let store = Store::open_on_server(&server, Clock::system()).await.unwrap();
    store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
    let held = store.claim(LEASE).await.unwrap().unwrap();
    assert_eq!(store.try_out().await, Ok(()));
    cluster.crash();
    assert!(store.try_out().await.is_err());
    assert!(matches!(store.accept(&entry("k2", "C1", "s2"), None).await, Err(Refused::Store(_))), "nothing is acknowledged");
    assert!(store.renew(held.lease, LEASE).await.is_err());
    cluster.restart();
    look_again(async || store.try_out().await.ok()).await;
    assert!(store.renew(held.lease, LEASE).await.unwrap(), "what it holds, it holds still");
    assert!(store.complete(held.lease, &Completion::default()).await.unwrap());
    assert_eq!(store.accept(&entry("k1", "C1", "s1"), None).await.unwrap(), Accepted::Redelivered);
    assert_eq!(store.accept(&entry("k2", "C1", "s2"), None).await.unwrap(), Accepted::New);
}

#[tokio::test]
async fn one_that_stops_in_the_middle_of_a_write_keeps_the_others_waiting_for_seconds_only() {
    let Some((_folder, [one, two])) = replicas().await else { return };
    let stuck = one.write_at_once().await.unwrap();
    // The server ends what does nothing within a transaction.
    let mine = entry("k1", "C1", "s1");
    let accepted = look_again(async || two.accept(&mine, None).await.ok()).await;
    assert_eq!(accepted, Accepted::New);
    assert!(stuck.commit().await.is_err());
}

#[tokio::test]
async fn a_program_of_this_version_works_on_tables_that_the_next_one_has_added_to() {
    let Some((folder, [one])) = replicas().await else { return };
    // What migrations may do while programs of the version before are at work.
    for added in [
        "ALTER TABLE inbox ADD COLUMN next_one TEXT",
        "ALTER TABLE messages ADD COLUMN next_one BIGINT NOT NULL DEFAULT 7",
        "CREATE TABLE next_one (id BIGINT PRIMARY KEY)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'the next', true, '\\x00', 0)",
    ] {
        sqlx::query(added).execute(&one.writer).await.unwrap();
    }
    let two = folder.open().await;
    let thread = NewThread { id: t("t1"), place: place("C1") };
    two.open_investigation(&thread, &id("t1"), ROOT, &question(), &[DesiredMessage::root(&t("t1"), line("x"), "a test")])
        .await
        .unwrap();
    for store in [&one, &two] {
        store.accept(&entry("k1", "C1", "s1"), None).await.unwrap();
        assert_eq!(store.due_messages(SLACK, &HashSet::new(), &HashSet::new(), 10).await.unwrap().due.len(), 1);
        assert_eq!(store.thread(&t("t1")).await.unwrap().unwrap().id, t("t1"));
    }
    let claimed = one.claim(LEASE).await.unwrap().unwrap();
    assert!(two.complete(claimed.lease, &Completion::default()).await.unwrap());
}

#[test]
fn migrations_after_the_first_take_nothing_away_from_the_programs_that_run_beside_them() {
    let taking = ["drop ", "rename ", "alter column", "truncate ", "not null"];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations/postgres");
    let offends = |name: &str, text: &str| {
        let text: String = text.lines().map(|line| line.split("--").next().unwrap().to_lowercase() + " ").collect();
        let statements = text.split(';').filter(|one| !one.trim_start().starts_with("create table"));
        let found = statements.filter(|one| taking.iter().any(|word| one.contains(word)) && !one.contains("default")).count();
        (found > 0).then(|| name.to_owned())
    };
    assert!(
        offends("x", "ALTER TABLE inbox DROP COLUMN why;").is_some()
            && offends("x", "ALTER TABLE a ADD b TEXT NOT NULL;").is_some()
    );
    assert!(offends("x", "ALTER TABLE a ADD b BIGINT NOT NULL DEFAULT 0; CREATE TABLE c (d TEXT NOT NULL);").is_none());
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let later = files.filter(|file| !file.ends_with("0001_first.sql"));
    let found: Vec<String> =
        later.filter_map(|file| offends(file.to_str().unwrap(), &std::fs::read_to_string(&file).unwrap())).collect();
    assert_eq!(found, [""; 0]);
}
