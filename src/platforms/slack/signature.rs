//! Slack's request signatures.
//!
//! Source: Slack, "Verifying requests from Slack": HMAC-SHA256 over `v0:<timestamp>:<raw body>`, five minutes.

use crate::clock::Clock;
use crate::config::{LiveToken, Token};
use aws_lc_rs::hmac;
use axum::http::HeaderMap;

/// How old, or how early, a request may be, in seconds.
const TOLERANCE: i64 = 300;

/// Digits of a timestamp in seconds; ten until the year 2286.
const MAX_DIGITS: usize = 11;

const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";

/// Verifies what Slack signed. Says yes or no, and nothing else.
pub(super) struct Signatures {
    /// One, or two while one takes the other's place.
    secrets: LiveToken,
    clock: Clock,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureRefused {
    /// It is not Slack's.
    NotSigned,
    /// Slack signed it, so many seconds before now, or after. It is an old one that somebody sends again, or this machine's
    /// clock is wrong.
    NotFromNow(i64),
}

impl Signatures {
    pub(super) const fn new(secrets: LiveToken, clock: Clock) -> Signatures {
        Signatures { secrets, clock }
    }

    /// Whether Slack signed `body`, within the last five minutes or the next.
    pub(super) fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureRefused> {
        let timestamp = only(headers, TIMESTAMP)?;
        let signature = only(headers, SIGNATURE)?;
        let is_number = (1..=MAX_DIGITS).contains(&timestamp.len()) && timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let at: i64 = if is_number {
            timestamp.parse().map_err(|_| SignatureRefused::NotSigned)?
        } else {
            return Err(SignatureRefused::NotSigned);
        };
        let tag = signature.strip_prefix("v0=").and_then(bytes).ok_or(SignatureRefused::NotSigned)?;
        let signed = [b"v0:", timestamp.as_bytes(), b":", body].concat();
        let is_signed_with = |secret: &Token| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            hmac::verify(&key, &signed, &tag).is_ok()
        };
        if !self.secrets.all().iter().any(is_signed_with) {
            return Err(SignatureRefused::NotSigned);
        }
        let age = self.clock.now().as_second() - at;
        if age.abs() > TOLERANCE { Err(SignatureRefused::NotFromNow(age)) } else { Ok(()) }
    }
}

/// The header's value, where it is there exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, SignatureRefused> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| SignatureRefused::NotSigned),
        _ => Err(SignatureRefused::NotSigned),
    }
}

/// The bytes of 64 lower-case hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = 16 * digit(*high)? + digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const KNOWN: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const AT: i64 = 1_531_420_618;

    fn at(seconds: i64) -> Signatures {
        let now = jiff::Timestamp::from_second(seconds).unwrap();
        Signatures::new(LiveToken::new(Token::new(SECRET), None), Clock::starting_at(now))
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn signed(timestamp: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = hmac::sign(&key, &[b"v0:", timestamp.as_bytes(), b":", BODY].concat());
        format!("v0={}", tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    #[test]
    fn the_example_of_slacks_documentation_verifies() {
        let good = headers(&[(TIMESTAMP, "1531420618"), (SIGNATURE, KNOWN)]);
        assert_eq!(at(AT).verify(&good, BODY), Ok(()));
        assert_eq!(at(AT).verify(&good, &BODY[1..]), Err(SignatureRefused::NotSigned));
    }

    #[test]
    fn a_signature_in_any_other_form_is_refused() {
        let upper = KNOWN.to_uppercase().replace("V0=", "v0=");
        let without_prefix = KNOWN.trim_start_matches("v0=").to_owned();
        for signature in [
            "",
            "v0=",
            "v0",
            KNOWN.get(..66).unwrap(),
            &format!("{KNOWN}0"),
            &upper,
            &KNOWN.replace("v0=", "v1="),
            &KNOWN.replace("v0=", "V0="),
            &without_prefix,
            &KNOWN.replace('a', "g"),
            &format!(" {KNOWN}"),
            &format!("{KNOWN},{KNOWN}"),
            &format!("v0={}", "0".repeat(64)),
            &format!("v0={}", "é".repeat(32)),
        ] {
            let mut sent = headers(&[(TIMESTAMP, "1531420618")]);
            sent.insert(SIGNATURE, HeaderValue::from_bytes(signature.as_bytes()).unwrap());
            assert_eq!(at(AT).verify(&sent, BODY), Err(SignatureRefused::NotSigned), "{signature}");
        }
        assert_eq!(at(AT).verify(&headers(&[(TIMESTAMP, "1531420618")]), BODY), Err(SignatureRefused::NotSigned));
    }

    #[test]
    fn a_header_that_is_there_twice_is_refused() {
        for twice in [SIGNATURE, TIMESTAMP] {
            let mut sent = headers(&[(TIMESTAMP, "1531420618"), (SIGNATURE, KNOWN)]);
            let value = sent[twice].clone();
            sent.append(twice, value);
            assert_eq!(at(AT).verify(&sent, BODY), Err(SignatureRefused::NotSigned), "{twice}");
        }
    }

    #[test]
    fn a_timestamp_that_is_no_plain_number_is_refused_even_if_it_is_signed() {
        for timestamp in ["", "abc", "-1531420618", "+1531420618", "1531420618.0", " 1531420618", "0x5b4", "99999999999999999999"]
        {
            let sent = headers(&[(TIMESTAMP, timestamp), (SIGNATURE, &signed(timestamp))]);
            assert_eq!(at(AT).verify(&sent, BODY), Err(SignatureRefused::NotSigned), "{timestamp}");
        }
        assert_eq!(at(AT).verify(&headers(&[(SIGNATURE, KNOWN)]), BODY), Err(SignatureRefused::NotSigned));
    }

    #[test]
    fn five_minutes_are_allowed_in_both_directions_and_not_a_second_more() {
        for (offset, is_taken) in
            [(300, true), (301, false), (-300, true), (-301, false), (0, true), (i64::from(u32::MAX), false)]
        {
            let sent = headers(&[(TIMESTAMP, "1531420618"), (SIGNATURE, KNOWN)]);
            let expected = if is_taken { Ok(()) } else { Err(SignatureRefused::NotFromNow(offset)) };
            assert_eq!(at(AT + offset).verify(&sent, BODY), expected, "{offset}");
        }
    }

    #[test]
    fn two_secrets_are_valid_at_once_and_one_that_was_replaced_no_more() {
        let sent = headers(&[(TIMESTAMP, "1531420618"), (SIGNATURE, KNOWN)]);
        let (old, new) = (|| Token::new(SECRET), || Token::new("f00dfeedf00dfeedf00dfeedf00dfeed"));
        let secrets = LiveToken::new(new(), Some(old()));
        let signatures = Signatures::new(secrets.clone(), Clock::starting_at(jiff::Timestamp::from_second(AT).unwrap()));
        assert_eq!(signatures.verify(&sent, BODY), Ok(()));
        secrets.replace(new(), None);
        assert_eq!(signatures.verify(&sent, BODY), Err(SignatureRefused::NotSigned));
        secrets.replace(old(), Some(new()));
        assert_eq!(signatures.verify(&sent, BODY), Ok(()));
    }

    #[test]
    fn only_what_slack_signed_says_anything_about_the_clock() {
        let sent = headers(&[(TIMESTAMP, "1531420618"), (SIGNATURE, &KNOWN.replace('a', "b"))]);
        assert_eq!(at(AT + 600).verify(&sent, BODY), Err(SignatureRefused::NotSigned));
    }
}
