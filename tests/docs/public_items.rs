//! Public items say what they are. Fields and variants may speak for themselves.

use super::{path, rust_files, without_tests};
use regex::Regex;
use std::fs;

/// The public items of a source file that nothing is said of, by their line: functions, types, constants, and what a public
/// trait asks of its implementors.
fn undocumented(text: &str) -> Vec<String> {
    let item = Regex::new(r"^\s*pub (?:const |async |unsafe )*(?:fn|struct|enum|trait|type|const|static) \w+").unwrap();
    let of_trait = Regex::new(r"^    (?:async )?(?:fn|type|const) \w+").unwrap();
    let code = without_tests(text);
    let lines: Vec<&str> = code.lines().collect();
    let mut in_trait = false;
    let mut missing = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        in_trait = (in_trait || line.starts_with("pub trait ")) && *line != "}";
        let is_item = item.is_match(line) || in_trait && of_trait.is_match(line);
        if is_item && !is_documented(&lines, at) {
            missing.push(format!("{}: {}", at + 1, line.trim()));
        }
    }
    missing
}

/// Whether the lines above an item, behind its attributes, are documentation.
fn is_documented(lines: &[&str], at: usize) -> bool {
    // An attribute over several lines is read from its end.
    let mut is_in_attribute = false;
    let verdict = lines.iter().take(at).rev().map(|line| line.trim()).find_map(|line| match line {
        line if line.starts_with("///") || line.starts_with("#[doc") => Some(true),
        ")]" => {
            is_in_attribute = true;
            None
        }
        line if line.starts_with("#[") => {
            is_in_attribute = false;
            None
        }
        _ if is_in_attribute => None,
        _ => Some(false),
    });
    verdict == Some(true)
}

#[test]
fn every_public_item_and_every_module_has_documentation() {
    let mut missing = Vec::new();
    for file in rust_files(&path("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(path("")).unwrap().display().to_string();
        let is_test = file.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if !text.starts_with("//!") && !is_test {
            missing.push(format!("{name}: the module"));
        }
        missing.extend(undocumented(&text).into_iter().map(|item| format!("{name}:{item}")));
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn an_item_without_documentation_is_found() {
    assert_eq!(undocumented("/// Said.\n#[must_use]\npub fn a() {}\n\npub fn b() {}\n"), ["5: pub fn b() {}"]);
    assert_eq!(
        undocumented("/// Said.\n#[expect(\n    dead_code,\n    reason = \"x\"\n)]\npub struct A {\n    pub field: u8,\n}\n"),
        [""; 0]
    );
    assert_eq!(
        undocumented("// Not documentation.\npub const A: u8 = 1;\n#[cfg(test)]\npub fn b() {\n}\n"),
        ["2: pub const A: u8 = 1;"]
    );
    let trait_of = "/// Said.\npub trait A {\n    /// Said.\n    fn a(&self);\n\n    fn b(&self) {\n        c()\n    }\n}\nimpl A for B {\n    fn a(&self) {}\n}\n";
    assert_eq!(undocumented(trait_of), ["6: fn b(&self) {"]);
    let behind_tests =
        "#[cfg(test)]\nmod testing;\n\npub fn a() {}\n#[cfg(test)]\nmod tests {\n    pub fn b() {}\n}\npub fn c() {}\n";
    assert_eq!(undocumented(behind_tests), ["4: pub fn a() {}", "9: pub fn c() {}"]);
    assert_eq!(undocumented("pub(crate) fn a() {}\npub use x::y;\nfn b() {}\n"), [""; 0]);
}
