//! An alarm that is worked on.

use crate::alarm::{OutOfScope, ResolvedSecrets, Scope};
use crate::config::Config;
use crate::model::{Alarm, Place, SecretRef};
use crate::store::{Claimed, Location};
use std::collections::{BTreeMap, BTreeSet};

/// An alarm that is worked on: where it is from, where it is told, and what it is about as far as that is known.
pub(super) struct AlarmContext<'a> {
    pub(super) claimed: &'a Claimed,
    pub(super) alarm: &'a Alarm,
    pub(super) scope: Scope<'a>,
    pub(super) location: Location,
    pub(super) found: ResolvedSecrets,
}

impl<'a> AlarmContext<'a> {
    /// The alarm, where `config` covers it: judged when it is worked on, as the configuration then is.
    pub(super) fn of(config: &'a Config, claimed: &'a Claimed, alarm: &'a Alarm) -> Result<AlarmContext<'a>, OutOfScope> {
        let scope = Scope::of(config, alarm)?;
        let location = Location { account: Some(scope.account.to_owned()), region: alarm.region.clone() };
        Ok(AlarmContext { claimed, alarm, scope, location, found: ResolvedSecrets::nothing() })
    }

    pub(super) fn place(&self) -> &'a Place {
        &self.scope.route.place
    }

    /// The secrets it is about, by names that are the same for the same secret.
    pub(super) const fn secrets(&self) -> &BTreeMap<String, SecretRef> {
        &self.found.allowed
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.secrets().keys().cloned().collect()
    }

    pub(super) fn is_critical(&self) -> bool {
        self.scope.route.is_critical(&self.alarm.title, &self.alarm.key)
    }
}
