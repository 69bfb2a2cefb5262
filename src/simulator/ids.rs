//! Identifiers that look like AWS's and are the same on every run.

/// FNV-1a, 64 bits: the standard library's hash may change between releases.
pub(super) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A UUID made from `seed`.
pub(super) fn uuid(seed: &str) -> String {
    let high = u128::from(fingerprint(seed));
    let low = u128::from(fingerprint(&format!("{seed}/low")));
    uuid::Builder::from_random_bytes(((high << 64) | low).to_be_bytes()).into_uuid().to_string()
}

/// `length` characters of `alphabet` made from `seed`.
pub(super) fn letters(seed: &str, alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut state = fingerprint(seed);
    (0..length)
        .filter_map(|_| {
            // Knuth's MMIX generator; the high bits are the random ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(state >> 33).ok()? % alphabet.len().max(1);
            alphabet.get(index).copied()
        })
        .collect()
}

/// The six characters Secrets Manager puts behind a secret's name.
pub(super) fn secret_suffix(name: &str) -> String {
    letters(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 6)
}

/// An IAM unique id such as `AROA…` or `ANPA…`.
pub(super) fn iam_id(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", letters(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17))
}
