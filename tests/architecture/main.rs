//! The invariants that `src/lib.rs` promises, checked in the source; each check is shown to find what it forbids.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod source;

use regex::Regex;
use source::{Function, Source};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Something the source must not contain.
struct Law {
    name: &'static str,
    /// The modules it holds for.
    scope: Scope,
    pattern: &'static str,
    /// A place and a line that break it.
    breach: (&'static str, &'static str),
}

enum Scope {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
    /// Paths that begin so.
    Under(&'static [&'static str]),
}

impl Scope {
    fn covers(&self, source: &Source) -> bool {
        match self {
            Scope::Only(modules) => modules.contains(&source.module()),
            Scope::AllBut(modules) => !modules.contains(&source.module()),
            Scope::Under(beginnings) => beginnings.iter().any(|beginning| source.path.starts_with(beginning)),
        }
    }
}

const LAWS: &[Law] = &[
    Law {
        name: "the pure modules know no async",
        scope: Scope::Only(&["model", "redact", "lambda_log", "function_code", "diagnosis"]),
        pattern: r"\basync (fn|move)\b|\basync[{|]|\.await\b|\btokio::|\bfutures::",
        breach: ("model/x.rs", "pub async fn f() {}"),
    },
    Law {
        name: "a package is read without files, network or other programs",
        scope: Scope::Only(&["function_code"]),
        pattern: r"\bstd::(fs|net|env|process)\b|\baxum::|\breqwest::",
        breach: ("function_code/x.rs", "std::process::Command::new(\"python3\");"),
    },
    Law {
        name: "the pure modules know no network, files or environment",
        scope: Scope::Only(&["model", "redact", "lambda_log", "diagnosis"]),
        pattern: r"\bstd::(fs|net|env|process|thread)\b|\baxum::",
        breach: ("diagnosis/x.rs", "let key = std::env::var(\"KEY\");"),
    },
    Law {
        name: "AWS's SDK is named only in aws and playbook",
        scope: Scope::AllBut(&["aws", "playbook"]),
        pattern: r"\baws_(sdk|config|smithy|runtime|types)\w*",
        breach: ("cli/x.rs", "use aws_sdk_iam::Client;"),
    },
    Law {
        name: "the Query client is asked only by the closed set of its actions",
        scope: Scope::AllBut(&[]),
        pattern: r#"\.send(::<[^>]*>)?\(\s*"[A-Z]|"Action=|append_pair\(\s*"Action",\s*""#,
        breach: ("aws/x.rs", "self.ec2.send(\"RebootInstances\", &[]).await"),
    },
    Law {
        name: "a secret's value is never asked for",
        scope: Scope::AllBut(&[]),
        pattern: r"\b(batch_)?get_secret_value\b|\bget_random_password\b|\bunmask\(",
        breach: ("playbook/x.rs", "aws.secretsmanager.get_secret_value().send().await"),
    },
    Law {
        name: "nothing in AWS is changed",
        scope: Scope::Only(&["aws", "playbook"]),
        pattern: r"\.(add|attach|cancel|create|delete|detach|disable|enable|invoke|publish|put|remove|replicate|restore|revoke|rotate|schedule_key|start_query|stop|tag|untag|update)(_[a-z0-9]+)*\(\)",
        breach: ("playbook/x.rs", "aws.secretsmanager\n    .rotate_secret()\n    .secret_id(id)"),
    },
    Law {
        name: "the time is asked only in clock",
        scope: Scope::AllBut(&["clock"]),
        pattern: r"\b(Timestamp|SystemTime|Instant|Zoned|ZonedDateTime|Utc)::now\(",
        breach: ("diagnosis/x.rs", "let now = jiff::Timestamp::now();"),
    },
    Law {
        name: "connections, claims and deliveries are kept by a clock that never jumps",
        scope: Scope::Under(&[
            "platforms/slack/socket",
            "platforms/slack/rate_limiter",
            "platforms/discord/gateway",
            "platforms/discord/pulse",
            "platforms/discord/rate_limiter",
            "bot/delivery",
            "bot/worker",
        ]),
        pattern: r"\b(Clock|Timestamp|SystemTime)\b",
        breach: ("platforms/slack/socket/x.rs", "let seen_at = Clock::system();"),
    },
    Law {
        name: "ids are made only by the engine",
        scope: Scope::AllBut(&["investigation"]),
        pattern: r"\bUuid::(new_v|now_v)|\bgetrandom::",
        breach: ("playbook/x.rs", "let id = Uuid::new_v4();"),
    },
    Law {
        name: "nobody prints",
        scope: Scope::AllBut(&[]),
        pattern: r"\b(e?print(ln)?|dbg)!",
        breach: ("cli/x.rs", "println!(\"{secret}\");"),
    },
    Law {
        name: "only the command line writes to the terminal",
        scope: Scope::AllBut(&["cli"]),
        pattern: r"\bstd(out|err)\(\)|\banstream::(stdout|stderr)",
        breach: ("aws/x.rs", "write!(std::io::stderr(), \"{error}\")"),
    },
    Law {
        name: "redaction and composition are the only constructors of SafeText",
        scope: Scope::AllBut(&["redact"]),
        pattern: r"\bSafeText\(|\bSafeText\{0:|transmute|\bimpl\b[^{;]*\b(From|Default|Deserialize)\b[^{;]*\bfor SafeText\b",
        breach: ("cli/x.rs", "let text = SafeText(raw);"),
    },
    Law {
        name: "what was read becomes no words of the source",
        scope: Scope::AllBut(&[]),
        pattern: r"\.leak\(\)|::leak\b",
        breach: ("cli/x.rs", "let words: &'static str = asked.leak();"),
    },
];

/// What each module may name; nothing else points its way.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("backoff", &[]),
    ("http_body", &[]),
    ("tls", &[]),
    ("metrics", &["model"]),
    ("spans", &["model"]),
    ("redact", &["model"]),
    ("report", &["model", "redact"]),
    ("lambda_log", &["model"]),
    ("function_code", &["model"]),
    ("diagnosis", &["model", "lambda_log"]),
    ("aws", &["model", "clock", "http_body", "tls", "metrics", "spans"]),
    ("playbook", &["model", "clock", "spans", "aws", "lambda_log", "function_code"]),
    ("simulator", &["model", "clock"]),
    ("config", &["model", "redact"]),
    ("chat", &["model", "metrics", "redact", "report", "config", "chart"]),
    ("chart", &["model", "redact", "report"]),
    ("store", &["model", "clock", "backoff", "redact", "config", "chat"]),
    ("alarm", &["model", "clock", "http_body", "tls", "redact", "config", "aws"]),
    ("investigation", &["model", "clock", "redact", "diagnosis", "aws", "playbook"]),
    ("answers", &["model", "redact", "report", "diagnosis"]),
    ("mcp", &["model", "redact", "report", "playbook", "answers", "config", "chat"]),
    (
        "bot",
        &[
            "model",
            "clock",
            "backoff",
            "metrics",
            "spans",
            "redact",
            "report",
            "diagnosis",
            "aws",
            "playbook",
            "config",
            "chat",
            "chart",
            "store",
            "alarm",
            "investigation",
            "mcp",
        ],
    ),
    ("platforms", &["model", "clock", "backoff", "http_body", "tls", "metrics", "redact", "report", "config", "chart", "chat"]),
    (
        "app",
        &[
            "model",
            "clock",
            "http_body",
            "tls",
            "metrics",
            "redact",
            "diagnosis",
            "aws",
            "playbook",
            "simulator",
            "config",
            "chat",
            "platforms",
            "store",
            "alarm",
            "investigation",
            "mcp",
            "bot",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "clock",
            "tls",
            "spans",
            "redact",
            "chat",
            "report",
            "function_code",
            "diagnosis",
            "aws",
            "playbook",
            "simulator",
            "config",
            "store",
            "investigation",
            "answers",
            "mcp",
            "bot",
            "app",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Everything below `src`; files that are compiled for tests alone are known by whoever declares them.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let src = root().join("src");
    let files = rust_files(&src);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let read =
        |path: &PathBuf| (path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    let texts: Vec<(String, String)> = files.iter().map(read).collect();
    let sources: Vec<Source> = texts.iter().map(|(path, text)| Source::new(path, text)).collect();
    let of_tests: BTreeSet<String> = sources.iter().flat_map(|source| source.test_files.clone()).collect();
    let is_of_tests = |path: &str| {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        of_tests.iter().any(|test| module == test || module.strip_prefix(test).is_some_and(|rest| rest.starts_with('/')))
    };
    let again = |(source, (path, text)): (Source, &(String, String))| {
        if is_of_tests(path) { Source::of_tests(path, text) } else { source }
    };
    sources.into_iter().zip(&texts).map(again).collect()
});

/// A line of the source, or an item.
fn source_of(path: &str, text: &str) -> Source {
    match syn::parse_file(text) {
        Ok(_) => Source::new(path, text),
        Err(_) => Source::new(path, &format!("fn breach() {{ {text} }}")),
    }
}

fn breaches(law: &Law, sources: &[Source]) -> Vec<String> {
    let pattern = Regex::new(law.pattern).unwrap();
    let covered = sources.iter().filter(|source| law.scope.covers(source));
    let found = covered.flat_map(|source| {
        pattern.find_iter(&source.code).map(|found| format!("{}: {}: {}", law.name, source.path, found.as_str()))
    });
    found.collect()
}

fn wrong_directions(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == source.module()) else {
            wrong.push(format!("{}: the module has no place in the order", source.path));
            continue;
        };
        let of_this_crate = |name: &str| MAY_USE.iter().any(|(module, _)| *module == name);
        for target in source.named.iter().filter(|target| of_this_crate(target)) {
            if target != source.module() && !allowed.contains(&target.as_str()) {
                wrong.push(format!("{} must not know {target}", source.path));
            }
        }
    }
    wrong
}

/// Tests that look again and again at what another process, a raw socket or the store's own thread does: none of these keeps
/// the clock of the test's runtime. They wait for an event, within a deadline that only a failure reaches.
const LOOK_AGAIN: &[(&str, &str)] = &[
    ("app/web/tests.rs", "trickle"),
    ("app/web/tests.rs", "until"),
    ("store/tests/claims.rs", "claim_in_time"),
    ("store/tests/replicas.rs", "look_again"),
    ("tests/bot/crash.rs", "a_signal_closes_the_intake_and_leaves_the_rest_to_the_next_start"),
    ("tests/bot/crash.rs", "until"),
    ("tests/bot/replicas.rs", "until_readiness"),
    ("tests/bot/flows.rs", "what_ends_of_the_process_cut_short_again_and_again_is_done_all_the_same"),
    ("tests/setup/chats.rs", "the_documented_web_console_alone_is_a_bot_and_lets_in_whoever_has_the_token"),
    ("tests/slack/refusals.rs", "the_file_of_a_message_whose_answer_was_lost_follows_it"),
    ("tests/slack/refusals.rs", "until"),
    ("tests/support/program.rs", "logged"),
    ("tests/support/sns_signer.rs", "drip"),
    ("tests/webhook/program.rs", "a_full_disk_turns_readiness_to_503_and_room_turns_it_back"),
    ("tests/webhook/program.rs", "killed_at_any_moment_after_the_last_byte_it_makes_one_thread"),
    ("tests/webhook/program.rs", "killed_before_it_answered_it_makes_one_thread_of_what_sns_sends_again"),
];

/// What waits for the wall clock, or measures by it: by whatever clock, where the runtime does not hold it; and by the machine's
/// own everywhere.
fn waits_for_the_wall_clock(source: &Source) -> Vec<String> {
    let machine = Regex::new(r"\bSystemTime\b|\bthread::sleep\b|\bstd::time::(\{[^}]*\bInstant\b|Instant\b)").unwrap();
    let running = Regex::new(r"\bInstant::now\(|\.elapsed\(\)|\bsleep(_until)?\(|\bStopwatch::start\(").unwrap();
    let by_machine = machine.find_iter(&source.test_code).map(|found| format!("{}: {}", source.path, found.as_str()));
    let again = Regex::new(r"\binterval(_at)?\(").unwrap();
    let looks_again = |test: &&Function| !test.is_paused && !LOOK_AGAIN.contains(&(source.path.as_str(), test.name.as_str()));
    let looks =
        source.tests.iter().filter(looks_again).flat_map(|test| {
            again.find_iter(&test.code).map(|found| format!("{}: {}: {}", source.path, test.name, found.as_str()))
        });
    let by_running = source.tests.iter().filter(|test| !test.is_paused).flat_map(|test| {
        running.find_iter(&test.code).map(|found| format!("{}: {}: {}", source.path, test.name, found.as_str()))
    });
    by_machine.chain(by_running).chain(looks).collect()
}

#[test]
fn the_source_keeps_every_law() {
    let broken: Vec<String> = LAWS.iter().flat_map(|law| breaches(law, &SOURCES)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    for law in LAWS {
        let Scope::Under(beginnings) = law.scope else { continue };
        for beginning in beginnings {
            let is_there = SOURCES.iter().any(|source| source.path.starts_with(beginning));
            assert!(is_there, "{}: nothing is at {beginning}", law.name);
        }
    }
}

#[test]
fn every_law_can_be_broken_and_holds_only_where_it_should() {
    for law in LAWS {
        let (path, text) = law.breach;
        assert_eq!(breaches(law, &[source_of(path, text)]).len(), 1, "{}", law.name);
        let comment = format!("// {}", text.replace('\n', "\n// "));
        assert!(breaches(law, &[source_of(path, &comment)]).is_empty(), "{}", law.name);
        assert!(breaches(law, &[source_of(path, &comment.replace("// ", "//! "))]).is_empty(), "{}", law.name);
        if let Scope::AllBut([exempt, ..]) = law.scope {
            assert!(breaches(law, &[source_of(&format!("{exempt}.rs"), text)]).is_empty(), "{}", law.name);
        }
    }
}

/// The actions of the Query client that do not only show something. Their names are texts, which no law on methods sees.
fn changing_actions(sources: &[Source]) -> (usize, Vec<String>) {
    let action = Regex::new(r#"\bconst (?:ACTION|CALL): ?&'static str ?= ?"(?:[a-z0-9]+:)?(\w+)""#).unwrap();
    let all = sources.iter().flat_map(|source| action.captures_iter(&source.code).map(|found| found[1].to_owned()));
    let all: Vec<String> = all.collect();
    // EC2 has no action that begins with Describe and tells what a prefix list or a transit gateway's table holds.
    let others = ["GetManagedPrefixListEntries", "SearchTransitGatewayRoutes"];
    let shows = |name: &&String| name.starts_with("Describe") || others.contains(&name.as_str());
    (all.len(), all.iter().filter(|name| !shows(name)).cloned().collect())
}

#[test]
fn every_action_of_the_query_client_only_shows_something() {
    let (known, changing) = changing_actions(&SOURCES);
    assert!(known >= 30, "{known} names of actions");
    assert_eq!(changing, Vec::<String>::new());
    let breach = "impl Action for X { const ACTION: &'static str = \"RevokeSecurityGroupIngress\"; }";
    assert_eq!(changing_actions(&[source_of("aws/x.rs", breach)]), (1, vec!["RevokeSecurityGroupIngress".to_owned()]));
}

#[test]
fn a_breach_is_found_wherever_it_stands_but_in_tests() {
    let law = LAWS.iter().find(|law| law.name == "nobody prints").unwrap();
    let found = |text: &str| breaches(law, &[Source::new("cli/x.rs", text)]).len();
    for (text, expected) in [
        ("fn f() { println!(\"x\"); }", 1),
        ("#[cfg(test)] mod tests { fn f() { println!(\"x\"); } }", 0),
        ("#[cfg(test)] mod tests { fn f() { println!(\"x\"); } } fn g() { println!(\"y\"); }", 1),
        ("#[cfg(test)] use x::Y; fn g() { println!(\"y\"); }", 1),
        ("#[cfg(test)] mod testing; fn g() { println!(\"y\"); }", 1),
        ("impl X { #[cfg(test)] fn f(&self) { println!(\"x\"); } fn g(&self) { println ! (\"y\"); } }", 1),
        ("mod inner { #[cfg(test)] fn f() { println!(\"x\"); } fn g() { println!(\"y\"); } }", 1),
        ("fn f() { #[cfg(test)] fn inner() { println!(\"x\"); } inner(); println!(\"y\"); }", 1),
        ("#[cfg(all(test, unix))] fn f() { println!(\"x\"); }", 0),
        ("#[cfg(not(test))] fn f() { println!(\"x\"); }", 1),
        ("#[cfg(any(test, unix))] fn f() { println!(\"x\"); }", 1),
        ("/// #[cfg(test)]\nfn f() { println!(\"x\"); }", 1),
        ("const X: &str = \"#[cfg(test)]\"; fn f() { println!(\"x\"); }", 1),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn modules_depend_one_way() {
    let wrong = wrong_directions(&SOURCES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_dependency_against_the_order_is_found() {
    assert_eq!(wrong_directions(&[Source::new("model/x.rs", "use crate::aws::Aws;")]), ["model/x.rs must not know aws"]);
    assert_eq!(wrong_directions(&[Source::new("newcomer.rs", "")]), ["newcomer.rs: the module has no place in the order"]);
    assert!(wrong_directions(&[Source::new("cli/x.rs", "use crate::aws::Aws;")]).is_empty());
    let grouped = "#[cfg(test)] mod tests { use crate::app::App; }\nuse crate::{model::{A, B}, aws::Aws};";
    assert_eq!(wrong_directions(&[Source::new("model/x.rs", grouped)]), ["model/x.rs must not know aws"]);
}

#[test]
fn the_order_has_no_cycle_and_the_code_map_names_every_module() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (module, allowed) in MAY_USE {
        for used in *allowed {
            let (_, back) = MAY_USE.iter().find(|(name, _)| name == used).unwrap();
            assert!(!back.contains(module), "{module} and {used} know each other");
        }
        assert!(["main", "lib"].contains(module) || map.contains(&format!("| [`{module}`]")), "{module} is not in the code map");
    }
}

#[test]
fn tests_never_wait_for_the_wall_clock() {
    let tests = root().join("tests");
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&tests).unwrap().to_str().unwrap();
        Source::of_tests(&format!("tests/{name}"), &fs::read_to_string(path).unwrap())
    };
    // Data is read by tests, and compiled by nobody.
    let compiled = |path: &&PathBuf| !path.starts_with(tests.join("data"));
    let files: Vec<Source> = rust_files(&tests).iter().filter(compiled).map(read).collect();
    let waits: Vec<String> = SOURCES.iter().chain(&files).flat_map(waits_for_the_wall_clock).collect();
    assert!(waits.is_empty(), "{}", waits.join("\n"));
    for (path, name) in LOOK_AGAIN {
        let mut tests = SOURCES.iter().chain(&files).filter(|source| source.path == *path).flat_map(|source| &source.tests);
        assert!(
            tests.any(|test| test.name == *name && test.code.contains("interval(")),
            "{path}: {name} needs no exception any more"
        );
    }
}

#[test]
fn a_wait_for_the_wall_clock_is_found_however_it_is_written() {
    let waits = |text: &str| waits_for_the_wall_clock(&Source::of_tests("tests/x.rs", text)).len();
    for (text, expected) in [
        ("#[tokio::test] async fn t() { tokio::time::sleep(SOON).await; }", 1),
        ("#[tokio::test(start_paused = true)] async fn t() { tokio::time::sleep(SOON).await; }", 0),
        ("#[tokio::test(start_paused = true)] async fn t() { std::thread::sleep(SOON); }", 1),
        ("#[test] fn t() { let start = Instant::now(); f(); assert!(start.elapsed() > SOON); }", 2),
        ("use std::time::{Duration, Instant};", 1),
        ("use std::time::Duration; use tokio::time::Instant;", 0),
        ("#[tokio::test] async fn t() { let watch = Stopwatch::start(); }", 1),
        ("#[tokio::test] async fn t() { let mut pause = tokio::time::interval(SOON); pause.tick().await; }", 1),
        ("fn t() { assert!(source.contains(\"thread::sleep(Duration::ZERO)\")); }", 0),
        ("#[tokio::test] async fn t() { tokio::time::timeout(SOON, answer()).await.unwrap(); }", 0),
        ("/// It never sleeps: no sleep() is called.\nfn t() {}", 0),
    ] {
        assert_eq!(waits(text), expected, "{text}");
    }
    let within =
        Source::new("x.rs", "#[cfg(test)] mod tests { async fn t() { sleep(SOON).await } } async fn f() { sleep(SOON).await }");
    assert_eq!(waits_for_the_wall_clock(&within), ["x.rs: t: sleep("]);
}

#[test]
fn an_alarm_crosses_into_the_bot_at_four_places() {
    let crossing =
        Regex::new(r"\bimpl NoticeIntake for\b|\bScope\s*::\s*of\b|\balarm\s*::\s*(resolve_secrets|decide)\b").unwrap();
    let inside = SOURCES.iter().filter(|source| source.path.starts_with("bot/"));
    let mut found: Vec<String> =
        inside.flat_map(|source| crossing.find_iter(&source.code).map(|found| found.as_str().replace(' ', ""))).collect();
    found.sort();
    assert_eq!(found, ["Scope::of", "alarm::decide", "alarm::resolve_secrets", "implNoticeIntakefor"]);
}

#[test]
fn unsafe_code_is_forbidden_by_the_manifest() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}
