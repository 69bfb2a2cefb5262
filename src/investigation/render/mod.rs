//! A report as people and programs read it: terminal text, Markdown for a ticket, JSON.
//!
//! [`wording`] says everything once, in plain and inert text; the formats only lay it out.

pub mod inert;
mod json;
mod markdown;
mod text;
pub mod time;
pub mod wording;

pub use json::{json, json_line};
pub use markdown::markdown;
pub use text::text;
