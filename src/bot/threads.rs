//! Investigations that are held in a thread of others: what is asked there is answered there, and told nowhere else.
//!
//! Rules name channels, so whoever may ask in a channel may ask in its threads. A thread may be private while its channel is
//! not: so nothing goes from it to the channel, neither the answer nor a refusal.

use crate::chat::PlatformSet;
use crate::model::Place;
use crate::store::{InvestigationRow, Store, StoreError, Thread};

/// Where a question is answered that was asked at `asked_at`: in a thread of its own in the channel; but where it was asked in
/// a thread of others, in that one.
pub(super) async fn answered_at(store: &Store, platforms: &PlatformSet, asked_at: &Place) -> Result<Place, StoreError> {
    let channel = Place { thread: None, ..asked_at.clone() };
    if asked_at.thread.is_none() || !platforms.limits(asked_at.platform).has_others_threads {
        return Ok(channel);
    }
    Ok(match store.thread_at(asked_at).await? {
        Some(ours) => Place { thread: ours.held_in, ..channel },
        None => asked_at.clone(),
    })
}

/// The thread that follow-ups at `said_at` are about; several where that thread of others holds several.
pub(super) async fn threads_meant(store: &Store, said_at: &Place) -> Result<Vec<Thread>, StoreError> {
    match store.thread_at(said_at).await? {
        Some(ours) => Ok(vec![ours]),
        None => store.threads_held_in(said_at).await,
    }
}

/// True where an investigation may be spoken of at `place`: in its channel; but where it is held in a thread, in that one.
pub(super) fn is_of(row: &InvestigationRow, place: &Place) -> bool {
    let its = &row.place;
    (its.platform, &its.workspace, &its.channel) == (place.platform, &place.workspace, &place.channel)
        && row.held_in.as_ref().is_none_or(|held_in| place.thread.as_ref() == Some(held_in))
}
