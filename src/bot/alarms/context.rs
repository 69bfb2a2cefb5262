//! An alarm that is worked on.

use crate::alarm::{Found, OutOfScope, Scope};
use crate::config::{AlarmRoute, Config};
use crate::model::{Alarm, Place, SecretRef};
use crate::store::{Claimed, Location};
use std::collections::{BTreeMap, BTreeSet};

/// An alarm that is worked on: where it is from, and where it is told.
pub(super) struct AlarmContext<'a> {
    pub(super) claimed: &'a Claimed,
    pub(super) alarm: &'a Alarm,
    pub(super) route: &'a AlarmRoute,
    pub(super) choice: Location,
    pub(super) found: Found,
    /// The secrets it is about, by names that are the same for the same secret.
    pub(super) secrets: BTreeMap<String, SecretRef>,
}

impl<'a> AlarmContext<'a> {
    /// The alarm, where `config` covers it.
    pub(super) fn of(config: &'a Config, claimed: &'a Claimed, alarm: &'a Alarm) -> Result<AlarmContext<'a>, OutOfScope> {
        let scope = Scope::of(config, alarm)?;
        let choice = Location { account: Some(scope.account.to_owned()), region: alarm.region.clone() };
        Ok(AlarmContext { claimed, alarm, route: scope.route, choice, found: Found::nothing(), secrets: BTreeMap::new() })
    }

    pub(super) fn place(&self) -> &Place {
        &self.route.place
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.secrets.keys().cloned().collect()
    }

    pub(super) fn is_critical(&self) -> bool {
        self.route.is_critical(&self.alarm.title, &self.alarm.key)
    }
}

/// One name per secret, whether it is named or given by its ARN.
pub(super) fn identity(alarm: &Alarm, secret: &SecretRef) -> String {
    format!("secret:{}/{}/{}", alarm.account_id, alarm.region, secret.name())
}
