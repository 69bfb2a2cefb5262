//! Exceptions of the function's own code, when nothing says more.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::lambda_log::Level;
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

/// The line's subject is an exception: `pkg.SomeError: …`, after level and time.
static SUBJECT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?m)^(?:\W*|[\w.]+: |.*(?:Uncaught|Unhandled|Caused by|thrown by|Invoke Error|Exception in thread)\b.{0,60}?|\s*"errorType":\s*")"#,
        r"(?P<kind>(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Fault)|KeyError|(?:[\w$]+\.)*(?:Error|Exception))",
        r#"(?::|"|,|$|\s*\n|\s\[|\s\(0x)"#
    ))
    .ok()
});

/// A bare `Error:` or `Exception:` is an exception only with its stack.
fn exception(line: &Line<'_>) -> Option<Cause> {
    let said = line.said();
    let kind = SUBJECT.as_ref()?.captures(said)?.name("kind")?.as_str();
    let plain = matches!(kind, "Error" | "Exception" | "errors.errorString");
    let stack = line.text.contains("Traceback") || line.text.contains("\n    at ") || line.text.contains("\n\tat ");
    let unhandled = line.text.contains("Uncaught") || line.text.contains("Invoke Error") || line.text.contains("errorType");
    Some(match plain && !stack && !unhandled {
        true => Cause::FailureMarker,
        false => Cause::CodeUnhandledException,
    })
}

/// A statement that is no SQL is the function's own making, or that of a password in its midst; any other answer is the
/// server's.
fn answered(line: &Line<'_>) -> Option<Cause> {
    let own = ["syntax error", "SyntaxError", "SQL syntax", "42601", "(1064,"].iter().any(|word| line.text.contains(word));
    let only_warns = line.level() == Level::Warning && !line.event.contains("Traceback");
    (!own && !only_warns).then_some(Cause::TargetServiceError)
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::CodeNotImplemented, Code, &[
        r"\bNotImplemented(?:Error|Exception)\b",
        r"UnsupportedOperationException: (?:Not|TODO)",
        r"\b(?:setSecret|testSecret|createSecret|finishSecret|set_secret|test_secret|step|method|function)\b.{0,40}\b(?:is )?not (?:yet )?implemented\b",
    ])
    .matches(&[
        "[ERROR] NotImplementedError\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 90, in set_secret",
        "Error: setSecret is not implemented",
        "System.NotImplementedException: The method or operation is not implemented.",
    ])
    .ignores(&["[INFO] testSecret is implemented"]),
    is(Cause::CodeUnhandledException, UnhandledException, &[
        r"^panic: ",
        r"runtime error: (?:invalid memory address|index out of range|slice bounds)",
        r"Cannot read propert(?:y|ies) of (?:undefined|null)|is not a function\b|is not defined$|is not iterable\b",
        r"'NoneType' object (?:is not|has no attribute)",
        r"Parameter validation failed|ParamValidationError",
        r"\bsyntax error at or near\b|\bYou have an error in your SQL syntax\b",
        r"Object reference not set to an instance of an object",
        r"undefined (?:method|local variable) [`'].*(?:for nil|NoMethodError|NameError)",
        r"thread '\S+' panicked at|RUST_BACKTRACE",
    ])
    .matches(&[
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "panic: runtime error: index out of range [0] with length 0 [recovered]\n\tpanic: runtime error: index out of range [0] with length 0",
        "TypeError: Cannot read properties of undefined (reading 'SecretString')",
        "AttributeError: 'NoneType' object has no attribute 'cursor'",
        "{\n  \"errorMessage\": \"Parameter validation failed:\\nInvalid type for parameter AccessKeyId\",\n  \"errorType\": \"ParamValidationError\",",
        "thread 'main' panicked at src/main.rs:10:5: called `Result::unwrap()` on an `Err` value",
    ])
    .ignores(&["[INFO] parameters validated"]),
    // Before the exceptions: what a server answered is no fault of the code that asked.
    depends(answered, UnhandledException, &[
        r"(?:Operational|Programming|Internal|Database|Integrity|Data|NotSupported|Postgres|PSQL|SQL\w*)(?:Error|Exception)\b.{0,160}(?:\b(?:FATAL|ERROR): |\([13459]\d{3,4}, b?['\x22])",
        r"^(?:\S+: )?(?:FATAL|ERROR|PANIC):  \S",
        r"\bSQLSTATE\W{1,4}[0-9A-Z]{5}\b|\(SQLSTATE [0-9A-Z]{5}\)|\bSQLState\W{1,4}[0-9A-Z]{5}\b",
        r"psycopg2?\.errors\.[A-Z]\w+: |asyncpg\.exceptions\.\w+Error: |\bpq: \w",
        r"\bORA-\d{5}: |\bMsg \d+, Level \d+|OperationFailure: |MongoServerError: |redis\.exceptions\.ResponseError: |ReplyError: ",
    ])
    .fault(Fault::StatementFailed)
    .matches(&[
        "[ERROR] DatabaseError: ERROR:  relation \"app.users\" does not exist\nTraceback (most recent call last):",
        "pymysql.err.OperationalError: (3167, \"The 'INFORMATION_SCHEMA.GLOBAL_STATUS' feature is disabled\")",
        "pq: relation \"users\" does not exist",
        "[ERROR] OperationalError: (15434, b\"Could not drop login 'app_clone' as the user is currently logged in.\")\nTraceback (most recent call last):",
    ])
    .ignores(&["psycopg2.errors.SyntaxError: syntax error at or near \"$1\"", "[INFO] SQLSTATE 00000"]),
    depends(exception, UnhandledException, &[
        r"(?:Error|Exception|Fault)\b",
    ])
    .matches(&[
        "[ERROR] ValueError: too many values to unpack (expected 2)\nTraceback (most recent call last):",
        "2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tERROR\tInvoke Error \tTypeError: x is wrong",
        "java.lang.NullPointerException: null\n\tat com.example.Rotate.handle(Rotate.java:9)",
        "botocore.exceptions.ClientError: An error occurred (ValidationException) when calling the PutSecretValue operation: bad",
        "ReferenceError: pasword is not defined",
        "Acme.Data.AcmeException (0x80004005): The value is out of range.\n   at Rotate.Function.SetSecret(String token)",
    ])
    .ignores(&["[INFO] no errors", "[INFO] ErrorCount: 0", "Error rate is 0.0"]),
    // Lambda prints the class without its module, and psycopg's classes are not called errors.
    is(Cause::CodeUnhandledException, UnhandledException, &[r"^\[ERROR\] (?-i:[A-Z])\w+(?::.*)?\n(?s:.*)^Traceback \(most recent call last\)"])
        .matches(&["[ERROR] ObjectInUse: database \"orders\" is being accessed by other users\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in set_secret"])
        .ignores(&["[ERROR] the rotation failed\nTraceback (most recent call last):"]),
];
