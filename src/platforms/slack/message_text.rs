//! What a message says that somebody points at, in whatever form its sender gave it.

use super::words;
use serde_json::Value;

/// How much is read, in bytes. Source: Slack, "chat.postMessage": a text is cut at 40 000 characters.
const MAX_BYTES: usize = 1 << 17;

/// Where messages, attachments and blocks have texts.
const TEXTS: [&str; 7] = ["pretext", "title", "text", "fallback", "value", "footer", "title_link"];

/// Where they have parts with texts of their own.
const PARTS: [&str; 6] = ["attachments", "blocks", "elements", "fields", "accessory", "text"];

/// All texts of a message, one a line: its own, its attachments' and its blocks'. A field of an attachment reads `title=value`.
pub(super) fn all_texts(message: &Value) -> String {
    let mut texts = String::new();
    collect(message, &mut texts);
    texts
}

fn collect(part: &Value, texts: &mut String) {
    if texts.len() > MAX_BYTES {
        return;
    }
    let own = |key: &str| part.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let is_line = own("type").is_some_and(|kind| kind.starts_with("rich_text_"));
    match (own("title"), own("value")) {
        (Some(title), Some(value)) => {
            let key: String = title.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
            push(texts, &format!("{key}={value}"));
        }
        _ if is_line => {
            let runs = part.get("elements").and_then(Value::as_array).into_iter().flatten();
            let line: String = runs.filter_map(|run| run.get("text").or_else(|| run.get("url"))?.as_str()).collect();
            push(texts, &line);
        }
        _ => TEXTS.iter().filter_map(|key| own(key)).for_each(|text| push(texts, text)),
    }
    if !is_line {
        for inner in PARTS.iter().filter_map(|key| part.get(key)) {
            match inner {
                Value::Array(parts) => parts.iter().for_each(|part| collect(part, texts)),
                Value::Object(_) => collect(inner, texts),
                _ => {}
            }
        }
    }
}

fn push(texts: &mut String, text: &str) {
    texts.push_str(&words::typed(text));
    texts.push('\n');
}

#[cfg(test)]
mod tests {
    use super::all_texts;
    use serde_json::json;

    #[test]
    fn texts_are_read_wherever_a_sender_put_them() {
        let message = json!({
            "type": "message", "ts": "1.2", "bot_id": "B1", "text": "ALARM: &lt;orders&gt;",
            "attachments": [{
                "fallback": "short", "pretext": "before", "title": "orders-rotation", "title_link": "https://x.example/a",
                "fields": [{ "title": "Secret Name", "value": "prod/orders-db", "short": true }],
                "blocks": [
                    { "type": "section", "text": { "type": "mrkdwn", "text": "*State* ALARM" },
                      "fields": [{ "type": "mrkdwn", "text": "in eu-west-1" }] },
                    { "type": "context", "elements": [{ "type": "plain_text", "text": "small print" }] },
                    { "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
                        { "type": "text", "text": "secret " }, { "type": "text", "text": "prod/users-db", "style": { "code": true } },
                    ] }] },
                ],
            }],
        });
        let texts = all_texts(&message);
        for line in [
            "ALARM: <orders>",
            "before",
            "orders-rotation",
            "SecretName=prod/orders-db",
            "*State* ALARM",
            "in eu-west-1",
            "small print",
            "secret prod/users-db",
        ] {
            assert!(texts.lines().any(|one| one == line), "{line}: {texts}");
        }
        assert_eq!(all_texts(&json!(null)), "");
    }
}
