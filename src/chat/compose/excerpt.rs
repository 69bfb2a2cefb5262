//! What the verdict shows of the fix and its reasons: as much of each as a phone's screen has room for, in the order of need. A
//! command is shown whole or left to the thread.

use crate::chat::document::Quote;
use crate::redact::SafeText;
use crate::report::wording::{self, beginning};
use crate::report::{Report, outlook};
use crate::safe_format;

/// How much of the one proof in the channel is shown, in characters; the whole stands in the thread.
const PROOF: usize = 280;
/// How much of it is shown before other texts grow beyond their first sentences.
const SHORT_PROOF: usize = 93;
/// How much of it is shown at least: a line of a phone. It grows line by line.
const LINE_OF_PROOF: usize = 31;
/// How much of a text is shown, in characters, where not even its first sentence has room.
const SHORT: usize = 160;

/// How the message in the thread begins that has the fix whole, where the verdict has not.
pub(super) const WHOLE_FIX: &str = "The whole fix";

/// The fix and its reasons, or a part of each of them; empty where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Excerpt {
    pub(super) happened: SafeText,
    pub(super) summary: SafeText,
    pub(super) warning: SafeText,
    /// The first commands of the fix, as they are pasted.
    pub(super) commands: Vec<SafeText>,
    /// What the commands are worth together.
    pub(super) worth: Option<SafeText>,
    pub(super) proof: Option<Quote>,
}

impl Excerpt {
    /// All that could be shown.
    pub(super) fn whole(report: &Report) -> Excerpt {
        let warning = SafeText::join(outlook::cautions(report), " ");
        let Some(finding) = report.leading() else {
            return match outlook::permission_command(report) {
                Some(command) => {
                    let summary = "Nothing could be looked at: allow rotation-diag to read, and rerun.";
                    Excerpt { summary: summary.into(), commands: vec![command], ..Excerpt::default() }
                }
                None => {
                    let commands = commands(report, &[]);
                    let summary = if commands.is_empty() { SafeText::default() } else { "Before it is due:".into() };
                    Excerpt { summary, warning, commands, worth: outlook::worth(report), ..Excerpt::default() }
                }
            };
        };
        let remediation = &finding.remediation;
        let proof = wording::proofs(report, finding).0.into_iter().next();
        Excerpt {
            happened: wording::briefly(&finding.explanation),
            summary: outlook::fix(report, finding),
            warning,
            commands: commands(report, &remediation.commands),
            worth: outlook::worth(report),
            proof: proof.map(|proof| Quote { lead: proof.step, text: proof.text.cut(PROOF), source: proof.source }),
        }
    }

    /// As much of it as `fits`, in the order of need: what could be lost, the first command, the fix in words, what it is worth, what
    /// happened and the proof, each with its beginning; then all of the commands, or else more of each.
    pub(super) fn fitting(&self, fits: impl Fn(&Excerpt) -> bool) -> Excerpt {
        let mut shown = Excerpt {
            happened: least(&self.happened),
            summary: least(&self.summary),
            warning: least(&self.warning),
            commands: Vec::new(),
            worth: None,
            proof: self.quoted(LINE_OF_PROOF),
        };
        shown.grow(&fits, |it| it.warning = first_sentence(&self.warning));
        shown.grow(&fits, |it| it.take_commands(self, 1));
        shown.grow(&fits, |it| it.summary = first_sentence(&self.summary));
        shown.grow(&fits, |it| it.worth = self.worth.clone());
        shown.grow(&fits, |it| it.happened = first_sentence(&self.happened));
        shown.grow(&fits, |it| it.proof = self.quoted(SHORT_PROOF));
        shown.grow(&fits, |it| it.take_commands(self, self.commands.len()));
        shown.fill(&fits, &self.happened, |it, text| it.happened = text);
        shown.fill(&fits, &self.summary, |it, text| it.summary = text);
        shown.fill(&fits, &self.warning, |it, text| it.warning = text);
        while !shown.commands.is_empty()
            && shown.commands.len() < self.commands.len()
            && shown.grow(&fits, |it| it.take_commands(self, it.commands.len() + 1))
        {}
        shown.quote_more_of(self, &fits);
        shown
    }

    /// The same fix with less of its reasons, where it does not fit any more: all of them stand in the thread.
    pub(super) fn with_fewer_reasons(self, fits: impl Fn(&Excerpt) -> bool) -> Excerpt {
        if fits(&self) {
            return self;
        }
        let mut shown = self.with_least_reasons();
        shown.grow(&fits, |it| it.proof = self.quoted(LINE_OF_PROOF));
        shown.fill(&fits, &self.happened, |it, text| it.happened = text);
        shown.quote_more_of(&self, &fits);
        shown
    }

    /// The same fix with as little of its reasons as can be.
    pub(super) fn with_least_reasons(&self) -> Excerpt {
        Excerpt { happened: least(&self.happened), proof: None, ..self.clone() }
    }

    /// True where it has all of the fix that `whole` has.
    pub(super) fn has_fix_of(&self, whole: &Excerpt) -> bool {
        self.has_texts_of(whole) && self.commands == whole.commands
    }

    fn has_texts_of(&self, whole: &Excerpt) -> bool {
        (&self.summary, &self.warning, &self.worth) == (&whole.summary, &whole.warning, &whole.worth)
    }

    /// What of the fix is left to the thread.
    pub(super) fn left_to_thread(&self, whole: &Excerpt) -> Option<SafeText> {
        let more = whole.commands.len().saturating_sub(self.commands.len());
        Some(match (self.commands.len(), more) {
            (_, 0) if self.has_texts_of(whole) => return None,
            (_, 0) => "more about the fix in the thread".into(),
            (0, 1) => safe_format!("the command is long: copy it from “{}” in the thread", WHOLE_FIX),
            (0, more) => safe_format!("the {} commands are long: copy them from “{}” in the thread", more, WHOLE_FIX),
            (_, 1) => "1 more command in the thread".into(),
            (_, more) => safe_format!("{} more commands in the thread", more),
        })
    }

    /// Changes where the change fits.
    fn grow(&mut self, fits: &impl Fn(&Excerpt) -> bool, change: impl FnOnce(&mut Excerpt)) -> bool {
        let mut grown = self.clone();
        change(&mut grown);
        let has_room = fits(&grown);
        if has_room {
            *self = grown;
        }
        has_room
    }

    /// Shows as many sentences of a text as fit, where its first one does.
    fn fill(&mut self, fits: &impl Fn(&Excerpt) -> bool, whole: &SafeText, set: impl Fn(&mut Excerpt, SafeText)) {
        let with = |text: &SafeText| {
            let mut grown = self.clone();
            set(&mut grown, text.clone());
            grown
        };
        let longest = beginning(whole, |text| fits(&with(text)));
        self.grow(fits, |it| set(it, longest));
    }

    /// Shows the first `count` commands.
    fn take_commands(&mut self, whole: &Excerpt, count: usize) {
        self.commands = whole.commands.iter().take(count).cloned().collect();
    }

    fn quote_more_of(&mut self, whole: &Excerpt, fits: &impl Fn(&Excerpt) -> bool) {
        let quoted = self.proof.as_ref().map_or(usize::MAX, |proof| proof.text.chars().count());
        for chars in (LINE_OF_PROOF..PROOF).step_by(LINE_OF_PROOF).chain([PROOF]).filter(|chars| *chars > quoted) {
            if !self.grow(fits, |it| it.proof = whole.quoted(chars)) {
                break;
            }
        }
    }

    /// The beginning of the proof.
    fn quoted(&self, chars: usize) -> Option<Quote> {
        self.proof.as_ref().map(|proof| Quote { text: proof.text.cut(chars), ..proof.clone() })
    }
}

/// The commands of the fix in their order: the plan's, or a finding's own where there is no plan.
fn commands(report: &Report, own: &[SafeText]) -> Vec<SafeText> {
    match report.plan.as_slice() {
        [] => own.iter().map(block).collect(),
        steps => steps.iter().map(|step| block(&step.command)).collect(),
    }
}

/// A command as it is pasted.
pub(super) fn block(command: &SafeText) -> SafeText {
    SafeText::join(wording::command_lines(command), "\n")
}

fn first_sentence(text: &SafeText) -> SafeText {
    beginning(text, |_| false)
}

fn least(text: &SafeText) -> SafeText {
    first_sentence(text).cut(SHORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Excerpt {
        Excerpt {
            happened: "It failed. The role changed.".into(),
            summary: "Attach the policy. Then rotate.".into(),
            warning: "Applications may be cut off. Tell them.".into(),
            commands: vec!["aws one".into(), "aws two".into(), "aws three".into()],
            worth: Some("After this, nothing stands in the way.".into()),
            proof: Some(Quote { lead: "step 4".into(), text: SafeText::redact(&"word ".repeat(50)), source: "logs".into() }),
        }
    }

    /// How much is shown, as a platform may count it.
    fn size(shown: &Excerpt) -> usize {
        let commands: usize = shown.commands.iter().map(|command| command.chars().count()).sum();
        let proof = shown.proof.as_ref().map_or(0, |proof| proof.text.chars().count());
        let worth = shown.worth.as_ref().map_or(0, |worth| worth.chars().count());
        shown.happened.chars().count() + shown.summary.chars().count() + shown.warning.chars().count() + commands + proof + worth
    }

    #[test]
    fn where_there_is_room_all_of_it_is_shown() {
        let shown = whole().fitting(|_| true);
        assert_eq!(shown, whole());
        assert!(shown.has_fix_of(&whole()) && shown.left_to_thread(&whole()).is_none());
    }

    #[test]
    fn where_there_is_none_each_text_has_its_first_sentence_and_the_commands_are_in_the_thread() {
        let shown = whole().fitting(|_| false);
        let texts = [&shown.happened, &shown.summary, &shown.warning].map(|text| text.as_str().to_owned());
        assert_eq!(texts, ["It failed.", "Attach the policy.", "Applications may be cut off."]);
        assert!(shown.commands.is_empty() && shown.worth.is_none() && !shown.has_fix_of(&whole()));
        assert_eq!(
            shown.left_to_thread(&whole()).unwrap_or_default().as_str(),
            "the 3 commands are long: copy them from “The whole fix” in the thread"
        );
    }

    #[test]
    fn whatever_the_room_commands_are_whole_and_in_their_order_and_what_is_left_out_is_told() {
        let whole = whole();
        let mut seen = Vec::new();
        for room in 0..size(&whole) + 10 {
            let shown = whole.fitting(|shown| size(shown) <= room);
            assert!(whole.commands.starts_with(&shown.commands), "{room}");
            assert_eq!(shown.left_to_thread(&whole).is_none(), shown.has_fix_of(&whole), "{room}");
            let least = size(&whole.fitting(|_| false));
            assert!(size(&shown) <= room.max(least), "{room}");
            let note = shown.left_to_thread(&whole).unwrap_or_default();
            if seen.last() != Some(&note) {
                seen.push(note);
            }
        }
        assert!(seen.iter().any(|note| note.as_str() == "2 more commands in the thread"), "{seen:?}");
        assert_eq!(seen.last().map(SafeText::as_str), Some(""));
    }

    #[test]
    fn a_long_command_is_left_to_the_thread_and_a_short_one_after_it_too() {
        let long = SafeText::redact(&format!("aws iam put-role-policy {}", "name ".repeat(180)));
        let whole = Excerpt { commands: vec![long, "aws short".into()], ..whole() };
        let shown = whole.fitting(|shown| size(shown) <= 700);
        assert!(shown.commands.is_empty() && shown.summary == whole.summary, "{shown:?}");
    }

    #[test]
    fn what_became_of_it_takes_nothing_from_the_fix() {
        let shown = whole().fitting(|_| true);
        let left = shown.clone().with_fewer_reasons(|_| false);
        assert!(left.has_fix_of(&shown) && left.proof.is_none());
        assert_eq!(left.happened.as_str(), "It failed.");
        assert_eq!(shown.clone().with_fewer_reasons(|_| true), shown);
        let some = shown.clone().with_fewer_reasons(|it| size(it) <= size(&shown) - 100);
        assert!(some.has_fix_of(&shown) && some.happened == shown.happened, "{some:?}");
        assert!(some.proof.is_some_and(|proof| proof.text.chars().count() > SHORT_PROOF));
    }
}
