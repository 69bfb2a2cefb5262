//! `rotation-diag serve` itself, between the fake and a simulated AWS account.

use crate::fake_discord::{CHANNEL, FakeDiscord, GUILD, Signer, TOKEN};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// An AWS account in which `prod/orders-db` does not rotate.
pub(crate) fn account() -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let scenario = Scenario::parse(text).unwrap();
    Simulator::start(scenario, Clock::system().now()).unwrap()
}

pub(crate) struct Program {
    child: Child,
    /// Where it answers over HTTP.
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts it with the store in `folder`, and waits until it listens.
    pub(crate) async fn start(fake: &FakeDiscord, account: &Simulator, folder: &Path, mode: &str) -> Program {
        let key: String = Signer::new().public_key().iter().map(|byte| format!("{byte:02x}")).collect();
        let config = format!(
            "default_region = \"eu-west-1\"\n\
             [[allow]]\nplatform = \"discord\"\nworkspace = \"{GUILD}\"\nchannels = [\"{CHANNEL}\"]\nusers = [\"*\"]\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [store]\npath = {:?}\n\
             [discord]\nmode = \"{mode}\"\nbot_token = \"env:DISCORD_BOT_TOKEN\"\napplication_id = \"{}\"\n\
             public_key = \"{key}\"\nguilds = [\"{GUILD}\"]\napi_url = \"{}\"\n",
            folder.join("store.db"),
            crate::fake_discord::APPLICATION,
            fake.api(),
        );
        let path = folder.join("config.toml");
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
            .arg("serve")
            .arg("--config")
            .arg(&path)
            .env_clear()
            .envs([
                ("DISCORD_BOT_TOKEN", TOKEN),
                ("AWS_ENDPOINT_URL", &account.endpoint_url()),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("RUST_LOG", "trace"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (told, listens) = tokio::sync::oneshot::channel();
        let written = Arc::clone(&log);
        tokio::spawn(async move {
            let mut told = Some(told);
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("rotation-diag listens on ") {
                    let _ = told.take().map(|told| told.send(address.to_owned()));
                }
                written.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let address = tokio::time::timeout(crate::fake_discord::SOON, listens).await;
        let address = address.unwrap().unwrap_or_else(|_| panic!("it does not listen: {}", log.lock().unwrap()));
        Program { child, address, log }
    }

    /// As `kill -9` does it.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// What it logged at the most talkative level, once it has ended.
    pub(crate) async fn end(mut self) -> String {
        self.child.kill().await.unwrap();
        let log = self.log.lock().unwrap();
        log.clone()
    }
}
