//! What a line says about the rotation: the step, the secret, the version.

use crate::model::RotationStep;
use regex::Regex;
use std::sync::LazyLock;

/// The places that name a step, the most trustworthy first: the event, a template's prefix, the
/// service's own sentence, a stack frame, a template's announcement, any mention.
const STEP_PATTERNS: [&str; 7] = [
    r#"\bstep\\?["']?\s*[:=]\s*\\?["']?(?P<create>createSecret|create_secret)|\bstep\\?["']?\s*[:=]\s*\\?["']?(?P<set>setSecret|set_secret)|\bstep\\?["']?\s*[:=]\s*\\?["']?(?P<test>testSecret|test_secret)|\bstep\\?["']?\s*[:=]\s*\\?["']?(?P<finish>finishSecret|finish_secret)"#,
    r"\b(?:(?P<create>create_?secret)|(?P<set>set_?secret)|(?P<test>test_?secret)|(?P<finish>finish_?(?:secret|keytab)))\s*:",
    r"during (?:the )?(?:(?P<create>createSecret)|(?P<set>setSecret)|(?P<test>testSecret)|(?P<finish>finishSecret)) step",
    r"(?:\bin |\bat (?:async )?(?:[\w$<>.]+[.$])?|[\w.]\.)(?:(?P<create>create_?secret)|(?P<set>set_?secret)|(?P<test>test_?secret)|(?P<finish>finish_?secret))(?:\b|_)",
    r"(?-i:(?P<create>Creating Secret\b)|(?P<set>Setting Secret\b|Setting the new keytab|Failed to create keytab with new password)|(?P<test>Testing Secret\b)|(?P<finish>Finishing Secret\b))",
    r"(?:(?P<create>\[create_?secret\])|(?P<set>\[set_?secret\])|(?P<test>\[test_?secret\])|(?P<finish>\[finish_?secret\]))",
    r"(?-i:\b(?:(?P<create>createSecret|create_secret)|(?P<set>setSecret|set_secret)|(?P<test>testSecret|test_secret)|(?P<finish>finishSecret|finish_secret))\b)",
];

static STEPS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| STEP_PATTERNS.iter().filter_map(|pattern| Regex::new(&format!("(?i){pattern}")).ok()).collect());

/// The rotation step that `text` names, and how trustworthy the place is (0 is best).
pub(super) fn ranked_step(text: &str) -> Option<(usize, RotationStep)> {
    STEPS.iter().enumerate().find_map(|(rank, pattern)| {
        let found = pattern.captures(text)?;
        let step = [
            ("create", RotationStep::CreateSecret),
            ("set", RotationStep::SetSecret),
            ("test", RotationStep::TestSecret),
            ("finish", RotationStep::FinishSecret),
        ]
        .into_iter()
        .find(|(name, _)| found.name(name).is_some())?;
        Some((rank, step.1))
    })
}

/// The rotation step that `text` names: by event, template prefix, stack frame or mention.
#[must_use]
pub fn rotation_step(text: &str) -> Option<RotationStep> {
    ranked_step(text).map(|(_, step)| step)
}

static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?P<other>(?:master|admin|superuser)(?:_?arn)?\S* (?:secret )?(?:arn )?|masterarn\W+)?(?-i:(?P<arn>arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+))").ok()
});

/// The ARN of the secret that is being rotated, where `text` names it.
///
/// The superuser's secret is passed over, and so is the resource of an access-denied line: it may be either.
#[must_use]
pub fn rotated_secret(text: &str) -> Option<&str> {
    if text.contains("not authorized to perform") {
        return None;
    }
    let arn = SECRET.as_ref()?.captures_iter(text).find(|found| found.name("other").is_none())?.name("arn")?;
    Some(arn.as_str().trim_end_matches('.'))
}

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)ClientRequestToken\\?["']?\s*[:=]\s*\\?["']?(?P<token>[a-z0-9-]{1,64})\b|"#,
        r"\bsecret version (?P<named>[a-z0-9-]{1,64}) (?:has no stage|not set as)|",
        r"\bversion (?:id )?(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    ))
    .ok()
});

/// The version being created (the `ClientRequestToken`), where `text` names it.
#[must_use]
pub fn version(text: &str) -> Option<&str> {
    let found = VERSION.as_ref()?.captures(text)?;
    Some(found.name("token").or(found.name("named")).or(found.name("uuid"))?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_outranks_a_prefix_and_a_prefix_outranks_a_frame() {
        for (text, step) in [
            ("EVENT_DATA: {'Step': 'createSecret'}", Some(RotationStep::CreateSecret)),
            (r#"{"Step":"setSecret","SecretId":"x"}"#, Some(RotationStep::SetSecret)),
            (r#"event {\"Step\":\"testSecret\"}"#, Some(RotationStep::TestSecret)),
            ("test_secret: Successfully tested", Some(RotationStep::TestSecret)),
            ("  File \"/var/task/f.py\", line 3, in set_secret\n", Some(RotationStep::SetSecret)),
            ("    at async setSecret (/var/task/index.js:3:1)", Some(RotationStep::SetSecret)),
            ("\tat com.example.Rotate.finishSecret(Rotate.java:9)", Some(RotationStep::FinishSecret)),
            ("Error when executing lambda x during setSecret step", Some(RotationStep::SetSecret)),
            ("Creating Secret", Some(RotationStep::CreateSecret)),
            ("setSecret: in create_secret", Some(RotationStep::SetSecret)),
            ("An error occurred when calling the CreateSecret operation", None),
            ("A secret was set", None),
        ] {
            assert_eq!(rotation_step(text), step, "{text}");
        }
    }

    #[test]
    fn a_token_need_not_look_like_secrets_managers_own() {
        for (text, token) in [
            (r#"{"ClientRequestToken": "test-token-1", "Step": "createSecret"}"#, Some("test-token-1")),
            ("Secret version abc123 has no stage for rotation of secret a.", Some("abc123")),
            ("put secret version 3f1c2d4e-0000-4000-8000-123456789012", Some("3f1c2d4e-0000-4000-8000-123456789012")),
            ("Runtime Version: python:3.13.v5", None),
            ("a new version of the driver", None),
        ] {
            assert_eq!(version(text), token, "{text}");
        }
    }

    #[test]
    fn the_superuser_secret_and_a_denied_resource_are_not_the_rotated_secret() {
        let own = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf";
        assert_eq!(rotated_secret(&format!("setSecret: done for secret arn {own}.")), Some(own));
        assert_eq!(rotated_secret(&format!("credentials in master secret {own}")), None);
        assert_eq!(rotated_secret(&format!("User: x is not authorized to perform: y on resource: {own}")), None);
    }
}
