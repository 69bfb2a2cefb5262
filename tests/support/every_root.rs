//! What a thread hangs on, in every scenario; nothing where nobody wants to see it.

use crate::worlds::{ID, investigated};
use futures::StreamExt as _;
use rotation_diag::chat::compose::{self, AfterVerdict};
use rotation_diag::chat::{Message, Screen};
use rotation_diag::report::Report;
use rotation_diag::simulator::Scenario;

/// The verdicts for `screen` as they look under `LOOKS`, by `root-` and the scenario's name.
pub(crate) async fn every_root(screen: Screen) -> Vec<(String, Message)> {
    if std::env::var_os("LOOKS").is_none() {
        return Vec::new();
    }
    let verdict = async |name: &str| {
        let investigation = investigated(name).await;
        let report = Report::new(&investigation).in_account(Some("prod"));
        let verdict = compose::verdict(&report, &ID.parse().unwrap(), 1, &AfterVerdict::default(), screen);
        (format!("root-{}", name.replace('_', "-")), verdict)
    };
    let names: Vec<&str> = Scenario::embedded().map(|(name, _)| name).collect();
    futures::stream::iter(names).map(verdict).buffered(4).collect().await
}
