//! What the store says is to be shown, on platforms that refuse, lose answers, hang and come back.

mod alone;
mod files;
mod lost_answers;
mod order;
mod refusals;

use super::world::{Fake, Fault, Simulated, World};
use rotation_diag::chat::document::{Attachment, Content, Tone};
use rotation_diag::chat::{Intake as _, Message, SendError};
use rotation_diag::model::{Place, PlatformName, ReplyTo, ThreadId};
use rotation_diag::redact::SafeText;
use rotation_diag::store::{DesiredMessage, NewThread};
use std::collections::HashSet;
use std::time::Duration;

/// The thread of this name.
fn t(id: &str) -> ThreadId {
    id.parse().unwrap()
}

fn line(text: &str) -> Message {
    Message::line(Tone::Neutral, SafeText::redact(text))
}

fn thread(id: &str, platform: PlatformName) -> NewThread {
    let place = Place { platform, workspace: "T1".to_owned(), channel: "C1".to_owned(), thread: None };
    NewThread { id: t(id), place }
}

async fn idle() -> World {
    World::new("", Simulated::new(&[])).await
}

/// A thread with a root and `replies` replies.
async fn stated(world: &World, id: &str, platform: PlatformName, replies: usize) {
    let mut messages = vec![DesiredMessage::root(&t(id), line("root"), "a test")];
    messages.extend(
        (1..=replies)
            .map(|number| DesiredMessage::reply(&t(id), format!("r{number}"), line(&format!("reply {number}")), "a test")),
    );
    world.store.open_thread(&thread(id, platform), &messages).await.unwrap();
}

fn later(why: &str) -> Fault {
    Fault::Refuse(SendError::Later { after: None, why: why.to_owned() })
}

fn titles(fake: &Fake) -> Vec<String> {
    fake.shown().iter().map(|shown| shown.title().to_owned()).collect()
}

/// Another thread, to see that nothing more of the first was on its way.
async fn stated_after(world: &World, slack: &Fake) {
    stated(world, "after", PlatformName::new("slack"), 0).await;
    slack.until("the one after", |state| state.shown.iter().any(|shown| shown.key.starts_with("after."))).await;
}

fn closed() -> Fault {
    Fault::Refuse(SendError::Closed { why: "not_in_channel".to_owned(), tell: "invite me" })
}
