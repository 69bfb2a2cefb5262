//! The chat platforms: each is its folder.

pub mod console;
pub mod discord;
pub mod slack;
