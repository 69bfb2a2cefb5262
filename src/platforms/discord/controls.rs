//! Buttons and menus.

use super::limits::{self, BUTTONS, ROWS};
use crate::chat::document::{Control, MenuItem};
use crate::model::Action;
use crate::redact::SafeText;
use serenity::builder::{CreateActionRow, CreateButton, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption};
use serenity::model::application::ButtonStyle;
use std::collections::BTreeSet;

/// Buttons five to a row, then menus, each alone in its row; what has no room is left out. `has_copy` is false where the button
/// that copies stands elsewhere.
pub(super) fn rows(controls: &[Control], has_copy: bool) -> Vec<CreateActionRow> {
    let mut known = BTreeSet::new();
    let mut buttons = Vec::new();
    let mut rows = Vec::new();
    for (at, control) in controls.iter().enumerate() {
        match control {
            Control::Copy(_) if !has_copy => {}
            Control::Button(choice) | Control::Copy(choice) if known.insert(choice.token.to_string()) => {
                buttons.push(button(choice))
            }
            Control::Select { placeholder, choices } if !choices.is_empty() => rows.push(menu(at, placeholder, choices)),
            Control::Button(_) | Control::Copy(_) | Control::Select { .. } => {}
        }
    }
    rows.truncate(ROWS - 1);
    let left = ROWS - rows.len();
    let buttons = buttons.chunks(BUTTONS).take(left).map(|row| CreateActionRow::Buttons(row.to_vec()));
    buttons.chain(rows.into_iter().map(CreateActionRow::SelectMenu)).collect()
}

pub(super) fn button(choice: &MenuItem) -> CreateButton {
    let style = match choice.token.action {
        Action::RerunAll | Action::Choose(_) => ButtonStyle::Primary,
        Action::Resolve => ButtonStyle::Success,
        _ => ButtonStyle::Secondary,
    };
    CreateButton::new(choice.token.to_string()).style(style).label(label(&choice.label, limits::LABEL))
}

fn menu(at: usize, placeholder: &SafeText, choices: &[MenuItem]) -> CreateSelectMenu {
    let mut known = BTreeSet::new();
    let options = choices
        .iter()
        .filter(|choice| known.insert(choice.token.to_string()))
        .take(limits::OPTIONS)
        .map(|choice| CreateSelectMenuOption::new(label(&choice.label, limits::OPTION_TEXT), choice.token.to_string()));
    CreateSelectMenu::new(format!("menu.{at}"), CreateSelectMenuKind::String { options: options.collect() })
        .placeholder(label(placeholder, limits::PLACEHOLDER))
}

/// Labels have no Markdown.
fn label(text: &SafeText, limit: usize) -> String {
    let label = limits::cut(&text.single_line(), limit);
    if label.is_empty() { "…".to_owned() } else { label }
}
