//! `[store]`: where things are kept, and for how long.

use super::reader::{self, Section};
use super::token::TokenSource;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFile {
    /// The file, unless it is on a server.
    pub path: PathBuf,
    /// The database on a server, where one is named.
    pub server: Option<StoreServer>,
    /// How long finished things are kept.
    pub retention: Duration,
}

impl Default for StoreFile {
    fn default() -> StoreFile {
        StoreFile { path: PathBuf::from("rotation-diag.db"), server: None, retention: days(90) }
    }
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3_600)
}

/// A PostgreSQL database. Shown, it says where it is, and never with what password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreServer {
    /// Without a password.
    url: Url,
    /// True where the connection is not to be encrypted.
    is_plain: bool,
    password: Option<TokenSource>,
    /// A certificate authority, in PEM.
    ca: Option<PathBuf>,
}

impl StoreServer {
    /// The database at `url`, such as `postgres://user@host:5432/name`, with its password from elsewhere. The only parameters it
    /// may have are `sslmode`, `verify-full` (which it is anyway) or `disable`, and `host`, the folder of a socket.
    ///
    /// # Errors
    /// What is expected, without repeating what was written: it may hold a password.
    pub fn new(url: &str, password: Option<TokenSource>, ca: Option<PathBuf>) -> Result<StoreServer, String> {
        let expected =
            "expected the address of a PostgreSQL database, such as \"postgres://rotation_diag@db.example.com/rotation_diag\"";
        let url = Url::parse(url).map_err(|_| expected.to_owned())?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(expected.to_owned());
        }
        if url.password().is_some() {
            return Err(
                "a password does not belong in this file: name its place in `password`, as \"env:NAME\" or \"file:/path\""
                    .to_owned(),
            );
        }
        if url.username().is_empty() || url.path().len() < 2 {
            return Err(format!("{expected}, with a user and the name of the database"));
        }
        let mut is_plain = false;
        for (key, value) in url.query_pairs() {
            match (key.as_ref(), value.as_ref()) {
                ("sslmode", "verify-full") => is_plain = false,
                ("sslmode", "disable") => is_plain = true,
                ("host", folder) if folder.starts_with('/') => {}
                _ => {
                    let allowed =
                        "the only parameters are `sslmode` (\"verify-full\" or \"disable\") and `host`, the folder of a socket";
                    return Err(allowed.to_owned());
                }
            }
        }
        Ok(StoreServer { url, is_plain, password, ca })
    }

    /// True where what goes over the network is encrypted, and the server proves who it is.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        !self.is_plain && self.socket().is_none()
    }

    /// True for a server on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let is_loopback = match self.url.host() {
            Some(url::Host::Domain(name)) => {
                name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        is_loopback || self.socket().is_some()
    }

    fn socket(&self) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == "host").map(|(_, folder)| folder.into_owned())
    }

    /// The address to connect with, the password in it.
    ///
    /// # Errors
    /// Where the password cannot be read, in one sentence.
    pub fn connection_url(&self) -> Result<Url, String> {
        let mut url = self.url.clone();
        if let Some(password) = &self.password {
            let token = password.fetch()?;
            // It cannot fail: the address has a host or names a socket.
            let _ = url.set_password(Some(token.expose()));
        }
        url.set_query(None);
        let mut query = url.query_pairs_mut();
        query.append_pair("application_name", "rotation-diag");
        if let Some(folder) = self.socket() {
            query.append_pair("host", &folder);
        }
        query.append_pair("sslmode", if self.is_encrypted() { "verify-full" } else { "disable" });
        if let Some(ca) = &self.ca {
            query.append_pair("sslrootcert", &ca.to_string_lossy());
        }
        drop(query);
        Ok(url)
    }
}

impl fmt::Display for StoreServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.socket().unwrap_or_else(|| self.url.host_str().unwrap_or_default().to_owned());
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{} on {host}{port}", self.url.path().trim_start_matches('/'))
    }
}

pub(super) fn store(root: &Section<'_>) -> StoreFile {
    let default = StoreFile::default();
    let Some(section) = root.section("store") else { return default };
    let password = section.get("password", |value| TokenSource::parse(&reader::text(value)?));
    let ca = section.get("ca", reader::text).map(PathBuf::from);
    let has_more = password.is_some() || ca.is_some();
    let server = section.get("url", |value| StoreServer::new(&reader::text(value)?, password, ca));
    if has_more && !section.has("url") {
        section.problem("password", "`password` and `ca` belong to the database that `url` names");
    }
    let store = StoreFile {
        path: section.get("path", reader::text).map_or(default.path, PathBuf::from),
        server,
        retention: section.get("retention_days", |value| reader::number(value, 1..=3_650)).map_or(default.retention, days),
    };
    section.finish();
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_database_is_named_without_its_password_and_encrypted_unless_it_says_otherwise() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "p@ss/word?&-of-the-store").unwrap();
        let password = || Some(TokenSource::File(file.path().to_owned()));
        let server =
            StoreServer::new("postgres://bot@db.example.com:6432/diag", password(), Some(PathBuf::from("/ca.pem"))).unwrap();
        assert_eq!(server.to_string(), "diag on db.example.com:6432");
        assert!(server.is_encrypted() && !server.is_local());
        let url = server.connection_url().unwrap();
        assert_eq!(
            url.as_str(),
            "postgres://bot:p%40ss%2Fword%3F&-of-the-store@db.example.com:6432/diag?application_name=rotation-diag&sslmode=verify-full&sslrootcert=%2Fca.pem"
        );
        assert!(!format!("{server:?} {server}").contains("ss/word"));
        let socket = StoreServer::new("postgres://bot@localhost/diag?host=/run/postgresql", None, None).unwrap();
        assert!(socket.is_local() && !socket.is_encrypted());
        let plain = StoreServer::new("postgres://bot@db/diag?sslmode=disable", None, None).unwrap();
        assert!(!plain.is_local() && !plain.is_encrypted());
    }

    #[test]
    fn what_is_no_such_address_is_refused_without_repeating_it() {
        for (text, expected) in [
            ("postgres://bot:hunter2@db/diag", "a password does not belong in this file"),
            ("mysql://bot@db/hunter2", "expected the address of a PostgreSQL database"),
            ("hunter2", "expected the address"),
            ("postgres://db/hunter2", "with a user"),
            ("postgres://bot@hunter2/", "the name of the database"),
            ("postgres://bot@db/diag?sslmode=require&x=hunter2", "the only parameters"),
            ("postgres://bot@db/diag?password=hunter2", "the only parameters"),
        ] {
            let told = StoreServer::new(text, None, None).unwrap_err();
            assert!(told.contains(expected) && !told.contains("hunter2"), "{text}: {told}");
        }
    }
}
