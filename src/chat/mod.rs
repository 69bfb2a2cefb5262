//! Chat, whatever the platform: what people may say, what they are shown, who may do what.
//!
//! A platform hands what people say to a [`Intake`], and shows [`Message`]s; it knows nothing of investigations.

pub mod command;
pub mod compose;
pub mod document;
mod intake;
mod kind;
mod limits;
mod manner;
mod message_history;
mod people;
mod platform;
mod screen;
pub(crate) mod setup;
mod thread_list;

pub use crate::model::{IncomingEvent, Payload};
pub use document::Message;
pub use intake::{Ack, Intake, Summary};
pub use kind::{Alive, Background, Built, Leadership, PlatformKind, Surroundings};
pub use limits::{Limits, ProgressLimit};
pub use manner::Manner;
pub use message_history::{Elsewhere, HistoryError, MessageHistory, Posted, ShownInvestigation};
pub use people::{NameSpan, name_spans};
pub use platform::{ChatPlatform, Destination, LookedUp, LostPost, PlatformSet, SendError};
pub use screen::{LineSize, Screen};
pub use setup::{CheckResult, Checked};
pub use thread_list::{ListedThread, NoCursor, ThreadCursor, ThreadFilter, ThreadList, ThreadQuery, ThreadTarget};
