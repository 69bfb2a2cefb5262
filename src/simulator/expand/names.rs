//! Names, ARNs, times and placeholders of one scenario.

use crate::simulator::declaration::{FunctionForm, RoleForm, RotationState, SecretForm};
use crate::simulator::ids;
use crate::simulator::scenario::Scenario;
use crate::simulator::when::{Length, Times, When};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The declarations, completed with those that only a name refers to.
pub(super) struct NameTable<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) functions: Vec<FunctionForm>,
    pub(super) roles: Vec<RoleForm>,
    pub(super) now: Timestamp,
    times: Times,
}

/// What the placeholders `{word}` stand for in one place.
pub(super) type NameScope<'a> = &'a [(&'a str, String)];

impl<'a> NameTable<'a> {
    pub(super) fn new(scenario: &'a Scenario, now: Timestamp) -> Result<Self, String> {
        let mut functions = scenario.functions.clone();
        let needs_function = |secret: &SecretForm| secret.function.is_none() && rotates_by_function(secret);
        if functions.is_empty() && scenario.secrets.iter().any(needs_function) {
            functions.push(declared_by_name("secrets-rotator")?);
        }
        let mut roles = scenario.roles.clone();
        for function in &functions {
            let role = role_name(function);
            if !roles.iter().any(|declared| declared.name == role) {
                roles.push(declared_by_name(&role)?);
            }
        }
        Ok(NameTable { scenario, functions, roles, now, times: Times::new(now, scenario.times.clone()) })
    }

    pub(super) fn time(&self, when: &When) -> Result<Timestamp, String> {
        self.times.resolve(when)
    }

    pub(super) fn maybe_time(&self, when: Option<&When>) -> Result<Option<Timestamp>, String> {
        when.map(|when| self.time(when)).transpose()
    }

    /// `at`, and `count - 1` more, each `every` later.
    pub(super) fn series(&self, at: &When, every: Option<Length>, count: u32) -> Result<Vec<Timestamp>, String> {
        let first = self.time(at)?;
        if count > 1 && every.is_none() {
            return Err("`count` needs `every`".into());
        }
        let every = every.map_or(SignedDuration::ZERO, |Length(every)| every);
        (0..count)
            .map(|nth| {
                let nth = i32::try_from(nth).map_err(|error| error.to_string())?;
                first.checked_add(every * nth).map_err(|error| error.to_string())
            })
            .collect()
    }

    pub(super) fn region<'b>(&'b self, own: Option<&'b String>) -> &'b str {
        own.unwrap_or(&self.scenario.account.region)
    }

    pub(super) fn account(&self) -> &str {
        &self.scenario.account.id
    }

    /// The secret with this name; the first one where none is given.
    pub(super) fn secret(&self, name: Option<&String>) -> Result<&'a SecretForm, String> {
        let mut secrets = self.scenario.secrets.iter();
        match name {
            None => secrets.next().ok_or_else(|| "no [[secret]]".into()),
            Some(name) => secrets.find(|secret| secret.name == *name).ok_or_else(|| format!("no [[secret]] is named `{name}`")),
        }
    }

    pub(super) fn secret_arn(&self, secret: &SecretForm) -> String {
        format!(
            "arn:aws:secretsmanager:{}:{}:secret:{}-{}",
            self.region(secret.region.as_ref()),
            self.account(),
            secret.name,
            ids::secret_suffix(&secret.name)
        )
    }

    /// The function with this name; the only one where none is given.
    pub(super) fn function(&self, name: Option<&String>) -> Result<&FunctionForm, String> {
        match (name, self.functions.as_slice()) {
            (Some(name), functions) => functions
                .iter()
                .find(|function| function.name == *name)
                .ok_or_else(|| format!("no [[function]] is named `{name}`")),
            (None, [only]) => Ok(only),
            (None, _) => Err("several [[function]]s: name the one that is meant".into()),
        }
    }

    /// The function that rotates `secret`: `None` for managed, external, replicated and never rotated secrets,
    /// and where the file says `function = "none"`.
    pub(super) fn function_of(&self, secret: &SecretForm) -> Result<Option<&FunctionForm>, String> {
        if secret.function.as_deref() == Some("none") || (secret.function.is_none() && !rotates_by_function(secret)) {
            return Ok(None);
        }
        self.function(secret.function.as_ref()).map(Some)
    }

    pub(super) fn function_arn(&self, function: &FunctionForm) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region(function.region.as_ref()), self.account(), function.name)
    }

    pub(super) fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account())
    }

    /// The identity the function's code acts under.
    pub(super) fn session_arn(&self, function: &FunctionForm) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account(), role_name(function), function.name)
    }

    pub(super) fn policy_arn(&self, name: &str) -> Result<String, String> {
        if let Some((_, arn, _)) = super::aws_managed::aws_managed(name) {
            return Ok(arn);
        }
        let policy = self
            .scenario
            .policies
            .iter()
            .find(|policy| policy.name == name)
            .ok_or_else(|| format!("no [[policy]] is named `{name}`"))?;
        let owner = if policy.aws { "aws" } else { self.account() };
        Ok(format!("arn:aws:iam::{owner}:policy/{name}"))
    }

    pub(super) fn key_arn(&self, name: &str) -> Result<String, String> {
        let key =
            self.scenario.keys.iter().find(|key| key.name == name).ok_or_else(|| format!("no [[key]] is named `{name}`"))?;
        Ok(format!(
            "arn:aws:kms:{}:{}:key/{}",
            self.region(key.region.as_ref()),
            key.account.as_deref().unwrap_or(self.account()),
            ids::uuid(&key.name)
        ))
    }

    /// Replaces `{word}` by its meaning in `context`, and `{secret:…}`, `{function:…}`, `{role:…}`, `{policy:…}`
    /// and `{key:…}` by ARNs. Other braces stay, because log lines and policies are full of them.
    pub(super) fn fill(&self, text: &str, context: NameScope<'_>) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let meaning = match after.split_once('}') {
                Some((word, tail)) => self.meaning(word, context)?.map(|meaning| (meaning, tail)),
                None => None,
            };
            rest = if let Some((meaning, tail)) = meaning {
                filled.push_str(&meaning);
                tail
            } else {
                filled.push('{');
                after
            };
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn meaning(&self, word: &str, context: NameScope<'_>) -> Result<Option<String>, String> {
        if let Some((_, meaning)) = context.iter().find(|(name, _)| *name == word) {
            return Ok(Some(meaning.clone()));
        }
        Ok(Some(match word.split_once(':') {
            None if word == "account" => self.account().to_owned(),
            None if word == "region" => self.scenario.account.region.clone(),
            Some(("secret", name)) => self.secret_arn(self.secret(Some(&name.to_owned()))?),
            Some(("function", name)) => self.function_arn(self.function(Some(&name.to_owned()))?),
            Some(("role", name)) => self.role_arn(name),
            Some(("policy", name)) => self.policy_arn(name)?,
            Some(("key", name)) => self.key_arn(name)?,
            _ => return Ok(None),
        }))
    }
}

fn rotates_by_function(secret: &SecretForm) -> bool {
    secret.rotation.state != RotationState::Never
        && secret.owning_service.is_none()
        && secret.external_role.is_none()
        && secret.primary_region.is_none()
}

pub(super) fn role_name(function: &FunctionForm) -> String {
    function.role.clone().unwrap_or_else(|| format!("{}-role", function.name))
}

/// What a declaration with nothing but a name would be.
fn declared_by_name<T: for<'de> Deserialize<'de>>(name: &str) -> Result<T, String> {
    let mut table = toml::Table::new();
    table.insert("name".into(), name.into());
    T::deserialize(table).map_err(|error| error.to_string())
}
