//! Redaction takes time linear in the text, hostile texts included.
//!
//! `cargo bench --bench redaction`. Each hostile text is redacted at one size and at four times that size; fails where
//! the larger one takes more than eight times as long. Prints MB/s of ordinary log text too.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use rotation_diag::redact::Redactor;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const SMALL: usize = 256 << 10;
const TIMES: usize = 4;
/// Quadratic work would take `TIMES` squared; half of that leaves room for a busy machine.
const MAX_TIMES_AS_LONG: f64 = 8.0;
const ROUNDS: usize = 3;

fn best(chunk: &str, bytes: usize) -> Duration {
    let text = chunk.repeat(bytes / chunk.len());
    let redactor = Redactor::default();
    let round = |_| {
        let started = Instant::now();
        black_box(redactor.redact(&text));
        started.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn main() -> ExitCode {
    let mut linear = true;
    for chunk in include!("../tests/data/hostile-chunks.rs") {
        let (small, large) = (best(chunk, SMALL), best(chunk, SMALL * TIMES));
        let growth = large.as_secs_f64() / small.as_secs_f64().max(1e-6);
        let kept = growth <= MAX_TIMES_AS_LONG;
        linear &= kept;
        println!(
            "{growth:>5.1} times as long for {TIMES} times the text: {chunk:?}{}",
            if kept { "" } else { "  <- not linear" }
        );
    }
    let line = "2025-03-01 [INFO] setSecret: Successfully set password for user app_user. ";
    let took = best(line, SMALL * TIMES);
    println!("ordinary log text: {:.0} MB/s", (SMALL * TIMES) as f64 / 1e6 / took.as_secs_f64());
    if linear { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
