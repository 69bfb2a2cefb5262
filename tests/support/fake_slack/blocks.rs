//! Block Kit, as strictly as Slack reads it.
//!
//! Sources: Slack, "Blocks", "Block elements", "Composition objects"; slackapi/bolt-js issue 2509 for the whole message.

use serde_json::Value;
use std::collections::HashSet;

/// Text of all blocks together.
const MESSAGE: usize = 12_000;

/// Why Slack would refuse these blocks.
pub(crate) fn check(blocks: &Value, is_view: bool) -> Result<(), String> {
    let blocks = blocks.as_array().ok_or("blocks is no list")?;
    let most = if is_view { 100 } else { 50 };
    if blocks.is_empty() || blocks.len() > most {
        return Err(format!("{} blocks", blocks.len()));
    }
    let mut check = Check { ids: HashSet::new(), length: 0 };
    for block in blocks {
        check.block(block).map_err(|why| format!("{why} in {block}"))?;
    }
    if check.length > MESSAGE { Err(format!("msg_blocks_too_long: {}", check.length)) } else { Ok(()) }
}

struct Check {
    ids: HashSet<String>,
    length: usize,
}

fn kind(value: &Value) -> Result<&str, String> {
    value["type"].as_str().ok_or_else(|| "no type".to_owned())
}

fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let fields = value.as_object().ok_or("no object")?;
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown field {key}")),
        None => Ok(()),
    }
}

impl Check {
    fn text(&mut self, text: &Value, most: usize, kinds: &[&str]) -> Result<(), String> {
        let kind = kind(text)?;
        if !kinds.contains(&kind) {
            return Err(format!("{kind} is not allowed here"));
        }
        only(text, &["type", "text", "emoji", "verbatim"])?;
        let text = text["text"].as_str().ok_or("no text")?;
        self.length += text.chars().count();
        if text.is_empty() || text.encode_utf16().count() > most {
            return Err(format!("{} characters", text.encode_utf16().count()));
        }
        Ok(())
    }

    fn id(&mut self, value: &Value, field: &str) -> Result<(), String> {
        let Some(id) = value.get(field) else { return Ok(()) };
        let id = id.as_str().ok_or("an id is no text")?;
        if id.is_empty() || id.len() > 255 || !self.ids.insert(format!("{field}:{id}")) {
            return Err(format!("{field} {id:?} is empty, too long or used twice"));
        }
        Ok(())
    }

    fn block(&mut self, block: &Value) -> Result<(), String> {
        self.id(block, "block_id")?;
        match kind(block)? {
            "header" => {
                only(block, &["type", "text", "block_id"])?;
                self.text(&block["text"], 150, &["plain_text"])
            }
            "section" => {
                only(block, &["type", "text", "block_id"])?;
                self.text(&block["text"], 3_000, &["plain_text", "mrkdwn"])
            }
            "context" => {
                only(block, &["type", "elements", "block_id"])?;
                for element in elements(block, 10)? {
                    self.text(element, 3_000, &["plain_text", "mrkdwn"])?;
                }
                Ok(())
            }
            "divider" => only(block, &["type", "block_id"]),
            "rich_text" => {
                only(block, &["type", "elements", "block_id"])?;
                elements(block, usize::MAX)?.iter().try_for_each(|element| self.rich(element))
            }
            "actions" => {
                only(block, &["type", "elements", "block_id"])?;
                elements(block, 25)?.iter().try_for_each(|element| self.element(element))
            }
            "input" => {
                only(block, &["type", "label", "element", "optional", "block_id", "hint"])?;
                self.text(&block["label"], 2_000, &["plain_text"])?;
                self.element(&block["element"])
            }
            other => Err(format!("unknown block {other}")),
        }
    }

    fn element(&mut self, element: &Value) -> Result<(), String> {
        if element["action_id"].as_str().is_none() {
            return Err("no action_id".to_owned());
        }
        self.id(element, "action_id")?;
        match kind(element)? {
            "button" => {
                only(element, &["type", "text", "action_id", "value", "style"])?;
                if element
                    .get("value")
                    .is_some_and(|value| value.as_str().is_none_or(|value| value.is_empty() || value.len() > 2_000))
                {
                    return Err("the value of a button".to_owned());
                }
                self.text(&element["text"], 75, &["plain_text"])
            }
            "static_select" => {
                only(element, &["type", "action_id", "placeholder", "options", "initial_option"])?;
                if let Some(placeholder) = element.get("placeholder") {
                    self.text(placeholder, 150, &["plain_text"])?;
                }
                let options = element["options"].as_array().ok_or("no options")?;
                if options.is_empty() || options.len() > 100 {
                    return Err(format!("{} options", options.len()));
                }
                for option in options {
                    self.text(&option["text"], 75, &["plain_text"])?;
                    let value = option["value"].as_str().ok_or("an option without a value")?;
                    if value.is_empty() || value.chars().count() > 150 {
                        return Err("the value of an option".to_owned());
                    }
                }
                Ok(())
            }
            "plain_text_input" | "conversations_select" => Ok(()),
            other => Err(format!("unknown element {other}")),
        }
    }

    fn rich(&mut self, element: &Value) -> Result<(), String> {
        match kind(element)? {
            "rich_text_section" | "rich_text_preformatted" | "rich_text_quote" => {
                only(element, &["type", "elements", "border", "language"])?;
                elements(element, usize::MAX)?.iter().try_for_each(|run| self.run(run))
            }
            other => Err(format!("unknown rich text {other}")),
        }
    }

    fn run(&mut self, run: &Value) -> Result<(), String> {
        match kind(run)? {
            "text" => {
                only(run, &["type", "text", "style"])?;
                let text = run["text"].as_str().ok_or("no text")?;
                self.length += text.chars().count();
                if text.is_empty() || text.encode_utf16().count() > 3_000 {
                    return Err(format!("a run of {} characters", text.len()));
                }
                Ok(())
            }
            "link" => {
                only(run, &["type", "url", "text", "style"])?;
                let url = run["url"].as_str().ok_or("no url")?;
                self.length += url.len();
                if url.starts_with("https://") { Ok(()) } else { Err(format!("a link to {url}")) }
            }
            "user" => {
                only(run, &["type", "user_id", "style"])?;
                let id = run["user_id"].as_str().ok_or("no user")?;
                if id.starts_with(['U', 'W']) { Ok(()) } else { Err(format!("a mention of {id}")) }
            }
            other => Err(format!("unknown run {other}")),
        }
    }
}

fn elements(value: &Value, most: usize) -> Result<&Vec<Value>, String> {
    let elements = value["elements"].as_array().ok_or("no elements")?;
    if elements.is_empty() || elements.len() > most { Err(format!("{} elements", elements.len())) } else { Ok(elements) }
}
