//! Reads a TOML table key by key and collects every problem with its line, instead of stopping at the first.

use crate::model::probably_meant;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    /// From 1.
    pub(super) line: usize,
    /// What is wrong, and what would be right.
    pub(super) text: String,
}

/// The file, and what was found wrong in it so far.
pub struct Reader<'i> {
    text: &'i str,
    problems: RefCell<Vec<Problem>>,
}

/// A table of the file; every key must be asked for.
pub struct Section<'a> {
    reader: &'a Reader<'a>,
    path: String,
    table: &'a DeTable<'a>,
    /// Where the table begins, for what is missing in it.
    head: Range<usize>,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'i> Reader<'i> {
    pub(super) fn new(text: &'i str) -> Reader<'i> {
        Reader { text, problems: RefCell::default() }
    }

    pub(crate) fn problem(&self, span: Range<usize>, text: impl Into<String>) {
        let line = 1 + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        self.problems.borrow_mut().push(Problem { line, text: text.into() });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a DeTable<'a>) -> Section<'a> {
        Section { reader, path: String::new(), table, head: 0..0, known: RefCell::default() }
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// The value of `key` read by `read`; a value it refuses is a problem, with what it expects.
    pub(crate) fn get<T>(&self, key: &'static str, read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>) -> Option<T> {
        let value = self.value(key)?;
        read(value.get_ref())
            .map_err(|expected| self.reader.problem(value.span(), format!("`{}`: {expected}", self.full(key))))
            .ok()
    }

    /// The table at `key`.
    pub(crate) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let table = self.get(key, table)?;
        Some(Section { reader: self.reader, path: self.full(key), table, head: self.span(key), known: RefCell::default() })
    }

    /// The tables at `key`, each under a name of the user's choice.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<(String, Section<'a>)> {
        let Some(table_of_tables) = self.get(key, table) else { return Vec::new() };
        let path = self.full(key);
        let named = table_of_tables.iter().filter_map(|(name, value)| {
            let path = format!("{path}.{}", name.get_ref());
            match table(value.get_ref()) {
                Ok(table) => {
                    let section = Section { reader: self.reader, path, table, head: value.span(), known: RefCell::default() };
                    Some((name.get_ref().to_string(), section))
                }
                Err(expected) => {
                    self.reader.problem(value.span(), format!("`{path}`: {expected}"));
                    None
                }
            }
        });
        named.collect()
    }

    /// The tables of the list at `key`, as `[[key]]` writes them.
    pub(super) fn list(&self, key: &'static str) -> Vec<Section<'a>> {
        let expected = |value: &DeValue<'_>| format!("expected tables, each under [[{key}]], found {}", article(value));
        let tables = self.get(key, |value| {
            let items = value.as_array().ok_or_else(|| expected(value))?;
            items
                .iter()
                .map(|item| item.get_ref().as_table().map(|table| (item.span(), table)).ok_or_else(|| expected(item.get_ref())))
                .collect::<Result<Vec<_>, _>>()
        });
        let path = self.full(key);
        let named = tables.unwrap_or_default().into_iter().enumerate().map(|(at, (head, table))| Section {
            reader: self.reader,
            path: format!("{path}[{at}]"),
            table,
            head,
            known: RefCell::default(),
        });
        named.collect()
    }

    /// Reports something wrong about `key` that was found after reading it.
    pub(crate) fn problem(&self, key: &str, what: &str) {
        self.reader.problem(self.span(key), format!("`{}`: {what}", self.full(key)));
    }

    /// True where `key` is written, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where `key` stands, for problems found after reading; where it is missing, the head of its table.
    pub(crate) fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.head.clone(), Spanned::span)
    }

    /// Refuses every key that nobody asked for.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref())) {
            let name: &str = key.get_ref().as_ref();
            let near = probably_meant(name, known.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.reader.problem(key.span(), format!("unknown key `{}`{hint}", self.full(name)));
        }
    }
}

fn table<'a>(value: &'a DeValue<'a>) -> Result<&'a DeTable<'a>, String> {
    value.as_table().ok_or_else(|| format!("expected a table, found {}", article(value)))
}

/// A text.
pub(crate) fn text(value: &DeValue<'_>) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text in quotes, found {}", article(value)))
}

/// `true` or `false`.
pub(crate) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false, found {}", article(value)))
}

/// A list of texts, each accepted by `check`.
pub(crate) fn texts<T>(value: &DeValue<'_>, check: impl Fn(String) -> Result<T, String>) -> Result<Vec<T>, String> {
    let list = value.as_array().ok_or_else(|| format!("expected a list of texts, found {}", article(value)))?;
    list.iter().map(|item| text(item.get_ref()).and_then(&check)).collect()
}

/// A whole number within `range`.
pub(crate) fn number(value: &DeValue<'_>, range: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    value
        .as_integer()
        .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    if kind.starts_with(['a', 'i']) { format!("an {kind}") } else { format!("a {kind}") }
}
