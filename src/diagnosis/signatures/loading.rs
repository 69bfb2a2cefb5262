//! A function that cannot be loaded: imports, compiled modules, syntax, packaging.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

static MODULE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)no module named \\?['"]?(?P<module>[\w.]+)"#).ok());

/// A compiled module is missing by its own name (`_pg`); another one is missing from the package.
fn missing_module(line: &Line<'_>) -> Option<Cause> {
    let module = MODULE.as_ref()?.captures(line.text)?.name("module")?.as_str();
    let compiled = module.starts_with('_') || module.contains("._");
    let at_load = line.text.contains("import module") || line.text.contains("ImportModuleError");
    Some(if compiled && !module.starts_with("__") {
        Cause::CodeRuntimeUpgradedAbi
    } else if !at_load && (line.step().is_some() || line.text.contains("in lambda_handler")) {
        Cause::DependencyMissingAtRuntime
    } else {
        Cause::CodeImportError
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DependencyMissingAtRuntime, Code, &[
        r"'?cryptography'? package is required",
        r"requires? the '?[\w-]+'? (?:package|module|library) to be installed",
        r"install the [`'\x22]?[\w-]+[`'\x22]? (?:package|module|extra)",
        r"No suitable driver found",
        // The libraries of Oracle's client, which a thin driver does without.
        r"DPI-1047|Cannot locate a 64-bit Oracle Client library|server version are not supported by \S+ in thin mode",
        r"Can.{0,3}t open lib '.*' : file not found",
        r"\bIM002\b|PDOException: could not find driver|sql: unknown driver \S{1,60} \(forgotten import\?\)",
        r"Please install dnspython|\x22dnspython\x22 module must be installed",
    ])
    .matches(&[
        "RuntimeError: 'cryptography' package is required for sha256_password or caching_sha2_password auth methods",
        "DatabaseError: DPI-1047: Cannot locate a 64-bit Oracle Client library: \"libclntsh.so: cannot open shared object file: No such file or directory\"",
        "DPY-3010: connections to this database server version are not supported by python-oracledb in thin mode",
        "pyodbc.Error: ('01000', \"[01000] [unixODBC][Driver Manager]Can't open lib 'ODBC Driver 17 for SQL Server' : file not found (0) (SQLDriverConnect)\")",
        "java.sql.SQLException: No suitable driver found for jdbc:postgresql://db.example.internal/app",
        "('IM002', '[IM002] [unixODBC][Driver Manager]Data source name not found and no default driver specified (0) (SQLDriverConnect)')",
        "PHP Fatal error:  Uncaught PDOException: could not find driver in /var/task/rotate.php:31",
        "sql: unknown driver \"pgx\" (forgotten import?)",
    ])
    .ignores(&["[INFO] the cryptography package is present"]),
    is(Cause::CodeRuntimeUpgradedAbi, Code, &[
        r"version `?'?GLIBC\w*_[\d.]+'? not found",
        r"invalid ELF header|wrong ELF class|exec format error|cannot execute binary file",
        r"undefined symbol: (?:_?Py|PyExc|_ZN)|undefined symbol: \w*Py\w*",
        r"Module version mismatch|was compiled against a different Node\.js version",
        r"incompatible architecture|wrong architecture|incorrect architecture|BadImageFormatException|UnsupportedClassVersionError",
        r"cannot open shared object file|error while loading shared libraries",
        r"Fatal Python error: .*(?:init|import|version)",
        r"cannot import name '?_\w+'? from (?:partially initialized module )?'?(?:psycopg2|pymssql|MySQLdb|cryptography|bcrypt|oracledb|cffi)",
        r"Unable to import required dependencies",
    ])
    .matches(&[
        "Unable to import module 'lambda_function': /lib64/libc.so.6: version `GLIBC_2.28' not found (required by /var/task/cryptography/hazmat/bindings/_rust.abi3.so)",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': /var/task/psycopg2/_psycopg.cpython-37m-x86_64-linux-gnu.so: undefined symbol: PyUnicode_AsUTF8",
        "Error: /var/task/node_modules/bcrypt/lib/binding/bcrypt_lib.node: invalid ELF header",
        "fork/exec /var/task/bootstrap: exec format error",
        "libpq.so.5: cannot open shared object file: No such file or directory",
        "java.lang.UnsupportedClassVersionError: com/example/Rotate has been compiled by a more recent version of the Java Runtime",
    ])
    .ignores(&["[INFO] architecture: arm64, glibc 2.34"]),
    is(Cause::CodeSyntaxOrHandlerError, Code, &[
        r"Runtime\.(?:UserCodeSyntaxError|HandlerNotFound|MalformedHandlerName|InvalidEntrypoint|InvalidTaskConfig|NoSuchHandler)",
        r"fork/exec \S+: (?:permission denied|no such file)",
        r"Unable to (?:find|load) type '",
        r"Syntax error in module",
        r"\bSyntaxError: (?:invalid (?:syntax|character in|non-printable|decimal|escape)|unexpected (?:EOF|end of input|character|identifier|reserved word|strict|eval)|unterminated (?:string|triple|f-string|template|regexp?|regular|list)|Missing (?:parentheses|initializer|catch)|EOL while|f-string|Invalid or unexpected token|Identifier \S+ has already|await is only|'\S+' outside|(?-i:expected)|unmatched|positional argument|Unexpected token '?(?:[{}()\[\];,.=*/+-]+|export|import|const|let|async)'?\s*$)",
        r"\b(?:IndentationError|TabError): ",
        r"Handler '?[\w.]+'? (?:missing on|not found|is undefined)",
        r"(?:module|object) '?\w+'? has no attribute '?(?:lambda_)?handler",
        r"Bad handler|Error loading (?:method|class) \S+ ?(?:on|handler)",
        r"(?-i:File \S+/var/task/\S+ Line \d+)",
        r"Cannot use import statement outside a module|Unexpected token 'export'",
        r"Couldn't find valid bootstrap|entrypoint requires the handler name",
        r"No public method named \S+ with appropriate method signature",
    ])
    .matches(&[
        "Runtime.HandlerNotFound: index.handler is undefined or not exported",
        "Handler 'lambda_handler' missing on module 'lambda_function'",
        "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'lambda_function': invalid syntax (lambda_function.py, line 3)",
        "Bad handler 'lambda_function': not enough values to unpack (expected 2, got 1)",
        "Runtime.InvalidEntrypoint: RequestId: 3f1c Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        "SyntaxError: Cannot use import statement outside a module",
    ])
    .ignores(&[
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version",
        "psycopg2.errors.SyntaxError: syntax error at or near \"$1\"",
        "[ERROR] SyntaxError: unterminated quoted string at or near \"'xY''\"",
        "SyntaxError: Unexpected token u in JSON at position 0",
    ]),
    // Source: "What's New In Python 3.12" and "3.13", their sections on removed modules.
    is(Cause::CodeImportError, Code, &[
        r"No module named \\?['\x22]?(?:imp|distutils|asyncore|asynchat|smtpd|aifc|audioop|cgi|cgitb|chunk|crypt|imghdr|lib2to3|mailcap|msilib|nis|nntplib|ossaudiodev|pipes|sndhdr|spwd|sunau|telnetlib|uu|xdrlib)(?:\.\w+){0,3}(?:\\?['\x22]|\s|$)",
    ])
    .fault(Fault::ModuleRemoved)
    .matches(&[
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'imp'",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'distutils.util'",
    ])
    .ignores(&["[INFO] No module named 'imp' is needed"]),
    depends(missing_module, Code, &[r"No module named \S"])
    .matches(&[
        "Unable to import module 'lambda_function': No module named '_pg'",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'psycopg2._psycopg'",
        "Unable to import module 'lambda_function': No module named 'requests'",
        "[ERROR] ModuleNotFoundError: No module named 'asn1crypto'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 60, in set_secret",
    ])
    .ignores(&["[INFO] loaded the module named requests"]),
    is(Cause::CodeImportError, Code, &[
        r"Unable to import module",
        r"Runtime\.ImportModuleError",
        r"Cannot find (?:module|package) '",
        r"require\(\) of ES Module \S",
        r"MODULE_NOT_FOUND\b|\bERR_REQUIRE_ESM\b|\bERR_UNSUPPORTED_DIR_IMPORT\b|ERR_PACKAGE_PATH_NOT_EXPORTED",
        r"\b(?:ImportError|ModuleNotFoundError): ",
        r"\b(?:ClassNotFoundException|NoClassDefFoundError)\b",
        r"Class not found: \S",
        r"InvalidZipFileException|could not unzip the deployment package",
        r"cannot load such file -- ",
        r"Could not load file or assembly",
        r"Error loading \S+ module|Init::LoadError",
    ])
    .matches(&[
        "Runtime.ImportModuleError: Error: Cannot find module '@aws-sdk/client-secrets-manager'\nRequire stack:\n- /var/task/index.js",
        "java.lang.ClassNotFoundException: org.postgresql.Driver",
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'pg' imported from /var/task/index.mjs",
        "System.IO.FileNotFoundException: Could not load file or assembly 'Npgsql, Version=6.0.0.0'",
        "ImportError: cannot import name 'DependencyWarning' from 'urllib3.exceptions' (/var/task/urllib3/exceptions.py)",
        "cannot load such file -- mysql2 (LoadError)",
        "Error [ERR_REQUIRE_ESM]: require() of ES Module /var/task/index.js from /var/runtime/index.mjs not supported.",
    ])
    .ignores(&["[INFO] Importing module lambda_function"]),
    is(Cause::DependencyApiChanged, Code, &[
        r"'Collection' object is not callable",
        r"Support for the aws-sdk v2|does not support callback|no longer accepts a callback",
        r"Model\.find\(\) no longer accepts",
        r"NoSuchMethodError\b|System\.MissingMethodException",
        r"(?-i:\bAttributeError: )(?:module|partially initialized module) '?(?:boto3|botocore|pymysql|psycopg2?|pgdb|pymongo|oracledb|requests|urllib3|ssl|collections|cryptography|OpenSSL|pkgutil|asyncio|inspect)\b.* has no attribute",
        r"module '?(?:ssl|lib|collections|OpenSSL)'? has no attribute",
        r"got an unexpected keyword argument",
    ])
    .matches(&[
        "TypeError: 'Collection' object is not callable. If you meant to call the 'authenticate' method on a 'Database' object it is failing because no such method exists.",
        "AttributeError: module 'ssl' has no attribute 'wrap_socket'",
        "java.lang.NoSuchMethodError: 'void software.amazon.awssdk.x.Y.z()'",
        "TypeError: connect() got an unexpected keyword argument 'passwd'",
    ])
    .ignores(&["AttributeError: 'NoneType' object has no attribute 'cursor'"]),
];
