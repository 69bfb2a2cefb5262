//! Which database a secret is for: `[[databases]]`.

use super::SecretPattern;
use super::reader::{self, Section};
use crate::model::{DatabaseHost, DatabaseRef, SecretRef};

/// The keys of which an entry has exactly one.
const KINDS: [&str; 4] = ["instance", "cluster", "proxy", "host"];

/// The secrets of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretDatabase {
    secrets: Vec<SecretPattern>,
    database: DatabaseRef,
}

/// All entries, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretDatabases(Vec<SecretDatabase>);

impl SecretDatabases {
    /// The database of `secret`: that of the first entry that covers its name.
    #[must_use]
    pub fn of(&self, secret: &SecretRef) -> Option<&DatabaseRef> {
        let names = match secret {
            SecretRef::Name(name) => [name.as_str(), name],
            SecretRef::Arn(arn) => [arn.name(), arn.resource_name()],
        };
        let covers = |entry: &&SecretDatabase| entry.secrets.iter().any(|pattern| names.iter().any(|name| pattern.matches(name)));
        self.0.iter().find(covers).map(|entry| &entry.database)
    }
}

/// Reads `[[databases]]`.
pub(super) fn read(root: &Section<'_>) -> SecretDatabases {
    SecretDatabases(root.list("databases").into_iter().filter_map(database).collect())
}

fn database(section: Section<'_>) -> Option<SecretDatabase> {
    let patterns = section.get("secrets", |value| reader::texts(value, super::secret_pattern));
    if !section.has("secrets") {
        section.problem("secrets", "an entry under [[databases]] has to name the secrets of the database");
    }
    let id = |key| section.get(key, |value| reader::text(value).and_then(identifier));
    let host = section.get("host", |value| reader::text(value).and_then(host));
    let port = section.get("port", |value| reader::number(value, 1..=65_535)).and_then(|port| u16::try_from(port).ok());
    let given = [
        id("instance").map(DatabaseRef::Instance),
        id("cluster").map(DatabaseRef::Cluster),
        id("proxy").map(DatabaseRef::Proxy),
        host.map(|name| DatabaseRef::Host(DatabaseHost::new(&name, port))),
    ];
    if KINDS.iter().filter(|key| section.has(key)).count() != 1 {
        section.problem("instance", "an entry under [[databases]] has one of `instance`, `cluster`, `proxy` and `host`");
    }
    if section.has("port") && !section.has("host") {
        section.problem("port", "is only valid together with `host`: RDS tells the port of its own");
    }
    section.finish();
    let secrets = patterns?.iter().map(|pattern| SecretPattern::new(pattern)).collect();
    Some(SecretDatabase { secrets, database: given.into_iter().flatten().next()? })
}

fn identifier(text: String) -> Result<String, String> {
    if DatabaseRef::is_id(&text) { Ok(text) } else { Err(format!("expected an identifier of RDS, found {text:?}")) }
}

fn host(text: String) -> Result<String, String> {
    if DatabaseRef::is_host(&text) {
        Ok(text)
    } else {
        Err(format!("expected a host such as db.example.internal, found {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(text: &str) -> Result<Config, Vec<(usize, String)>> {
        Config::parse(text, crate::app::PLATFORMS)
    }

    #[test]
    fn the_first_entry_that_covers_the_secret_names_its_database() {
        let config = parsed(
            "[[databases]]\nsecrets = [\"prod/orders-*\"]\ninstance = \"orders\"\n\
             [[databases]]\nsecrets = [\"prod/*\", \"shop/*\"]\nhost = \"db.example.internal\"\nport = 5433\n",
        )
        .unwrap();
        let of = |secret: &str| config.databases.of(&secret.parse().unwrap()).cloned();
        assert_eq!(of("prod/orders-db"), Some(DatabaseRef::Instance("orders".into())));
        assert_eq!(of("shop/users"), Some(DatabaseRef::Host(DatabaseHost::new("db.example.internal", Some(5433)))));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
        assert_eq!(of(arn), Some(DatabaseRef::Instance("orders".into())));
        assert_eq!(of("test/users"), None);
    }

    #[test]
    fn an_entry_names_its_secrets_and_one_database() {
        for (text, expected) in [
            ("instance = \"orders\"", "has to name the secrets"),
            ("secrets = [\"a\"]", "has one of `instance`, `cluster`, `proxy` and `host`"),
            ("secrets = [\"a\"]\ninstance = \"a\"\ncluster = \"a\"", "has one of"),
            ("secrets = [\"a\"]\ninstance = \"a b\"", "expected an identifier of RDS"),
            ("secrets = [\"a\"]\nhost = \"db\"", "expected a host"),
            ("secrets = [\"a\"]\ninstance = \"a\"\nport = 1", "only valid together with `host`"),
            ("secrets = [\"a\"]\nhost = \"db.example.internal\"\nport = 0", "from 1 to 65535"),
        ] {
            let problems = parsed(&format!("[[databases]]\n{text}\n")).unwrap_err();
            assert!(problems.iter().any(|(_, problem)| problem.contains(expected)), "{text}: {problems:?}");
        }
    }
}
