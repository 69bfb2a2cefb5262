//! What was hidden is counted and named; a cut comes after.

use rotation_diag::redact::{Redactor, SafeText, hold};

#[test]
fn hidden_values_are_counted_and_named() {
    let redactor = Redactor::default();
    let redacted = redactor.redact("user=app password=xyzzy AKIAQ3EGRIGSN7VPL2XY postgres://u:plugh@h/db");
    assert_eq!(
        redacted.text.as_str(),
        "user=app password=[hidden: password] [hidden: aws access key] postgres://u:[hidden: url password]@h/db"
    );
    assert_eq!(redacted.count, 3);
    assert_eq!(redactor.redact(redacted.text.as_str()).count, 0);
    assert_eq!(redactor.redact("nothing to hide").count, 0);
}

#[test]
fn known_secrets_are_masked_wherever_they_occur() {
    let redactor = Redactor::knowing(["s3cr.t+value", "s3cr.t+value-and-more", "tiny", "hidden", ""]);
    let shown = redactor.redact("a s3cr.t+value-and-more, xs3cr.t+valuey, tiny, s3crXt+value, hidden");
    assert_eq!(shown.text.as_str(), "a [hidden: known secret], x[hidden: known secret]y, tiny, s3crXt+value, hidden");
    assert_eq!(shown.count, 2);
    assert_eq!(redactor.redact("token=s3cr.t+value").text.as_str(), "token=[hidden: known secret]");
}

#[test]
fn what_the_process_holds_is_masked_by_every_redactor_and_counted_with_the_rest() {
    hold("kept-by-the-process");
    assert_eq!(SafeText::redact("it is kept-by-the-process").as_str(), "it is [hidden: known secret]");
    let redacted = Redactor::knowing(["told-to-one"]).redact("kept-by-the-process told-to-one told-to-one password=xyzzy");
    assert_eq!(redacted.count, 4, "{}", redacted.text);
}

#[test]
fn a_cut_shows_no_part_of_a_secret() {
    let text = format!("{}password=xyzzyplugh and more", "ä".repeat(20));
    for limit in 0..60 {
        let cut = SafeText::redact(&text).cut(limit);
        assert!(!cut.as_str().contains("xyz"), "{cut}");
        assert!(cut.as_str().chars().count() <= limit);
    }
    assert_eq!(SafeText::redact("short").cut(5).as_str(), "short");
    assert_eq!(SafeText::redact("longer").cut(5).as_str(), "long…");
}
