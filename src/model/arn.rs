//! Amazon Resource Names, parsed once at the edge.
//!
//! Source: AWS General Reference, "Amazon Resource Names (ARNs)".

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// It does not have the six colon-separated parts of an ARN.
    #[error("an ARN has six parts: arn:partition:service:region:account:resource")]
    Shape,
    /// It is an ARN, but of another service or resource type.
    #[error("expected an ARN of {expected}")]
    Kind { expected: &'static str },
    /// The region or the account is empty or malformed.
    #[error("the ARN's region or account id is malformed")]
    Place,
}

/// Any ARN, split into its parts; displays as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    text: String,
    bounds: [usize; 4],
}

impl Arn {
    /// Parses `text`.
    ///
    /// # Errors
    /// [`ArnError::Shape`] when a part is missing, a part before the resource holds anything but lower-case letters, digits
    /// and dashes, or `text` holds white space or control characters.
    pub fn parse(text: &str) -> Result<Arn, ArnError> {
        if !text.starts_with("arn:") || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(ArnError::Shape);
        }
        let mut colons = text.match_indices(':').map(|(at, _)| at).skip(1);
        let mut bounds = [0; 4];
        for bound in &mut bounds {
            *bound = colons.next().ok_or(ArnError::Shape)?;
        }
        let arn = Arn { text: text.to_owned(), bounds };
        let is_plain = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if ![arn.partition(), arn.service(), arn.region(), arn.account_id()].into_iter().all(is_plain) {
            return Err(ArnError::Shape);
        }
        if arn.partition().is_empty() || arn.service().is_empty() || arn.resource().is_empty() {
            return Err(ArnError::Shape);
        }
        Ok(arn)
    }

    fn between(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        let [first, ..] = self.bounds;
        self.between("arn:".len(), first)
    }

    /// The service's name space, such as `secretsmanager`.
    #[must_use]
    pub fn service(&self) -> &str {
        let [first, second, ..] = self.bounds;
        self.between(first + 1, second)
    }

    /// The region; empty for global services.
    #[must_use]
    pub fn region(&self) -> &str {
        let [_, second, third, _] = self.bounds;
        self.between(second + 1, third)
    }

    /// The twelve-digit account id; empty for a few resource types.
    #[must_use]
    pub fn account_id(&self) -> &str {
        let [_, _, third, fourth] = self.bounds;
        self.between(third + 1, fourth)
    }

    /// Everything after the account id.
    #[must_use]
    pub fn resource(&self) -> &str {
        let [.., fourth] = self.bounds;
        self.between(fourth + 1, self.text.len())
    }

    /// The ARN as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn has_place(&self) -> bool {
        !self.region().is_empty() && self.account_id().len() == 12 && self.account_id().chars().all(|c| c.is_ascii_digit())
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Arn {
    type Error = ArnError;
    fn try_from(text: String) -> Result<Arn, ArnError> {
        Arn::parse(&text)
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.text
    }
}

macro_rules! typed_arn {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "Arn", into = "Arn")]
        pub struct $name(Arn);

        impl $name {
            /// The ARN itself, with its partition, region and account.
            #[must_use]
            pub fn arn(&self) -> &Arn {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for Arn {
            fn from(typed: $name) -> Arn {
                typed.0
            }
        }
    };
}

typed_arn! {
    /// The ARN of a Lambda function, with or without a version or alias.
    FunctionArn
}

impl TryFrom<Arn> for FunctionArn {
    type Error = ArnError;
    fn try_from(arn: Arn) -> Result<FunctionArn, ArnError> {
        let expected = "a Lambda function: arn:aws:lambda:region:account:function:name";
        let is_function = arn.service() == "lambda"
            && arn.resource().strip_prefix("function:").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(':'));
        if !is_function {
            return Err(ArnError::Kind { expected });
        }
        if arn.has_place() { Ok(FunctionArn(arn)) } else { Err(ArnError::Place) }
    }
}

/// What the name of the log group begins with that Lambda gives a function; the rest is the function's name.
///
/// Source: Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs".
pub const LAMBDA_LOGS: &str = "/aws/lambda/";

impl FunctionArn {
    fn parts(&self) -> (&str, Option<&str>) {
        let resource = self.0.resource();
        let rest = resource.strip_prefix("function:").unwrap_or(resource);
        match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        }
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().0
    }

    /// The version or alias rotation is bound to, if any.
    #[must_use]
    pub fn qualifier(&self) -> Option<&str> {
        self.parts().1
    }

    /// True when both name the same function, whatever the qualifier.
    #[must_use]
    pub fn is_same_function(&self, other: &FunctionArn) -> bool {
        self.name() == other.name() && self.0.region() == other.0.region() && self.0.account_id() == other.0.account_id()
    }
}

typed_arn! {
    /// The ARN of an IAM role, with its path.
    RoleArn
}

impl TryFrom<Arn> for RoleArn {
    type Error = ArnError;
    fn try_from(arn: Arn) -> Result<RoleArn, ArnError> {
        let is_role = arn.service() == "iam"
            && arn.resource().strip_prefix("role/").is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/'));
        if is_role { Ok(RoleArn(arn)) } else { Err(ArnError::Kind { expected: "an IAM role: arn:aws:iam::account:role/name" }) }
    }
}

impl RoleArn {
    /// The role's name, without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.resource().rsplit('/').next().unwrap_or_default()
    }
}

typed_arn! {
    /// The full ARN of a secret, with the six characters Secrets Manager appends to its name.
    SecretArn
}

impl TryFrom<Arn> for SecretArn {
    type Error = ArnError;
    fn try_from(arn: Arn) -> Result<SecretArn, ArnError> {
        let expected = "a secret: arn:aws:secretsmanager:region:account:secret:name-suffix";
        let name = arn.resource().strip_prefix("secret:");
        if arn.service() != "secretsmanager" || !name.is_some_and(is_secret_name) {
            return Err(ArnError::Kind { expected });
        }
        if arn.has_place() { Ok(SecretArn(arn)) } else { Err(ArnError::Place) }
    }
}

impl SecretArn {
    /// The resource name after `secret:`, with the random suffix where the ARN has one.
    #[must_use]
    pub fn resource_name(&self) -> &str {
        self.0.resource().strip_prefix("secret:").unwrap_or_default()
    }

    /// The secret's name: the resource name without a random suffix of `-` and six characters.
    #[must_use]
    pub fn name(&self) -> &str {
        let full = self.resource_name();
        match full.rsplit_once('-') {
            Some((name, suffix)) if suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric()) => name,
            _ => full,
        }
    }
}

/// True for a name Secrets Manager accepts: 1 to 512 characters of letters, digits and `/_+=.@-`, and the `!` that only
/// services use in names of secrets they own, such as `rds!db-…`.
///
/// Source: API reference, `CreateSecret`, parameter `Name`; User Guide, "Managed secrets". The random suffix adds seven.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    (1..=519).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(text: &str) -> Result<FunctionArn, ArnError> {
        Arn::parse(text).and_then(FunctionArn::try_from)
    }

    #[test]
    fn a_function_arn_gives_its_name_and_qualifier() {
        let arn = function("arn:aws:lambda:eu-west-1:123456789012:function:rotator:live").unwrap();
        assert_eq!((arn.name(), arn.qualifier()), ("rotator", Some("live")));
        let plain = function("arn:aws:lambda:eu-west-1:123456789012:function:rotator").unwrap();
        assert_eq!(plain.qualifier(), None);
        assert!(arn.is_same_function(&plain));
    }

    #[test]
    fn a_secret_arn_gives_its_name_without_the_random_suffix() {
        let arn = Arn::parse("arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:prod/db-AbCdEf").unwrap();
        let secret = SecretArn::try_from(arn).unwrap();
        assert_eq!(secret.name(), "prod/db");
        assert_eq!(secret.arn().partition(), "aws-us-gov");
    }

    #[test]
    fn a_role_arn_gives_its_name_without_the_path() {
        let arn = Arn::parse("arn:aws:iam::123456789012:role/service-role/rotator").unwrap();
        assert_eq!(RoleArn::try_from(arn).unwrap().name(), "rotator");
    }

    #[test]
    fn other_resources_and_malformed_places_are_refused() {
        for text in [
            "",
            "arn:aws:s3",
            "arn:aws:lambda:eu-west-1:123456789012:function:",
            "arn:aws:lambda::123456789012:function:f",
            "arn:aws:lambda:eu-west-1:1234:function:f",
            "arn:aws:s3:::bucket",
            "arn:aws:lambda:eu-west-1:123456789012:function:f\n",
        ] {
            assert!(function(text).is_err(), "{text:?}");
        }
        for text in [
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a b",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x\" || \"",
            "arn:aws:secretsmanager:*:123456789012:secret:x",
            "arn:aws:ssm:eu-west-1:123456789012:secret:x",
        ] {
            assert!(Arn::parse(text).and_then(SecretArn::try_from).is_err(), "{text:?}");
        }
    }
}
