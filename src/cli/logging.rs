//! Logs for whoever runs the program, on standard error.
//!
//! A thread of its own writes them: where nobody reads standard error any more, lines are dropped and counted, and the work
//! goes on.

use crate::redact::SafeText;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait to be written at most.
const MAX_WAITING: usize = 1_024;

/// How long the last lines may take at the end of the process.
const LAST_LINES: Duration = Duration::from_millis(500);

static LINES: Mutex<Option<(SyncSender<String>, Receiver<()>)>> = Mutex::new(None);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How much is logged where `RUST_LOG` does not decide it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    /// Errors: a command says what matters in its own words.
    Quiet,
    /// What an operator of the bot wants to know.
    Operator,
    /// What is asked of AWS, too.
    Verbose,
}

impl Level {
    const fn filter(self) -> &'static str {
        match self {
            Level::Quiet => "error",
            Level::Operator => "warn,rotation_diag=info",
            Level::Verbose => "warn,rotation_diag=debug",
        }
    }
}

/// Starts logging. `RUST_LOG` decides what; without it, `level`.
pub(super) fn start(level: Level) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.filter()));
    let lines = tracing_subscriber::fmt::layer().with_writer(RedactedStderr).with_ansi(false).with_target(true);
    // Below INFO the libraries log requests and answers whole.
    let ours = filter_fn(|meta| meta.target().starts_with("rotation_diag") || *meta.level() <= LevelFilter::INFO);
    let (send, waiting) = sync_channel::<String>(MAX_WAITING);
    let (ended, end) = sync_channel(1);
    let writer = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        write_all(&waiting, &mut io::stderr());
        // Where nobody waits for the end there is nobody to tell.
        let _ = ended.send(());
    });
    if writer.is_ok() {
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) = Some((send, end));
    }
    // A second start in the same process keeps the first one.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter).with_filter(ours)).try_init();
}

/// Waits until what was logged is written, but not for a reader that never comes.
pub(super) fn finish() {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((send, end)) = lines {
        drop(send);
        // Whoever does not read in time misses the last lines.
        let _ = end.recv_timeout(LAST_LINES);
    }
}

fn write_all(waiting: &Receiver<String>, out: &mut dyn Write) {
    while let Ok(line) = waiting.recv() {
        // Where standard error is closed there is no other place to log to.
        let _ = out.write_all(line.as_bytes());
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(out, "{dropped} lines of the log were dropped: standard error is read too slowly");
        }
    }
}

fn pass_on(line: String) {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.as_ref().is_some_and(|(send, _)| send.try_send(line).is_err()) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Standard error, reached only by redacted text.
struct RedactedStderr;

/// One log record on its way out.
struct Record(Vec<u8>);

impl<'a> MakeWriter<'a> for RedactedStderr {
    type Writer = Record;

    fn make_writer(&'a self) -> Record {
        Record(Vec::new())
    }
}

impl Write for Record {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let text = SafeText::redact(&String::from_utf8_lossy(&self.0));
        pass_on(text.as_str().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_never_comes_keeps_nobody_waiting_and_is_told_what_it_missed() {
        let (send, waiting) = sync_channel(MAX_WAITING);
        let (_, end) = sync_channel(1);
        *LINES.lock().unwrap() = Some((send, end));
        for number in 0..MAX_WAITING + 3 {
            pass_on(format!("line {number}\n"));
        }
        *LINES.lock().unwrap() = None;
        let mut out = Vec::new();
        write_all(&waiting, &mut out);
        let written = String::from_utf8(out).unwrap();
        assert!(written.starts_with("line 0\n3 lines of the log were dropped"), "{written}");
        assert_eq!(written.lines().count(), MAX_WAITING + 1);
    }
}
