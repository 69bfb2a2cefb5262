//! Throughput of classification on typical log text, in MB/s of one core, against trying every
//! signature's patterns one after the other.
//!
//! Run with `cargo bench --bench log_classification`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use regex::bytes::{Regex, RegexBuilder};
use rotation_diag::diagnosis::signatures::{classify, patterns};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A successful rotation's step as the PostgreSQL template logs it; every hundredth one fails.
const NORMAL: [&str; 6] = [
    "START RequestId: 3f1c2d4e-0000-4000-8000-123456789012 Version: $LATEST",
    "[INFO]\t2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tFound credentials in environment variables.",
    "[INFO]\t2025-03-01T12:00:00.100Z\t3f1c2d4e-0000-4000-8000-123456789012\tSuccessfully established SSL/TLS connection as user 'app' with host: 'db.example.internal'",
    "[INFO]\t2025-03-01T12:00:00.200Z\t3f1c2d4e-0000-4000-8000-123456789012\tsetSecret: Successfully set password for user app in PostgreSQL DB for secret arn arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf.",
    "END RequestId: 3f1c2d4e-0000-4000-8000-123456789012",
    "REPORT RequestId: 3f1c2d4e-0000-4000-8000-123456789012\tDuration: 1897.22 ms\tBilled Duration: 1900 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 204.34 ms",
];
const FAULT: &str = "[ERROR]\t2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tsetSecret: Unable to log into database with previous, current, or pending secret of secret arn arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf";

fn log(rotations: usize) -> Vec<&'static str> {
    (0..rotations)
        .flat_map(|number| {
            let fault = (number % 100 == 0).then_some(FAULT);
            NORMAL.into_iter().chain(fault)
        })
        .collect()
}

/// Records of which each holds the words of a signature: the worst that a log can be.
fn faults() -> Vec<String> {
    const CORPUS: &str = include_str!("../tests/data/log-lines-more.jsonl");
    let texts: Vec<String> = CORPUS
        .lines()
        .filter_map(|row| Some(serde_json::from_str::<serde_json::Value>(row).ok()?.get("text")?.as_str()?.to_owned()))
        .collect();
    std::iter::repeat_n(texts, 10).flatten().collect()
}

fn megabytes_per_second(lines: &[&str], mut read: impl FnMut(&str)) -> f64 {
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    lines.iter().take(700).for_each(|line| read(line));
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        lines.iter().for_each(|line| read(line));
        best = best.min(start.elapsed());
    }
    bytes as f64 / 1e6 / best.as_secs_f64()
}

fn main() {
    let lines = log(20_000);
    let fast = megabytes_per_second(&lines, |line| {
        black_box(classify(line));
    });
    let records = faults();
    let faults: Vec<&str> = records.iter().map(String::as_str).collect();
    let faulty = megabytes_per_second(&faults, |line| {
        black_box(classify(line));
    });
    let compiled: Vec<Regex> = patterns()
        .filter_map(|pattern| RegexBuilder::new(pattern).case_insensitive(true).multi_line(true).unicode(false).build().ok())
        .collect();
    let few = log(100);
    let naive = megabytes_per_second(&few, |line| {
        black_box(compiled.iter().filter(|pattern| pattern.is_match(line.as_bytes())).count());
    });
    println!("classify: {fast:.0} MB/s of a usual log, {faulty:.1} MB/s of nothing but faults and their look-alikes");
    println!("each of {} patterns in turn: {naive:.2} MB/s", compiled.len());
    println!("ratio: {:.0}", fast / naive);
}
