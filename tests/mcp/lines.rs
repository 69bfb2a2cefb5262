//! `rotation-diag mcp` as a child process, and a client that writes lines.

use crate::environment::NO_ACCOUNT;
use rotation_diag::simulator::Simulator;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program with nothing of this machine's configuration, and `account` as AWS.
pub(crate) fn command(account: Option<&Simulator>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
    command.env_clear().envs(NO_ACCOUNT).kill_on_drop(true);
    if let Some(account) = account {
        let credentials = [("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")];
        command.env("AWS_ENDPOINT_URL", account.endpoint_url()).env("AWS_REGION", "eu-west-1").envs(credentials);
    }
    command
}

/// A client that is connected.
pub(crate) struct LineClient {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: ChildStderr,
    next: u64,
    /// What came that answers nothing.
    pub(crate) notices: Vec<Value>,
}

/// What was left when the client closed its side.
pub(crate) struct Left {
    pub(crate) status: i32,
    /// What stood on standard output after all answers.
    pub(crate) output: String,
    pub(crate) log: String,
}

impl LineClient {
    /// Starts the program with these arguments after `mcp`, and opens the session.
    pub(crate) async fn start(arguments: &[&str], account: Option<&Simulator>) -> LineClient {
        let mut command = command(account);
        command.args(["--verbose", "mcp"]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        let stderr = child.stderr.take().unwrap();
        let mut client = LineClient { child, stdin, stdout, stderr, next: 1, notices: Vec::new() };
        let opened = client.ask("initialize", &initialization()).await;
        assert_eq!(opened["result"]["serverInfo"]["name"], "rotation-diag", "{opened}");
        client.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    pub(crate) async fn write(&mut self, message: &Value) {
        self.stdin.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// Sends a request, and gives its id.
    pub(crate) async fn send(&mut self, method: &str, parameters: &Value) -> u64 {
        let id = self.next;
        self.next += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters})).await;
        id
    }

    /// The next message. Every line is one: nothing else may stand on standard output.
    pub(crate) async fn read(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.stdout.next_line()).await.unwrap().unwrap().unwrap();
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// The answer to a request.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.read().await;
            if message["id"] == id {
                return message;
            }
            self.notices.push(message);
        }
    }

    pub(crate) async fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.send(method, parameters).await;
        self.answer(id).await
    }

    /// The result of a tool.
    pub(crate) async fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments})).await["result"].clone()
    }

    /// Closes standard input, and waits for the program's end.
    pub(crate) async fn close(self) -> Left {
        let LineClient { mut child, stdin, mut stdout, mut stderr, .. } = self;
        drop(stdin);
        let end = async {
            let mut output = String::new();
            while let Some(line) = stdout.next_line().await.unwrap() {
                output.push_str(&line);
            }
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.unwrap();
            Left { status: child.wait().await.unwrap().code().unwrap(), output, log }
        };
        tokio::time::timeout(PATIENCE, end).await.unwrap()
    }
}

/// What a client says first.
pub(crate) fn initialization() -> Value {
    json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}})
}

/// The text of a result.
pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"))
}

/// The text of a result that is a refusal.
pub(crate) fn refusal(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    text(result)
}
