//! A thousand ways through a network with sixty rules on them, and as many readings of that network.
//!
//! `cargo bench --bench network_evaluation`. Fails where the evaluations take longer than the budget. The second figure is a
//! yardstick of the machine: evaluating is cheaper than reading the same network from JSON.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops at a mistake of its own")]

use rotation_diag::diagnosis::network::{Reachability, to_database, to_service};
use rotation_diag::model::{FunctionFacts, Network, TargetDatabase};
use serde_json::{Value, json};
use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

const PATHS: u32 = 1_000;
const BUDGET: Duration = Duration::from_millis(50);
/// How long the evaluations may take, in readings of the network.
const MAX_RATIO: f64 = 1.0;
const ROUNDS: usize = 7;

fn found(value: Value) -> Value {
    json!({ "status": "found", "value": value })
}

/// Twenty rules of each group and of each ACL's direction; the one that lets the packets through is the last.
fn network() -> Value {
    let rule = |port: u16, peer: Value| json!({ "protocol": "tcp", "ports": { "from": port, "to": port }, "peer": peer });
    let rules = |last: Value| -> Vec<Value> {
        let others = (0..19_u16).map(|nth| rule(8_000 + nth, json!({ "range": format!("10.{nth}.0.0/16") })));
        others.chain([last]).collect()
    };
    let to_group =
        json!({ "group": { "id": "sg-fn", "owner": null, "vpc_id": null, "peering_id": null, "peering_status": null } });
    let everywhere = json!({ "range": "0.0.0.0/0" });
    let all = json!({ "protocol": "all", "ports": null, "peer": everywhere });
    let entries: Vec<Value> = [false, true]
        .iter()
        .flat_map(|is_egress| {
            (1..=20_u16).map(move |nth| {
                let last = nth == 20;
                json!({
                    "number": 10 * nth, "is_egress": is_egress, "is_allow": last, "protocol": if last { "all" } else { "tcp" },
                    "range": if last { "0.0.0.0/0".to_owned() } else { format!("192.168.{nth}.0/24") }, "ports": null
                })
            })
        })
        .collect();
    let subnet =
        |id: &str, range: &str| json!({ "id": id, "vpc_id": "vpc-1", "range": range, "zone": "eu-west-1a", "free_addresses": 9 });
    let routes = json!([
        { "destination": { "range": "10.0.0.0/16" }, "target": "local", "is_blackhole": false },
        { "destination": { "range": "0.0.0.0/0" }, "target": "nat-1", "is_blackhole": false }
    ]);
    let group = |id: &str, ingress: Vec<Value>, egress: Vec<Value>| json!({ "id": id, "name": null, "vpc_id": "vpc-1", "ingress": ingress, "egress": egress });
    json!({
        "vpcs": found(json!([{ "id": "vpc-1", "ranges": ["10.0.0.0/16"], "dns_support": true, "dns_hostnames": true }])),
        "subnets": found(json!([subnet("subnet-fn", "10.0.1.0/24"), subnet("subnet-db", "10.0.2.0/24")])),
        "route_tables": found(json!([
            { "id": "rtb-1", "vpc_id": "vpc-1", "is_main": true, "subnet_ids": [], "routes": routes }
        ])),
        "nat_gateways": found(json!([])),
        "network_acls": found(json!([
            { "id": "acl-1", "vpc_id": "vpc-1", "subnet_ids": ["subnet-fn", "subnet-db"], "entries": entries }
        ])),
        "security_groups": found(json!([
            group("sg-fn", Vec::new(), rules(all)),
            group("sg-db", rules(rule(5432, to_group.clone())), Vec::new()),
            group("sg-vpce", rules(rule(443, to_group)), Vec::new())
        ])),
        "prefix_lists": found(json!([])),
        "endpoints": found(json!([{
            "id": "vpce-1", "kind": "interface", "service": "com.amazonaws.eu-west-1.secretsmanager", "vpc_id": "vpc-1",
            "state": "available", "subnet_ids": ["subnet-db"], "route_table_ids": [], "security_group_ids": ["sg-vpce"],
            "private_dns": true, "policy": null
        }])),
        "peerings": found(json!([])),
        "transit_attachments": found(json!([])),
        "databases": found(json!([{
            "kind": "instance", "id": "orders", "engine": "postgres", "host": null, "address": null, "port": 5432,
            "status": "available", "vpc_id": "vpc-1", "subnet_ids": ["subnet-db"], "security_group_ids": ["sg-db"],
            "publicly_accessible": false, "tls": { "status": "not_applicable", "value": { "because": "not asked" } },
            "authority": null, "master_secret": null, "found_by": "configured"
        }]))
    })
}

fn function() -> FunctionFacts {
    let value = json!({
        "arn": "arn:aws:lambda:eu-west-1:111122223333:function:rotator", "state": null, "state_reason": null,
        "state_reason_code": null, "last_update_status": null, "last_update_reason": null, "last_update_reason_code": null,
        "runtime": null, "handler": null, "timeout_s": 30, "memory_mb": 128, "last_modified_at": null, "code_sha256": null,
        "architectures": [],
        "vpc": { "vpc_id": "vpc-1", "subnet_ids": ["subnet-fn"], "security_group_ids": ["sg-fn"] },
        "layers": [], "environment_names": [], "environment_error": null, "kms_key_arn": null,
        "role": "arn:aws:iam::111122223333:role/rotator", "log_group": "/aws/lambda/rotator", "log_format": null,
        "application_log_level": null, "reserved_concurrency": found(Value::Null)
    });
    serde_json::from_value(value).unwrap()
}

fn fastest(mut round: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() -> ExitCode {
    let text = network().to_string();
    let network: Network = serde_json::from_str(&text).unwrap();
    let function = function();
    let database: TargetDatabase = network.databases.found().unwrap().first().unwrap().clone();
    let judge = || {
        let service = to_service(&network, &function, "eu-west-1", "secretsmanager").map(|paths| paths.reach());
        let database = to_database(&network, &function, &database).map(|paths| paths.reach());
        (service, database)
    };
    assert_eq!(judge(), (Some(Reachability::Reachable), Some(Reachability::Reachable)), "the ways stand");
    let evaluated = fastest(|| {
        for _ in 0..PATHS / 2 {
            black_box(judge());
        }
    });
    let read = fastest(|| {
        for _ in 0..PATHS {
            black_box(serde_json::from_str::<Network>(&text).unwrap());
        }
    });
    let ratio = evaluated.as_secs_f64() / read.as_secs_f64();
    let mark = |fits: bool| if fits { "ok" } else { "TOO SLOW" };
    let (is_quick, is_light) = (evaluated <= BUDGET, ratio <= MAX_RATIO);
    println!(
        "{PATHS} ways with 60 rules each {:>8.2} ms   budget {} ms   {}",
        evaluated.as_secs_f64() * 1_000.0,
        BUDGET.as_millis(),
        mark(is_quick)
    );
    println!("to as many readings of the network {ratio:>5.2}        budget {MAX_RATIO}   {}", mark(is_light));
    if is_quick && is_light { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
