//! The page as a platform: nothing is sent anywhere, browsers are told to look.

use super::Console;
use super::live::News;
use crate::chat::Message;
use crate::chat::{ChatPlatform, Destination, Limits, LostPost, SendError};
use crate::model::{PlatformName, ReplyTo, ThreadRef};
use async_trait::async_trait;

#[async_trait]
impl ChatPlatform for Console {
    fn name(&self) -> PlatformName {
        super::NAME
    }

    fn limits(&self) -> Limits {
        super::kind::LIMITS
    }

    /// The delivery's key is the message's id: the board has the message already.
    async fn post(&self, _to: &Destination, _message: &Message, key: &str) -> Result<String, SendError> {
        self.live.tell(News::Changed);
        Ok(key.to_owned())
    }

    async fn edit(&self, _to: &Destination, _id: &str, _message: &Message) -> Result<(), SendError> {
        self.live.tell(News::Changed);
        Ok(())
    }

    async fn find(&self, _to: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        Ok(Some(lost.key.to_owned()))
    }

    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        self.submissions.tell(&to.0, message.clone());
        self.live.tell(News::Changed);
        Ok(())
    }

    async fn point_to(&self, to: &ReplyTo, thread: &ThreadRef) -> Result<(), SendError> {
        self.submissions.lead(&to.0, &thread.root);
        self.live.tell(News::Changed);
        Ok(())
    }

    fn link(&self, thread: &ThreadRef) -> Option<String> {
        Some(format!("{}{}", self.origin()?, self.paths.thread(&thread.root)))
    }
}
