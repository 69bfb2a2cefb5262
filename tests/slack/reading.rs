//! Block Kit as a person reads it.

use regex::Regex;
use serde_json::Value;

/// The message in lines: `#` for the header, parentheses for small print, `|` for what stands in a typewriter face, brackets
/// for buttons and menus.
pub(crate) fn read(blocks: &Value) -> String {
    let lines = blocks.as_array().unwrap().iter().flat_map(block);
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn block(block: &Value) -> Vec<String> {
    let elements = || block["elements"].as_array().unwrap().iter();
    match block["type"].as_str().unwrap() {
        "header" => vec![format!("# {}", block["text"]["text"].as_str().unwrap())],
        "section" => vec![block["text"]["text"].as_str().unwrap().to_owned()],
        "context" => vec![format!("({})", elements().map(small_print).collect::<Vec<_>>().join(" "))],
        "actions" => vec![elements().map(control).collect::<Vec<_>>().join(" ")],
        "divider" => vec!["---".to_owned()],
        "rich_text" => elements().flat_map(rich).collect(),
        other => panic!("{other}"),
    }
}

/// A moment reads in its reader's own time, here in UTC, and a person by the name, here the id.
fn small_print(text: &Value) -> String {
    let shown = text["text"].as_str().unwrap();
    if text["type"] != "mrkdwn" {
        return shown.to_owned();
    }
    let marks = Regex::new(r"<!date\^[^|>]*\|([^>]*)>|<(@[UW][A-Z0-9]*)>").unwrap();
    marks.replace_all(shown, "${1}${2}").into_owned()
}

fn rich(element: &Value) -> Vec<String> {
    let runs = element["elements"].as_array().unwrap().iter();
    let shown = |run: &Value| match run["user_id"].as_str() {
        Some(user) => format!("@{user}"),
        None => run["text"].as_str().or(run["url"].as_str()).unwrap().to_owned(),
    };
    let text: String = runs.map(shown).collect();
    let mark = if element["type"] == "rich_text_preformatted" { "| " } else { "" };
    text.lines().map(|line| format!("{mark}{line}")).collect()
}

fn control(control: &Value) -> String {
    match control["text"]["text"].as_str() {
        Some(label) => format!("[{label}]"),
        None => format!("[{} ▾]", control["placeholder"]["text"].as_str().unwrap()),
    }
}

/// The same without what differs from run to run: times, ages, durations, counts and ids.
pub(crate) fn undated(text: &str) -> String {
    let varying = Regex::new(
        r"[^\s]*\d[^\s]*|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|(?m)^\s+|\b(s|min|h|d|ms)\b",
    );
    let kept = varying.unwrap().replace_all(text, "#");
    Regex::new(r"(#[ ,]*)+").unwrap().replace_all(&kept, "# ").lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// What the button or the menu's entry for this action carries.
pub(crate) fn value_of(blocks: &Value, action: &str) -> String {
    let elements = blocks.as_array().unwrap().iter().filter(|block| block["type"] == "actions");
    let elements: Vec<&Value> = elements.flat_map(|block| block["elements"].as_array().unwrap()).collect();
    let options = elements.iter().filter_map(|element| element["options"].as_array()).flatten();
    let values = options.chain(elements.iter().copied()).filter_map(|choice| choice["value"].as_str());
    let found = values.clone().find(|value| value.ends_with(&format!(".{action}")));
    found.unwrap_or_else(|| panic!("no button for {action} in {}", read(blocks))).to_owned()
}
