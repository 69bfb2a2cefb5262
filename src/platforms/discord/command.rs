//! The slash command: what Discord offers to fill in, and the words it becomes.

use super::Discord;
use super::interaction::Given;
use super::limits;
use super::refusal::said;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::backoff::Backoff;
use serenity::builder::{AutocompleteChoice, CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, CommandType, InstallationContext, InteractionContext};
use std::time::Duration;

/// The command's name.
pub(super) const NAME: &str = "rotation-diag";
/// The option whose value is completed while it is typed.
pub(super) const SECRET: &str = "secret";
/// The options of a question, in the order they are said.
const OPTIONS: [&str; 3] = ["account", "region", "window"];
/// The option that goes on with the investigation of a thread.
const WORDS: &str = "words";
/// The waits between two attempts to register.
const AGAIN: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));

/// The command as Discord is told of it: everywhere but in direct messages, with nothing required, so that the same
/// command asks about a secret and goes on in a thread.
pub(super) fn definition() -> CreateCommand {
    let text = |name: &str, description: &str| CreateCommandOption::new(CommandOptionType::String, name, description);
    let window = ["24h", "7d", "30d", "90d"]
        .into_iter()
        .fold(text("window", "how far back; left out, as far as it takes"), |option, reach| {
            option.add_string_choice(reach, reach)
        });
    CreateCommand::new(NAME)
        .kind(CommandType::ChatInput)
        .description("Find out why a secret does not rotate")
        .contexts(vec![InteractionContext::Guild])
        .integration_types(vec![InstallationContext::Guild])
        .set_options(vec![
            text(SECRET, "the secret's name or ARN").set_autocomplete(true).max_length(2_048),
            text("account", "an account of the configuration").max_length(64),
            text("region", "such as eu-west-1").max_length(32),
            window,
            text(WORDS, "in a thread: rerun 4, widen 30d, evidence 5, compare, consumers, watch, export, resolve, help")
                .max_length(100),
        ])
}

/// The words that somebody could have written instead, for the grammar that all platforms share.
pub(super) fn words(options: &[Given]) -> String {
    let given = |name: &str| options.iter().find(|option| option.name == name).and_then(|option| option.value.as_str());
    // Whoever fills in the secret's field means a secret, also in a thread, where other words may be talk.
    let secret = given(SECRET).filter(|name| !name.trim().is_empty()).map(|name| format!("{SECRET}:{name}"));
    let plain = given(WORDS).map(str::to_owned).into_iter().chain(secret);
    let named = OPTIONS.iter().filter_map(|name| Some(format!("{name}:{}", given(name)?)));
    plain.chain(named).collect::<Vec<_>>().join(" ")
}

/// What has been typed so far of the value to complete.
pub(super) fn typed(options: &[Given]) -> Option<&str> {
    options.iter().find(|option| option.focused && option.name == SECRET)?.value.as_str()
}

/// Names as choices; a name longer than a choice may be has to be typed.
pub(super) fn choices(names: &[String]) -> Vec<AutocompleteChoice> {
    let short = names.iter().filter(|name| !name.is_empty() && limits::length(name) <= limits::OPTION_TEXT);
    short.take(limits::OPTIONS).map(AutocompleteChoice::from).collect()
}

impl Discord {
    /// Tells Discord of the command, again and again until it took it. A second time changes nothing.
    pub(super) async fn register_commands(&self) {
        let everywhere = self.guilds.is_empty().then_some(None);
        let guilds = everywhere.into_iter().chain(self.guilds.iter().copied().map(Some));
        futures::future::join_all(guilds.map(|guild| self.register_until_taken(guild))).await;
    }

    async fn register_until_taken(&self, guild: Option<Snowflake>) {
        let mut again = AGAIN;
        while let Err(failure) = self.register_in(guild).await {
            let wait = again.next_wait();
            let pause = if let RestFailure::Held(asked) = failure { asked.max(wait) } else { wait };
            let (why, seconds) = (why(&failure), pause.as_secs());
            tracing::warn!("Discord did not take the slash command: {why}; trying again in {seconds} s");
            tokio::time::sleep(pause).await;
        }
        tracing::info!("Discord has the slash command");
    }

    async fn register_in(&self, guild: Option<Snowflake>) -> Result<(), RestFailure> {
        let application = self.application;
        let route = match guild {
            Some(guild) => Route::GuildCommands { application, guild },
            None => Route::Commands { application },
        };
        self.rest.send(Call::put(route, &[definition()])).await.map(|_| ())
    }
}

/// For the operator.
pub(super) fn why(failure: &RestFailure) -> String {
    match failure {
        RestFailure::Held(_) => "it asks to wait".to_owned(),
        RestFailure::Unreachable => "it cannot be reached".to_owned(),
        RestFailure::Lost(why) => (*why).to_owned(),
        RestFailure::TokenRefused => "it does not accept the bot's token".to_owned(),
        RestFailure::Refused { status, code } => said(*status, *code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn given(options: &[(&str, &str)]) -> Vec<Given> {
        let option = |(name, value): &(&str, &str)| Given {
            name: (*name).to_owned(),
            value: Value::String((*value).to_owned()),
            focused: false,
        };
        options.iter().map(option).collect()
    }

    #[test]
    fn options_become_the_words_of_the_shared_grammar() {
        for (options, expected) in [
            (vec![], ""),
            (vec![("secret", "prod/orders-db")], "secret:prod/orders-db"),
            (vec![("secret", " "), ("account", "prod")], "account:prod"),
            (
                vec![("window", "7d"), ("region", "eu-west-1"), ("secret", "prod/x"), ("account", "prod")],
                "secret:prod/x account:prod region:eu-west-1 window:7d",
            ),
            (vec![("words", "rerun 4")], "rerun 4"),
            (vec![("unknown", "x")], ""),
        ] {
            assert_eq!(words(&given(&options)), expected);
        }
    }

    #[test]
    fn a_name_that_no_choice_can_hold_is_left_out() {
        let names = ["a".repeat(100), "b".repeat(101), String::new(), "c".to_owned()];
        assert_eq!(choices(&names).len(), 2);
        assert_eq!(choices(&vec!["x".to_owned(); 40]).len(), 25);
    }
}
