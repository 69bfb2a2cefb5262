//! How a person names a secret: by name, or by ARN.

use super::arn::{Arn, ArnError, SecretArn, is_secret_name};
use super::region::{AccountId, Region};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A secret as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SecretRef {
    /// By name, in the region and account of the credentials.
    Name(String),
    /// By ARN; it decides region and account.
    Arn(SecretArn),
}

/// Why a text names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefError {
    #[error("name a secret, or give its ARN")]
    Empty,
    /// It holds a character no secret name has, or is too long.
    #[error("a secret's name has 1 to 512 letters, digits and /_+=.@-! characters")]
    Name,
    /// It holds characters that look like others, or that nobody sees; by their code points.
    #[error("a secret's name has no {0}: it has 1 to 512 letters, digits and /_+=.@-! characters")]
    Foreign(String),
    /// It starts like an ARN but is not one of a secret.
    #[error(transparent)]
    Arn(#[from] ArnError),
}

impl SecretRef {
    /// What `SecretId` is in an API call.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            SecretRef::Name(name) => name,
            SecretRef::Arn(arn) => arn.arn().as_str(),
        }
    }

    /// The secret's name, whether it was given alone or in its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            SecretRef::Name(name) => name,
            SecretRef::Arn(arn) => arn.name(),
        }
    }

    /// The region an ARN decides.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        match self {
            SecretRef::Name(_) => None,
            SecretRef::Arn(arn) => arn.arn().region().parse().ok(),
        }
    }

    /// The account an ARN decides.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        match self {
            SecretRef::Name(_) => None,
            SecretRef::Arn(arn) => arn.arn().account_id().parse().ok(),
        }
    }
}

impl FromStr for SecretRef {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<SecretRef, SecretRefError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretRefError::Empty);
        }
        if text.starts_with("arn:") {
            return Ok(SecretRef::Arn(SecretArn::try_from(Arn::parse(text)?)?));
        }
        if text.len() <= 512 && is_secret_name(text) {
            return Ok(SecretRef::Name(text.to_owned()));
        }
        Err(foreign(text).map_or(SecretRefError::Name, SecretRefError::Foreign))
    }
}

/// How many characters that no name has are told.
const MAX_FOREIGN: usize = 4;

/// The characters beyond ASCII, each once, as `U+200B`: a reader cannot tell them from those they look like. `None` where there
/// are none.
fn foreign(text: &str) -> Option<String> {
    let mut points: Vec<String> = Vec::new();
    for c in text.chars().filter(|c| !c.is_ascii() || c.is_ascii_control()) {
        let point = format!("U+{:04X}", u32::from(c));
        if points.len() < MAX_FOREIGN && !points.contains(&point) {
            points.push(point);
        }
    }
    (!points.is_empty()).then(|| points.join(", "))
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_allowed_character_is_accepted_in_a_name() {
        let name = "prod/db_+=.@-1";
        assert_eq!(name.parse::<SecretRef>().unwrap(), SecretRef::Name(name.into()));
        assert!("x".repeat(512).parse::<SecretRef>().is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "  ", "a b", "x\" || \"", "${x}", "*", "é", "arn:aws:s3:::bucket"] {
            assert!(text.parse::<SecretRef>().is_err(), "{text:?}");
        }
        let why = |text: &str| text.parse::<SecretRef>().unwrap_err().to_string();
        assert!(why("prod/orders\u{200b}-db").starts_with("a secret's name has no U+200B:"), "{}", why("prod/orders\u{200b}-db"));
        assert!(why("pr\u{43e}d/\u{202e}db\u{43e}").contains("no U+043E, U+202E:"), "each once");
        assert!(!why("a*b").contains("U+"), "what can be read need not be spelled");
        assert!("x".repeat(513).parse::<SecretRef>().is_err());
    }
}
