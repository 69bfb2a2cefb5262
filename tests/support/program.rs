//! `rotation-diag serve` as a child process.

#![allow(dead_code, reason = "several test programs use parts of it")]

use rotation_diag::simulator::Simulator;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
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
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts it with this configuration, the store in `folder`, and `account` as AWS; waits until it listens. `environment`
    /// holds the tokens that the configuration names.
    pub(crate) async fn start(folder: &Path, config: &str, environment: &[(&str, &str)], account: &Simulator) -> Program {
        let path = folder.join("config.toml");
        let store = folder.join("store.db");
        let places = format!("[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n", store.display());
        std::fs::write(&path, format!("default_region = \"eu-west-1\"\n{places}{config}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
        command
            .args(["serve", "--config"])
            .arg(&path)
            .env_clear()
            .envs(environment.iter().copied())
            .env("HOME", folder)
            .env("AWS_ENDPOINT_URL", account.endpoint_url())
            .envs([("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")])
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Program::launch(command).await
    }

    /// Starts this command, and waits until it listens.
    pub(crate) async fn launch(mut command: Command) -> Program {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (told, listens) = tokio::sync::oneshot::channel();
        let written = Arc::clone(&log);
        // Read to its end: a full pipe must not stop it.
        tokio::spawn(async move {
            let mut told = Some(told);
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("listens on http://") {
                    // In a JSON log more follows.
                    let address = address.split('"').next().unwrap_or_default();
                    let _ = told.take().map(|told| told.send(address.to_owned()));
                }
                written.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let address = tokio::time::timeout(PATIENCE, listens).await.unwrap();
        let address = address.unwrap_or_else(|_| panic!("it does not listen: {}", log.lock().unwrap()));
        Program { child, address, log }
    }

    /// Sends a signal, such as `HUP`.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
    }

    /// Waits until it has ended by itself: its status, and what it logged.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        (status.code(), self.log.lock().unwrap().clone())
    }

    /// Waits until it has logged a line with these words, and returns that line.
    pub(crate) async fn logged(&self, words: &str) -> String {
        let looking = async {
            let mut look = tokio::time::interval(Duration::from_millis(20));
            loop {
                look.tick().await;
                let log = self.log.lock().unwrap().clone();
                if let Some(line) = log.lines().find(|line| line.contains(words)) {
                    return line.to_owned();
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("{words:?} was not logged: {}", self.log.lock().unwrap()))
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGKILL; what it logged until then.
    pub(crate) async fn end(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.lock().unwrap().clone()
    }
}
