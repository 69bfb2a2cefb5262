//! Whose account says something, judged by what Slack sends along and by what is known already; nothing is asked here.
//!
//! In a channel that Slack Connect shares, people of other organizations mention the bot and use its buttons, and to the app
//! they look like anybody: a payload names their own workspace in one of several places, or nowhere.

use super::NAME;
use super::Slack;
use super::payload::EventPayload;
use crate::model::{Actor, Standing};

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The workspace it counts for: ours.
    pub(super) workspace: String,
    /// Whether the account's own workspace was named, and is another one.
    is_foreign: bool,
    /// Whether an account of elsewhere may stand behind it although none was named.
    may_be_foreign: bool,
}

impl Slack {
    /// The origin of something that names its account's workspace in `homes`; `seen_from` is the workspace of the app, where
    /// the payload tells. `None` where no workspace is named at all.
    pub(super) fn origin(&self, seen_from: Option<String>, homes: &[Option<String>]) -> Option<Origin> {
        let mut named = homes.iter().flatten();
        let own = self.own_team().map(str::to_owned);
        let is_known = own.is_some();
        let workspace = own.or(seen_from).or_else(|| named.clone().next().cloned())?;
        let is_foreign = named.any(|home| *home != workspace);
        let may_be_foreign = !is_known || homes.iter().all(Option::is_none);
        Some(Origin { workspace, is_foreign, may_be_foreign })
    }

    /// The origin of an event; `None` where it was sent on behalf of another installation than ours.
    pub(super) fn origin_of(&self, event: &EventPayload, homes: &[Option<String>]) -> Option<Origin> {
        let teams = || event.authorizations.iter().filter_map(|authorization| authorization.team_id.as_ref());
        if let Some(own) = self.own_team()
            && teams().next().is_some()
            && !teams().any(|team| team == own)
        {
            return None;
        }
        let seen_from = teams().next().cloned().or_else(|| event.context_team_id.clone());
        let origin = self.origin(seen_from.or_else(|| Some(event.team_id.clone())), homes)?;
        let is_shared = event.is_ext_shared_channel.unwrap_or_default() || event.team_id != origin.workspace;
        Some(Origin { may_be_foreign: !self.knows_itself() || is_shared, ..origin })
    }

    /// Who it is, as far as that is known.
    pub(super) async fn actor(&self, origin: &Origin, user: &str) -> Actor {
        let in_organization = self.identity.get().is_some_and(|identity| identity.enterprise_id.is_some());
        let (groups, standing) = if origin.is_foreign && self.knows_itself() && !in_organization {
            (None, Standing::Outsider)
        } else {
            // Within one organization an account may be a member of several workspaces: Slack knows.
            let of_anyone = origin.is_foreign || origin.may_be_foreign;
            let known = self.people.known(&origin.workspace, user, of_anyone).await;
            known.unwrap_or((None, Standing::Pending))
        };
        Actor { platform: NAME, workspace: origin.workspace.clone(), user: user.to_owned(), groups, standing }
    }

    fn knows_itself(&self) -> bool {
        self.identity.get().is_some()
    }
}
