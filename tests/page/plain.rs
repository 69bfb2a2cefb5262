//! A message in plain lines, for snapshots.

use rotation_diag::chat::Message;
use rotation_diag::chat::document::{Content, Control, Part};

pub(crate) fn plain(message: &Message) -> String {
    let mut lines = vec![format!("{} {}", message.tone.mark(), message.title).trim().to_owned()];
    for part in &message.parts {
        match part {
            Part::Context(parts) => {
                lines.push(format!("  ({})", parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · ")));
            }
            Part::Facts(phrases) => lines.push(format!("  ({})", rotation_diag::report::line_in_utc(phrases))),
            Part::Section { label, lines: paragraphs } => {
                lines.push(format!("{label}:"));
                lines.extend(paragraphs.iter().map(|line| format!("    {line}")));
            }
            Part::Quotes { label, quotes } => {
                lines.push(format!("{label}:"));
                lines.extend(quotes.iter().map(|quote| format!("    {} | {} | {}", quote.lead, quote.text, quote.source)));
            }
            Part::Commands(commands) => lines.extend(commands.iter().map(|command| format!("    $ {command}"))),
            Part::Caution(text) => lines.push(format!("    ⚠ {text}")),
            Part::Links(links) => lines.extend(links.iter().map(|link| format!("    <{link}>"))),
            Part::Cause(cause) => lines.push(format!("    {}", cause.line())),
            Part::Steps(steps) => lines.extend(
                steps.iter().map(|step| format!("    {} {} {:<17} {}", step.state.mark(), step.number, step.name, step.summary)),
            ),
        }
    }
    let controls = message.controls.iter().map(|control| match control {
        Control::Button(choice) | Control::Copy(choice) => format!("[{}] {}", choice.label, choice.token),
        Control::Select { placeholder, choices } => {
            let first = choices.first().map(|choice| format!("{} {}", choice.label, choice.token)).unwrap_or_default();
            format!("[{placeholder} ▾] {} entries, such as {first}", choices.len())
        }
    });
    lines.extend(controls);
    for file in &message.attachments {
        let size = match &file.content {
            Content::Text(text) => format!("{} lines", text.as_str().lines().count()),
            Content::Png(_) => "a picture".to_owned(),
        };
        lines.push(format!("+ {} ({size}): {}", file.name, file.description));
    }
    lines.join("\n")
}
