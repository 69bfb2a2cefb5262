//! `rotation-diag forecast`: what will stop the next rotation.

use super::failure::CommandError;
use super::{ForecastArgs, question};
use crate::answers::ForecastAnswer;
use crate::model::Confidence;
use crate::redact::SafeText;
use crate::report::outlook::{CLEARS_THE_WAY, NEXT_ROTATION_SHOWS, not_foretold};
use crate::report::time::moment;
use crate::safe_format;
use std::process::ExitCode;

pub(super) fn run(options: &ForecastArgs) -> Result<ExitCode, CommandError> {
    question::ask(&options.subject, Vec::new(), None, |_, report| ForecastAnswer::from(report), text)
}

/// For a terminal.
fn text(answer: &ForecastAnswer) -> String {
    let ForecastAnswer { headline, forecast, plan, heals, secret, now, .. } = answer;
    let mut lines = vec![headline.clone()];
    if !secret.near_names.is_empty() {
        lines.push(safe_format!("Names like it: {}", SafeText::join(&secret.near_names, ", ")));
    }
    lines.push(match forecast.next_rotation {
        Some(at) => safe_format!("Next rotation: {}", moment(at, *now)),
        None => "Next rotation: no date is known".into(),
    });
    for obstacle in &forecast.obstacles {
        let verb = if obstacle.confidence == Confidence::Possible { "may stop it" } else { "will stop it" };
        lines.push(safe_format!("  ⚠ {}: {} ({})", verb, obstacle.text.single_line(), obstacle.cause));
    }
    if forecast.next_rotation.is_some() && forecast.obstacles.is_empty() {
        lines.push("  nothing known stands in its way".into());
    }
    lines.extend(forecast.unknown.iter().map(|unknown| safe_format!("  not foretold: {}", not_foretold(unknown))));
    if !plan.is_empty() {
        lines.push("Fix".into());
        lines.extend(plan.iter().map(|step| safe_format!("  # {}\n  {}", step.effect.single_line(), step.command)));
    }
    let worth: Option<SafeText> = match heals {
        Some(true) => Some(CLEARS_THE_WAY.into()),
        Some(false) => Some("No command here removes all that stands in its way.".into()),
        None if plan.iter().all(|step| step.is_read_only) => None,
        None => Some(NEXT_ROTATION_SHOWS.into()),
    };
    lines.extend(worth);
    format!("{}\n", SafeText::join(lines, "\n"))
}
