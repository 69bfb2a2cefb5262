//! The files of the crate know each other one way: none imports, by way of others, what imports it; and inside `bot/` each
//! room knows only those that stand above it in the map of `bot/mod.rs`. A type's name means one thing.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A file, by its path below `src`, with what it takes from others.
struct Source {
    path: String,
    /// Where it stands in the tree of modules; empty for the crate itself.
    module: Vec<String>,
    /// What its names stand for.
    names: BTreeMap<String, Vec<String>>,
    /// Those of them that it hands on.
    handed_on: BTreeSet<String>,
    /// Modules all of whose names it hands on.
    globs: Vec<Vec<String>>,
    /// The paths that its code names, as they are written.
    named: BTreeSet<Vec<String>>,
    /// The types that it defines.
    types: BTreeSet<String>,
}

impl Source {
    fn read(path: &str, text: &str) -> Source {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut source = Source {
            path: path.to_owned(),
            module: module_of(path),
            names: BTreeMap::new(),
            handed_on: BTreeSet::new(),
            globs: Vec::new(),
            named: BTreeSet::new(),
            types: BTreeSet::new(),
        };
        source.visit_file(&file);
        source
    }

    fn take(&mut self, before: &[String], tree: &UseTree, is_handed_on: bool) {
        let mut path = before.to_vec();
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.take(&path, &step.tree, is_handed_on);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(before, tree, is_handed_on)),
            UseTree::Name(name) if name.ident == "self" => self.bind(before.last().cloned(), path, is_handed_on),
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.bind(Some(name.ident.to_string()), path, is_handed_on);
            }
            UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                self.bind(Some(name.rename.to_string()), path, is_handed_on);
            }
            UseTree::Glob(_) => {
                if is_handed_on {
                    self.globs.push(path.clone());
                }
                self.named.insert(path);
            }
        }
    }

    fn bind(&mut self, name: Option<String>, path: Vec<String>, is_handed_on: bool) {
        let Some(name) = name else { return };
        if is_handed_on {
            self.handed_on.insert(name.clone());
        } else {
            self.named.insert(path.clone());
        }
        self.names.insert(name, path);
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => it.attrs.as_slice(),
        Item::Enum(it) => it.attrs.as_slice(),
        Item::Fn(it) => it.attrs.as_slice(),
        Item::Impl(it) => it.attrs.as_slice(),
        Item::Macro(it) => it.attrs.as_slice(),
        Item::Mod(it) => it.attrs.as_slice(),
        Item::Static(it) => it.attrs.as_slice(),
        Item::Struct(it) => it.attrs.as_slice(),
        Item::Trait(it) => it.attrs.as_slice(),
        Item::Type(it) => it.attrs.as_slice(),
        Item::Use(it) => it.attrs.as_slice(),
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_of_tests(attributes(item)) {
            return;
        }
        let defined = match item {
            Item::Enum(it) => Some(&it.ident),
            Item::Struct(it) => Some(&it.ident),
            Item::Trait(it) => Some(&it.ident),
            Item::Type(it) => Some(&it.ident),
            _ => None,
        };
        self.types.extend(defined.map(ToString::to_string));
        match item {
            Item::Use(it) => self.take(&[], &it.tree, !matches!(it.vis, syn::Visibility::Inherited)),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_of_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    /// Who may see something names no one.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.named.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        visit::visit_macro(self, called);
        let mut path = Vec::new();
        self.read_tokens(called.tokens.clone(), &mut path);
    }
}

impl Source {
    /// The paths among the words of a macro.
    fn read_tokens(&mut self, tokens: proc_macro2::TokenStream, path: &mut Vec<String>) {
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.named.insert(std::mem::take(path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => {
                    self.named.insert(std::mem::take(path));
                    self.read_tokens(group.stream(), path);
                    colons = 0;
                }
                _ => {
                    self.named.insert(std::mem::take(path));
                    colons = 0;
                }
            }
        }
        self.named.insert(std::mem::take(path));
    }
}

fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Which file takes something from which other one.
struct Plan {
    sources: Vec<Source>,
    at: BTreeMap<Vec<String>, usize>,
}

impl Plan {
    fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Plan {
        let sources: Vec<Source> = files.into_iter().map(|(path, text)| Source::read(path, text)).collect();
        let at = sources.iter().enumerate().map(|(at, source)| (source.module.clone(), at)).collect();
        Plan { sources, at }
    }

    fn of_the_crate() -> Plan {
        let src = src();
        let mut files = Vec::new();
        for path in rust_files(&src) {
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            if name != "main.rs" && !name.ends_with("tests.rs") && !name.ends_with("testing.rs") {
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
        assert!(files.len() > 50, "only {} files were found", files.len());
        Plan::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// The path from the crate on that `path` means where it is written in `source`; `None` for what is of elsewhere.
    fn whole(&self, source: &Source, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut whole = match first.as_str() {
            "crate" => Vec::new(),
            "self" => source.module.clone(),
            "super" => {
                let ups = rest.iter().take_while(|word| *word == "super").count() + 1;
                let left = source.module.len().checked_sub(ups)?;
                let mut whole = source.module.get(..left)?.to_vec();
                whole.extend(path.iter().skip(ups).cloned());
                return Some(whole);
            }
            name => match source.names.get(name) {
                Some(meant) if meant.first() != path.first() => self.whole(source, meant)?,
                _ => {
                    let mut child = source.module.clone();
                    child.push(first.clone());
                    self.at.contains_key(&child).then_some(child)?
                }
            },
        };
        whole.extend(rest.iter().cloned());
        Some(whole)
    }

    /// The file that defines what `whole` names.
    fn home(&self, whole: &[String], depth: u8) -> Option<usize> {
        let module = (0..=whole.len()).rev().find_map(|end| self.at.get(whole.get(..end)?).map(|at| (end, *at)));
        let (end, at) = module?;
        let (source, Some(name)) = (self.sources.get(at)?, whole.get(end)) else { return Some(at) };
        if depth == 0 {
            return Some(at);
        }
        if source.handed_on.contains(name)
            && let Some(from) = source.names.get(name).and_then(|path| self.whole(source, path))
        {
            return self.home(&from, depth - 1);
        }
        Some(at)
    }

    fn knows(&self, at: usize) -> BTreeSet<usize> {
        let Some(source) = self.sources.get(at) else { return BTreeSet::new() };
        let whole = source.named.iter().filter_map(|path| self.whole(source, path));
        let mut known: BTreeSet<usize> = whole.filter_map(|whole| self.home(&whole, 8)).collect();
        known.remove(&at);
        // A part stands in the room whose head is the file of the module it is in; in the bot, not even that is taken from.
        let is_head = |other: &Source| source.module.starts_with(&other.module) && !source.path.starts_with("bot/");
        known.retain(|other| self.sources.get(*other).is_some_and(|other| !is_head(other)));
        // The face of the crate is nobody's home.
        known.retain(|other| self.sources.get(*other).is_some_and(|other| other.path != "lib.rs"));
        known
    }

    /// Groups of files that know each other by way of one another.
    fn circles(&self) -> Vec<Vec<&str>> {
        let known: Vec<BTreeSet<usize>> = (0..self.sources.len()).map(|at| self.knows(at)).collect();
        let reached: Vec<BTreeSet<usize>> = (0..known.len())
            .map(|from| {
                let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
                while let Some(at) = left.pop() {
                    left.extend(known[at].iter().filter(|next| seen.insert(**next)));
                }
                seen
            })
            .collect();
        let mut circles = BTreeSet::new();
        for (from, seen) in reached.iter().enumerate().filter(|(from, seen)| seen.contains(from)) {
            let members = seen.iter().filter(|other| reached[**other].contains(&from));
            circles.insert(members.map(|at| self.sources[*at].path.as_str()).collect::<Vec<_>>());
        }
        circles.into_iter().collect()
    }
}

/// Names of types that more than one file defines, with those files.
fn names_with_two_meanings(plan: &Plan) -> BTreeMap<&str, Vec<&str>> {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in &plan.sources {
        for name in &source.types {
            homes.entry(name).or_default().push(&source.path);
        }
    }
    homes.retain(|_, files| files.len() > 1);
    homes
}

/// The rooms of the bot, in the order of the map in `bot/mod.rs`: each knows only those above it.
fn map_of_the_bot() -> Vec<String> {
    let map = fs::read_to_string(src().join("bot/mod.rs")).unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once('`'));
    rows.map(|(room, _)| room.to_owned()).collect()
}

/// The room a file of the bot belongs to; `None` for the bot's face, and for files of elsewhere.
fn room(path: &str) -> Option<&str> {
    let first = path.strip_prefix("bot/")?.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first)).filter(|room| *room != "mod")
}

/// What files of the bot take from rooms that are not above theirs.
fn upward_imports(plan: &Plan, map: &[String]) -> Vec<String> {
    let height = |path: &str| map.iter().position(|known| Some(known.as_str()) == room(path));
    let mut upward = Vec::new();
    for (at, source) in plan.sources.iter().enumerate().filter(|(_, source)| room(&source.path).is_some()) {
        let Some(own) = height(&source.path) else {
            upward.push(format!("{} has no place in the map of bot/mod.rs", source.path));
            continue;
        };
        for other in plan.knows(at).into_iter().map(|other| plan.sources[other].path.as_str()) {
            if height(other).is_some_and(|other| other > own) || other == "bot/mod.rs" || other.starts_with("app") {
                upward.push(format!("{} must not know {other}", source.path));
            }
        }
    }
    upward
}

fn src() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn no_files_know_each_other_in_a_circle() {
    let plan = Plan::of_the_crate();
    let circles = plan.circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// What is the same idea wherever it is defined: on several chat platforms, or as a trait and what stands behind it.
const ONE_IDEA: [(&str, &[&str]); 5] = [
    ("File", &["platforms/discord/file.rs", "platforms/slack/render/mod.rs"]),
    ("Intake", &["bot/intake/mod.rs", "chat/intake.rs"]),
    ("Interaction", &["platforms/discord/interaction.rs", "platforms/slack/payload.rs"]),
    ("Kind", &["platforms/console/kind.rs", "platforms/discord/kind.rs", "platforms/slack/kind.rs"]),
    ("Rendered", &["platforms/discord/render.rs", "platforms/slack/render/mod.rs"]),
];

#[test]
fn a_type_s_name_has_one_meaning() {
    let plan = Plan::of_the_crate();
    let expected: BTreeMap<&str, Vec<&str>> = ONE_IDEA.iter().map(|(name, files)| (*name, files.to_vec())).collect();
    assert_eq!(names_with_two_meanings(&plan), expected, "a second type needs a name of its own");
}

#[test]
fn a_second_meaning_is_found_wherever_it_stands_and_one_of_tests_is_none() {
    let of = |text: &str| {
        let plan = Plan::of([("lib.rs", ""), ("a.rs", "pub struct Turn;"), ("b.rs", text)]);
        names_with_two_meanings(&plan).into_keys().map(str::to_owned).collect::<Vec<_>>()
    };
    for text in [
        "enum Turn {}",
        "pub trait Turn {}",
        "type Turn = u8;",
        "mod inner { pub(super) struct Turn; }",
        "fn f() { struct Turn; }",
    ] {
        assert_eq!(of(text), ["Turn"], "{text}");
    }
    assert_eq!(of("#[cfg(test)]\nmod tests { struct Turn; }"), Vec::<String>::new());
    assert_eq!(of("impl Iterator for B { type Turn = u8; }"), Vec::<String>::new(), "an associated type is its trait's");
}

#[test]
fn inside_the_bot_nothing_imports_upwards() {
    let map = map_of_the_bot();
    let plan = Plan::of_the_crate();
    let upward = upward_imports(&plan, &map);
    assert!(upward.is_empty(), "{}", upward.join("\n"));
    let rooms: BTreeSet<&str> = plan.sources.iter().filter_map(|source| room(&source.path)).collect();
    assert_eq!(map.iter().map(String::as_str).collect::<BTreeSet<_>>(), rooms, "the map names every room, and no other");
}

#[test]
fn a_circle_is_found_however_it_is_closed() {
    let back = [
        "use crate::a::A;",
        "use super::a::A;",
        "fn f() -> crate::a::A {}",
        "use crate::{a};\nfn f() { a::A::new(); }",
        "fn f() { vec![crate::a::A::new()]; }",
        "#[cfg(test)]\nmod tests { use super::*; }\nuse crate::a::A;",
        "mod inner {\n    fn f() { use crate::a::A; }\n}",
    ];
    for text in back {
        let plan = Plan::of([("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;\npub struct A;"), ("b.rs", text)]);
        assert_eq!(plan.circles(), [["a.rs", "b.rs"]], "{text}");
    }
    let handed_on = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a/mod.rs", "mod x;\npub use x::X;"),
        ("a/x.rs", "use crate::b::B;\npub struct X;"),
        ("b.rs", "use crate::a::X;\npub struct B;"),
    ];
    assert_eq!(Plan::of(handed_on).circles(), [["a/x.rs", "b.rs"]], "by way of a module's face");
}

#[test]
fn what_is_no_circle_is_none() {
    let parts =
        [("lib.rs", "mod a;"), ("a/mod.rs", "mod x;\nuse x::X;\npub struct A;"), ("a/x.rs", "use super::A;\npub struct X;")];
    assert!(Plan::of(parts).circles().is_empty(), "a part and the head of its room");
    let of_tests = "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\npub struct B;";
    let plan = Plan::of([("lib.rs", ""), ("a.rs", "use crate::b::B;\npub struct A;"), ("b.rs", of_tests)]);
    assert!(plan.circles().is_empty(), "what tests alone take");
    let parts = [("lib.rs", ""), ("bot/a/mod.rs", "use x::X;\npub struct A;"), ("bot/a/x.rs", "use super::A;\npub struct X;")];
    assert_eq!(Plan::of(parts).circles(), [["bot/a/mod.rs", "bot/a/x.rs"]], "the bot is held to more");
}

#[test]
fn an_upward_import_of_the_bot_is_found() {
    let map = ["access", "runner"].map(str::to_owned);
    let of = |access: &str, runner: &str| {
        let face = "mod access;\nmod runner;\npub use runner::Runner;\npub struct Stray;";
        let plan = Plan::of([("lib.rs", ""), ("bot/mod.rs", face), ("bot/access/mod.rs", access), ("bot/runner.rs", runner)]);
        upward_imports(&plan, &map)
    };
    assert_eq!(of("pub struct Access;", "use super::access::Access;\npub struct Runner;"), Vec::<String>::new());
    assert_eq!(of("use crate::bot::Runner;", "pub struct Runner;"), ["bot/access/mod.rs must not know bot/runner.rs"]);
    assert_eq!(of("use crate::bot::Stray;", ""), ["bot/access/mod.rs must not know bot/mod.rs"]);
}

#[test]
fn a_button_is_its_action_its_handler_and_its_place_in_the_verdict() {
    let homes = ["model/action.rs", "bot/handlers/action.rs", "chat/compose/verdict.rs"];
    let plan = Plan::of_the_crate();
    // Platforms colour the buttons that rerun and resolve.
    for action in
        ["Compare", "Consumers", "CopyFix", "Evidence", "Export", "Reopen", "RerunStep", "StopWatching", "Watch", "Widen"]
    {
        let names = |source: &&Source| source.named.iter().any(|path| path.ends_with(&["Action".to_owned(), action.to_owned()]));
        let named: BTreeSet<&str> = plan.sources.iter().filter(names).map(|source| source.path.as_str()).collect();
        assert!(named.contains("bot/handlers/action.rs"), "{action} is handled elsewhere: {named:?}");
        assert!(named.iter().all(|path| homes.contains(path)), "{action} is named in {named:?}");
    }
}

#[test]
fn how_one_speaks_to_the_bot_stands_in_one_place() {
    let plan = Plan::of_the_crate();
    for form in ["Slash", "Mention", "Options", "Prompt"] {
        let names = |source: &&Source| source.named.iter().any(|path| path.ends_with(&["Manner".to_owned(), form.to_owned()]));
        let named: Vec<&str> = plan.sources.iter().filter(names).map(|source| source.path.as_str()).collect();
        // A platform says which form is its own; of one that is not there any more, the usual one is taken.
        let is_home = |path: &&str| {
            path.starts_with("platforms/") || path.ends_with("/tests.rs") || ["chat/manner.rs", "chat/platform.rs"].contains(path)
        };
        assert!(named.iter().all(is_home), "Manner::{form} is named in {named:?}");
        assert!(named.contains(&"chat/manner.rs"), "Manner::{form} has no words");
    }
}
