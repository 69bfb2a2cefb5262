//! What one word is made of: whether it is a key, a strong password or the like rather than a name.

use super::randomness::randomness;
use super::scan::is_name_char;
use super::words::is_uuid;

/// Characters of a secret access key (IAM User Guide, "Manage access keys").
pub(super) const SECRET_KEY_CHARS: usize = 40;

/// A run of letters and digits this long may be judged by itself. The random parts that CloudFormation and Secrets
/// Manager put behind names have 13 and 6 characters at the most.
const LEAST_RUN: usize = 16;

/// The shortest text that passes for a strong password: the least that Secrets Manager and RDS generate or accept.
const LEAST_PASSWORD: usize = 8;

/// Hexadecimal digits of the shortest key that is told from the ids in names: 128 bits.
const HEX_KEY_CHARS: usize = 32;

/// Whether a value looks made by a generator: eight characters or more, of three classes.
pub(super) fn looks_generated(value: &str) -> bool {
    let has = |class: fn(&u8) -> bool| usize::from(value.as_bytes().iter().any(class));
    let classes = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|byte| byte.is_ascii_punctuation() && !b"-_./@:+=".contains(byte));
    value.len() >= 8 && classes >= 3
}

/// Whether a value is hexadecimal digits and nothing else, as many as a key of 128 bits has.
pub(super) fn is_hex_key(value: &str) -> bool {
    const LEAST_CHARS: usize = 32;
    value.len() >= LEAST_CHARS && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether one word is a key or a strong password rather than a name.
pub(super) fn is_key(word: &str) -> bool {
    !is_uuid(word) && (is_password(word) || is_base64(word) || is_random(word))
}

/// Whether a text has more than a few different characters; one that repeats a few is not random.
pub(super) fn is_varied(word: &str) -> bool {
    const LEAST_DISTINCT_CHARS: usize = 5;
    let mut chars: Vec<char> = word.chars().collect();
    chars.sort_unstable();
    chars.dedup();
    chars.len() >= LEAST_DISTINCT_CHARS
}

/// The kinds of characters in a text, and how long and how random it is.
struct Makeup {
    lower: bool,
    upper: bool,
    digit: bool,
}

impl Makeup {
    fn of(text: &str) -> Makeup {
        let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
        Makeup { lower: has(u8::is_ascii_lowercase), upper: has(u8::is_ascii_uppercase), digit: has(u8::is_ascii_digit) }
    }

    fn classes(&self) -> usize {
        [self.lower, self.upper, self.digit].into_iter().filter(|has| *has).count()
    }
}

/// A password that was made to be strong: several kinds of characters, among them one that words do not have.
pub(super) fn is_password(word: &str) -> bool {
    /// Of a short text of letters and digits only, and of one with punctuation that names may have too.
    const LEAST_RANDOM: i32 = 12;
    const LEAST_RANDOM_WITH_SIGNS: i32 = 0;
    if word.chars().count() < LEAST_PASSWORD {
        return false;
    }
    let Makeup { lower, upper, digit } = Makeup::of(word);
    let classes = Makeup::of(word).classes();
    let (name, end) = word.split_at_checked(word.trim_end_matches('!').len()).unwrap_or((word, ""));
    // `rds!cluster-…`: secrets that a service of AWS manages.
    let name = match name.split_once('!') {
        Some((service, rest)) if service.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => rest,
        _ => name,
    };
    // A colon stands behind a name, quotes around it.
    let is_foreign = |byte: &u8| byte.is_ascii_punctuation() && !b":\"'`".contains(byte) && !is_name_char(*byte);
    let foreign = name.bytes().filter(is_foreign).count();
    if foreign > 0 {
        return classes >= 2 && (digit || (foreign > 1 && randomness(name) >= LEAST_RANDOM_WITH_SIGNS));
    }
    if !end.is_empty() {
        return lower && upper && digit;
    }
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let has_sign = name.contains(['@', '=', '+']) && !name.contains(['/', '.']);
    classes == 3
        && ((has_sign && randomness(name) >= LEAST_RANDOM_WITH_SIGNS)
            || (is_plain && name.len() < LEAST_RUN && randomness(name) >= LEAST_RANDOM))
}

/// Base64 that ends with its padding, or an AWS secret access key or other base64 with its own two signs in it.
fn is_base64(word: &str) -> bool {
    const LEAST_CHARS: usize = 20;
    const LEAST_PADDED: usize = 12;
    const LEAST_RANDOM: i32 = 10;
    /// Of a text that is as long as an AWS secret access key; AWS's own example scores -9, names of that length less than -40.
    const LEAST_RANDOM_OF_KEY: i32 = -12;
    /// A part of a path this long is an id.
    const LEAST_HEX: usize = 16;
    let body = word.trim_end_matches('=');
    let is_alphabet = |sign: fn(u8) -> bool| body.bytes().all(|byte| byte.is_ascii_alphanumeric() || sign(byte));
    let is_standard = is_alphabet(|byte| byte == b'+' || byte == b'/');
    let padding = word.len() - body.len();
    if (1..=2).contains(&padding) && word.len() >= LEAST_PADDED && word.len().is_multiple_of(4) {
        return is_standard || is_alphabet(|byte| byte == b'-' || byte == b'_');
    }
    let least = if word.len() == SECRET_KEY_CHARS { LEAST_RANDOM_OF_KEY } else { LEAST_RANDOM };
    let has_id = body.split('/').any(|part| part.len() >= LEAST_HEX && is_hex(part));
    is_standard && !has_id && body.len() >= LEAST_CHARS && Makeup::of(body).classes() == 3 && randomness(body) >= least
}

/// A key of random letters and digits, alone or as a part of the word.
fn is_random(word: &str) -> bool {
    const LEAST_RANDOM: i32 = 10;
    /// Of letters alone, which abbreviations in a foreign language may come close to.
    const LEAST_RANDOM_LETTERS: i32 = 16;
    let runs = || word.split(|char: char| !char.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
    let is_alone = runs().count() == 1;
    runs().any(|run| {
        if is_hex(run) {
            // Ids in names are hexadecimal too; a name that is nothing else is rarer than a key.
            return is_alone && run.len() >= HEX_KEY_CHARS && run.bytes().any(|byte| byte.is_ascii_alphabetic());
        }
        let run = without_logical_id_hash(run);
        let least = if Makeup::of(run).digit { LEAST_RANDOM } else { LEAST_RANDOM_LETTERS };
        run.len() >= LEAST_RUN && is_varied(run) && randomness(run) >= least
    })
}

/// Whether a text is hexadecimal in one case.
fn is_hex(text: &str) -> bool {
    let is = |letters: fn(u8) -> bool| text.bytes().all(|byte| byte.is_ascii_digit() || letters(byte));
    is(|byte| (b'a'..=b'f').contains(&byte)) || is(|byte| (b'A'..=b'F').contains(&byte))
}

/// Without the eight hexadecimal digits that the CDK ends a logical id with (CDK Developer Guide, "Identifiers").
fn without_logical_id_hash(run: &str) -> &str {
    const HASH_CHARS: usize = 8;
    match run.split_at_checked(run.len().saturating_sub(HASH_CHARS)) {
        Some((id, hash)) if !id.is_empty() && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)) => {
            id
        }
        _ => run,
    }
}
