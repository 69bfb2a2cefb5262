//! Whether the store takes anything.

use crate::chat::setup::{CheckResult, Checked, checked, fine, missing, open};
use crate::clock::Clock;
use crate::config::{Config, StoreServer};
use crate::store::{OpenError, Store, StoreVersion, network_disk};
use std::path::{Path, PathBuf};

pub(super) async fn check(config: &Config) -> Checked {
    if let Some(server) = &config.store.server {
        return checked("store", on_server(server).await);
    }
    let path = config.store.path.display();
    let trial = Trial::beside(&config.store.path);
    let opened = trial.as_ref().map_or_else(|| config.store.path.clone(), Trial::store);
    let found = match Store::open(&opened, Clock::system()).await {
        Ok(store) => {
            let (takes, version) = (store.is_healthy().await, store.version().await);
            store.close().await;
            match network_disk(&config.store.path) {
                _ if !takes => missing(format!("{path} cannot be written to: is the disk full, or mounted read-only?")),
                Some(kind) => {
                    open(format!("{path} is on a network disk ({kind}), whose locks cannot be relied on: name a local one"))
                }
                None => match version {
                    Ok(StoreVersion { schema, engine }) => {
                        fine(format!("{path} can be read and written, with schema {schema} and {engine}"))
                    }
                    Err(error) => missing(error.to_string()),
                },
            }
        }
        Err(OpenError::InUse(path)) => open(format!("{} is in use, so a bot is running", path.display())),
        Err(error) => missing(error.to_string()),
    };
    checked("store", found)
}

/// A database is looked at as it is: nothing is made in it.
async fn on_server(server: &StoreServer) -> CheckResult {
    match Store::look_at_server(server).await {
        Err(error) => missing(error.to_string()),
        Ok(()) if !server.is_encrypted() && !server.is_local() => {
            open(format!("{server} can be used, over a connection that is not encrypted"))
        }
        Ok(()) => fine(format!("{server} can be used")),
    }
}

/// A folder for a store of its own, where none is there yet: checking leaves no file behind.
struct Trial(PathBuf);

impl Trial {
    fn beside(store: &Path) -> Option<Trial> {
        if store.exists() {
            return None;
        }
        let folder = store.parent()?.join(format!(".rotation-diag-check-{}", std::process::id()));
        // Where no folder can be made, opening the store itself says why.
        std::fs::create_dir(&folder).ok().map(|()| Trial(folder))
    }

    fn store(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the check could not remove a folder it created");
        }
    }
}
