//! The report for a ticket.

use super::{Report, ReportedFinding, StepMark, line_in_utc};
use super::{outlook, paths, wording};
use crate::redact::SafeText;
use crate::safe_format;
use std::fmt::Write as _;

/// The report in Markdown (CommonMark with tables).
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut page = String::new();
    let mark = wording::mark(report).circle();
    let _ = writeln!(page, "## {mark} {}\n", escape(&wording::headline(report)));
    let _ = writeln!(page, "{}\n", escape(&line_in_utc(&wording::context(report))));
    if let Some(finding) = report.leading() {
        verdict_of(&mut page, report, finding);
    }
    list(&mut page, "Next", &outlook::ending(report), 0);
    if report.leading().is_none() && !report.plan.is_empty() {
        let _ = writeln!(page, "**Fix**, before it is due:\n");
        plan(&mut page, report, &[]);
    }
    list(&mut page, "Fix", outlook::advice_without_commands(report).as_slice(), 0);
    list(&mut page, "Did you mean", &wording::near_names(report), 0);
    let looks = wording::numbered(&wording::next_looks(report));
    if !looks.is_empty() {
        // They bear their numbers.
        let _ = writeln!(page, "**Look next**\n\n{}\n", looks.iter().map(|look| escape(look)).collect::<Vec<_>>().join("\n"));
    }
    let (also, more) = wording::also(report);
    list(&mut page, "Also", &also, more);
    let (changes, more) = wording::changes(report);
    list(&mut page, "Changes", &changes, more);
    list(&mut page, "Other secrets", wording::comparison(report).as_slice(), 0);
    list(&mut page, "Code", &wording::code(report), 0);
    list(&mut page, "Consumers", &wording::consumers(report), 0);
    let network = paths::lines(report);
    if !network.is_empty() {
        let _ = writeln!(page, "**Network**\n\n{}\n", fenced("text", &network));
    }
    steps(&mut page, report);
    let (ruled_out, more) = wording::ruled_out(report);
    list(&mut page, "Ruled out", &ruled_out, more);
    let (open, more) = wording::not_checked(report);
    list(&mut page, "Not checked", &open, more);
    let permissions = wording::permissions_to_add(report);
    if !permissions.is_empty() {
        let actions: Vec<String> = permissions.iter().map(|action| code(action)).collect();
        let _ = writeln!(page, "To see more, allow {}.\n", actions.join(", "));
    }
    let id = report.investigation_id.single_line();
    let _ = writeln!(page, "{} · investigation {}", escape(&wording::footer(report)), code(&id));
    page
}

/// In the order of need: what happened, what to do, what proves it.
fn verdict_of(page: &mut String, report: &Report, finding: &ReportedFinding) {
    let _ = writeln!(page, "**What happened.** {}\n", escape(&wording::what_happened(finding)));
    let remediation = &finding.remediation;
    let _ = writeln!(page, "**Fix.** {}\n", escape(&outlook::fix(report, finding)));
    plan(page, report, &remediation.commands);
    for link in &remediation.links {
        let _ = writeln!(page, "<{}>\n", link.single_line().replace(['<', '>', ' '], ""));
    }
    let _ = writeln!(page, "More: {}\n", code(&wording::more_about(finding)));
    let (proofs, more) = wording::proofs(report, finding);
    let proofs: Vec<String> =
        proofs.iter().map(|proof| format!("{}: {} — {}", proof.step, code(&proof.text), escape(&proof.source))).collect();
    raw_list(page, "Proof", &proofs, more);
}

/// The commands with what could be lost, what each does, what they are worth together, and how to take them back.
fn plan(page: &mut String, report: &Report, commands: &[SafeText]) {
    for caution in outlook::cautions(report) {
        let _ = writeln!(page, "> ⚠ {}\n", escape(&caution));
    }
    let steps = report.plan.iter().enumerate().flat_map(|(number, step)| {
        let effect = safe_format!("# {}. {}", number + 1, step.effect.single_line());
        std::iter::once(effect).chain(wording::command_lines(&step.command))
    });
    let mut lines: Vec<SafeText> = steps.collect();
    if lines.is_empty() {
        lines = commands.iter().flat_map(wording::command_lines).collect();
    }
    if !lines.is_empty() {
        let _ = writeln!(page, "{}\n", fenced("sh", &lines));
    }
    if let Some(worth) = outlook::worth(report) {
        let _ = writeln!(page, "{}\n", escape(&worth));
    }
    let needs: Vec<String> = outlook::needs(report).iter().map(|action| code(action)).collect();
    if !needs.is_empty() {
        let _ = writeln!(page, "You need {}.\n", needs.join(", "));
    }
    let undo: Vec<SafeText> = outlook::undo(report).into_iter().flat_map(wording::command_lines).collect();
    if !undo.is_empty() {
        let caution = outlook::undo_caution(report).map(|caution| format!("> ⚠ {}\n\n", escape(&caution))).unwrap_or_default();
        let _ = writeln!(page, "**Undo**, {}:\n\n{caution}{}\n", outlook::UNDO_ORDER, fenced("sh", &undo));
    }
}

fn steps(page: &mut String, report: &Report) {
    page.push_str("| # | Step | Status | What it found | Calls |\n|--:|---|---|---|--:|\n");
    for step in &report.steps {
        let _ = writeln!(
            page,
            "| {} | {} | {} {} | {} | {} |",
            step.number,
            step.name.label(),
            step.mark.sign(),
            step.status.replace('_', " "),
            escape(&wording::step_summary(step)),
            step.api_calls
        );
    }
    let _ = writeln!(page, "\n{}\n", StepMark::LEGEND);
}

fn list(page: &mut String, title: &str, items: &[SafeText], more: usize) {
    let items: Vec<String> = items.iter().map(|item| escape(item)).collect();
    raw_list(page, title, &items, more);
}

fn raw_list(page: &mut String, title: &str, items: &[String], more: usize) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(page, "**{title}**\n");
    for item in items {
        let _ = writeln!(page, "- {item}");
    }
    if more > 0 {
        let _ = writeln!(page, "- and {more} more");
    }
    page.push('\n');
}

/// Text in which nothing is markup, a mention or a link.
///
/// CommonMark lets every ASCII punctuation character be escaped (section 2.4). Trackers look for `@name`, `#1` and bare
/// addresses after that, in the rendered text, where an escape is gone; an empty comment keeps them apart.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if "\\`*_{}[]<>!|~&$#".contains(c) || ("-+=".contains(c) && escaped.is_empty()) {
            escaped.push('\\');
        }
        escaped.push(c);
        let joins = chars.peek().is_some_and(|next| match c {
            '@' | '#' => next.is_ascii_alphanumeric(),
            ':' => *next == '/',
            '.' => escaped.to_ascii_lowercase().ends_with("www."),
            _ => false,
        });
        if joins {
            escaped.push_str("<!-- -->");
        }
    }
    escaped
}

/// A code span whose fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    // CommonMark takes one space away on each side; they keep a backtick at the edge apart from the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn fenced(language: &str, lines: &[SafeText]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", SafeText::join(lines, "\n"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
