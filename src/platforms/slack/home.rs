//! The bot's home: the newest investigations, chosen by a filter, and a button for a new one.

use super::render::{bold, limits, line, paragraph, plain_text, run};
use crate::chat::{Summary, ThreadFilter};
use crate::clock::Clock;
use crate::model::ThreadRef;
use crate::report::time;
use slack_morphism::prelude::*;

/// The button that opens the dialog.
pub(super) const INVESTIGATE: &str = "home-investigate";

/// The button that shows the home anew.
pub(super) const REFRESH: &str = "home-refresh";

/// The menu that chooses which are shown.
pub(super) const FILTER: &str = "home-filter";

/// How many investigations are shown; two screens of a phone.
pub(super) const SHOWN: usize = 15;

/// A line of an entry; two or three on a phone.
const LINE: usize = 240;

/// The home of a person who may see `recent`, which `filter` took; `link` is where a thread is.
pub(super) fn view(
    recent: &[Summary],
    filter: ThreadFilter,
    clock: &Clock,
    link: impl Fn(&ThreadRef) -> Option<String>,
) -> SlackView {
    let button = |id: &str, text: &str| {
        SlackBlockButtonElement::new(plain_text(text, limits::BUTTON).into()).with_action_id(SlackActionId(id.to_owned()))
    };
    let option = |filter: ThreadFilter| {
        SlackBlockChoiceItem::new(plain_text(filter.title(), limits::OPTION).into(), filter.word().to_owned())
    };
    let menu = SlackBlockStaticSelectElement::new().with_action_id(SlackActionId(FILTER.to_owned()));
    let menu = menu.with_options(ThreadFilter::ALL.map(option).to_vec()).with_initial_option(option(filter));
    let actions = vec![
        button(INVESTIGATE, "Investigate…").with_style(SlackBlockButtonStyle::Primary).into(),
        menu.into(),
        button(REFRESH, "Refresh").with_value(filter.word().to_owned()).into(),
    ];
    let mut blocks: Vec<SlackBlock> = vec![
        SlackHeaderBlock::new(plain_text("Why does it not rotate?", limits::HEADER).into()).into(),
        SlackActionsBlock::new(actions).into(),
        SlackDividerBlock::new().into(),
    ];
    if recent.is_empty() {
        let nothing = match filter {
            ThreadFilter::All => {
                "No investigations yet. Type /rotation-diag and the name of a secret in a channel, or use the button."
            }
            ThreadFilter::Open => "No investigation is open.",
            ThreadFilter::Failing => "No secret is known to fail.",
            ThreadFilter::Mine => "You have not asked about a secret yet.",
        };
        blocks.push(SlackRichTextBlock::new(vec![paragraph(vec![run(nothing)])]).into());
    }
    for summary in recent.iter().take(SHOWN) {
        blocks.extend(entry(summary, clock, &link));
    }
    SlackView::Home(SlackHomeView::new(blocks))
}

fn entry(summary: &Summary, clock: &Clock, link: impl Fn(&ThreadRef) -> Option<String>) -> [SlackBlock; 2] {
    let name = format!("{} {}", summary.tone.mark(), line(&summary.secret.single_line().cut(LINE)));
    let name = bold(name.trim_start());
    let mut runs = vec![name, run(&format!("\n{}", line(&summary.line.single_line().cut(LINE))))];
    let thread = summary.place.thread.as_ref().map(|root| ThreadRef {
        platform: summary.place.platform,
        workspace: summary.place.workspace.clone(),
        channel: summary.place.channel.clone(),
        root: root.clone(),
    });
    if let Some(address) = thread.as_ref().and_then(&link) {
        runs.push(run("\n"));
        runs.push(SlackRichTextLink::new(SlackRelaxedUrl(address)).with_text("open the thread".to_owned()).into());
    }
    let age = format!("{} ago", time::age(summary.started_at, clock.now()));
    [
        SlackRichTextBlock::new(vec![paragraph(runs)]).into(),
        SlackContextBlock::new(vec![plain_text(&age, limits::TEXT).into()]).into(),
    ]
}
