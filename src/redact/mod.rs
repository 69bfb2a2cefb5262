//! `SafeText`: the only text that may leave the process.
//!
//! Everything that reaches a terminal, a chat, a log or a file is a [`SafeText`]; it is made by redaction, and composed of words of the
//! source and of what is safe already, by nothing else. Secrets are recognised by their own shape (an AWS access key, a JWT, a private key), by the name they
//! are assigned to (`password=…`, `"SecretString": "…"`), by their place in a connection string, on a command line or in a
//! statement, or because the process itself holds them ([`hold`]).
//!
//! A text is read as a person sees it: without colours and invisible characters, look-alike letters as the plain ones. The events of
//! a log are joined first ([`Redactor::redact_lines`]), because a secret may be cut over two of them.
//!
//! Known limits: a value without a telling shape, name or neighbour cannot be recognised; neither can a secret that
//! was compressed or encoded as hex, except behind a telling name. Redact whole texts and cut afterwards
//! ([`SafeText::cut`]): half a secret no longer has its shape.

mod commands;
mod dsn;
mod json;
mod keys;
mod lines;
mod marker;
mod names;
mod pasted;
mod patterns;
mod prose;
mod randomness;
mod redactor;
mod safe_text;
pub(crate) mod sanitize;
mod scan;
mod shapes;
mod value;
mod view;
mod words;

pub use pasted::looks_like_a_value;
pub use redactor::{Redacted, Redactor, hold};
#[doc(hidden)]
pub use safe_text::has_parts;
pub use safe_text::{SafePart, SafeText};
