//! The reference of the configuration, generated from the comments of `config/rotation-diag.toml`.

use regex::Regex;
use rotation_diag::config::Config;
use std::collections::BTreeSet;

/// A table of the annotated example: its name, what is said above it, and its keys.
struct Table {
    name: String,
    about: String,
    keys: Vec<Key>,
}

struct Key {
    path: String,
    example: String,
    about: String,
}

/// The example with the keys switched on that only tests set: they are documented, but commented out.
pub(crate) fn with_every_key(example: &str) -> String {
    Regex::new("(?m)^#([a-z_]+ = )").unwrap().replace_all(example, "$1").into_owned()
}

/// Reads the tables, their keys, and the comment that stands directly above each.
fn tables(example: &str) -> Vec<Table> {
    let mut tables = vec![Table { name: String::new(), about: String::new(), keys: Vec::new() }];
    let all = with_every_key(example);
    let mut comment: Vec<&str> = Vec::new();
    for line in all.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']).to_owned();
            // A list of which several entries are shown, each with other keys, is one chapter.
            if tables.last().is_none_or(|table| table.name != name) {
                tables.push(Table { name, about: comment.join(" "), keys: Vec::new() });
            }
            comment.clear();
        } else if let Some((key, value)) = line.split_once(" = ") {
            let table = tables.last_mut().unwrap();
            let name = table.name.replace("accounts.prod", "accounts.NAME");
            let path = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
            if table.keys.iter().all(|known| known.path != path) {
                table.keys.push(Key { path, example: value.to_owned(), about: comment.join(" ") });
            }
            comment.clear();
        } else {
            comment.clear();
        }
    }
    tables
}

/// The reference in Markdown: one chapter for each table.
pub(crate) fn reference(example: &str) -> String {
    let mut text = String::new();
    for table in tables(example) {
        let name = table.name.replace("accounts.prod", "accounts.NAME");
        let is_array = example.contains(&format!("[[{}]]", table.name));
        let heading = match (name.as_str(), is_array) {
            ("", _) => "Top level".to_owned(),
            (name, true) => format!("`[[{name}]]`"),
            (name, false) => format!("`[{name}]`"),
        };
        text.push_str(&format!("## {heading}\n\n"));
        if !table.about.is_empty() {
            text.push_str(&format!("{}\n\n", escaped(&table.about)));
        }
        text.push_str("| key | example | meaning |\n|---|---|---|\n");
        for Key { path, example, about } in &table.keys {
            text.push_str(&format!("| `{path}` | `{example}` | {} |\n", escaped(about)));
        }
        text.push('\n');
    }
    text
}

/// A comment as Markdown shows it.
fn escaped(comment: &str) -> String {
    comment.replace('|', "\\|").replace('<', "\\<")
}

/// Every key that the example sets, by its path.
fn keys_of(prefix: &str, table: &toml::Table) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (key, value) in table {
        let tables: Vec<&toml::Table> = match value {
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(items) => items.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        if tables.is_empty() {
            keys.insert(format!("{prefix}{key}"));
        }
        for table in tables {
            keys.extend(keys_of(&format!("{prefix}{key}."), table));
        }
    }
    keys
}

#[test]
fn the_reference_has_every_key_of_the_example_and_says_what_each_means() {
    let example = super::read("config/rotation-diag.toml");
    let all = with_every_key(&example);
    assert!(Config::parse(&all, rotation_diag::app::PLATFORMS).is_ok());
    let expected: BTreeSet<String> =
        keys_of("", &all.parse().unwrap()).into_iter().map(|key| key.replace("accounts.prod.", "accounts.NAME.")).collect();
    let found: Vec<Key> = tables(&example).into_iter().flat_map(|table| table.keys).collect();
    assert_eq!(found.iter().map(|key| key.path.clone()).collect::<BTreeSet<_>>(), expected);
    let silent: Vec<&str> = found.iter().filter(|key| key.about.is_empty()).map(|key| key.path.as_str()).collect();
    assert_eq!(silent, [""; 0], "keys without a comment of their own");
}

#[test]
fn the_reference_is_made_of_the_comments() {
    let example = "# Not about a key.\n\n# Who.\n[[allow]]\n# The one.\n# Or two.\nusers = [\"*\"]\n#[x]\n#only_tests = 1\n";
    let text = reference(example);
    assert!(text.contains("## `[[allow]]`\n\nWho.\n\n| key | example | meaning |\n|---|---|---|\n| `allow.users` | `[\"*\"]` | The one. Or two. |\n"), "{text}");
    assert!(text.contains("| `allow.only_tests` | `1` |"), "{text}");
}
