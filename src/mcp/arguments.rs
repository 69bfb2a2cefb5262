//! A tool's arguments. Whoever reads a refusal is a model that tries again: it says which argument, what is expected, and what was
//! probably meant.

use super::question::ToolRefusal;
use crate::answers::MAX_LINES;
use crate::chat::command::holds_a_value;
use crate::model::{Lookback, Region, SecretRef, StepName, probably_meant};
use crate::redact::SafeText;
use crate::safe_format;
use rmcp::model::JsonObject;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

/// How much of what was given is repeated.
const MAX_REPEATED_CHARS: usize = 60;

/// What is told where a secret's name belongs and something else stands. Nothing of it is repeated.
const PASTED: &str = "`secret` looks like a secret's value, not its name, so nothing was asked of AWS: tell the person whose \
                      secret it is to rotate it, because its value is in this conversation; a name looks like prod/orders-db, \
                      and if a secret really has a name like this, give its ARN";

/// What was given to a tool.
pub(super) struct Arguments<'a>(&'a JsonObject);

impl<'a> Arguments<'a> {
    /// Of a tool that takes `known`.
    ///
    /// # Errors
    /// An argument that it does not take, with the one that was probably meant.
    pub(super) fn of(given: &'a JsonObject, known: &[&'static str]) -> Result<Arguments<'a>, ToolRefusal> {
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Arguments(given)),
            Some(strange) => {
                let name = repeated(strange);
                let meant = probably_meant(strange, known.iter().copied()).map(|meant| known.iter().find(|name| **name == meant));
                Err(match meant.flatten() {
                    Some(meant) => safe_format!("there is no argument `{}`: did you mean `{}`?", name, *meant).into(),
                    None => safe_format!(
                        "there is no argument `{}`: this tool takes {}",
                        name,
                        SafeText::join(known.iter().map(|name| safe_format!("`{}`", *name)), ", ")
                    )
                    .into(),
                })
            }
        }
    }

    /// What was given as `name`; null is as good as nothing.
    fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, ToolRefusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| safe_format!("`{}`: expected a text", name).into())
    }

    /// A text that is read as `T`; what is wrong with it, `T` says itself.
    fn read<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, ToolRefusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let wrong = |error: T::Err| safe_format!("`{}`: {}", name, SafeText::redact(&error.to_string())).into();
        text.parse().map(Some).map_err(wrong)
    }

    /// The secret, by name or ARN.
    ///
    /// # Errors
    /// Where it is missing or no secret's name. What looks like a value is not repeated.
    pub(super) fn secret(&self) -> Result<SecretRef, ToolRefusal> {
        let Some(text) = self.text("secret")? else { return Err("`secret` is missing: give the secret's name or ARN".into()) };
        if holds_a_value(text, |_| false) {
            return Err(PASTED.into());
        }
        text.parse().map_err(|error| safe_format!("`secret`: {}", SafeText::redact(&format!("{error}"))).into())
    }

    pub(super) fn region(&self) -> Result<Option<Region>, ToolRefusal> {
        self.read("region")
    }

    pub(super) fn window(&self) -> Result<Option<Lookback>, ToolRefusal> {
        self.read("window")
    }

    /// One playbook step.
    pub(super) fn step(&self) -> Result<StepName, ToolRefusal> {
        let Some(value) = self.value("step") else { return Err(EXPECTED_STEP.into()) };
        step(value)
    }

    /// Some of the playbook's steps.
    pub(super) fn steps(&self) -> Result<BTreeSet<StepName>, ToolRefusal> {
        match self.value("steps") {
            None => Ok(BTreeSet::new()),
            Some(Value::Array(steps)) => steps.iter().map(step).collect(),
            Some(_) => Err("`steps`: expected a list of numbers from 1 to 9".into()),
        }
    }

    /// Log lines.
    pub(super) fn lines(&self) -> Result<Vec<String>, ToolRefusal> {
        let wrong = || ToolRefusal::from("`lines`: expected a list of texts, one for each line of the log");
        let lines = self.value("lines").and_then(Value::as_array).ok_or_else(wrong)?;
        if lines.len() > MAX_LINES {
            // Before they are copied.
            return Err(safe_format!("`lines`: {}", SafeText::redact(&crate::answers::TooManyLines.to_string())).into());
        }
        lines.iter().map(|line| line.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }
}

const EXPECTED_STEP: &str = "`step`: expected the number of a playbook step: 1 secret, 2 rotation config, 3 rotation function, \
                             4 function logs, 5 execution role, 6 rotation history, 7 function metrics, 8 secret access, \
                             9 config changes";

/// A number, or the same as text, which models write too.
fn step(value: &Value) -> Result<StepName, ToolRefusal> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok()).and_then(|number| u8::try_from(number).ok());
    number.and_then(StepName::from_number).ok_or_else(|| EXPECTED_STEP.into())
}

/// What was given, as far as it is repeated.
pub(super) fn repeated(text: &str) -> SafeText {
    SafeText::redact(text).single_line().cut(MAX_REPEATED_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KNOWN: &[&str] = &["secret", "region", "account", "window", "steps", "step", "lines"];

    fn why<T: std::fmt::Debug>(given: &Value, read: impl Fn(&Arguments<'_>) -> Result<T, ToolRefusal>) -> String {
        let given = given.as_object().unwrap();
        Arguments::of(given, KNOWN).and_then(|arguments| read(&arguments)).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_argument_is_told_with_what_is_expected() {
        let secret = |arguments: &Arguments<'_>| arguments.secret();
        for (given, expected) in [
            (json!({"secrett": "x"}), "there is no argument `secrett`: did you mean `secret`?"),
            (json!({"bucket_name": "x"}), "there is no argument `bucket_name`: this tool takes `secret`, `region`"),
            (json!({}), "`secret` is missing"),
            (json!({"secret": null}), "`secret` is missing"),
            (json!({"secret": 5}), "`secret`: expected a text"),
            (json!({"secret": "a b"}), "`secret`: a secret's name has 1 to 512 letters"),
        ] {
            assert!(why(&given, secret).starts_with(expected), "{given}: {}", why(&given, secret));
        }
        assert!(why(&json!({"window": "8d"}), |given| given.window()).contains("a window is 24h, 7d, 30d or 90d"));
        assert!(why(&json!({"region": "Ireland"}), |given| given.region()).starts_with("`region`: "));
        for step in [json!({}), json!({"step": 10}), json!({"step": "logs"}), json!({"step": 4.5}), json!({"step": -4})] {
            assert!(why(&step, |given| given.step()).contains("4 function logs"), "{step}");
        }
        assert!(why(&json!({"steps": 4}), |given| given.steps()).contains("a list of numbers"));
        for lines in [json!({}), json!({"lines": "one"}), json!({"lines": ["one", 2]})] {
            assert!(why(&lines, |given| given.lines()).contains("a list of texts"), "{lines}");
        }
        assert!(why(&json!({"lines": vec![""; MAX_LINES + 1]}), |given| given.lines()).contains("START to REPORT"));
    }

    #[test]
    fn what_looks_like_a_value_is_not_repeated() {
        for value in ["q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", "postgres://app:hunter2hunter2@db.example.com/orders"] {
            let told = why(&json!({"secret": value}), |arguments| arguments.secret());
            assert_eq!(told, PASTED);
        }
        let told = why(&json!({"password=tiger9lily": "x"}), |_| Ok(()));
        assert!(!told.contains("tiger9lily"), "{told}");
    }

    #[test]
    fn what_is_right_is_read() {
        let given = json!({"secret": "prod/orders-db", "region": "eu-west-1", "window": "7d", "steps": [4, "6"], "step": 9});
        let given = given.as_object().unwrap();
        let arguments = Arguments::of(given, KNOWN).unwrap();
        assert_eq!(arguments.secret().unwrap().as_str(), "prod/orders-db");
        assert_eq!(arguments.region().unwrap().as_deref(), Some("eu-west-1"));
        assert_eq!(arguments.window(), Ok(Some(Lookback::Week)));
        assert_eq!(arguments.steps().unwrap(), BTreeSet::from([StepName::FunctionLogs, StepName::RotationHistory]));
        assert_eq!(arguments.step(), Ok(StepName::ConfigChanges));
        assert_eq!(arguments.text("account"), Ok(None));
    }
}
