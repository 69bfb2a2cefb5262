//! How a database is named, by people, tags and log lines.

use super::arn::Arn;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest name of a host. Source: RFC 1035.
const MAX_HOST_CHARS: usize = 253;

/// The longest identifier RDS accepts. Source: RDS API reference, `CreateDBInstance`, `CreateDBCluster`, `CreateDBProxy`.
const MAX_ID_CHARS: usize = 63;

/// A database, as something names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseRef {
    /// By the identifier of its instance.
    Instance(String),
    /// By the identifier of its cluster.
    Cluster(String),
    /// By the name of the proxy before it.
    Proxy(String),
    /// By an identifier that may be an instance's or a cluster's.
    Id(String),
    /// By the host it listens on, which RDS need not know.
    Host(DatabaseHost),
}

/// Where a database listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DatabaseHost {
    /// Its name, or its address in figures.
    pub name: String,
    /// Its address, where it was told.
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
}

/// A text that names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" names no database: give an RDS identifier, its ARN, or a host, with `:` and a port where it is not the usual one"
)]
pub struct DatabaseRefError(String);

impl DatabaseHost {
    /// The host `name`.
    #[must_use]
    pub fn new(name: &str, port: Option<u16>) -> DatabaseHost {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        DatabaseHost { address: name.parse().ok(), name, port }
    }

    /// What RDS calls the database that listens there; `None` where the name does not tell.
    ///
    /// Source: RDS User Guide, "Finding the connection information"; Aurora User Guide, "Aurora endpoint connections". In China
    /// the service stands before the region.
    #[must_use]
    pub fn of_rds(&self) -> Option<DatabaseRef> {
        let labels: Vec<&str> = self.name.split('.').collect();
        let [id, kind, rest @ ..] = labels.as_slice() else { return None };
        let is_aws = rest.contains(&"amazonaws") && rest.iter().any(|label| ["rds", "docdb", "neptune"].contains(label));
        if !is_aws || id.is_empty() {
            return None;
        }
        let id = (*id).to_owned();
        match kind.split_once('-') {
            None => Some(DatabaseRef::Instance(id)),
            Some(("cluster", rest)) if !rest.starts_with("custom-") => Some(DatabaseRef::Cluster(id)),
            Some(("proxy", _)) => Some(DatabaseRef::Proxy(id)),
            Some(_) => None,
        }
    }
}

impl DatabaseRef {
    /// The instance, cluster or proxy that an ARN of RDS names.
    #[must_use]
    pub fn of_arn(text: &str) -> Option<DatabaseRef> {
        let arn = Arn::parse(text).ok().filter(|arn| arn.service() == "rds")?;
        let (kind, id) = arn.resource().split_once(':')?;
        let id = id.to_owned();
        match kind {
            "db" => Some(DatabaseRef::Instance(id)),
            "cluster" => Some(DatabaseRef::Cluster(id)),
            // An ARN of a proxy holds its resource id, by which RDS cannot be asked.
            _ => None,
        }
    }

    /// The host, or what RDS calls the database there.
    #[must_use]
    pub fn of_host(host: DatabaseHost) -> DatabaseRef {
        host.of_rds().unwrap_or(DatabaseRef::Host(host))
    }

    /// Its identifier, its name or its host.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            DatabaseRef::Instance(id) | DatabaseRef::Cluster(id) | DatabaseRef::Proxy(id) | DatabaseRef::Id(id) => id,
            DatabaseRef::Host(host) => &host.name,
        }
    }

    /// True for a text that may be an identifier of RDS.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
        text.len() <= MAX_ID_CHARS && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(letters)
    }

    /// True for a text that may be a host's name or address.
    #[must_use]
    pub fn is_host(text: &str) -> bool {
        let letters = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let shaped = !text.is_empty() && text.len() <= MAX_HOST_CHARS && text.chars().all(letters);
        shaped && (text.contains('.') || text.parse::<IpAddr>().is_ok())
    }
}

impl FromStr for DatabaseRef {
    type Err = DatabaseRefError;

    fn from_str(text: &str) -> Result<DatabaseRef, DatabaseRefError> {
        let refused = || DatabaseRefError(text.to_owned());
        if text.starts_with("arn:") {
            return DatabaseRef::of_arn(text).ok_or_else(refused);
        }
        if DatabaseRef::is_id(text) {
            return Ok(DatabaseRef::Id(text.to_owned()));
        }
        let (name, port) = match text.rsplit_once(':') {
            // More than one colon is an IPv6 address, which has no port here.
            Some((name, port)) if !name.contains(':') => (name, Some(port.parse().map_err(|_| refused())?)),
            _ => (text, None),
        };
        match DatabaseRef::is_host(name) {
            true => Ok(DatabaseRef::of_host(DatabaseHost::new(name, port))),
            false => Err(refused()),
        }
    }
}

impl fmt::Display for DatabaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_database_by_identifier_arn_or_host() {
        let host = |name: &str, port| DatabaseRef::Host(DatabaseHost::new(name, port));
        for (text, expected) in [
            ("orders", DatabaseRef::Id("orders".into())),
            ("arn:aws:rds:eu-west-1:123456789012:db:orders", DatabaseRef::Instance("orders".into())),
            ("arn:aws:rds:eu-west-1:123456789012:cluster:orders", DatabaseRef::Cluster("orders".into())),
            ("orders.c9abcdefghij.eu-west-1.rds.amazonaws.com", DatabaseRef::Instance("orders".into())),
            ("Orders.cluster-c9abcdefghij.eu-west-1.rds.amazonaws.com:5433", DatabaseRef::Cluster("orders".into())),
            ("orders.cluster-ro-c9abcdefghij.eu-west-1.rds.amazonaws.com", DatabaseRef::Cluster("orders".into())),
            ("front.proxy-c9abcdefghij.eu-west-1.rds.amazonaws.com", DatabaseRef::Proxy("front".into())),
            ("orders.c9abcdefghij.rds.cn-north-1.amazonaws.com.cn", DatabaseRef::Instance("orders".into())),
            ("docs.cluster-c9abcdefghij.eu-west-1.docdb.amazonaws.com", DatabaseRef::Cluster("docs".into())),
            ("db.example.internal:3306", host("db.example.internal", Some(3306))),
            ("10.0.4.7", host("10.0.4.7", None)),
            (
                "some.cluster-custom-c9abcdefghij.eu-west-1.rds.amazonaws.com",
                host("some.cluster-custom-c9abcdefghij.eu-west-1.rds.amazonaws.com", None),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "orders db", "db.example.internal:port", "arn:aws:s3:::bucket", "-x", "a;b.c"] {
            assert!(text.parse::<DatabaseRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_where_a_host_is_one() {
        assert_eq!(DatabaseHost::new("10.0.4.7", None).address, Some("10.0.4.7".parse().unwrap()));
        assert_eq!(DatabaseHost::new("db.example.internal", None).address, None);
    }
}
