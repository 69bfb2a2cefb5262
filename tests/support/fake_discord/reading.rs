//! What people see of a message, whether it has text and embeds or is laid out in components.

use serde_json::Value;

/// True for a message with the flag that its components are all there is.
///
/// Source: Discord developer documentation, "Message Flags": `IS_COMPONENTS_V2`.
pub(crate) fn is_laid_out(message: &Value) -> bool {
    message["flags"].as_u64().is_some_and(|flags| flags & (1 << 15) != 0)
}

/// All components of a message, those within others included, in their order.
pub(crate) fn components(message: &Value) -> Vec<Value> {
    let inside = message["components"].as_array().cloned().unwrap_or_default();
    let beside = message.get("accessory").cloned();
    let all = inside.into_iter().chain(beside);
    all.flat_map(|one| {
        let inside = components(&one);
        std::iter::once(one).chain(inside)
    })
    .collect()
}

/// The texts of a message in their order: its first line, and what stands below.
pub(crate) fn texts(message: &Value) -> Vec<String> {
    let content = message["content"].as_str().filter(|content| !content.is_empty()).map(str::to_owned);
    let embeds = message["embeds"].as_array().into_iter().flatten();
    let described = embeds.filter_map(|embed| embed["description"].as_str().map(str::to_owned));
    let laid_out = components(message).into_iter().filter(|one| one["type"] == 10);
    let laid_out = laid_out.filter_map(|one| one["content"].as_str().map(str::to_owned));
    content.into_iter().chain(described).chain(laid_out).collect()
}

/// All that a message says.
pub(crate) fn text(message: &Value) -> String {
    texts(message).join("\n\n")
}

/// What its buttons and menus say and carry.
pub(crate) fn buttons(message: &Value) -> Vec<(String, String)> {
    let owned = |value: &Value| value.as_str().unwrap().to_owned();
    let controls = components(message).into_iter().filter(|one| !one["custom_id"].is_null());
    let said = controls.flat_map(|control| match control["options"].as_array() {
        Some(options) => options.iter().map(|option| (owned(&option["label"]), owned(&option["value"]))).collect(),
        None => vec![(owned(&control["label"]), owned(&control["custom_id"]))],
    });
    said.collect()
}
