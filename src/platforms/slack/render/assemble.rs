//! Puts pieces into blocks for as long as Slack's limits allow.

use super::Surface;
use super::limits::{self, cut, length};
use super::text::{bold, length_of, paragraph, plain, run};
use slack_morphism::prelude::*;

/// Text of one `rich_text` block. Slack documents no limit; that of a text object keeps phones fast.
const RICH_TEXT: usize = limits::TEXT;

/// Kept free for the note about what was left out.
const NOTE: usize = 200;

/// A piece of a part that is never torn apart.
pub(super) enum BlockPiece {
    /// Lines that may share a block with their neighbours.
    Lines(SlackRichTextElement),
    /// Something to copy: a block of its own.
    Copy(SlackRichTextElement),
    Small(String),
    /// The same, with moments in mark-up of ours; at most as many as a block holds.
    Dated(Vec<SlackContextBlockElement>),
    /// Something that had to be shortened or left out; what remains of it, if anything, stands before this.
    Shortened,
}

/// A message in the making.
pub(super) struct Assembly {
    blocks: Vec<SlackBlock>,
    /// Lines that wait for more of the same part.
    open: Vec<SlackRichTextElement>,
    open_length: usize,
    length: usize,
    most_blocks: usize,
    left_out: usize,
    is_whole: bool,
    is_full: bool,
}

impl Assembly {
    /// A message that keeps room for `controls` blocks at its end.
    pub(super) fn new(controls: usize) -> Assembly {
        Assembly {
            blocks: Vec::new(),
            open: Vec::new(),
            open_length: 0,
            length: 0,
            // One for the note.
            most_blocks: limits::BLOCKS.saturating_sub(controls + 1),
            left_out: 0,
            is_whole: true,
            is_full: false,
        }
    }

    /// Whom the message calls, in mark-up of our own making.
    pub(super) fn mention(&mut self, mention: &str) {
        let text = SlackBlockMarkDownText::new(mention.to_owned());
        self.push(SlackSectionBlock::new().with_text(text.into()).into(), length(mention));
    }

    /// The first line; a header where it fits in one.
    pub(super) fn title(&mut self, title: &str) {
        let block = if length(title) <= limits::HEADER {
            SlackHeaderBlock::new(plain(title, limits::HEADER).into()).into()
        } else {
            SlackRichTextBlock::new(vec![paragraph(vec![bold(&cut(title, RICH_TEXT))])]).into()
        };
        self.push(block, length(title).min(RICH_TEXT));
    }

    /// The first line, where a header cannot show it.
    pub(super) fn title_line(&mut self, title: SlackRichTextElement) {
        let length = length_of(&title);
        self.push(SlackRichTextBlock::new(vec![title]).into(), length);
    }

    /// A part, as far as there is room.
    pub(super) fn part(&mut self, pieces: Vec<BlockPiece>) {
        for piece in pieces {
            match piece {
                BlockPiece::Shortened => self.is_whole = false,
                _ if self.is_full => self.leave_out(),
                BlockPiece::Lines(element) => self.lines(element),
                BlockPiece::Copy(element) => {
                    self.close();
                    let length = length_of(&element);
                    self.push(SlackRichTextBlock::new(vec![element]).into(), length);
                }
                BlockPiece::Small(text) => {
                    self.close();
                    let text = plain(&text, limits::TEXT);
                    let length = length(&text.text);
                    self.push(SlackContextBlock::new(vec![text.into()]).into(), length);
                }
                BlockPiece::Dated(elements) => {
                    self.close();
                    let length = elements.iter().map(length_of_small).sum();
                    self.push(SlackContextBlock::new(elements).into(), length);
                }
            }
        }
        self.close();
    }

    /// The blocks, and whether everything is in them.
    pub(super) fn finish(mut self, surface: Surface) -> (Vec<SlackBlock>, bool) {
        if !self.is_whole {
            let what = match (self.left_out, surface) {
                (0, Surface::Post) => "Some lines are shortened; details.txt in the thread has all of it.".to_owned(),
                (n, Surface::Post) => format!("{n} more lines: details.txt in the thread has all of it."),
                (0, Surface::Ephemeral) => "Some lines are shortened; Export has all of it.".to_owned(),
                (n, Surface::Ephemeral) => format!("{n} more lines do not fit; Export has all of it."),
            };
            self.blocks.push(SlackContextBlock::new(vec![plain(&what, NOTE).into()]).into());
        }
        (self.blocks, self.is_whole)
    }

    fn lines(&mut self, element: SlackRichTextElement) {
        let length = length_of(&element);
        if self.open_length + length > RICH_TEXT {
            self.close();
        }
        let needs_block = usize::from(self.open.is_empty());
        if !self.has_room(needs_block, length) {
            self.leave_out();
            return;
        }
        self.open_length += length + 1;
        self.length += length + 1;
        match (self.open.last_mut(), element) {
            // Lines of one section, as Slack's own editor writes them.
            (Some(SlackRichTextElement::Section(section)), SlackRichTextElement::Section(more)) => {
                section.elements.push(run("\n"));
                section.elements.extend(more.elements);
            }
            (_, element) => self.open.push(element),
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let elements = std::mem::take(&mut self.open);
            self.open_length = 0;
            self.blocks.push(SlackRichTextBlock::new(elements).into());
        }
    }

    fn push(&mut self, block: SlackBlock, length: usize) {
        if self.has_room(1, length) {
            self.length += length;
            self.blocks.push(block);
        } else {
            self.leave_out();
        }
    }

    fn has_room(&self, blocks: usize, length: usize) -> bool {
        let open = usize::from(!self.open.is_empty());
        !self.is_full && self.blocks.len() + open + blocks <= self.most_blocks && self.length + length + NOTE <= limits::MESSAGE
    }

    /// Once something did not fit, nothing after it is shown: order says more than a shorter line that would still fit.
    fn leave_out(&mut self) {
        self.is_full = true;
        self.is_whole = false;
        self.left_out += 1;
    }
}

fn length_of_small(element: &SlackContextBlockElement) -> usize {
    match element {
        SlackContextBlockElement::Plain(text) => length(&text.text),
        SlackContextBlockElement::MarkDown(text) => length(&text.text),
        SlackContextBlockElement::Image(_) => 0,
    }
}
