//! Who wrote a line: the function, or an extension, an agent or a tracer beside it.
//!
//! Their lines stand in the function's log group and speak of their own work: a licence key they may not read is no fault
//! of the rotation. They are known by the name in front of their lines (`[NR_EXT]`, `DD_EXTENSION |`), by the logger a
//! structured line names, or by the word for what they are.

use super::Level;
use regex::Regex;
use std::sync::LazyLock;

/// What an observer calls itself, whoever sells it.
const KINDS: &str = concat!(
    r"(?:^|[^a-z])(?:extensions?|ext|agent|telemetry|collector|[a-z]*exporter\w*|tracer|tracing|sidecar|apm|profiler)",
    r"(?:$|[^a-z])"
);

/// Observers that call themselves by name alone.
const NAMES: &str = concat!(
    r"(?:^|[^a-z])(?:ddtrace|dd-trace|datadog|newrelic|new relic|nr_ext|dynatrace|oneagent|appdynamics|elastic-?apm|lumigo|epsagon|thundra|",
    r"honeycomb|sentry(?:_sdk)?|instana|signalfx|splunk|otelcol|opentelemetry|otel|adot|aws_xray_sdk|x-?ray|lambda-?insights|",
    r"cloudwatch_lambda_agent|sumo-?logic|coralogix|logz-?io|axiom|baselime|logdna|mezmo|fluent-?bit|rookout|twistlock|prisma|",
    r"lacework|sysdig|solarwinds|site24x7|serverless-sdk|rollbar|bugsnag|raygun|jaeger|zipkin|statsd|telegraf)(?:$|[^a-z])"
);

static OBSERVER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i){KINDS}|{NAMES}")).ok());

/// A name in front of a line: in brackets, before a bar, or the dotted path of a module.
static HEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:\[(?P<bracket>[A-Za-z][A-Za-z0-9 _./-]{1,60})\]|(?P<bar>[A-Za-z][A-Za-z0-9 _./-]{1,40}?)\s*\||",
        r"(?P<shout>[A-Z][A-Z0-9]*_(?:EXT|EXTENSION|AGENT))\b|(?P<file>[a-z][a-z0-9_.-]*(?:@[a-z0-9_.+-]+)?/[a-z0-9_./-]+\.go:\d+)\s|(?P<path>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)(?:\s|:|$))"
    ))
    .ok()
});

/// True where `text` begins with the name of something that observes the function.
pub(super) fn is_foreign_text(text: &str) -> bool {
    let Some(first_line) = text.lines().next() else { return false };
    let Some(found) = HEAD.as_ref().and_then(|head| head.captures(behind_prefix(first_line))) else { return false };
    let name = ["bracket", "bar", "shout", "file", "path"].iter().find_map(|group| found.name(group));
    name.is_some_and(|name| is_observer(name.as_str())) && !names_a_step(text)
}

/// True where a structured line's own field names something that observes the function.
pub(super) fn is_foreign_record(authors: &[String], text: &str) -> bool {
    authors.iter().any(|name| is_observer(name)) && !names_a_step(text)
}

fn is_observer(name: &str) -> bool {
    let rotates = name.to_ascii_lowercase().contains("rotat");
    !rotates && OBSERVER.as_ref().is_some_and(|observer| observer.is_match(name))
}

/// A line about a rotation step is the function's, whatever its logger is called.
fn names_a_step(text: &str) -> bool {
    super::rotation_step(text).is_some()
}

/// The line behind its time, request id and level, each of which may stand in brackets.
fn behind_prefix(line: &str) -> &str {
    let mut rest = line.trim_start();
    loop {
        let end = rest.find([' ', '\t', '|']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let bare = word.trim_matches(|c| "[]():,-|".contains(c));
        let is_prefix = bare.starts_with(|c: char| c.is_ascii_digit()) || Level::from_name(bare).is_some() || bare.is_empty();
        if behind.is_empty() || !is_prefix {
            return rest;
        }
        rest = behind.trim_start_matches([' ', '\t', '|', '-']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_extension_an_agent_or_a_tracer_is_not_the_functions() {
        for line in [
            "[NR_EXT] Failed to retrieve New Relic license key ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            "DD_EXTENSION | ERROR | could not decrypt the API key: AccessDeniedException",
            "[AWS Parameters and Secrets Lambda Extension] 2026/03/10 11:00:00 ERROR GetSecretValue: AccessDeniedException",
            "2026/03/10 11:00:00 [vault-lambda-extension] [ERROR] connection refused",
            "2026-03-10T11:00:00.000Z ERROR [acme-observability-agent] connection refused",
            "[ERROR] newrelic.core.agent_protocol: 401 Unauthorized",
            "ACME_EXTENSION: cannot log in",
            "2026-03-10T11:00:00Z\tERROR\tawsemfexporter@v0.90.0/emf_exporter.go:90\tFailed to send: AccessDeniedException",
            "ddtrace.internal.writer failed to send: connection refused",
        ] {
            assert!(is_foreign_text(line), "{line}");
        }
        assert!(is_foreign_record(&["elastic-apm-lambda-extension".to_owned()], "connection refused"));
    }

    #[test]
    fn a_line_of_the_function_is_its_own_though_it_speaks_of_such_things() {
        for line in [
            "[ERROR] ValueError: Unable to log into database",
            "[dd.service=rotator dd.env=prod dd.trace_id=1] setSecret: connection refused",
            "[ERROR]\t2026-03-10T11:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tDatadog refused the new key: 403",
            "datadog_api_client.exceptions.ForbiddenException: (403) Reason: Forbidden",
            "psycopg2.OperationalError: connection refused",
            "2026-03-10T11:00:00Z\tERROR\trotate/main.go:88\tconnection refused",
            "[datadog-key-rotator] 403 Forbidden",
            "[credential-agent] setSecret: 403 Forbidden",
            "Traceback (most recent call last):",
        ] {
            assert!(!is_foreign_text(line), "{line}");
        }
        assert!(!is_foreign_record(&["root".to_owned(), "rotate.agent".to_owned()], "connection refused"));
    }
}
