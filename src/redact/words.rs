//! What one word reads like: an ordinary word, a term, a mask, an id, or a name that tells of a secret.

/// Whether a text is a path of plain words, each with a number at its end at the most, as names of secrets are: `app1/mysql-2024`.
pub(super) fn is_name(text: &str) -> bool {
    const MAX_DIGITS: usize = 4;
    text.split(['/', '-', '_', '.']).all(|part| {
        let word = part.trim_end_matches(|char: char| char.is_ascii_digit());
        let rest = word.get(1..).unwrap_or_default();
        let one_case = rest.bytes().all(|byte| byte.is_ascii_lowercase()) || word.bytes().all(|byte| byte.is_ascii_uppercase());
        part.len() - word.len() <= MAX_DIGITS && one_case && word.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// Whether a text is several words of a name, or an abbreviation with a number: `app_1`, `NOT_SET`, `RSA2048`.
pub(super) fn is_term(text: &str) -> bool {
    let is_abbreviation = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit());
    let is_measure = unit.len() < text.len() && unit.bytes().all(|byte| byte.is_ascii_alphabetic()) && unit.len() <= 5;
    is_name(text) && (is_abbreviation || text.contains(['/', '-', '_', '.'])) || is_measure
}

/// Whether a text is neither a word nor a version: it has digits, capitals within, or punctuation.
pub(super) fn is_no_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_alphabetic);
    let capitals = bytes.iter().skip(1).any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    let signs = bytes.iter().any(|byte| byte.is_ascii_punctuation() && !b"-_.,:;()[]{}\"'<>\\".contains(byte));
    digits || capitals || signs
}

/// Whether a program has masked the value itself: `***`, `xxxx`.
pub(super) fn is_mask(value: &str) -> bool {
    let all = |mask: char| value.chars().all(|char| char.to_ascii_lowercase() == mask);
    all('*') || all('•') || (all('x') && value.len() >= 3)
}

/// The longest name a secret can have (Secrets Manager API Reference, `CreateSecret`).
pub(super) const MAX_SECRET_NAME: usize = 512;

/// Whether a key says only that what it holds is the value, as in `{"password": {"S": "…"}}`.
pub(super) fn names_a_value(key: &str) -> bool {
    ["s", "value", "plain", "plaintext", "text"].iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// Whether a key of a JSON object names a secret, so that its value must be hidden whatever it looks like.
pub(super) fn names_a_secret(key: &str) -> bool {
    const NOUNS: [&str; 27] = [
        "password",
        "pswd",
        "passwort",
        "kennwort",
        "motdepasse",
        "contrasena",
        "senha",
        "wachtwoord",
        "passwd",
        "passphrase",
        "pwd",
        "secretstring",
        "secretbinary",
        "secretvalue",
        "secretkey",
        "secretaccesskey",
        "privatekey",
        "apikey",
        "accesstoken",
        "authtoken",
        "sessiontoken",
        "securitytoken",
        "refreshtoken",
        "clientsecret",
        "signingsecret",
        "authorization",
        "cookie",
    ];
    const EXACT: [&str; 3] = ["token", "pass", "connectionstring"];
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect();
    let noun = key.trim_end_matches(|char: char| char.is_ascii_digit());
    NOUNS.iter().any(|secret| noun.ends_with(secret)) || EXACT.contains(&noun)
}

/// Whether a value is a UUID with its hyphens, as ids of secret versions and requests are. Without them it is as likely a key.
pub(super) fn is_uuid(value: &str) -> bool {
    const HYPHENATED: usize = 36;
    value.len() == HYPHENATED && uuid::Uuid::try_parse(value).is_ok()
}
