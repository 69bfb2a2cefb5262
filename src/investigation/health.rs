//! Whether the parts work, for whoever restarts or pages.

use crate::model::PlatformName;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What does not work at the moment. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Health {
    ailing: std::sync::Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Health {
    /// Notes whether a part works; `why` is for the operator. True when that is news.
    pub fn note(&self, part: &'static str, why: Option<&str>) -> bool {
        let mut ailing = self.ailing.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => ailing.insert(part, why.to_owned()).as_deref() != Some(why),
            None => ailing.remove(part).is_some(),
        }
    }

    /// Notes whether a platform takes messages.
    pub fn note_platform(&self, platform: PlatformName, why: Option<&str>) -> bool {
        self.note(platform.id(), why)
    }

    /// True when everything works.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.ailing.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The parts that do not work. No names, accounts or tokens.
    #[must_use]
    pub fn ailing(&self) -> Vec<&'static str> {
        self.ailing.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}
