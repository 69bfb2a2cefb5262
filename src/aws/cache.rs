//! Answers that several investigations need, asked once.

use crate::clock;
use crate::model::Observation;
use moka::future::Cache;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer serves other investigations: a storm of triggers, not a person's second look.
const LIFETIME: Duration = Duration::from_secs(60);

/// Answers kept per account and region; a fleet of 500 functions has about this many facts.
const CAPACITY: u64 = 4_000;

/// What a cached answer is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CacheKey {
    /// A function's configuration, by ARN with its qualifier.
    Function(String),
    /// A function's reserved concurrency, by name.
    Concurrency(String),
    /// A function's resource policy, by ARN with its qualifier.
    FunctionPolicy(String),
    /// What a function's code shows, by its hash, its layers and what it has to fit.
    FunctionCode(String),
    /// A function's metrics, by name and window.
    Metrics(String),
    /// A simulation, by role and what was asked.
    Simulation(String),
    /// A role's trust policy and the name of its boundary, by role ARN.
    Role(String),
    /// A role's policies, by role ARN.
    RolePolicies(String),
    /// A managed policy's document, by ARN.
    ManagedPolicy(String),
    /// A KMS key with its policy, by id, ARN or alias.
    Key(String),
    Trails,
    /// What EC2 or RDS answered to an action, by its parameters.
    Listing {
        action: &'static str,
        asked: String,
    },
    /// Open events of AWS Health.
    Health,
    /// What DescribeSecret said to whoever only wanted to know where a secret is, by name or ARN.
    Description(String),
}

/// How old an answer may be that is handed over: the question that led to it goes on at once.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(10);

type KeptAnswer = Arc<dyn Any + Send + Sync>;

/// A short-lived cache that asks each question once at a time. Only definite answers are kept.
#[derive(Debug, Clone)]
pub(crate) struct ResponseCache {
    cache: Cache<CacheKey, KeptAnswer>,
}

impl ResponseCache {
    pub(crate) fn new() -> ResponseCache {
        ResponseCache { cache: Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build() }
    }

    /// Leaves an answer for the question that goes on from it.
    pub(crate) async fn hand_over<T: Clone + Send + Sync + 'static>(&self, thing: CacheKey, answer: T) {
        self.cache.insert(thing, Arc::new((clock::this_instant(), answer)) as KeptAnswer).await;
    }

    /// The answer that was left a moment ago; it serves one question.
    pub(crate) async fn take<T: Clone + Send + Sync + 'static>(&self, thing: &CacheKey) -> Option<T> {
        self.take_at(thing, clock::this_instant()).await
    }

    async fn take_at<T: Clone + Send + Sync + 'static>(&self, thing: &CacheKey, now: Instant) -> Option<T> {
        let left = self.cache.remove(thing).await?;
        let (at, answer) = left.downcast_ref::<(Instant, T)>()?;
        (now.saturating_duration_since(*at) < HANDED_OVER_WITHIN).then(|| answer.clone())
    }

    /// The answer about `thing`: the kept one, one that is being asked for right now, or that of `ask`.
    ///
    /// With `fresh`, a kept answer is thrown away first: a person who reruns a step has changed something.
    pub(crate) fn get<T>(
        &self,
        thing: CacheKey,
        fresh: bool,
        ask: impl Future<Output = Observation<T>>,
    ) -> impl Future<Output = Observation<T>>
    where
        T: Clone + Send + Sync + 'static,
    {
        let asked = Box::pin(async {
            let observation = ask.await;
            if matches!(observation, Observation::Found(_) | Observation::NoData { .. }) {
                Ok(Arc::new(observation) as KeptAnswer)
            } else {
                Err(observation)
            }
        });
        async move {
            if fresh {
                self.cache.invalidate(&thing).await;
            }
            match self.cache.try_get_with(thing, asked).await {
                Ok(answer) => match answer.downcast_ref::<Observation<T>>() {
                    Some(observation) => observation.clone(),
                    None => Observation::Failed { error: "an answer of another kind was kept under this name".to_owned() },
                },
                Err(unanswered) => Observation::clone(&unanswered),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    async fn count(asked: &AtomicUsize, observation: Observation<u32>) -> Observation<u32> {
        tokio::task::yield_now().await;
        asked.fetch_add(1, Ordering::SeqCst);
        observation
    }

    #[tokio::test]
    async fn ten_at_once_ask_one_time_and_a_rerun_asks_again() {
        let answers = ResponseCache::new();
        let asked = AtomicUsize::new(0);
        let ask = |fresh| answers.get(CacheKey::Trails, fresh, count(&asked, Observation::Found(7)));
        let seen = futures::future::join_all((0..10).map(|_| ask(false))).await;
        assert!(seen.iter().all(|observation| observation.found() == Some(&7)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        ask(true).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_is_handed_over_serves_one_question_and_not_for_long() {
        let answers = ResponseCache::new();
        let thing = CacheKey::Description("prod/x".to_owned());
        answers.hand_over(thing.clone(), 7_u32).await;
        assert_eq!((answers.take::<u32>(&thing).await, answers.take::<u32>(&thing).await), (Some(7), None));
        answers.hand_over(thing.clone(), 7_u32).await;
        let later = clock::this_instant() + HANDED_OVER_WITHIN;
        assert_eq!(answers.take_at::<u32>(&thing, later).await, None);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let answers = ResponseCache::new();
        let asked = AtomicUsize::new(0);
        for _ in 0..2 {
            let failed = Observation::Failed { error: "broken".to_owned() };
            let seen = answers.get(CacheKey::Health, false, count(&asked, failed.clone())).await;
            assert_eq!(seen, failed);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
