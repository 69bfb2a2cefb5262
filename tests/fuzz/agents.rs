//! Messages of agents: whatever comes, each line that goes out is a message of the protocol, and the next request is answered.

use crate::{found, mutation::mutated};
use async_trait::async_trait;
use proptest::prelude::*;
use rotation_diag::mcp::{AgentQuestion, AgentServer, Investigated, Investigator, ToolRefusal};
use rotation_diag::playbook::Progress;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// Looks into nothing.
struct Nobody;

#[async_trait]
impl Investigator for Nobody {
    fn admit(&self, _: &str) -> Result<(), ToolRefusal> {
        Ok(())
    }

    async fn investigate(&self, _: &str, _: &AgentQuestion, _: &dyn Progress) -> Result<Investigated, ToolRefusal> {
        Err("nothing is looked into here".into())
    }
}

fn seeds() -> Vec<String> {
    let call = |tool: &str, arguments: &Value| {
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}).to_string()
    };
    let mut seeds = vec![
        call("diagnose_secret", &json!({"secret": "prod/orders-db", "region": "eu-west-1", "window": "7d", "steps": [1, 9]})),
        call("evidence", &json!({"secret": "prod/orders-db", "step": 4, "account": "prod"})),
        call("explain_log_lines", &json!({"lines": ["START RequestId: 1", "password: x"]})),
        call("explain_cause", &json!({"cause": "db_auth_failed"})),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x"}}).to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}).to_string(),
        json!({"jsonrpc": "2.0", "id": "x", "result": {}}).to_string(),
    ];
    seeds.extend(found("agents"));
    seeds
}

/// What the server says until it answers a ping that follows the lines.
async fn said_to(lines: &[String]) -> Vec<Value> {
    let (own, theirs) = tokio::io::duplex(1 << 20);
    let (from, to) = tokio::io::split(theirs);
    let serving = tokio::spawn(AgentServer::new(Arc::new(Nobody)).serve_lines(from, to));
    let (from, mut to) = tokio::io::split(own);
    let opening = json!({
        "jsonrpc": "2.0", "id": "opening", "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}},
    });
    let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    to.write_all(format!("{opening}\n{opened}\n").as_bytes()).await.unwrap();
    for line in lines {
        // A line break would make two of it.
        to.write_all(format!("{}\n", line.replace(['\n', '\r'], " ")).as_bytes()).await.unwrap();
    }
    to.write_all(format!("{}\n", json!({"jsonrpc": "2.0", "id": "the last", "method": "ping"})).as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let mut from = BufReader::new(from).lines();
    while let Some(line) = from.next_line().await.unwrap() {
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| Value::String(line));
        let is_last = message["id"] == "the last";
        said.push(message);
        if is_last {
            break;
        }
    }
    serving.abort();
    said
}

proptest! {
    #[test]
    fn whatever_an_agent_sends_the_next_request_is_answered(lines in prop::collection::vec(mutated(seeds()), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let said = runtime.block_on(said_to(&lines));
        prop_assert!(said.iter().all(|message| message["jsonrpc"] == "2.0"), "{said:?}");
        prop_assert!(said.last().is_some_and(|last| last["id"] == "the last"), "{said:?}");
    }
}
