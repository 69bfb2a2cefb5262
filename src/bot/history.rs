//! What was said and found, for a platform that shows it itself; and what of other platforms may be shown beside it.

use super::access::Access;
use super::intake::origin_of;
use crate::chat::{
    Elsewhere, HistoryError, ListedThread, MessageHistory, PlatformSet, Posted, ShownInvestigation, ThreadFilter, ThreadList,
    ThreadQuery, ThreadTarget,
};
use crate::model::{ActionKind, Actor, InvestigationId, Place, PlatformName, SecretRef, ThreadRef};
use crate::store::{Headline, InvestigationRow, ListedInvestigation, ListedRow, Location, Store, StoreError};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many threads are read at once.
const AT_ONCE: u32 = 100;
/// How many threads are looked through for one part of the list; whoever goes on finds more.
const MAX_THREADS: usize = 2_000;

/// The threads, to whoever may see them.
pub struct ChatHistory {
    store: Arc<Store>,
    access: Arc<Access>,
    platforms: PlatformSet,
}

#[async_trait]
impl MessageHistory for ChatHistory {
    async fn threads(&self, actor: &Actor, place: &Place, query: &ThreadQuery) -> Result<ThreadList, HistoryError> {
        self.list(actor, place, query).await.map_err(history_error)
    }

    async fn messages(&self, platform: PlatformName, root: &str, limit: usize) -> Result<Vec<Posted>, HistoryError> {
        self.store.posted(platform, root, limit).await.map_err(history_error)
    }

    async fn investigation(&self, actor: &Actor, place: &Place, id: &InvestigationId) -> Option<ShownInvestigation> {
        let row = self.store.investigation(id).await.ok()??;
        let is_here = row.place.platform == place.platform && row.place.workspace == place.workspace;
        let may_see = if is_here {
            self.access.may_see(actor, &row)
        } else {
            row.held_in.is_none() && self.may_see_elsewhere(actor, place, &row.question.secret, row.location.as_ref())
        };
        if !may_see {
            return None;
        }
        let investigation = self.store.record(id).await.ok()??;
        let elsewhere = (!is_here).then(|| self.elsewhere(&row));
        Some(ShownInvestigation { investigation, place: row.place, elsewhere })
    }
}

fn history_error(error: StoreError) -> HistoryError {
    tracing::error!(%error, "the messages of a page cannot be read");
    HistoryError
}

impl ChatHistory {
    /// Shows of `store` what `access` allows.
    #[must_use]
    pub fn new(store: Arc<Store>, access: Arc<Access>, platforms: PlatformSet) -> ChatHistory {
        ChatHistory { store, access, platforms }
    }

    async fn list(&self, actor: &Actor, place: &Place, query: &ThreadQuery) -> Result<ThreadList, StoreError> {
        let origin = if query.sent_as.is_empty() { String::new() } else { origin_of(place, &query.sent_as) };
        let mut list = ThreadList { threads: Vec::new(), older: None, accounts: BTreeSet::new(), at: self.store.now() };
        let (mut behind, mut read) = (query.behind, 0);
        // The last thread that was taken: where the next part begins.
        let mut last = None;
        while read < MAX_THREADS {
            let rows = self.store.threads_behind(behind, AT_ONCE, &origin).await?;
            let is_end = rows.len() < AT_ONCE as usize;
            read += rows.len();
            for row in rows {
                behind = Some(row.cursor);
                let seen = self.seen(actor, place, &row);
                list.accounts.extend(seen.iter().flat_map(|seen| seen.accounts.iter().cloned()));
                let mut fitting = seen.into_iter().filter(|seen| seen.fits(query)).map(|seen| seen.thread).peekable();
                if fitting.peek().is_none() {
                    continue;
                }
                if list.threads.len() >= query.limit {
                    list.older = last;
                    return Ok(list);
                }
                list.threads.extend(fitting);
                last = Some(row.cursor);
            }
            if is_end {
                return Ok(list);
            }
        }
        list.older = behind;
        Ok(list)
    }

    /// What `actor` sees in `place` of a thread.
    fn seen(&self, actor: &Actor, place: &Place, row: &ListedRow) -> Vec<SeenThread> {
        let own = &row.place;
        if own.platform == place.platform && own.workspace == place.workspace && own.channel == place.channel {
            // What is held in a thread of others is told there alone.
            let Some((root, headline)) = row.root.as_ref().filter(|_| row.held_in.is_none()) else { return Vec::new() };
            let target = ThreadTarget::Thread(root.clone());
            return vec![SeenThread::of(row, target, headline, &row.investigations.iter().collect::<Vec<_>>())];
        }
        let platform = self.platforms.limits(own.platform).title;
        let theirs = row
            .investigations
            .iter()
            .filter(|one| row.held_in.is_none() && self.may_see_elsewhere(actor, place, &one.secret, one.location.as_ref()));
        let seen = theirs.filter_map(|one| {
            let target = ThreadTarget::Elsewhere { investigation: one.id.clone(), platform };
            Some(SeenThread::of(row, target, one.headline.as_ref()?, &[one]))
        });
        seen.collect()
    }

    /// Whether what was found on another platform is shown in `place`: to whoever may look at the same evidence here.
    fn may_see_elsewhere(&self, actor: &Actor, place: &Place, secret: &SecretRef, location: Option<&Location>) -> bool {
        self.platforms.limits(place.platform).shows_others
            && location.is_some_and(|location| self.access.may(actor, place, ActionKind::Evidence, secret, location).is_ok())
    }

    fn elsewhere(&self, row: &InvestigationRow) -> Elsewhere {
        let place = &row.place;
        let thread = place.thread.as_ref().map(|root| ThreadRef {
            platform: place.platform,
            workspace: place.workspace.clone(),
            channel: place.channel.clone(),
            root: root.clone(),
        });
        let platform = self.platforms.find(place.platform);
        Elsewhere {
            platform: self.platforms.limits(place.platform).title,
            address: platform.zip(thread).and_then(|(platform, thread)| platform.link(&thread)),
        }
    }
}

/// A thread as somebody sees it, with what it is found by.
struct SeenThread {
    thread: ListedThread,
    accounts: Vec<String>,
    secrets: Vec<String>,
    is_theirs: bool,
}

impl SeenThread {
    fn of(row: &ListedRow, leads_to: ThreadTarget, headline: &Headline, investigations: &[&ListedInvestigation]) -> SeenThread {
        let account = |one: &&ListedInvestigation| one.location.as_ref()?.account.clone();
        SeenThread {
            thread: ListedThread {
                leads_to,
                tone: headline.tone,
                title: headline.title.clone(),
                opened_at: row.opened_at,
                stated_at: headline.stated_at,
            },
            accounts: investigations.iter().filter_map(account).collect(),
            secrets: investigations.iter().map(|one| one.secret.to_string().to_lowercase()).collect(),
            is_theirs: investigations.iter().any(|one| one.is_theirs),
        }
    }

    fn fits(&self, query: &ThreadQuery) -> bool {
        let text = query.text.to_lowercase();
        query.filter.takes(self.thread.tone)
            && (query.filter != ThreadFilter::Mine || self.is_theirs)
            && query.account.as_ref().is_none_or(|account| self.accounts.contains(account))
            && (self.thread.title.as_str().to_lowercase().contains(&text) || self.secrets.iter().any(|name| name.contains(&text)))
    }
}
