//! What one Python module says: what it imports, defines, reads and decides.

use super::budget::ReadingBudget;
use super::parse::{Visitor, is_name, line_of, parse, string_of, text_of, walk};
use super::steps::{CodeBody, StepDispatch, Steps};
use crate::model::RotationStep;
use std::collections::{BTreeMap, BTreeSet};
use tree_sitter::Node;

/// How many names of one kind are kept of a module.
const MAX_NAMES: usize = 2_000;

/// Texts are searched up to this length, in bytes: nested ones would be searched again and again.
const MAX_SEARCHED: usize = 4_096;

/// How often a node's parent is sought, which costs its depth.
const MAX_PARENTS: usize = 500;

/// One module that is imported.
#[derive(Debug, Clone)]
pub(super) struct Import {
    /// The dots of a relative import.
    pub(super) dots: usize,
    /// The module's dotted name; empty for `from . import x`.
    pub(super) module: String,
    /// What is taken from it, which may be modules below it; `None` for the module itself.
    pub(super) taken: Option<Vec<String>>,
    pub(super) line: u32,
    /// It runs as the module loads.
    pub(super) at_load: bool,
    /// Nothing around it skips it or catches its failure.
    pub(super) is_certain: bool,
}

/// A function, as far as it tells which template it is of.
#[derive(Debug, Default)]
pub(super) struct FunctionShape {
    /// The names of what it calls, without what they are called on.
    pub(super) calls: BTreeSet<String>,
    /// Which of [`MARKS`] its texts hold.
    pub(super) marks: BTreeSet<&'static str>,
}

/// An environment variable that is read so that its absence is an error.
#[derive(Debug)]
pub(super) struct EnvironmentRead {
    pub(super) name: String,
    /// The function it stands in; `None` as the module loads.
    pub(super) function: Option<String>,
}

/// Parts of texts by which templates are known.
pub(super) const MARKS: &[&str] =
    &["pg_automv", "quote_ident", "QUOTE_IDENT", "%%", "ALTER USER", "GRANT ", "SHOW GRANTS", "\\\"%s\\\""];

/// What a module names that loads others in a way of its own.
pub(super) const OWN_WAYS: [&str; 4] = ["__path__", "sys.modules", "__getattr__", "importlib"];

/// The mark of a grant on several databases in one statement.
pub(super) const JOINED_DATABASES: &str = "several databases in one grant";

/// Whole texts by which templates tell their engine.
const ENGINES: &[&str] = &["mysql", "mariadb", "postgres", "redshift", "oracle", "sqlserver", "mongo", "db2"];

/// Arguments that say how long to wait for a connection, and how many milliseconds one of them is.
const CONNECT_TIMEOUTS: &[(&str, f64)] = &[
    ("connect_timeout", 1_000.0),
    ("connection_timeout", 1_000.0),
    ("login_timeout", 1_000.0),
    ("socket_connect_timeout", 1_000.0),
    ("tcp_connect_timeout", 1_000.0),
    ("connectTimeoutMS", 1.0),
    ("serverSelectionTimeoutMS", 1.0),
];

/// Names that Python 3 does not have.
const PYTHON_2_NAMES: &[&str] = &["unicode", "basestring", "xrange", "raw_input", "unichr"];

#[derive(Debug, Default)]
pub(super) struct PythonModule {
    pub(super) imports: Vec<Import>,
    /// Names at the top of the module.
    pub(super) defines: BTreeSet<String>,
    /// It takes all names of another module, or makes its names as it runs.
    pub(super) has_open_names: bool,
    /// The first line that does not parse.
    pub(super) syntax_error: Option<u32>,
    pub(super) functions: BTreeMap<String, FunctionShape>,
    pub(super) steps: Steps,
    pub(super) environment: Vec<EnvironmentRead>,
    /// Variables it asks for before it reads them.
    pub(super) asked_environment: BTreeSet<String>,
    /// Every variable it names in any way.
    pub(super) named_environment: BTreeSet<String>,
    pub(super) connect_timeout_ms: Option<u64>,
    pub(super) engines: BTreeSet<&'static str>,
    /// It uses a name of Python 2 that it does not define.
    pub(super) uses_python_2: bool,
    /// It changes where modules are sought.
    pub(super) changes_search: bool,
    /// It loads parts of itself in ways of its own.
    pub(super) loads_itself: bool,
}

impl PythonModule {
    /// `None` where it could not be parsed within what is left.
    pub(super) fn read(source: &str, budget: &mut ReadingBudget) -> Option<PythonModule> {
        let tree = parse(&tree_sitter_python::LANGUAGE.into(), source, budget)?;
        let root = tree.root_node();
        let mut reader = ModuleReader {
            source,
            scopes: Vec::new(),
            inside: Vec::new(),
            unsure: 0,
            classes: 0,
            module: PythonModule::default(),
            python_2: BTreeSet::new(),
            parents: 0,
        };
        reader.module.changes_search = source.contains("sys.path");
        reader.module.loads_itself = OWN_WAYS.iter().any(|way| source.contains(way));
        walk(root, budget, &mut reader);
        let ModuleReader { mut module, python_2, .. } = reader;
        module.uses_python_2 = python_2.iter().any(|name| !module.defines.contains(*name));
        Some(module)
    }
}

/// What stands around a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    Function,
    /// What is inside runs as the module loads, and its names are the class's.
    Class,
    /// What is inside may be skipped, or its failure be caught.
    Unsure,
}

struct ModuleReader<'s> {
    source: &'s str,
    scopes: Vec<(usize, Binding)>,
    /// The names of the functions among them, the outermost first.
    inside: Vec<String>,
    /// How many among them are unsure.
    unsure: usize,
    /// How many among them are classes.
    classes: usize,
    module: PythonModule,
    python_2: BTreeSet<&'static str>,
    /// How many parents were sought.
    parents: usize,
}

impl<'t> Visitor<'t> for ModuleReader<'_> {
    fn enter(&mut self, node: Node<'t>) {
        self.note_error(node);
        match node.kind() {
            "import_statement" => self.import(node),
            "import_from_statement" => self.import_from(node),
            "function_definition" => self.function(node),
            "class_definition" => self.define(node.child_by_field_name("name")),
            "assignment" => self.assignment(node),
            "call" => self.call(node),
            "string" => self.string(node),
            "subscript" => self.subscript(node),
            "comparison_operator" => self.comparison(node),
            "keyword_argument" => self.keyword(node),
            "identifier" => self.identifier(node),
            "if_statement" | "elif_clause" => self.branch(node, "condition", "consequence"),
            "case_clause" => self.case(node),
            "pair" => self.pair(node),
            "binary_operator" => self.filled_in(node),
            _ => {}
        }
        if let Some(scope) = self.scope_of(node) {
            self.scopes.push((node.id(), scope));
            match scope {
                Binding::Function => {
                    let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned());
                    self.inside.push(name.unwrap_or_default());
                }
                Binding::Class => self.classes += 1,
                Binding::Unsure => self.unsure += 1,
            }
        }
    }

    fn leave(&mut self, node: Node<'t>) {
        let Some((_, scope)) = self.scopes.pop_if(|(id, _)| *id == node.id()) else { return };
        match scope {
            Binding::Function => drop(self.inside.pop()),
            Binding::Class => self.classes -= 1,
            Binding::Unsure => self.unsure -= 1,
        }
    }
}

impl ModuleReader<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        text_of(node, self.source)
    }

    fn scope_of(&self, node: Node<'_>) -> Option<Binding> {
        match node.kind() {
            "function_definition" | "lambda" => Some(Binding::Function),
            "class_definition" => Some(Binding::Class),
            "if_statement"
            | "conditional_expression"
            | "boolean_operator"
            | "for_statement"
            | "while_statement"
            | "match_statement"
            | "list_comprehension"
            | "dictionary_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "assert_statement" => Some(Binding::Unsure),
            "try_statement" => {
                let mut cursor = node.walk();
                let catches = node.children(&mut cursor).any(|child| self.catches(child));
                catches.then_some(Binding::Unsure)
            }
            "with_statement" => {
                let head = node.named_child(0).map(|clause| self.text(clause)).unwrap_or_default();
                (head.len() > MAX_SEARCHED || head.contains("suppress")).then_some(Binding::Unsure)
            }
            _ => None,
        }
    }

    /// True for a clause that catches a failed import or a missing key, and does not raise again.
    fn catches(&self, clause: Node<'_>) -> bool {
        const CAUGHT: [&str; 6] = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException", "KeyError", "LookupError"];
        if !matches!(clause.kind(), "except_clause" | "except_group_clause") {
            return false;
        }
        let mut cursor = clause.walk();
        let (blocks, heads): (Vec<Node<'_>>, Vec<Node<'_>>) = clause
            .named_children(&mut cursor)
            .filter(|child| child.kind() != "comment")
            .partition(|child| child.kind() == "block");
        let is_caught = heads.is_empty()
            || heads.iter().any(|head| {
                let text = self.text(*head);
                text.len() > MAX_SEARCHED || CAUGHT.iter().any(|name| text.contains(name))
            });
        let raises = blocks.iter().any(|block| {
            let mut cursor = block.walk();
            block.named_children(&mut cursor).any(|statement| statement.kind() == "raise_statement")
        });
        is_caught && !raises
    }

    fn is_certain(&self) -> bool {
        self.unsure == 0
    }

    /// The outermost function around the present node.
    fn function_name(&self) -> Option<&str> {
        self.inside.first().map(String::as_str)
    }

    fn is_at_top(&self) -> bool {
        self.function_name().is_none()
    }

    fn note_error(&mut self, node: Node<'_>) {
        // `print "x"` is a statement of Python 2; `print >>file` is an expression in both.
        let is_old = match node.kind() {
            "print_statement" => node.named_child(0).is_none_or(|first| first.kind() != "chevron"),
            "exec_statement" => true,
            _ => false,
        };
        if node.is_error() || node.is_missing() || is_old {
            let line = line_of(node);
            let known = self.module.syntax_error.get_or_insert(line);
            *known = line.min(*known);
        }
    }

    fn add_import(&mut self, dots: usize, module: String, taken: Option<Vec<String>>, node: Node<'_>) {
        if self.module.imports.len() < MAX_NAMES && (module.is_empty() || is_name(&module)) {
            let (at_load, is_certain) = (self.is_at_top(), self.is_certain());
            self.module.imports.push(Import { dots, module, taken, line: line_of(node), at_load, is_certain });
        }
    }

    fn import(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).take(MAX_NAMES).collect();
        for name in names {
            let (module, bound) = match name.kind() {
                "aliased_import" => (name.child_by_field_name("name"), name.child_by_field_name("alias")),
                _ => (Some(name), name.named_child(0)),
            };
            let module = module.map(|module| dotted(self.text(module))).unwrap_or_default();
            self.add_import(0, module, None, node);
            self.define(bound);
        }
    }

    fn import_from(&mut self, node: Node<'_>) {
        let Some(from) = node.child_by_field_name("module_name") else { return };
        let named = dotted(self.text(from));
        let module = named.trim_start_matches('.');
        let dots = named.len() - module.len();
        let mut cursor = node.walk();
        let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).take(MAX_NAMES).collect();
        let mut taken = Vec::new();
        for name in names {
            let (own, bound) = match name.kind() {
                "aliased_import" => (name.child_by_field_name("name"), name.child_by_field_name("alias")),
                _ => (Some(name), Some(name)),
            };
            taken.extend(own.map(|own| dotted(self.text(own))));
            self.define(bound);
        }
        let mut cursor = node.walk();
        if node.named_children(&mut cursor).any(|child| child.kind() == "wildcard_import") {
            self.module.has_open_names |= self.is_at_top();
        }
        self.add_import(dots, module.to_owned(), Some(taken), node);
    }

    fn define(&mut self, name: Option<Node<'_>>) {
        let is_of_module = self.is_at_top() && self.classes == 0;
        let Some(name) = name.filter(|_| is_of_module && self.module.defines.len() < MAX_NAMES) else { return };
        let text = self.text(name).to_owned();
        self.module.defines.insert(text);
    }

    fn function(&mut self, node: Node<'_>) {
        let name = node.child_by_field_name("name");
        self.define(name);
        let (Some(name), Some(body)) = (name, node.child_by_field_name("body")) else { return };
        let body = body_of(body, self.source);
        let name = self.text(name).to_owned();
        if name == "__getattr__" && self.is_at_top() {
            self.module.has_open_names = true;
        }
        if self.module.functions.len() < MAX_NAMES {
            self.module.steps.define(&name, body, line_of(node));
            self.module.functions.entry(name).or_default();
        }
    }

    fn assignment(&mut self, node: Node<'_>) {
        let left = node.child_by_field_name("left");
        self.define(left.filter(|left| left.kind() == "identifier"));
        let globals = left.is_some_and(|left| self.text(left).starts_with("globals()"));
        self.module.has_open_names |= globals;
        // What is set before it is read need not be configured.
        if let Some(name) = left.and_then(|left| self.environment_subscript(left)) {
            self.module.asked_environment.insert(name);
        }
    }

    fn shape(&mut self) -> Option<&mut FunctionShape> {
        let name = self.function_name()?.to_owned();
        self.module.functions.get_mut(&name)
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(called) = node.child_by_field_name("function") else { return };
        let last = match called.kind() {
            "attribute" => called.child_by_field_name("attribute"),
            _ => Some(called),
        };
        let Some(name) = last.map(|last| self.text(last)).filter(|name| is_name(name)).map(str::to_owned) else { return };
        let whole = self.text(called);
        let asks_environment = whole.ends_with("environ.get") || whole.ends_with("getenv") || whole == "get_environment_bool";
        let sets_environment = whole.ends_with("environ.setdefault");
        let first = node.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
        if let Some(variable) = first.filter(|_| asks_environment).and_then(|first| string_of(first, self.source)) {
            self.module.named_environment.insert(variable.to_owned());
        }
        if let Some(variable) = first.filter(|_| sets_environment).and_then(|first| string_of(first, self.source)) {
            self.module.asked_environment.insert(variable.to_owned());
        }
        if let Some(shape) = self.shape().filter(|shape| shape.calls.len() < MAX_NAMES) {
            shape.calls.insert(name);
        }
    }

    fn string(&mut self, node: Node<'_>) {
        let text = text_of(node, self.source);
        if text.len() <= MAX_SEARCHED
            && let Some(shape) = self.shape()
        {
            shape.marks.extend(MARKS.iter().copied().filter(|mark| text.contains(mark)));
        }
        let Some(content) = string_of(node, self.source) else { return };
        self.module.engines.extend(ENGINES.iter().copied().filter(|engine| *engine == content));
        if let Some(step) = RotationStep::from_name(content) {
            self.module.steps.name(step);
        }
    }

    /// A statement whose places are filled in with joined names.
    fn filled_in(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else { return };
        let (statement, names) = (text_of(left, self.source), text_of(right, self.source));
        if left.kind() == "string"
            && names.len() <= MAX_SEARCHED
            && statement.contains(" ON DATABASE ")
            && names.contains(".join(")
        {
            self.shape().map(|shape| shape.marks.insert(JOINED_DATABASES));
        }
    }

    /// The variable of `os.environ["NAME"]`.
    fn environment_subscript(&self, node: Node<'_>) -> Option<String> {
        let value = node.child_by_field_name("value").filter(|_| node.kind() == "subscript")?;
        if !matches!(self.text(value), "os.environ" | "environ") {
            return None;
        }
        let name = string_of(node.child_by_field_name("subscript")?, self.source)?;
        is_variable(name).then(|| name.to_owned())
    }

    fn subscript(&mut self, node: Node<'_>) {
        let Some(name) = self.environment_subscript(node) else { return };
        self.module.named_environment.insert(name.clone());
        if self.is_certain() && self.module.environment.len() < MAX_NAMES {
            let function = self.function_name().map(str::to_owned);
            self.module.environment.push(EnvironmentRead { name, function });
        }
    }

    fn comparison(&mut self, node: Node<'_>) {
        let text = self.text(node);
        if text.len() > MAX_SEARCHED || !text.contains("environ") {
            return;
        }
        let mut cursor = node.walk();
        let asked = node.named_children(&mut cursor).filter_map(|child| string_of(child, self.source)).map(str::to_owned);
        let asked: Vec<String> = asked.collect();
        self.module.asked_environment.extend(asked);
    }

    fn keyword(&mut self, node: Node<'_>) {
        let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value")) else { return };
        let (name, value) = (text_of(name, self.source), text_of(value, self.source));
        self.timeout(name, value);
    }

    fn timeout(&mut self, name: &str, value: &str) {
        let Some((_, unit)) = CONNECT_TIMEOUTS.iter().find(|(argument, _)| *argument == name) else { return };
        let Some(value) = value.parse::<f64>().ok().filter(|value| (0.0..=86_400_000.0).contains(value)) else { return };
        let ms = (value * unit) as u64;
        self.module.connect_timeout_ms = self.module.connect_timeout_ms.max(Some(ms));
    }

    fn identifier(&mut self, node: Node<'_>) {
        let text = text_of(node, self.source);
        let Some(old) = PYTHON_2_NAMES.iter().copied().find(|name| *name == text) else { return };
        self.parents += 1;
        if self.parents > MAX_PARENTS {
            return;
        }
        // Not as an attribute or an argument's name.
        let named = node.parent().filter(|parent| matches!(parent.kind(), "attribute" | "keyword_argument" | "parameters"));
        if named.is_none() {
            self.python_2.insert(old);
        }
    }

    fn branch(&mut self, node: Node<'_>, condition: &str, consequence: &str) {
        let (Some(condition), Some(body)) = (node.child_by_field_name(condition), node.child_by_field_name(consequence)) else {
            return;
        };
        let text = self.text(condition);
        if text.len() > 200 || text.contains("!=") || text.contains("not ") {
            return;
        }
        if let Some(step) = only_step(text) {
            self.dispatch(step, body);
        }
    }

    fn case(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let pattern = node.named_children(&mut cursor).find(|child| child.kind() == "case_pattern");
        let step = pattern.map(|pattern| self.text(pattern)).filter(|text| text.len() <= 200).and_then(only_step);
        if let (Some(step), Some(body)) = (step, node.child_by_field_name("consequence")) {
            self.dispatch(step, body);
        }
    }

    fn pair(&mut self, node: Node<'_>) {
        let (Some(key), Some(value)) = (node.child_by_field_name("key"), node.child_by_field_name("value")) else { return };
        let Some(name) = string_of(key, self.source) else { return };
        self.timeout(name, text_of(value, self.source));
        let Some(step) = RotationStep::from_name(name) else { return };
        let line = line_of(node);
        match value.kind() {
            "identifier" | "attribute" => {
                let name = last_name(self.text(value)).to_owned();
                self.module.steps.dispatch(step, StepDispatch { body: CodeBody::Calls(name), line });
            }
            "lambda" => self.module.steps.dispatch(step, StepDispatch { body: CodeBody::Works, line }),
            _ => {}
        }
    }

    fn dispatch(&mut self, step: RotationStep, body: Node<'_>) {
        let line = line_of(body);
        let body = body_of(body, self.source);
        self.module.steps.dispatch(step, StepDispatch { body, line });
    }
}

/// A dotted name without the blanks and line breaks Python allows in it.
fn dotted(text: &str) -> String {
    text.chars().take(256).filter(|c| !c.is_whitespace()).collect()
}

fn last_name(text: &str) -> &str {
    text.rsplit('.').next().unwrap_or(text)
}

/// The one rotation step that a condition names.
fn only_step(condition: &str) -> Option<RotationStep> {
    let mut named = RotationStep::ALL.into_iter().filter(|step| condition.contains(step.name()));
    named.next().filter(|_| named.next().is_none())
}

/// A name that an environment variable can have.
fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a block comes to; what it only says is left out.
fn body_of(block: Node<'_>, source: &str) -> CodeBody {
    let mut cursor = block.walk();
    let mut statements = Vec::new();
    for statement in block.named_children(&mut cursor).filter(|statement| !is_inert(*statement, source)) {
        if matches!(statement.kind(), "raise_statement") && statements.is_empty() {
            return CodeBody::OnlyRaises;
        }
        statements.push(statement);
        if statements.len() > 1 {
            return CodeBody::Works;
        }
    }
    match statements.first() {
        None => CodeBody::OnlyPasses,
        Some(only) => called_by(*only, source).map_or(CodeBody::Works, CodeBody::Calls),
    }
}

/// True for what changes nothing: `pass`, a text, a line of log, an empty `return`.
fn is_inert(statement: Node<'_>, source: &str) -> bool {
    match statement.kind() {
        "pass_statement" | "comment" => true,
        "return_statement" => statement.named_child(0).is_none_or(|value| matches!(value.kind(), "none" | "true" | "false")),
        "expression_statement" => statement.named_child(0).is_some_and(|value| match value.kind() {
            "string" | "ellipsis" | "none" => true,
            "call" => value.child_by_field_name("function").is_some_and(|called| {
                let name = text_of(called, source);
                let is_log = ["debug", "info", "warning", "warn", "error", "exception", "critical", "log"];
                name == "print" || (name.contains('.') && is_log.contains(&last_name(name)))
            }),
            _ => false,
        }),
        _ => false,
    }
}

/// The function that a statement does nothing but call.
fn called_by(statement: Node<'_>, source: &str) -> Option<String> {
    let mut value =
        statement.named_child(0).filter(|_| matches!(statement.kind(), "expression_statement" | "return_statement"))?;
    if value.kind() == "assignment" {
        value = value.child_by_field_name("right")?;
    }
    let called = value.child_by_field_name("function").filter(|_| value.kind() == "call")?;
    let name = last_name(text_of(called, source));
    let is_own = called.kind() == "identifier" || text_of(called, source).starts_with("self.");
    (is_own && is_name(name)).then(|| name.to_owned())
}
