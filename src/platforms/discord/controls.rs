//! Buttons and menus.

use super::limits::{self, BUTTONS, ROWS};
use crate::chat::document::{Control, MenuItem};
use crate::model::Action;
use crate::redact::SafeText;
use crate::report::sanitize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Buttons five to a row, then menus, each alone in its row; what has no room is left out.
pub(super) fn rows(controls: &[Control]) -> Vec<Value> {
    let mut known = BTreeSet::new();
    let mut buttons = Vec::new();
    let mut rows = Vec::new();
    for (at, control) in controls.iter().enumerate() {
        match control {
            Control::Button(choice) if known.insert(choice.token.to_string()) => buttons.push(button(choice)),
            Control::Select { placeholder, choices } if !choices.is_empty() => rows.push(vec![menu(at, placeholder, choices)]),
            Control::Button(_) | Control::Select { .. } => {}
        }
    }
    rows.truncate(ROWS - 1);
    let left = ROWS - rows.len();
    let buttons = buttons.chunks(BUTTONS).take(left).map(<[Value]>::to_vec);
    buttons.chain(rows).map(|components| json!({ "type": 1, "components": components })).collect()
}

fn button(choice: &MenuItem) -> Value {
    // Source: "Component Reference", button styles: 1 primary, 2 secondary, 3 success.
    let style = match choice.token.action {
        Action::RerunAll | Action::Choose(_) => 1,
        Action::Resolve => 3,
        _ => 2,
    };
    json!({ "type": 2, "style": style, "label": label(&choice.label, limits::LABEL), "custom_id": choice.token.to_string() })
}

fn menu(at: usize, placeholder: &SafeText, choices: &[MenuItem]) -> Value {
    let mut known = BTreeSet::new();
    let options = choices
        .iter()
        .filter(|choice| known.insert(choice.token.to_string()))
        .take(limits::OPTIONS)
        .map(|choice| json!({ "label": label(&choice.label, limits::OPTION_TEXT), "value": choice.token.to_string() }));
    json!({
        "type": 3,
        "custom_id": format!("menu.{at}"),
        "placeholder": label(placeholder, limits::PLACEHOLDER),
        "options": options.collect::<Vec<_>>(),
    })
}

/// Labels have no Markdown.
fn label(text: &SafeText, limit: usize) -> String {
    let label = limits::cut(&sanitize::single_line(text), limit);
    if label.is_empty() { "…".to_owned() } else { label }
}
