//! What is kept, for how long, and by whose time.

use super::*;

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
