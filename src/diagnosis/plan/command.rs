//! A printed AWS CLI command, read back: what it asks for, and which permissions that takes.

use serde_json::Value;
use std::collections::BTreeMap;

/// One `aws` command, as a shell would split it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AwsCommand {
    /// The service, such as `iam`.
    pub(super) service: String,
    /// The operation as the command line spells it, such as `put-role-policy`.
    pub(super) operation: String,
    options: BTreeMap<String, Vec<String>>,
}

/// Operations that only show something. Source: AWS CLI Command Reference.
const READS: &[&str] =
    &["get-", "list-", "describe-", "lookup-", "filter-", "simulate-", "tail", "batch-get-", "search-", "test-", "wait"];

impl AwsCommand {
    /// Reads the `aws` command of a line, also in a subshell; `None` where another program is at work.
    pub(super) fn parse(text: &str) -> Option<AwsCommand> {
        let words = shlex::split(text)?;
        let mut words = words.into_iter().skip_while(|word| word != "aws").skip(1);
        let (service, operation) = (words.next()?, words.next()?);
        let mut options: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut last = None::<String>;
        for word in words {
            match (word.strip_prefix("--"), &last) {
                (Some(option), _) => {
                    options.entry(option.to_owned()).or_default();
                    last = Some(option.to_owned());
                }
                (None, Some(option)) => options.entry(option.clone()).or_default().push(word),
                (None, None) => {}
            }
        }
        Some(AwsCommand { service, operation, options })
    }

    /// The `aws` command whose output a line hands to another program.
    pub(super) fn substituted(text: &str) -> Option<AwsCommand> {
        let inner = text.split_once("$(aws ")?.1;
        let inner = inner.split_once(" | ").map_or(inner, |(first, _)| first);
        AwsCommand::parse(&format!("aws {}", inner.rsplit_once(')').map_or(inner, |(inner, _)| inner)))
    }

    /// True when it changes nothing.
    pub(super) fn is_read(&self) -> bool {
        READS.iter().any(|verb| self.operation.starts_with(verb))
    }

    /// The one value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name)?.first().map(String::as_str)
    }

    /// All values of an option.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.options.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// True when the option is given, with or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// The names of the options, without the one that names the region.
    pub(super) fn option_names(&self) -> impl Iterator<Item = &str> {
        self.options.keys().map(String::as_str).filter(|name| *name != "region")
    }

    /// The JSON document of an option; `None` where it stands in a file or is none.
    pub(super) fn document(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.option(name)?).ok()
    }

    /// The IAM actions that it takes.
    ///
    /// Source: Service Authorization Reference; the names are those of the operations, with the exceptions below.
    pub(super) fn needs(&self) -> Vec<String> {
        let own = match (self.service.as_str(), self.operation.as_str()) {
            ("logs", "tail") => "logs:FilterLogEvents".to_owned(),
            ("cloudtrail", "lookup-events") => "cloudtrail:LookupEvents".to_owned(),
            ("rds", "wait") if self.has("db-cluster-identifier") => "rds:DescribeDBClusters".to_owned(),
            ("rds", "wait") => "rds:DescribeDBInstances".to_owned(),
            (service, operation) => format!("{service}:{}", name_of(operation)),
        };
        let mut needs = vec![own];
        let passes_role = self.service == "lambda" && self.has("role") || self.has("external-secret-rotation-role-arn");
        if passes_role {
            needs.push("iam:PassRole".to_owned());
        }
        if self.service == "secretsmanager" && self.operation == "rotate-secret" && !self.has("external-secret-rotation-role-arn")
        {
            needs.push("lambda:InvokeFunction".to_owned());
        }
        needs
    }
}

/// In the place of a way back, where what was there before is there no more: a comment, so that it may be pasted with the rest.
pub(super) fn nothing(why: &str) -> String {
    format!("{NOTHING}{why}")
}

/// True for what stands in the place of a way back.
pub(super) fn is_nothing(undo: &str) -> bool {
    undo.starts_with(NOTHING)
}

const NOTHING: &str = "# nothing to go back to: ";

/// `put-role-policy` as `PutRolePolicy`.
fn name_of(operation: &str) -> String {
    let word = |word: &str| match word {
        "db" => "DB".to_owned(),
        "ip" => "Ip".to_owned(),
        word => {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        }
    };
    operation.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_a_shell_would_split_it() {
        let command = AwsCommand::parse(
            r#"aws iam put-role-policy --role-name r --policy-name p --policy-document '{"Statement":[]}' --region eu-west-1"#,
        )
        .unwrap();
        assert_eq!((command.service.as_str(), command.operation.as_str()), ("iam", "put-role-policy"));
        assert_eq!(command.document("policy-document"), Some(serde_json::json!({ "Statement": [] })));
        assert_eq!(command.needs(), ["iam:PutRolePolicy"]);
        assert!(!command.is_read());
        assert_eq!(AwsCommand::parse("rm value.json"), None);
    }

    #[test]
    fn what_hands_a_role_on_or_invokes_the_function_needs_the_right_to() {
        let needs = |text: &str| AwsCommand::parse(text).unwrap().needs();
        assert_eq!(
            needs("aws secretsmanager rotate-secret --secret-id s"),
            ["secretsmanager:RotateSecret", "lambda:InvokeFunction"]
        );
        assert_eq!(
            needs("aws lambda update-function-configuration --function-name f --role arn"),
            ["lambda:UpdateFunctionConfiguration", "iam:PassRole"]
        );
        assert_eq!(needs("aws rds modify-db-instance --db-instance-identifier d"), ["rds:ModifyDBInstance"]);
        assert_eq!(needs("aws logs tail /aws/lambda/f"), ["logs:FilterLogEvents"]);
        assert_eq!(needs("aws rds wait db-cluster-available --db-cluster-identifier d"), ["rds:DescribeDBClusters"]);
    }

    #[test]
    fn a_read_inside_a_subshell_is_a_read() {
        let command = AwsCommand::parse("(umask 077; aws secretsmanager get-secret-value --secret-id s > value.json)").unwrap();
        assert!(command.is_read());
        assert_eq!(command.needs(), ["secretsmanager:GetSecretValue"]);
        let fetch = "curl -sSo previous.zip \"$(aws lambda get-function --function-name f --query Code.Location --output text)\"";
        assert_eq!(AwsCommand::substituted(fetch).unwrap().needs(), ["lambda:GetFunction"]);
    }
}
