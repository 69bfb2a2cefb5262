//! The invariants that `src/lib.rs` promises, checked in the source; each check is shown to find what it forbids.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

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
        scope: Scope::Only(&["model", "redact", "lambda_log", "diagnosis"]),
        pattern: r"\basync\s+(fn|move)\b|\basync\s*[{|]|\.await\b|\btokio::|\bfutures::",
        breach: ("model/x.rs", "pub async fn f() {}"),
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
        pattern: r"\baws_(sdk|config|smithy)\w*",
        breach: ("cli/x.rs", "use aws_sdk_iam::Client;"),
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
        pattern: r"\.\s*(add|attach|cancel|create|delete|detach|disable|enable|invoke|publish|put|remove|replicate|restore|revoke|rotate|schedule_key|start_query|stop|tag|untag|update)(_[a-z0-9]+)*\(\)",
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
        name: "redaction is the only constructor of SafeText",
        scope: Scope::AllBut(&["redact"]),
        pattern: r"\bSafeText\s*\(|\bSafeText\s*\{\s*0\s*:|transmute|impl\S*\s+(From<\S+>|Default|Deserialize\S*)\s+for\s+SafeText",
        breach: ("cli/x.rs", "let text = SafeText(raw);"),
    },
];

/// What each module may name; nothing else points its way.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("http_body", &[]),
    ("redact", &["model"]),
    ("report", &["model", "redact"]),
    ("lambda_log", &["model"]),
    ("diagnosis", &["model", "lambda_log"]),
    ("aws", &["model", "clock"]),
    ("playbook", &["model", "clock", "aws", "lambda_log"]),
    ("simulator", &["model", "clock"]),
    ("config", &["model", "redact"]),
    ("chat", &["model", "redact", "report", "chart"]),
    ("chart", &["model", "redact", "report"]),
    ("store", &["model", "clock", "redact", "chat"]),
    ("alarm", &["model", "clock", "http_body", "redact", "config", "aws"]),
    ("investigation", &["model", "clock", "redact", "diagnosis", "aws", "playbook"]),
    (
        "bot",
        &[
            "model",
            "clock",
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
        ],
    ),
    ("platforms", &["model", "clock", "http_body", "redact", "report", "config", "chart", "chat"]),
    (
        "app",
        &[
            "model",
            "clock",
            "redact",
            "aws",
            "playbook",
            "simulator",
            "config",
            "chat",
            "platforms",
            "store",
            "alarm",
            "investigation",
            "bot",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "clock",
            "redact",
            "chat",
            "report",
            "diagnosis",
            "aws",
            "playbook",
            "simulator",
            "config",
            "store",
            "investigation",
            "bot",
            "app",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

struct Source {
    /// Relative to `src`.
    path: String,
    /// Without comments and tests.
    code: String,
    tests: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let code: Vec<&str> = text.lines().map(without_comment).collect();
        let code = code.join("\n");
        let (code, tests) = code.split_once("#[cfg(test)]").unwrap_or((&code, ""));
        Source { path: path.to_owned(), code: code.to_owned(), tests: tests.to_owned() }
    }

    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

fn without_comment(line: &str) -> &str {
    match line.split_once("//") {
        Some((code, _)) if !code.ends_with(':') => code,
        _ => line,
    }
}

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

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let files = rust_files(&src);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        Source::new(&name, &fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
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
    let named = Regex::new(r"\bcrate::\{?([a-z_]+)").unwrap();
    let mut wrong = Vec::new();
    for source in sources {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == source.module()) else {
            wrong.push(format!("{}: the module has no place in the order", source.path));
            continue;
        };
        for target in named.captures_iter(&source.code).map(|found| found[1].to_owned()) {
            if target != source.module() && !allowed.contains(&target.as_str()) {
                wrong.push(format!("{} must not know {target}", source.path));
            }
        }
    }
    wrong
}

fn sleeps(text: &str) -> bool {
    Regex::new(r"\bthread::sleep\b|\btime::sleep\b|\bsleep\(").unwrap().is_match(text)
}

#[test]
fn the_source_keeps_every_law() {
    let sources = sources();
    let broken: Vec<String> = LAWS.iter().flat_map(|law| breaches(law, &sources)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_law_can_be_broken_and_holds_only_where_it_should() {
    for law in LAWS {
        let (path, text) = law.breach;
        assert_eq!(breaches(law, &[Source::new(path, text)]).len(), 1, "{}", law.name);
        assert!(breaches(law, &[Source::new(path, &format!("// {}", text.replace('\n', "\n// ")))]).is_empty(), "{}", law.name);
        if let Scope::AllBut([exempt, ..]) = law.scope {
            assert!(breaches(law, &[Source::new(&format!("{exempt}.rs"), text)]).is_empty(), "{}", law.name);
        }
    }
}

#[test]
fn modules_depend_one_way() {
    let wrong = wrong_directions(&sources());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_dependency_against_the_order_is_found() {
    assert_eq!(wrong_directions(&[Source::new("model/x.rs", "use crate::aws::Aws;")]), ["model/x.rs must not know aws"]);
    assert_eq!(wrong_directions(&[Source::new("newcomer.rs", "")]), ["newcomer.rs: the module has no place in the order"]);
    assert!(wrong_directions(&[Source::new("cli/x.rs", "use crate::aws::Aws;")]).is_empty());
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
fn tests_never_sleep() {
    for source in sources() {
        assert!(!sleeps(&source.tests), "{} sleeps in a test", source.path);
    }
    for path in rust_files(&root().join("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name == "architecture.rs" || !sleeps(&text), "{name} sleeps");
    }
    assert!(sleeps("tokio::time::sleep(Duration::from_secs(1)).await"));
}

#[test]
fn unsafe_code_is_forbidden_by_the_manifest() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}
