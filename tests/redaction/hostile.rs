//! Texts made to break a redactor.

use super::redacted;
use rotation_diag::redact::Redactor;

#[test]
fn every_short_input_and_odd_byte_is_survived() {
    let bytes = 0..=u8::MAX;
    for first in bytes.clone() {
        let one = String::from_utf8_lossy(&[first]).into_owned();
        assert_eq!(redacted(&one), one);
        for second in bytes.clone() {
            let two = String::from_utf8_lossy(&[first, second]).into_owned();
            assert_eq!(redacted(&two), two);
            let assigned = format!("password={two}");
            assert_eq!(redacted(&redacted(&assigned)), redacted(&assigned));
        }
    }
    assert_eq!(redacted(""), "");
    assert_eq!(redacted("a\r\n\0b\u{202e}c"), "a\r\n\0b\u{202e}c");
    assert!(!redacted("password=\0xyzzy").contains("xyzzy"));
    assert!(!redacted("password=\u{1f511}xyzzy").contains("xyzzy"));
}

#[test]
fn hostile_texts_settle_and_do_not_swell() {
    for chunk in include!("../data/hostile-chunks.rs") {
        let text = chunk.repeat((16 << 10) / chunk.len());
        let once = Redactor::default().redact(&text);
        // Every marker stands for a value of at least one byte behind its name.
        assert!(once.text.as_str().len() < 40 * text.len(), "{chunk:?}");
        assert_eq!(Redactor::default().redact(once.text.as_str()).count, 0, "{chunk:?}");
    }
}

#[test]
fn a_secret_at_the_end_of_a_mebibyte_in_one_line_is_hidden() {
    let mut text = "2025-03-01 [INFO] setSecret: Successfully set password for user app_user. ".repeat(15_000);
    text.push_str("password=xyzzy");
    assert!(text.len() > 1 << 20);
    let redacted = Redactor::default().redact(&text);
    assert_eq!(redacted.count, 1);
    assert!(redacted.text.as_str().ends_with("password=[hidden: password]"));
}
