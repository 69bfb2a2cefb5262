//! The place of a row.

use super::StoreError;
use crate::model::Place;

fn unreadable(why: &str) -> StoreError {
    StoreError::Unreadable { what: "thread", why: why.to_owned() }
}

pub(super) fn place(platform: &str, workspace: String, channel: String, thread: Option<String>) -> Result<Place, StoreError> {
    let platform = platform.parse().map_err(|_| unreadable("its platform is none"))?;
    Ok(Place { platform, workspace, channel, thread })
}
