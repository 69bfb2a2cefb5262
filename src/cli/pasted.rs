//! A secret's value on the command line, where its name belongs: nothing of it is repeated.

use super::failure::CommandError;
use crate::chat::command::holds_a_value;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// What is told instead.
const ADVICE: &str = "this looks like a secret's value, not its name, so nothing was asked of AWS: rotate that secret, because \
                      its value is now in the shell's history and visible to whoever lists processes; a name looks like \
                      prod/orders-db, and if a secret really has a name like this, give its ARN";

/// Refuses what looks like a value.
///
/// # Errors
/// [`CommandError::Usage`].
pub(super) fn refuse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<(), CommandError> {
    if words.into_iter().any(|word| holds_a_value(word, |_| false)) {
        Err(CommandError::Usage(ADVICE.to_owned()))
    } else {
        Ok(())
    }
}

/// Arguments that make no sense to clap, which repeats them; help and the version are no mistakes.
pub(super) fn refused(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> CommandError {
    let is_mistake = !matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::DisplayVersion
    );
    let arguments: Vec<String> = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    if is_mistake && refuse(arguments.iter().map(String::as_str)).is_err() {
        return CommandError::Usage(ADVICE.to_owned());
    }
    error.exit()
}
