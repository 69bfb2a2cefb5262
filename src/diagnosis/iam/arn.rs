//! ARNs, and ARN patterns as the `Arn*` condition operators compare them.

use super::{
    Truth,
    context::Context,
    pattern::{GlobPattern, MalformedVariable, Syntax, Unresolved},
};
use std::collections::BTreeSet;

/// `arn:partition:service:region:account:resource`; the resource may hold further colons.
const PARTS: usize = 6;

/// The parts of an ARN that evaluation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArnParts<'a> {
    pub(super) partition: &'a str,
    pub(super) service: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> ArnParts<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(PARTS, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let partition = parts.next()?;
        let service = parts.next()?;
        let _region = parts.next()?;
        Some(ArnParts { partition, service, account: parts.next()?, resource: parts.next()? })
    }
}

/// A pattern of the `Arn*` operators: "each of the six colon-delimited components of the ARN is
/// checked separately", so that no wildcard reaches across a colon before the resource.
///
/// A pattern with fewer parts is no ARN and matches none; a lone `*` matches every one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ArnPattern(Vec<GlobPattern>);

impl ArnPattern {
    pub(super) fn compile(text: &str, syntax: Syntax) -> Result<ArnPattern, MalformedVariable> {
        let text = if text == "*" { "*:*:*:*:*:*" } else { text };
        split(text, syntax.variables)
            .into_iter()
            .map(|part| GlobPattern::compile(part, syntax))
            .collect::<Result<_, _>>()
            .map(ArnPattern)
    }

    pub(super) fn matches(&self, text: &str, context: &Context, unresolved: Unresolved, missing: &mut BTreeSet<String>) -> Truth {
        let parts: Vec<&str> = text.splitn(PARTS, ':').collect();
        if self.0.len() != PARTS || parts.len() != PARTS {
            return Truth::False;
        }
        let mut open = BTreeSet::new();
        let result =
            Truth::all(self.0.iter().zip(parts).map(|(pattern, part)| pattern.matches(part, context, unresolved, &mut open)));
        if result == Truth::Unknown {
            missing.append(&mut open);
        }
        result
    }
}

/// The parts of a pattern; a colon inside a variable (`${aws:PrincipalAccount}`) separates nothing.
fn split(text: &str, variables: bool) -> Vec<&str> {
    let mut in_variable = false;
    let mut previous = ' ';
    let mut colons = 0;
    text.split(|character| {
        match character {
            '{' if variables && previous == '$' => in_variable = true,
            '}' => in_variable = false,
            _ => {}
        }
        previous = character;
        let separates = character == ':' && !in_variable && colons + 1 < PARTS;
        colons += usize::from(separates);
        separates
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNTAX: Syntax = Syntax { wildcards: true, variables: true, fold_case: false };

    fn matches(pattern: &str, text: &str) -> bool {
        let context = Context::new().known("aws:PrincipalAccount", "111122223333");
        ArnPattern::compile(pattern, SYNTAX).unwrap().matches(text, &context, Unresolved::NoMatch, &mut BTreeSet::new())
            == Truth::True
    }

    #[test]
    fn each_part_is_compared_separately() {
        let role = "arn:aws:iam::111122223333:role/a:b/rotator";
        for (pattern, expected) in [
            ("arn:aws:iam::111122223333:role/a:b/rotator", true),
            ("arn:aws:iam::111122223333:role/*", true),
            ("arn:*:iam::*:role/a:b/*", true),
            ("arn:aws:iam:*:111122223333:role/*", true),
            ("arn:aws:iam::${aws:PrincipalAccount}:role/*", true),
            ("*", true),
            ("arn:aws:*:role/a:b/rotator", false),
            ("arn:aws:iam::*", false),
            ("arn:aws-cn:iam::111122223333:role/*", false),
            ("arn:aws:iam::444455556666:role/*", false),
        ] {
            assert_eq!(matches(pattern, role), expected, "{pattern}");
        }
        assert!(!matches("*", "AROAEXAMPLE"));
    }
}
