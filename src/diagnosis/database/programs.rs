//! Programs for `jq` that make statements of a secret's value, one for each engine and end.

/// Writes a string as SQL does, between single quotes: for `jq`, whose own strings write the quote as `\u0027`.
///
/// `u` is the user of the value, `d` its database.
pub(super) const POSTGRES_WORDS: &str = concat!(
    r#"def q: "\u0027" + gsub("\u0027"; "\u0027\u0027") + "\u0027"; "#,
    r#"def u: .username|q; def d: (.dbname // "postgres")|q; "#,
);

/// The same for MySQL, where the backslash too has a meaning between quotes.
///
/// `a` are the accounts of the user, but for those that log in on the server's own machine; `e` is the one for every host.
pub(super) const MYSQL_WORDS: &str = concat!(
    r#"def q: "\u0027" + (gsub("\\\\"; "\\\\") | gsub("\u0027"; "\u0027\u0027")) + "\u0027"; def u: .username|q; "#,
    r#"def a: "FROM mysql.user WHERE user = \(u) AND host NOT IN (\u0027\u0027, \u0027localhost\u0027)"; "#,
    r#"def e: "QUOTE(\(u)), \u0027@\u0027, QUOTE(\u0027%\u0027)"; "#,
);

/// Makes the role of a value where it is missing, with `RIGHTS`, and lets it log in with the value's password.
pub(super) const POSTGRES_TAKES: &str = concat!(
    r#""SELECT format(\u0027CREATE ROLE %IRIGHTS\u0027, \(u)) "#,
    r#"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \(u)) \\gexec\n"#,
    r#"SELECT format(\u0027ALTER ROLE %I LOGIN PASSWORD %L VALID UNTIL %L\u0027, "#,
    r#"\(u), \(.password|q), \u0027infinity\u0027) \\gexec""#,
);

/// Lifts limits that are used up, and lets the role into its database: each only where it stands in the way.
pub(super) const POSTGRES_ADMITS: &str = concat!(
    r#""SELECT format(\u0027ALTER ROLE %I CONNECTION LIMIT -1\u0027, rolname) FROM pg_roles WHERE rolname = \(u) "#,
    r#"AND rolconnlimit BETWEEN 0 AND (SELECT count(*) FROM pg_stat_activity WHERE usename = \(u)) \\gexec\n"#,
    r#"SELECT format(\u0027ALTER DATABASE %I CONNECTION LIMIT -1\u0027, datname) FROM pg_database WHERE datname = \(d) "#,
    r#"AND datconnlimit BETWEEN 0 AND (SELECT count(*) FROM pg_stat_activity WHERE datname = \(d)) \\gexec\n"#,
    r#"SELECT format(\u0027GRANT CONNECT ON DATABASE %I TO %I\u0027, datname, \(u)) FROM pg_database WHERE datname = \(d) "#,
    r#"AND NOT has_database_privilege(\(u), datname, \u0027CONNECT\u0027) \\gexec""#,
);

/// Lets the role and the database of a value write again, whose transactions were made read-only by default.
pub(super) const POSTGRES_WRITES: &str = concat!(
    r#""SET default_transaction_read_only = off;\n"#,
    r#"SELECT format(\u0027ALTER DATABASE %I RESET default_transaction_read_only\u0027, datname) FROM pg_database "#,
    r#"WHERE datname = \(d) \\gexec\n"#,
    r#"SELECT format(\u0027ALTER ROLE %I RESET default_transaction_read_only\u0027, rolname) FROM pg_roles "#,
    r#"WHERE rolname = \(u) \\gexec""#,
);

/// Lets the role of a value store its passwords as the server does, and not in a way of its own.
pub(super) const POSTGRES_HASHES: &str = concat!(
    r#""SELECT format(\u0027ALTER ROLE %I RESET password_encryption\u0027, r.rolname) FROM pg_roles r "#,
    r#"JOIN pg_db_role_setting s ON s.setrole = r.oid WHERE r.rolname = \(u) "#,
    r#"AND array_to_string(s.setconfig, \u0027,\u0027) LIKE \u0027%password_encryption=%\u0027 \\gexec""#,
);

/// Gives the user of a value its password, and unlocks it. Names without quotes are kept in capitals.
///
/// The words are written so that the report does not hide what follows them, here and below. A quote would end the name or the
/// password, and behind a line break sqlplus takes commands, such as HOST: a value with one is refused.
pub(super) const ORACLE_TAKES: &str = concat!(
    r#"def w: if test("[\u0001-\u001f\u0022]") then error("the value has a quote or a line break") else . end; "#,
    r#""SET DEFINE OFF\nWHENEVER SQLERROR EXIT FAILURE\n"#,
    r#"ALTER USER \u0022\(.username|ascii_upcase|w)\u0022 IDENTIFIED" + " BY \u0022\(.password|w)\u0022 ACCOUNT UNLOCK;""#,
);

/// Makes the login of a value where it is missing, gives it the value's password, and unlocks it.
pub(super) const SQLSERVER_TAKES: &str = concat!(
    r#"def n: "N" + (.username|q); def l: "[" + (.username | gsub("]"; "]]")) + "]"; def p: "WITH PASSWORD" + " = N" + (.password|q); "#,
    r#""IF suser_id(\(n)) IS NULL CREATE LOGIN \(l) \(p) ELSE ALTER LOGIN \(l) \(p) UNLOCK;\nGO""#,
);

/// The procedure that changes a password in RDS for Db2. Source: RDS User Guide, "Managing users and roles for RDS for Db2".
pub(super) const DB2_TAKES: &str = r#""CALL rdsadmin.change_password(\(.username|q), \(.password|q));""#;

/// Gives the user of a value its password, in the database that it logs in to.
pub(super) const MONGODB_TAKES: &str = concat!(
    r#""db.getSiblingDB(\(.dbname // "admin" | tojson)).updateUser("#,
    r#"\(.username|tojson), {pw" + "d: \(.password|tojson)})""#,
);

/// Writes a string as SQL does, for clients that take commands behind a line break, such as `!!` and `!`, whatever is open: a value
/// with one is refused.
pub(super) const SQL_WORDS: &str = concat!(
    r#"def q: if test("[\u0001-\u001f]") then error("the value has a line break") else "\u0027" "#,
    r#"+ gsub("\u0027"; "\u0027\u0027") + "\u0027" end; "#,
);

/// Makes the role of a value one that others than superusers may change.
pub(super) const POSTGRES_IS_NO_SUPERUSER: &str = concat!(
    r#""SELECT format(\u0027ALTER ROLE %I NOSUPERUSER\u0027, rolname) FROM pg_roles "#,
    r#"WHERE rolname = \(u) AND rolsuper \\gexec""#,
);

/// What a user that is made again may do on the database that its value names. Backticks in the name are doubled: who may write the
/// value must not make statements of the administrator.
pub(super) const MYSQL_OWN_DATABASE: &str = concat!(
    r#"\(if .dbname then "SELECT CONCAT(\u0027GRANT ALL PRIVILEGES ON `\u0027, \(.dbname|gsub("`"; "``")|q), \u0027`.* TO \u0027, "#,
    r#"\(e), \u0027;\u0027) MISSING;\n" else "" end)"#,
);

/// What a superuser that is made again needs to make users and pass rights on. A pattern for every database, for the master user
/// of RDS cannot grant all rights on `*.*`.
pub(super) const MYSQL_SUPERUSER: &str = concat!(
    r#"SELECT CONCAT(\u0027GRANT CREATE USER, RELOAD, PROCESS ON *.* TO \u0027, \(e), "#,
    r#"\u0027 WITH GRANT OPTION;\u0027) MISSING;\n"#,
    r#"SELECT CONCAT(\u0027GRANT ALL PRIVILEGES ON `%`.* TO \u0027, \(e), "#,
    r#"\u0027 WITH GRANT OPTION;\u0027) MISSING;\n"#,
);

/// Lifts a limit of connections of the user of a value, where it is used up.
pub(super) const MYSQL_ADMITS: &str = concat!(
    r#""SELECT CONCAT(\u0027ALTER USER \u0027, QUOTE(user), \u0027@\u0027, QUOTE(host), "#,
    r#"\u0027 WITH MAX_USER_CONNECTIONS 0;\u0027) FROM mysql.user WHERE user = \(u) AND max_user_connections > 0 "#,
    r#"AND max_user_connections <= (SELECT COUNT(*) FROM information_schema.processlist WHERE user = \(u));""#,
);

/// Drops the user of a value where it has no right at all.
pub(super) const MYSQL_DROPS_EMPTY: &str = concat!(
    r#"def g: "CONCAT(QUOTE(user), \u0027@\u0027, QUOTE(host))"; "#,
    r#""SELECT CONCAT(\u0027DROP USER \u0027, \(g), \u0027;\u0027) FROM mysql.user WHERE user = \(u) "#,
    r#"AND NOT EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE grantee = \(g) AND privilege_type <> \u0027USAGE\u0027) "#,
    r#"AND NOT EXISTS (SELECT 1 FROM information_schema.schema_privileges WHERE grantee = \(g)) "#,
    r#"AND NOT EXISTS (SELECT 1 FROM information_schema.table_privileges WHERE grantee = \(g));""#,
);
