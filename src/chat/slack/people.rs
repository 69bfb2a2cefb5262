//! What Slack knows of a person: the user groups, and whether the account is a full member's.
//!
//! Answers are kept for a few minutes and never longer; where Slack does not answer in time, nothing is known, and rules
//! that need it deny.

use super::api::Api;
use super::method::Method;
use crate::model::Standing;
use moka::future::Cache;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer counts. A right that was taken away ends with it.
const KEPT: Duration = Duration::from_secs(300);

/// How long a person's request waits for an answer; the acknowledgement is due within a second. The look-up goes on
/// behind it, for the next time.
const PATIENCE: Duration = Duration::from_millis(600);

/// How many people's standing is kept.
const MOST_PEOPLE: u64 = 10_000;

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
    user: User,
}

/// What `users.info` says about an account. Source: Slack, "User object".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    deleted: bool,
    is_bot: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    is_stranger: bool,
    is_workflow_bot: bool,
}

impl User {
    fn standing(&self) -> Standing {
        let is_outsider = self.deleted
            || self.is_bot
            || self.is_workflow_bot
            || self.is_restricted
            || self.is_ultra_restricted
            || self.is_stranger;
        if is_outsider { Standing::Outsider } else { Standing::Member }
    }
}

impl People {
    pub(super) fn new(api: Arc<Api>, lookups: Lookups) -> People {
        // One list per workspace; a bot token has one.
        let groups = Cache::builder().max_capacity(16).time_to_live(KEPT).build();
        let standings = Cache::builder().max_capacity(MOST_PEOPLE).time_to_live(KEPT).build();
        People { api, lookups, groups, standings }
    }

    /// The groups and the standing of a person, as far as they are asked for and Slack answers.
    pub(super) async fn look_up(&self, workspace: &str, user: &str) -> (Option<Vec<String>>, Standing) {
        tokio::join!(self.groups_of(workspace, user), self.standing_of(workspace, user))
    }

    async fn groups_of(&self, workspace: &str, user: &str) -> Option<Vec<String>> {
        if !self.lookups.groups {
            return None;
        }
        let (cache, api, key) = (self.groups.clone(), Arc::clone(&self.api), workspace.to_owned());
        let groups = in_time(async move {
            let team = key.clone();
            cache.try_get_with(key, async move { list_groups(&api, &team).await.ok_or(Unanswered) }).await.ok()
        })
        .await?;
        Some(
            groups.iter().filter(|group| group.users.iter().any(|member| member == user)).map(|group| group.id.clone()).collect(),
        )
    }

    async fn standing_of(&self, workspace: &str, user: &str) -> Standing {
        if !self.lookups.standing {
            return Standing::Unknown;
        }
        let (cache, api, key) = (self.standings.clone(), Arc::clone(&self.api), format!("{workspace}/{user}"));
        let user = user.to_owned();
        let found =
            in_time(
                async move { cache.try_get_with(key, async move { standing(&api, &user).await.ok_or(Unanswered) }).await.ok() },
            );
        found.await.unwrap_or(Standing::Unknown)
    }
}

/// Slack did not answer; nothing is kept.
struct Unanswered;

/// Waits for a look-up as long as an acknowledgement can; the look-up itself goes on, and fills the cache.
async fn in_time<T: Send + 'static>(look_up: impl Future<Output = Option<T>> + Send + 'static) -> Option<T> {
    tokio::time::timeout(PATIENCE, tokio::spawn(look_up)).await.ok()?.ok()?
}

async fn list_groups(api: &Api, team: &str) -> Option<Arc<Vec<Group>>> {
    let parameters = [("include_users", "true"), ("include_disabled", "false"), ("team_id", team)];
    match api.get::<Groups>(Method::UsergroupsList, &parameters).await {
        Ok(groups) => Some(Arc::new(groups.usergroups)),
        Err(failure) => {
            tracing::warn!(%failure, "the user groups are unknown; rules that name a group deny");
            None
        }
    }
}

async fn standing(api: &Api, user: &str) -> Option<Standing> {
    match api.get::<UserAnswer>(Method::UsersInfo, &[("user", user)]).await {
        Ok(answer) => Some(answer.user.standing()),
        Err(failure) => {
            tracing::warn!(%failure, "what kind of account asks is unknown");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_member_is_one() {
        let standing = |text: &str| serde_json::from_str::<User>(text).unwrap().standing();
        assert_eq!(standing(r#"{"id":"U1","is_admin":true,"profile":{"email":"a@example.com"}}"#), Standing::Member);
        for flag in ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_workflow_bot"] {
            assert_eq!(standing(&format!(r#"{{"{flag}":true}}"#)), Standing::Outsider, "{flag}");
        }
    }
}
