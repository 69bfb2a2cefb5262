//! Where in AWS something is: a region of an account.

use super::text_type::text_type;

/// The longest name of a region that is read; those of today have at most 15.
const MAX_REGION_CHARS: usize = 32;

text_type! {
    /// A region by its code, such as `eu-west-1`; `global` where AWS Health names none.
    ///
    /// Source: AWS General Reference, "AWS service endpoints": lower-case letters, digits and hyphens.
    Region, RegionError, "a region is written like eu-west-1", |text| {
        (1..=MAX_REGION_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
}

text_type! {
    /// An AWS account by its id of twelve digits.
    ///
    /// Source: AWS Account Management reference guide, "View AWS account identifiers".
    AccountId, AccountIdError, "an account id has twelve digits", |text| {
        text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Region {
    /// True for the code of one region, which ends with a number, as all do that endpoints are made of.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        self.split('-').count() >= 3 && self.ends_with(|c: char| c.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_code_and_an_account_twelve_digits() {
        for text in ["eu-west-1", "us-gov-west-1", "global", "ap-southeast-7"] {
            assert_eq!(text.parse::<Region>().unwrap().as_str(), text);
        }
        for text in ["", "Ireland", "eu_west_1", "eu-west-1\n", "eu-west-1 ", &"x".repeat(33)] {
            assert_eq!(text.parse::<Region>(), Err(RegionError), "{text:?}");
        }
        assert!("eu-west-1".parse::<Region>().unwrap().is_specific() && !"global".parse::<Region>().unwrap().is_specific());
        assert_eq!("012345678901".parse::<AccountId>().unwrap(), "012345678901");
        for text in ["", "12345678901", "1234567890123", "12345678901x", "１23456789012"] {
            assert_eq!(text.parse::<AccountId>(), Err(AccountIdError), "{text:?}");
        }
    }

    #[test]
    fn they_are_stored_as_they_are_written() {
        let region: Region = "eu-west-1".parse().unwrap();
        assert_eq!(serde_json::to_string(&region).unwrap(), "\"eu-west-1\"");
        assert_eq!(serde_json::from_str::<Region>("\"eu-west-1\"").unwrap(), region);
    }
}
