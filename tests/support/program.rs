//! `rotation-diag serve` as a child process.

#![allow(dead_code, reason = "several test programs use parts of it")]

use rotation_diag::simulator::Simulator;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Longer than a start takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, listening.
pub(crate) struct Program {
    child: Child,
    /// Where it answers over HTTP: host and port.
    pub(crate) address: String,
}

impl Program {
    /// Starts it with this configuration, the store in `folder`, and `account` as AWS; waits until it listens.
    pub(crate) async fn start(folder: &Path, config: &str, tokens: &[(&str, &str)], account: &Simulator) -> Program {
        let path = folder.join("config.toml");
        let store = folder.join("store.db");
        let places = format!("[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n", store.display());
        std::fs::write(&path, format!("default_region = \"eu-west-1\"\n{places}{config}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotation-diag"))
            .args(["serve", "--config"])
            .arg(&path)
            .env_clear()
            .envs(tokens.iter().copied())
            .env("HOME", folder)
            .env("AWS_ENDPOINT_URL", account.endpoint_url())
            .envs([("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")])
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listens = async {
            let mut said = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("listens on http://") {
                    return address.to_owned();
                }
                said.push(line);
            }
            panic!("it does not listen: {said:#?}");
        };
        let address = tokio::time::timeout(PATIENCE, listens).await.unwrap();
        // Nobody reads on; a full pipe must not stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Program { child, address }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
