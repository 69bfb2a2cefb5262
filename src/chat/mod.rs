//! Chat, whatever the platform: what people may say, what they are shown, who may do what.
//!
//! A platform hands what people say to a [`Reception`], and shows [`Message`]s; it knows nothing of investigations.

mod board;
pub mod command;
pub mod compose;
pub mod document;
mod manner;
mod platform;
mod reception;

pub use crate::model::{Inbound, Said};
pub use board::{Board, BoardError, BoardThread, Posted};
pub use document::Message;
pub use manner::Manner;
pub use platform::{ChatPlatform, Destination, LookedUp, SendError};
pub use reception::{Receipt, Reception, Summary};
