//! Parsing, and walking what was parsed, within a budget and without recursion.

use super::budget::ReadingBudget;
use std::ops::ControlFlow;
use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

/// The largest file that is parsed, in bytes. Deeply nested, each byte of it may cost the parser 300 bytes of memory.
pub(super) const MAX_FILE_BYTES: usize = 1 << 20;

/// How deep brackets may be nested. Python itself takes 200.
const MAX_NESTING: usize = 1_000;

/// Steps of the parser that any file gets, and that each byte of it adds: five times what ordinary code takes.
const STEPS: (usize, usize) = (2_000, 20);

/// Parses `source`; `None` where that takes more than is left.
pub(super) fn parse(language: &Language, source: &str, budget: &mut ReadingBudget) -> Option<Tree> {
    if is_too_deep(source) || !budget.take_module(source.len()) {
        budget.leave_out();
        return None;
    }
    let (least, bytes_per_step) = STEPS;
    let mut steps = least + source.len() / bytes_per_step;
    let mut parser = Parser::new();
    parser.set_language(language).ok()?;
    let mut go_on = |_: &tree_sitter::ParseState| {
        steps = steps.saturating_sub(1);
        match steps > 0 && budget.take_parse_step() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let bytes = source.as_bytes();
    let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
    if tree.is_none() {
        budget.leave_out();
    }
    tree
}

/// True where more brackets are open at once than any code has, whether in texts or not.
fn is_too_deep(source: &str) -> bool {
    let mut open = 0_usize;
    source.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_NESTING
    })
}

/// Who sees the nodes, each when it begins and when it ends.
pub(super) trait Visitor<'t> {
    fn enter(&mut self, node: Node<'t>);
    fn leave(&mut self, node: Node<'t>);
}

/// Visits all nodes below `root`, or as many as the budget allows.
pub(super) fn walk<'t>(root: Node<'t>, budget: &mut ReadingBudget, visitor: &mut impl Visitor<'t>) {
    let mut cursor = root.walk();
    loop {
        if !budget.take_node() {
            return;
        }
        visitor.enter(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            visitor.leave(cursor.node());
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// The line a node begins in, from 1.
pub(super) fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX).saturating_add(1)
}

/// A node's own text.
pub(super) fn text_of<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The text between the quotes, where the node is a plain string without anything put in.
pub(super) fn string_of<'s>(node: Node<'_>, source: &'s str) -> Option<&'s str> {
    if node.kind() != "string" {
        return None;
    }
    let mut cursor = node.walk();
    let mut content = node.named_children(&mut cursor).filter(|child| !matches!(child.kind(), "string_start" | "string_end"));
    match (content.next(), content.next()) {
        (None, _) => Some(""),
        (Some(only), None) if matches!(only.kind(), "string_content" | "string_fragment") => Some(text_of(only, source)),
        _ => None,
    }
}

/// A word of the code that may leave: an identifier, not a text.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '@' | '$');
    !text.is_empty() && text.len() <= 128 && text.chars().all(is_part)
}
