//! A message laid out in components: texts, boxes, pictures and files. Serenity 0.12 knows their rows alone.
//!
//! Source: Discord developer documentation, "Component Reference".

use super::limits::{COMPONENTS, TEXTS_TOTAL, length};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use serenity::builder::{CreateActionRow, CreateButton};
use serenity::model::Colour;

/// A message with this flag has components instead of text and embeds, for ever.
///
/// Source: Discord developer documentation, "Message Flags": `IS_COMPONENTS_V2`.
const HAS_LAYOUT: u64 = 1 << 15;

/// A component of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Component {
    Row(CreateActionRow),
    Text(String),
    /// A text with its button beside it.
    Section {
        text: String,
        button: CreateButton,
    },
    /// Pictures among the message's files.
    Gallery(Vec<Picture>),
    /// One of the message's files, by its name.
    File(String),
    Separator,
    /// A box with a bar of a colour.
    Container {
        colour: Colour,
        inside: Vec<Component>,
    },
}

/// A picture among the message's files.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) name: String,
    /// What it shows, for those who do not see it.
    pub(super) description: String,
}

impl Component {
    const fn kind(&self) -> u8 {
        match self {
            Component::Row(_) => 1,
            Component::Section { .. } => 9,
            Component::Text(_) => 10,
            Component::Gallery(_) => 12,
            Component::File(_) => 13,
            Component::Separator => 14,
            Component::Container { .. } => 17,
        }
    }

    /// How many components it is, those in it included.
    fn count(&self) -> usize {
        match self {
            Component::Row(CreateActionRow::Buttons(buttons)) => 1 + buttons.len(),
            Component::Row(_) => 2,
            Component::Section { .. } => 3,
            Component::Text(_) | Component::Gallery(_) | Component::File(_) | Component::Separator => 1,
            Component::Container { inside, .. } => 1 + inside.iter().map(Component::count).sum::<usize>(),
        }
    }

    fn units(&self) -> usize {
        match self {
            Component::Text(text) | Component::Section { text, .. } => length(text),
            Component::Container { inside, .. } => inside.iter().map(Component::units).sum(),
            Component::Row(_) | Component::Gallery(_) | Component::File(_) | Component::Separator => 0,
        }
    }
}

/// True for a layout that Discord takes.
pub(super) fn fits(layout: &[Component]) -> bool {
    let count: usize = layout.iter().map(Component::count).sum();
    let units: usize = layout.iter().map(Component::units).sum();
    !layout.is_empty() && count <= COMPONENTS && units <= TEXTS_TOTAL
}

/// The layout without files that the message does not have.
pub(super) fn with_files_among(layout: Vec<Component>, is_there: &impl Fn(&str) -> bool) -> Vec<Component> {
    let kept = layout.into_iter().filter_map(|component| match component {
        Component::File(name) => is_there(&name).then_some(Component::File(name)),
        Component::Gallery(mut pictures) => {
            pictures.retain(|picture| is_there(&picture.name));
            (!pictures.is_empty()).then_some(Component::Gallery(pictures))
        }
        Component::Container { colour, inside } => {
            Some(Component::Container { colour, inside: with_files_among(inside, is_there) })
        }
        other => Some(other),
    });
    kept.collect()
}

/// Puts a layout into the body of a request, in place of text, embeds and rows; an edit says that those are gone.
pub(super) fn put(body: &mut Value, layout: &[Component], is_edit: bool) {
    // The first message of a forum's post and the first answer to an interaction are parts of their requests.
    let inner = ["message", "data"].into_iter().find(|name| body.get(name).is_some());
    let message = match inner {
        Some(name) => body.get_mut(name),
        None => Some(body),
    };
    let Some(message) = message.and_then(Value::as_object_mut) else { return };
    for field in ["content", "embeds"] {
        message.remove(field);
        if is_edit {
            message.insert(field.to_owned(), Value::Null);
        }
    }
    let flags = message.get("flags").and_then(Value::as_u64).unwrap_or_default();
    message.insert("flags".to_owned(), (flags | HAS_LAYOUT).into());
    message.insert("components".to_owned(), serde_json::to_value(layout).unwrap_or_default());
}

/// The texts that a message shows in its components, in their order.
pub(super) fn texts(message: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let components = message.get("components").and_then(Value::as_array).into_iter().flatten();
    for component in components {
        found.extend(component.get("content").and_then(Value::as_str));
        found.extend(texts(component));
    }
    found
}

impl Serialize for Component {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Component::Row(row) = self {
            return row.serialize(serializer);
        }
        let file = |name: &str| json!({ "url": format!("attachment://{name}") });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.kind())?;
        match self {
            Component::Row(_) | Component::Separator => {}
            Component::Text(text) => map.serialize_entry("content", text)?,
            Component::Section { text, button } => {
                map.serialize_entry("components", &[Component::Text(text.clone())])?;
                map.serialize_entry("accessory", button)?;
            }
            Component::Gallery(pictures) => {
                let item = |picture: &Picture| match picture.description.as_str() {
                    "" => json!({ "media": file(&picture.name) }),
                    shown => json!({ "media": file(&picture.name), "description": shown }),
                };
                map.serialize_entry("items", &pictures.iter().map(item).collect::<Vec<_>>())?;
            }
            Component::File(name) => map.serialize_entry("file", &file(name))?,
            Component::Container { colour, inside } => {
                map.serialize_entry("accent_color", colour)?;
                map.serialize_entry("components", inside)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Vec<Component> {
        let button = CreateButton::new("1").label("Copy");
        let picture = |name: &str| Picture { name: name.to_owned(), description: "a chart".to_owned() };
        let inside = vec![
            Component::Text("title".to_owned()),
            Component::Section { text: "Fix".to_owned(), button: button.clone() },
            Component::Gallery(vec![picture("a.png"), picture("b.png")]),
            Component::File("c.txt".to_owned()),
            Component::Separator,
            Component::Row(CreateActionRow::Buttons(vec![button.clone(), button])),
        ];
        vec![Component::Container { colour: Colour::new(7), inside }]
    }

    #[test]
    fn components_are_counted_with_all_that_is_in_them() {
        let count = |layout: &[Component]| layout.iter().map(Component::count).sum::<usize>();
        assert_eq!(count(&layout()), 11);
        assert!(fits(&layout()) && !fits(&[]));
        assert!(fits(&vec![Component::Separator; COMPONENTS]) && !fits(&vec![Component::Separator; COMPONENTS + 1]));
        assert!(fits(&[Component::Text("x".repeat(TEXTS_TOTAL))]) && !fits(&[Component::Text("x".repeat(TEXTS_TOTAL + 1))]));
    }

    #[test]
    fn a_layout_stands_in_place_of_text_and_embeds_wherever_the_message_is() {
        let message = json!({ "content": "x", "embeds": [], "flags": 64, "nonce": "n" });
        for (mut body, path) in [
            (message.clone(), ""),
            (json!({ "name": "post", "message": message }), "/message"),
            (json!({ "type": 4, "data": message }), "/data"),
        ] {
            put(&mut body, &layout(), false);
            let put = body.pointer(path).unwrap();
            assert_eq!((&put["flags"], &put["nonce"]), (&json!(64 | 32_768), &json!("n")), "{path}");
            assert!(put.get("content").is_none() && put.get("embeds").is_none(), "{path}");
            assert_eq!(texts(put), ["title", "Fix"], "{path}");
        }
        let mut edited = message;
        put(&mut edited, &layout(), true);
        assert!(edited["content"].is_null() && edited.as_object().unwrap().contains_key("embeds"), "{edited}");
    }

    #[test]
    fn a_file_that_is_not_there_is_not_shown() {
        let shown = |names: &[&str]| {
            let kept = with_files_among(layout(), &|name| names.contains(&name));
            serde_json::to_value(kept).unwrap().to_string()
        };
        let all = shown(&["a.png", "b.png", "c.txt"]);
        assert!(["a.png", "b.png", "c.txt"].iter().all(|name| all.contains(name)), "{all}");
        let some = shown(&["b.png"]);
        assert!(some.contains("attachment://b.png") && !some.contains("a.png") && !some.contains("c.txt"), "{some}");
        assert!(!shown(&[]).contains("attachment"), "an empty gallery is none");
    }
}
