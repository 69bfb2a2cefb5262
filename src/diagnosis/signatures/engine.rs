//! Which database or directory a text is about.

use regex::RegexSet;
use std::sync::LazyLock;

/// Names by which drivers, servers and templates give away the engine, the more particular first.
const ENGINES: &[(&str, &str)] = &[
    ("redshift", r"(?i)\bredshift\b|redshift_connector"),
    ("influxdb", r"(?i)influx"),
    ("documentdb", r"(?i)\bdocdb\b|documentdb"),
    ("elasticache", r"(?i)elasticache|\bvalkey\b|\bredis\b|WRONGPASS|NOPERM"),
    ("active-directory", r"(?i)\bkinit\b|\bkeytab\b|Directory Services|\bldap|LDAP|KRB5|krb5"),
    ("db2", r"(?i)\bdb2\b|\bibm_db\b|\bSQL\d{4,5}N\b"),
    ("mariadb", r"(?i)mariadb"),
    ("mysql", r"(?i)mysql|\bER_[A-Z]+_|MySqlConnector"),
    (
        "postgres",
        r"(?i)postgres|psycopg|\bpg8000\b|asyncpg|\bpgx\b|\bpgdb\b|\blibpq\b|\bpg_hba\b|npgsql|[/\\]pg[/\\]|No module named '_pg'",
    ),
    ("oracle", r"(?i)\bORA-\d{5}|\bDPY-\d{4}|\bDPI-\d{4}|\bNJS-\d{3}\b|\boracledb\b|cx_Oracle|\bin Oracle\b|'oracle'|\bTNS[:-]"),
    ("sqlserver", r"(?i)pymssql|\bmssql\b|sql ?server|sqlserver|\btedious\b|pyodbc"),
    ("mongodb", r"(?i)mongo"),
    ("cassandra", r"(?i)cassandra|\bNoHostAvailable\b"),
    ("snowflake", r"(?i)snowflake"),
    ("opensearch", r"(?i)opensearch|elasticsearch"),
];

static PATTERNS: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(ENGINES.iter().map(|(_, pattern)| pattern)).ok());

/// The engine that `text` gives away by a driver's, a server's or a template's name.
#[must_use]
pub fn engine_of(text: &str) -> Option<&'static str> {
    let first = PATTERNS.as_ref()?.matches(text).into_iter().next()?;
    ENGINES.get(first).map(|(engine, _)| *engine)
}
