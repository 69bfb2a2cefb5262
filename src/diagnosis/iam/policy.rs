//! Policy documents, parsed once.
//!
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language".

use super::{
    condition::Condition,
    effect::Effect,
    pattern::{GlobPattern, Syntax},
    principal::{NamedCallers, PrincipalElement},
};
use serde_json::{Map, Value};

/// A policy in the form that is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub(super) name: String,
    pub(super) statements: Vec<Statement>,
}

/// Why a document is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not JSON.
    #[error("policy {policy} is not JSON: {reason}")]
    NotJson {
        /// The policy's name, as given.
        policy: String,
        /// What the JSON parser says.
        reason: String,
    },
    /// The document as a whole breaks the grammar.
    #[error("policy {policy}: {reason}")]
    Document {
        /// The policy's name, as given.
        policy: String,
        reason: String,
    },
    /// A statement breaks the grammar.
    #[error("policy {policy}, statement {index}: {reason}")]
    Statement {
        /// The policy's name, as given.
        policy: String,
        /// The statement's place, counted from zero.
        index: usize,
        reason: String,
    },
}

impl PolicyError {
    /// What is missing to judge by the policy: the same in a form that can be evaluated.
    #[must_use]
    pub fn missing(&self) -> String {
        let (PolicyError::NotJson { policy, .. } | PolicyError::Document { policy, .. } | PolicyError::Statement { policy, .. }) =
            self;
        format!("{policy} in a form that can be evaluated: {}", self.reason())
    }

    /// What is wrong, where the policy has been named already.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            PolicyError::NotJson { reason, .. } => format!("it is not JSON: {reason}"),
            PolicyError::Document { reason, .. } => reason.clone(),
            PolicyError::Statement { index, reason, .. } => format!("statement {index}: {reason}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    /// Without one, a statement of a resource's policy applies to nobody.
    pub(super) principal: Option<PrincipalElement>,
    pub(super) actions: Listed,
    /// Without one a statement has no effect (KMS Developer Guide, "Key policies").
    pub(super) resources: Option<Listed>,
    pub(super) conditions: Vec<Condition>,
}

/// `Action` and `Resource`, or `NotAction` and `NotResource`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Listed {
    AnyOf(Vec<GlobPattern>),
    NoneOf(Vec<GlobPattern>),
}

impl Policy {
    /// Parses a policy's JSON text. `name` is what [`StatementRef`](super::StatementRef) will call it.
    ///
    /// # Errors
    ///
    /// Where the text is not JSON, or breaks the policy grammar. Elements nobody knows are tolerated.
    pub fn parse(name: &str, document: &str) -> Result<Policy, PolicyError> {
        let document = serde_json::from_str(document)
            .map_err(|error| PolicyError::NotJson { policy: name.to_owned(), reason: error.to_string() })?;
        Policy::from_value(name, &document)
    }

    /// The same for a document that is JSON already.
    ///
    /// # Errors
    ///
    /// Where the document breaks the policy grammar.
    pub fn from_value(name: &str, document: &Value) -> Result<Policy, PolicyError> {
        let wrong = |reason: &str| PolicyError::Document { policy: name.to_owned(), reason: reason.to_owned() };
        let document = document.as_object().ok_or_else(|| wrong("not an object"))?;
        // A document without a version is of the older one, in which "${...}" is plain text.
        let variables = match document.get("Version").map(Value::as_str) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(_) => return Err(wrong("unknown Version")),
        };
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
            _ => return Err(wrong("no Statement")),
        };
        let statements = statements
            .iter()
            .enumerate()
            .map(|(index, statement)| {
                Statement::parse(statement, variables).map_err(|reason| PolicyError::Statement {
                    policy: name.to_owned(),
                    index,
                    reason,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Policy { name: name.to_owned(), statements })
    }

    /// The name given when it was parsed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Statement {
    fn parse(statement: &Value, variables: bool) -> Result<Statement, String> {
        let statement = statement.as_object().ok_or("not an object")?;
        let effect = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err("Effect is neither Allow nor Deny".to_owned()),
        };
        let principal = match either(statement, "Principal", "NotPrincipal")? {
            None => None,
            Some((false, element)) => Some(PrincipalElement::Principal(NamedCallers::parse(element)?)),
            Some((true, element)) => Some(PrincipalElement::NotPrincipal(NamedCallers::parse(element)?)),
        };
        // Actions ignore case; a request's action is lower case too.
        let wildcards = Syntax { wildcards: true, ..Syntax::LITERAL };
        let actions = Listed::parse(statement, "Action", "NotAction", |action| {
            GlobPattern::compile(&action.to_ascii_lowercase(), wildcards).ok()
        })?
        .ok_or("no Action")?;
        let resource_syntax = Syntax { variables, ..wildcards };
        let resources =
            Listed::parse(statement, "Resource", "NotResource", |resource| GlobPattern::compile(resource, resource_syntax).ok())?;
        Ok(Statement {
            sid: statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()).map(str::to_owned),
            effect,
            principal,
            actions,
            resources,
            conditions: conditions(statement.get("Condition"), variables)?,
        })
    }
}

impl Listed {
    fn parse(
        statement: &Map<String, Value>,
        element: &str,
        negation: &str,
        compile: impl Fn(&str) -> Option<GlobPattern>,
    ) -> Result<Option<Listed>, String> {
        let Some((negated, value)) = either(statement, element, negation)? else {
            return Ok(None);
        };
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let patterns = values
            .iter()
            .map(|value| value.as_str().and_then(&compile))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("{element} is malformed"))?;
        Ok(Some(if negated { Listed::NoneOf(patterns) } else { Listed::AnyOf(patterns) }))
    }
}

/// The value of an element or of its negation, and whether it is the negation. Both is an error.
fn either<'a>(statement: &'a Map<String, Value>, element: &str, negation: &str) -> Result<Option<(bool, &'a Value)>, String> {
    match (statement.get(element), statement.get(negation)) {
        (Some(_), Some(_)) => Err(format!("both {element} and {negation}")),
        (Some(value), None) => Ok(Some((false, value))),
        (None, Some(value)) => Ok(Some((true, value))),
        (None, None) => Ok(None),
    }
}

fn conditions(element: Option<&Value>, variables: bool) -> Result<Vec<Condition>, String> {
    let Some(element) = element else {
        return Ok(Vec::new());
    };
    let mut conditions = Vec::new();
    for (operator, keys) in element.as_object().ok_or("Condition is not an object")? {
        let keys = keys.as_object().ok_or_else(|| format!("{operator} is not an object"))?;
        for (key, values) in keys {
            conditions.push(Condition::compile(operator, key, values, variables)?);
        }
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(document: &Value) -> String {
        Policy::from_value("p", document).unwrap_err().to_string()
    }

    #[test]
    fn one_statement_or_many_strings_or_lists_and_unknown_elements_are_accepted() {
        let one = json!({"Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*"}});
        let many = json!({
            "Version": "2012-10-17",
            "Id": "x",
            "Comment": "tolerated",
            "Statement": [
                {"Sid": "", "Effect": "Allow", "Action": ["a:b"], "Resource": ["*"], "Novel": 1},
                {"Sid": "Two", "Effect": "Deny", "NotAction": "a:*", "NotResource": "*",
                 "Principal": {"CanonicalUser": "79a5", "Federated": "cognito-identity.amazonaws.com"}},
            ],
        });
        assert_eq!(Policy::from_value("p", &one).unwrap().statements.len(), 1);
        let many = Policy::parse("p", &many.to_string()).unwrap();
        assert_eq!(many.name(), "p");
        assert_eq!(many.statements[0].sid, None);
        assert_eq!(many.statements[1].sid.as_deref(), Some("Two"));
    }

    #[test]
    fn malformed_documents_are_refused_with_the_reason() {
        assert!(Policy::parse("p", "{").unwrap_err().to_string().starts_with("policy p is not JSON: "));
        let unfit = Policy::from_value("the role's policy", &json!([])).unwrap_err();
        assert_eq!(unfit.reason(), "not an object");
        assert_eq!(unfit.missing(), "the role's policy in a form that can be evaluated: not an object");
        let statement = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
        for (document, reason) in [
            (json!([]), "policy p: not an object"),
            (json!({}), "policy p: no Statement"),
            (json!({"Version": "2020-01-01", "Statement": []}), "policy p: unknown Version"),
            (
                statement(json!([{"Effect": "allow", "Action": "*", "Resource": "*"}])),
                "policy p, statement 0: Effect is neither Allow nor Deny",
            ),
            (statement(json!({"Effect": "Allow", "Resource": "*"})), "policy p, statement 0: no Action"),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "NotAction": "*"})),
                "policy p, statement 0: both Action and NotAction",
            ),
            (statement(json!({"Effect": "Allow", "Action": [1], "Resource": "*"})), "policy p, statement 0: Action is malformed"),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "Resource": "${aws:username"})),
                "policy p, statement 0: Resource is malformed",
            ),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "Principal": "me"})),
                "policy p, statement 0: a principal is neither \"*\" nor an object of names",
            ),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"StringIs": {"a": "b"}}})),
                "policy p, statement 0: unknown condition operator StringIs",
            ),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}})),
                "policy p, statement 0: IpAddress aws:SourceIp: a value the operator cannot compare",
            ),
            (
                statement(json!({"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"StringLike": {"a": null}}})),
                "policy p, statement 0: StringLike a: neither a value nor a list of values",
            ),
        ] {
            assert_eq!(refused(&document), reason);
        }
    }
}
