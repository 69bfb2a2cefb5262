//! Over HTTP, beside everything else that `serve` answers.

use crate::lines::{initialization, refusal, text};
use crate::program::Program;
use crate::{account, scenario};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, ORIGIN};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rotation_diag::simulator::Simulator;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const HOLMES: &str = "3c6e0b8a9c15224a8228b9a98ca1531d";
const CURSOR: &str = "b5e4c1a09d8f7263514a3b2c1d0e9f88";

/// Two agents, one of which may ask about the secrets of production.
const CONFIG: &str = "
[mcp]
hosts = [\"127.0.0.1\", \"bot.example.com\"]
[[mcp.agent]]
name = \"holmes\"
token = \"env:HOLMES\"
[[mcp.agent]]
name = \"cursor\"
token = \"env:CURSOR\"
[[mcp.agent]]
name = \"guessable\"
token = \"env:GUESSABLE\"
[[allow]]
platform = \"mcp\"
workspace = \"local\"
channels = [\"mcp\"]
users = [\"holmes\"]
secrets = [\"prod/*\"]
actions = [\"investigate\", \"evidence\"]
[[allow]]
platform = \"mcp\"
workspace = \"local\"
channels = [\"mcp\"]
users = [\"guessable\"]
";

struct Served {
    folder: TempDir,
    program: Program,
    account: Simulator,
    /// One for all requests: each new one reads the machine's certificates.
    client: Client,
    calls: AtomicU64,
}

async fn serve_with(scenario: &str) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let account = account(scenario);
    let tokens = [("HOLMES", HOLMES), ("CURSOR", CURSOR), ("GUESSABLE", "opensesame")];
    let program = Program::start(folder.path(), CONFIG, &tokens, &account).await;
    Served { folder, program, account, client: client(), calls: AtomicU64::new(1) }
}

async fn serve() -> Served {
    serve_with(scenario("role_detached_policy")).await
}

/// An answer to a request.
struct HttpAnswer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl HttpAnswer {
    /// The messages of a stream of events.
    fn messages(&self) -> Vec<Value> {
        let data = self.text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).filter(|data| !data.is_empty());
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    fn result(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.messages().pop().unwrap_or_else(|| panic!("no message: {}", self.text))["result"].clone()
    }
}

fn client() -> Client {
    // Without a word, the TLS that plain HTTP never needs would be missing.
    rotation_diag::tls::choose();
    Client::builder().no_proxy().build().unwrap()
}

async fn sent(request: RequestBuilder) -> HttpAnswer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    HttpAnswer { status, headers, text: response.text().await.unwrap() }
}

impl Served {
    /// A question in the revision of the protocol that has no sessions.
    fn post_without_session(&self, secret: &str) -> RequestBuilder {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "a test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let parameters = json!({"name": "diagnose_secret", "arguments": {"secret": secret}, "_meta": meta});
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": parameters});
        self.post(Some(HOLMES), &message)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "diagnose_secret")
    }

    fn post(&self, token: Option<&str>, message: &Value) -> RequestBuilder {
        let request = self
            .client
            .request(Method::POST, format!("http://{}/mcp", self.program.address))
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(message.to_string());
        match token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// How many questions AWS was asked, but for the names of secrets, which the bot learns by itself.
    fn asked(&self) -> usize {
        self.account.calls().iter().filter(|call| call.operation != "ListSecrets").count()
    }

    /// Opens a session, and gives its id.
    async fn session(&self, token: &str) -> Result<String, HttpAnswer> {
        let opening = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialization()});
        let answer = sent(self.post(Some(token), &opening)).await;
        if answer.status != 200 {
            return Err(answer);
        }
        let id = answer.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(sent(self.post(Some(token), &opened).header("mcp-session-id", &id)).await.status, 202);
        Ok(id)
    }

    fn calling(&self, token: &str, session: &str, tool: &str, arguments: &Value) -> RequestBuilder {
        // Ids and tokens differ within a session: what comes goes to the call that has them.
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let parameters = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": number}});
        let message = json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": parameters});
        self.post(Some(token), &message).header("mcp-session-id", session).header("mcp-protocol-version", "2025-06-18")
    }

    async fn call(&self, token: &str, session: &str, tool: &str, arguments: &Value) -> HttpAnswer {
        sent(self.calling(token, session, tool, arguments)).await
    }
}

/// Who asked for what, and what was decided, as the program tells it.
async fn audit(folder: &Path) -> Vec<Value> {
    let mut command = crate::lines::command(None);
    let output = command.args(["audit", "--format", "json", "--config"]).arg(folder.join("config.toml")).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_token_or_comes_by_a_foreign_name_or_page_gets_nothing() {
    let served = serve().await;
    let opening = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialization()});
    for token in [None, Some(""), Some("wrong"), Some("opensesame"), HOLMES.get(1..)] {
        let answer = sent(served.post(token, &opening)).await;
        assert_eq!(answer.status, 401, "{token:?}: {}", answer.text);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert!(!answer.headers.contains_key("mcp-session-id"));
    }
    for host in ["rotation-diag.evil.example", "127.0.0.1.nip.io", "localhost.evil.example:80"] {
        assert_eq!(sent(served.post(Some(HOLMES), &opening).header(HOST, host)).await.status, 403, "{host}");
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1", "https://bot.example.com"] {
        assert_eq!(sent(served.post(Some(HOLMES), &opening).header(ORIGIN, origin)).await.status, 403, "{origin}");
    }
    assert_eq!(sent(served.post(Some(HOLMES), &opening).header(HOST, "bot.example.com")).await.status, 200);
    assert_eq!(served.asked(), 0);
    let log = served.program.end().await;
    assert!(log.contains("its token could be guessed") && log.contains("guessable"), "{log}");
    for token in [HOLMES, CURSOR, "opensesame"] {
        assert!(!log.contains(token), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_answered_what_its_rules_allow_and_each_question_is_in_the_audit_trail() {
    let served = serve().await;
    let session = served.session(HOLMES).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    let answer = served.call(HOLMES, &session, "diagnose_secret", &json!({"secret": "prod/orders-db"})).await;
    let report = answer.result();
    assert_eq!(report["structuredContent"]["findings"][0]["cause"], "iam_identity_policy_missing");
    assert_eq!(serde_json::from_str::<Value>(text(&report)).unwrap(), report["structuredContent"]);
    let progress = answer.messages().iter().filter(|message| message["method"] == "notifications/progress").count();
    assert!(progress >= 9, "{progress}");
    let evidence = served.call(HOLMES, &session, "evidence", &json!({"secret": "prod/orders-db", "step": 4})).await.result();
    assert_eq!(evidence["structuredContent"]["step"]["number"], 4);
    // What no rule allows is refused, and so is whom none names, also in the session of another.
    let asked = served.asked();
    let other = served.call(HOLMES, &session, "forecast", &json!({"secret": "test/orders-db"})).await.result();
    let nobody = served.call(CURSOR, &session, "diagnose_secret", &json!({"secret": "prod/orders-db"})).await.result();
    for refused in [&other, &nobody] {
        assert!(refusal(refused).contains("you are not allowed to do this here"), "{refused}");
    }
    assert_eq!(served.asked(), asked);
    let elsewhere = json!({"secret": "prod/orders-db", "region": "us-east-1"});
    served.call(HOLMES, &session, "diagnose_secret", &elsewhere).await.result();
    assert!(served.account.violations().is_empty());

    let lines: Vec<(String, String, String, String)> = audit(served.folder.path())
        .await
        .iter()
        .filter(|line| line["platform"] == "mcp")
        .map(|line| {
            let of = |field: &str| line[field].as_str().unwrap().to_owned();
            (of("person"), of("did"), of("subject"), of("decision"))
        })
        .collect();
    let expected = [
        ("holmes", "investigate", "prod/orders-db", "allowed"),
        ("holmes", "evidence", "prod/orders-db", "allowed"),
        ("holmes", "investigate", "test/orders-db", "refused"),
        ("cursor", "investigate", "prod/orders-db", "refused"),
        ("holmes", "investigate", "prod/orders-db", "allowed"),
    ];
    let expected = expected
        .map(|(person, did, subject, decision)| (person.to_owned(), did.to_owned(), subject.to_owned(), decision.to_owned()));
    assert_eq!(lines, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_at_once_are_answered_or_asked_to_wait() {
    let served = serve().await;
    let session = served.session(HOLMES).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    let arguments = json!({"secret": "prod/orders-db"});
    let calls = (0..100).map(|_| served.call(HOLMES, &session, "diagnose_secret", &arguments));
    let results: Vec<Value> = futures::future::join_all(calls).await.iter().map(HttpAnswer::result).collect();
    let (refused, answered): (Vec<&Value>, Vec<&Value>) = results.iter().partition(|result| result["isError"] == true);
    assert!((20..=30).contains(&answered.len()), "{} were answered", answered.len());
    assert!(answered.iter().all(|result| result["structuredContent"]["outcome"] == "root_cause"));
    assert!(refused.iter().all(|result| refusal(result).contains("calling too fast")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_bodies_are_bounded() {
    let served = serve().await;
    let mut sessions = Vec::new();
    let full = loop {
        match served.session(HOLMES).await {
            Ok(session) => sessions.push(session),
            Err(answer) => break answer,
        }
        assert!(sessions.len() <= 64, "there is no bound");
    };
    assert_eq!((sessions.len(), full.status.as_u16()), (64, 503), "{}", full.text);
    assert_eq!(full.headers["retry-after"], "60");
    // Whoever needs none is answered nevertheless.
    let answer = sent(served.post_without_session("prod/orders-db")).await;
    assert_eq!(answer.result()["structuredContent"]["outcome"], "root_cause", "{}", answer.text);
    // Those that are open go on, and one that is closed makes room.
    let listed = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let asked = |session: &str| served.post(Some(HOLMES), &listed).header("mcp-session-id", session);
    assert_eq!(sent(asked(&sessions[0])).await.result()["tools"].as_array().unwrap().len(), 5);
    let closing = served.client.delete(format!("http://{}/mcp", served.program.address)).header("mcp-session-id", &sessions[0]);
    assert!(sent(closing.header(AUTHORIZATION, format!("Bearer {HOLMES}"))).await.status.is_success());
    assert_eq!(sent(asked(&sessions[0])).await.status, 404);
    assert!(served.session(HOLMES).await.is_ok());

    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(1 << 20)}});
    assert_eq!(sent(served.post(Some(HOLMES), &long).header("mcp-session-id", &sessions[1])).await.status, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_revision_without_sessions_is_answered_too() {
    let served = serve().await;
    let answer = sent(served.post_without_session("prod/orders-db")).await;
    assert_eq!(answer.result()["structuredContent"]["outcome"], "root_cause", "{}", answer.text);
    assert!(!answer.headers.contains_key("mcp-session-id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_table_nobody_is_answered_and_alone_it_is_a_bot() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(scenario("healthy"));
    let console = "[console]\ntoken = \"env:PAGE\"\n";
    let program = Program::start(folder.path(), console, &[("PAGE", HOLMES)], &account).await;
    let served = Served { folder, program, account, client: client(), calls: AtomicU64::new(1) };
    let opening = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialization()});
    let answer = sent(served.post(Some(HOLMES), &opening)).await;
    assert!(
        answer.status.is_client_error() && !answer.headers.contains_key("mcp-session-id"),
        "{} {}",
        answer.status,
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_answers_nor_log_hold_what_was_masked() {
    let canary = "tiger9lily7canary";
    let leaking = scenario("role_detached_policy")
        .replace("run = { denied", &format!("run = {{ lines = [\"connecting with password={canary} to the database\"], denied"));
    let served = serve_with(&leaking).await;
    let session = served.session(HOLMES).await.unwrap_or_else(|answer| panic!("{}", answer.text));
    let mut said = String::new();
    for (tool, arguments) in [
        ("diagnose_secret", json!({"secret": "prod/orders-db"})),
        ("evidence", json!({"secret": "prod/orders-db", "step": 4})),
        ("explain_log_lines", json!({"lines": [format!("login with password={canary} failed")]})),
        ("diagnose_secret", json!({"secret": format!("password={canary}")})),
    ] {
        said.push_str(&served.call(HOLMES, &session, tool, &arguments).await.text);
    }
    assert!(said.contains("connecting with password="), "the line is not shown at all");
    assert!(!said.contains(canary), "an answer holds it");
    let log = served.program.end().await;
    assert!(!log.contains(canary), "{log}");
}
