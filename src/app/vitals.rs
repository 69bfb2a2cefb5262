//! What works at this moment, for whoever asks: `/readyz`, and the metrics.

use crate::bot::Health;
use crate::chat::Alive;
use crate::metrics::BotMetrics;
use tokio_util::sync::CancellationToken;

/// The parts that are in no platform.
const PARTS: [&str; 2] = ["store", "work"];

pub(super) struct Vitals {
    pub(super) health: Health,
    /// The platforms' names: each is a part, which fails while its token is not accepted.
    pub(super) platforms: Vec<String>,
    pub(super) alive: Vec<(&'static str, Alive)>,
    pub(super) draining: CancellationToken,
}

impl Vitals {
    /// The parts that do not work. No names, accounts or tokens.
    pub(super) fn failing(&self) -> Vec<String> {
        let mut failing = self.health.failing_parts();
        failing.extend(self.alive.iter().filter(|(_, alive)| !alive()).map(|(platform, _)| connection(platform)));
        if self.draining.is_cancelled() {
            failing.push("stopping".to_owned());
        }
        failing
    }

    /// Says of every part whether it works.
    pub(super) fn count(&self, metrics: &BotMetrics) {
        let failing = self.failing();
        let parts = PARTS.into_iter().map(str::to_owned).chain(self.platforms.iter().cloned());
        for part in parts.chain(self.alive.iter().map(|(platform, _)| connection(platform))) {
            metrics.part_works(&part, !failing.contains(&part));
        }
        metrics.is_ready(failing.is_empty());
    }
}

fn connection(platform: &str) -> String {
    format!("{platform} connection")
}
