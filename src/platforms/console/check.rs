//! The web console: its token, and whether whoever has it may do anything.

use super::config::ConsoleConfig;
use super::{CHANNEL, NAME, USER, WORKSPACE};
use crate::chat::setup::{Checked, checked, exposed, fine, missing, open};
use crate::config::Config;

pub(super) fn check(config: &Config) -> Vec<Checked> {
    let Some(console) = config.platforms.of::<ConsoleConfig>() else { return Vec::new() };
    let mut all: Vec<Checked> = exposed("web console", &console.token).into_iter().collect();
    match console.token.fetch() {
        Err(why) => all.push(checked("web console", missing(format!("{why}: without its token the web console is left out")))),
        Ok(token) if !token.is_hard_to_guess() => {
            all.push(checked("web console", open("its token can be guessed: make one with openssl rand -hex 16")));
        }
        Ok(_) => {}
    }
    let is_allowed = config.allow.iter().any(|rule| {
        rule.platform == Some(NAME)
            && rule.workspace.as_deref() == Some(WORKSPACE)
            && rule.channels.as_ref().is_some_and(|channels| channels.hold(CHANNEL))
            && rule.users.as_ref().is_some_and(|users| users.hold(USER))
    });
    all.push(checked(
        "web console",
        if is_allowed {
            fine("whoever has the token may ask")
        } else {
            missing(
                "nobody may ask there: add an [[allow]] rule with platform = \"console\", workspace = \"local\", channels = [\"page\"], users = [\"local\"]",
            )
        },
    ));
    all
}
