//! What the page lets in, and what it shows.

mod asking;
mod guarded;
mod hostile;
mod listed;
mod shown;

use crate::site::{Browser, FOREIGN_HOST, Site, hidden, location};
use crate::worlds::{ID, investigated};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ORIGIN};
use rotation_diag::chat::compose::{self, AfterVerdict};
use rotation_diag::chat::document::{Attachment, CauseReference, Content, Message, Part, Quote, Tone};
use rotation_diag::chat::{
    Ack, ChatPlatform as _, Destination, Elsewhere, ListedThread, Manner, Payload, PlatformKind as _, ThreadFilter, ThreadTarget,
};
use rotation_diag::model::{Cause, Investigation, Place, PlatformName, ReplyTo, StepName, ThreadRef};
use rotation_diag::platforms::console::Kind;
use rotation_diag::redact::SafeText;
use rotation_diag::report::{Phrase, Report};

const ROOT: &str = "0123.root.0";

fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

fn verdict(investigation: &Investigation) -> Message {
    let (report, id) = (Report::new(investigation), ID.parse().unwrap());
    compose::verdict(&report, &id, 1, &AfterVerdict::default(), Kind.limits().screen)
}

/// The next event; nothing at the stream's end.
async fn next(stream: &mut reqwest::Response) -> String {
    let chunk = stream.chunk().await.unwrap();
    chunk.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default()
}

fn thread(root: &str) -> ThreadRef {
    ThreadRef {
        platform: PlatformName::new("console"),
        workspace: "local".to_owned(),
        channel: "page".to_owned(),
        root: root.to_owned(),
    }
}

/// Where the link of this class, or with these words, leads.
fn link(page: &str, pattern: &str) -> Option<String> {
    let link = regex::Regex::new(&format!("<a [^>]*href=\"([^\"]*)\"[^>]*>{pattern}</a>")).unwrap();
    link.captures(page).map(|found| found[1].replace("&amp;", "&"))
}
