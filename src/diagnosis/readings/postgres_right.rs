//! Which right PostgreSQL asks for where it refuses a statement about a role.
//!
//! PostgreSQL 16 split membership (`WITH ADMIN`, `INHERIT`, `SET`) and made CREATEROLE reach only the roles on which it has the
//! ADMIN option; its refusals say so in their own words. Sources: PostgreSQL 16 Documentation, "Release Notes", E.22.3.1.3 and
//! "GRANT"; the texts are those of `src/backend/commands/user.c` and `src/backend/utils/adt/acl.c` of both ages.

use regex::Regex;
use std::sync::LazyLock;

/// The right that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) enum PostgresRight {
    /// To make roles, and to change others than itself.
    CreateRole,
    /// To change the role, or to grant it to others.
    Admin { role: String, with_createrole: bool },
    /// To act as the role.
    SetRole { role: String },
    /// To change a superuser.
    Superuser,
    /// The right on a schema that PostgreSQL 15 took from everybody.
    Schema { name: String },
}

/// The age of the server, as far as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum PostgresAge {
    Before16,
    From16,
    Unknown,
}

const ROLE: &str = r#"\\?["'“](?P<role>[^"'\\”]+)"#;

struct RefusalWords {
    words: Regex,
    age: PostgresAge,
    right: fn(&str) -> PostgresRight,
}

/// The words of a refusal, the ages of server that say them, and what is lacking for the role they name.
type RefusalRow = (String, PostgresAge, fn(&str) -> PostgresRight);

static READINGS: LazyLock<Vec<RefusalWords>> = LazyLock::new(|| {
    use PostgresAge::{Before16, From16, Unknown};
    let admin = |with_createrole| match with_createrole {
        true => |role: &str| PostgresRight::Admin { role: role.to_owned(), with_createrole: true },
        false => |role: &str| PostgresRight::Admin { role: role.to_owned(), with_createrole: false },
    };
    let set_role = |role: &str| PostgresRight::SetRole { role: role.to_owned() };
    let rows: [RefusalRow; 9] = [
        ("(?i)must be superuser to alter superuser".to_owned(), Before16, |_| PostgresRight::Superuser),
        ("(?i)only roles with the superuser attribute may (?:alter|drop)".to_owned(), From16, |_| PostgresRight::Superuser),
        (format!("(?i)createrole attribute and the admin option on role {ROLE}"), From16, admin(true)),
        (format!("(?i)only roles with the admin option on role {ROLE}"), From16, admin(false)),
        (format!("(?i)must have admin option on role {ROLE}"), Before16, admin(false)),
        (format!("(?i)must be able to set role {ROLE}"), From16, set_role),
        (format!("(?i)must be (?:a )?member of role {ROLE}"), Before16, set_role),
        (format!("(?i)permission denied to set role {ROLE}"), Unknown, set_role),
        ("(?i)permission denied for schema (?P<role>[\\w-]+)".to_owned(), Unknown, |name| PostgresRight::Schema {
            name: name.to_owned(),
        }),
    ];
    let last = [
        ("(?i)must have (?:the )?createrole", Before16),
        ("(?i)must have the createrole attribute|only roles with the createrole attribute may", From16),
        ("(?i)permission denied to (?:create|alter|drop) role", Unknown),
    ];
    let rows = rows
        .into_iter()
        .chain(last.map(|(words, age)| (words.to_owned(), age, (|_| PostgresRight::CreateRole) as fn(&str) -> PostgresRight)));
    rows.filter_map(|(words, age, right)| Some(RefusalWords { words: Regex::new(&words).ok()?, age, right })).collect()
});

impl PostgresRight {
    /// What the server's answer asks for, and the age of the server that gives it in these words.
    pub(in crate::diagnosis) fn of(text: &str) -> Option<(PostgresRight, PostgresAge)> {
        READINGS.iter().find_map(|reading| {
            let found = reading.words.captures(text)?;
            let name = found.name("role").map(|role| role.as_str()).unwrap_or_default();
            Some(((reading.right)(name), reading.age))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_age_of_the_server_asks_in_its_own_words() {
        let admin = |role: &str, with_createrole| PostgresRight::Admin { role: role.to_owned(), with_createrole };
        let set = |role: &str| PostgresRight::SetRole { role: role.to_owned() };
        for (text, expected) in [
            ("ERROR: must be able to SET ROLE \"app_owner\"", (set("app_owner"), PostgresAge::From16)),
            ("error: must be member of role \"orders\"", (set("orders"), PostgresAge::Before16)),
            ("ERROR:  permission denied to set role \\\"orders\\\"", (set("orders"), PostgresAge::Unknown)),
            (
                "permission denied to alter role\nDETAIL:  Only roles with the CREATEROLE attribute and the ADMIN option on role \
                 \"app\" may alter this role.",
                (admin("app", true), PostgresAge::From16),
            ),
            (
                "permission denied to grant role \"app\"\nDETAIL:  Only roles with the ADMIN option on role \"app\" may grant this role.",
                (admin("app", false), PostgresAge::From16),
            ),
            ("ERROR:  must have admin option on role \"app\"", (admin("app", false), PostgresAge::Before16)),
            (
                "permission denied to alter role\nDETAIL:  Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER \
                 attribute.",
                (PostgresRight::Superuser, PostgresAge::From16),
            ),
            ("must be superuser to alter superusers", (PostgresRight::Superuser, PostgresAge::Before16)),
            (
                "permission denied to create role\nDETAIL:  Only roles with the CREATEROLE attribute may create roles.",
                (PostgresRight::CreateRole, PostgresAge::From16),
            ),
            (
                "must have CREATEROLE privilege to change another user's password",
                (PostgresRight::CreateRole, PostgresAge::Before16),
            ),
            ("ERROR:  permission denied to create role", (PostgresRight::CreateRole, PostgresAge::Unknown)),
            (
                "ERROR:  permission denied for schema public",
                (PostgresRight::Schema { name: "public".to_owned() }, PostgresAge::Unknown),
            ),
        ] {
            assert_eq!(PostgresRight::of(text), Some(expected), "{text}");
        }
        assert_eq!(PostgresRight::of("ERROR:  permission denied for table orders"), None);
    }
}
