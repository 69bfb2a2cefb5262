//! What Slack knows of a person: the user groups, and whether the account is a full member's of the bot's own workspace.
//!
//! Answers are kept for a few minutes and never longer. What is not known yet is asked for behind the acknowledgement; where
//! Slack does not tell, nothing is known, and rules that need it deny.

use super::api::{Api, Identity};
use super::failure::{FailureKind, SlackFailure};
use super::method::Method;
use crate::model::Standing;
use moka::future::Cache;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer counts. A right that was taken away ends with it.
const KEPT: Duration = Duration::from_secs(300);

/// How many people's standing is kept.
const MAX_PEOPLE: u64 = 10_000;

/// What is looked up; only what rules of the configuration ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lookups {
    /// The user groups a person is in.
    pub groups: bool,
    /// Whether a person is a full member.
    pub standing: bool,
}

/// The people of a workspace.
#[derive(Debug)]
pub(super) struct People {
    api: Arc<Api>,
    lookups: Lookups,
    groups: Cache<String, Arc<Vec<Group>>>,
    standings: Cache<String, Standing>,
}

/// A user group and who is in it.
#[derive(Debug, Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    users: Vec<String>,
}

#[derive(Deserialize)]
struct Groups {
    usergroups: Vec<Group>,
}

#[derive(Deserialize)]
struct UserAnswer {
    user: UserRecord,
}

/// What `users.info` says about an account. Source: Slack, "User object".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserRecord {
    /// The account's own workspace. Whoever shares a channel with the app is visible to it, and is then no "stranger"; only this
    /// tells that the account is another organization's.
    team_id: Option<String>,
    profile: Profile,
    enterprise_user: Option<EnterpriseUser>,
    deleted: bool,
    is_bot: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    is_stranger: bool,
    is_workflow_bot: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    team: Option<String>,
}

/// An account in an organization of several workspaces, and those it is a member of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EnterpriseUser {
    enterprise_id: Option<String>,
    teams: Vec<String>,
}

impl UserRecord {
    /// What the account is to `workspace`, where the bot is as `home`.
    fn standing(&self, workspace: &str, home: &Identity) -> Standing {
        let is_lesser = self.deleted
            || self.is_bot
            || self.is_workflow_bot
            || self.is_restricted
            || self.is_ultra_restricted
            || self.is_stranger;
        if !is_lesser && self.is_of(workspace, home) { Standing::Member } else { Standing::Outsider }
    }

    /// Whether it is an account of that workspace: its own one, or one of those it has in the same organization.
    fn is_of(&self, workspace: &str, home: &Identity) -> bool {
        let own = self.team_id.as_ref().or(self.profile.team.as_ref());
        let organization = self.enterprise_user.as_ref();
        let shares_organization =
            home.enterprise_id.is_some() && organization.is_some_and(|user| user.enterprise_id == home.enterprise_id);
        let is_there = own.is_some_and(|own| own == workspace)
            || (shares_organization && organization.is_some_and(|user| user.teams.iter().any(|team| team == workspace)));
        is_there && (shares_organization || !home.is_everywhere())
    }
}

/// What was found out about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// The groups; `None` where they are not asked for or unknown.
    pub(super) groups: Option<Vec<String>>,
    /// What the account is.
    pub(super) standing: Standing,
    /// Why something is unknown.
    pub(super) failed: Option<SlackFailure>,
}

impl People {
    pub(super) fn new(api: Arc<Api>, lookups: Lookups) -> People {
        // One list per workspace; a bot token has one.
        let groups = Cache::builder().max_capacity(16).time_to_live(KEPT).build();
        let standings = Cache::builder().max_capacity(MAX_PEOPLE).time_to_live(KEPT).build();
        People { api, lookups, groups, standings }
    }

    /// What is known of a person without asking; `None` where Slack has to be asked first. `of_anyone`: whether somebody who is
    /// no member may stand behind the id, whatever the rules ask for.
    pub(super) async fn known(&self, workspace: &str, user: &str, of_anyone: bool) -> Option<(Option<Vec<String>>, Standing)> {
        let standing = match self.standings.get(&key(workspace, user)).await {
            Some(standing) => standing,
            None if self.lookups.standing || of_anyone => return None,
            None => Standing::Unknown,
        };
        if !self.lookups.groups || standing == Standing::Outsider {
            return Some((None, standing));
        }
        let groups = self.groups.get(workspace).await?;
        Some((Some(of(&groups, user)), standing))
    }

    /// Asks Slack for what is not known.
    pub(super) async fn look_up(&self, workspace: &str, user: &str, home: &Identity) -> Facts {
        let (groups, standing) = tokio::join!(self.groups_of(workspace, user), self.standing_of(workspace, user, home));
        let (groups, no_groups) = match groups {
            Ok(groups) => (groups, None),
            Err(failure) => (None, Some(failure)),
        };
        match standing {
            Ok(standing) => Facts { groups, standing, failed: no_groups },
            Err(failure) => Facts { groups, standing: Standing::Unknown, failed: Some(failure) },
        }
    }

    async fn groups_of(&self, workspace: &str, user: &str) -> Result<Option<Vec<String>>, SlackFailure> {
        if !self.lookups.groups {
            return Ok(None);
        }
        let api = Arc::clone(&self.api);
        let listing = self.groups.try_get_with(workspace.to_owned(), async move { list_groups(&api, workspace).await });
        match listing.await {
            Ok(groups) => Ok(Some(of(&groups, user))),
            Err(failure) => Err(SlackFailure::clone(&failure)),
        }
    }

    async fn standing_of(&self, workspace: &str, user: &str, home: &Identity) -> Result<Standing, SlackFailure> {
        let api = Arc::clone(&self.api);
        let asking = async move { standing(&api, workspace, user, home).await };
        let standing = self.standings.try_get_with(key(workspace, user), asking).await;
        standing.map_err(|failure| SlackFailure::clone(&failure))
    }
}

fn key(workspace: &str, user: &str) -> String {
    format!("{workspace}/{user}")
}

fn of(groups: &[Group], user: &str) -> Vec<String> {
    groups.iter().filter(|group| group.users.iter().any(|member| member == user)).map(|group| group.id.clone()).collect()
}

async fn list_groups(api: &Api, team: &str) -> Result<Arc<Vec<Group>>, SlackFailure> {
    let parameters = [("include_users", "true"), ("include_disabled", "false"), ("team_id", team)];
    let listed = api.get::<Groups>(Method::UsergroupsList, &parameters).await;
    listed.map(|groups| Arc::new(groups.usergroups)).inspect_err(|failure| {
        tracing::warn!(%failure, "the user groups are unknown; rules that name a group deny");
    })
}

async fn standing(api: &Api, workspace: &str, user: &str, home: &Identity) -> Result<Standing, SlackFailure> {
    match api.get::<UserAnswer>(Method::UsersInfo, &[("user", user)]).await {
        Ok(answer) => Ok(answer.user.standing(workspace, home)),
        // Whom the bot may not even see is nobody's member here.
        Err(SlackFailure { kind: FailureKind::Code(code), .. })
            if matches!(code.as_str(), "user_not_found" | "user_not_visible") =>
        {
            Ok(Standing::Outsider)
        }
        Err(failure) => {
            tracing::warn!(%failure, "what kind of account asks is unknown");
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(text: &str) -> Identity {
        serde_json::from_str(&format!(r#"{{"url":"https://x.slack.com/","team_id":"T1","user_id":"UBOT"{text}}}"#)).unwrap()
    }

    fn standing(user: &str, home: &Identity) -> Standing {
        serde_json::from_str::<UserRecord>(user).unwrap().standing("T1", home)
    }

    #[test]
    fn only_a_full_member_of_the_own_workspace_is_one() {
        let alone = home("");
        for member in [
            r#"{"id":"U1","team_id":"T1","is_admin":true,"profile":{"email":"a@example.com"}}"#,
            r#"{"id":"U1","profile":{"team":"T1"}}"#,
            r#"{"id":"U1","team_id":"T1","enterprise_user":null,"profile":{"team":"T1"}}"#,
        ] {
            assert_eq!(standing(member, &alone), Standing::Member, "{member}");
        }
        for flag in ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_workflow_bot"] {
            assert_eq!(standing(&format!(r#"{{"team_id":"T1","{flag}":true}}"#), &alone), Standing::Outsider, "{flag}");
        }
        for stranger in [
            r#"{"id":"U9","team_id":"T2","is_stranger":false}"#,
            r#"{"id":"U9","team_id":"T2","profile":{"team":"T1"}}"#,
            r#"{"id":"U9"}"#,
            r#"{"id":"U9","team_id":"T2","enterprise_user":{"enterprise_id":"E2","teams":["T1"]}}"#,
        ] {
            assert_eq!(standing(stranger, &alone), Standing::Outsider, "{stranger}");
        }
    }

    #[test]
    fn in_an_organization_only_the_members_of_the_workspace_itself_are() {
        let user = |team: &str, organization: &str, teams: &str| {
            format!(
                r#"{{"team_id":"{team}","enterprise_user":{{"enterprise_id":"{organization}","teams":{teams}}},"profile":{{}}}}"#
            )
        };
        for home in [home(r#","enterprise_id":"E1""#), home(r#","enterprise_id":"E1","is_enterprise_install":true"#)] {
            assert_eq!(standing(&user("T1", "E1", r#"["T1"]"#), &home), Standing::Member);
            assert_eq!(standing(&user("T2", "E1", r#"["T2","T1"]"#), &home), Standing::Member, "of both workspaces");
            assert_eq!(standing(&user("T2", "E1", r#"["T2"]"#), &home), Standing::Outsider, "of another workspace only");
            assert_eq!(standing(&user("T2", "E2", r#"["T2","T1"]"#), &home), Standing::Outsider, "of another organization");
        }
        let everywhere = home(r#","enterprise_id":"E1","is_enterprise_install":true"#);
        assert_eq!(standing(r#"{"team_id":"T1"}"#, &everywhere), Standing::Outsider, "of no organization that is known");
    }
}
