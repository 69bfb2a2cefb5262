//! The words people say to the bot, after a slash command or a mention, on every platform.
//!
//! ```text
//! [secret:]<secret> [account:NAME] [region:REGION] [window:24h|7d|30d|90d]
//! rerun [N] · widen 7d|30d|90d · evidence N · compare · watch · export · resolve · help
//! ```
//!
//! An option may also be written `account=NAME`, `--account NAME` or `--account=NAME`. What chat programs make of typed
//! text is undone first: links, entities, typographic quotes and dashes, white space of any kind.
//!
//! People paste a secret's value where its name belongs. [`holds_a_value`] is asked before anything else is done with
//! what they wrote, and no answer repeats a word that could be one.

mod nearest;
mod pasted;
mod typed;

pub use nearest::nearest;
pub use pasted::holds_a_value;

use crate::model::{Action, ActionWord, InvestigationRequest, Lookback, Region, SecretRef};
use crate::redact::{SafeText, looks_like_a_value};

/// The most characters that are read; a secret's ARN with all options has fewer than 900.
const MAX_CHARS: usize = 1_000;
/// The longest word that is repeated.
const ECHOED: usize = 16;
/// The longest one with digits, such as a span of time.
const ECHOED_SPAN: usize = 5;
/// The option that says that its value is a secret's name, where it might be taken for a word.
const SECRET: &str = "secret";
/// The other options of a question.
const OPTIONS: [&str; 3] = ["account", "region", "window"];
/// Words people put between a command and its number.
const FILLERS: [&str; 4] = ["step", "to", "of", "for"];

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To find out why a secret does not rotate.
    InvestigationRequest(InvestigationRequest),
    /// One bare word. It is a secret's name where nothing else can be meant.
    Word(InvestigationRequest),
    /// To go on with the investigation of this thread. A secret of such a name is asked about by its ARN.
    FollowUp(Action),
    /// What can be asked.
    Help,
}

/// The words make no sense; says what to write instead. Of them it repeats plain words alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Usage {
    why: SafeText,
}

impl Usage {
    /// What is wrong, in one sentence without a full stop.
    #[must_use]
    pub fn why(&self) -> &SafeText {
        &self.why
    }

    fn new(why: &str) -> Usage {
        Usage { why: SafeText::redact(why) }
    }
}

/// Reads what follows the slash command or the mention.
///
/// # Errors
/// [`Usage`] with the first thing that makes no sense.
pub fn parse(words: &str) -> Result<Asked, Usage> {
    if words.chars().nth(MAX_CHARS).is_some() {
        return Err(Usage::new("that is too long: name one secret, or give its ARN"));
    }
    let words = typed::words(words);
    let mut words = words.iter().map(String::as_str).peekable();
    // People repeat the command after a mention, and the page's prompt begins with it.
    words.next_if_eq(&"/rotation-diag");
    let rest: Vec<&str> = words.collect();
    match rest.split_first() {
        None => Ok(Asked::Help),
        Some((first, rest)) => match follow_up(&first.to_ascii_lowercase(), rest) {
            Some(asked) => asked,
            None => TypedLine::read(first, rest)?.asked(),
        },
    }
}

/// Whether a word of `words` is clearly a secret: an ARN, or what stands behind `secret:`, or a name with a slash.
#[must_use]
pub fn names_a_secret(words: &str) -> bool {
    let words = typed::words(words);
    words.iter().map(|word| typed::unquoted(word)).filter(|word| *word != "/rotation-diag").any(|word| {
        let is_named = word
            .trim_start_matches('-')
            .get(..SECRET.len() + 1)
            .is_some_and(|start| start.eq_ignore_ascii_case("secret:") || start.eq_ignore_ascii_case("secret="));
        let has_path = word.contains('/') && word.parse::<SecretRef>().is_ok();
        is_named || word.starts_with("arn:") || has_path
    })
}

/// `None` where `command` is none of the words that go on with an investigation.
fn follow_up(command: &str, rest: &[&str]) -> Option<Result<Asked, Usage>> {
    let argument: String = rest.iter().filter(|word| !FILLERS.contains(&word.to_ascii_lowercase().as_str())).copied().collect();
    let argument = argument.to_ascii_lowercase();
    if ["help", "?", "-h", "--help"].contains(&command) {
        return Some(Ok(Asked::Help));
    }
    let word = ActionWord::ALL.into_iter().find(|word| word.word() == command)?;
    Some(word.read(&argument).map(Asked::FollowUp).ok_or_else(|| Usage::new(word.usage)))
}

/// A question's words, sorted but not yet understood.
#[derive(Default)]
struct TypedLine<'a> {
    secret: Option<&'a str>,
    /// True where it was said that the secret is one.
    is_named: bool,
    options: [Option<&'a str>; OPTIONS.len()],
}

impl<'a> TypedLine<'a> {
    fn read(first: &'a str, rest: &[&'a str]) -> Result<TypedLine<'a>, Usage> {
        let mut line = TypedLine::default();
        let mut words = std::iter::once(first).chain(rest.iter().copied());
        while let Some(word) = words.next() {
            match option(word)? {
                None if line.secret.is_some() => return Err(Usage::new("name one secret at a time, without spaces")),
                None => line.secret = Some(typed::unquoted(word)),
                Some((name, value)) => {
                    let value = if value.is_empty() { words.next().unwrap_or_default() } else { value };
                    line.set(name, typed::unquoted(value))?;
                }
            }
        }
        Ok(line)
    }

    fn set(&mut self, name: &str, value: &'a str) -> Result<(), Usage> {
        if value.is_empty() {
            return Err(Usage::new(&format!("{name} needs a value, such as {}", example(name))));
        }
        if name == SECRET {
            self.is_named = true;
            return match self.secret.replace(value) {
                None => Ok(()),
                Some(_) => Err(Usage::new("name one secret at a time, without spaces")),
            };
        }
        let own = OPTIONS.iter().zip(&mut self.options).find(|(option, _)| **option == name);
        match own.map(|(_, place)| place.replace(value)) {
            Some(None) => Ok(()),
            _ => Err(Usage::new(&format!("{name} is given twice"))),
        }
    }

    fn asked(self) -> Result<Asked, Usage> {
        let is_word = !self.is_named && self.options.iter().all(Option::is_none);
        let question = self.question()?;
        let is_word = is_word && matches!(&question.secret, SecretRef::Name(name) if !name.contains('/'));
        Ok(if is_word { Asked::Word(question) } else { Asked::InvestigationRequest(question) })
    }

    fn question(self) -> Result<InvestigationRequest, Usage> {
        let [account, region, window] = self.options;
        let word = self.secret.ok_or_else(|| Usage::new("name a secret, or give its ARN"))?;
        let secret: SecretRef = word.parse().map_err(|error| Usage::new(&format!("{} is not a secret: {error}", echo(word))))?;
        let account = account.map(account_name).transpose()?;
        let region = region.map(region_name).transpose()?;
        let lookback = window
            .map(|word| word.parse::<Lookback>().map_err(|error| Usage::new(&format!("{} is not a window: {error}", echo(word)))))
            .transpose()?;
        if let (Some(asked), Some(own)) = (&region, secret.region())
            && *asked != own
        {
            return Err(Usage::new(&format!("the ARN is in region {own}, but region says {asked}")));
        }
        Ok(InvestigationRequest { secret, account, region, lookback })
    }
}

/// The option and the value that `word` gives; an empty value follows in the next word. `None` for a secret.
fn option(word: &str) -> Result<Option<(&'static str, &str)>, Usage> {
    let bare = word.trim_start_matches('-');
    if bare.starts_with("arn:") {
        return Ok(None);
    }
    let (name, value) = bare.split_once([':', '=']).unwrap_or((bare, ""));
    let sign = bare.chars().nth(name.chars().count());
    match OPTIONS.into_iter().chain([SECRET]).find(|option| name.eq_ignore_ascii_case(option)) {
        Some(known) if sign.is_some() || bare.len() < word.len() => Ok(Some((known, value))),
        // A secret's name may begin with a dash and hold equals signs, but no colon.
        None if sign == Some(':') || word.starts_with("--") => {
            Err(Usage::new(&format!("{} is not an option: use account, region or window", echo(name))))
        }
        _ => Ok(None),
    }
}

fn example(option: &str) -> &'static str {
    match option {
        SECRET => "secret:prod/orders-db",
        "account" => "account:prod",
        "region" => "region:eu-west-1",
        _ => "window:7d",
    }
}

/// An account is named as the configuration names it; a role or an id decides nothing here.
fn account_name(word: &str) -> Result<String, Usage> {
    let shaped = word.len() <= 64 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if shaped { Ok(word.to_owned()) } else { Err(Usage::new(&format!("{} is not an account of the configuration", echo(word)))) }
}

fn region_name(word: &str) -> Result<Region, Usage> {
    let region = word.to_ascii_lowercase().parse().ok().filter(Region::is_specific);
    region.ok_or_else(|| Usage::new(&format!("{} is not a region such as eu-west-1", echo(word))))
}

/// A word for the person who wrote it, in quotes, or another way to name it: what could be a password, a key or half of one
/// is not repeated, even to that person, because an answer to a mention is seen by others.
fn echo(word: &str) -> String {
    let longest = if word.contains(|c: char| c.is_ascii_digit()) { ECHOED_SPAN } else { ECHOED };
    let is_short = word.chars().nth(longest).is_none();
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_short && is_plain && !looks_like_a_value(word) { format!("“{word}”") } else { "what you wrote".to_owned() }
}

#[cfg(test)]
mod tests;
