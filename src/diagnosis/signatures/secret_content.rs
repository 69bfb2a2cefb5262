//! What is in the secret, and in the function's environment.

use super::line::Line;
use super::signature::{Signature, Specificity::*, depends, is};
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

static KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"KeyError\\?["']?: \\?['"](?P<key>[^'"\\]+)\\?['"]|^['"](?P<old>[^'"]+)['"]: KeyError"#).ok());

/// The fields that AWS documents for a secret's JSON, and common spellings of them.
const SECRET_FIELDS: &[&str] = &[
    "host",
    "hostname",
    "username",
    "user",
    "password",
    "port",
    "dbname",
    "database",
    "engine",
    "dbInstanceIdentifier",
    "dbClusterIdentifier",
    "ssl",
    "tls",
    "servicename",
    "service_name",
    "sid",
    "apikey",
    "api_key",
    "apiKey",
    "token",
    "accesskey",
    "access_key",
    "accessKeyId",
    "secretKey",
    "secret_key",
    "client_id",
    "client_secret",
    "clientId",
    "clientSecret",
    "url",
    "endpoint",
    "user_arn",
    "cluster_id",
    "directoryName",
    "DirectoryName",
    "keytab",
    "org",
    "email",
    "domain",
    "schema",
    "privateKey",
    "private_key",
    "warehouse",
    "account",
];

fn missing_key(line: &Line<'_>) -> Option<Cause> {
    let found = KEY.as_ref()?.captures(line.text)?;
    let key = found.name("key").or(found.name("old"))?.as_str();
    let environment = line.text.contains("os.environ")
        || (key.len() > 2
            && key.bytes().any(|byte| byte.is_ascii_uppercase())
            && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
            && !key.starts_with("AWSCURRENT")
            && !key.starts_with("AWSP");
    Some(if key == "masterarn" {
        Cause::SecretMasterarnMissing
    } else if SECRET_FIELDS.contains(&key) {
        Cause::SecretJsonKeyMissing
    } else if environment {
        Cause::CodeMissingEnv
    } else {
        return None;
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::SecretMasterarnMissing, SecretContent, &[
        r"masterarn.{0,60}(?:missing|not found|required|not set|absent|undefined)",
        r"missing .{0,30}masterarn\b",
    ])
    .matches(&["masterarn key is missing from secret JSON"])
    .ignores(&["[INFO] masterarn found"]),
    is(Cause::SecretJsonEngineWrong, SecretContent, &[
        r"engine must be (?:set to )?'?\w+",
        r"(?:unsupported|unknown|invalid|wrong|unexpected) (?:database |db )?engine\b",
        r"\bengine '\w+' is not (?:supported|handled)",
    ])
    .matches(&[
        "[ERROR] KeyError: \"Database engine must be set to 'postgres' in order to use this rotation lambda\"",
        "Error: Unsupported database engine: aurora",
    ])
    .ignores(&["[INFO] engine is postgres"]),
    is(Cause::SecretJsonKeyMissing, SecretContent, &[
        r"\bis missing (?:from|in) (?:the )?secret\b",
        r"(?:key|field|property|attribute) '?\x22?\w+'?\x22? (?:is )?(?:missing|not found|not present|required)\b.{0,30}\bsecret",
        r"secret\b.{0,60}(?:is missing|does not contain|doesn't contain|lacks|missing) (?:the |a )?(?:required )?(?:key|field|property)s?\b",
        r"secret\b.{0,40}(?:is missing|does not contain|doesn't contain|lacks) '?\x22?(?:host|username|password|port|dbname|engine)\b",
        r"missing (?:required )?(?:key|field|property|attribute)s?\b.{0,40}\b(?:in|from) (?:the )?secret",
        r"\bkey \w+ not found$",
        r"\bsecret\b.{0,40}(?:must contain|has no|contains no) (?:the )?(?:key |field |property )?['\x22]?(?:host|username|password|port|dbname|engine)\b",
        r"'(?:host|username|password|port|dbname|engine|dbInstanceIdentifier)' (?:is )?(?:missing|not (?:found|present)) (?:in|from) (?:the )?secret",
        r"missing (?:required )?(?:secret )?(?:key|field)s?:? '?\x22?(?:host|username|password|port|dbname|engine)\b",
        // Schema validators: pydantic, jsonschema, ajv, joi, Jackson, zod.
        r"(?:Error|Exception)\b.{0,160}['\x22`. ](?:host|username|password|port|dbname|engine)['\x22`]? (?:is (?:a )?required|field required)",
        r"(?:Missing required creator property|required property|required key) ['\x22](?:host|username|password|port|dbname|engine)['\x22]",
        r"^(?:host|username|password|port|dbname|engine)\n +field required",
        r"\breceived\W{1,9}undefined\W{1,9}path\W{1,9}(?:host|username|password|port|dbname|engine)\b",
    ])
    .matches(&[
        "[ERROR] KeyError: 'password key is missing from secret JSON'",
        "Key is missing from secret JSON",
        "Error: missing required field \"username\" in secret",
        "secret does not contain required key: host",
        "ValueError: Secret string must contain the field 'username'",
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for DbSecret\nhost\n  Field required [type=missing, input_value={'username': 'app'}, input_type=dict]",
        "jsonschema.exceptions.ValidationError: 'username' is a required property",
        "com.fasterxml.jackson.databind.exc.ValueInstantiationException: Cannot construct instance of `com.example.DbSecret`, problem: host is required",
    ])
    .ignores(&["[INFO] every required key is in the secret", "Cannot find key file"]),
    depends(missing_key, SecretContent, &[r"KeyError\W{1,4}'\w", r"KeyError\W{1,4}\x22\w", r"^'\w+': KeyError"])
    .matches(&[
        "[ERROR] KeyError: 'host'\nTraceback (most recent call last):",
        "[ERROR] KeyError: 'masterarn'",
        "[ERROR] KeyError: 'SECRETS_MANAGER_ENDPOINT'",
        "'username': KeyError\nTraceback (most recent call last):",
    ])
    .ignores(&["[INFO] handled the key 'host'"]),
    is(Cause::CodeMissingEnv, Code, &[
        r"environment variable.{0,60}(?:(?:is|was|are) )?(?:not set|missing|not defined|undefined|required|empty|unset|must be set)",
        r"(?:missing|undefined|required|unset) (?:the )?(?:required )?env(?:ironment)? ?(?:var|variable)s?\b",
        r"\benv var .{0,40}(?:not set|missing|undefined)|process\.env\.\w+ (?:is|was) (?:undefined|not|missing)",
    ])
    .matches(&[
        "Error: Environment variable DB_HOST is not set",
        "Error: missing required environment variable EXCLUDE_CHARACTERS",
    ])
    .ignores(&["[INFO] Found credentials in environment variables."]),
    is(Cause::SecretJsonInvalid, SecretContent, &[
        r"Invalid secret value json",
        r"\bJSONDecodeError\b",
        r"Failed to parse secret (?:string|value|json)",
        r"SyntaxError: (?:Unexpected token|Unexpected end of JSON|Expected property name|Unexpected non-whitespace|\S+ is not valid JSON)",
        r"Unexpected token .{1,40} in JSON at position",
        r"is not valid JSON\b",
        r"(?:secret|secretstring)\b.{0,60}(?:is )?(?:not (?:a )?valid|invalid|malformed|not parsable|not in) json",
        r"\b(?:JsonParseException|JsonMappingException|MalformedJsonException|JsonReaderException|JsonSyntaxException|JSON::ParserError|MismatchedInputException)\b",
        r"System\.Text\.Json\.JsonException",
        r"(?:invalid character .{1,8} (?:looking for|after)|unexpected end of JSON input|cannot unmarshal \w+ into Go)",
        r"(?:Expecting (?:value|property name|',' delimiter|':' delimiter)).*: line \d+ column",
        r"the JSON object must be str, bytes or bytearray",
        r"Invalid control character at: line|expected value at line \d+ column \d+",
    ])
    .matches(&[
        "[ERROR] JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "SyntaxError: Unexpected token u in JSON at position 0",
        "[ERROR] TypeError: the JSON object must be str, bytes or bytearray, not NoneType",
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "com.fasterxml.jackson.core.JsonParseException: Unrecognized token 'hunter'",
        "invalid character 'p' looking for beginning of value",
        "[ERROR] ValueError: Invalid secret value JSON for secret a.",
    ])
    .ignores(&["[INFO] the secret is valid JSON"]),
];
