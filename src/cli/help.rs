//! The texts of `--help`.

pub(super) const ABOUT: &str = "Finds out why AWS Secrets Manager stopped rotating a credential";

pub(super) const LONG_ABOUT: &str = "\
Finds out why AWS Secrets Manager stopped rotating a credential.

Nine read-only steps look at the secret, its rotation, the rotation function, its logs, its role, the rotation history, the \
function's metrics, the access policies and recent changes. Rules decide on the root cause; the report names it, proves it, \
and gives the command that fixes it. A secret's value is never read, nothing in AWS is ever changed, and whatever could not be \
checked is reported as such, with the missing permission.";

pub(super) const AFTER: &str = "\
Examples:
  rotation-diag demo                                  see a diagnosis; needs no AWS account
  rotation-diag diagnose prod/orders-db               diagnose a secret with the AWS configuration of this shell
  rotation-diag diagnose prod/orders-db --format json --output report.json
  aws logs tail /aws/lambda/orders-rotator --format short | rotation-diag explain

Exit status:
  0    it ran, whatever it found
  1    it could not run: no region, no credentials, no permission at all
  2    the command line or the configuration file is wrong
  3    with `diagnose --exit-code`: a root cause was found
  4    with `diagnose --exit-code`: the diagnosis is inconclusive
  130  it was interrupted

Environment:
  AWS_PROFILE, AWS_REGION, …   the standard AWS configuration works unchanged, with SSO and roles
  AWS_ENDPOINT_URL             where requests go instead of AWS, such as a simulator
  ROTATION_DIAG_CONFIG         the configuration file, like `diagnose --config`
  NO_COLOR                     when set, nothing is coloured
  RUST_LOG                     what is logged to standard error, such as rotation_diag=debug";

pub(super) const DIAGNOSE: &str = "\
Find out why one secret is not rotating.

The report goes to standard output: the verdict, what happened, the fix to paste and the proof; then the nine steps, what was \
ruled out and what could not be checked. Without --window the search begins with 24 hours around the last failed or due \
rotation, and widens to 7, 30 and 90 days while nothing explains the failure.";

pub(super) const DIAGNOSE_AFTER: &str = "\
Examples:
  rotation-diag diagnose prod/orders-db
  rotation-diag diagnose arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf
  rotation-diag diagnose prod/orders-db --account prod --config config/rotation-diag.toml
  rotation-diag diagnose prod/orders-db --window 30d --step 4 --step 6
  rotation-diag diagnose prod/orders-db --exit-code || page-somebody
  rotation-diag diagnose prod/orders-db --inspect-code
  rotation-diag diagnose --code function.zip --runtime python3.13

The playbook steps:
  1 secret             4 function logs      7 function metrics
  2 rotation config    5 execution role     8 secret access
  3 rotation function  6 rotation history   9 config changes";

pub(super) const FORECAST: &str = "\
Foretell the next rotation of a secret: when it is due, what will stop it, what cannot be told, and the commands that clear the way.

It looks at the same nine steps as `diagnose`, and prints the part of the report that looks ahead: for a secret that still rotates, or \
to see whether a fix was enough.";

pub(super) const FORECAST_AFTER: &str = "\
Examples:
  rotation-diag forecast prod/orders-db
  rotation-diag forecast prod/orders-db --format json";

pub(super) const EVIDENCE: &str = "\
Show everything that one step of an investigation saw, fact by fact: log lines, policies, attempts, metrics, changes.

That step and those it depends on are performed, and nothing else.";

pub(super) const EVIDENCE_AFTER: &str = "\
Examples:
  rotation-diag evidence prod/orders-db --step 4
  rotation-diag evidence prod/orders-db --step 6 --window 30d --format json";

pub(super) const MCP: &str = "\
Answer other agents over standard input and output, by the Model Context Protocol, until standard input ends.

The tools are diagnose_secret, explain_log_lines, explain_cause, forecast and evidence; each answers with the JSON that the command of \
that name prints. Accounts, regions and secrets are those that `diagnose` would look into with the same --config and --profile. Nothing \
but the protocol is written to standard output; logs go to standard error.";

pub(super) const MCP_AFTER: &str = "\
Examples:
  rotation-diag mcp --demo                                      the simulated accounts of the demo, to try it
  claude mcp add rotation-diag -- rotation-diag mcp             one agent that knows such an entry
  rotation-diag mcp --config config/rotation-diag.toml --profile ops";

pub(super) const EXPLAIN: &str = "\
Say what log lines on standard input mean, one JSON object per line.

Reads lines of a rotation function's log, in Lambda's text or JSON format, and writes for each {\"cause\", \"step\", \"engine\", \
\"text\"}. The cause of a normal line is null. Secrets in the text are masked. Of a line longer than 1 MiB, the largest event \
that CloudWatch Logs accepts, only the beginning is read.

With the id of a cause it prints what that cause is, how it shows, and what it is not; --list prints all ids.";

pub(super) const EXPLAIN_AFTER: &str = "\
Examples:
  aws logs tail /aws/lambda/orders-rotator --since 1d --format short | rotation-diag explain | grep -v '\"cause\":null'
  rotation-diag explain db_auth_failed
  rotation-diag explain --list
  rotation-diag explain --format json < invocation.log          one JSON object for all lines, up to 1,000";

pub(super) const DEMO: &str = "\
Diagnose a broken secret of a simulated AWS account; needs no account and no credentials.

An AWS account that speaks the real protocols runs inside this process, on 127.0.0.1. The investigation asks it over HTTP with \
the real AWS SDK, exactly as it would ask AWS.

In a terminal it then serves the web console on 127.0.0.1 until Ctrl-C: the whole bot, with its threads and buttons, over all \
the simulated secrets. If the output does not go to a terminal, it ends after the report.";

pub(super) const DEMO_AFTER: &str = "\
Examples:
  rotation-diag demo                     a secret whose function lost a permission
  rotation-diag demo --list              everything that can be tried
  rotation-diag demo --no-page           the report alone
  rotation-diag demo --format markdown";

pub(super) const COMPLETIONS_AFTER: &str = "\
Examples:
  rotation-diag completions bash > ~/.local/share/bash-completion/completions/rotation-diag
  rotation-diag completions zsh > \"${fpath[1]}/_rotation-diag\"
  rotation-diag completions fish > ~/.config/fish/completions/rotation-diag.fish";

pub(super) const SERVE: &str = "\
Run the bot: it listens on the platforms that the configuration names, and answers in threads.

Nobody may ask anything that is not covered by an [[allow]] rule of the configuration. Accepted requests survive a crash of \
the process. The first SIGTERM gives running work some time to finish; a second one ends the process at once.";

pub(super) const SERVE_AFTER: &str = "\
Examples:
  rotation-diag check --config config/rotation-diag.toml     see first what is missing
  rotation-diag serve --config config/rotation-diag.toml";

pub(super) const CHECK: &str = "\
Say what is missing before the bot can work: rules, the store, the address it listens on, tokens and their scopes, the \
channels and servers the rules name, each AWS permission by name, and the subscriptions that bring alarms; each with what to \
do about it.

Permissions are tried by reading something that does not exist. Nothing is changed, and no message is sent. Each line begins \
with ✓ (in order), ? (cannot be checked, or may be intended) or ✗ (missing); with any ✗ the exit status is 1.";

pub(super) const CHECK_AFTER: &str = "\
Example:
  rotation-diag check --config config/rotation-diag.toml";

pub(super) const AUDIT: &str = "Show who asked for what, and what was decided, the oldest first. The bot may be running at the \
                                same time.";

pub(super) const AUDIT_AFTER: &str = "\
Examples:
  rotation-diag audit --config config/rotation-diag.toml --since 7d
  rotation-diag audit --config config/rotation-diag.toml --format json | grep '\"decision\":\"refused\"'";

pub(super) const IAM_POLICY: &str = "\
Print the IAM policy that the bot needs: the read actions of what is enabled, and explicit denials of secret values, of unmasked \
log data and of every change.

Without options it is deploy/iam-policy.json, which allows everything that the bot can be run for but the look at the function's \
code. With a configuration it is what that configuration enables, and the roles of its accounts may be assumed. With \
--account-role it is a CloudFormation template of such a role, trusted only with its external id.";

pub(super) const IAM_POLICY_AFTER: &str = "\
Examples:
  rotation-diag iam-policy > iam-policy.json
  rotation-diag iam-policy --for diagnose
  rotation-diag iam-policy --config config/rotation-diag.toml
  rotation-diag iam-policy --account-role > reader-role.yaml";

pub(super) const HEALTH: &str = "\
Ask a running bot on this machine whether it is alive, or with --ready whether a command would be answered now.

It asks where the configuration says that the bot listens, and needs no other program, so that a container can check itself. The \
exit status is 0 where the answer is yes, and 1 where it is no or nobody answers.";

pub(super) const HEALTH_AFTER: &str = "\
Examples:
  rotation-diag health --config config/rotation-diag.toml
  rotation-diag health --config config/rotation-diag.toml --ready";

pub(super) const BACKUP: &str = "\
Copy the store into a file of its own. The bot may run meanwhile: the copy is the store as it was at one moment.

Only its owner can read the copy. It holds no secret's value, but names of secrets, what people asked, and evidence.";

pub(super) const MIGRATE_STORE: &str = "\
Move the store from its file into an empty PostgreSQL database, which any number of bots may share then. No bot may run on the \
file meanwhile.

All is moved in one transaction, and counted and compared before it is kept: it is moved whole or not at all, and can be tried \
again. The file stays where it is.";

pub(super) const MIGRATE_STORE_AFTER: &str = "\
Example:
  rotation-diag migrate-store rotation-diag.db postgres://rotation_diag@db.example.com/rotation_diag --password file:/run/secrets/store";

pub(super) const BACKUP_AFTER: &str = "\
Example:
  rotation-diag backup --config config/rotation-diag.toml rotation-diag-copy.db";
