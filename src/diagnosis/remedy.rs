//! Commands for a person to paste, quoted for a POSIX shell.

use super::case::Case;
use crate::model::{Remediation, RotationConfig};

/// An AWS CLI command; every word is quoted where the shell needs it.
///
/// A word that holds a NUL byte, which no shell can pass, is left out.
#[must_use]
pub fn aws(words: &[&str]) -> String {
    let quoted = words.iter().filter_map(|word| shlex::try_quote(word).ok());
    std::iter::once("aws".into()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// Like [`aws`], with `--region` for the region under investigation.
#[must_use]
pub fn aws_in(case: &Case<'_>, words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.extend(["--region", case.evidence.region.as_str()]);
    aws(&words)
}

/// The command that starts a rotation now, and the way to finish most remediations.
#[must_use]
pub fn rotate_now(case: &Case<'_>) -> String {
    aws_in(case, &["secretsmanager", "rotate-secret", "--secret-id", case.secret_id()])
}

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

    /// Says what could be lost.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Remediation {
        self.warning = Some(warning.into());
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
