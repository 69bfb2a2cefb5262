//! One invocation of a rotation function: the lines Lambda logs, and the metrics it counts.

use super::names::{NameScope, NameTable};
use crate::simulator::declaration::{EndingForm, FunctionForm, LogFormatForm, RunForm};
use crate::simulator::ids;
use crate::simulator::json::set;
use crate::simulator::when::Length;
use crate::simulator::world::{Datapoint, SimulatedLogEvent};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// An invocation, with its text filled in.
pub(super) struct FunctionRun<'a> {
    function: &'a FunctionForm,
    arn: String,
    region: String,
    id: String,
    at: Timestamp,
    ends: EndingForm,
    lines: Vec<String>,
    exception: Option<String>,
    duration: SignedDuration,
    memory_used: i64,
    cold: bool,
    runtime_version: String,
}

const RUNTIME_VERSION: &str = "python:3.13.v40";
const DEFAULT_TIMEOUT: i64 = 30;
const DEFAULT_MEMORY: i64 = 128;

impl<'a> FunctionRun<'a> {
    /// `lines` are what the step prints where `run` does not say.
    pub(super) fn new(
        names: &NameTable<'_>,
        function: &'a FunctionForm,
        at: Timestamp,
        run: &RunForm,
        lines: &[&str],
        context: NameScope<'_>,
    ) -> Result<Self, String> {
        let exception = match (&run.exception, &run.denied) {
            (Some(text), _) => Some(names.fill(text, context)?),
            (None, Some(action)) => Some(denial(names, function, run, action, context)?),
            (None, None) => None,
        };
        let ends = run.ends.unwrap_or(if exception.is_some() { EndingForm::Error } else { EndingForm::Ok });
        let timeout = timeout(function);
        let duration = match (run.duration, ends) {
            (Some(Length(duration)), _) => duration,
            (None, EndingForm::Timeout) => SignedDuration::from_secs(timeout),
            (None, EndingForm::InitError) => SignedDuration::from_millis(3),
            (None, _) => SignedDuration::from_millis(740),
        };
        let lines: Vec<&str> = match &run.lines {
            Some(lines) => lines.iter().map(String::as_str).collect(),
            None => lines.to_vec(),
        };
        let lines = lines
            .into_iter()
            .filter(|line| is_logged(function, line))
            .map(|line| names.fill(line, context))
            .collect::<Result<_, _>>()?;
        Ok(FunctionRun {
            function,
            arn: names.function_arn(function),
            region: names.region(function.region.as_ref()).to_owned(),
            id: ids::uuid(&format!("invocation/{}/{at}", function.name)),
            at,
            ends,
            lines,
            exception,
            duration,
            memory_used: run.memory_used.unwrap_or(if ends == EndingForm::OutOfMemory { memory(function) } else { 77 }),
            cold: run.cold || run.runtime_version.is_some() || ends == EndingForm::InitError,
            runtime_version: run.runtime_version.clone().unwrap_or_else(|| RUNTIME_VERSION.to_owned()),
        })
    }

    /// When Lambda is done with it.
    pub(super) fn ended(&self) -> Timestamp {
        self.at.checked_add(self.duration).unwrap_or(self.at)
    }

    pub(super) fn function(&self) -> &FunctionForm {
        self.function
    }

    /// Lambda counts an invocation at its start. Throttled ones count as Throttles alone.
    ///
    /// Source: Lambda Developer Guide, "Types of metrics for Lambda functions".
    pub(super) fn datapoints(&self) -> Vec<Datapoint> {
        let failed = f64::from(u8::from(self.ends != EndingForm::Ok));
        let measured = match self.ends {
            EndingForm::NotInvoked => vec![],
            EndingForm::Throttled => vec![("Throttles", 1.0)],
            _ => vec![
                ("Invocations", 1.0),
                ("Errors", failed),
                ("Throttles", 0.0),
                ("Duration", self.duration.as_millis_f64()),
                ("ConcurrentExecutions", 1.0),
            ],
        };
        measured
            .into_iter()
            .map(|(metric, value)| Datapoint {
                region: self.region.clone(),
                function: self.function.name.clone(),
                metric: metric.to_owned(),
                at: self.at,
                value,
            })
            .collect()
    }

    /// What the ARN of the runtime's version is made from.
    fn runtime_seed(&self) -> String {
        match self.runtime_version.as_str() {
            RUNTIME_VERSION => self.arn.clone(),
            other => format!("{}/{other}", self.arn),
        }
    }

    /// The lines from START to REPORT, in the function's log format.
    pub(super) fn log_events(&self) -> Vec<SimulatedLogEvent> {
        if matches!(self.ends, EndingForm::Throttled | EndingForm::NotInvoked) {
            return Vec::new();
        }
        let stream = format!(
            "{}/[$LATEST]{}",
            self.at.strftime("%Y/%m/%d"),
            ids::letters(&format!("{}/{}", self.function.name, self.at.strftime("%F")), "0123456789abcdef", 32)
        );
        let messages = match self.function.log_format {
            LogFormatForm::Text => self.text(),
            LogFormatForm::Json => self.json(),
        };
        messages.into_iter().map(|(at, message)| SimulatedLogEvent { at, stream: stream.clone(), message }).collect()
    }

    /// The application's lines lie evenly within the first second of the invocation.
    fn line_times(&self) -> impl Iterator<Item = Timestamp> + use<'_> {
        let lines = i32::try_from(self.lines.len()).unwrap_or(i32::MAX - 1);
        let step = self.duration.min(SignedDuration::from_secs(1)) / (lines + 1);
        (1..=lines).map(move |nth| self.at.checked_add(step * nth).unwrap_or(self.at))
    }

    fn text(&self) -> Vec<(Timestamp, String)> {
        let (id, at, end) = (&self.id, self.at, self.ended());
        let mut out = Vec::new();
        if self.cold {
            out.push((
                at,
                format!(
                    "INIT_START Runtime Version: {}\tRuntime Version ARN: arn:aws:lambda:{}::runtime:{}\n",
                    self.runtime_version,
                    self.region,
                    ids::letters(&self.runtime_seed(), "0123456789abcdef", 64)
                ),
            ));
        }
        if self.ends == EndingForm::InitError {
            let (kind, _) = self.exception_parts();
            for phase in ["init", "invoke"] {
                out.push((at, self.traceback()));
                out.push((
                    at,
                    format!("INIT_REPORT Init Duration: 214.63 ms\tPhase: {phase}\tStatus: error\tError Type: {kind}\n"),
                ));
            }
        }
        out.push((at, format!("START RequestId: {id} Version: $LATEST\n")));
        if self.ends != EndingForm::InitError {
            for (at, line) in self.line_times().zip(&self.lines) {
                out.push((
                    at,
                    match split_level(line) {
                        Some((level, message)) => {
                            format!("[{level}]\t{}\t{id}\t{message}\n", millis(at))
                        }
                        None => format!("{line}\n"),
                    },
                ));
            }
            if self.exception.is_some() {
                out.push((end, self.traceback()));
            }
        }
        match self.ends {
            EndingForm::Timeout => out
                .push((end, format!("{} {id} Task timed out after {:.2} seconds\n\n", millis(end), self.duration.as_secs_f64()))),
            EndingForm::OutOfMemory => {
                out.push((end, format!("RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n")))
            }
            _ => {}
        }
        out.push((end, format!("END RequestId: {id}\n")));
        let duration = self.duration.as_millis_f64();
        let mut report = format!(
            "REPORT RequestId: {id}\tDuration: {duration:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            duration.ceil(),
            memory(self.function),
            self.memory_used
        );
        if self.cold && self.ends != EndingForm::InitError {
            report.push_str("Init Duration: 312.48 ms\t");
        }
        match self.status() {
            ("timeout", _) => report.push_str("Status: timeout"),
            ("error", Some(kind)) if self.ends != EndingForm::Error => {
                report.push_str(&format!("Status: error\tError Type: {kind}"));
            }
            _ => {}
        }
        report.push('\n');
        out.push((end, report));
        out
    }

    fn json(&self) -> Vec<(Timestamp, String)> {
        let (id, at, end) = (&self.id, self.at, self.ended());
        let platform = |at: Timestamp, kind: &str, record: Value| {
            (at, json!({ "time": millis(at), "type": kind, "record": record }).to_string())
        };
        let (status, kind) = self.status();
        let mut out = Vec::new();
        if self.cold {
            out.push(platform(at, "platform.initStart", json!({
                "initializationType": "on-demand", "phase": "init", "runtimeVersion": self.runtime_version,
                "runtimeVersionArn": format!("arn:aws:lambda:{}::runtime:{}", self.region, ids::letters(&self.runtime_seed(), "0123456789abcdef", 64)),
                "functionName": self.function.name, "functionVersion": "$LATEST",
            })));
        }
        if self.ends == EndingForm::InitError {
            for phase in ["init", "invoke"] {
                out.push((at, self.json_exception(at, "")));
                out.push(platform(
                    at,
                    "platform.initReport",
                    json!({
                        "initializationType": "on-demand", "phase": phase, "status": "error", "errorType": kind,
                        "metrics": { "durationMs": 214.63 },
                    }),
                ));
            }
        }
        out.push(platform(
            at,
            "platform.start",
            json!({
                "requestId": id, "functionArn": self.arn, "version": "$LATEST",
            }),
        ));
        if self.ends != EndingForm::InitError {
            for (at, line) in self.line_times().zip(&self.lines) {
                out.push((
                    at,
                    match split_level(line) {
                        Some((level, message)) => json!({
                            "timestamp": seconds(at), "level": level, "message": message,
                            "logger": "root", "requestId": id,
                        })
                        .to_string(),
                        None => line.clone(),
                    },
                ));
            }
            if self.exception.is_some() {
                out.push((end, self.json_exception(end, id)));
            }
        }
        let mut record = json!({ "requestId": id, "status": status });
        set(
            &mut record,
            "metrics",
            json!({
                "durationMs": self.duration.as_millis_f64(),
                "billedDurationMs": self.duration.as_millis_f64().ceil(),
                "memorySizeMB": memory(self.function),
                "maxMemoryUsedMB": self.memory_used,
            }),
        );
        if let Some(kind) = kind {
            set(&mut record, "errorType", json!(kind));
        }
        out.push(platform(end, "platform.report", record));
        out
    }

    /// The status of the invocation's report, and the error type beside it.
    fn status(&self) -> (&'static str, Option<String>) {
        match self.ends {
            EndingForm::Timeout => ("timeout", None),
            EndingForm::OutOfMemory => ("error", Some("Runtime.OutOfMemory".into())),
            EndingForm::Error | EndingForm::InitError => ("error", Some(self.exception_parts().0)),
            EndingForm::Ok | EndingForm::Throttled | EndingForm::NotInvoked => ("success", None),
        }
    }

    fn exception_parts(&self) -> (String, String) {
        let text = self.exception.as_deref().unwrap_or("Exception: failed");
        match text.split_once(": ") {
            Some((kind, message)) => (kind.to_owned(), message.to_owned()),
            None => ("Exception".into(), text.to_owned()),
        }
    }

    /// As the Python runtime prints it, indented with no-break spaces.
    fn traceback(&self) -> String {
        let (kind, message) = self.exception_parts();
        let frames: String = match self.ends {
            EndingForm::InitError => String::new(),
            _ => STACK.iter().copied().map(with_no_break_indent).collect(),
        };
        format!("[ERROR] {kind}: {message}\nTraceback (most recent call last):\n{frames}")
    }

    fn json_exception(&self, at: Timestamp, id: &str) -> String {
        let (kind, message) = self.exception_parts();
        let stack: &[&str] = match self.ends {
            EndingForm::InitError => &[],
            _ => &STACK,
        };
        json!({
            "timestamp": seconds(at), "level": "ERROR", "errorMessage": message, "errorType": kind,
            "requestId": id, "stackTrace": stack,
        })
        .to_string()
    }
}

pub(super) fn timeout(function: &FunctionForm) -> i64 {
    function.timeout.unwrap_or(DEFAULT_TIMEOUT)
}

pub(super) fn memory(function: &FunctionForm) -> i64 {
    function.memory.unwrap_or(DEFAULT_MEMORY)
}

/// The exception botocore raises when IAM denies a call.
fn denial(
    names: &NameTable<'_>,
    function: &FunctionForm,
    run: &RunForm,
    action: &str,
    context: NameScope<'_>,
) -> Result<String, String> {
    let (_, operation) = action
        .split_once(':')
        .ok_or_else(|| format!("`denied = \"{action}\"` is no action such as secretsmanager:PutSecretValue"))?;
    let resource = names.fill(run.denied_on.as_deref().unwrap_or("{secret_arn}"), context)?;
    let because = run.because.clone().unwrap_or_else(|| format!("because no identity-based policy allows the {action} action"));
    Ok(format!(
        "ClientError: An error occurred (AccessDeniedException) when calling the {operation} operation: User: {} \
         is not authorized to perform: {action} on resource: {resource} {because}",
        names.session_arn(function)
    ))
}

/// The levels of Python's logger, least severe first.
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// `ERROR text` → level and text.
fn split_level(line: &str) -> Option<(&str, &str)> {
    line.split_once(' ').filter(|(level, _)| LEVELS.contains(level))
}

/// Lambda drops lines below the function's `ApplicationLogLevel`, which calls `WARNING` `WARN` and `CRITICAL` `FATAL`.
///
/// Source: Lambda Developer Guide, "Configuring advanced logging controls for Lambda functions".
fn is_logged(function: &FunctionForm, line: &str) -> bool {
    let severity = |level: &str| LEVELS.iter().position(|known| *known == level);
    let least = match function.log_level.as_deref() {
        Some("WARN") => Some("WARNING"),
        Some("FATAL") => Some("CRITICAL"),
        other => other,
    };
    match (least.and_then(severity), split_level(line)) {
        (Some(least), Some((level, _))) => severity(level) >= Some(least),
        _ => true,
    }
}

/// Where the exception was raised, as Python's traceback module formats frames.
const STACK: [&str; 2] = [
    "  File \"/var/task/lambda_function.py\", line 61, in lambda_handler\n    rotate(step, client, arn, token)\n",
    "  File \"/var/task/lambda_function.py\", line 118, in rotate\n    steps[step](client, arn, token)\n",
];

fn with_no_break_indent(frame: &str) -> String {
    frame
        .lines()
        .map(|line| {
            let text = line.trim_start();
            let indent = "\u{a0}".repeat(line.len() - text.len());
            format!("{indent}{text}\n")
        })
        .collect()
}

fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
