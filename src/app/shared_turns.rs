//! What AWS allows all processes on one store only so often: the store gives out the turns.

use crate::aws::SharedTurns;
use crate::store::Store;
use async_trait::async_trait;
use std::time::Duration;

/// How long a turn is asked for; beyond, this process keeps its own limit.
const ASKING: Duration = Duration::from_secs(2);

#[async_trait]
impl SharedTurns for Store {
    async fn take(&self, name: &str, every: Duration) -> Option<Duration> {
        tokio::time::timeout(ASKING, self.next_call(name, every)).await.ok()?.ok()
    }
}
