//! The dialog that asks what to investigate, and what its answer says.

use super::payload::{SubmittedView, ViewState};
use super::render::{limits, plain_text};
use serde::{Deserialize, Serialize};
use slack_morphism::prelude::*;

/// What the dialog's submission is known by.
pub(super) const CALLBACK: &str = "investigate";

/// What the shortcut on a message is known by.
pub(super) const SHORTCUT: &str = "diagnose_alarm";

/// The field that is wrong where an answer is refused.
pub(super) const SECRET: &str = "secret";
/// The field for a secret that is not among those to choose from.
const OTHER: &str = "other";
const ACCOUNT: &str = "account";
const REGION: &str = "region";
const WINDOW: &str = "window";
/// The field of the channel.
pub(super) const CHANNEL: &str = "channel";

/// The longest ARN of a secret: a name of 512 characters and what stands before and after it.
///
/// Source: Secrets Manager API reference, `CreateSecret`, parameter `Name`.
const MAX_SECRET: u64 = 600;

/// The longest value of a menu's entry, in characters. Source: Slack, "Option object".
const MAX_VALUE: usize = 150;

/// The longest account name or region.
const MAX_WORD: u64 = 64;

/// How far back one can look.
const WINDOWS: [(&str, &str); 5] =
    [("auto", "as far as needed"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")];

/// A thread in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ThreadIn {
    pub(super) channel: String,
    pub(super) thread: String,
}

/// What the dialog begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prefill {
    pub(super) channel: Option<String>,
    /// The message it was opened on: in its channel, the answer comes below it.
    pub(super) message: Option<ThreadIn>,
    /// Secrets to choose from.
    pub(super) secrets: Vec<String>,
}

impl Prefill {
    pub(super) fn channel(channel: &str) -> Prefill {
        Prefill { channel: Some(channel.to_owned()), ..Prefill::default() }
    }

    /// The secrets as entries of a menu. What is chosen is a secret, whatever its name looks like.
    fn menu(&self) -> Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>> {
        let entry = |name: &String| {
            let value = if name.starts_with("arn:") { name.clone() } else { format!("secret:{name}") };
            let is_short = value.chars().count() <= MAX_VALUE;
            is_short.then(|| SlackBlockChoiceItem::new(plain_text(name, limits::OPTION).into(), value))
        };
        self.secrets.iter().filter_map(entry).take(limits::OPTIONS).collect()
    }
}

/// The dialog.
pub(super) fn view(prefill: &Prefill) -> SlackView {
    let label = |text: &str| -> SlackBlockPlainTextOnly { plain_text(text, 150).into() };
    let field = |block: &str, name: &str, element: SlackInputBlockElement, optional: bool| -> SlackBlock {
        SlackInputBlock::new(label(name), element).with_block_id(SlackBlockId(block.to_owned())).with_optional(optional).into()
    };
    let word = |block: &str, placeholder: &str, longest: u64| -> SlackInputBlockElement {
        let input = SlackBlockPlainTextInputElement::new().with_action_id(SlackActionId(block.to_owned()));
        input.with_max_length(longest).with_placeholder(label(placeholder)).into()
    };
    let options: Vec<_> =
        WINDOWS.iter().map(|(value, name)| SlackBlockChoiceItem::new(label(name), (*value).to_owned())).collect();
    let window = SlackBlockStaticSelectElement::new().with_action_id(SlackActionId(WINDOW.to_owned()));
    let window = window.opt_initial_option(options.first().cloned()).with_options(options);
    let place = SlackBlockConversationsSelectElement::new().with_action_id(SlackActionId(CHANNEL.to_owned()));
    let include = vec![SlackConversationFilterInclude::Public, SlackConversationFilterInclude::Private];
    let filter = SlackBlockConversationFilter::new().with_include(include).with_exclude_bot_users(true);
    let place = place
        .opt_initial_conversation(prefill.channel.clone().map(SlackConversationId))
        .with_default_to_current_conversation(true)
        // So that the person can be answered there, whether the bot is in that channel or not.
        .with_response_url_enabled(true)
        .with_filter(filter);
    let secret = |block| word(block, "name or ARN, such as prod/orders-db", MAX_SECRET);
    let menu = prefill.menu();
    let mut blocks = Vec::new();
    if prefill.message.is_some() {
        let what = match menu.len() {
            0 => "This message names no secret that I know. Which one is it about?",
            1 => "This message seems to be about this secret.",
            _ => "Which of these secrets is this message about?",
        };
        blocks.push(SlackContextBlock::new(vec![plain_text(what, limits::TEXT).into()]).into());
    }
    if menu.is_empty() {
        blocks.push(field(SECRET, "Secret", secret(SECRET), false));
    } else {
        let choose = SlackBlockStaticSelectElement::new().with_action_id(SlackActionId(SECRET.to_owned()));
        let only = if menu.len() == 1 { menu.first().cloned() } else { None };
        let choose = choose.opt_initial_option(only).with_options(menu);
        blocks.push(field(SECRET, "Secret", choose.into(), true));
        blocks.push(field(OTHER, "Another secret", secret(OTHER), true));
    }
    blocks.extend([
        field(CHANNEL, "Channel for the thread", place.into(), false),
        field(ACCOUNT, "Account", word(ACCOUNT, "its name in the configuration", MAX_WORD), true),
        field(REGION, "Region", word(REGION, "such as eu-west-1", MAX_WORD), true),
        field(WINDOW, "Look back", window.into(), true),
    ]);
    let modal = SlackModalView::new(label("Investigate a secret"), blocks)
        .with_callback_id(SlackCallbackId(CALLBACK.to_owned()))
        .opt_private_metadata(prefill.message.as_ref().and_then(|message| serde_json::to_string(message).ok()))
        .with_submit(label("Investigate"))
        .with_close(label("Cancel"));
    SlackView::Modal(modal)
}

/// The thread that what was asked for belongs to: that of the message the dialog was opened on, where `channel` is still its
/// channel.
pub(super) fn thread(view: &SubmittedView, channel: &str) -> Option<String> {
    let message: ThreadIn = serde_json::from_str(&view.private_metadata).ok()?;
    (message.channel == channel).then_some(message.thread)
}

/// What was asked for: the channel, and the words a person would have typed there.
pub(super) fn answer(state: &ViewState) -> (String, String) {
    let other = state.field(OTHER);
    let mut words = if other.is_empty() { state.field(SECRET).to_owned() } else { other.to_owned() };
    for (option, value) in [("account", state.field(ACCOUNT)), ("region", state.field(REGION)), ("window", state.field(WINDOW))] {
        if !value.is_empty() && value != "auto" {
            words.push_str(&format!(" {option}:{value}"));
        }
    }
    (state.field(CHANNEL).to_owned(), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_what_one_would_have_typed() {
        let state: ViewState = serde_json::from_str(
            r#"{"values":{
                "secret":{"secret":{"type":"plain_text_input","value":" prod/orders-db "}},
                "channel":{"channel":{"type":"conversations_select","selected_conversation":"C1"}},
                "account":{"account":{"type":"plain_text_input","value":null}},
                "region":{"region":{"type":"plain_text_input","value":"eu-west-1"}},
                "window":{"window":{"type":"static_select","selected_option":{"text":{"type":"plain_text","text":"7 days"},"value":"7d"}}}
            }}"#,
        )
        .unwrap();
        assert_eq!(answer(&state), ("C1".to_owned(), "prod/orders-db region:eu-west-1 window:7d".to_owned()));
    }

    #[test]
    fn what_is_left_open_is_not_said() {
        let state: ViewState = serde_json::from_str(
            r#"{"values":{"secret":{"x":{"value":"a"}},"window":{"y":{"selected_option":{"value":"auto"}}}}}"#,
        )
        .unwrap();
        assert_eq!(answer(&state), (String::new(), "a".to_owned()));
    }
}
