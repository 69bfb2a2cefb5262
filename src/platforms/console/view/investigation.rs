//! One investigation on a page of its own, to be shared.

use super::super::screen::SCREEN;
use super::frame::{PageFrame, SignOut};
use super::message::{self, DrawnChart};
use super::{Paths, line, text};
use crate::chat::compose::{self, AfterVerdict};
use crate::chat::{Elsewhere, ShownInvestigation};
use crate::model::{Investigation, StepName};
use crate::report::{Report, ReportedStep, StepMark, wording};
use axum::response::Html;
use maud::{Markup, html};

pub(in super::super) fn investigation(
    paths: &Paths,
    shown: &ShownInvestigation,
    note: Option<&str>,
    sign_out: Option<&SignOut>,
) -> Html<String> {
    let investigation = &shown.investigation;
    let report = Report::new(investigation);
    let verdict = compose::verdict(&report, &investigation.id, 0, &AfterVerdict::default(), SCREEN);
    let title = line(&verdict.title);
    let path = paths.investigation(&investigation.id);
    let timeline = DrawnChart::timeline(investigation);
    let network = DrawnChart::network(investigation);
    let files = [("report.json", "for programs"), ("report.md", "for a ticket"), ("timeline.png", "the timeline")];
    let frame = PageFrame { paths, title: &title, note, sign_out, again: None, is_live: false, kind: "report" };
    frame.around(&html! {
        main id="main" tabindex="-1" {
            article class="message verdict" data-tone=(message::tone(verdict.tone)) {
                header { h1 class="clamp" title=(title) { (message::mark(verdict.tone)) (text(&verdict.title)) } }
                h2 class="unseen" { "Cause, proof and fix" }
                (message::parts(paths, &verdict.parts))
            }
            p class="ways" {
                (thread(paths, shown))
                button type="button" class="copy-link" hidden { "Copy the link to this page" }
            }
            @if let Some(network) = &network { (chart("network", "Way through the network", network)) }
            @if let Some(timeline) = &timeline { (chart("timeline", "Timeline", timeline)) }
            section class="sheet-part" aria-labelledby="steps" {
                h2 id="steps" { "Nine steps and their evidence" }
                @for step in &report.steps { (step_of(paths, investigation, step, &path)) }
                p class="context" { (StepMark::LEGEND) }
            }
            (rest(paths, &report))
            section class="sheet-part" aria-labelledby="files" {
                h2 id="files" { "Export" }
                ul class="downloads" {
                    @for (name, what) in files.iter().take(if timeline.is_some() { 3 } else { 2 }) {
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

/// The way to the thread: here, or on the platform it is on.
fn thread(paths: &Paths, shown: &ShownInvestigation) -> Markup {
    html! {
        @match (&shown.elsewhere, &shown.place.thread) {
            (Some(Elsewhere { platform, address: Some(address) }), _) => {
                a href=(address) target="_blank" rel="noopener noreferrer" { "Open in " (platform) } " "
            }
            (Some(Elsewhere { platform, address: None }), _) => { span class="quiet" { "Its thread is in " (platform) "." } " " }
            (None, Some(root)) => { a href=(paths.thread(root)) { "Open its thread" } " " }
            (None, None) => {}
        }
    }
}

fn chart(id: &str, title: &str, chart: &DrawnChart) -> Markup {
    html! {
        section class="sheet-part" aria-labelledby=(id) {
            h2 id=(id) { (title) }
            (chart.markup())
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
    let rest = compose::thoughts(report, SCREEN).into_iter().filter(|thought| thought.name != "details");
    html! {
        @for (name, thought) in rest.filter_map(|thought| Some((thought.name, thought.message?))) {
            section class="sheet-part rest" {
                h2 { (text(&thought.title)) }
                (message::parts(paths, &thought.parts))
                @if name == message::RULED_OUT { (message::ruled_out(report)) }
            }
        }
    }
}
