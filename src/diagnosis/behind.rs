//! What is behind the secret, for people: a database, or something else that takes its value.

use crate::model::Cause;

/// What takes the secret's value, and what the value is to it, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind {
    /// Such as `broker`.
    pub(super) noun: &'static str,
    /// Such as `password`.
    pub(super) credential: &'static str,
}

pub(super) const DATABASE: Behind = Behind { noun: "database", credential: "password" };
pub(super) const CACHE: Behind = Behind { noun: "cache", credential: "password" };
pub(super) const DIRECTORY: Behind = Behind { noun: "directory", credential: "password" };
pub(super) const BROKER: Behind = Behind { noun: "broker", credential: "password" };
pub(super) const MAIL: Behind = Behind { noun: "mail server", credential: "password" };
pub(super) const SERVICE: Behind = Behind { noun: "service", credential: "credential" };

impl Behind {
    /// True for what RDS may know.
    pub(super) fn is_database(self) -> bool {
        self == DATABASE
    }

    /// Who logs in with the secret's value, such as `broker's user`.
    pub(super) fn user(self) -> String {
        if self.is_database() { "database user".to_owned() } else { format!("{}'s user", self.noun) }
    }

    /// The noun where a line may be a database's or any other service's.
    pub(super) fn noun_or_service(self) -> &'static str {
        if self.is_database() { "database or service" } else { self.noun }
    }

    /// The title of a finding about `cause`: its catalogue title, with what is behind the secret by its own name.
    pub(super) fn title(self, cause: Cause) -> String {
        let noun = self.noun;
        match cause {
            Cause::DbNetworkUnreachable => format!("the function cannot reach the {noun} over the network"),
            Cause::DbLoginAmbiguous => format!("the function cannot log in to the {noun}"),
            Cause::DbAuthFailed => format!("the {noun} refuses the credentials in the secret"),
            Cause::DbSslMismatch => format!("the function and the {noun} disagree about TLS"),
            Cause::DbHostnameVerification => {
                format!("the {noun}'s TLS certificate does not match the host in the secret")
            }
            Cause::DbPermissionInsufficient => format!("the {} may not change the password", self.user()),
            Cause::DbPasswordPolicyOrChars => format!("the {} rejects the generated password", self.noun_or_service()),
            _ => cause.title().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_database_has_the_titles_of_the_catalogue() {
        for cause in Cause::ALL.iter().copied() {
            assert_eq!(DATABASE.title(cause), cause.title());
        }
        assert_eq!(MAIL.title(Cause::DbPermissionInsufficient), "the mail server's user may not change the password");
        assert_eq!(CACHE.title(Cause::DbPasswordPolicyOrChars), "the cache rejects the generated password");
    }
}
