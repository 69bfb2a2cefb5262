//! What holds for all chat platforms: one list names them, and one TLS stack carries them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The folders of the platforms.
fn platforms() -> Vec<String> {
    let entries = fs::read_dir(root().join("src/platforms")).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.is_dir()).map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    folders.collect()
}

/// Where `code` names a platform: its module, its table, its word in the configuration, its name at the head of a sentence or
/// an identifier. Comments and what follows the first test module are not looked at.
fn named(code: &str, platforms: &[String]) -> Vec<String> {
    let one = platforms.join("|");
    let capital = |name: &String| {
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    };
    let capital: Vec<String> = platforms.iter().map(capital).collect();
    let pattern = format!(r#"\b(?:platforms|super)::(?:{one})\b|\[(?:{one})\]|"(?:{one})"|\b(?:{})[A-Z]?\b"#, capital.join("|"));
    let pattern = Regex::new(&pattern).unwrap();
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.filter_map(|line| Some(pattern.find(line)?.as_str().to_owned())).collect()
}

#[test]
fn no_platform_is_named_outside_of_its_folder_but_in_the_one_list() {
    let platforms = platforms();
    assert!(platforms.len() >= 3, "{platforms:?}");
    let src = root().join("src");
    // The list; the demo, which is the page; patterns of what vendors' secrets look like; module declarations.
    let exempt = ["app/platforms.rs", "app/demo.rs", "redact/", "platforms/"];
    let mut breaches = Vec::new();
    for path in rust_files(&src) {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let is_test = name.contains("/tests/") || name.ends_with("/tests.rs");
        if !is_test && !exempt.iter().any(|exempt| name.starts_with(exempt)) {
            let found = named(&fs::read_to_string(&path).unwrap(), &platforms);
            breaches.extend(found.into_iter().map(|found| format!("{name}: {found}")));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn no_platform_names_another() {
    let platforms = platforms();
    for own in &platforms {
        let others: Vec<String> = platforms.iter().filter(|other| *other != own).cloned().collect();
        for path in rust_files(&root().join("src/platforms").join(own)) {
            let code = fs::read_to_string(&path).unwrap();
            let modules = Regex::new(&format!(r"\bplatforms::(?:{})\b", others.join("|"))).unwrap();
            assert!(!modules.is_match(&code), "{} knows another platform", path.display());
        }
    }
}

#[test]
fn every_way_to_name_a_platform_is_found() {
    let platforms = ["slack".to_owned()];
    for code in [
        "use crate::platforms::slack::Slack;",
        "if place.platform.id() == \"slack\" {",
        "\"add [slack] to the configuration\"",
        "PlatformName::Slack => 40,",
        "\"Slack does not take it\"",
    ] {
        assert_eq!(named(code, &platforms).len(), 1, "{code}");
    }
    for code in ["// Slack's rate limits", "let slackness = 1;", "#[cfg(test)]\nmod tests { const NAME: &str = \"slack\"; }"] {
        assert!(named(code, &platforms).is_empty(), "{code}");
    }
}

/// What the lock file holds is what is built and shipped.
#[test]
fn one_tls_stack_is_built_and_no_compiled_root_is_trusted() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let versions = |name: &str| {
        let these = packages.iter().filter(|package| package["name"].as_str() == Some(name));
        these.map(|package| package["version"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    for (name, line) in [("rustls", "0.23."), ("rustls-webpki", "0.103."), ("tokio-rustls", "0.26."), ("tungstenite", "0.")] {
        let found = versions(name);
        assert!(matches!(found.as_slice(), [one] if one.starts_with(line)), "{name}: {found:?}");
    }
    for name in ["webpki-root-certs", "native-tls", "openssl"] {
        assert_eq!(versions(name), Vec::<String>::new(), "{name}");
    }
    // sqlx brings roots of its own with this cryptography, and leaves them alone where it can read the system's.
    let users = |name: &str| {
        let needs = |package: &&toml::Value| {
            let needed = package.get("dependencies").and_then(toml::Value::as_array);
            needed.into_iter().flatten().filter_map(toml::Value::as_str).any(|needed| needed.split(' ').next() == Some(name))
        };
        packages.iter().filter(needs).map(|package| package["name"].as_str().unwrap()).collect::<Vec<&str>>()
    };
    assert_eq!(users("webpki-roots"), ["sqlx-core"]);
    assert!(users("rustls-native-certs").contains(&"sqlx-core"), "{:?}", users("rustls-native-certs"));
}
