//! Vendors' tokens, drawn from their shapes, in the surroundings they are logged in.

use super::redacted;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Tokens with a shape of their own: vendor, prefix, the rest. No token stands here whole, so that secret scanners leave this
/// file alone.
const SHAPED: &[(&str, &str, &str)] = &[
    ("1Password secret key", "A3-", "[A-Z0-9]{6}-[A-Z0-9]{11}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),
    ("1Password service account", "ops_eyJ", "[a-zA-Z0-9+/]{250}"),
    ("Adobe", "p8e-", "[a-z0-9]{32}"),
    ("age", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("Airtable", "pat", "[A-Za-z0-9]{14}\\.[a-f0-9]{64}"),
    ("Alibaba", "LTAI", "[A-Za-z0-9]{20}"),
    ("Anthropic", "sk-ant-api03-", "[A-Za-z0-9_-]{93}AA"),
    ("Artifactory key", "AKCp", "[A-Za-z0-9]{69}"),
    ("Artifactory reference", "cmVmd", "[A-Za-z0-9]{59}"),
    ("Atlassian", "ATATT3", "[A-Za-z0-9_=-]{186}"),
    ("Authress", "sc_", "[a-z0-9]{10}\\.[a-z0-9]{5}\\.acc_[a-z0-9-]{12}\\.[a-z0-9+/_=-]{40}"),
    ("AWS access key", "AKIA", "[QWERTYUIOP][A-Z2-7]{15}"),
    ("AWS Bedrock", "ABSK", "[A-Za-z0-9+/]{109}"),
    ("Azure", "abc8Q~", "[A-Za-z0-9_~.-]{34}"),
    ("ClickHouse", "4b1d", "[A-Za-z0-9]{38}"),
    ("Clojars", "CLOJARS_", "[a-z0-9]{60}"),
    ("Cloudflare origin", "v1.0-", "[a-f0-9]{24}-[a-f0-9]{146}"),
    ("Databricks", "dapi", "[a-f0-9]{32}"),
    ("Defined Networking", "dnkey-", "[a-z0-9=_-]{26}-[a-z0-9=_-]{52}"),
    ("DigitalOcean", "dop_v1_", "[a-f0-9]{64}"),
    ("DigitalOcean OAuth", "doo_v1_", "[a-f0-9]{64}"),
    ("DigitalOcean refresh", "dor_v1_", "[a-f0-9]{64}"),
    ("Docker Hub", "dckr_pat_", "[A-Za-z0-9_-]{27}"),
    ("Doppler", "dp.pt.", "[a-z0-9]{43}"),
    ("Dropbox", "sl.", "[a-z0-9=_-]{135}"),
    ("Duffel", "duffel_live_", "[a-z0-9_=-]{43}"),
    ("Dynatrace", "dt0c01.", "[A-Z0-9]{24}\\.[A-Z0-9]{64}"),
    ("EasyPost", "EZAK", "[a-z0-9]{54}"),
    ("EasyPost test", "EZTK", "[a-z0-9]{54}"),
    ("Facebook page", "EAAC", "[a-zA-Z0-9]{100}"),
    ("Figma", "figd_", "[A-Za-z0-9_-]{40}"),
    ("Flutterwave", "FLWSECK_TEST-", "[a-h0-9]{32}-X"),
    ("Fly", "fo1_", "[A-Za-z0-9_-]{43}"),
    ("Fly macaroon", "fm2_", "[A-Za-z0-9+/]{100}"),
    ("Frame.io", "fio-u-", "[a-z0-9_=-]{64}"),
    ("GitHub", "ghp_", "[0-9a-zA-Z]{36}"),
    ("GitHub app", "ghs_", "[0-9a-zA-Z]{36}"),
    ("GitHub fine-grained", "github_pat_", "[0-9a-zA-Z_]{82}"),
    ("GitLab", "glpat-", "[0-9a-zA-Z_-]{20}"),
    ("GitLab job", "glcbt-", "[0-9a-zA-Z]{3}_[0-9a-zA-Z_-]{20}"),
    ("GitLab deploy", "gldt-", "[0-9a-zA-Z_-]{20}"),
    ("GitLab feed", "glft-", "[0-9a-zA-Z_-]{20}"),
    ("GitLab flags", "glffct-", "[0-9a-zA-Z_-]{20}"),
    ("GitLab mail", "glimt-", "[0-9a-zA-Z_-]{25}"),
    ("GitLab agent", "glagent-", "[0-9a-zA-Z_-]{50}"),
    ("GitLab OAuth", "gloas-", "[0-9a-zA-Z_-]{64}"),
    ("GitLab trigger", "glptt-", "[0-9a-f]{40}"),
    ("GitLab runner", "glrt-", "[0-9a-zA-Z_-]{20}"),
    ("GitLab registration", "GR1348941", "[0-9a-zA-Z_-]{20}"),
    ("GitLab SCIM", "glsoat-", "[0-9a-zA-Z_-]{20}"),
    ("Google", "AIza", "[0-9A-Za-z_-]{35}"),
    ("Google OAuth secret", "GOCSPX-", "[0-9A-Za-z_-]{28}"),
    ("Grafana cloud", "glc_", "[A-Za-z0-9+/]{60}"),
    ("Grafana service account", "glsa_", "[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    ("Harness", "pat.", "[a-zA-Z0-9_-]{22}\\.[a-zA-Z0-9]{24}\\.[a-zA-Z0-9]{20}"),
    ("HCP Terraform", "abcdefghij1234.atlasv1.", "[A-Za-z0-9=_-]{64}"),
    ("Heroku", "HRKU-AA", "[0-9a-zA-Z_-]{58}"),
    ("Hugging Face", "hf_", "[a-zA-Z]{34}"),
    ("Hugging Face organization", "api_org_", "[a-zA-Z]{34}"),
    ("Infracost", "ico-", "[a-zA-Z0-9]{32}"),
    ("Intra 42", "s-s4t2ud-", "[a-f0-9]{64}"),
    ("JWT", "eyJ", "[a-zA-Z0-9]{17}\\.eyJ[a-zA-Z0-9_-]{20}\\.[a-zA-Z0-9_-]{30}"),
    ("Linear", "lin_api_", "[a-z0-9]{40}"),
    ("Mailgun", "key-", "[a-f0-9]{32}"),
    ("Mapbox", "pk.", "[a-z0-9]{60}\\.[a-z0-9]{22}"),
    ("Mailchimp", "0123456789abcdef0123456789abcdef-us", "[1-9][0-9]"),
    ("MaxMind", "abcdef_", "[A-Za-z0-9]{29}_mmk"),
    ("New Relic", "NRAK-", "[A-Z0-9]{27}"),
    ("New Relic insert", "NRII-", "[a-z0-9-]{32}"),
    ("New Relic browser", "NRJS-", "[a-f0-9]{19}"),
    ("Notion", "ntn_", "[0-9]{11}[A-Za-z0-9]{35}"),
    ("npm", "npm_", "[a-z0-9]{36}"),
    ("NuGet", "oy2", "[a-z0-9]{43}"),
    ("Octopus", "API-", "[A-Z0-9]{26}"),
    ("OpenAI", "sk-proj-", "[A-Za-z0-9_-]{58}T3BlbkFJ[A-Za-z0-9_-]{58}"),
    ("OpenShift", "sha256~", "[A-Za-z0-9_-]{43}"),
    ("Perplexity", "pplx-", "[a-zA-Z0-9]{48}"),
    ("PlanetScale", "pscale_tkn_", "[A-Za-z0-9=._-]{43}"),
    ("PlanetScale password", "pscale_pw_", "[A-Za-z0-9=._-]{43}"),
    ("PlanetScale OAuth", "pscale_oauth_", "[A-Za-z0-9=._-]{43}"),
    ("Plaid", "access-production-", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("Postman", "PMAK-", "[a-f0-9]{24}-[a-f0-9]{34}"),
    ("Prefect", "pnu_", "[a-zA-Z0-9]{36}"),
    ("Pulumi", "pul-", "[a-f0-9]{40}"),
    ("PyPI", "pypi-AgEIcHlwaS5vcmc", "[A-Za-z0-9_-]{60}"),
    ("ReadMe", "rdme_", "[a-z0-9]{70}"),
    ("RubyGems", "rubygems_", "[a-f0-9]{48}"),
    ("Scalingo", "tk-us-", "[A-Za-z0-9_-]{48}"),
    ("SendGrid", "SG.", "[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"),
    ("Brevo", "xkeysib-", "[a-f0-9]{64}-[a-zA-Z0-9]{16}"),
    ("Sentry user", "sntryu_", "[a-f0-9]{64}"),
    ("Sentry organization", "sntrys_eyJpYXQiO", "[a-zA-Z0-9+/]{80}_[a-zA-Z0-9+/]{43}"),
    ("SettleMint", "sm_pat_", "[a-zA-Z0-9]{16}"),
    ("Shippo", "shippo_live_", "[a-fA-F0-9]{40}"),
    ("Shopify", "shpat_", "[a-fA-F0-9]{32}"),
    ("Shopify custom", "shpca_", "[a-fA-F0-9]{32}"),
    ("Shopify private", "shppa_", "[a-fA-F0-9]{32}"),
    ("Shopify shared", "shpss_", "[a-fA-F0-9]{32}"),
    ("Slack app", "xapp-", "1-[A-Z0-9]{11}-[0-9]{13}-[a-f0-9]{64}"),
    ("Slack bot", "xoxb-", "[0-9]{12}-[0-9]{13}-[a-zA-Z0-9]{24}"),
    ("Slack user", "xoxp-", "[0-9]{12}-[0-9]{12}-[0-9]{12}-[a-f0-9]{32}"),
    ("Slack configuration", "xoxe-1-", "[A-Z0-9]{146}"),
    ("Slack legacy", "xoxs-", "[0-9]{10}-[0-9]{10}-[0-9]{10}-[a-f0-9]{10}"),
    ("Slack workspace", "xoxa-", "[0-9a-zA-Z]{24}"),
    ("SonarQube", "squ_", "[a-f0-9]{40}"),
    ("Sourcegraph", "sgp_", "[a-f0-9]{16}_[a-f0-9]{40}"),
    ("Square", "sq0atp-", "[A-Za-z0-9_-]{22}"),
    ("Square access", "EAAA", "[A-Za-z0-9_-]{60}"),
    ("Stripe", "sk_live_", "[a-zA-Z0-9]{24}"),
    ("Stripe restricted", "rk_prod_", "[a-zA-Z0-9]{24}"),
    ("Supabase", "sbp_", "[a-f0-9]{40}"),
    ("Tailscale", "tskey-auth-", "[A-Za-z0-9]{16}-[A-Za-z0-9]{32}"),
    ("Telegram", "123456789:A", "[A-Za-z0-9_-]{34}"),
    ("Twilio", "SK", "[0-9a-f]{32}"),
    ("Twitter", "AAAAAAAAAAAAAAAAAAAAAA", "[a-zA-Z0-9%]{90}"),
    ("Typeform", "tfp_", "[a-z0-9_.=-]{59}"),
    ("Vault", "hvs.", "[A-Za-z0-9_-]{95}"),
    ("Vault batch", "hvb.", "[A-Za-z0-9_-]{140}"),
    ("Vault of old", "s.", "[A-Za-z0-9]{24}"),
    ("Yandex key", "AQVN", "[A-Za-z0-9_-]{36}"),
    ("Yandex token", "t1.", "[A-Z0-9a-z_-]{20}\\.[A-Z0-9a-z_-]{86}"),
    ("Yandex access", "YC", "[a-zA-Z0-9_-]{38}"),
];

/// Vendors whose tokens are letters and digits without a shape, told by the name they are assigned to.
const NAMED: &[(&str, &str)] = &[
    ("adafruit", "[a-z0-9_-]{32}"),
    ("adobe", "[a-f0-9]{32}"),
    ("airtable", "[a-z0-9]{17}"),
    ("algolia", "[a-z0-9]{32}"),
    ("alibaba", "[a-z0-9]{30}"),
    ("asana", "[a-z0-9]{32}"),
    ("atlassian", "[a-z0-9]{20}[a-f0-9]{4}"),
    ("beamer", "b_[a-z0-9=_-]{44}"),
    ("bitbucket", "[a-z0-9=_-]{64}"),
    ("bittrex", "[a-z0-9]{32}"),
    ("meraki", "[0-9a-f]{40}"),
    ("cloudflare", "[a-z0-9_-]{40}"),
    ("codecov", "[a-z0-9]{32}"),
    ("cohere", "[a-zA-Z0-9]{40}"),
    ("coinbase", "[a-z0-9_-]{64}"),
    ("confluent", "[a-z0-9]{64}"),
    ("contentful", "[a-z0-9=_-]{43}"),
    ("datadog", "[a-z0-9]{40}"),
    ("discord", "[a-f0-9]{64}"),
    ("droneci", "[a-z0-9]{32}"),
    ("dropbox", "[a-z0-9]{15}"),
    ("etsy", "[a-z0-9]{24}"),
    ("facebook", "[a-f0-9]{32}"),
    ("fastly", "[a-z0-9=_-]{32}"),
    ("finicity", "[a-f0-9]{32}"),
    ("finnhub", "[a-z0-9]{20}"),
    ("flickr", "[a-z0-9]{32}"),
    ("freshbooks", "[a-z0-9]{64}"),
    ("gitter", "[a-z0-9_-]{40}"),
    ("gocardless", "live_[a-z0-9=_-]{40}"),
    ("heroku", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("hubspot", "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"),
    ("intercom", "[a-z0-9=_-]{60}"),
    ("jfrog", "[a-z0-9]{73}"),
    ("kraken", "[a-z0-9/=_+-]{85}"),
    ("kucoin", "[a-f0-9]{24}"),
    ("launchdarkly", "[a-z0-9=_-]{40}"),
    ("linear", "[a-f0-9]{32}"),
    ("linkedin", "[a-z0-9]{16}"),
    ("lob", "live_[a-f0-9]{35}"),
    ("looker", "[a-z0-9]{24}"),
    ("mattermost", "[a-z0-9]{26}"),
    ("messagebird", "[a-z0-9]{25}"),
    ("netlify", "[a-z0-9=_-]{43}"),
    ("newrelic", "[a-z0-9]{64}"),
    ("nytimes", "[a-z0-9=_-]{32}"),
    ("okta", "00[a-zA-Z0-9=-]{40}"),
    ("plaid", "[a-z0-9]{30}"),
    ("private_ai", "[a-z0-9]{32}"),
    ("rapidapi", "[a-z0-9_-]{50}"),
    ("sendbird", "[a-f0-9]{40}"),
    ("sentry", "[a-f0-9]{64}"),
    ("snyk", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("sonar", "[a-z0-9=_-]{40}"),
    ("sourcegraph", "[a-f0-9]{40}"),
    ("squarespace", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("sumo", "[a-z0-9]{64}"),
    ("travis", "[a-z0-9]{22}"),
    ("twitch", "[a-z0-9]{30}"),
    ("twitter", "[a-z0-9]{50}"),
    ("zendesk", "[a-z0-9]{40}"),
];

/// Every way a name and a value are written together, with `NAME` and `VALUE`.
const ASSIGNED: &[&str] = &[
    "NAME_token = \"VALUE\"",
    "NAME_API_TOKEN=VALUE",
    "NAME-token: VALUE",
    "{\"NAME_token\": \"VALUE\"}",
    "{'NAME_secret': 'VALUE'}",
    "NAMEToken := 'VALUE'",
    "NAME_TOKEN ?= \"VALUE\"",
    "$NAMEToken .= \"VALUE\"",
    "System.setProperty(\"NAME_TOKEN\", \"VALUE\")",
    "NAMEToken=>\"VALUE\"",
    "export NAME_ACCESS_KEY=VALUE",
    "<NAMEToken>\n    VALUE\n</NAMEToken>",
    "NAME_API_KEY: 'VALUE'",
];

/// Surroundings in which a token stands for itself, with `VALUE`.
const SURROUNDED: &[&str] = &[
    "VALUE",
    "using VALUE now",
    "{\"x\": \"VALUE\"}",
    "{'x': 'VALUE', 'y': 1}",
    "x: VALUE\n",
    "https://example.com/?x=VALUE&y=1",
    "curl https://example.com/ -d 'x=VALUE'",
    "ValueError: invalid value VALUE\n",
    "{\"m\": \"{\\\"x\\\": \\\"VALUE\\\"}\"}",
    "first line\\nVALUE\\nlast line",
    "\u{1b}[31mVALUE\u{1b}[0m",
    "\\u001b[1;31mVALUE\\u001b[0m",
    "x\u{a0}VALUE\u{a0}y",
    "\u{200b}VALUE",
    "x%3DVALUE",
    "[VALUE]",
    "(VALUE)",
    "<x>VALUE</x>",
    "x=VALUE;",
    "Error: 'VALUE'",
    "x,VALUE,y",
];

fn drawn(runner: &mut TestRunner, pattern: &str) -> String {
    proptest::string::string_regex(pattern).unwrap().new_tree(runner).unwrap().current()
}

/// The middle of a value: what must not be seen of it.
fn core(value: &str) -> &str {
    let middle = value.len() / 2;
    value.get(middle.saturating_sub(4)..(middle + 4).min(value.len())).unwrap()
}

#[test]
fn every_shape_is_hidden_in_every_surrounding() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Vec::new();
    for (vendor, prefix, rest) in SHAPED {
        for surrounding in SURROUNDED {
            let value = format!("{prefix}{}", drawn(&mut runner, rest));
            let shown = redacted(&surrounding.replace("VALUE", &value));
            if shown.contains(core(&value)) {
                seen.push(format!("{vendor} in {surrounding:?}: {shown}"));
            }
        }
    }
    assert!(seen.is_empty(), "{} of {}:\n{}", seen.len(), SHAPED.len() * SURROUNDED.len(), seen.join("\n"));
}

#[test]
fn every_named_token_is_hidden_in_every_way_to_assign_it() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Vec::new();
    for (vendor, rest) in NAMED {
        for assigned in ASSIGNED {
            let value = drawn(&mut runner, rest);
            let name = if assigned.contains("NAME_API") || assigned.contains("NAME_TOKEN") {
                vendor.to_uppercase()
            } else {
                (*vendor).to_owned()
            };
            let shown = redacted(&assigned.replace("NAME", &name).replace("VALUE", &value));
            if shown.contains(core(&value)) {
                seen.push(format!("{vendor} as {assigned:?}: {shown}"));
            }
        }
    }
    assert!(seen.is_empty(), "{} of {}:\n{}", seen.len(), NAMED.len() * ASSIGNED.len(), seen.join("\n"));
}

/// What a name of a secret's value may be disguised as.
fn disguised(name: &str, way: usize) -> String {
    let fullwidth = |char: char| if char.is_ascii_graphic() { char::from_u32(u32::from(char) + 0xfee0).unwrap() } else { char };
    let middle = name.len() / 2;
    let (head, tail) = name.split_at(middle);
    match way {
        0 => name.to_owned(),
        1 => format!("{head}\u{ad}{tail}"),
        2 => format!("{head}\u{200b}{tail}"),
        3 => name.chars().map(fullwidth).collect(),
        4 => format!("\u{1b}[33m{head}\u{1b}[1m{tail}\u{1b}[0m"),
        5 => name.replace('o', "\u{43e}").replace('a', "\u{430}").replace('e', "\u{435}"),
        6 => format!("\\u001b[33m{name}\\u001b[0m"),
        7 => format!("{head}\u{2060}\u{feff}{tail}\u{a0}"),
        _ => name.to_uppercase(),
    }
}

/// Connection strings, command lines and statements, with `VALUE` for the password.
const CONNECTIONS: &[&str] = &[
    "app:VALUE@tcp(db.example.internal:3306)/orders",
    "app/VALUE@//db.example.internal:1521/ORCL",
    "app/VALUE@db.example.internal:1521/ORCL",
    "sqlplus app/VALUE@ORCL",
    "postgresql://app:VALUE@db.example.internal:5432/orders",
    "mysql+pymysql://app:VALUE@db/orders",
    "mongodb+srv://app:VALUE@cluster0.example.net/?retryWrites=true",
    "redis://:VALUE@cache:6379/0",
    "rediss://default:VALUE@cache:6379",
    "amqp://app:VALUE@mq:5672/%2f",
    "jdbc:postgresql://db/orders?user=app&password=VALUE",
    "jdbc:oracle:thin:app/VALUE@//db:1521/ORCL",
    "jdbc:sqlserver://db:1433;databaseName=orders;user=app;password=VALUE;encrypt=true",
    "jdbc:mysql://app:VALUE@db:3306/orders",
    "Server=db;Database=orders;User Id=app;Password=VALUE;",
    "Driver={ODBC Driver 18 for SQL Server};Server=db;UID=app;PWD=VALUE;",
    "Data Source=db;User ID=app;Password=VALUE",
    "host=db port=5432 user=app password=VALUE dbname=orders",
    "DefaultEndpointsProtocol=https;AccountName=app;AccountKey=VALUE;EndpointSuffix=core.windows.net",
    "Endpoint=sb://x/;SharedAccessKeyName=app;SharedAccessKey=VALUE",
    "connecting to app:VALUE@db.example.internal:5432/orders",
    "snowflake://app:VALUE@xy12345/orders",
    "Host=db;Username=app;Password=VALUE",
    "ldap://cn=app:VALUE@ldap:389",
    "sftp://app:VALUE@files/",
    "cassandra: username=app, password=VALUE",
    "clickhouse://app:VALUE@ch:9000/orders",
    "db.example.internal:5432:orders:app:VALUE",
    "mysql -uapp -pVALUE orders",
    "mysqldump --password VALUE orders",
    "mysqldump --password=VALUE orders",
    "curl -u app:VALUE https://x",
    "curl --user app:VALUE https://x",
    "wget --password VALUE https://x",
    "wget --http-password=VALUE https://x",
    "redis-cli -a VALUE ping",
    "mongosh -u app -p VALUE",
    "sshpass -p VALUE ssh app@db",
    "sshpass -pVALUE ssh app@db",
    "PGPASSWORD=VALUE psql -h db",
    "MYSQL_PWD=VALUE mysql",
    "docker login -u app -p VALUE",
    "ldapsearch -D cn=app -w VALUE",
    "sqlcmd -U app -P VALUE",
    "bcp t out f -U app -P VALUE",
    "openssl pkcs12 -passin pass:VALUE",
    "openssl req -passout pass:VALUE",
    "aws configure set aws_secret_access_key VALUE",
    "net use \\\\files\\share VALUE /user:app",
    "echo VALUE | kinit app",
    "echo 'VALUE' | docker login -u app --password-stdin",
    "ALTER USER app IDENTIFIED BY \"VALUE\"",
    "ALTER USER app IDENTIFIED BY VALUE",
    "ALTER USER app WITH PASSWORD 'VALUE'",
    "ALTER LOGIN app WITH PASSWORD = 'VALUE'",
    "ALTER LOGIN app WITH PASSWORD = N'VALUE' OLD_PASSWORD = N'VALUE'",
    "SET PASSWORD FOR 'app'@'%' = 'VALUE'",
    "SET PASSWORD = 'VALUE'",
    "SET PASSWORD FOR app = PASSWORD('VALUE')",
    "CREATE USER 'app'@'%' IDENTIFIED WITH mysql_native_password BY 'VALUE'",
    "ALTER ROLE app ENCRYPTED PASSWORD 'VALUE'",
    "GRANT ALL ON *.* TO app IDENTIFIED BY 'VALUE'",
    "EXEC sp_addlogin 'app', 'VALUE'",
    "CONFIG SET requirepass VALUE",
    "['mysql', '-u', 'app', '-pVALUE']",
    "['psql', '--password', 'VALUE']",
    "subprocess.run(['sqlplus', 'app/VALUE@ORCL'])",
    "keytool -storepass VALUE -list",
    "<add key=\"DbPassword\" value=\"VALUE\"/>",
    "{\"Key\": \"db_password\", \"Value\": \"VALUE\"}",
    "{\"name\": \"DB_PASSWORD\", \"value\": \"VALUE\"}",
    "spring.datasource.password=VALUE",
    "machine db login app password VALUE",
];

#[test]
fn every_connection_string_and_command_line_is_hidden_in_every_surrounding() {
    let mut runner = TestRunner::deterministic();
    let around = [
        "X",
        "ERROR while running X",
        "{\"cmd\": \"X\"}",
        "first\\nX\\nlast",
        "subprocess.CalledProcessError: Command 'X' returned non-zero exit status 1.",
        "X\nTraceback (most recent call last):",
        "\u{1b}[31mX\u{1b}[0m",
    ];
    let mut seen = Vec::new();
    for connection in CONNECTIONS {
        for surrounding in around {
            let value = drawn(&mut runner, "[A-Za-z][a-z]{3}[0-9]{2}[A-Za-z0-9]{6}");
            let text = connection.replace("VALUE", &value);
            let text = if surrounding.contains("\"X\"") {
                surrounding.replace('X', &text.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                surrounding.replace('X', &text)
            };
            let shown = redacted(&text);
            if shown.contains(core(&value)) {
                seen.push(format!("{connection:?} in {surrounding:?}: {shown}"));
            }
        }
    }
    assert!(seen.is_empty(), "{}:\n{}", seen.len(), seen.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_disguised_name_gives_its_value_away_all_the_same(
        name in prop::sample::select(vec!["password", "db_password", "client_secret", "api_key", "private_key", "auth_token"]),
        way in 0_usize..9, link in prop::sample::select(vec!["=", ": ", "\u{a0}=\u{a0}", "\u{ff1d}", " => ", "\u{200b}="]),
        value in "[a-z]{2}[A-Z][0-9]{2}[A-Za-z0-9]{7}",
    ) {
        let text = format!("connecting with {}{link}{value} to db", disguised(name, way));
        let shown = redacted(&text);
        prop_assert!(!shown.contains(core(&value)), "{}", shown);
        let (head, tail) = value.split_at(5);
        let coloured = format!("{}{link}\u{1b}[32m{head}\u{1b}[0m\u{ad}{tail}", disguised(name, way));
        prop_assert!(!redacted(&coloured).contains(tail), "{}", redacted(&coloured));
    }

    #[test]
    fn ids_hashes_and_host_names_stay(
        account in "[0-9]{12}", hex in "[0-9a-f]{64}", short in "[0-9a-f]{17}", id in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        code in "[A-Za-z0-9+/]{43}=", suffix in "[A-Za-z0-9]{6}", request in "[A-Z0-9]{16}", host in "[a-z0-9]{12}",
        extended in "[A-Za-z0-9+/]{75}=",
    ) {
        for text in [
            format!("arn:aws:secretsmanager:eu-west-1:{account}:secret:prod/orders-db-{suffix}"),
            format!("arn:aws:lambda:eu-west-1:{account}:function:orders-rotator:{short}"),
            format!("arn:aws:kms:eu-west-1:{account}:key/{id}"),
            format!("arn:aws:iam::{account}:role/orders-rotator-role"),
            format!("RequestId: {id} Version: $LATEST"),
            format!("CodeSha256: {code}"),
            format!("{{\"CodeSha256\": \"{code}\", \"codeSha256\": \"{code}\"}}"),
            format!("image {account}.dkr.ecr.eu-west-1.amazonaws.com/rotator:v1@sha256:{hex}"),
            format!("digest sha256:{hex} commit {}", hex.split_at(40).0),
            format!("orders.cluster-{host}.eu-west-1.rds.amazonaws.com:5432"),
            format!("vpc-{short} eni-{short} subnet-{short} sg-{short} i-{short} vpce-{short}"),
            format!("{{\"eventID\": \"{id}\", \"requestID\": \"{id}\", \"sharedEventID\": \"{id}\"}}"),
            // Three letters that begin a JSON web token may be drawn; then masking is right.
            format!("Request ID: {request}; S3 Extended Request ID: {}", extended.replace("eyJ", "eyA")),
            format!("version id {id} staging label AWSPENDING"),
            format!("ClientRequestToken: {id}, 'VersionId': '{id}'"),
            format!("Root=1-{}-{}", hex.split_at(8).0, hex.split_at(24).0),
            format!("2025/11/22/[$LATEST]{}", hex.split_at(32).0),
            format!("An error occurred (AccessDeniedException) when calling the PutSecretValue operation: {id}"),
            format!("ip-10-0-{}-4.eu-west-1.compute.internal: ORA-12170", account.split_at(2).0),
        ] {
            prop_assert_eq!(redacted(&text), text);
        }
    }
}
