//! `rotation-diag audit`: who did what, and what was decided.

use super::failure::CommandError;
use super::{Audit, AuditFormat, interrupt, read_config};
use crate::clock::Clock;
use crate::store::{Audited, Store};
use jiff::Timestamp;
use std::io::Write as _;
use std::process::ExitCode;

pub(super) fn run(options: &Audit) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    let now = Clock::system().now();
    let since = match options.since {
        Some(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
        None => Timestamp::UNIX_EPOCH,
    };
    interrupt::or(async {
        let lines = Store::audit_trail(&config.store, since, options.limit).await.map_err(CommandError::cannot_run)?;
        let mut out = std::io::stdout().lock();
        for line in &lines {
            match options.format {
                AuditFormat::Text => writeln!(out, "{}", text(line))?,
                AuditFormat::Json => writeln!(out, "{}", serde_json::to_string(line).map_err(CommandError::cannot_run)?)?,
            }
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    })
}

fn text(line: &Audited) -> String {
    let place: Vec<&str> = [&line.platform, &line.workspace, &line.channel]
        .into_iter()
        .map(|part| part.as_str())
        .filter(|part| !part.is_empty())
        .collect();
    let mut told = format!("{:.0}  {:<8}  {}", line.at, line.decision.as_str(), line.person);
    if !place.is_empty() {
        told.push_str(&format!(" in {}", place.join("/")));
    }
    told.push_str(&format!("  {}", line.did));
    for part in [&line.subject, &line.reason].into_iter().filter(|part| !part.as_str().is_empty()) {
        told.push_str("  ");
        told.push_str(&part.single_line());
    }
    told
}
