//! Which official rotation template a function was made from, and how old that is, by what it defines, imports and calls.
//!
//! Source: github.com/aws-samples/aws-secrets-manager-rotation-lambdas and its history.

use super::python_module::{JOINED_DATABASES, PythonModule};
use crate::model::{TemplateDefect, TemplateMark};

/// What every template defines.
const COMMON: [&str; 5] = ["lambda_handler", "create_secret", "set_secret", "test_secret", "finish_secret"];

/// Something that templates have since a time.
struct TemplateSign {
    since: &'static str,
    is_there: fn(&PythonModule) -> bool,
    /// The templates that got it; for one user or two.
    engines: &'static [&'static str],
    only_multi_user: bool,
}

const OF_RDS: &[&str] = &["MySQL", "MariaDB", "PostgreSQL", "SQL Server", "Oracle"];

const SIGNS: &[TemplateSign] = &[
    TemplateSign {
        since: "2020-02",
        is_there: |module| module.named_environment.contains("EXCLUDE_CHARACTERS"),
        engines: &["MySQL", "MariaDB", "PostgreSQL", "SQL Server", "Oracle", "MongoDB", "Redshift"],
        only_multi_user: false,
    },
    TemplateSign {
        since: "2021-12",
        is_there: |module| module.defines.contains("get_ssl_config"),
        engines: &["MySQL", "MariaDB", "PostgreSQL", "SQL Server", "MongoDB"],
        only_multi_user: false,
    },
    TemplateSign {
        since: "2023-01",
        is_there: |module| module.defines.contains("fetch_instance_arn_from_system_tags"),
        engines: OF_RDS,
        only_multi_user: true,
    },
    TemplateSign {
        since: "2024-03",
        is_there: |module| module.defines.contains("get_environment_bool"),
        engines: &["MySQL", "MariaDB", "PostgreSQL", "SQL Server", "Oracle", "MongoDB", "Redshift", "Db2"],
        only_multi_user: false,
    },
    TemplateSign {
        since: "2025-02",
        is_there: |module| module.defines.contains("get_cluster_info_from_master_host"),
        engines: &["MySQL", "PostgreSQL"],
        only_multi_user: true,
    },
];

/// The template of a module, where it is one.
pub(super) fn mark(module: &PythonModule) -> Option<TemplateMark> {
    if !COMMON.iter().all(|name| module.defines.contains(*name)) {
        return None;
    }
    let engine = engine(module)?;
    let is_multi_user = module.defines.contains("get_alt_username") || module.defines.contains("get_admin_dict");
    let applies = |sign: &&TemplateSign| sign.engines.contains(&engine) && (is_multi_user || !sign.only_multi_user);
    let signs: Vec<&TemplateSign> = SIGNS.iter().filter(applies).collect();
    let newest = signs.iter().rposition(|sign| (sign.is_there)(module));
    let not_before = newest.and_then(|at| signs.get(at)).map(|sign| sign.since.to_owned());
    let before = signs.get(newest.map_or(0, |at| at + 1)).map(|sign| sign.since.to_owned());
    let defects = defects(module, engine, is_multi_user);
    Some(TemplateMark { engine: engine.to_owned(), is_multi_user, not_before, before, defects })
}

fn engine(module: &PythonModule) -> Option<&'static str> {
    let imports =
        |name: &str| module.imports.iter().any(|import| import.dots == 0 && import.module.split('.').next() == Some(name));
    let says = |engine: &str| module.engines.contains(engine);
    if imports("pymysql") {
        let is_mysql = module.defines.contains("get_password_option") || !says("mariadb");
        return Some(if is_mysql { "MySQL" } else { "MariaDB" });
    }
    if imports("pg") || imports("pgdb") {
        return Some(if says("redshift") { "Redshift" } else { "PostgreSQL" });
    }
    let by_driver = [
        ("oracledb", "Oracle"),
        ("cx_Oracle", "Oracle"),
        ("pymssql", "SQL Server"),
        ("pymongo", "MongoDB"),
        ("ibm_db", "Db2"),
        ("influxdb_client", "Timestream for InfluxDB"),
    ];
    if let Some((_, engine)) = by_driver.into_iter().find(|(driver, _)| imports(driver)) {
        return Some(engine);
    }
    if module.defines.contains("wait_for_user_be_active") {
        return Some("ElastiCache");
    }
    if module.defines.contains("execute_kinit_command") {
        return Some("Active Directory");
    }
    let is_bare = module.imports.iter().all(|import| matches!(import.module.as_str(), "boto3" | "logging" | "os" | "json"));
    let own = module.functions.len() == COMMON.len();
    (is_bare && own).then_some("generic")
}

fn defects(module: &PythonModule, engine: &str, is_multi_user: bool) -> Vec<TemplateDefect> {
    let calls = |function: &str, name: &str| module.functions.get(function).is_some_and(|shape| shape.calls.contains(name));
    let holds = |mark: &str| module.functions.get("set_secret").is_some_and(|shape| shape.marks.contains(mark));
    let quotes = holds("quote_ident") || holds("QUOTE_IDENT") || holds("\\\"%s\\\"");
    let facts = [
        (
            TemplateDefect::OracleGrantsInOne,
            engine == "Oracle" && is_multi_user && calls("set_secret", "read") && !calls("set_secret", "split"),
        ),
        (TemplateDefect::RedshiftGrantsInOne, engine == "Redshift" && is_multi_user && holds(JOINED_DATABASES)),
        (TemplateDefect::RedshiftAutomatedViews, engine == "Redshift" && is_multi_user && holds("GRANT ") && !holds("pg_automv")),
        (
            TemplateDefect::MysqlPercentInGrant,
            matches!(engine, "MySQL" | "MariaDB") && is_multi_user && holds("SHOW GRANTS") && !holds("%%"),
        ),
        (TemplateDefect::PostgresUnquotedName, engine == "PostgreSQL" && holds("ALTER USER") && !quotes),
        (
            TemplateDefect::Db2TestsTooEarly,
            engine == "Db2"
                && !is_multi_user
                && !["lambda_handler", "set_secret", "test_secret"].iter().any(|at| calls(at, "sleep")),
        ),
        (TemplateDefect::Python2Name, engine == "MongoDB" && module.uses_python_2),
    ];
    facts.into_iter().filter_map(|(defect, has)| has.then_some(defect)).collect()
}
