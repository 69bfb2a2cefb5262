//! What was accepted is claimed, finished, tried again and given up.

use super::*;

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
