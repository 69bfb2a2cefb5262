//! Commands for a person to paste, quoted for a POSIX shell.

use super::context::DiagnosisContext;
use super::readings::runtimes::{OF_TEMPLATES, blocked_from, deprecated_on};
use crate::model::{Remediation, RotationConfig, RotationStep};
use jiff::tz::TimeZone;

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

/// The command that starts a rotation now, and the way to finish most remediations.
#[must_use]
pub fn rotate_now(context: &DiagnosisContext<'_>) -> String {
    aws_in(context, &["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()])
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

impl Remediation {
    /// Starts a rotation, to see that the cause is gone.
    #[must_use]
    pub fn rotate(self, context: &DiagnosisContext<'_>) -> Remediation {
        self.run(rotate_now(context)).needs("secretsmanager:RotateSecret")
    }

    /// Stores a corrected value from the file `value.json`, so that the value is on no command line.
    #[must_use]
    pub fn put_value(self, context: &DiagnosisContext<'_>) -> Remediation {
        let words =
            ["secretsmanager", "put-secret-value", "--secret-id", context.secret_id(), "--secret-string", "file://value.json"];
        self.run(aws_in(context, &words)).needs("secretsmanager:PutSecretValue").warn(
            "value.json replaces the whole value and becomes AWSCURRENT at once, for every application that reads the secret: \
             write the complete JSON, and delete the file afterwards.",
        )
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
        self.run(aws_in(context, &look))
            .needs("lambda:GetFunctionConfiguration")
            .configure_function(context, &["--environment", "file://environment.json"])
            .warn("update-function-configuration replaces all environment variables: one left out of environment.json is lost.")
    }

    /// Deploys a package, `function.zip`, as the function's code.
    #[must_use]
    pub fn deploy_code(self, context: &DiagnosisContext<'_>) -> Remediation {
        let name = context.function_name().unwrap_or("FUNCTION_NAME");
        let words = ["lambda", "update-function-code", "--function-name", name, "--zip-file", "fileb://function.zip"];
        self.run(aws_in(context, &words))
            .needs("lambda:UpdateFunctionCode")
            .warn("Deploying replaces the function's code: keep the present package to be able to go back.")
    }

    /// Binds the secret to another function and rotates it.
    #[must_use]
    pub fn bind_new_function(self, context: &DiagnosisContext<'_>) -> Remediation {
        let id = context.secret_id();
        let words = ["secretsmanager", "rotate-secret", "--secret-id", id, "--rotation-lambda-arn", "NEW_FUNCTION_ARN"];
        let bound = self.run(aws_in(context, &words)).needs("secretsmanager:RotateSecret").needs("lambda:InvokeFunction");
        match deprecated_on(OF_TEMPLATES).zip(blocked_from(OF_TEMPLATES)) {
            Some((since, blocked)) if since <= TimeZone::UTC.to_datetime(context.now()).date() => bound.warn(format!(
                "The current templates make functions on {OF_TEMPLATES}, deprecated since {since}, which Lambda may refuse to change \
                 from {blocked} on: build the package for a newer runtime before then."
            )),
            _ => bound,
        }
    }

    /// Takes AWSPENDING away from the version a failed rotation left it on, where there is one.
    #[must_use]
    pub fn discard_pending(self, context: &DiagnosisContext<'_>) -> Remediation {
        let Some(stuck) = context.stuck_version() else { return self };
        let discarded = self.remove_pending_label(context, &stuck.id);
        if context.failing_step() == Some(RotationStep::CreateSecret) {
            return discarded;
        }
        discarded.warn(
            "setSecret may already have set the pending password in the database: then this version holds its only copy. \
             Read it before the label is removed.",
        )
    }

    fn remove_pending_label(self, context: &DiagnosisContext<'_>, id: &str) -> Remediation {
        let words = [
            "secretsmanager",
            "update-secret-version-stage",
            "--secret-id",
            context.secret_id(),
            "--version-stage",
            "AWSPENDING",
            "--remove-from-version-id",
            id,
        ];
        self.run(aws_in(context, &words)).needs("secretsmanager:UpdateSecretVersionStage")
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
            Some(before) => format!("{before} {warning}"),
            None => warning,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_shell_characters_is_quoted() {
        assert_eq!(
            aws(&["secretsmanager", "rotate-secret", "--secret-id", "x'; rm -rf $HOME"]),
            r#"aws secretsmanager rotate-secret --secret-id "x'; rm -rf "'$HOME'"#
        );
    }
}
