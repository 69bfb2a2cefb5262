//! The tables of chat platforms, such as `[slack]`: each platform reads its own, and answers what others ask about it.

use super::Config;
use super::reader::{Reader, Section};
use crate::model::{Place, PlatformName};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How a platform's table is read. The table is called as the platform is.
pub trait PlatformTable: Sync {
    /// The platform.
    fn name(&self) -> PlatformName;

    /// Reads the table from the root; `None` where it is left out, and where it has mistakes, which `reader` knows then.
    fn read(&self, reader: &Reader<'_>, root: &Section<'_>) -> Option<Arc<dyn PlatformConfig>>;
}

/// What a platform's table says.
pub trait PlatformConfig: Any + fmt::Debug + Send + Sync {
    /// What is wrong with a place of the platform that `[[alarms.route]]` names.
    fn misplaced(&self, _place: &Place, _config: &Config) -> Vec<Misplaced> {
        Vec::new()
    }

    /// The paths at which the platform calls the bot from the internet; `None` where it does not call.
    fn called_at(&self) -> Option<&'static str> {
        None
    }

    /// The path of the configuration's choice below which people are answered, such as `/tools/page`; empty for all paths that
    /// nobody else has.
    fn path(&self) -> &str {
        ""
    }

    /// The address at which people reach it with their browsers, where the configuration names one.
    fn people_at(&self) -> Option<String> {
        None
    }

    /// True where somebody is answered over HTTP: the platform, or people with their browsers.
    fn answers_over_http(&self) -> bool {
        self.called_at().is_some()
    }
}

/// What is wrong with a place that an alarm's route names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misplaced {
    /// The workspace or server.
    Workspace(String),
    Channel(String),
}

/// The platforms that the configuration has a table of.
#[derive(Debug, Clone, Default)]
pub struct PlatformConfigs(BTreeMap<PlatformName, Arc<dyn PlatformConfig>>);

impl PlatformConfigs {
    /// Reads every table there is.
    pub(super) fn read<T: PlatformTable + ?Sized>(tables: &[&T], reader: &Reader<'_>, root: &Section<'_>) -> PlatformConfigs {
        let configs: BTreeMap<_, _> = tables.iter().filter_map(|table| Some((table.name(), table.read(reader, root)?))).collect();
        for (name, config) in &configs {
            // Below its name each platform is called.
            let first = config.path().split('/').nth(1).unwrap_or_default();
            if tables.iter().any(|table| table.name().id() == first) {
                root.problem(name.id(), &format!("the path /{first} is used for something else on this server: choose another"));
            }
        }
        PlatformConfigs(configs)
    }

    /// What the table of a platform says.
    #[must_use]
    pub fn get(&self, name: PlatformName) -> Option<&dyn PlatformConfig> {
        self.0.get(&name).map(AsRef::as_ref)
    }

    /// What the platform whose table is read as `T` says.
    #[must_use]
    pub fn of<T: PlatformConfig>(&self) -> Option<&T> {
        self.0.values().find_map(|config| (config.as_ref() as &dyn Any).downcast_ref())
    }

    /// True where there is no table of any platform.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (PlatformName, &dyn PlatformConfig)> {
        self.0.iter().map(|(name, config)| (*name, config.as_ref()))
    }
}

/// `slack, discord or console`: the names as a sentence offers them.
pub(super) fn one_of(names: &[PlatformName]) -> String {
    let names: Vec<&str> = names.iter().map(PlatformName::id).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing, because there are no platforms".to_owned(),
    }
}

/// The platform a text names.
pub(super) fn named(text: &str, names: &[PlatformName]) -> Result<PlatformName, String> {
    let known = text.parse().ok().filter(|name| names.contains(name));
    known.ok_or_else(|| format!("expected {}, found {text:?}", one_of(names)))
}
