//! Sessions of assumed roles, which say in the other account's CloudTrail who asked.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use std::fmt;
use std::time::SystemTime;

/// What every session's name begins with.
const PREFIX: &str = "rotation-diag";

/// The longest name of a session, and the longest source identity, in characters.
///
/// Source: STS API reference, `AssumeRole`, `RoleSessionName` and `SourceIdentity`.
const MAX_CHARS: usize = 64;

/// For whom a role is assumed: a person by the platform and the id there, or what else starts an investigation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionOwner(String);

impl SessionOwner {
    /// Somebody on `platform`, by the id there. What STS does not take in a name becomes a hyphen.
    #[must_use]
    pub fn person(platform: &str, id: &str) -> SessionOwner {
        SessionOwner::named(&format!("{platform}-{id}"))
    }

    /// An alarm.
    #[must_use]
    pub fn alarm() -> SessionOwner {
        SessionOwner::named("alarm")
    }

    fn named(name: &str) -> SessionOwner {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
        let room = MAX_CHARS - PREFIX.len() - 1;
        SessionOwner(name.chars().map(|c| if is_taken(c) { c } else { '-' }).take(room).collect())
    }

    /// The session's name.
    pub(super) fn session_name(owner: Option<&SessionOwner>) -> String {
        owner.map_or_else(|| PREFIX.to_owned(), |owner| format!("{PREFIX}-{owner}"))
    }
}

impl fmt::Display for SessionOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    pub role_arn: String,
    /// The external id its trust policy asks for.
    pub external_id: Option<String>,
    /// For whom; the session's name says so. `None` where nobody asked.
    pub owner: Option<SessionOwner>,
    /// Whether the owner is the session's source identity too, which the role's trust policy has to allow.
    pub names_the_owner: bool,
}

/// Assumes a role anew whenever the SDK asks for credentials, which it keeps until shortly before they expire.
///
/// The SDK's own provider cannot set a source identity.
#[derive(Debug)]
pub(super) struct RoleSession {
    sts: aws_sdk_sts::Client,
    role: AssumeRole,
}

impl RoleSession {
    pub(super) const fn new(sts: aws_sdk_sts::Client, role: AssumeRole) -> RoleSession {
        RoleSession { sts, role }
    }

    async fn assume(&self) -> provider::Result {
        let role = &self.role;
        let owner = role.owner.as_ref();
        // Also where the bot asks by itself, as `check` does: a trust policy that lacks it is found before a person meets it.
        let source_identity = role.names_the_owner.then(|| owner.map_or_else(|| PREFIX.to_owned(), ToString::to_string));
        let request = (self.sts.assume_role().role_arn(&role.role_arn))
            .role_session_name(SessionOwner::session_name(owner))
            .set_external_id(role.external_id.clone())
            .set_source_identity(source_identity);
        let answer = request.send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let expiry = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        let token = Some(given.session_token);
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, Some(expiry), "AssumeRole"))
    }
}

impl ProvideCredentials for RoleSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_its_owner_as_sts_allows_it() {
        let of = |owner: &SessionOwner| SessionOwner::session_name(Some(owner));
        assert_eq!(of(&SessionOwner::person("slack", "U0123456789")), "rotation-diag-slack-U0123456789");
        assert_eq!(of(&SessionOwner::person("terminal", "jörg müller/ops")), "rotation-diag-terminal-j-rg-m-ller-ops");
        assert_eq!(of(&SessionOwner::alarm()), "rotation-diag-alarm");
        assert_eq!(SessionOwner::session_name(None), "rotation-diag");
        let long = SessionOwner::person("discord", &"9".repeat(200));
        assert_eq!(of(&long).len(), MAX_CHARS);
    }
}
