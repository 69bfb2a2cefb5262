//! One investigation on a page of its own, to be shared.

use super::frame::PageFrame;
use super::{Paths, message, text};
use crate::chart::{self, Chart, Size};
use crate::chat::compose::{self, AfterVerdict};
use crate::model::{Investigation, StepName};
use crate::report::{Report, ReportedStep, StepMark, wording};
use axum::response::Html;
use maud::{Markup, PreEscaped, html};

pub(in super::super) fn investigation(
    paths: &Paths,
    investigation: &Investigation,
    thread: Option<&str>,
    note: Option<&str>,
) -> Html<String> {
    let report = Report::new(investigation);
    let verdict = compose::verdict(&report, &investigation.id, 0, &AfterVerdict::default());
    let title = text(&verdict.title);
    let path = paths.investigation(&investigation.id);
    let (timeline, has_timeline) = match (chart::draw(investigation, Size::Wide), chart::draw(investigation, Size::Narrow)) {
        (Some(wide), Some(narrow)) => (timeline(&wide, &narrow), true),
        _ => (Markup::default(), false),
    };
    let network = match (chart::network(investigation, Size::Wide), chart::network(investigation, Size::Narrow)) {
        (Some(wide), Some(narrow)) => Some(network(&wide, &narrow)),
        _ => None,
    };
    let files = [("report.json", "for programs"), ("report.md", "for a ticket"), ("timeline.png", "the timeline")];
    let frame = PageFrame { paths, title: &title, note, again: None, is_live: false, kind: "report" };
    frame.around(&html! {
        main id="main" tabindex="-1" {
            article class="message verdict" data-tone=(message::tone(verdict.tone)) {
                header { h1 { (message::mark(verdict.tone)) (title) } }
                h2 class="unseen" { "Cause, proof and fix" }
                (message::parts(paths, &verdict.parts))
            }
            p class="ways" {
                @if let Some(root) = thread { a href=(paths.thread(root)) { "Open its thread" } " " }
                button type="button" class="copy-link" hidden { "Copy the link to this page" }
            }
            @if let Some(network) = &network { (network) }
            (timeline)
            section class="sheet-part" aria-labelledby="steps" {
                h2 id="steps" { "Nine steps and their evidence" }
                @for step in &report.steps { (step_of(paths, investigation, step, &path)) }
                p class="context" { (StepMark::LEGEND) }
            }
            (rest(paths, &report))
            section class="sheet-part" aria-labelledby="files" {
                h2 id="files" { "Export" }
                ul class="downloads" {
                    @for (name, what) in files.iter().take(if has_timeline { 3 } else { 2 }) {
                        li { a href={ (path) "/files/" (name) } { (name) } " " span class="quiet" { (what) } }
                    }
                    @if network.is_some() {
                        li { a href={ (path) "/files/network.png" } { "network.png" } " " span class="quiet" { "the way through the network" } }
                    }
                }
            }
        }
    })
}

/// Drawn here, with every text in it escaped.
fn timeline(wide: &Chart, narrow: &Chart) -> Markup {
    html! {
        section class="sheet-part" aria-labelledby="timeline" {
            h2 id="timeline" { "Timeline" }
            div class="timeline wide" { (PreEscaped(wide.svg())) }
            div class="timeline narrow" { (PreEscaped(narrow.svg())) }
        }
    }
}

/// Drawn here too.
fn network(wide: &Chart, narrow: &Chart) -> Markup {
    html! {
        section class="sheet-part" aria-labelledby="network" {
            h2 id="network" { "Way through the network" }
            div class="timeline wide" { (PreEscaped(wide.svg())) }
            div class="timeline narrow" { (PreEscaped(narrow.svg())) }
        }
    }
}

fn step_of(paths: &Paths, investigation: &Investigation, step: &ReportedStep, path: &str) -> Markup {
    let evidence = compose::evidence(investigation, step.name);
    html! {
        details class="step" id={ "step-" (step.number) } data-state=(message::state(compose::judged(step))) {
            summary {
                span class="state" aria-hidden="true" {}
                span class="name" { span class="number" { (step.number) } " " (step.name.label()) }
                span class="saw" {
                    @if step.status != "found" { span class="unseen" { (step.status.replace('_', " ")) ": " } }
                    (wording::step_summary(step))
                }
            }
            div class="evidence" {
                (message::parts(paths, &evidence.parts))
                p class="more" { a href={ (path) "/evidence/" (StepName::number(step.name)) } { "All of it, as a text file" } }
            }
        }
    }
}

/// What the verdict leaves to the thread: proofs, changes, what was ruled out, what stays open.
fn rest(paths: &Paths, report: &Report) -> Markup {
    // The steps have a part of the page of their own.
    let rest = compose::thoughts(report).into_iter().filter(|thought| thought.name != "details");
    html! {
        @for thought in rest.filter_map(|thought| thought.message) {
            section class="sheet-part rest" { h2 { (text(&thought.title)) } (message::parts(paths, &thought.parts)) }
        }
    }
}
