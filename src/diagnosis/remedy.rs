//! Commands for a person to paste, quoted for a POSIX shell.

use super::aws_policies::is_of_aws;
use super::behind::Behind;
use super::context::DiagnosisContext;
use super::readings::pending::{self, Pending};
use super::readings::runtime::support::{OF_TEMPLATES, blocked_from, deprecated_on};
use super::{lost_policies, policy_edit};
use crate::model::{Concern, Observation, Remediation, RoleArn, RotationConfig};
use jiff::tz::TimeZone;
use serde_json::Value;

/// An AWS CLI command; every word is quoted where the shell needs it.
///
/// A word that holds a NUL byte, which no shell can pass, is left out.
#[must_use]
pub fn aws(words: &[&str]) -> String {
    shell("aws", words)
}

/// A command of `program`, quoted like [`aws`].
#[must_use]
pub fn shell(program: &str, words: &[&str]) -> String {
    let quoted = words.iter().filter_map(|word| shlex::try_quote(word).ok());
    std::iter::once(program.into()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// Like [`aws`], with `--region` for the region under investigation.
#[must_use]
pub fn aws_in(context: &DiagnosisContext<'_>, words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.extend(["--region", context.evidence.region.as_str()]);
    aws(&words)
}

/// Where Secrets Manager answers in this region.
#[must_use]
pub fn secrets_manager_endpoint(context: &DiagnosisContext<'_>) -> String {
    let region = &context.evidence.region;
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://secretsmanager.{region}.{suffix}")
}

/// The command that starts a rotation now, and the way to finish most remediations.
#[must_use]
pub fn rotate_now(context: &DiagnosisContext<'_>) -> String {
    aws_in(context, &["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()])
}

/// The command that lists the functions of the region, where a secret needs one that is not known here.
#[must_use]
pub fn list_functions(context: &DiagnosisContext<'_>) -> String {
    aws_in(context, &["lambda", "list-functions", "--query", "Functions[].FunctionArn"])
}

/// How long the name of an inline policy may be.
///
/// Source: IAM API reference, `PutRolePolicy`: letters, digits and `_+=,.@-`.
const MAX_POLICY_NAME: usize = 128;

/// The name of an inline policy for this secret alone, on a role that may rotate others too: `purpose` and the secret's name as
/// its ARN has it. The six characters at the ARN's end keep names apart that are cut, or differ in a character that IAM refuses.
fn inline_policy_name(context: &DiagnosisContext<'_>, purpose: &str) -> String {
    let secret = context.secret().map_or(context.secret_name(), |secret| secret.arn.resource_name());
    let accepted = |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    let secret: String = secret.chars().map(accepted).collect();
    let (name, suffix) = secret.rsplit_once('-').unwrap_or((&secret, ""));
    let room = MAX_POLICY_NAME.saturating_sub(purpose.len() + suffix.len() + 2);
    let name: String = name.chars().take(room).collect();
    [purpose, &name, suffix].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The longest timeout of a function, in seconds.
///
/// Source: Lambda Developer Guide, "Lambda quotas".
const MAX_TIMEOUT_S: u32 = 900;

/// Twice the function's timeout, and `least` seconds at least; `None` where it has the longest already.
#[must_use]
pub fn longer_timeout(context: &DiagnosisContext<'_>, least: u32) -> Option<u32> {
    let present = context.function().and_then(|function| function.timeout_s).unwrap_or_default();
    (present < MAX_TIMEOUT_S).then(|| present.saturating_mul(2).clamp(least, MAX_TIMEOUT_S))
}

/// The function the secret rotates with, or rotated with last, as far as its configuration, its history or a change names it.
#[must_use]
pub fn known_function(context: &DiagnosisContext<'_>) -> Option<String> {
    let bound = context.config().and_then(|config| config.function_arn.as_ref());
    let attempted = || context.attempts().rev().find_map(|attempt| attempt.function_arn.as_ref());
    let asked = || {
        let changes = &context.evidence.changes.found()?.changes;
        let own = changes.iter().rev().filter(|change| change.concerns == Concern::Secret && change.event == "RotateSecret");
        own.filter_map(|change| change.parameters.get("rotationLambdaARN")?.as_str()).next()
    };
    bound.or_else(attempted).map(ToString::to_string).or_else(|| asked().map(str::to_owned))
}

/// AWS's page on rotations that fail.
pub const TROUBLESHOOTING: &str = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html";

/// AWS's page on the JSON each rotation template expects in a secret.
pub const SECRET_STRUCTURE: &str =
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html";

/// AWS's page on what a rotation function does in each step.
pub const ROTATION_FUNCTIONS: &str =
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html";

/// AWS's page with the official rotation templates.
pub const TEMPLATES: &str =
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_available-rotation-templates.html";

/// AWS's page on how a rotation function reaches the database and Secrets Manager.
pub const NETWORK_ACCESS: &str =
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-function-network-access.html";

/// AWS's page on faults of Lambda deployments: imports, entry points, packages.
pub const LAMBDA_DEPLOYMENT: &str = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html";

/// The secret's schedule as `--rotation-rules` takes it; 30 days where it has none.
#[must_use]
pub fn schedule_of(config: &RotationConfig) -> String {
    let Some(rules) = &config.rules else { return "AutomaticallyAfterDays=30".to_owned() };
    let duration = rules.duration.as_ref().map(|duration| ("Duration", duration.clone()));
    match (&rules.schedule_expression, rules.automatically_after_days) {
        (Some(expression), _) => {
            let fields = std::iter::once(("ScheduleExpression", expression.clone())).chain(duration);
            let fields: serde_json::Map<String, serde_json::Value> =
                fields.map(|(name, value)| (name.to_owned(), value.into())).collect();
            serde_json::Value::Object(fields).to_string()
        }
        (None, Some(days)) => format!("AutomaticallyAfterDays={days}"),
        (None, None) => "AutomaticallyAfterDays=30".to_owned(),
    }
}

/// What to know before the label leaves a version of which nothing tells whether setSecret went through for it.
fn only_copy(context: &DiagnosisContext<'_>) -> String {
    let Behind { noun, credential } = context.behind();
    format!(
        "setSecret may already have set the pending {credential} in the {noun}: then the version that carries AWSPENDING has the only copy. \
         Save it before you remove the label."
    )
}

impl Remediation {
    /// Starts a rotation, to see that the cause is gone.
    #[must_use]
    pub fn rotate(self, context: &DiagnosisContext<'_>) -> Remediation {
        self.run(rotate_now(context)).needs("secretsmanager:RotateSecret")
    }

    /// The same after other commands; where there is none, rotating alone mends nothing.
    #[must_use]
    pub fn rotate_after_others(self, context: &DiagnosisContext<'_>) -> Remediation {
        if self.commands.is_empty() { self } else { self.rotate(context) }
    }

    /// Asks RDS what `query` says of the region's instances; nothing where no database is behind the secret.
    #[must_use]
    pub fn ask_rds_for(self, context: &DiagnosisContext<'_>, query: &str) -> Remediation {
        if !context.behind().is_database() {
            return self;
        }
        self.run(aws_in(context, &["rds", "describe-db-instances", "--query", query])).needs("rds:DescribeDBInstances")
    }

    /// Stores a corrected value, and takes away what would bring the old one back.
    ///
    /// Secrets Manager takes a pending version up again, with the value it was made from: it has to go, or the retry works on
    /// what was just corrected. Where setSecret went through for it, the database knows only its password, so that the
    /// correction begins from that version and not from the current one. The value goes through the file `value.json`, so that
    /// it is on no command line.
    #[must_use]
    pub fn put_value(self, context: &DiagnosisContext<'_>) -> Remediation {
        let pending = pending::left_over(context);
        let stored = pending.as_ref().filter(|pending| pending.is_set).map(|pending| pending.id);
        let has_current = context.secret().is_none_or(|secret| secret.version_with("AWSCURRENT").is_some());
        let from = match stored {
            Some(id) => Some(["--version-id", id]),
            None => has_current.then_some(["--version-stage", "AWSCURRENT"]),
        };
        let mut fix = self;
        if let Some(from) = from {
            let words = ["secretsmanager", "get-secret-value", "--secret-id", context.secret_id()];
            let words = [&words[..], &from[..], &["--query", "SecretString", "--output", "text"][..]].concat();
            fix = fix.run(format!("(umask 077; {} > value.json)", aws_in(context, &words)));
        }
        if stored.is_some() {
            let Behind { noun, credential } = context.behind();
            fix = fix.warn(format!(
                "setSecret succeeded for the pending version, so the {noun} may accept only the pending {credential} and refuse \
                 AWSCURRENT until this is fixed. The file value.json therefore starts as the pending value: correct what is wrong \
                 in it, and keep its {credential}."
            ));
        }
        let words =
            ["secretsmanager", "put-secret-value", "--secret-id", context.secret_id(), "--secret-string", "file://value.json"];
        let fix = fix.run(aws_in(context, &words)).needs("secretsmanager:PutSecretValue").warn(
            "The file value.json replaces the whole value and becomes AWSCURRENT at once, for every application that reads the \
             secret: correct it before you store it, keep it complete, and delete the file afterwards.",
        );
        fix.drop_pending(context, pending.as_ref())
    }

    /// Takes AWSPREVIOUS off the version that is current now, which becomes the previous one when another is stored: a value
    /// that cannot be read as JSON stops setSecret there too.
    #[must_use]
    pub fn forget_unreadable(self, context: &DiagnosisContext<'_>) -> Remediation {
        let Some(current) = context.secret().and_then(|secret| secret.version_with("AWSCURRENT")) else { return self };
        self.remove_label(context, "AWSPREVIOUS", &current.id)
            .warn("The value that is not JSON becomes AWSPREVIOUS, which setSecret reads too: the plan removes that label.")
    }

    /// Takes AWSPREVIOUS off the version that carries it.
    #[must_use]
    pub fn forget_previous(self, context: &DiagnosisContext<'_>) -> Remediation {
        let Some(previous) = context.secret().and_then(|secret| secret.version_with("AWSPREVIOUS")) else { return self };
        self.remove_label(context, "AWSPREVIOUS", &previous.id)
    }

    /// Lets an older version be the current one again, which needs nobody to read a value.
    #[must_use]
    pub fn make_current(self, context: &DiagnosisContext<'_>, version: &str, present: &str) -> Remediation {
        let words = ["secretsmanager", "update-secret-version-stage", "--secret-id", context.secret_id()];
        let moved = ["--version-stage", "AWSCURRENT", "--move-to-version-id", version, "--remove-from-version-id", present];
        self.run(aws_in(context, &[&words[..], &moved[..]].concat())).needs("secretsmanager:UpdateSecretVersionStage")
    }

    fn drop_pending(self, context: &DiagnosisContext<'_>, pending: Option<&Pending<'_>>) -> Remediation {
        let Some(pending) = pending else { return self };
        let fix = self.remove_label(context, "AWSPENDING", pending.id);
        if pending.is_doubtful && context.rotates_by_function() { fix.warn(only_copy(context)) } else { fix }
    }

    /// Changes the function's configuration by the options `words`.
    #[must_use]
    pub fn configure_function(self, context: &DiagnosisContext<'_>, words: &[&str]) -> Remediation {
        let name = context.function_name().unwrap_or("FUNCTION_NAME");
        let words = [&["lambda", "update-function-configuration", "--function-name", name], words].concat();
        self.run(aws_in(context, &words)).needs("lambda:UpdateFunctionConfiguration")
    }

    /// Shows the function's environment, and sets it from the file `environment.json`.
    #[must_use]
    pub fn set_environment(self, context: &DiagnosisContext<'_>) -> Remediation {
        let name = context.function_name().unwrap_or("FUNCTION_NAME");
        let look = ["lambda", "get-function-configuration", "--function-name", name, "--query", "Environment"];
        let look = aws_in(context, &look);
        self.run(format!("(umask 077; {look} > environment.before.json; cp environment.before.json environment.json)"))
            .needs("lambda:GetFunctionConfiguration")
            .configure_function(context, &["--environment", "file://environment.json"])
            .warn("update-function-configuration replaces all environment variables: one left out of environment.json is lost.")
    }

    /// Deploys a package, `function.zip`, as the function's code.
    #[must_use]
    pub fn deploy_code(self, context: &DiagnosisContext<'_>) -> Remediation {
        let name = context.function_name().unwrap_or("FUNCTION_NAME");
        let look = ["lambda", "get-function", "--function-name", name, "--query", "Code.Location", "--output", "text"];
        let words = ["lambda", "update-function-code", "--function-name", name, "--zip-file", "fileb://function.zip"];
        self.run(format!("curl -sSo previous.zip \"$({})\"", aws_in(context, &look)))
            .run(aws_in(context, &words))
            .needs("lambda:UpdateFunctionCode")
            .warn("Deploying replaces the function's code: previous.zip keeps the present package, so that you can go back.")
    }

    /// Binds the secret to another function and rotates it.
    #[must_use]
    pub fn bind_new_function(self, context: &DiagnosisContext<'_>) -> Remediation {
        let id = context.secret_id();
        let words = ["secretsmanager", "rotate-secret", "--secret-id", id, "--rotation-lambda-arn", "NEW_FUNCTION_ARN"];
        let bound = self
            .run(list_functions(context))
            .run(aws_in(context, &words))
            .needs("secretsmanager:RotateSecret")
            .needs("lambda:InvokeFunction");
        match deprecated_on(OF_TEMPLATES).zip(blocked_from(OF_TEMPLATES)) {
            Some((since, blocked)) if since <= TimeZone::UTC.to_datetime(context.now()).date() => bound.warn(format!(
                "The current templates create functions on {OF_TEMPLATES}, deprecated since {since}; from {blocked} on Lambda \
                 may refuse to change them. Build the package for a newer runtime before then."
            )),
            _ => bound,
        }
    }

    /// Takes AWSPENDING away from the version a failed rotation left it on, where there is one and nothing else holds what the
    /// database was given.
    ///
    /// Where setSecret went through for it, the version stays: it holds the only copy of the password the database has, and the
    /// next rotation finishes it.
    #[must_use]
    pub fn discard_pending(self, context: &DiagnosisContext<'_>) -> Remediation {
        let stores_value = self.commands.iter().any(|command| command.contains(" put-secret-value "));
        match pending::left_over(context) {
            // The value that is stored carries the pending password on, and the label is off that version already.
            Some(pending) if pending.is_set && stores_value => self,
            Some(pending) if pending.is_set => {
                let Behind { noun, credential } = context.behind();
                self.warn(format!(
                    "setSecret succeeded for the pending version, so the {noun} may accept only the pending {credential} and refuse \
                     AWSCURRENT until a rotation finishes. The label therefore stays where it is."
                ))
            }
            pending => self.drop_pending(context, pending.as_ref()),
        }
    }

    fn remove_label(self, context: &DiagnosisContext<'_>, label: &str, id: &str) -> Remediation {
        let words =
            ["secretsmanager", "update-secret-version-stage", "--secret-id", context.secret_id(), "--version-stage", label];
        let command = aws_in(context, &[&words[..], &["--remove-from-version-id", id]].concat());
        if self.commands.contains(&command) {
            return self;
        }
        self.run(command).needs("secretsmanager:UpdateSecretVersionStage")
    }

    /// Lets an inline policy of the role that rotates allow what `document` does, beside what it allows already. The policy is the
    /// secret's own, named by `purpose`, such as `AllowRotationOf`: one of the same name for another secret would be overwritten.
    #[must_use]
    pub fn allow_role(self, context: &DiagnosisContext<'_>, purpose: &str, document: &Value) -> Remediation {
        let name = &inline_policy_name(context, purpose);
        let role = context.rotation_role().map_or("ROLE", RoleArn::name);
        let policies = context.evidence.role.found().and_then(|facts| facts.policies.found());
        let present = policies.and_then(|policies| policies.identity.iter().find(|policy| policy.name == *name));
        let document = present.map_or_else(|| document.clone(), |own| policy_edit::joined(&own.document, document));
        let fix = self.put_inline(role, name, &document);
        // A role that is gone is made anew, without any policy.
        let is_new = matches!(context.evidence.role.observation, Observation::NoData { .. });
        match is_new || policies.is_some_and(|policies| policies.complete) || present.is_some() {
            true => fix,
            false => fix.warn(format!("If the role already has an inline policy named {name}, it is replaced.")),
        }
    }

    /// Gives the role the policies back that it lost, where some were detached, or one was deleted, that allow what `document` does;
    /// else lets an inline policy allow that, see [`Remediation::allow_role`].
    #[must_use]
    pub fn give_back(mut self, context: &DiagnosisContext<'_>, purpose: &str, document: &Value) -> Remediation {
        let role = context.rotation_role().map_or("ROLE", RoleArn::name);
        let lost = lost_policies::to_attach(context, document);
        if !lost.is_empty() {
            let were = if lost.len() == 1 { "it was" } else { "they were" };
            let names = lost.join(" and ");
            self.summary =
                format!("Attach {names} to the role again, from which {were} detached since the last success, and rotate.");
            let attach = |arn: &&str| aws(&["iam", "attach-role-policy", "--role-name", role, "--policy-arn", arn]);
            self.commands.extend(lost.iter().map(attach));
            return self.needs("iam:AttachRolePolicy");
        }
        let deleted =
            lost_policies::deleted_inline(context).filter(|(_, known)| policy_edit::allow_all(context, &[*known], document));
        if let Some((name, known)) = deleted {
            self.summary =
                format!("Give the role its inline policy {name} again, which was deleted since the last success, and rotate.");
            return self.put_inline(role, name, known);
        }
        self.allow_role(context, purpose, document)
    }

    fn put_inline(self, role: &str, name: &str, document: &Value) -> Remediation {
        let document = document.to_string();
        let words = ["iam", "put-role-policy", "--role-name", role, "--policy-name", name, "--policy-document", &document];
        self.run(aws(&words)).needs("iam:PutRolePolicy")
    }

    /// Gives a policy of the account or of the role another document.
    #[must_use]
    pub fn set_policy(self, context: &DiagnosisContext<'_>, name: &str, document: &Value) -> Remediation {
        let role = context.role_name().unwrap_or("ROLE");
        if !name.starts_with("arn:") {
            return self.put_inline(role, name, document);
        }
        let document = document.to_string();
        // A policy of AWS cannot be changed.
        if is_of_aws(name) {
            let words = ["iam", "detach-role-policy", "--role-name", role, "--policy-arn", name];
            return self.run(aws(&words)).needs("iam:DetachRolePolicy");
        }
        let words = ["iam", "create-policy-version", "--policy-arn", name, "--policy-document", &document, "--set-as-default"];
        self.run(aws(&words)).needs("iam:CreatePolicyVersion").warn(
            "Everyone with this managed policy is affected. A managed policy has at most five versions: if there are five, first \
             delete one that is not the default.",
        )
    }

    /// A remediation that starts with what to do, in words.
    #[must_use]
    pub fn new(summary: impl Into<String>) -> Remediation {
        Remediation { summary: summary.into(), ..Remediation::default() }
    }

    /// Adds a command.
    #[must_use]
    pub fn run(mut self, command: impl Into<String>) -> Remediation {
        self.commands.push(command.into());
        self
    }

    /// Adds an IAM action the person needs.
    #[must_use]
    pub fn needs(mut self, action: impl Into<String>) -> Remediation {
        self.needs.push(action.into());
        self
    }

    /// Adds a page of documentation.
    #[must_use]
    pub fn link(mut self, url: impl Into<String>) -> Remediation {
        self.links.push(url.into());
        self
    }

    /// Says what could be lost, after what was said before.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Remediation {
        let warning = warning.into();
        self.warning = Some(match self.warning.take() {
            Some(before) if before.contains(&warning) => before,
            Some(before) => format!("{before} {warning}"),
            None => warning,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, Observation, PolicyDocument};
    use serde_json::json;

    #[test]
    fn each_secret_of_a_shared_role_gets_an_inline_policy_of_its_own() {
        let name_of = |resource: &str| {
            let mut evidence = healthy();
            facts(&mut evidence.secret).arn = arn(&format!("arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:{resource}"));
            inline_policy_name(&DiagnosisContext::new(&evidence), "AllowRotationOf")
        };
        assert_eq!(name_of("prod/orders-db-AbCdEf"), "AllowRotationOf-prod-orders-db-AbCdEf");
        assert_eq!(name_of("rds!db+a=b@c.d_e-GhIjKl"), "AllowRotationOf-rds-db+a=b@c.d_e-GhIjKl");
        let long = "team/".repeat(80);
        let (one, other) = (name_of(&format!("{long}-AbCdEf")), name_of(&format!("{long}-GhIjKl")));
        assert_eq!((one.len(), other.len()), (MAX_POLICY_NAME, MAX_POLICY_NAME));
        assert!(one.ends_with("-AbCdEf") && other.ends_with("-GhIjKl"), "{one} {other}");
    }

    #[test]
    fn an_inline_policy_that_is_there_keeps_its_statements_and_one_that_may_be_there_is_warned_of() {
        let allow = |action: &str| json!({ "Statement": [{ "Effect": "Allow", "Action": action, "Resource": SECRET }] });
        let mut evidence = healthy();
        let fix = |evidence: &Evidence| {
            let document = allow("secretsmanager:PutSecretValue");
            Remediation::new("").allow_role(&DiagnosisContext::new(evidence), "AllowRotationOf", &document)
        };
        assert_eq!(fix(&evidence).warning, None);
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        policies.complete = false;
        let warning = fix(&evidence).warning.unwrap_or_default();
        assert!(warning.contains("an inline policy named AllowRotationOf-prod-orders-db-AbCdEf"), "{warning}");
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        let name = "AllowRotationOf-prod-orders-db-AbCdEf".to_owned();
        policies.identity.push(PolicyDocument { name, document: allow("secretsmanager:DescribeSecret") });
        let joined = fix(&evidence);
        assert_eq!(joined.warning, None);
        assert!(joined.commands[0].contains("DescribeSecret") && joined.commands[0].contains("PutSecretValue"), "{joined:?}");
    }

    #[test]
    fn a_word_with_shell_characters_is_quoted() {
        assert_eq!(
            aws(&["secretsmanager", "rotate-secret", "--secret-id", "x'; rm -rf $HOME"]),
            r#"aws secretsmanager rotate-secret --secret-id "x'; rm -rf "'$HOME'"#
        );
    }
}
