//! How long a trigger takes from its claim to its end, by how many wait: 10 000 that wait are to drain at least as fast, each,
//! as 100 do.
//!
//! `taskset --cpu-list 0 cargo bench --bench inbox`: each statement wakes a thread, and in a virtual machine waking another core
//! takes longer than the statement.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops at what it did not expect")]

#[path = "support/trigger.rs"]
mod trigger;

use rotation_diag::clock::{Clock, Stopwatch};
use rotation_diag::store::{Accepted, Completion, NewTrigger, Store};
use std::process::ExitCode;
use std::time::Duration;
use trigger::trigger;

const LEASE: Duration = Duration::from_secs(60);

/// Triggers that are claimed and ended in one measurement.
const MEASURED: usize = 100;

/// Measurements of each kind; the fastest counts, because whatever else runs only slows down.
const TIMES: usize = 5;

/// How much slower each may be while a hundred times as many wait.
const MOST: f64 = 1.5;

/// Triggers that wait, and in how many lanes and subjects.
struct Waiting {
    what: &'static str,
    count: usize,
    lanes: usize,
    subjects: usize,
}

fn entry(number: usize, of: &Waiting) -> NewTrigger {
    trigger(number, of.lanes, (number % of.subjects).to_string())
}

/// Time per trigger.
async fn drain(waiting: &Waiting) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.db"), Clock::system()).await.unwrap();
    let entries: Vec<NewTrigger> = (0..waiting.count).map(|number| entry(number, waiting)).collect();
    let accepted = futures::future::join_all(entries.iter().map(|entry| store.accept(entry, None))).await;
    assert!(accepted.iter().all(|accepted| matches!(accepted, Ok(Accepted::New))));
    let mut best = Duration::MAX;
    let times = TIMES.min(waiting.count / MEASURED);
    for _ in 0..times {
        let watch = Stopwatch::start();
        for _ in 0..MEASURED {
            let claimed = store.claim(LEASE).await.unwrap().unwrap();
            assert!(store.complete(claimed.lease, &Completion::default()).await.unwrap());
        }
        best = best.min(watch.elapsed() / u32::try_from(MEASURED).unwrap());
    }
    store.close().await;
    best
}

async fn measure() -> ExitCode {
    let few = Waiting { what: "100 in one lane", count: 100, lanes: 1, subjects: 100 };
    // The fastest of several, as below.
    let mut base = Duration::MAX;
    for _ in 0..TIMES {
        base = base.min(drain(&few).await);
    }
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!("{:<44} {:>8.0} µs each", few.what, micros(base));
    let mut worst: f64 = 0.0;
    for waiting in [
        Waiting { what: "10 000 in one lane", count: 10_000, lanes: 1, subjects: 10_000 },
        Waiting { what: "10 000 in 500 lanes", count: 10_000, lanes: 500, subjects: 10_000 },
        Waiting { what: "10 000 in one lane, of ten investigations", count: 10_000, lanes: 1, subjects: 10 },
    ] {
        let each = drain(&waiting).await;
        let ratio = micros(each) / micros(base);
        worst = worst.max(ratio);
        println!("{:<44} {:>8.0} µs each   ratio {ratio:.2}", waiting.what, micros(each));
    }
    let is_kept = worst <= MOST;
    println!("{:<44} {worst:>8.2}   budget {MOST}   {}", "the slowest, to 100", if is_kept { "ok" } else { "OVER" });
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(measure())
}
