//! Messages.

use super::{Paths, block, line, plain, text};
use crate::chart::{self, Chart, Size};
use crate::chat::Message;
use crate::chat::Posted;
use crate::chat::compose;
use crate::chat::document::{Attachment, Content, Control, MenuItem, Part, Quote, StepLine, StepState, Tone};
use crate::model::{Action, Investigation, InvestigationId};
use crate::redact::SafeText;
use crate::report::time::moment;
use crate::report::{Phrase, Report, Span};
use maud::{Markup, PreEscaped, html};

/// The id of the form that buttons of messages belong to.
pub(super) const ACT: &str = "act";

/// A chart as the page draws it: in its own colours, and narrower where the screen is.
pub(in super::super) struct DrawnChart {
    wide: Chart,
    narrow: Chart,
}

impl DrawnChart {
    /// The timeline, where anything has a time.
    pub(super) fn timeline(investigation: &Investigation) -> Option<DrawnChart> {
        Some(DrawnChart { wide: chart::draw(investigation, Size::Wide)?, narrow: chart::draw(investigation, Size::Narrow)? })
    }

    /// The way through the network, where it is broken.
    pub(super) fn network(investigation: &Investigation) -> Option<DrawnChart> {
        Some(DrawnChart {
            wide: chart::network(investigation, Size::Wide)?,
            narrow: chart::network(investigation, Size::Narrow)?,
        })
    }

    /// Drawn here, with every text in it escaped.
    pub(super) fn markup(&self) -> Markup {
        html! {
            div class="timeline wide" { (PreEscaped(self.wide.svg())) }
            div class="timeline narrow" { (PreEscaped(self.narrow.svg())) }
        }
    }
}

/// What a page shows of an investigation beyond its messages, which are written for every platform.
pub(in super::super) struct Enrichment {
    charts: Vec<DrawnChart>,
    /// The lines of the messages that begin the list of what was ruled out, and the whole list.
    ruled_out: Option<(Vec<SafeText>, Markup)>,
}

impl Enrichment {
    /// What there is of an investigation.
    pub(in super::super) fn of(investigation: &Investigation) -> Enrichment {
        let report = Report::new(investigation);
        let listing = compose::ruled_out(&report).and_then(lines_of);
        Enrichment {
            charts: DrawnChart::timeline(investigation).into_iter().chain(DrawnChart::network(investigation)).collect(),
            ruled_out: listing.map(|listing| (listing, ruled_out(&report))),
        }
    }
}

/// The lines of a message that is a list.
fn lines_of(message: Message) -> Option<Vec<SafeText>> {
    message.parts.into_iter().find_map(|part| match part {
        Part::Section { lines, .. } => Some(lines),
        _ => None,
    })
}

/// True for a message with these lines in it.
fn has_lines(message: &Message, wanted: &[SafeText]) -> bool {
    message.parts.iter().any(|part| matches!(part, Part::Section { lines, .. } if lines == wanted))
}

/// The name of the thought that lists what was ruled out.
pub(super) const RULED_OUT: &str = "ruled-out";

/// Every cause that was ruled out, with what speaks against it; closed until somebody opens it.
pub(super) fn ruled_out(report: &Report) -> Markup {
    html! {
        details class="fold" {
            summary { "All " (report.ruled_out.len()) ", with what speaks against each" }
            ul {
                @for ruled_out in &report.ruled_out {
                    li { strong { (ruled_out.cause.title()) } " — " (text(&ruled_out.because)) }
                }
            }
        }
    }
}

/// The investigations that the messages of a thread are about.
pub(in super::super) fn investigations_of(messages: &[Posted]) -> Vec<InvestigationId> {
    messages.iter().filter_map(|posted| investigation_of(&posted.message).cloned()).collect()
}

/// A message of a thread, with what `more` has for it. That is of the last run: a message of an earlier one stays as it is.
pub(super) fn posted(paths: &Paths, root: &str, posted: &Posted, more: &[Enrichment]) -> Markup {
    let message = &posted.message;
    let investigation = investigation_of(message);
    html! {
        article id={ "m-" (plain(&posted.id)) } class="message" tabindex="-1" data-tone=(tone(message.tone)) {
            header {
                (heading(message))
                time datetime=(posted.at) { (moment(posted.at, posted.at)) }
            }
            (parts(paths, &message.parts))
            @for (listing, whole) in more.iter().filter_map(|more| more.ruled_out.as_ref()) {
                @if has_lines(message, listing) { (whole) }
            }
            @if !message.attachments.is_empty() {
                div class="files" {
                    @for (at, file) in message.attachments.iter().enumerate() {
                        (attached(file, more, &format!("{}/files/{}/{at}", paths.thread(root), plain(&posted.id))))
                    }
                }
            }
            @if !message.controls.is_empty() { (controls(&message.controls)) }
            @if let Some(id) = investigation {
                p class="more" { a href=(paths.investigation(id)) { "Report page with timeline and evidence" } }
            }
        }
    }
}

/// The title; a long one is cut by the style, and whole for who points at it.
fn heading(message: &Message) -> Markup {
    html! { h2 class="clamp" title=(line(&message.title)) { (mark(message.tone)) (text(&message.title)) } }
}

/// What one person alone is told. A refusal interrupts whoever listens instead of looking.
pub(super) fn notice(paths: &Paths, message: &Message) -> Markup {
    let role = (message.tone == Tone::Warning).then_some("alert");
    html! {
        div role=[role] {
            article class="message notice" data-tone=(tone(message.tone)) {
                header { (heading(message)) }
                (parts(paths, &message.parts))
                @if !message.controls.is_empty() { (controls(&message.controls)) }
            }
        }
    }
}

/// The investigation that a message's buttons belong to, when it is a verdict: it can be rerun.
fn investigation_of(message: &Message) -> Option<&InvestigationId> {
    let buttons = message.controls.iter().filter_map(|control| match control {
        Control::Button(choice) => Some(choice),
        Control::Copy(_) | Control::Select { .. } => None,
    });
    let rerun = buttons.map(|choice| &choice.token).find(|token| token.action == Action::RerunAll);
    rerun.map(|token| &token.investigation)
}

pub(super) fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Working => "working",
        Tone::Bad => "bad",
        Tone::Warning => "warning",
        Tone::Good => "good",
        Tone::Neutral => "neutral",
    }
}

/// The colour of a message as a mark; its words say the same.
pub(super) fn mark(tone: Tone) -> Markup {
    match tone {
        Tone::Neutral => html! {},
        _ => html! { span class="mark" aria-hidden="true" {} },
    }
}

pub(super) fn parts(paths: &Paths, parts: &[Part]) -> Markup {
    html! { @for part in parts { (one(paths, part)) } }
}

fn one(paths: &Paths, part: &Part) -> Markup {
    match part {
        Part::Context(items) => context(items),
        Part::Facts(phrases) => facts(phrases),
        Part::Section { label, lines } => html! {
            section {
                h3 { (text(label)) }
                @if let [line] = lines.as_slice() {
                    p { (text(line)) }
                } @else {
                    ul { @for line in lines { li { (text(line)) } } }
                }
            }
        },
        Part::Quotes { label, quotes } => html! {
            section {
                h3 { (text(label)) }
                @if quotes.iter().all(|quote| quote.source.as_str().is_empty()) {
                    (transcript(&line(label), quotes))
                } @else {
                    @for quote in quotes { (proof(quote)) }
                }
            }
        },
        Part::Commands(commands) => html! { @for command in commands { (pasteable(command)) } },
        Part::Caution(caution) => html! { p class="caution" { strong { "Caution" } " " (text(caution)) } },
        Part::Links(links) => html! {
            ul class="links" { @for link in links { @if let Some(address) = address(link) {
                li { a href=(address) target="_blank" rel="noopener noreferrer" { (text(link)) } }
            } } }
        },
        Part::Steps(lines) => steps(lines),
        Part::Cause(cause) => html! {
            p class="more" { "Cause: " a href=(paths.cause(cause.id.as_str())) { (text(&cause.id)) } }
        },
    }
}

fn context(items: &[SafeText]) -> Markup {
    html! { p class="context" { @for item in items { span { (text(item)) } " " } } }
}

/// Small print with moments; the page's script turns those into its reader's own time.
fn facts(phrases: &[Phrase]) -> Markup {
    html! {
        p class="context" {
            @for phrase in phrases {
                span {
                    @for span in phrase.spans() {
                        @match span {
                            Span::Text(words) => (spaced(words)),
                            Span::Moment { at, utc } => { time class="local" datetime=(at) title=(utc) { (utc) } }
                        }
                    }
                } " "
            }
        }
    }
}

/// Words with the spaces around them that part them from a moment.
fn spaced(words: &SafeText) -> Markup {
    html! {
        @if words.as_str().starts_with(' ') { " " }
        (text(words))
        @if words.as_str().ends_with(' ') { " " }
    }
}

/// Log lines or a document, under one another.
fn transcript(label: &str, quotes: &[Quote]) -> Markup {
    html! {
        div class="transcript" tabindex="0" role="region" aria-label=(label) {
            @for quote in quotes {
                div { span class="when" { (text(&quote.lead)) } code { (block(&quote.text)) } }
            }
        }
    }
}

fn proof(quote: &Quote) -> Markup {
    html! {
        figure class="proof" {
            figcaption { strong { (text(&quote.lead)) } " " (text(&quote.source)) }
            code { (block(&quote.text)) }
        }
    }
}

fn pasteable(command: &SafeText) -> Markup {
    html! {
        div class="command" {
            pre tabindex="0" role="group" aria-label="Command to paste" { code { (block(command)) } }
            button type="button" class="copy" hidden { "Copy" }
        }
    }
}

/// Only addresses of the web, and only plain ones.
fn address(link: &SafeText) -> Option<&str> {
    let address = link.as_str();
    let plain = address.chars().all(|c| c.is_ascii_graphic() && !"<>\"'`\\".contains(c));
    (plain && address.starts_with("https://")).then_some(address)
}

fn steps(lines: &[StepLine]) -> Markup {
    html! {
        ol class="steps" {
            @for line in lines {
                li data-state=(state(line.state)) {
                    span class="state" aria-hidden="true" {}
                    span class="name" { span class="number" { (line.number) } " " (text(&line.name)) }
                    span class="saw" {
                        @if line.summary.as_str().is_empty() {
                            span class="quiet" { (spoken(line.state)) }
                        } @else {
                            @if matches!(line.state, StepState::Denied | StepState::Broken) {
                                strong { (spoken(line.state)) } ": "
                            } @else if matches!(line.state, StepState::Trouble | StepState::Nothing) {
                                span class="unseen" { (spoken(line.state)) ": " }
                            }
                            (text(&line.summary))
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn state(state: StepState) -> &'static str {
    match state {
        StepState::Waiting => "waiting",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::Fine => "fine",
        StepState::Trouble => "trouble",
        StepState::Nothing => "nothing",
        StepState::Denied => "denied",
        StepState::Broken => "broken",
        StepState::Skipped => "skipped",
    }
}

fn spoken(state: StepState) -> &'static str {
    match state {
        StepState::Waiting => "waits",
        StepState::Running => "looking …",
        StepState::Done => "done",
        StepState::Fine => "fine",
        StepState::Trouble => "the trouble",
        StepState::Nothing => "nothing there",
        StepState::Denied => "not permitted",
        StepState::Broken => "no answer",
        StepState::Skipped => "not asked",
    }
}

fn controls(controls: &[Control]) -> Markup {
    html! {
        div class="controls" role="group" aria-label="What to do next" {
            @for control in controls {
                @match control {
                    Control::Button(choice) => (button(choice)),
                    // Every command of the page has a button that copies it.
                    Control::Copy(_) => {}
                    Control::Select { placeholder, choices } => {
                        details class="menu" {
                            summary { (text(placeholder)) }
                            div { @for choice in choices { (button(choice)) } }
                        }
                    }
                }
            }
        }
    }
}

fn button(choice: &MenuItem) -> Markup {
    let is_primary = choice.token.action == Action::RerunAll;
    html! {
        button type="submit" form=(ACT) name="token" value=(choice.token) class=[is_primary.then_some("primary")] {
            (text(&choice.label))
        }
    }
}

fn attached(file: &Attachment, more: &[Enrichment], path: &str) -> Markup {
    let description = line(&file.description);
    // What says the same shows the same.
    let mut charts = more.iter().flat_map(|more| &more.charts);
    let drawn = charts.find(|chart| *chart.wide.description() == file.description);
    match (&file.content, drawn) {
        (Content::Png(_), Some(chart)) => html! {
            div class="drawn" {
                (chart.markup())
                p class="more" { a href=(path) { "As a picture" } }
            }
        },
        (Content::Png(_), None) => html! {
            a class="picture" href=(path) { img src=(path) alt=(description) loading="lazy"; }
        },
        (Content::Text(_), _) => html! {
            a class="file" href=(path) download=(file.name) { strong class="clamp" title=(file.name) { (file.name) } " " span { (description) } }
        },
    }
}
