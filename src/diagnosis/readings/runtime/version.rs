//! Which version of its runtime an invocation ran on: INIT_START tells it, once for every execution environment.
//!
//! Source: Lambda Developer Guide, "Identifying Lambda runtime version changes".

use crate::diagnosis::DiagnosisContext;
use crate::model::{Invocation, InvocationStatus};
use std::collections::BTreeMap;

/// A runtime's version, such as `python:3.13.v40`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) struct RuntimeVersion {
    /// Such as `python:3.13`.
    pub(in crate::diagnosis) runtime: String,
    /// Such as `40`.
    pub(in crate::diagnosis) patch: u32,
    /// The ARN by which a function is bound to it.
    pub(in crate::diagnosis) arn: Option<String>,
}

impl std::fmt::Display for RuntimeVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.v{}", self.runtime, self.patch)
    }
}

/// The versions of the last invocation that worked before the failures and of the first that failed.
pub(in crate::diagnosis) fn before_and_after(context: &DiagnosisContext<'_>) -> Option<(RuntimeVersion, RuntimeVersion)> {
    let logs = context.evidence.logs.found()?;
    let mut by_stream: BTreeMap<&str, RuntimeVersion> = BTreeMap::new();
    for invocation in &logs.invocations {
        if let Some(version) = version_of(invocation) {
            by_stream.insert(&invocation.stream, version);
        }
    }
    let of = |invocation: &Invocation| version_of(invocation).or_else(|| by_stream.get(invocation.stream.as_str()).cloned());
    let first = context.failures.first()?.invocation;
    let after = of(first)?;
    let before = logs
        .invocations
        .iter()
        .rev()
        .filter(|invocation| invocation.status == InvocationStatus::Succeeded && invocation.started_at < first.started_at)
        .find_map(of)?;
    Some((before, after))
}

fn version_of(invocation: &Invocation) -> Option<RuntimeVersion> {
    invocation.lines.iter().find_map(|line| read(&line.text))
}

/// Reads INIT_START, in the text format or in JSON.
pub(super) fn read(text: &str) -> Option<RuntimeVersion> {
    let field = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| text.split_once(name).map(|(_, rest)| rest))?;
        let end = found.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(found.len());
        found.get(..end)
    };
    let (runtime, patch) = field(["Runtime Version: ", "\"runtimeVersion\":\""])?.rsplit_once(".v")?;
    Some(RuntimeVersion {
        runtime: runtime.to_owned(),
        patch: patch.parse().ok()?,
        arn: field(["Runtime Version ARN: ", "\"runtimeVersionArn\":\""])
            .filter(|arn| arn.starts_with("arn:"))
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_in_either_format() {
        let arn = "arn:aws:lambda:eu-west-1::runtime:0123abcd";
        let expected = RuntimeVersion { runtime: "python:3.13".into(), patch: 40, arn: Some(arn.into()) };
        let text = format!("INIT_START Runtime Version: python:3.13.v40\tRuntime Version ARN: {arn}\n");
        assert_eq!(read(&text), Some(expected.clone()));
        let json = format!(
            r#"{{"type":"platform.initStart","record":{{"runtimeVersion":"python:3.13.v40","runtimeVersionArn":"{arn}"}}}}"#
        );
        assert_eq!(read(&json), Some(expected));
        for other in
            ["INIT_START Runtime Version: python:3.13", "INIT_START Runtime Version: provided:al2023", "START RequestId: x"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
