//! What one JavaScript module says: what it requires, exports and decides.

use super::budget::ReadingBudget;
use super::parse::{Visitor, is_name, line_of, parse, string_of, text_of, walk};
use super::steps::{CodeBody, StepDispatch, Steps};
use crate::model::RotationStep;
use std::collections::BTreeSet;
use tree_sitter::Node;

/// How many names of one kind are kept of a module.
const MAX_NAMES: usize = 2_000;

/// Conditions are searched up to this length, in bytes.
const MAX_SEARCHED: usize = 200;

/// Settings that say how long to wait for a connection, in milliseconds.
const CONNECT_TIMEOUTS: &[&str] =
    &["connectionTimeoutMillis", "connectTimeout", "connectionTimeout", "connectTimeoutMS", "serverSelectionTimeoutMS"];

/// One module that is required.
#[derive(Debug, Clone)]
pub(super) struct Require {
    /// As the code names it.
    pub(super) name: String,
    pub(super) line: u32,
    /// It runs as the module loads, and nothing around it skips it or catches its failure.
    pub(super) is_certain: bool,
}

#[derive(Debug, Default)]
pub(super) struct NodeModule {
    pub(super) requires: Vec<Require>,
    pub(super) exports: BTreeSet<String>,
    /// It exports what cannot be told without running it.
    pub(super) has_open_exports: bool,
    /// The first line that does not parse.
    pub(super) syntax_error: Option<u32>,
    pub(super) steps: Steps,
    pub(super) connect_timeout_ms: Option<u64>,
}

impl NodeModule {
    /// `None` where it could not be parsed within what is left.
    pub(super) fn read(source: &str, budget: &mut ReadingBudget) -> Option<NodeModule> {
        let tree = parse(&tree_sitter_javascript::LANGUAGE.into(), source, budget)?;
        let mut reader = NodeReader { source, scopes: Vec::new(), module: NodeModule::default() };
        walk(tree.root_node(), budget, &mut reader);
        Some(reader.module)
    }
}

struct NodeReader<'s> {
    source: &'s str,
    /// What makes uncertain whether the code inside runs.
    scopes: Vec<usize>,
    module: NodeModule,
}

impl<'t> Visitor<'t> for NodeReader<'_> {
    fn enter(&mut self, node: Node<'t>) {
        if node.is_error() || node.is_missing() {
            let line = line_of(node);
            let known = self.module.syntax_error.get_or_insert(line);
            *known = line.min(*known);
        }
        match node.kind() {
            "import_statement" => self.import(node),
            "call_expression" => self.call(node),
            "export_statement" => self.export(node),
            "assignment_expression" => self.assignment(node),
            "function_declaration" | "method_definition" => self.function(node),
            "variable_declarator" => self.variable(node),
            "switch_case" => self.case(node),
            "if_statement" => self.branch(node),
            "pair" => self.pair(node),
            "string" => self.string(node),
            _ => {}
        }
        let is_unsure = matches!(
            node.kind(),
            "function_declaration"
                | "function_expression"
                | "generator_function_declaration"
                | "arrow_function"
                | "method_definition"
                | "if_statement"
                | "try_statement"
                | "ternary_expression"
                | "binary_expression"
                | "for_statement"
                | "while_statement"
                | "switch_statement"
        );
        if is_unsure {
            self.scopes.push(node.id());
        }
    }

    fn leave(&mut self, node: Node<'t>) {
        if self.scopes.last() == Some(&node.id()) {
            self.scopes.pop();
        }
    }
}

impl NodeReader<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        text_of(node, self.source)
    }

    fn add(&mut self, name: &str, node: Node<'_>) {
        if is_module_name(name) && self.module.requires.len() < MAX_NAMES {
            let (line, is_certain) = (line_of(node), self.scopes.is_empty());
            self.module.requires.push(Require { name: name.to_owned(), line, is_certain });
        }
    }

    fn import(&mut self, node: Node<'_>) {
        let source = self.source;
        if let Some(name) = node.child_by_field_name("source").and_then(|name| string_of(name, source)) {
            self.add(name, node);
        }
    }

    fn call(&mut self, node: Node<'_>) {
        let (Some(called), Some(arguments)) = (node.child_by_field_name("function"), node.child_by_field_name("arguments"))
        else {
            return;
        };
        let source = self.source;
        match self.text(called) {
            "require" => {
                if let Some(name) = arguments.named_child(0).and_then(|first| string_of(first, source)) {
                    self.add(name, node);
                }
            }
            // What bundlers write where a module was one of ECMAScript's.
            "__export" | "__exportAll" => {
                if let Some(names) = arguments.named_child(1) {
                    self.export_object(names);
                }
            }
            _ => {}
        }
    }

    fn add_export(&mut self, name: Option<Node<'_>>) {
        let Some(name) = name.map(|name| self.text(name).to_owned()) else { return };
        if self.module.exports.len() < MAX_NAMES {
            self.module.exports.insert(name);
        }
    }

    fn export(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).take(MAX_NAMES).collect();
        // `export * from` takes whatever the other module has.
        self.module.has_open_exports |= self.text(node).starts_with("export *");
        for child in children {
            match child.kind() {
                "export_clause" => {
                    let mut cursor = child.walk();
                    let specifiers: Vec<Node<'_>> = child.named_children(&mut cursor).take(MAX_NAMES).collect();
                    for specifier in specifiers {
                        let alias = specifier.child_by_field_name("alias").or_else(|| specifier.child_by_field_name("name"));
                        self.add_export(alias);
                    }
                }
                "function_declaration" | "generator_function_declaration" | "class_declaration" => {
                    self.add_export(child.child_by_field_name("name"));
                }
                "lexical_declaration" | "variable_declaration" => {
                    let mut cursor = child.walk();
                    let declared: Vec<Node<'_>> = child.named_children(&mut cursor).take(MAX_NAMES).collect();
                    for one in declared {
                        self.add_export(one.child_by_field_name("name"));
                    }
                }
                _ => {}
            }
        }
        if let Some(name) = node.child_by_field_name("source").and_then(|name| string_of(name, self.source)).map(str::to_owned) {
            self.add(&name, node);
        }
    }

    fn assignment(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else { return };
        let target = text_of(left, self.source);
        match target {
            "module.exports" | "exports" => self.export_object(right),
            _ if target.starts_with("exports.") || target.starts_with("module.exports.") => {
                self.add_export(left.child_by_field_name("property"));
            }
            _ => {}
        }
        let name = target.rsplit('.').next().unwrap_or(target).to_owned();
        self.define(name, right);
    }

    /// `{ handler, other: f }`; anything else is known only when it runs.
    fn export_object(&mut self, object: Node<'_>) {
        if object.kind() != "object" {
            // esbuild exports what it has listed before.
            self.module.has_open_exports |= !self.text(object).starts_with("__toCommonJS");
            return;
        }
        let mut cursor = object.walk();
        let members: Vec<Node<'_>> = object.named_children(&mut cursor).take(MAX_NAMES).collect();
        for member in members {
            match member.kind() {
                "pair" => self.add_export(member.child_by_field_name("key")),
                "shorthand_property_identifier" => self.add_export(Some(member)),
                "method_definition" => self.add_export(member.child_by_field_name("name")),
                _ => self.module.has_open_exports = true,
            }
        }
    }

    fn define(&mut self, name: String, value: Node<'_>) {
        let is_function = matches!(value.kind(), "arrow_function" | "function_expression");
        if let Some(body) = value.child_by_field_name("body").filter(|_| is_function && is_name(&name)) {
            self.module.steps.define(&name, body_of(body, self.source), line_of(value));
        }
    }

    fn function(&mut self, node: Node<'_>) {
        let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body")) else { return };
        let name = self.text(name).to_owned();
        self.module.steps.define(&name, body_of(body, self.source), line_of(node));
    }

    fn variable(&mut self, node: Node<'_>) {
        let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value")) else { return };
        let name = self.text(name).to_owned();
        self.define(name, value);
    }

    fn case(&mut self, node: Node<'_>) {
        let source = self.source;
        let Some(value) = node.child_by_field_name("value").and_then(|value| string_of(value, source)) else { return };
        let Some(step) = RotationStep::from_name(value) else { return };
        let mut cursor = node.walk();
        let body: Vec<Node<'_>> = node.children_by_field_name("body", &mut cursor).take(8).collect();
        // Without a body it shares that of the next case.
        if !body.is_empty() {
            let body = comes_to(body.into_iter(), source);
            self.module.steps.dispatch(step, StepDispatch { body, line: line_of(node) });
        }
    }

    fn branch(&mut self, node: Node<'_>) {
        let (Some(condition), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("consequence"))
        else {
            return;
        };
        let text = self.text(condition);
        if text.len() > MAX_SEARCHED || text.contains("!=") {
            return;
        }
        let mut named = RotationStep::ALL.into_iter().filter(|step| text.contains(step.name()));
        if let (Some(step), None) = (named.next(), named.next()) {
            let body = body_of(body, self.source);
            self.module.steps.dispatch(step, StepDispatch { body, line: line_of(node) });
        }
    }

    fn pair(&mut self, node: Node<'_>) {
        let (Some(key), Some(value)) = (node.child_by_field_name("key"), node.child_by_field_name("value")) else { return };
        let name = string_of(key, self.source).unwrap_or_else(|| text_of(key, self.source));
        if CONNECT_TIMEOUTS.contains(&name)
            && let Some(ms) = self.text(value).replace('_', "").parse::<u64>().ok().filter(|ms| *ms <= 86_400_000)
        {
            self.module.connect_timeout_ms = self.module.connect_timeout_ms.max(Some(ms));
        }
        let Some(step) = RotationStep::from_name(name) else { return };
        let line = line_of(node);
        let body = match value.kind() {
            "identifier" | "member_expression" => CodeBody::Calls(last_name(self.text(value)).to_owned()),
            "arrow_function" | "function_expression" => match value.child_by_field_name("body") {
                Some(body) => body_of(body, self.source),
                None => return,
            },
            _ => return,
        };
        self.module.steps.dispatch(step, StepDispatch { body, line });
    }

    fn string(&mut self, node: Node<'_>) {
        if let Some(step) = string_of(node, self.source).and_then(RotationStep::from_name) {
            self.module.steps.name(step);
        }
    }
}

fn last_name(text: &str) -> &str {
    text.rsplit('.').next().unwrap_or(text)
}

/// A name under which a module can be sought.
fn is_module_name(name: &str) -> bool {
    is_name(name.strip_prefix("node:").unwrap_or(name))
}

/// What a block, or an expression in its place, comes to.
fn body_of(body: Node<'_>, source: &str) -> CodeBody {
    if body.kind() != "statement_block" {
        return comes_to(std::iter::once(body), source);
    }
    let mut cursor = body.walk();
    comes_to(body.named_children(&mut cursor), source)
}

fn comes_to<'t>(statements: impl Iterator<Item = Node<'t>>, source: &str) -> CodeBody {
    let mut only = None;
    for statement in statements.filter(|statement| !is_inert(*statement, source)) {
        if statement.kind() == "throw_statement" && only.is_none() {
            return CodeBody::OnlyRaises;
        }
        if only.replace(statement).is_some() {
            return CodeBody::Works;
        }
    }
    match only {
        None => CodeBody::OnlyPasses,
        Some(block) if block.kind() == "statement_block" => {
            let mut cursor = block.walk();
            let mut inner = block.named_children(&mut cursor).filter(|statement| !is_inert(*statement, source));
            match (inner.next(), inner.next()) {
                (None, _) => CodeBody::OnlyPasses,
                (Some(first), _) if first.kind() == "throw_statement" => CodeBody::OnlyRaises,
                (Some(first), None) => called_by(first, source).map_or(CodeBody::Works, CodeBody::Calls),
                _ => CodeBody::Works,
            }
        }
        Some(statement) => called_by(statement, source).map_or(CodeBody::Works, CodeBody::Calls),
    }
}

fn is_inert(statement: Node<'_>, source: &str) -> bool {
    match statement.kind() {
        "comment" | "empty_statement" | "break_statement" => true,
        "return_statement" => {
            statement.named_child(0).is_none_or(|value| matches!(value.kind(), "undefined" | "null" | "true" | "false"))
        }
        "expression_statement" => statement.named_child(0).is_some_and(|value| {
            value.kind() == "string"
                || value.child_by_field_name("function").is_some_and(|called| {
                    let name = text_of(called, source);
                    name.starts_with("console.") || name.starts_with("logger.") || name.starts_with("log.")
                })
        }),
        _ => false,
    }
}

/// The function that a statement does nothing but call, awaited or not.
fn called_by(statement: Node<'_>, source: &str) -> Option<String> {
    let mut value = match statement.kind() {
        "expression_statement" | "return_statement" => statement.named_child(0)?,
        "await_expression" | "call_expression" => statement,
        _ => return None,
    };
    if value.kind() == "await_expression" {
        value = value.named_child(0)?;
    }
    let called = value.child_by_field_name("function").filter(|_| value.kind() == "call_expression")?;
    let text = text_of(called, source);
    let is_own = called.kind() == "identifier" || text.starts_with("this.");
    let name = last_name(text);
    (is_own && is_name(name)).then(|| name.to_owned())
}
