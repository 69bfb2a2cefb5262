//! One secret, looked into for a part of what is found.

use super::failure::CommandError;
use super::{AnswerFormat, Diagnose, Format, SubjectOptions, diagnose, interrupt, output, pasted, read_config};
use crate::answers::JsonAnswer;
use crate::aws::Registry;
use crate::clock::Clock;
use crate::model::{Investigation, Lookback, StepName};
use crate::report::Report;
use std::process::ExitCode;

/// Looks into the secret as `diagnose` does, and prints what `answer` makes of it, in one of two forms.
pub(super) fn ask<A: JsonAnswer>(
    subject: &SubjectOptions,
    steps: Vec<StepName>,
    window: Option<Lookback>,
    answer: impl FnOnce(Investigation, Report) -> A,
    text: impl FnOnce(&A) -> String,
) -> Result<ExitCode, CommandError> {
    let words = subject.account.as_deref().into_iter().chain(subject.region.as_deref());
    pasted::refuse(words.chain([subject.secret.as_str()]))?;
    let config = subject.config.as_deref().map(read_config).transpose()?.unwrap_or_default();
    let options = Diagnose {
        secret: Some(subject.secret.clone()),
        region: subject.region.clone(),
        account: subject.account.clone(),
        profile: subject.profile.clone(),
        window,
        steps,
        ..Diagnose::default()
    };
    let setup = diagnose::plan(&options, &config)?;
    let format = match subject.format {
        AnswerFormat::Text => Format::Text,
        AnswerFormat::Json => Format::Json,
    };
    interrupt::or(async {
        let aws = diagnose::connect(&setup.aws, &Registry::default()).await?;
        let (investigation, report) = diagnose::look(&aws, &Clock::system(), &setup.investigation, format).await?;
        let answer = answer(investigation, report.in_account(setup.account_name.as_deref()));
        let shown = match subject.format {
            AnswerFormat::Text => text(&answer),
            AnswerFormat::Json => answer.to_json().map_err(CommandError::cannot_run)?,
        };
        output::put(&shown, None)?;
        Ok(ExitCode::SUCCESS)
    })
}
