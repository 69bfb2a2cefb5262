//! Plugins by which a user logs in, and which the server or the driver no longer has. A plugin that cannot be loaded is no
//! module of the function's bundle.
//!
//! Source: MySQL reference manual, "Native Pluggable Authentication" and "Server Error Message Reference".

use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbAuthPluginRemoved, Code, &[
        r"\(1524,|ER_PLUGIN_IS_NOT_LOADED|Plugin '[^']+' is not loaded",
        r"Authentication plugin '(?:mysql_native_password|mysql_old_password|sha256_password)' (?:cannot be loaded|is not supported)",
        r"authentication method '?mysql_native_password'? (?:is not supported|has been removed|not supported)",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (1524, \"Plugin 'mysql_native_password' is not loaded\")",
        "mysql.connector.errors.DatabaseError: 1524 (HY000): Plugin 'mysql_native_password' is not loaded",
        "MySQLdb.OperationalError: (2059, \"Authentication plugin 'mysql_native_password' cannot be loaded: /usr/lib64/mysql/plugin/mysql_native_password.so: cannot open shared object file: No such file or directory\")",
    ])
    .ignores(&[
        "[INFO] authentication plugin mysql_native_password is loaded",
        "MySQLdb.OperationalError: (2059, \"Authentication plugin 'caching_sha2_password' cannot be loaded\")",
    ]),
];
