//! What a cause is, and which there are.

use crate::diagnosis::page_of;
use crate::model::{Cause, probably_meant};
use crate::redact::SafeText;
use crate::report::SCHEMA_VERSION;
use crate::safe_format;
use serde::Serialize;

/// What a cause is, how it shows, and what it is not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CausePage {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub cause: Cause,
    pub title: SafeText,
    /// Markdown.
    pub page: SafeText,
}

/// All causes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseList {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub causes: Vec<ListedCause>,
}

/// A cause of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedCause {
    pub cause: Cause,
    pub title: SafeText,
}

impl CausePage {
    /// The page of the cause with this id.
    ///
    /// # Errors
    /// What to do about an id that no cause has; the nearest one is named.
    pub fn of(id: &str) -> Result<CausePage, SafeText> {
        let page = |cause: Cause| {
            let (title, page) = (cause.title().into(), page_of(cause)?.into());
            Some(CausePage { schema_version: SCHEMA_VERSION, cause, title, page })
        };
        Cause::from_id(id).and_then(page).ok_or_else(|| unknown_cause(id))
    }
}

impl CauseList {
    /// Those that an investigation can end with.
    #[must_use]
    pub fn all() -> CauseList {
        let listed = |cause: &Cause| ListedCause { cause: *cause, title: cause.title().into() };
        CauseList { schema_version: SCHEMA_VERSION, causes: known().map(listed).collect() }
    }
}

/// What to do about an id that no cause has; the nearest one is named.
#[must_use]
pub fn unknown_cause(id: &str) -> SafeText {
    match probably_meant(id, known().map(|cause| cause.id())) {
        Some(near) => safe_format!("no cause has this id, the nearest is {}", near),
        None => "no cause has this id".into(),
    }
}

fn known() -> impl Iterator<Item = &'static Cause> {
    Cause::ALL.iter().filter(|cause| !cause.is_line_label())
}
