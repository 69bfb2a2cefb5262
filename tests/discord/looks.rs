//! Every kind of message is one that Discord takes.

use crate::bot::Bot;
use crate::every_message::every_message;
use crate::every_root::every_root;
use crate::fake_discord::Event;
use crate::kept_looks::keep;
use crate::samples::in_channel;
use rotation_diag::chat::ChatPlatform as _;
use rotation_diag::platforms::discord::DiscordMode;

#[tokio::test]
async fn every_kind_of_message_is_taken() {
    let bot = Bot::new(DiscordMode::Http).await;
    let limits = bot.discord.limits();
    for (name, message) in every_message(limits).await.into_iter().chain(every_root(limits.screen).await) {
        bot.discord.post(&in_channel(), &message, &name).await.unwrap();
        let Event::Posted { body, files, .. } = bot.fake.next().await else { panic!("{name} is not there") };
        let files: Vec<String> = files.into_iter().map(|(file, _)| file).collect();
        assert_eq!(files.len(), message.attachments.len(), "{name}: {files:?}");
        assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }), "{name}");
        keep("discord", &name, &message, body, &files);
    }
    bot.fake.finish();
}
