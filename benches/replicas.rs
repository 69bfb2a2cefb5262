//! How many triggers several processes get through together on one PostgreSQL: one, two and four of them, each with sixteen
//! workers that take 100 ms for a trigger, as an investigation waits for AWS. What is counted: triggers a second from the first
//! acceptance to the last end, what was lost, and what was done twice.
//!
//! `cargo bench --bench replicas`. Each process is a store of its own, in this one; the server is thrown away afterwards.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops at what it did not expect"
)]

#[path = "../tests/support/postgres.rs"]
mod postgres;
#[path = "support/trigger.rs"]
mod trigger;

use rotation_diag::chat::{Message, document::Tone};
use rotation_diag::clock::{Clock, Stopwatch};
use rotation_diag::config::StoreServer;
use rotation_diag::model::{InvestigationId, ThreadId, Trigger};
use rotation_diag::redact::SafeText;
use rotation_diag::store::{Accepted, Completion, DesiredMessage, NewThread, NewTrigger, Store};
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trigger::trigger;

const LEASE: Duration = Duration::from_secs(20);
const WORKERS: usize = 16;
const WORK: Duration = Duration::from_millis(100);
const TRIGGERS: usize = 1_000;

/// Channels that questions come from.
const LANES: usize = 20;

fn entry(number: usize) -> NewTrigger {
    let subject = InvestigationId::of(u128::try_from(number).unwrap());
    trigger(number, LANES, subject.to_string())
}

/// Claims, works, and ends, until nothing is left.
async fn work(store: Arc<Store>, done: Arc<Mutex<HashMap<String, usize>>>) {
    let mut changes = store.inbox_changes();
    loop {
        if done.lock().unwrap().len() == TRIGGERS {
            return;
        }
        changes.mark_unchanged();
        let Some(claimed) = store.claim(LEASE).await.unwrap() else {
            let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
            continue;
        };
        tokio::time::sleep(WORK).await;
        let thread: ThreadId = claimed.subject.parse().unwrap();
        let verdict = DesiredMessage::root(&thread, Message::line(Tone::Bad, SafeText::redact("a verdict")), "a verdict");
        let Trigger::Command(command) = &claimed.trigger else { panic!("it was a command") };
        let opens = Some(NewThread { id: thread, place: command.place.clone() });
        let completion = Completion { messages: vec![verdict], opens, ..Completion::default() };
        if store.complete(claimed.lease, &completion).await.unwrap() {
            *done.lock().unwrap().entry(claimed.subject).or_default() += 1;
        }
    }
}

async fn measure(replicas: usize) -> Option<(f64, usize, usize)> {
    let server = StoreServer::new(&postgres::database()?, None, None).unwrap();
    let mut stores = Vec::new();
    for _ in 0..replicas {
        stores.push(Arc::new(Store::open_on_server(&server, Clock::system()).await.unwrap()));
    }
    let done = Arc::new(Mutex::new(HashMap::new()));
    let watch = Stopwatch::start();
    let workers: Vec<_> =
        stores.iter().flat_map(|store| (0..WORKERS).map(|_| tokio::spawn(work(Arc::clone(store), Arc::clone(&done))))).collect();
    let accepted = futures::future::join_all((0..TRIGGERS).map(|number| {
        let store = Arc::clone(&stores[number % replicas]);
        async move { store.accept(&entry(number), None).await.unwrap() }
    }));
    assert!(accepted.await.iter().all(|accepted| *accepted == Accepted::New));
    for worker in workers {
        worker.await.unwrap();
    }
    let took = watch.elapsed();
    let done = std::mem::take(&mut *done.lock().unwrap());
    let twice = done.values().filter(|times| **times > 1).count();
    let told = stores[0].pending_messages().await.unwrap();
    assert_eq!(usize::try_from(told).unwrap(), TRIGGERS, "each has its verdict");
    Some((f64::from(u32::try_from(TRIGGERS).unwrap()) / took.as_secs_f64(), TRIGGERS - done.len(), twice))
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut is_good = true;
    for replicas in [1, 2, 4] {
        let Some((rate, lost, twice)) = measure(replicas).await else { return ExitCode::SUCCESS };
        println!("{replicas} processes: {rate:.0} triggers a second, {lost} lost, {twice} done twice");
        is_good &= lost == 0 && twice == 0;
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
