//! A line under examination: its level, its step, and whether it states an error at all.

use super::tries::Try;
use crate::lambda_log::{Level, rotation_step};
use crate::model::RotationStep;
use regex::Regex;
use std::cell::OnceCell;
use std::sync::LazyLock;

/// A line, with what is read from it only when asked.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// The event the line is a try of; the line itself where it is whole.
    pub(super) event: &'a str,
    /// An exception that was being handled when the next one came.
    pub(super) handled: bool,
    stated_level: Option<Level>,
    level: OnceCell<Level>,
    step: OnceCell<Option<RotationStep>>,
}

/// Words by which a progress line says that it goes on in spite of an error.
static GOES_ON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:retry(?:ing)?|retries|will try|trying|fall(?:ing|s)?[ -]?back|as expected|expected|ignor(?:e[ds]?|ing)|",
        r"(?:first|second|third|next|last) (?:try|attempt)|reconnect(?:ed|ing)?|retryable|proceed(?:ing)?|continu(?:e|ing)|skip(?:ped|ping)?|recover(?:ed|s)?|resolved|handled|succeeded|no error|0 errors|",
        r"not an error|no longer|already (?:deleted|removed|gone)|simulat(?:e[ds]?|ing)|mock(?:ed)?)\b|\bsuccess(?:fully|ful)?\b"
    ))
    .ok()
});

/// The beginning of a sentence about errors that are not there.
static HYPOTHETICAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^\W*(?:check(?:ing|s)?|dry[ -]?run|(?:the )?(?:previous|last)[ _](?:rotation|run|execution).{0,60}?(?:_|\b)(?:fail|err|ended)\w*|(?:error|exception|retry|signal) handlers?|verify(?:ing)?|ensur(?:e|ing)|note|reminder|hint|tip|todo|if|when|whether|docs?|",
        r"documentation|see|read (?:the|this|our|more|about|from)|learn|handl(?:e[sd]?|ing)|catch(?:es|ing)?|config(?:ur(?:ed|ing|ation))?|added|adds|fix(?:ed|es)?|",
        r"feature|release|changelog|runbook|help|usage|example|testing (?:that|whether|for)|looking for|waiting for|",
        r"monitor(?:ing|s)?|alarm|metric|filter|pattern|searching|the alarm|this (?:alarm|metric|runbook|page)|we|you (?:can|may|should)|no (?:errors?|failures?|exceptions?|problems?|issues?|timeouts?|retr(?:y|ies)|need|action|awspending))\b"
    ))
    .ok()
});

/// A line of progress about what is not there. Errors begin so too: `no pg_hba.conf entry`, `No route to host`.
static NOTHING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)^\W*no\b").ok());

/// Codes of errors one after the other, in quotes: a table that the function loads. One code alone may be an error's own.
static LISTS_CODES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let code = r#"["'](?:\d[0-9A-Z]{4}|E[A-Z]{5,}|ORA-\d{5}|\w+(?:Error|Exception))["']"#;
    Regex::new(&format!(r"[\[{{(,]\s*{code}\s*(?:[:=][^,]*)?,\s*{code}\s*[:=,\]}})]")).ok()
});

/// Words of a text about errors: documentation, tests, questions.
static ABOUT_ERRORS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:documentation (?:lists|explains|says|describes)|runbook|explains (?:what|how|why)|means that|possible errors|",
        r"self[- ]?test|test passed|expected (?:failure|error|exception)|why (?:does|do|is|did|would)|how to (?:fix|handle|avoid)|asked|",
        r"for example|e\.g\.)"
    ))
    .ok()
});

/// What a line of progress must hold to be read as an error: an exception, an errno, an error's code.
static NAMES_AN_ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:\b[A-Za-z.]*(?:Error|Exception|Failure)\b|\bFATAL\b|\bORA-\d|\bE[A-Z]{5,}\b|(?i:\berror\b|\bfail(?:ed|ure)\b|\bdenied\b|\bunable to\b|\bcannot\b|\bcould not\b|\bcan.t\b|\btimed out\b|\brefused\b|\binvalid\b|\bnot authorized\b|\bmissing\b|\bnot found\b|\bdoes not exist\b))").ok()
});

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, stated_level: Option<Level>) -> Line<'a> {
        Line { text, event: text, handled: false, stated_level, level: OnceCell::new(), step: OnceCell::new() }
    }

    /// One try of the event `whole`, at the level of the event.
    pub(super) fn of_try(one: &Try<'a>, whole: &Line<'a>) -> Line<'a> {
        Line { handled: one.handled, event: whole.event, ..Line::new(one.text, Some(whole.level())) }
    }

    pub(super) fn level(&self) -> Level {
        *self.level.get_or_init(|| self.stated_level.unwrap_or_else(|| Level::of_text(self.text)))
    }

    pub(super) fn step(&self) -> Option<RotationStep> {
        *self.step.get_or_init(|| rotation_step(self.text).or_else(|| rotation_step(self.event)))
    }

    /// Whether a text that matches a signature is meant as an error.
    ///
    /// Errors and warnings are. A line of progress, or one without a level, is unless it says that the
    /// function goes on, or only speaks about an error.
    pub(super) fn states_an_error(&self) -> bool {
        let said = self.said();
        let only_mentions = || says(&HYPOTHETICAL, said) || says(&ABOUT_ERRORS, said);
        match self.level() {
            Level::Error => true,
            Level::Warning => !says(&RETRIES, said),
            Level::Unstated => self.is_stack_trace() || !only_mentions() && !says(&RETRIES, said),
            Level::Info | Level::Debug => {
                names_an_error(said)
                    && !says(&NOTHING, said)
                    && !only_mentions()
                    && !says(&LISTS_CODES, said)
                    && !says(&GOES_ON, said)
                    && !says(&SDK_TRACE, said)
            }
        }
    }

    /// Whether an error is stated that no signature knows.
    pub(super) fn is_unexplained_error(&self) -> bool {
        self.level() == Level::Error && !says(&NO_FAULT, self.said())
    }

    fn is_stack_trace(&self) -> bool {
        // Go writes `[recovered]` behind a panic that ends the function all the same.
        let is_panic = self.event.starts_with("panic: ");
        is_panic || self.event.contains("Traceback (most recent call last)") || self.event.contains("\n\tat ")
    }

    /// The text behind level, time and request id.
    pub(super) fn said(&self) -> &'a str {
        PREFIX
            .as_ref()
            .and_then(|prefix| prefix.find(self.text))
            .and_then(|prefix| self.text.get(prefix.end()..))
            .unwrap_or(self.text)
    }
}

/// Level, time, request id, thread and logger, in any order.
static PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[\s|:-]*(?:\[[A-Za-z0-9 ._:#-]*\]|\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d\S*)?|",
        r"[0-9a-f]{8}-[0-9a-f-]{27}|undefined\t|(?:trce|dbug|info|warn|fail|crit)\t|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b))*[\s|:-]*",
        r"(?:(?:create|set|test|finish)_?[Ss]ecret: )?"
    ))
    .ok()
});

/// A warning of one attempt of several.
static RETRIES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:retrying|will retry|will be retried|retry (?:in|after|attempt|\d)|trying again|trying (?:with )?(?:the )?(?:AWSCURRENT|AWSPREVIOUS|AWSPENDING|current|previous|pending)|falling back|reconnecting|will reconnect|backing off|sleeping|using (?:the )?default|defaulting to|recovered|polling again|resolved itself|as expected|is expected|is normal)\b").ok()
});

/// What SDKs write of every response when debugging is on.
static SDK_TRACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)botocore|urllib3\.connectionpool|Response (?:body|headers)|Event \S+: calling|retry needed|Making request|boto3\.",
    )
    .ok()
});

/// Error-level lines that deny a fault.
static NO_FAULT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:no errors?\b|0 errors|without errors?|successfully)").ok());

/// What stands between quotes: a description, a tag, a comment, as a user wrote it.
static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"\n]*"|(?:^|[\s(\[{=:,])'[^'\n]*'"#).ok());

/// Whether a line of progress names an error in its own words.
fn names_an_error(said: &str) -> bool {
    let own = QUOTED.as_ref().map(|quoted| quoted.replace_all(said, " "));
    says(&NAMES_AN_ERROR, own.as_deref().unwrap_or(said))
}

fn says(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}
