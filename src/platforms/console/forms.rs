//! What the page hands in: words or a click, and where on the page they came from.

use super::list_address::ListAddress;
use super::submissions::Field;
use super::target::PageTarget;
use super::view::Paths;
use serde::Deserialize;

/// What every form brings back.
#[derive(Deserialize)]
pub(super) struct FormOrigin {
    /// That it is a form of this session.
    pub(super) form: String,
    /// Its number: sent twice, it counts once.
    pub(super) once: String,
    /// The thread it was in; empty in the channel.
    #[serde(default)]
    thread: String,
    /// The thread that was shown beside the channel it was in; empty where none was.
    #[serde(default)]
    beside: String,
    /// What of the list was shown, as a query.
    #[serde(default)]
    list: String,
}

impl FormOrigin {
    pub(super) fn thread(&self) -> Option<&str> {
        Some(self.thread.as_str()).filter(|root| !root.is_empty())
    }

    pub(super) fn beside(&self) -> Option<&str> {
        Some(self.beside.as_str()).filter(|root| !root.is_empty())
    }

    /// What of the list was shown beside it.
    pub(super) fn list(&self) -> ListAddress {
        ListAddress::parse(&self.list)
    }

    pub(super) fn field(&self) -> Field {
        if self.thread().is_some() { Field::Say } else { Field::Ask }
    }

    /// Where it belongs to: its thread, or the channel.
    pub(super) fn place(&self) -> PageTarget {
        let thread = self.thread().and_then(|root| PageTarget::parse(&Paths::new("").thread(root)));
        thread.unwrap_or_else(PageTarget::channel)
    }

    /// The page it was on, with what became of the submission of this number.
    pub(super) fn shown(&self, paths: &Paths, once: &str) -> String {
        let page = self.thread().or(self.beside()).map_or_else(|| paths.channel(), |root| paths.thread(root));
        self.list().at_asked(&page, once)
    }
}

#[derive(Deserialize)]
pub(super) struct Words {
    pub(super) words: String,
    #[serde(flatten)]
    pub(super) origin: FormOrigin,
}

#[derive(Deserialize)]
pub(super) struct Click {
    pub(super) token: String,
    #[serde(flatten)]
    pub(super) origin: FormOrigin,
}
