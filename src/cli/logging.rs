//! Logs for whoever runs the program, on standard error, as text or as one JSON object a line.
//!
//! What is logged is redacted before anything else. A thread of its own writes it: where nobody reads standard error any more,
//! lines are dropped and counted, and the work goes on.

use crate::app::traces::TraceLayer;
use crate::clock::Clock;
use crate::redact::{Redactor, SafeText};
use crate::spans;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait to be written at most.
const MAX_WAITING: usize = 1_024;

/// How long the last lines may take at the end of the process.
const LAST_LINES: Duration = Duration::from_millis(500);

static LOG: Mutex<Option<Log>> = Mutex::new(None);

/// Where spans go once it is known whether anybody wants them: that is read later than what logging needs.
static TRACES: OnceLock<reload::Handle<Option<TraceLayer>, Registry>> = OnceLock::new();

/// In which form standard error is written.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Says a line of the program's own on standard error, past what `RUST_LOG` selects: as it is, or where the log is JSON as one
/// of its objects, so that every line is one.
pub(super) fn say(level: &str, line: &SafeText) -> io::Result<()> {
    let mut out = anstream::stderr().lock();
    match FORMAT.get() {
        Some(LogFormat::Json) => {
            let now = Clock::system().now().to_string();
            let record =
                serde_json::json!({ "timestamp": now, "level": level, "message": line.as_str(), "target": "rotation_diag" });
            writeln!(out, "{record}")
        }
        _ if level == "ERROR" => writeln!(out, "{ERROR}error:{ERROR:#} {line}"),
        _ => writeln!(out, "{line}"),
    }
}

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The form of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line, for programs
    Json,
}

/// How much is logged where `RUST_LOG` does not decide it.
#[derive(Debug, Clone, Copy)]
pub(super) enum LogLevel {
    /// Errors: a command says what matters in its own words.
    Quiet,
    /// What an operator of the bot wants to know.
    Operator,
    /// What is asked of AWS, too.
    Verbose,
}

impl LogLevel {
    const fn filter(self) -> &'static str {
        match self {
            LogLevel::Quiet => "error",
            LogLevel::Operator => "warn,rotation_diag=info",
            LogLevel::Verbose => "warn,rotation_diag=debug",
        }
    }
}

/// Starts logging. `RUST_LOG` decides what; without it, `level`.
pub(super) fn start(level: LogLevel, format: LogFormat) {
    let _ = FORMAT.set(format);
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.filter()));
    // Below INFO the libraries log requests and answers whole.
    let ours = filter_fn(|meta| meta.target().starts_with("rotation_diag") || *meta.level() <= LevelFilter::INFO);
    let (log, lines) = Log::to(io::stderr());
    let written = Redacting { lines, format };
    let layer = tracing_subscriber::fmt::layer().with_writer(written).with_ansi(false).with_target(true);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let no_span = filter_fn(|meta| meta.target() != spans::TARGET);
    let layer = layer.with_filter(filter).with_filter(ours).with_filter(no_span);
    // Traces hold spans alone: nothing that is logged.
    let (traces, handle) = reload::Layer::new(None::<TraceLayer>);
    let traces = traces.with_filter(filter_fn(|meta| meta.is_span() && meta.target() == spans::TARGET));
    // A second start in the same process keeps the first one.
    if tracing_subscriber::registry().with(traces).with(layer).try_init().is_ok() {
        let _ = TRACES.set(handle);
        *LOG.lock().unwrap_or_else(PoisonError::into_inner) = Some(log);
    }
}

/// Has spans taken by `layer` from now on.
pub(super) fn trace(layer: TraceLayer) {
    if let Some(Err(error)) = TRACES.get().map(|traces| traces.reload(Some(layer))) {
        tracing::error!(%error, "no spans are sent");
    }
}

/// Waits until what was logged is written, but not for a reader that never comes.
pub(super) fn finish() {
    if let Some(log) = LOG.lock().unwrap_or_else(PoisonError::into_inner).take() {
        log.finish();
    }
}

/// The thread that writes, and how many lines came to it.
struct Log {
    guard: WorkerGuard,
    handed: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
    dropped: ErrorCounter,
}

/// Where lines go that wait to be written.
#[derive(Clone)]
struct LogQueue {
    queue: NonBlocking,
    handed: Arc<AtomicUsize>,
}

impl Log {
    /// Begins to write to `out`.
    fn to(out: impl Write + Send + 'static) -> (Log, LogQueue) {
        let (handed, written) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let dropped = Arc::<OnceLock<ErrorCounter>>::default();
        let out = Telling { out, written: Arc::clone(&written), dropped: Arc::clone(&dropped), told: 0 };
        let (queue, guard) = NonBlockingBuilder::default().buffered_lines_limit(MAX_WAITING).thread_name("log").finish(out);
        let dropped = dropped.get_or_init(|| queue.error_counter()).clone();
        (Log { guard, handed: Arc::clone(&handed), written, dropped }, LogQueue { queue, handed })
    }

    fn finish(self) {
        let taken = self.written.load(Ordering::Relaxed).saturating_add(self.dropped.dropped_lines());
        if self.handed.load(Ordering::Relaxed).saturating_sub(taken) >= MAX_WAITING {
            // Nobody reads. The guard would say so on standard output, which is the report's.
            mem::forget(self.guard);
            return;
        }
        let (ended, end) = sync_channel(1);
        std::thread::spawn(move || {
            drop(self.guard);
            // Where nobody waits for the end there is nobody to tell.
            let _ = ended.send(());
        });
        // Whoever does not read in time misses the last lines.
        let _ = end.recv_timeout(LAST_LINES);
    }
}

impl LogQueue {
    fn hand(&mut self, line: &SafeText) {
        self.handed.fetch_add(1, Ordering::Relaxed);
        // A queue that is full counts what it drops.
        let _ = self.queue.write_all(line.as_str().as_bytes());
    }
}

/// A place to write to that is told which lines it was too slow for.
struct Telling<W> {
    out: W,
    written: Arc<AtomicUsize>,
    dropped: Arc<OnceLock<ErrorCounter>>,
    told: usize,
}

impl<W: Write> Write for Telling<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Where standard error is closed there is no other place to log to.
        let _ = self.out.write_all(line);
        self.written.fetch_add(1, Ordering::Relaxed);
        let dropped = self.dropped.get().map_or(0, ErrorCounter::dropped_lines);
        let untold = dropped.saturating_sub(mem::replace(&mut self.told, dropped));
        if untold > 0 {
            let _ = writeln!(self.out, "{untold} lines of the log were dropped: standard error is read too slowly");
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.out.flush();
        Ok(())
    }
}

/// Lines of the log, reached only by redacted text.
struct Redacting {
    lines: LogQueue,
    format: LogFormat,
}

/// One log record on its way out.
struct LogRecord {
    text: Vec<u8>,
    lines: LogQueue,
    format: LogFormat,
}

impl<'a> MakeWriter<'a> for Redacting {
    type Writer = LogRecord;

    fn make_writer(&'a self) -> LogRecord {
        LogRecord { text: Vec::new(), lines: self.lines.clone(), format: self.format }
    }
}

impl Write for LogRecord {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogRecord {
    fn drop(&mut self) {
        let line = redacted(&String::from_utf8_lossy(&self.text), self.format);
        self.lines.hand(&line);
    }
}

fn redacted(record: &str, format: LogFormat) -> SafeText {
    let document = (format == LogFormat::Json).then(|| serde_json::from_str::<serde_json::Value>(record).ok()).flatten();
    match document {
        // Masked value by value, so that it stays a document.
        Some(mut document) => {
            Redactor::default().redact_json(&mut document);
            SafeText::redact(&format!("{document}\n"))
        }
        None => SafeText::redact(record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    /// A place to write to that waits for leave before its first line.
    struct Slow {
        leave: Option<Receiver<()>>,
        out: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(leave) = self.leave.take() {
                leave.recv().unwrap();
            }
            self.out.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_never_comes_keeps_nobody_waiting_and_is_told_what_it_missed() {
        let (give, leave) = channel();
        let out = Arc::<Mutex<Vec<u8>>>::default();
        let (log, mut lines) = Log::to(Slow { leave: Some(leave), out: Arc::clone(&out) });
        // The first may be on its way to the reader, so that there is room for one more.
        let handed = MAX_WAITING + 4;
        for number in 0..handed {
            lines.hand(&SafeText::redact(&format!("line {number}\n")));
        }
        let dropped = log.dropped.dropped_lines();
        assert!((3..=4).contains(&dropped), "{dropped}");
        give.send(()).unwrap();
        drop(log.guard);
        let written = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert!(written.starts_with(&format!("line 0\n{dropped} lines of the log were dropped")), "{written}");
        assert_eq!(written.lines().count(), handed - dropped + 1);
    }

    #[test]
    fn a_line_of_either_form_is_redacted_and_a_document_stays_one() {
        let record =
            r#"{"level":"WARN","why":"password=tiger9 \"x\"","password":"lion8","answer":"{\"SecretString\":\"wolf7\"}"}"#;
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = redacted(&format!("{record}\n"), format);
            for secret in ["tiger9", "lion8", "wolf7"] {
                assert!(!line.as_str().contains(secret), "{line}");
            }
        }
        let line = redacted(record, LogFormat::Json);
        let document: serde_json::Value = serde_json::from_str(line.as_str()).unwrap();
        assert_eq!(document["level"], "WARN");
        assert!(line.as_str().ends_with("}\n"), "{line}");
    }
}
