//! Public items say what they are. Fields and variants may speak for themselves.

use super::{path, rust_files};
use regex::Regex;
use std::fs;

/// The public items of a source file that nothing is said of, by their line.
fn undocumented(text: &str) -> Vec<String> {
    let item = Regex::new(r"^\s*pub (?:const |async |unsafe )*(?:fn|struct|enum|trait|type|const|static) (\w+)").unwrap();
    let module = text.find("#[cfg(test)]").map_or(text, |at| text.get(..at).unwrap());
    let lines: Vec<&str> = module.lines().collect();
    let is_documented = |at: usize| {
        let mut above = lines.iter().take(at).rev().map(|line| line.trim());
        let mut is_in_attribute = false;
        above.find_map(|line| match line {
            line if line.starts_with("///") || line.starts_with("#[doc") => Some(true),
            // An attribute over several lines, read from its end.
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
        }) == Some(true)
    };
    let undocumented = lines.iter().enumerate().filter(|(at, line)| item.is_match(line) && !is_documented(*at));
    undocumented.map(|(at, line)| format!("{}: {}", at + 1, line.trim())).collect()
}

#[test]
fn every_public_item_and_every_module_has_documentation() {
    let mut missing = Vec::new();
    for file in rust_files(&path("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(path("")).unwrap().display().to_string();
        let is_test = file.components().any(|part| part.as_os_str() == "tests") || text.starts_with("#![cfg(test)]");
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
        undocumented("// Not documentation.\npub const A: u8 = 1;\n#[cfg(test)]\npub fn b() {}\n"),
        ["2: pub const A: u8 = 1;"]
    );
    assert_eq!(undocumented("pub(crate) fn a() {}\npub use x::y;\nfn b() {}\n"), [""; 0]);
}
