//! Every kind of message is one that Slack takes.

use crate::every_message::every_message;
use crate::every_root::every_root;
use crate::fake_slack::check_blocks;
use crate::kept_looks::keep;
use rotation_diag::chat::PlatformKind as _;
use rotation_diag::platforms::slack::Kind;
use rotation_diag::platforms::slack::render::{Surface, message};
use serde_json::json;

#[tokio::test]
async fn every_kind_of_message_is_taken() {
    let limits = Kind.limits();
    for (name, of) in every_message(limits).await.into_iter().chain(every_root(limits.screen).await) {
        let rendered = message(&of, Surface::Post);
        let blocks = serde_json::to_value(&rendered.blocks).unwrap();
        check_blocks(&blocks, false).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert!(
            rendered.text.contains(of.title.as_str()) && blocks.as_array().is_some_and(|blocks| !blocks.is_empty()),
            "{name}"
        );
        let files: Vec<String> = of.attachments.iter().map(|file| file.name.clone()).collect();
        keep("slack", &name, &of, json!({ "text": rendered.text, "blocks": blocks }), &files);
    }
}
