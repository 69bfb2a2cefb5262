//! The report for a terminal: the verdict first, then what proves it, then what to do.

use super::outlook;
use super::paths;
use super::wording::{self, Mark};
use super::{Report, ReportedFinding, StepMark};
use crate::model::PathState;
use crate::redact::SafeText;
use crate::safe_format;
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The column where a section's text begins.
const MARGIN: usize = 16;
/// The column where a step's summary begins.
const STEP_MARGIN: usize = 23;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const COMMAND: Style = AnsiColor::Cyan.on_default();

/// The report in lines of at most `width` columns; commands are never wrapped. Colours are ANSI sequences for the
/// writer to keep or strip.
#[must_use]
pub fn text(report: &Report, width: usize) -> String {
    let mut page = TextPage { out: String::new(), width };
    let mark = wording::mark(report);
    let verdict = format!("{} {}", mark.circle(), wording::headline(report));
    page.paragraph(0, 3, &verdict, colour(mark).bold());
    // A part is kept whole: it wraps between parts only.
    let context: Vec<String> = wording::context(report).iter().map(|part| part.in_utc().replace(' ', "\u{a0}")).collect();
    page.paragraph(0, 0, &context.join(" · "), DIM);
    page.blank();
    if let Some(finding) = report.leading() {
        verdict_of(&mut page, report, finding);
    }
    page.section("Next", &outlook::ending(report), 0);
    if report.leading().is_none() && !report.plan.is_empty() {
        page.label("Fix");
        page.line(0, "before it is due:", Style::new());
        plan(&mut page, report, &[]);
    }
    page.section("Fix", outlook::advice_without_commands(report).as_slice(), 0);
    let near = wording::near_names(report);
    if !near.is_empty() {
        page.section("Did you mean", &near, 0);
    }
    page.section("Look next", &wording::numbered(&wording::next_looks(report)), 0);
    let (also, more) = wording::also(report);
    page.section("Also", &also, more);
    let (changes, more) = wording::changes(report);
    page.section("Changes", &changes, more);
    page.section("Others", wording::comparison(report).as_slice(), 0);
    page.section("Code", &wording::code(report), 0);
    page.section("Consumers", &wording::consumers(report), 0);
    network(&mut page, report);
    page.blank();
    steps(&mut page, report);
    page.blank();
    let (ruled_out, more) = wording::ruled_out(report);
    if !ruled_out.is_empty() {
        let rest = match more {
            0 => SafeText::default(),
            1 => " · and 1 other cause".into(),
            more => safe_format!(" · and {} other causes", more),
        };
        page.section("Ruled out", &[safe_format!("{}{}", SafeText::join(ruled_out, " · "), rest)], 0);
    }
    let (open, more) = wording::not_checked(report);
    page.section("Not checked", &open, more);
    let permissions = wording::permissions_to_add(report);
    if !permissions.is_empty() {
        page.section("To see more", &[safe_format!("allow {}", SafeText::join(permissions, ", "))], 0);
    }
    page.paragraph(0, 0, &wording::footer(report), DIM);
    page.out.replace('\u{a0}', " ")
}

/// In the order of need: what happened, what to do, what proves it.
fn verdict_of(page: &mut TextPage, report: &Report, finding: &ReportedFinding) {
    page.section("What happened", &[wording::what_happened(finding)], 0);
    fix(page, report, finding);
    let (proofs, more) = wording::proofs(report, finding);
    for (at, proof) in proofs.iter().enumerate() {
        page.label(if at == 0 { "Proof" } else { "" });
        page.fill(MARGIN, MARGIN + 8, &format!("{}  {}", proof.step, proof.text), Style::new());
        page.line(MARGIN + 8, &proof.source, DIM);
    }
    page.more(more);
}

fn fix(page: &mut TextPage, report: &Report, finding: &ReportedFinding) {
    let remediation = &finding.remediation;
    page.section("Fix", &[outlook::fix(report, finding)], 0);
    plan(page, report, &remediation.commands);
    for link in &remediation.links {
        page.line(MARGIN, &link.single_line(), DIM);
    }
    page.line(MARGIN, &format!("More: {}", wording::more_about(finding)), DIM);
}

/// The commands with what could be lost, what each does, what they are worth together, what they need, and how to take them back.
fn plan(page: &mut TextPage, report: &Report, commands: &[SafeText]) {
    for caution in outlook::cautions(report) {
        page.paragraph(MARGIN, MARGIN + 2, &format!("⚠ {caution}"), AnsiColor::Yellow.on_default());
    }
    for (number, step) in report.plan.iter().enumerate() {
        page.line(MARGIN + 2, &format!("# {}. {}", number + 1, step.effect.single_line()), DIM);
        for line in wording::command_lines(&step.command) {
            page.line(MARGIN + 2, &line, COMMAND);
        }
    }
    if report.plan.is_empty() {
        for line in commands.iter().flat_map(wording::command_lines) {
            page.line(MARGIN + 2, &line, COMMAND);
        }
    }
    if let Some(worth) = outlook::worth(report) {
        page.paragraph(MARGIN, MARGIN, &worth, Style::new());
    }
    let needs = outlook::needs(report);
    if !needs.is_empty() {
        page.paragraph(MARGIN, MARGIN, &format!("You need {}.", SafeText::join(needs, ", ")), DIM);
    }
    let undo = outlook::undo(report);
    if !undo.is_empty() {
        page.label("Undo");
        page.line(2, &format!("# {}", outlook::UNDO_ORDER), DIM);
    }
    if let Some(caution) = outlook::undo_caution(report) {
        page.paragraph(MARGIN, MARGIN + 2, &format!("⚠ {caution}"), AnsiColor::Yellow.on_default());
    }
    for line in undo.into_iter().flat_map(wording::command_lines) {
        page.line(MARGIN + 2, &line, DIM);
    }
}

/// The ways through the network, with the hop that stops one marked.
fn network(page: &mut TextPage, report: &Report) {
    for (nth, path) in paths::worth_showing(report).iter().enumerate() {
        page.label(if nth == 0 { "Network" } else { "" });
        page.fill(MARGIN, MARGIN + 2, &paths::title(path), Style::new());
        for hop in path.hops.iter().filter(|_| path.state != PathState::Reachable) {
            let style = match hop.state {
                PathState::Reachable => DIM,
                PathState::Unknown => AnsiColor::Yellow.on_default(),
                PathState::Blocked => AnsiColor::Red.on_default(),
            };
            page.paragraph(MARGIN + 2, MARGIN + 4, &paths::hop(hop), style);
        }
    }
}

fn steps(page: &mut TextPage, report: &Report) {
    for step in &report.steps {
        let style = match step.mark {
            StepMark::Fine => AnsiColor::Green.on_default(),
            StepMark::Trouble => AnsiColor::Red.on_default(),
            StepMark::Nothing | StepMark::Unasked => DIM,
            StepMark::Unseen => AnsiColor::Yellow.on_default(),
        };
        let mark = step.mark.sign();
        let label = format!("{} {}", step.number, step.name.label());
        page.out.push_str(&format!("{style}{mark}{style:#} {label:<width$}", width = STEP_MARGIN - 2));
        page.fill(STEP_MARGIN, STEP_MARGIN, &wording::step_summary(step), Style::new());
    }
    page.paragraph(0, 0, StepMark::LEGEND, DIM);
}

fn colour(mark: Mark) -> Style {
    match mark {
        Mark::Red => AnsiColor::Red,
        Mark::Yellow => AnsiColor::Yellow,
        Mark::Green => AnsiColor::Green,
    }
    .on_default()
}

struct TextPage {
    out: String,
    width: usize,
}

impl TextPage {
    fn blank(&mut self) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn line(&mut self, indent: usize, text: &str, style: Style) {
        self.out.push_str(&format!("{:indent$}{style}{text}{style:#}\n", ""));
    }

    /// A label in the margin; the text follows on the same line.
    fn label(&mut self, label: &str) {
        self.out.push_str(&format!("{BOLD}{label}{BOLD:#}{:pad$}", "", pad = MARGIN.saturating_sub(label.width())));
    }

    /// A label and its paragraphs; nothing where there are none.
    fn section(&mut self, label: &str, paragraphs: &[SafeText], more: usize) {
        for (at, paragraph) in paragraphs.iter().enumerate() {
            self.label(if at == 0 { label } else { "" });
            self.fill(MARGIN, MARGIN, paragraph, Style::new());
        }
        self.more(more);
    }

    fn more(&mut self, more: usize) {
        if more > 0 {
            self.line(MARGIN, &format!("and {more} more"), DIM);
        }
    }

    /// Wrapped text; its first line begins at `first`, the others at `indent`.
    fn paragraph(&mut self, first: usize, indent: usize, text: &str, style: Style) {
        self.out.push_str(&" ".repeat(first));
        self.fill(first, indent, text, style);
    }

    /// Wrapped text; `column` is where its first line begins, and the page already stands there.
    fn fill(&mut self, column: usize, indent: usize, text: &str, style: Style) {
        for (at, line) in wrap(text, self.width.saturating_sub(column), self.width.saturating_sub(indent)).iter().enumerate() {
            let indent = if at == 0 { 0 } else { indent };
            self.line(indent, line, style);
        }
    }
}

/// Breaks `text` at spaces into lines of at most `first` columns, then `rest`; a longer word is broken where it must be.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = first.max(1);
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end_matches(' ');
        if bare.width() > room && bare.width() <= rest && lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
            room = rest.max(1);
        }
        for c in word.chars() {
            let width = c.width().unwrap_or(0);
            if width > room && c != ' ' {
                lines.push(String::new());
                room = rest.max(1);
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            room = room.saturating_sub(width);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces_and_long_words_where_they_must() {
        assert_eq!(wrap("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(wrap("one twothreefour", 7, 7), ["one two", "threefo", "ur"]);
        assert_eq!(wrap("", 7, 7), [""]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(wrap("日本 日本", 5, 5), ["日本", "日本"]);
    }
}
