//! The commands: what Discord offers to fill in, and the words it becomes.
//!
//! `/rotation-diag <secret>` asks, `/diag <words>` goes on in a thread, and *Diagnose this alarm* is among what can be done with
//! any message.

use super::Discord;
use super::interaction::Given;
use super::limits;
use super::refusal::said;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::backoff::Backoff;
use crate::chat::command::{self, Asked};
use crate::model::{ActionWord, Lookback, Region, StepName};
use serde_json::Value;
use serenity::builder::{AutocompleteChoice, CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, CommandType, InstallationContext, InteractionContext};
use std::collections::BTreeSet;
use std::time::Duration;

/// The command that asks about a secret.
pub(super) const NAME: &str = "rotation-diag";
/// The command that goes on in a thread.
pub(super) const GO_ON: &str = "diag";
/// What can be done with a message.
pub(super) const DIAGNOSE: &str = "Diagnose this alarm";
/// The options of a question, in the order they are said after its secret.
const OPTIONS: [&str; 3] = [ACCOUNT, REGION, "window"];
const SECRET: &str = "secret";
const ACCOUNT: &str = "account";
const REGION: &str = "region";
/// The option that goes on with the investigation of a thread.
const WORDS: &str = "words";
/// The waits between two attempts to register.
const AGAIN: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));

/// The commands as Discord is told of them: everywhere but in direct messages. What is typed after a command's name goes to its
/// first option, where that is required; so that is the secret, and the words.
fn definitions() -> Vec<CreateCommand> {
    let text = |name: &str, description: &str| CreateCommandOption::new(CommandOptionType::String, name, description);
    let window = Lookback::WORDS
        .into_iter()
        .fold(text("window", "how far back; left out, as far as it takes"), |option, word| option.add_string_choice(word, word));
    let command = |name: &str, kind| {
        let command = CreateCommand::new(name).kind(kind);
        command.contexts(vec![InteractionContext::Guild]).integration_types(vec![InstallationContext::Guild])
    };
    vec![
        command(NAME, CommandType::ChatInput).description("Find out why a secret does not rotate").set_options(vec![
            text(SECRET, "the secret's name or ARN").required(true).set_autocomplete(true).max_length(2_048),
            text(ACCOUNT, "an account of the configuration").set_autocomplete(true).max_length(64),
            text(REGION, "such as eu-west-1").set_autocomplete(true).max_length(32),
            window,
        ]),
        command(GO_ON, CommandType::ChatInput)
            .description("Go on in a thread: rerun 4, widen 30d, evidence 5, help")
            .set_options(vec![text(WORDS, "what to do").required(true).set_autocomplete(true).max_length(100)]),
        command(DIAGNOSE, CommandType::Message),
    ]
}

fn given<'a>(options: &'a [Given], name: &str) -> Option<&'a str> {
    options.iter().find(|option| option.name == name).and_then(|option| option.value.as_str())
}

/// The words that somebody could have written instead, for the grammar that all platforms share.
pub(super) fn words(options: &[Given]) -> String {
    // Whoever fills in the secret's field means a secret, also in a thread, where other words may be talk; but what is typed
    // after the command's name gets there whatever it says.
    let secret = given(options, SECRET).map(str::trim).filter(|typed| !typed.is_empty());
    let secret = secret.map(|typed| if is_secret(typed) { format!("{SECRET}:{typed}") } else { typed.to_owned() });
    let plain = given(options, WORDS).map(str::to_owned).into_iter().chain(secret);
    let named = OPTIONS.iter().filter_map(|name| Some(format!("{name}:{}", given(options, name)?)));
    plain.chain(named).collect::<Vec<_>>().join(" ")
}

fn is_secret(typed: &str) -> bool {
    !typed.starts_with("secret:") && !matches!(command::parse(typed), Ok(Asked::FollowUp(_) | Asked::Help))
}

/// The value that is being typed, and what it is completed with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typing<'a> {
    Secret(&'a str),
    /// An account or a region, for a secret where one is given.
    Place {
        secret: &'a str,
    },
    Words(&'a str),
}

impl<'a> Typing<'a> {
    /// What is typed; `None` where nothing is that can be completed.
    pub(super) fn of(options: &'a [Given]) -> Option<Typing<'a>> {
        let focused = options.iter().find(|option| option.focused)?;
        let typed = focused.value.as_str()?;
        match focused.name.as_str() {
            SECRET => Some(Typing::Secret(typed)),
            ACCOUNT | REGION => Some(Typing::Place { secret: given(options, SECRET).unwrap_or_default() }),
            WORDS => Some(Typing::Words(typed)),
            _ => None,
        }
    }
}

/// Names as choices; a name longer than a choice may be has to be typed.
pub(super) fn choices(names: &[String]) -> Vec<AutocompleteChoice> {
    let short = names.iter().filter(|name| !name.is_empty() && limits::length(name) <= limits::OPTION_TEXT);
    short.take(limits::OPTIONS).map(AutocompleteChoice::from).collect()
}

/// The accounts or regions of `places` that complete what is typed of one, where the other is given already.
pub(super) fn place_choices(options: &[Given], places: &[(Option<String>, Region)]) -> Vec<AutocompleteChoice> {
    let Some(focused) = options.iter().find(|option| option.focused) else { return Vec::new() };
    let typed = focused.value.as_str().unwrap_or_default().trim().to_ascii_lowercase();
    let wanted = |name: &str| given(options, name).filter(|value| !value.is_empty());
    let fitting = places.iter().filter_map(|(account, region)| match focused.name.as_str() {
        ACCOUNT => account.as_deref().filter(|_| wanted(REGION).is_none_or(|wanted| wanted == region.as_str())),
        _ => Some(region.as_str()).filter(|_| wanted(ACCOUNT).is_none_or(|wanted| account.as_deref() == Some(wanted))),
    });
    let mut seen = BTreeSet::new();
    let found = fitting.filter(|name| name.to_ascii_lowercase().contains(&typed) && seen.insert(*name));
    let (begin, contain): (Vec<&str>, Vec<&str>) = found.partition(|name| name.to_ascii_lowercase().starts_with(&typed));
    choices(&begin.into_iter().chain(contain).map(str::to_owned).collect::<Vec<_>>())
}

/// What can be done in a thread and begins with, or else contains, what is typed.
pub(super) fn word_choices(typed: &str) -> Vec<AutocompleteChoice> {
    let typed = typed.trim().to_lowercase();
    let all: Vec<(String, String)> = ActionWord::ALL.iter().flat_map(forms).chain([help()]).collect();
    let (begin, other): (Vec<_>, Vec<_>) = all.into_iter().partition(|(words, _)| words.starts_with(&typed));
    let contain = other.into_iter().filter(|(_, shown)| shown.to_lowercase().contains(&typed));
    let choice = |(words, shown): (String, String)| AutocompleteChoice::new(limits::cut(&shown, limits::OPTION_TEXT), words);
    begin.into_iter().chain(contain).take(limits::OPTIONS).map(choice).collect()
}

fn help() -> (String, String) {
    ("help".to_owned(), "help — all commands".to_owned())
}

/// The forms a word has, each with what a person is shown of it.
fn forms(word: &ActionWord) -> Vec<(String, String)> {
    let ends = ["", "7d", "30d", "90d", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let understood = ends.into_iter().filter(|end| word.read(end).is_some());
    let shown = understood.map(|end| {
        let words = format!("{} {end}", word.word()).trim_end().to_owned();
        let shown = match end.parse().ok().and_then(StepName::from_number) {
            Some(step) => format!("{words} — {}", step.label()),
            None if end.is_empty() => word.help.split(';').next().unwrap_or(&words).to_owned(),
            None => words.clone(),
        };
        (words, shown)
    });
    shown.collect()
}

impl Discord {
    /// Tells Discord of the commands, again and again until it took them: they replace those of before. A second time changes
    /// nothing.
    pub(super) async fn register_commands(&self) {
        let everywhere = self.guilds.is_empty().then_some(None);
        let guilds = everywhere.into_iter().chain(self.guilds.iter().copied().map(Some));
        futures::future::join_all(guilds.map(|guild| self.register_until_taken(guild))).await;
        if let Err(failure) = self.unregister_elsewhere().await {
            tracing::warn!("commands of an earlier configuration may be offered twice: {}", why(&failure));
        }
    }

    /// Commands that were registered for all servers are offered beside those of one, and the other way round.
    async fn unregister_elsewhere(&self) -> Result<(), RestFailure> {
        let application = self.application;
        let none: [CreateCommand; 0] = [];
        if !self.guilds.is_empty() {
            let everywhere = Route::Commands { application };
            return self.clear_if_any(everywhere, &none).await;
        }
        let joined = self.rest.send(Call::get(Route::MyGuilds)).await?;
        for guild in joined.as_array().into_iter().flatten().filter_map(|guild| super::rest::id(guild).ok()) {
            self.clear_if_any(Route::GuildCommands { application, guild }, &none).await?;
        }
        Ok(())
    }

    async fn clear_if_any(&self, route: Route<'_>, none: &[CreateCommand]) -> Result<(), RestFailure> {
        let known = self.rest.send(Call::get(route)).await?;
        if known.as_array().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        self.rest.send(Call::put(route, &none)).await.map(|_| ())
    }

    async fn register_until_taken(&self, guild: Option<Snowflake>) {
        let mut again = AGAIN;
        while let Err(failure) = self.register_in(guild).await {
            let wait = again.next_wait();
            let pause = if let RestFailure::Held(asked) = failure { asked.max(wait) } else { wait };
            let (why, seconds) = (why(&failure), pause.as_secs());
            tracing::warn!("Discord did not take the commands: {why}; trying again in {seconds} s");
            tokio::time::sleep(pause).await;
        }
        tracing::info!("Discord has the commands");
    }

    async fn register_in(&self, guild: Option<Snowflake>) -> Result<(), RestFailure> {
        let application = self.application;
        let route = match guild {
            Some(guild) => Route::GuildCommands { application, guild },
            None => Route::Commands { application },
        };
        let registered = self.rest.send(Call::put(route, &definitions())).await?;
        let ids = registered.as_array().into_iter().flatten().filter_map(|command| {
            let name = [NAME, GO_ON].into_iter().find(|name| command.get("name").and_then(Value::as_str) == Some(name))?;
            Some((name, super::rest::id(command).ok()?))
        });
        self.commands.put(guild, ids.collect());
        Ok(())
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

    fn filled_in(options: &[(&str, &str)]) -> Vec<Given> {
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
            (vec![("secret", "prod/x account:prod"), ("window", "7d")], "secret:prod/x account:prod window:7d"),
            (vec![("secret", "secret:prod/x")], "secret:prod/x"),
            // Typed after the name of the command, as on other platforms.
            (vec![("secret", "rerun 4")], "rerun 4"),
            (vec![("secret", "help")], "help"),
            (vec![("secret", "rerun/4")], "secret:rerun/4"),
            (vec![("words", "rerun 4")], "rerun 4"),
            (vec![("unknown", "x")], ""),
        ] {
            assert_eq!(words(&filled_in(&options)), expected);
        }
    }

    #[test]
    fn a_name_that_no_choice_can_hold_is_left_out() {
        let names = ["a".repeat(100), "b".repeat(101), String::new(), "c".to_owned()];
        assert_eq!(choices(&names).len(), 2);
        assert_eq!(choices(&vec!["x".to_owned(); 40]).len(), 25);
    }

    fn shown(choices: &[AutocompleteChoice]) -> Vec<(String, String)> {
        let choices = serde_json::to_value(choices).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        choices.as_array().unwrap().iter().map(|choice| (text(&choice["value"]), text(&choice["name"]))).collect()
    }

    fn values(choices: &[AutocompleteChoice]) -> Vec<String> {
        shown(choices).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn what_is_required_comes_first_and_takes_what_is_typed() {
        let commands = serde_json::to_value(definitions()).unwrap();
        let first =
            |at: usize| (&commands[at]["name"], &commands[at]["options"][0]["name"], &commands[at]["options"][0]["required"]);
        assert_eq!(first(0), (&"rotation-diag".into(), &"secret".into(), &true.into()));
        assert_eq!(first(1), (&"diag".into(), &"words".into(), &true.into()));
        assert_eq!((&commands[2]["type"], &commands[2]["name"]), (&3.into(), &"Diagnose this alarm".into()));
        let completed = |at: usize| commands[0]["options"][at]["autocomplete"] == true;
        assert!(completed(0) && completed(1) && completed(2));
    }

    #[test]
    fn every_word_is_completed_by_each_of_its_forms_and_each_is_understood() {
        let all: Vec<String> = ActionWord::ALL.iter().flat_map(|word| values(&word_choices(word.word()))).collect();
        for word in ActionWord::ALL {
            assert!(all.iter().any(|choice| choice.starts_with(word.word())), "{word:?}");
        }
        for choice in &all {
            assert!(matches!(command::parse(choice), Ok(Asked::FollowUp(_) | Asked::Help)), "{choice}");
        }
        assert_eq!(values(&word_choices("widen")), ["widen 7d", "widen 30d", "widen 90d"]);
        let evidence = shown(&word_choices("evidence 4"));
        assert_eq!(evidence, [("evidence 4".to_owned(), "evidence 4 — function logs".to_owned())]);
        assert!(values(&word_choices("logs")).contains(&"rerun 4".to_owned()), "by what it is about");
        assert_eq!(values(&word_choices("HEL")), ["help"]);
        assert_eq!(word_choices("").len(), 25);
        assert_eq!(values(&word_choices("nothing like it")), Vec::<String>::new());
    }

    #[test]
    fn accounts_and_regions_complete_each_other() {
        let place = |account: &str, region: &str| (Some(account.to_owned()), region.parse::<Region>().unwrap());
        let places =
            [place("prod", "eu-west-1"), place("prod", "us-east-1"), place("test", "eu-west-1"), place("preprod", "eu-north-1")];
        let typing = |focused: &str, options: &[(&str, &str)]| {
            let mut options = filled_in(options);
            options.iter_mut().filter(|option| option.name == focused).for_each(|option| option.focused = true);
            values(&place_choices(&options, &places))
        };
        assert_eq!(typing("account", &[("account", "")]), ["prod", "test", "preprod"]);
        assert_eq!(typing("account", &[("account", "PROD")]), ["prod", "preprod"]);
        assert_eq!(typing("account", &[("account", ""), ("region", "us-east-1")]), ["prod"]);
        assert_eq!(typing("region", &[("region", "")]), ["eu-west-1", "us-east-1", "eu-north-1"]);
        assert_eq!(typing("region", &[("region", "w"), ("account", "test")]), ["eu-west-1"]);
        assert_eq!(typing("region", &[("region", ""), ("account", "nobody")]), Vec::<String>::new());
    }
}
