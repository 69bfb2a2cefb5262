//! Why a command ended without its result, told in one sentence that says what to do.

use super::logging;
use crate::redact::SafeText;
use std::io;
use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// It could not run.
    CannotRun(String),
    /// A person stopped it.
    Interrupted,
    /// Whoever read the output has gone; there is nobody to tell.
    NobodyReads,
}

impl CommandError {
    /// Something kept it from running.
    pub(super) fn cannot_run(why: impl std::fmt::Display) -> CommandError {
        CommandError::CannotRun(why.to_string())
    }

    /// Tells the person, and gives the exit status.
    pub(super) fn report(self) -> ExitCode {
        let (why, status) = match self {
            CommandError::Usage(why) => (why, 2),
            CommandError::CannotRun(why) => (why, 1),
            CommandError::Interrupted => ("interrupted".to_owned(), 130),
            CommandError::NobodyReads => return ExitCode::SUCCESS,
        };
        // Where standard error is closed there is no other place to say so.
        let _ = logging::say("ERROR", &SafeText::redact(&why));
        ExitCode::from(status)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        if error.kind() == io::ErrorKind::BrokenPipe { CommandError::NobodyReads } else { CommandError::cannot_run(error) }
    }
}
