//! The platform's own records: START, END, REPORT, INIT_REPORT and their JSON forms.

use serde_json::Value;

/// What a record of the platform announces.
#[derive(Debug, Clone, PartialEq)]
pub enum Platform {
    /// The execution environment starts to initialize.
    InitStart,
    InitReport(ReportRecord),
    Start,
    /// The runtime is done with an invocation.
    RuntimeDone(ReportRecord),
    End,
    Report(ReportRecord),
    /// Another record: extensions, subscriptions, dropped logs.
    Other,
}

/// The figures and the status of a REPORT-like record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportRecord {
    /// Milliseconds.
    pub duration_ms: Option<f64>,
    /// MB.
    pub memory_size_mb: Option<u32>,
    /// MB.
    pub max_memory_used_mb: Option<u32>,
    /// `success`, `timeout`, `error` or `failure`; the text format leaves success out.
    pub status: Option<String>,
    /// Such as `Runtime.ExitError`.
    pub error_type: Option<String>,
}

/// Reads a text record of the platform; gives its kind and request id.
pub(super) fn from_text(text: &str) -> Option<(Platform, Option<&str>)> {
    if ["EXTENSION\t", "LOGS\t", "TELEMETRY\t"].iter().any(|word| text.starts_with(word)) {
        return Some((Platform::Other, None));
    }
    let (word, rest) = text.split_once(' ')?;
    let id = || rest.strip_prefix("RequestId: ")?.split_whitespace().next().filter(|id| !id.is_empty());
    Some(match word {
        "START" => (Platform::Start, Some(id()?)),
        "END" => (Platform::End, Some(id()?)),
        "REPORT" => (Platform::Report(figures(rest)), Some(id()?)),
        // Only the JSON format has this record; this is what it reads like once unwrapped.
        "RUNTIME_DONE" => (Platform::RuntimeDone(figures(rest)), Some(id()?)),
        "INIT_START" => (Platform::InitStart, None),
        "INIT_REPORT" => (Platform::InitReport(figures(rest)), None),
        "EXTENSION" => (Platform::Other, None),
        _ => return None,
    })
}

fn figures(text: &str) -> ReportRecord {
    ReportRecord {
        duration_ms: field(text, "Duration: ").and_then(|value| value.parse().ok()),
        memory_size_mb: field(text, "Memory Size: ").and_then(|value| value.parse().ok()),
        max_memory_used_mb: field(text, "Max Memory Used: ").and_then(|value| value.parse().ok()),
        status: field(text, "Status: ").map(str::to_owned),
        error_type: field(text, "Error Type: ").map(str::to_owned),
    }
}

/// The word behind `name`, which is not the end of a longer name such as `Billed Duration: `.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(name).find_map(|(at, _)| {
        let (before, rest) = text.split_at_checked(at)?;
        let longer = ["Billed ", "Init ", "Restore "].iter().any(|word| before.ends_with(word));
        let value = rest.get(name.len()..)?.split_whitespace().next()?;
        (!longer).then_some(value)
    })
}

/// Reads a `platform.*` JSON record: its kind, its request id, and the text record that says the same.
pub(super) fn from_json(kind: &str, record: &Value) -> (Platform, Option<String>, String) {
    let id = record.get("requestId").and_then(Value::as_str).map(str::to_owned);
    let report = json_report(record);
    let shown_id = id.as_deref().unwrap_or_default();
    let (platform, text) = match kind {
        "platform.start" => (Platform::Start, format!("START RequestId: {shown_id}")),
        "platform.end" => (Platform::End, format!("END RequestId: {shown_id}")),
        "platform.report" => {
            let text = format!("REPORT RequestId: {shown_id}{}", figures_text(&report));
            (Platform::Report(report), text)
        }
        "platform.runtimeDone" => {
            let text = format!("RUNTIME_DONE RequestId: {shown_id}{}", figures_text(&report));
            (Platform::RuntimeDone(report), text)
        }
        "platform.initStart" => {
            let version = record.get("runtimeVersion").and_then(Value::as_str);
            let version = version.map(|version| format!(" Runtime Version: {version}")).unwrap_or_default();
            (Platform::InitStart, format!("INIT_START{version}"))
        }
        "platform.initReport" | "platform.initRuntimeDone" => {
            let text = format!("INIT_REPORT{}", figures_text(&report));
            (Platform::InitReport(report), text)
        }
        _ => (Platform::Other, other_text(kind, record, &report)),
    };
    (platform, id, text)
}

fn other_text(kind: &str, record: &Value, report: &ReportRecord) -> String {
    match record {
        Value::String(text) => text.clone(),
        _ => {
            let state = record.get("state").and_then(Value::as_str).map(|state| format!("\tState: {state}"));
            let kind = kind.trim_start_matches("platform.").to_ascii_uppercase();
            format!("{kind}{}{}", state.unwrap_or_default(), figures_text(report))
        }
    }
}

fn json_report(record: &Value) -> ReportRecord {
    let metric = |name: &str| record.get("metrics").and_then(|metrics| metrics.get(name));
    let megabytes = |name| metric(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    ReportRecord {
        duration_ms: metric("durationMs").and_then(Value::as_f64),
        memory_size_mb: megabytes("memorySizeMB"),
        max_memory_used_mb: megabytes("maxMemoryUsedMB"),
        status: text("status"),
        error_type: text("errorType"),
    }
}

fn figures_text(report: &ReportRecord) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("\t{name}: {value}"));
        }
    };
    add("Duration", report.duration_ms.map(|ms| format!("{ms:.2} ms")));
    add("Memory Size", report.memory_size_mb.map(|mb| format!("{mb} MB")));
    add("Max Memory Used", report.max_memory_used_mb.map(|mb| format!("{mb} MB")));
    add("Status", report.status.clone().filter(|status| status != "success"));
    add("Error Type", report.error_type.clone());
    text
}
