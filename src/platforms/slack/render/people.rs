//! People whom a message names. A new message that has a mention calls whoever is mentioned, an edit and an answer for one person
//! call nobody: so a new message names nobody, and the edit after it does.

use super::text::{has_marks, paragraph};
use super::{Surface, is_person};
use crate::chat::{NameSpan, name_spans};
use slack_morphism::prelude::*;

/// Who is not named.
const SOMEONE: &str = "someone";

/// The people a message names, and whether it may mention them.
pub(super) struct NamedPeople<'a> {
    ids: Vec<&'a str>,
    may_mention: bool,
}

impl<'a> NamedPeople<'a> {
    /// Those of `people` that are ids of Slack's.
    pub(super) fn new(people: &'a [String], surface: Surface) -> NamedPeople<'a> {
        let ids = people.iter().map(String::as_str).filter(|id| is_person(id)).collect();
        NamedPeople { ids, may_mention: surface == Surface::Ephemeral }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// A text without the ids.
    pub(super) fn unnamed(&self, text: &str) -> String {
        let mut unnamed = String::with_capacity(text.len());
        for part in self.parts(text) {
            match part {
                NameSpan::Text(text) => unnamed.push_str(text),
                NameSpan::Person(_) if !unnamed.contains(char::is_alphanumeric) => unnamed.push_str("Someone"),
                NameSpan::Person(_) => unnamed.push_str(SOMEONE),
            }
        }
        unnamed
    }

    /// The block with the people named, or unnamed. A header is made of a title that was asked about before.
    pub(super) fn in_block(&self, block: SlackBlock) -> SlackBlock {
        match block {
            SlackBlock::Context(mut context) => {
                context.elements = context.elements.into_iter().map(|element| self.small(element)).collect();
                SlackBlock::Context(context)
            }
            SlackBlock::RichText(mut text) => {
                text.elements = text.elements.into_iter().map(|element| self.element(element)).collect();
                SlackBlock::RichText(text)
            }
            other => other,
        }
    }

    /// The title as a line with mentions; `None` where it has none, and a header can show it.
    pub(super) fn title(&self, title: &str) -> Option<SlackRichTextElement> {
        let is_mentioning = self.may_mention && self.are_in(title);
        is_mentioning.then(|| paragraph(self.runs(SlackRichTextText::new(title.to_owned()).bold())))
    }

    /// Small print is plain text, which knows no mentions, unless all of it can be said in mark-up.
    fn small(&self, element: SlackContextBlockElement) -> SlackContextBlockElement {
        match element {
            SlackContextBlockElement::Plain(text) if self.are_in(&text.text) => {
                if self.may_mention && !has_marks(&text.text) {
                    SlackBlockMarkDownText::new(self.marked(&text.text)).with_verbatim(true).into()
                } else {
                    SlackContextBlockElement::Plain(SlackBlockPlainText { text: self.unnamed(&text.text), ..text })
                }
            }
            SlackContextBlockElement::MarkDown(text) if self.are_in(&text.text) => {
                let shown = if self.may_mention { self.marked(&text.text) } else { self.unnamed(&text.text) };
                SlackContextBlockElement::MarkDown(SlackBlockMarkDownText { text: shown, ..text })
            }
            other => other,
        }
    }

    /// Sections alone: what is quoted stays as it is.
    fn element(&self, element: SlackRichTextElement) -> SlackRichTextElement {
        let SlackRichTextElement::Section(section) = element else { return element };
        let runs = section.elements.into_iter().flat_map(|run| match run {
            SlackRichTextInlineElement::Text(text) if self.are_in(&text.text) && self.may_mention => self.runs(text),
            SlackRichTextInlineElement::Text(text) if self.are_in(&text.text) => {
                vec![SlackRichTextText { text: self.unnamed(&text.text), ..text }.into()]
            }
            other => vec![other],
        });
        SlackRichTextSection::new(runs.collect()).into()
    }

    fn runs(&self, run: SlackRichTextText) -> Vec<SlackRichTextInlineElement> {
        let parts = self.parts(&run.text).into_iter();
        let inline = parts.map(|part| match part {
            NameSpan::Text(text) => SlackRichTextText { text: text.to_owned(), style: run.style.clone() }.into(),
            NameSpan::Person(id) => SlackRichTextInlineElement::User(SlackRichTextUser {
                user_id: SlackUserId(id.to_owned()),
                style: run.style.clone(),
            }),
        });
        inline.collect()
    }

    fn marked(&self, text: &str) -> String {
        let parts = self.parts(text).into_iter();
        parts.map(|part| if let NameSpan::Person(id) = part { format!("<@{id}>") } else { part.text().to_owned() }).collect()
    }

    fn are_in(&self, text: &str) -> bool {
        self.parts(text).iter().any(|part| matches!(part, NameSpan::Person(_)))
    }

    fn parts<'t>(&self, text: &'t str) -> Vec<NameSpan<'t>> {
        name_spans(text, &self.ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_person_where_it_stands_for_itself() {
        let ids = ["U1".to_owned(), "U12".to_owned(), "the alarm".to_owned()];
        let people = NamedPeople::new(&ids, Surface::Post);
        for (text, expected) in [
            ("U1 resolved this.", "Someone resolved this."),
            ("resolved by U12, U1.", "resolved by someone, someone."),
            ("prod/U1 of U1-db, xU1, U123 and the alarm", "prod/U1 of U1-db, xU1, U123 and the alarm"),
            ("", ""),
        ] {
            assert_eq!(people.unnamed(text), expected, "{text}");
        }
        assert_eq!(NamedPeople::new(&ids, Surface::Ephemeral).marked("by U12, U1"), "by <@U12>, <@U1>");
        assert!(NamedPeople::new(&["the alarm".to_owned()], Surface::Post).is_empty());
    }
}
