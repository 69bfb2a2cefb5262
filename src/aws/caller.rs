//! How a step asks AWS: with a deadline, leaving a trace.

use super::classify::{AskedCall, classify};
use crate::clock::{Clock, Stopwatch};
use crate::model::{ApiCall, Denial, Observation};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Asks AWS on behalf of one step, and remembers what was asked and what was refused.
#[derive(Debug)]
pub(crate) struct AwsCaller {
    clock: Clock,
    started: Stopwatch,
    deadline: Instant,
    fresh: bool,
    calls: Mutex<Vec<ApiCall>>,
    denials: Mutex<Vec<Denial>>,
}

impl AwsCaller {
    /// An asker whose requests all end at `deadline`. With `fresh`, kept answers are not used.
    pub(crate) fn new(clock: Clock, deadline: Instant, fresh: bool) -> AwsCaller {
        let nothing = || Mutex::new(Vec::new());
        AwsCaller { clock, started: Stopwatch::start(), deadline, fresh, calls: nothing(), denials: Mutex::new(Vec::new()) }
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
        let request = Box::pin(request);
        async move {
            let at = self.clock.now();
            let stopwatch = Stopwatch::start();
            let answer = tokio::time::timeout_at(self.deadline, request).await;
            let took_ms = stopwatch.elapsed_ms();
            let observation = match answer {
                Ok(Ok(output)) => Observation::Found(output),
                Ok(Err(error)) => classify(AskedCall { call, resource, took_ms }, &error),
                Err(_) => Observation::TimedOut { after_ms: self.started.elapsed_ms() },
            };
            if let Observation::Denied(denial) = &observation {
                self.note_denial(denial.clone());
            }
            let ok = matches!(observation, Observation::Found(_) | Observation::NoData { .. });
            push(&self.calls, ApiCall { call: call.to_owned(), at, duration_ms: took_ms, ok });
            observation
        }
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

    /// What was asked and refused so far.
    pub(crate) fn trace(&self) -> (Vec<ApiCall>, Vec<Denial>) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (calls, denials)
    }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use std::time::Duration;

    #[tokio::test]
    async fn a_request_without_an_answer_ends_at_the_deadline_and_is_counted() {
        let caller = AwsCaller::new(Clock::system(), clock::deadline(Duration::ZERO), false);
        let never = std::future::pending::<Result<(), SdkError<GetCallerIdentityError, ()>>>();
        let seen = caller.call("sts:GetCallerIdentity", "*", never).await;
        assert_eq!(seen.status(), "timed_out");
        let (calls, denials) = caller.trace();
        assert_eq!((calls.len(), calls[0].ok, denials.len()), (1, false, 0));
    }
}
