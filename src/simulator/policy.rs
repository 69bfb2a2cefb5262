//! Policies as scenario files write them, and as JSON documents.

use super::json::set;
use serde::Deserialize;
use serde_json::{Value, json};

/// A policy: one statement, several, or the raw JSON document.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum PolicyForm {
    /// The document itself, as JSON text.
    Json(String),
    Statements(Vec<StatementForm>),
    Statement(Box<StatementForm>),
}

/// One statement: `{ allow = ["s3:Get*"], on = ["arn:…"] }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StatementForm {
    sid: Option<String>,
    allow: Vec<String>,
    deny: Vec<String>,
    /// Every action but these is allowed.
    allow_except: Vec<String>,
    /// Every action but these is denied.
    deny_except: Vec<String>,
    /// Resources; every one where left out.
    on: Vec<String>,
    /// In resource policies: `*`, an ARN, or `service:lambda.amazonaws.com`.
    principal: Option<String>,
    /// In resource policies: everyone but this ARN.
    not_principal: Option<String>,
    /// `{ StringEquals = { "aws:SourceVpce" = "vpce-1" } }`
    condition: Option<Value>,
}

/// Replaces `{placeholders}`; the error names one that stands for nothing.
pub(super) type Fill<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl PolicyForm {
    /// The policy's JSON document.
    pub(super) fn document(&self, fill: Fill<'_>) -> Result<Value, String> {
        let statements = match self {
            PolicyForm::Json(text) => {
                return serde_json::from_str(&fill(text)?).map_err(|error| format!("a policy is not JSON: {error}"));
            }
            PolicyForm::Statements(statements) => statements.iter().collect::<Vec<_>>(),
            PolicyForm::Statement(statement) => vec![statement.as_ref()],
        };
        let mut written = Vec::new();
        for statement in statements {
            statement.write(fill, &mut written)?;
        }
        Ok(document(written))
    }
}

impl StatementForm {
    fn write(&self, fill: Fill<'_>, written: &mut Vec<Value>) -> Result<(), String> {
        let forms = [
            ("Allow", "Action", &self.allow),
            ("Deny", "Action", &self.deny),
            ("Allow", "NotAction", &self.allow_except),
            ("Deny", "NotAction", &self.deny_except),
        ];
        if forms.iter().all(|(_, _, actions)| actions.is_empty()) {
            return Err("a policy statement names no action".into());
        }
        for (effect, key, actions) in forms {
            if actions.is_empty() {
                continue;
            }
            let mut statement = json!({ "Effect": effect });
            if let Some(sid) = &self.sid {
                set(&mut statement, "Sid", json!(sid));
            }
            if let Some(principal) = &self.principal {
                set(&mut statement, "Principal", principal_element(&fill(principal)?));
            }
            if let Some(principal) = &self.not_principal {
                set(&mut statement, "NotPrincipal", principal_element(&fill(principal)?));
            }
            set(&mut statement, key, json!(actions));
            set(
                &mut statement,
                "Resource",
                if self.on.is_empty() {
                    json!("*")
                } else {
                    json!(self.on.iter().map(|on| fill(on)).collect::<Result<Vec<_>, _>>()?)
                },
            );
            if let Some(condition) = &self.condition {
                let text = fill(&condition.to_string())?;
                let condition: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
                set(&mut statement, "Condition", condition);
            }
            written.push(statement);
        }
        Ok(())
    }
}

/// A policy document with these statements.
pub(super) fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The `Principal` element for `*`, an ARN, or `service:…`.
pub(super) fn principal_element(principal: &str) -> Value {
    match principal.strip_prefix("service:") {
        Some(service) => json!({ "Service": service }),
        None if principal == "*" => json!("*"),
        None => json!({ "AWS": principal }),
    }
}
