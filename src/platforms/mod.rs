//! The chat platforms: each is its folder.

mod backoff;
pub mod console;
pub mod discord;
pub mod slack;
