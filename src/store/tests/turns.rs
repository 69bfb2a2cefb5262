//! In which order triggers are taken, and what is read to find the next one.

use super::*;

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
    let next = plan(&store, messages::NEXT).await;
    assert_eq!(next[0], "SEARCH p USING COVERING INDEX messages_pending (not_before>?)", "{next:#?}");
    assert!(!next.iter().any(|step| step.contains("ORDER BY")), "{next:#?}");
    let plan = plan(&store, messages::DUE).await;
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
    open: Vec<OpenTrigger>,
}

struct OpenTrigger {
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
        let blocks = |other: &OpenTrigger| other.subject == one.subject && (other.is_running || other.key < one.key);
        !one.is_running && !one.sleeps && !self.open.iter().any(|other| other.key != one.key && blocks(other))
    }
}

/// Numbers that look random and are the same for the same seed: xorshift64.
struct TriggerDice(u64);

impl TriggerDice {
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
        let mut dice = TriggerDice(seed);
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
                    rules.open.push(OpenTrigger { key: step, lane, subject, is_running: false, sleeps: false });
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
