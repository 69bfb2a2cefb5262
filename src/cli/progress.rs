//! The nine steps while they run, on a terminal.

use crate::model::StepName;
use crate::playbook::Progress;
use crate::redact::SafeText;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

const SPINNING: &str = "{spinner:.cyan} {prefix} {msg:.dim}";
const ENDED: &str = "{prefix} {msg:.dim}";
const TICK: Duration = Duration::from_millis(90);

/// One line per step on standard error; nothing where that is no terminal. The lines go away when the report comes.
pub(super) struct StepLines {
    lines: MultiProgress,
    bars: BTreeMap<StepName, ProgressBar>,
}

impl StepLines {
    pub(super) fn new() -> StepLines {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = |step: StepName| {
            let bar = lines.add(ProgressBar::new_spinner());
            bar.set_style(style(ENDED));
            bar.set_prefix(format!("· {} {:<17}", step.number(), step.label()));
            (step, bar)
        };
        let bars = StepName::ALL.into_iter().map(bar).collect();
        StepLines { lines, bars }
    }
}

impl Progress for StepLines {
    fn started(&self, step: StepName) {
        if let Some(bar) = self.bars.get(&step) {
            bar.set_style(style(SPINNING));
            bar.set_prefix(format!("{} {:<17}", step.number(), step.label()));
            bar.set_message("");
            bar.enable_steady_tick(TICK);
        }
    }

    fn finished(&self, step: StepName, status: &'static str, summary: &str) {
        if let Some(bar) = self.bars.get(&step) {
            let mark = crate::report::wording::ended_mark(status);
            bar.disable_steady_tick();
            bar.set_style(style(ENDED));
            bar.set_prefix(format!("{mark} {} {:<17}", step.number(), step.label()));
            bar.set_message(SafeText::redact(summary).single_line().cut(160).to_string());
        }
    }
}

impl Drop for StepLines {
    fn drop(&mut self) {
        self.bars.values().for_each(ProgressBar::finish_and_clear);
        // Where the lines cannot be cleared they stay, above the report.
        let _ = self.lines.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
