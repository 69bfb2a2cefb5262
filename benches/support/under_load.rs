//! What benchmarks of the program under load share: a Slack that takes everything, and waits with an end.

use rotation_diag::clock::Stopwatch;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a benchmark waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(600);

/// What Slack answers to any method, as far as the bot reads it.
pub(crate) fn answer(ts: &str, origin: &str) -> Value {
    json!({
        "ok": true, "ts": ts, "channel": "C1", "message": { "ts": ts, "text": "" }, "messages": [], "url": "https://x.slack.com/",
        "team": "x", "team_id": "T1", "user": "bot", "user_id": "UBOT", "bot_id": "BBOT", "usergroups": [],
        "upload_url": format!("{origin}/upload"), "file_id": "F1", "files": [],
    })
}

/// Waits for as long as a benchmark may wait for what must happen.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while !is_so() {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// Waits until the program says that it is ready.
pub(crate) async fn ready(client: &reqwest::Client, address: &str) {
    let watch = Stopwatch::start();
    while client.get(format!("http://{address}/readyz")).send().await.unwrap().status() != 200 {
        assert!(watch.elapsed() < PATIENCE, "never ready");
    }
}
