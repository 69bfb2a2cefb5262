//! What CONTRIBUTING.md says of the tests, and the code map of `src/lib.rs`.

use super::{path, read, rust_files, without_tests};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn the_test_map_names_every_suite() {
    let map = read("CONTRIBUTING.md");
    for entry in fs::read_dir(path("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // What the suites share, keep or read.
        let is_suite = !["data", "snapshots", "docs", "moto_account", "README.md"].contains(&name.as_str());
        let stem = name.trim_end_matches(".rs");
        let is_named = [name.as_str(), stem].iter().any(|name| map.contains(&format!("`tests/{name}`")));
        assert!(!is_suite || is_named, "tests/{name} is not in the test map");
    }
    for named in Regex::new("`(tests/[a-z0-9_./]+)`").unwrap().captures_iter(&map) {
        let is_there = path(&named[1]).exists() || path(&format!("{}.rs", &named[1])).exists();
        assert!(is_there, "{} does not exist", &named[1]);
    }
}

#[test]
fn every_switch_of_the_tests_is_documented() {
    let map = read("CONTRIBUTING.md");
    let switch = Regex::new(r#"(?:env::var(?:_os)?|os\.environ\.get)\("([A-Z_]+)""#).unwrap();
    let mut seen = 0;
    for file in rust_files(&path("tests")).into_iter().chain(rust_files(&path("benches"))).chain([path("tests/page/browser.py")])
    {
        for found in switch.captures_iter(&fs::read_to_string(&file).unwrap()) {
            seen += 1;
            let is_standard = matches!(&found[1], "PATH" | "HOME" | "CARGO_BIN_EXE" | "KEY" | "RUST_LOG");
            assert!(is_standard || map.contains(&found[1]), "{} of {} is not documented", &found[1], file.display());
        }
    }
    assert!(seen > 5, "{seen}");
}

/// The modules in the order of the code map.
fn code_map(text: &str) -> Vec<String> {
    Regex::new(r"(?m)^//! \| \[`([a-z_]+)`\]").unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// What each module uses of the others, by its code without comments and unit tests.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let named = Regex::new(r"\bcrate::(?:\{|([a-z_]+))").unwrap();
    let in_braces = Regex::new(r"\buse crate::\{([^;]+)\};").unwrap();
    let root = path("src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let first = Regex::new(r"(?:^|,)\s*([a-z_]+)").unwrap();
    let is_of_tests = |file: &std::path::PathBuf| {
        let within = file.strip_prefix(&root).unwrap();
        within.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
    };
    for file in rust_files(&root).into_iter().filter(|file| !is_of_tests(file)) {
        let module = file.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        let module = module.trim_end_matches(".rs").to_owned();
        let text = without_tests(&fs::read_to_string(&file).unwrap());
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        let used = uses.entry(module).or_default();
        used.extend(named.captures_iter(&code).filter_map(|found| found.get(1)).map(|name| name.as_str().to_owned()));
        for found in in_braces.captures_iter(&code) {
            used.extend(first.captures_iter(&found[1]).map(|name| name[1].to_owned()));
        }
    }
    uses
}

#[test]
fn the_code_map_lists_every_module_below_all_that_it_uses() {
    let text = read("src/lib.rs");
    let map = code_map(&text);
    let modules: BTreeSet<String> =
        Regex::new(r"(?m)^pub mod ([a-z_]+);").unwrap().captures_iter(&text).map(|found| found[1].to_owned()).collect();
    assert_eq!(map.iter().cloned().collect::<BTreeSet<_>>(), modules);
    assert_eq!(map.len(), modules.len(), "a module stands in the map twice");
    let place = |module: &str| map.iter().position(|name| name == module);
    let mut wrong = Vec::new();
    for (module, used) in uses() {
        let Some(at) = place(&module) else { continue };
        wrong.extend(
            used.iter().filter(|name| place(name).is_some_and(|other| other > at)).map(|name| format!("{module} uses {name}")),
        );
    }
    assert_eq!(wrong, Vec::<String>::new(), "these stand above what they use");
}
