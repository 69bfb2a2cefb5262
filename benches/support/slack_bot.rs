//! The program as a Slack bot in a child process, and slash commands sent to it as Slack sends them.

use hmac::{Hmac, Mac};
use rotation_diag::clock::{Clock, Stopwatch};
use sha2::Sha256;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

pub(crate) const BOT_TOKEN: &str = "xoxb-1-2-benchmark";
pub(crate) const SECRET: &str = "benchmark-signing-secret";

/// Starts the program, or the build that ROTATION_DIAG_BINARY names; where it listens. `work` are further lines of the
/// configuration, `users` those who may ask, as TOML.
pub(crate) async fn start(folder: &Path, slack: &str, aws: &str, work: &str, users: &str) -> (Child, String) {
    let config = folder.join("config.toml");
    let text = format!(
        "default_region = \"eu-west-1\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n{work}\
         [slack]\nmode = \"http\"\nbot_token = \"env:BOT\"\nsigning_secret = \"env:SECRET\"\napi_url = \"{slack}\"\n\
         [[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"*\"]\nusers = [{users}]\n",
        folder.join("store.db").display(),
    );
    std::fs::write(&config, text).unwrap();
    let binary = std::env::var_os("ROTATION_DIAG_BINARY");
    let mut child = Command::new(binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_rotation-diag").into()))
        .args(["serve", "--config"])
        .arg(&config)
        .envs([("BOT", BOT_TOKEN), ("SECRET", SECRET), ("AWS_ENDPOINT_URL", aws)])
        .envs([("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let address = address(child.stderr.take().unwrap()).await.expect("the program listens");
    (child, address)
}

/// Waits for the line in which a program says where it listens, and reads on so that a full pipe stops nobody.
pub(crate) async fn address(output: impl AsyncRead + Send + Unpin + 'static) -> Option<String> {
    let mut lines = BufReader::new(output).lines();
    let address = loop {
        let line = lines.next_line().await.ok()??;
        if let Some((_, address)) = line.split_once("listens on http://") {
            break address.to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(address)
}

/// What came for a slash command.
pub(crate) struct Acknowledged {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) after: Duration,
}

/// Sends a slash command about `secret`, of one person in one channel.
pub(crate) async fn ask(
    client: &reqwest::Client,
    address: &str,
    (number, channel, user): (usize, usize, usize),
    secret: &str,
) -> Acknowledged {
    let secret: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let body = format!(
        "team_id=T1&channel_id=C{channel}&user_id=U{user}&command=%2Frotation-diag&text={secret}&trigger_id={number}.x&\
         response_url=http%3A%2F%2F127.0.0.1%3A9%2Fx&team_domain=x&channel_name=x&user_name=x&token=x&api_app_id=A1",
    );
    let timestamp = Clock::system().now().as_second().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let watch = Stopwatch::start();
    let answer = client
        .post(format!("http://{address}/slack/command"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", timestamp)
        .header("x-slack-signature", format!("v0={signature}"))
        .body(body)
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    Acknowledged { status, text, after: watch.elapsed() }
}
