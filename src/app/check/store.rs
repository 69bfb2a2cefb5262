//! Whether the store takes anything.

use super::{Checked, checked, fine, missing, open};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{OpenError, Store, network_disk};

pub(super) async fn check(config: &Config) -> Checked {
    let path = config.store.path.display();
    let found = match Store::open(&config.store.path, Clock::system()).await {
        Ok(store) => {
            let takes = store.is_well().await;
            store.close().await;
            match network_disk(&config.store.path) {
                _ if !takes => missing(format!("{path} takes nothing: is the disk full, or mounted read-only?")),
                Some(kind) => {
                    open(format!("{path} is on a network disk ({kind}), whose locks cannot be relied on: name a local one"))
                }
                None => fine(format!("{path} can be used")),
            }
        }
        Err(OpenError::InUse(path)) => open(format!("{} is in use, so a bot is running", path.display())),
        Err(error) => missing(error.to_string()),
    };
    checked("store", found)
}
