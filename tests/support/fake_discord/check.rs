//! What a request has to be: valid by Discord's own description, and within the limits its documentation names.

use super::reading;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};

fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| serde_json::from_str(include_str!("../../data/discord-openapi.json")).unwrap())
}

/// Everything that is wrong with the body of an operation; `path` is written as the description does.
pub(crate) fn body(method: &str, path: &str, body: &Value) -> Vec<String> {
    static KNOWN: OnceLock<Mutex<BTreeMap<String, &'static Validator>>> = OnceLock::new();
    let schema = &description()["paths"][path][method.to_lowercase()]["json"];
    assert!(!schema.is_null(), "{method} {path} takes no body");
    let key = format!("{method} {path}");
    let validator = *KNOWN.get_or_init(Mutex::default).lock().unwrap().entry(key).or_insert_with(|| {
        let whole = json!({ "components": description()["components"], "allOf": [schema] });
        Box::leak(Box::new(jsonschema::draft202012::new(&whole).unwrap()))
    });
    let invalid = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path()));
    invalid.chain(unknown_keys(schema, body)).collect()
}

/// Discord passes over what it does not know, so a misspelt `allowed_mentions` would go unnoticed.
fn unknown_keys(schema: &Value, body: &Value) -> Vec<String> {
    let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    let Some(known) = name.and_then(|name| description()["components"]["schemas"][name]["properties"].as_object()) else {
        return Vec::new();
    };
    let keys = body.as_object().unwrap().keys();
    keys.filter(|key| !known.contains_key(*key)).map(|key| format!("{key}: no such field")).collect()
}

/// A text's length both ways; Discord does not say which it counts.
fn length(text: &str) -> usize {
    text.encode_utf16().count().max(text.chars().count())
}

/// True for a character that people do not see. A joiner within an emoji is seen by what it joins.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Everything that is wrong with a message. `mentions` is what `allowed_mentions` has to be.
pub(crate) fn message(body: &Value, mentions: &Value, has_files: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut at_most = |what: &str, found: usize, limit: usize| {
        if found > limit {
            wrong.push(format!("{what}: {found}, and {limit} are allowed"));
        }
    };
    let text = |value: &Value| length(value.as_str().unwrap_or_default());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_laid_out = reading::is_laid_out(body);
    at_most("content", text(&body["content"]), 2_000);
    let embeds = list(&body["embeds"]);
    at_most("embeds", embeds.len(), 10);
    let mut total = 0;
    for embed in &embeds {
        at_most("title", text(&embed["title"]), 256);
        at_most("description", text(&embed["description"]), 4_096);
        at_most("fields", list(&embed["fields"]).len(), 25);
        total += text(&embed["title"]) + text(&embed["description"]) + text(&embed["footer"]["text"]);
        for field in list(&embed["fields"]) {
            at_most("field name", text(&field["name"]), 256);
            at_most("field value", text(&field["value"]), 1_024);
            total += text(&field["name"]) + text(&field["value"]);
        }
    }
    at_most("all embeds", total, 6_000);
    let all = reading::components(body);
    if is_laid_out {
        // Source: Discord developer documentation, "Component Reference": the flag disables text and embeds.
        at_most(
            "text or embeds beside a layout",
            usize::from(!body["content"].is_null()) + usize::from(!body["embeds"].is_null()),
            0,
        );
        at_most("components", all.len(), 40);
        let texts: Vec<&Value> = all.iter().filter(|one| one["type"] == 10).map(|one| &one["content"]).collect();
        at_most("all texts", texts.iter().map(|shown| text(shown)).sum(), 4_000);
        at_most("empty texts", texts.iter().filter(|shown| shown.as_str().unwrap_or_default().trim().is_empty()).count(), 0);
    } else {
        at_most("components of a layout", list(&body["components"]).iter().filter(|one| one["type"] != 1).count(), 0);
        at_most("rows", list(&body["components"]).len(), 5);
    }
    let mut ids = Vec::new();
    for row in all.iter().filter(|one| one["type"] == 1) {
        let components = list(&row["components"]);
        at_most("buttons", components.len(), 5);
        at_most("components beside a menu", components.iter().filter(|c| c["type"] == 3).count() * (components.len() - 1), 0);
    }
    for component in all.iter().filter(|one| !one["custom_id"].is_null()) {
        ids.push(component["custom_id"].as_str().unwrap_or_default().to_owned());
        at_most("custom_id", text(&component["custom_id"]), 100);
        at_most("label", text(&component["label"]), 80);
        at_most("placeholder", text(&component["placeholder"]), 150);
        let options = list(&component["options"]);
        at_most("options", options.len(), 25);
        for option in &options {
            at_most("option label", text(&option["label"]), 100);
            at_most("option value", text(&option["value"]), 100);
            at_most("empty option", usize::from(text(&option["label"]) == 0 || text(&option["value"]) == 0), 0);
        }
        let values: BTreeSet<&str> = options.iter().filter_map(|option| option["value"].as_str()).collect();
        at_most("repeated options", options.len() - values.len(), 0);
    }
    at_most("repeated custom_id", ids.len() - ids.iter().collect::<BTreeSet<_>>().len(), 0);
    let unseen: BTreeSet<char> = body.to_string().chars().filter(|c| is_unseen(*c)).collect();
    at_most("kinds of characters that nobody sees", unseen.len(), 0);
    if embeds.iter().any(|embed| text(&embed["description"]) == 0) {
        wrong.push("an embed without text".to_owned());
    }
    if body["content"].as_str().unwrap_or_default().trim().is_empty() && embeds.is_empty() && !has_files && !is_laid_out {
        wrong.push("an empty message".to_owned());
    }
    // An empty list names nobody.
    let mut allowed = body["allowed_mentions"].clone();
    if let Some(allowed) = allowed.as_object_mut() {
        allowed.retain(|kind, named| kind == "parse" || named != &json!([]));
    }
    if &allowed != mentions {
        wrong.push(format!("allowed_mentions: {}, expected {mentions}", body["allowed_mentions"]));
    }
    wrong
}

/// Files that a layout shows and the message does not have.
pub(super) fn shown_files(body: &Value, names: &[&str]) -> Vec<String> {
    let all = reading::components(body);
    let items = all.iter().flat_map(|one| one["items"].as_array().into_iter().flatten().map(|item| &item["media"]["url"]));
    let shown = items.chain(all.iter().map(|one| &one["file"]["url"])).filter_map(Value::as_str);
    let unknown = shown.filter(|url| !names.iter().any(|name| url.strip_prefix("attachment://") == Some(name)));
    unknown.map(|url| format!("{url} is not among the files")).collect()
}

/// What a thread may be called.
pub(super) fn thread_name(name: &str) -> Vec<String> {
    let fits = (1..=100).contains(&length(name)) && !name.trim().is_empty();
    if fits { Vec::new() } else { vec![format!("a thread called {name:?}")] }
}
