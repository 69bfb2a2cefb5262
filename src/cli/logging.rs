//! Logs for whoever runs the program, on standard error.

use crate::redact::SafeText;
use std::io::{self, Write};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging. `RUST_LOG` decides what; without it, warnings, or with `verbose` this program's debug messages.
pub(super) fn start(verbose: bool) {
    let default = if verbose { "warn,rotation_diag=debug" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(RedactedStderr).with_ansi(false).with_target(true);
    // Below INFO the libraries log requests and answers whole.
    let ours = filter_fn(|meta| meta.target().starts_with("rotation_diag") || *meta.level() <= LevelFilter::INFO);
    // A second start in the same process keeps the first one.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter).with_filter(ours)).try_init();
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
        // Where standard error is closed there is no other place to log to.
        let _ = io::stderr().lock().write_all(text.as_str().as_bytes());
    }
}
