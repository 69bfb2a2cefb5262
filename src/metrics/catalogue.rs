//! Every metric by its name, as operators meet it. `docs/operations.md` shows this table.

/// What kind of a metric it is, as Prometheus calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricEntry {
    /// As it is scraped; a counter's ends in `_total`, and a histogram's gets `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    pub kind: MetricKind,
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

macro_rules! catalogue {
    ($( $constant:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal; )+) => {
        $( pub(super) const $constant: MetricEntry = MetricEntry {
            name: concat!("rotation_diag_", $name),
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            help: $help,
        }; )+

        /// All of them.
        pub const CATALOGUE: &[MetricEntry] = &[$( $constant, )+];
    };
}

catalogue! {
    BUILD = "build_info", Gauge, ["version"], "Always 1; the label is the version that runs";
    READY = "ready", Gauge, [], "1 while /readyz answers yes, else 0";
    PART_WORKING = "part_working", Gauge, ["part"], "1 while the part works, else 0: the store, the work, each platform and its connection";
    SOCKETS = "sockets_connected", Gauge, ["platform"], "Connections that are open to a platform and alive by their heartbeats";
    INVESTIGATIONS = "investigations_total", Counter, ["outcome", "cause"],
        "Investigations that ended; the outcome is root_cause, healthy, inconclusive, not_found or failed, and the cause is none where there is none";
    INVESTIGATION_SECONDS = "investigation_duration_seconds", Histogram, ["outcome"], "How long investigations took";
    INVESTIGATIONS_RUNNING = "investigations_running", Gauge, [], "Investigations that run at this moment";
    STEP_SECONDS = "step_duration_seconds", Histogram, ["step"], "How long playbook steps took";
    STEP_OBSERVATIONS = "step_observations_total", Counter, ["step", "observation"],
        "What playbook steps came to: found, no_data, not_applicable, denied, throttled, timed_out or failed";
    AWS_CALLS = "aws_calls_total", Counter, ["operation", "result"],
        "Calls to AWS, retries included in their call; the result is found, no_data, denied, throttled, timed_out or failed";
    AWS_CALL_SECONDS = "aws_call_duration_seconds", Histogram, ["service"], "How long calls to AWS took, with their retries";
    LIMITER_WAITS = "limiter_wait_seconds", Histogram, ["limiter"],
        "How long a request waited for its turn within a limit: lookup_events (CloudTrail), slack or discord";
    ACKNOWLEDGEMENTS = "acknowledgement_seconds", Histogram, ["source", "result"],
        "From an authentic message, click or alarm to what its sender is answered, with everything that is written to the disk before";
    TRIGGERS_WAITING = "triggers_waiting", Gauge, [], "Accepted triggers that nobody works on yet";
    TRIGGER_AGE = "trigger_oldest_wait_seconds", Gauge, [], "How long the oldest of them has been due; 0 where none is";
    TRIGGERS_ENDED = "triggers_ended_total", Counter, ["result"],
        "Ends of work on a trigger: completed, obsolete, postponed, failed (to be tried again) or given_up";
    MESSAGES_WAITING = "messages_waiting", Gauge, [], "Messages that a platform does not show yet as they are to be";
    MESSAGE_AGE = "message_oldest_wait_seconds", Gauge, [], "How long the oldest of them has been due; 0 where none is";
    DELIVERIES = "deliveries_total", Counter, ["platform", "result"],
        "Attempts to deliver: delivered, found (after a lost answer), later, closed, lost, stuck, refused, token_refused or elsewhere (another replica delivers)";
}
