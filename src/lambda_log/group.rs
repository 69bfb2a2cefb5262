//! From the events of many streams to whole invocations.

use super::{Level, Platform, Record, ReportRecord, rotation};
use crate::model::{Invocation, InvocationStatus, LogEvent, RotationStep};
use std::collections::BTreeMap;

/// Groups the events of one log group into invocations, oldest first.
///
/// A stream belongs to one execution environment, which runs one request at a time: a line without a
/// request id belongs to the request that is open in its stream, and what is printed before a START
/// (a cold start's initialization) belongs to the request that follows.
#[must_use]
pub fn group(events: Vec<LogEvent>) -> Vec<Invocation> {
    let mut streams: BTreeMap<String, Vec<LogEvent>> = BTreeMap::new();
    for event in events {
        streams.entry(event.stream.clone()).or_default().push(event);
    }
    let mut invocations: Vec<Invocation> = streams
        .into_values()
        .flat_map(|mut events| {
            events.sort_by_key(|event| event.at);
            let mut stream = Stream::default();
            for event in events {
                stream.take(event);
            }
            stream.finish()
        })
        .collect();
    invocations.sort_by_key(|invocation| invocation.started_at);
    invocations
}

#[derive(Default)]
struct Stream {
    /// Lines before the START they belong to.
    before_start: Vec<LogEvent>,
    runs: Vec<Run>,
    /// The last run takes lines without a request id.
    open: bool,
    /// The environment initializes, so that what is printed is not an observer's.
    initializing: bool,
}

impl Stream {
    fn take(&mut self, event: LogEvent) {
        let record = Record::read(&event.text);
        let platform = record.platform.clone();
        let id = record.request_id.as_deref().map(str::to_owned);
        match platform {
            Some(Platform::InitStart) => {
                self.open = false;
                self.initializing = true;
                self.before_start.push(event);
            }
            Some(Platform::InitReport(_) | Platform::Other) if !self.open => {
                self.before_start.push(event);
            }
            Some(Platform::Start) => {
                self.start(id, &event);
                if let Some(run) = self.runs.last_mut() {
                    run.began = true;
                }
                self.add(event);
            }
            Some(Platform::Report(report)) => {
                let position = self.of_request(id, &event);
                // After a crash or a timeout the environment starts anew, and its lines are the next invocation's.
                self.initializing = report.status.as_deref().is_some_and(|status| status != "success");
                if let Some(run) = self.runs.get_mut(position) {
                    run.ended_at = Some(event.at);
                    run.report = Some(report);
                    run.lines.push(event);
                }
                self.open = false;
            }
            Some(Platform::End) => {
                let position = self.of_request(id, &event);
                if let Some(run) = self.runs.get_mut(position) {
                    run.ended_at.get_or_insert(event.at);
                    run.lines.push(event);
                }
            }
            _ if id.is_some() => {
                let is_guess = !event.text.trim_start().starts_with('{');
                let position = self.of_line(id, is_guess, &event);
                if let Some(run) = self.runs.get_mut(position) {
                    run.lines.push(event);
                }
            }
            _ if self.open || continues(&event.text) => self.add(event),
            _ if self.initializing || self.runs.is_empty() => self.before_start.push(event),
            // After END nothing but an extension's rest is written: the function is frozen.
            _ => {}
        }
    }

    /// The run of a line that names a request. An environment runs one request at a time, so that what looks like an id in a
    /// line of text, and no START named, is none while a run is open that began with its START.
    fn of_line(&mut self, id: Option<String>, is_guess: bool, event: &LogEvent) -> usize {
        let is_known = self.runs.iter().any(|run| run.request_id == id);
        let began = self.runs.last().is_some_and(|run| run.began);
        if is_guess && !is_known && self.open && began { self.runs.len().saturating_sub(1) } else { self.of_request(id, event) }
    }

    fn start(&mut self, id: Option<String>, event: &LogEvent) {
        self.runs.push(Run {
            request_id: id,
            started_at: event.at,
            ended_at: None,
            report: None,
            began: false,
            lines: std::mem::take(&mut self.before_start),
        });
        self.open = true;
        self.initializing = false;
    }

    /// The run of this request; a new one where its START was cut off.
    fn of_request(&mut self, id: Option<String>, event: &LogEvent) -> usize {
        let known = self.runs.iter().rposition(|run| run.request_id == id);
        known.unwrap_or_else(|| {
            let started_at = self.before_start.first().map_or(event.at, |line| line.at);
            self.start(id, event);
            if let Some(run) = self.runs.last_mut() {
                run.started_at = started_at;
            }
            self.runs.len() - 1
        })
    }

    fn add(&mut self, event: LogEvent) {
        match self.runs.last_mut() {
            Some(run) => run.lines.push(event),
            None => self.before_start.push(event),
        }
    }

    fn finish(mut self) -> Vec<Invocation> {
        // An initialization that fails may never see a request; without an error it is no invocation.
        if let Some(first) = self.before_start.first().cloned() {
            let lines = std::mem::take(&mut self.before_start);
            let orphan = Run { request_id: None, started_at: first.at, ended_at: None, report: None, began: false, lines };
            let invocation = orphan.into_invocation();
            if invocation.status != InvocationStatus::Unknown || invocation.step.is_some() {
                let mut all: Vec<Invocation> = self.runs.into_iter().map(Run::into_invocation).collect();
                all.push(invocation);
                return all;
            }
        }
        self.runs.into_iter().map(Run::into_invocation).collect()
    }
}

/// A line of a stack trace that was split into events of its own.
fn continues(text: &str) -> bool {
    text.starts_with([' ', '\t']) && !text.trim().is_empty()
}

struct Run {
    request_id: Option<String>,
    started_at: jiff::Timestamp,
    ended_at: Option<jiff::Timestamp>,
    report: Option<ReportRecord>,
    /// Its START was seen.
    began: bool,
    lines: Vec<LogEvent>,
}

impl Run {
    fn into_invocation(self) -> Invocation {
        let stream = self.lines.first().map(|line| line.stream.clone()).unwrap_or_default();
        let evidence = InvocationEvidence::read(&self.lines);
        let report = self.report.unwrap_or_default();
        Invocation {
            status: evidence.status(report.status.as_deref(), self.ended_at.is_some()),
            request_id: self.request_id,
            stream,
            started_at: self.started_at,
            ended_at: self.ended_at,
            duration_ms: report.duration_ms,
            memory_size_mb: report.memory_size_mb,
            max_memory_used_mb: report.max_memory_used_mb,
            error_type: report.error_type.or(evidence.error_type),
            step: evidence.step.map(|(_, step)| step),
            secret_arn: evidence.secret,
            version: evidence.version,
            lines: self.lines,
        }
    }
}

/// What the lines of one invocation state.
#[derive(Default)]
struct InvocationEvidence {
    failed: bool,
    timed_out: bool,
    /// A status of `success` in a platform record outweighs logged errors: the function returned.
    returned: bool,
    error_type: Option<String>,
    step: Option<(usize, RotationStep)>,
    secret: Option<String>,
    version: Option<String>,
}

impl InvocationEvidence {
    fn read(lines: &[LogEvent]) -> InvocationEvidence {
        let mut evidence = InvocationEvidence::default();
        for line in lines {
            evidence.add(&Record::read(&line.text));
        }
        evidence
    }

    fn add(&mut self, record: &Record<'_>) {
        let text = record.text.as_ref();
        match &record.platform {
            Some(Platform::Report(report) | Platform::RuntimeDone(report) | Platform::InitReport(report)) => {
                self.add_report(report, &record.platform)
            }
            Some(_) => self.failed |= text.contains("Error Type: ") || text.contains("Runtime.ExitError"),
            None if record.is_foreign => return,
            None => {
                self.timed_out |= states_timeout(text);
                self.failed |= record.level == Level::Error || states_crash(record.level, text);
                if self.error_type.is_none() && record.level >= Level::Unstated {
                    self.error_type = error_type(text);
                }
            }
        }
        if let Some(found) = rotation::ranked_step(text)
            && self.step.is_none_or(|(rank, _)| found.0 < rank)
        {
            self.step = Some(found);
        }
        if self.secret.is_none() {
            self.secret = rotation::rotated_secret(text).map(str::to_owned);
        }
        if self.version.is_none() {
            self.version = rotation::version(text).map(str::to_owned);
        }
    }

    fn add_report(&mut self, report: &ReportRecord, kind: &Option<Platform>) {
        match report.status.as_deref() {
            // Initialization is repeated after its own timeout of 10 s; that one fails no request.
            Some("timeout") if !matches!(kind, Some(Platform::InitReport(_))) => {
                self.timed_out = true;
            }
            Some("error" | "failure") => self.failed = true,
            Some("success") if !matches!(kind, Some(Platform::InitReport(_))) => {
                self.returned = true;
            }
            _ => {}
        }
        if self.error_type.is_none() {
            self.error_type.clone_from(&report.error_type);
        }
    }

    fn status(&self, reported: Option<&str>, ended: bool) -> InvocationStatus {
        if self.timed_out {
            InvocationStatus::TimedOut
        } else if self.returned && !matches!(reported, Some("error" | "failure")) {
            InvocationStatus::Succeeded
        } else if self.failed {
            InvocationStatus::Failed
        } else if ended {
            InvocationStatus::Succeeded
        } else {
            InvocationStatus::Unknown
        }
    }
}

fn states_timeout(text: &str) -> bool {
    text.contains("Task timed out after ") || text.contains("Sandbox.Timedout")
}

/// An error the runtime prints without a level: a stack trace, a crash, a function's error result.
fn states_crash(level: Level, text: &str) -> bool {
    level == Level::Unstated
        && (text.contains("Traceback (most recent call last)")
            || text.contains("Runtime exited")
            || text.contains("Runtime.")
            || text.contains("LAMBDA_WARNING: Unhandled exception")
            || text.contains("Unable to import module")
            || text.contains("\"errorMessage\"")
            || text.starts_with("panic: ")
            || (text.contains("\n\tat ") || text.contains("\n    at ")))
}

/// `ValueError` of `[ERROR] ValueError: …` or of `ValueError: …`; also Java's and .NET's full names.
fn error_type(text: &str) -> Option<String> {
    let first_line = text.lines().next()?;
    let said = first_line.strip_prefix("[ERROR] ").unwrap_or(first_line);
    let kind = said.split(": ").next()?;
    let named =
        kind.ends_with("Error") || kind.ends_with("Exception") || kind.starts_with("Runtime.") || kind.starts_with("Extension.");
    (named && !kind.contains(char::is_whitespace)).then(|| kind.to_owned())
}
