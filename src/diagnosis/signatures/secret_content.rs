//! What is in the secret, and in the function's environment.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::{Cause, RotationStep};
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

/// A number that is none: whose, by what the line or its frames name, and at last by the step. createSecret reads the rules
/// for the password from the environment; later steps read the port from the secret.
fn bad_number(line: &Line<'_>) -> Option<Cause> {
    let text = line.event.to_ascii_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if names(&["password_length", "passwordlength", "environ", "getenv", "process.env", "exclude_"]) {
        Some(Cause::CodeMissingEnv)
    } else if names(&["port", "/tcp", "/udp"]) {
        Some(Cause::SecretJsonInvalid)
    } else {
        match line.step()? {
            RotationStep::CreateSecret => Some(Cause::CodeMissingEnv),
            RotationStep::SetSecret | RotationStep::TestSecret => Some(Cause::SecretJsonInvalid),
            RotationStep::FinishSecret => None,
        }
    }
}

/// A URL that is none: the endpoint of Secrets Manager is in the environment, that of a target in the secret.
fn bad_url(line: &Line<'_>) -> Option<Cause> {
    Some(match line.step() {
        Some(RotationStep::SetSecret | RotationStep::TestSecret) if !line.event.contains("secretsmanager") => {
            Cause::SecretJsonInvalid
        }
        _ => Cause::CodeMissingEnv,
    })
}

/// The line of code that failed, where it takes a field of the secret.
static TAKES_FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?:\[|\.(?:get|pop)\(|\bif )['"](?:engine|host|username|user|password|port|dbname|masterarn|ssl)['"](?:\]|,|\)| not in | in )|"#,
        r#"\bfor \w+ in required_fields|not in secret_dict"#
    ))
    .ok()
});

/// JSON that is no object: a list, a string, a number. Only the code that failed tells that it is the secret's.
fn no_object(line: &Line<'_>) -> Option<Cause> {
    let code = line.event.trim_end().lines().next_back()?;
    TAKES_FIELD.as_ref()?.is_match(code).then_some(Cause::SecretJsonInvalid)
}

fn only(cause: Option<Cause>, wanted: Cause) -> Option<Cause> {
    cause.filter(|cause| *cause == wanted)
}

fn bad_port(line: &Line<'_>) -> Option<Cause> {
    only(bad_number(line), Cause::SecretJsonInvalid)
}

fn bad_length(line: &Line<'_>) -> Option<Cause> {
    let of_secrets_manager =
        ["GetRandomPassword", "PasswordLength", "ExcludeCharacters"].iter().any(|word| line.text.contains(word));
    if of_secrets_manager { Some(Cause::CodeMissingEnv) } else { only(bad_number(line), Cause::CodeMissingEnv) }
}

fn bad_url_in_environment(line: &Line<'_>) -> Option<Cause> {
    only(bad_url(line), Cause::CodeMissingEnv)
}

fn bad_url_in_secret(line: &Line<'_>) -> Option<Cause> {
    only(bad_url(line), Cause::SecretJsonInvalid)
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
        r"\bhas no (?:user_arn|masterarn|username|password|host) (?:defined|set)\b",
        r"missing (?:required )?(?:secret )?(?:key|field)s?:? '?\x22?(?:host|username|password|port|dbname|engine)\b",
        // Schema validators: pydantic, jsonschema, ajv, joi, Jackson, zod.
        r"(?:Error|Exception)\b.{0,160}['\x22`. ](?:host|username|password|port|dbname|engine)['\x22`]? (?:is (?:a )?required|field required)",
        r"(?:Missing required creator property|required property|required key) ['\x22](?:host|username|password|port|dbname|engine)['\x22]",
        r"\x22config\.(?:server|authentication\.options\.(?:userName|password))\x22 property (?:is required|must be of type string)",
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
    is(Cause::SecretJsonInvalid, SecretContent, &[
        r"KeyError\W{1,4}SecretString\b",
        r"UnicodeDecodeError: .utf-?8. codec can.t decode",
        r"JSON object must be str, bytes or bytearray, not NoneType",
    ])
    .fault(Fault::BinaryValue)
    .matches(&[
        "[ERROR] KeyError: 'SecretString'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in create_secret",
        "[ERROR] TypeError: the JSON object must be str, bytes or bytearray, not NoneType",
    ])
    .ignores(&["TypeError: Cannot read properties of undefined (reading 'SecretString')"]),
    // A password that is not escaped breaks the connection string; behind its `@` the rest is taken for the host.
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"invalid percent-encoded token|invalid URL escape \\?\x22%|net/url: invalid userinfo|\bURIError: URI malformed\b",
        r"missing \x22=\x22 after .{1,160} in connection info string|translate host name \\?\x22[^\x22\s]*@",
    ])
    .matches(&[
        "psycopg2.ProgrammingError: invalid dsn: invalid percent-encoded token: \"%zz\"",
        "cannot parse `postgres://app:xxxxxx@db.internal:5432/orders`: failed to parse as URL (parse \"postgres://app:p%ss@db.internal\": invalid URL escape \"%ss\")",
        "psycopg2.OperationalError: could not translate host name \"x9@db.internal\" to address: Name or service not known",
    ])
    .ignores(&[
        "psycopg2.OperationalError: could not translate host name \"db.internal\" to address: Name or service not known",
        "[INFO] the connection info string is complete",
    ]),
    // Before the network's entries: a port that is no number never reaches it.
    is(Cause::SecretJsonInvalid, SecretContent, &[
        r"invalid (?:integer value|port number:?) [\x22'][^\x22']*[\x22'](?: for connection option [\x22']port)?|ERR_SOCKET_BAD_PORT|(?:options\.)?[Pp]ort should be >= ?0",
        r"Port (?:could not be cast to integer|must be an integer|out of range 0-65535)|port number should be an integer|port should be of type int",
        r"invalid port [\x22']\S*[\x22'] after host|port must be (?:between|in range|0-65535)",
    ])
    .fault(Fault::BadPort)
    .matches(&[
        "psycopg2.OperationalError: invalid integer value \"5432/tcp\" for connection option \"port\"",
        "RangeError [ERR_SOCKET_BAD_PORT]: options.port should be >= 0 and < 65536. Received type string ('5432/tcp').",
        "ValueError: Port could not be cast to integer value as '5432/tcp'",
    ])
    .ignores(&["[INFO] the port is an integer"]),
    depends(bad_port, SecretContent, &[
        r"invalid literal for int\(\) with base 10|strconv\.(?:Atoi|ParseInt|ParseUint): parsing|NumberFormatException: |Input string '?.{0,40}was not in a correct format|invalid digit found in string",
        r"'str' object cannot be interpreted as an integer|an integer is required \(got type str\)",
    ])
    .fault(Fault::BadPort)
    .matches(&["[ERROR] ValueError: invalid literal for int() with base 10: '5432/tcp'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in set_secret"])
    .ignores(&["[INFO] the number was in a correct format"]),
    depends(bad_length, SecretContent, &[
        r"invalid literal for int\(\) with base 10|strconv\.(?:Atoi|ParseInt|ParseUint): parsing|NumberFormatException: |Input string '?.{0,40}was not in a correct format|invalid digit found in string",
        r"Invalid type for parameter (?:PasswordLength|ExcludeCharacters)|\bpassword length (?:must|should) be (?:a number|an integer)|(?:PasswordLength|PASSWORD_LENGTH)\b.{0,80}(?:not a (?:valid )?number|must be|not an integer|valid (?:min|max|range)|less than or equal)",
        r"when calling the GetRandomPassword operation: .{0,200}(?:length|ExcludeCharacters)",
    ])
    .fault(Fault::BadNumber)
    .matches(&[
        "[ERROR] ValueError: invalid literal for int() with base 10: 'long'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in new_password\n    length = int(os.environ['PASSWORD_LENGTH'])",
        "An error occurred (InvalidParameterException) when calling the GetRandomPassword operation: Password length is too short",
        "strconv.Atoi: parsing \"thirty\": invalid syntax: PASSWORD_LENGTH must be a number",
    ])
    .ignores(&["[INFO] PASSWORD_LENGTH is 32"]),
    is(Cause::CodeMissingEnv, SecretContent, &[
        r"ValueError: Invalid endpoint: |Invalid (?:service )?endpoint(?: URL)?: ?\S*secretsmanager|InvalidEndpointException",
        r"URI scheme of endpointOverride must not be null|Custom endpoint .{0,80} was not a valid URI",
    ])
    .fault(Fault::BadEndpoint)
    .matches(&[
        "[ERROR] ValueError: Invalid endpoint: secretsmanager.eu-west-1.amazonaws.com",
        "java.lang.NullPointerException: The URI scheme of endpointOverride must not be null.",
    ])
    .ignores(&["[ERROR] KeyError: 'Invalid endpoint info for InfluxDB instance.'"]),
    depends(bad_url_in_environment, SecretContent, &[
        r"Invalid URL [\x22']|No scheme supplied|MissingSchema: |InvalidURL: |TypeError(?: \[ERR_INVALID_URL\])?: Invalid URL|unsupported protocol scheme|UriFormatException|no protocol: |Expected scheme name|UnsupportedProtocol: ",
    ])
    .fault(Fault::BadEndpoint)
    .matches(&["TypeError [ERR_INVALID_URL]: Invalid URL\n    at createSecret (/var/task/index.js:3:1)"])
    .ignores(&["[INFO] the URL is valid"]),
    depends(bad_url_in_secret, SecretContent, &[
        r"Invalid URL [\x22']|No scheme supplied|MissingSchema: |InvalidURL: |TypeError(?: \[ERR_INVALID_URL\])?: Invalid URL|unsupported protocol scheme|UriFormatException|no protocol: |Expected scheme name|UnsupportedProtocol: ",
    ])
    .fault(Fault::BadField)
    .matches(&["[ERROR] MissingSchema: Invalid URL 'api.example.com/v1': No scheme supplied. Perhaps you meant https://api.example.com/v1?\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 9, in set_secret"])
    .ignores(&["[INFO] the URL is valid"]),
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
    depends(no_object, SecretContent, &[
        r"'(?:list|str|int|float|bool)' object has no attribute '(?:get|keys|items|pop|copy|update)'",
        r"(?:string|list) indices must be integers|'(?:int|float|bool)' object is not subscriptable",
        r"argument of type '(?:int|float|bool)' is not (?:iterable|a container or iterable)",
    ])
    .matches(&[
        "[ERROR] AttributeError: 'list' object has no attribute 'get'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 233, in get_secret_dict\n    if secret_dict.get('engine') != 'postgres':",
        "[ERROR] TypeError: string indices must be integers, not 'str'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 31, in connect\n    host = current['host']",
    ])
    .ignores(&[
        "[ERROR] TypeError: string indices must be integers, not 'str'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 9, in lambda_handler\n    step = event['detail']['Step']",
        "[ERROR] AttributeError: 'list' object has no attribute 'get'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 9, in tags\n    return described['Tags'].get('team')",
    ]),
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
        r"the JSON object must be str, bytes or bytearray, not (?:dict|list|int|bool|float)",
        r"Invalid control character at: line|expected value at line \d+ column \d+",
    ])
    .matches(&[
        "[ERROR] JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "SyntaxError: Unexpected token u in JSON at position 0",
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "com.fasterxml.jackson.core.JsonParseException: Unrecognized token 'hunter'",
        "invalid character 'p' looking for beginning of value",
        "[ERROR] ValueError: Invalid secret value JSON for secret a.",
    ])
    .ignores(&["[INFO] the secret is valid JSON"]),
];
