//! How a step asks AWS: with a deadline, leaving a trace.

use super::Aws;
use super::classify::{AskedCall, classify};
use crate::clock::{Clock, Stopwatch};
use crate::metrics::EngineMetrics;
use crate::model::{ApiCall, Denial, Observation};
use crate::spans;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use tracing::Instrument as _;

/// How many requests several callers may send between them; what would go beyond is not sent, and says so.
#[derive(Debug, Clone)]
pub(crate) struct RequestLimit {
    most: usize,
    left: Arc<AtomicUsize>,
}

impl RequestLimit {
    pub(crate) fn of(most: usize) -> RequestLimit {
        RequestLimit { most, left: Arc::new(AtomicUsize::new(most)) }
    }

    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok()
    }
}

/// Asks AWS on behalf of one step, and remembers what was asked and what was refused.
#[derive(Debug)]
pub(crate) struct AwsCaller {
    clock: Clock,
    started: Stopwatch,
    deadline: Instant,
    fresh: bool,
    metrics: EngineMetrics,
    /// Where the clients ask that are not global.
    region: String,
    limit: Option<RequestLimit>,
    calls: Mutex<Vec<ApiCall>>,
    denials: Mutex<Vec<Denial>>,
}

impl AwsCaller {
    /// An asker of `aws` whose requests all end at `deadline`. With `fresh`, kept answers are not used.
    pub(crate) fn new(aws: &Aws, clock: Clock, deadline: Instant, fresh: bool) -> AwsCaller {
        AwsCaller {
            clock,
            started: Stopwatch::start(),
            deadline,
            fresh,
            metrics: aws.metrics().clone(),
            region: aws.region().to_string(),
            limit: None,
            calls: Mutex::default(),
            denials: Mutex::default(),
        }
    }

    /// The same asker, whose requests count towards `limit`, those for further pages of a list among them.
    #[must_use]
    pub(crate) fn limited(self, limit: &RequestLimit) -> AwsCaller {
        AwsCaller { limit: Some(limit.clone()), ..self }
    }

    /// Sends one request. `call` is `service:Operation`; `resource` names what it is asked of, for people.
    ///
    /// The request is boxed before anything holds it: the SDK's futures are large, and steps hold several.
    pub(crate) fn call<T, E, R>(
        &self,
        call: &'static str,
        resource: &str,
        request: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> impl Future<Output = Observation<T>>
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug,
    {
        let is_global = call.starts_with("iam:") || call.starts_with("health:");
        self.in_region(if is_global { GLOBAL } else { &self.region }).call(call, resource, request)
    }

    /// Asks in another region than that of the clients.
    pub(crate) const fn in_region<'a>(&'a self, region: &'a str) -> RegionalCaller<'a> {
        RegionalCaller { caller: self, region }
    }

    /// Remembers a missing permission once.
    pub(crate) fn note_denial(&self, denial: Denial) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if !denials.contains(&denial) {
            denials.push(denial);
        }
    }

    /// Remembers calls whose answer was handed over to this step.
    pub(crate) fn note_calls(&self, calls: Vec<ApiCall>) {
        calls.into_iter().for_each(|call| push(&self.calls, call));
    }

    /// Waits for `future`, not longer than the step may take.
    pub(crate) async fn within_deadline<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.deadline, future).await.ok()
    }

    /// True when kept answers must not be used.
    pub(crate) fn fresh(&self) -> bool {
        self.fresh
    }

    /// How long the step has been running, in milliseconds.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.started.elapsed_ms()
    }

    /// What was asked and refused so far; the refusals by their names, as calls that run together end in any order.
    pub(crate) fn trace(&self) -> (Vec<ApiCall>, Vec<Denial>) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner).clone();
        denials.sort_unstable();
        (calls, denials)
    }
}

/// Where services are asked that have one endpoint for a whole partition.
const GLOBAL: &str = "aws-global";

/// An [`AwsCaller`] that asks in this region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegionalCaller<'a> {
    caller: &'a AwsCaller,
    region: &'a str,
}

impl RegionalCaller<'_> {
    /// As [`AwsCaller::call`].
    pub(crate) fn call<T, E, R>(
        self,
        call: &'static str,
        resource: &str,
        request: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> impl Future<Output = Observation<T>>
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug,
    {
        let request = Box::pin(request);
        async move {
            let RegionalCaller { caller, region } = self;
            if let Some(limit) = caller.limit.as_ref().filter(|limit| !limit.take()) {
                return Observation::Failed {
                    error: format!("{call} was not asked again: {} requests had been sent", limit.most),
                };
            }
            let at = caller.clock.now();
            let stopwatch = Stopwatch::start();
            let span = spans::aws_call(call, region);
            let answer = tokio::time::timeout_at(caller.deadline, request.instrument(span.clone())).await;
            let took_ms = stopwatch.elapsed_ms();
            let observation = match answer {
                Ok(Ok(output)) => Observation::Found(output),
                Ok(Err(error)) => classify(AskedCall { call, resource, took_ms }, &error),
                Err(_) => Observation::TimedOut { after_ms: caller.started.elapsed_ms() },
            };
            if let Observation::Denied(denial) = &observation {
                caller.note_denial(denial.clone());
            }
            caller.metrics.called(call, observation.status(), stopwatch.elapsed());
            spans::answered(&span, observation.status());
            tracing::debug!(call, region, result = observation.status(), took_ms, "asked AWS");
            let ok = matches!(observation, Observation::Found(_) | Observation::NoData { .. });
            push(&caller.calls, ApiCall { call: call.to_owned(), at, duration_ms: took_ms, ok });
            observation
        }
    }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AwsOptions, Registry};
    use crate::clock;
    use crate::metrics::Metrics;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use std::time::Duration;

    #[tokio::test]
    async fn what_goes_beyond_a_limit_is_not_sent_whoever_of_its_callers_asks() {
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let limit = RequestLimit::of(2);
        let caller = || AwsCaller::new(&aws, Clock::system(), clock::deadline(Duration::from_secs(60)), false).limited(&limit);
        let (one, other) = (caller(), caller());
        let answered = || async { Ok::<_, SdkError<GetCallerIdentityError, ()>>(()) };
        assert_eq!(one.call("ec2:DescribeSubnets", "*", answered()).await, Observation::Found(()));
        assert_eq!(other.call("ec2:DescribeSubnets", "*", answered()).await, Observation::Found(()));
        let refused = one.call("ec2:DescribeSubnets", "*", answered()).await;
        assert_eq!(refused.missing().as_deref(), Some("ec2:DescribeSubnets was not asked again: 2 requests had been sent"));
        assert_eq!((one.trace().0.len(), other.trace().0.len()), (1, 1));
    }

    #[tokio::test]
    async fn refusals_stand_in_the_order_of_their_names_whichever_call_ends_first() {
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let caller = AwsCaller::new(&aws, Clock::system(), clock::deadline(Duration::from_secs(60)), false);
        for action in ["lambda:GetPolicy", "kms:DescribeKey", "lambda:GetPolicy"] {
            caller.note_denial(Denial { action: action.to_owned(), resource: "*".to_owned() });
        }
        let actions: Vec<String> = caller.trace().1.into_iter().map(|denial| denial.action).collect();
        assert_eq!(actions, ["kms:DescribeKey", "lambda:GetPolicy"]);
    }

    #[tokio::test]
    async fn a_request_without_an_answer_ends_at_the_deadline_and_is_counted() {
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let metrics = Metrics::new();
        let aws = Aws::connect(&options, &Registry::counting(metrics.engine.clone())).await.unwrap();
        let caller = AwsCaller::new(&aws, Clock::system(), clock::deadline(Duration::ZERO), false);
        let never = std::future::pending::<Result<(), SdkError<GetCallerIdentityError, ()>>>();
        let seen = caller.call("sts:GetCallerIdentity", "*", never).await;
        assert_eq!(seen.status(), "timed_out");
        let (calls, denials) = caller.trace();
        assert_eq!((calls.len(), calls[0].ok, denials.len()), (1, false, 0));
        let counted = "rotation_diag_aws_calls_total{operation=\"sts:GetCallerIdentity\",result=\"timed_out\"} 1\n";
        assert!(metrics.read().contains(counted), "{}", metrics.read());
    }
}
