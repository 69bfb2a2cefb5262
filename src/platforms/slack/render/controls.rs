//! Buttons and menus.

use super::limits::{self, cut};
use super::text::{line, plain};
use crate::chat::document::{Control, MenuItem};
use crate::model::Action;
use slack_morphism::prelude::*;

/// What the ids of our buttons and menus in messages begin with; a number follows, which makes each the only one in its message.
pub(crate) const ACTION_ID: &str = "act-";

/// At most this many buttons and menus; a message with more than two full rows is not read on a phone.
const MAX_ELEMENTS: usize = 2 * limits::ACTIONS;

/// The blocks that hold the buttons and menus.
pub(super) fn blocks(controls: &[Control]) -> Vec<SlackBlock> {
    let elements: Vec<SlackActionBlockElement> =
        controls.iter().take(MAX_ELEMENTS).enumerate().filter_map(|(at, control)| element(at, control)).collect();
    elements.chunks(limits::ACTIONS).map(|row| SlackActionsBlock::new(row.to_vec()).into()).collect()
}

fn element(at: usize, control: &Control) -> Option<SlackActionBlockElement> {
    let id = SlackActionId(format!("{ACTION_ID}{at}"));
    match control {
        // On a phone nothing can be copied from a block, only whole messages.
        Control::Button(choice) | Control::Copy(choice) => {
            let button = SlackBlockButtonElement::new(plain(&line(&choice.label), limits::BUTTON).into());
            let button = button.with_action_id(id).with_value(value(choice));
            Some(match choice.token.action {
                Action::RerunAll => button.with_style(SlackBlockButtonStyle::Primary).into(),
                _ => button.into(),
            })
        }
        Control::Select { choices, .. } if choices.is_empty() => None,
        Control::Select { placeholder, choices } => {
            let options = choices.iter().take(limits::OPTIONS).map(option).collect();
            let menu = SlackBlockStaticSelectElement::new().with_action_id(id).with_options(options);
            Some(menu.with_placeholder(plain(&line(placeholder), limits::OPTION).into()).into())
        }
    }
}

fn option(choice: &MenuItem) -> SlackBlockChoiceItem<SlackBlockPlainTextOnly> {
    SlackBlockChoiceItem::new(plain(&line(&choice.label), limits::OPTION).into(), value(choice))
}

/// A token has sixty characters; the limit is only a second line of defence, and a cut token is refused when it comes back.
fn value(choice: &MenuItem) -> String {
    cut(&choice.token.to_string(), limits::VALUE)
}
