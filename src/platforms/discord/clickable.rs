//! What Discord makes something to click of in texts of ours: the commands by their ids, and people by theirs.
//!
//! A person named so is called by nobody: requests allow the mentions alone that the configuration asks for.

use super::command::{GO_ON, NAME};
use super::limits;
use super::snowflake::Snowflake;
use crate::chat::{NameSpan, name_spans};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The ids of the commands in one server, by their names.
pub(super) type CommandIds = Vec<(&'static str, Snowflake)>;

/// The ids of the commands, by server; `None` where they are registered for all.
#[derive(Debug, Default)]
pub(super) struct RegisteredCommands(Mutex<HashMap<Option<Snowflake>, Arc<CommandIds>>>);

impl RegisteredCommands {
    pub(super) fn put(&self, guild: Option<Snowflake>, ids: CommandIds) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(guild, Arc::new(ids));
    }

    /// Those of a server; none where Discord did not tell them yet.
    pub(super) fn of(&self, guild: Option<Snowflake>) -> Arc<CommandIds> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&guild).or_else(|| known.get(&None)).cloned().unwrap_or_default()
    }
}

/// A text, outside of its code, with our commands and the people it names as something to click, within `room` units.
pub(super) fn clickable(text: &str, commands: &CommandIds, people: &[String], room: usize) -> String {
    let mut left = room.saturating_sub(limits::length(text));
    let mut shown = String::with_capacity(text.len());
    for (at, piece) in text.split("```").enumerate() {
        if at > 0 {
            shown.push_str("```");
        }
        if at % 2 == 1 {
            shown.push_str(piece);
        } else {
            shown.push_str(&with_people(&with_commands(piece, commands, &mut left), people, &mut left));
        }
    }
    shown
}

fn with_commands(text: &str, commands: &CommandIds, left: &mut usize) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_command(rest) {
        let plain = format!("/{name}");
        let id = commands.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
        let mention = id.map(|id| format!("</{name}:{id}>")).filter(|mention| mention.len() - plain.len() <= *left);
        *left -= mention.as_ref().map_or(0, |mention| mention.len() - plain.len());
        shown.push_str(before);
        shown.push_str(mention.as_ref().unwrap_or(&plain));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// What an id becomes so that its person's name is read instead.
const AROUND_PERSON: usize = "<@>".len();

fn with_people(text: &str, people: &[String], left: &mut usize) -> String {
    let ids: Vec<&str> = people.iter().map(String::as_str).filter(|id| id.parse::<Snowflake>().is_ok()).collect();
    let mut shown = String::with_capacity(text.len());
    for span in name_spans(text, &ids) {
        match span {
            NameSpan::Person(id) if *left >= AROUND_PERSON => {
                *left -= AROUND_PERSON;
                shown.push_str(&format!("<@{id}>"));
            }
            other => shown.push_str(other.text()),
        }
    }
    shown
}

/// The first of our commands in a text, what stands before it, and what after.
fn next_command(text: &str) -> Option<(&str, &'static str, &str)> {
    text.match_indices('/').find_map(|(at, _)| {
        let (before, rest) = (text.get(..at)?, text.get(at + 1..)?);
        let begins = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "*\u{201c}".contains(c));
        let name = [NAME, GO_ON].into_iter().find(|name| {
            let after = rest.strip_prefix(*name).and_then(|after| after.chars().next());
            rest.starts_with(*name) && after.is_none_or(|c| c.is_whitespace() || ".,;:*?\u{201d}".contains(c))
        })?;
        begins.then_some((before, name, rest.get(name.len()..)?))
    })
}

/// A text as it was before its commands could be clicked.
pub(super) fn without_ids(text: &str) -> String {
    let mut pieces = text.split("</");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let command = piece.split_once('>').and_then(|(mention, after)| {
            let (name, id) = mention.split_once(':')?;
            let is_ours = [NAME, GO_ON].contains(&name) && id.parse::<Snowflake>().is_ok();
            is_ours.then(|| format!("/{name}{after}"))
        });
        plain.push_str(&command.unwrap_or_else(|| format!("</{piece}")));
    }
    plain
}

/// True for a line that is one of our commands.
pub(super) fn is_command(line: &str) -> bool {
    next_command(line).is_some_and(|(before, _, _)| before.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> CommandIds {
        vec![(NAME, Snowflake::new(11).unwrap()), (GO_ON, Snowflake::new(12).unwrap())]
    }

    #[test]
    fn a_command_of_ours_can_be_clicked_where_it_stands_alone() {
        for (text, expected) in [
            ("ask again with /rotation-diag", "ask again with </rotation-diag:11>"),
            ("/rotation-diag prod/x account:prod", "</rotation-diag:11> prod/x account:prod"),
            ("**In a thread, such as /diag rerun 4**", "**In a thread, such as </diag:12> rerun 4**"),
            ("use /diag help. Or /diag.", "use </diag:12> help. Or </diag:12>."),
            ("https\\://x/diag /diagnose a/rotation-diag", "https\\://x/diag /diagnose a/rotation-diag"),
            ("/rotation-diag-x /other", "/rotation-diag-x /other"),
            ("```sh\n/diag help\n```\n/diag", "```sh\n/diag help\n```\n</diag:12>"),
            ("", ""),
        ] {
            assert_eq!(clickable(text, &ids(), &[], 2_000), expected);
            assert_eq!(without_ids(expected), text);
        }
        assert_eq!(clickable("/diag help", &Vec::new(), &[], 2_000), "/diag help", "while its id is not known");
    }

    #[test]
    fn no_text_grows_over_its_limit() {
        let text = "/diag ".repeat(300);
        let shown = clickable(&text, &ids(), &[], 2_000);
        assert!(limits::length(&shown) <= 2_000 && shown.contains("</diag:12>") && shown.ends_with(" /diag "), "{shown}");
        assert_eq!(clickable(&text, &ids(), &[], 10), text);
    }

    #[test]
    fn a_person_is_named_by_a_mention_where_the_id_stands_alone() {
        let people = ["42".to_owned(), "not an id".to_owned()];
        for (text, expected) in [
            ("42 reran step 4: prod/x42 of prod/42", "<@42> reran step 4: prod/x42 of prod/42"),
            ("resolved by 42, 420 <@42> 142", "resolved by <@42>, 420 <@42> 142"),
            ("```\n42\n``` 42", "```\n42\n``` <@42>"),
        ] {
            assert_eq!(clickable(text, &Vec::new(), &people, 2_000), expected);
        }
        assert_eq!(clickable("42 42", &Vec::new(), &people, 8), "<@42> 42", "within the limit");
    }

    #[test]
    fn a_server_has_its_own_ids_or_those_of_all() {
        let registered = RegisteredCommands::default();
        let [one, other] = [1, 2].map(Snowflake::new);
        assert!(registered.of(one).is_empty());
        registered.put(one, ids());
        assert_eq!((registered.of(one).len(), registered.of(other).len()), (2, 0));
        registered.put(None, vec![(NAME, Snowflake::new(13).unwrap())]);
        assert_eq!((registered.of(one).len(), registered.of(other).len(), registered.of(None).len()), (2, 1, 1));
    }
}
