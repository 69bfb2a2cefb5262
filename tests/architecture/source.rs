//! A source file as the laws read it: its tokens in one form, whatever the layout, and what is compiled for tests alone apart.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, File, ImplItem, ImplItemFn, Item, ItemFn, ItemImpl, ItemMod, ItemTrait, Meta, Stmt, TraitItem};

pub(crate) struct Source {
    /// Relative to `src`.
    pub(crate) path: String,
    /// Without comments and tests: one token beside another, a space only where two words would run into one.
    pub(crate) code: String,
    /// The modules of this crate that the code names.
    pub(crate) named: BTreeSet<String>,
    /// What is compiled for tests alone, in the same form, with its texts empty.
    pub(crate) test_code: String,
    /// The functions in it.
    pub(crate) tests: Vec<Function>,
    /// Files beside this one that are compiled for tests alone, by their path without the ending.
    pub(crate) test_files: Vec<String>,
}

/// A function, with whether it runs on a clock that its runtime holds.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) is_paused: bool,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let mut file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut split = Split::default();
        split.visit_file_mut(&mut file);
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            None if ["lib.rs", "main.rs"].contains(&path) => String::new(),
            _ => format!("{}/", path.trim_end_matches(".rs")),
        };
        let tokens = file.into_token_stream();
        Source {
            path: path.to_owned(),
            code: canonical(tokens.clone()),
            named: modules_named(tokens),
            test_code: split.tests.iter().cloned().map(without_texts).collect::<Vec<_>>().join(" "),
            tests: functions(&split.tests),
            test_files: split.modules.iter().map(|module| format!("{folder}{module}")).collect(),
        }
    }

    /// A file that is compiled for tests alone.
    pub(crate) fn of_tests(path: &str, text: &str) -> Source {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let tokens = file.into_token_stream();
        Source {
            path: path.to_owned(),
            code: String::new(),
            named: BTreeSet::new(),
            test_code: without_texts(tokens.clone()),
            tests: functions(&[tokens]),
            test_files: Vec::new(),
        }
    }

    pub(crate) fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// Takes out of a file what is compiled for tests alone.
#[derive(Default)]
struct Split {
    tests: Vec<TokenStream>,
    modules: Vec<String>,
}

impl Split {
    fn stays(&mut self, attributes: &[Attribute], item: &impl ToTokens) -> bool {
        let is_test = attributes.iter().any(is_for_tests);
        if is_test {
            self.tests.push(item.to_token_stream());
        }
        !is_test
    }

    fn item_stays(&mut self, item: &Item) -> bool {
        match item {
            Item::Mod(ItemMod { attrs, content: None, ident, .. }) if attrs.iter().any(is_for_tests) => {
                self.modules.push(ident.to_string());
                false
            }
            item => self.stays(attributes(item), item),
        }
    }
}

impl VisitMut for Split {
    fn visit_file_mut(&mut self, file: &mut File) {
        file.items.retain(|item| self.item_stays(item));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| self.item_stays(item));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut ItemImpl) {
        block.items.retain(|item| match item {
            ImplItem::Const(it) => self.stays(&it.attrs, it),
            ImplItem::Fn(it) => self.stays(&it.attrs, it),
            ImplItem::Type(it) => self.stays(&it.attrs, it),
            ImplItem::Macro(it) => self.stays(&it.attrs, it),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_trait_mut(&mut self, block: &mut ItemTrait) {
        block.items.retain(|item| match item {
            TraitItem::Fn(it) => self.stays(&it.attrs, it),
            _ => true,
        });
        visit_mut::visit_item_trait_mut(self, block);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        block.stmts.retain(|statement| match statement {
            Stmt::Item(item) => self.item_stays(item),
            Stmt::Local(local) => self.stays(&local.attrs, local),
            _ => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

/// `#[cfg(test)]`, also where more than that is asked.
fn is_for_tests(attribute: &Attribute) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => {
                let all = list.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated);
                all.is_ok_and(|all| all.iter().any(needs_test))
            }
            _ => false,
        }
    }
    attribute.path().is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|meta| needs_test(&meta))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::ForeignMod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::TraitAlias(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// The functions in what was taken out of a file.
fn functions(parts: &[TokenStream]) -> Vec<Function> {
    struct Collect(Vec<Function>);
    impl Collect {
        fn add(&mut self, name: String, tokens: TokenStream) {
            let code = without_texts(tokens);
            let is_paused = code.contains("start_paused=true") || code.contains("time::pause()");
            self.0.push(Function { name, code, is_paused });
        }
    }
    impl<'ast> Visit<'ast> for Collect {
        fn visit_item_fn(&mut self, function: &'ast ItemFn) {
            self.add(function.sig.ident.to_string(), function.to_token_stream());
        }

        fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
            self.add(function.sig.ident.to_string(), function.to_token_stream());
        }
    }
    let mut found = Collect(Vec::new());
    for part in parts {
        if let Ok(file) = syn::parse2::<File>(part.clone()) {
            visit::visit_file(&mut found, &file);
        } else if let Ok(method) = syn::parse2::<ImplItemFn>(part.clone()) {
            found.visit_impl_item_fn(&method);
        }
    }
    found.0
}

fn canonical(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(&mut text, &tokens.into_iter().collect::<Vec<_>>(), true);
    text
}

fn without_texts(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(&mut text, &tokens.into_iter().collect::<Vec<_>>(), false);
    text
}

fn write(text: &mut String, tokens: &[TokenTree], with_texts: bool) {
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => match documentation(after) {
                Some(behind) => rest = behind,
                None => text.push('#'),
            },
            TokenTree::Punct(mark) => text.push(mark.as_char()),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(text, &group.stream().into_iter().collect::<Vec<_>>(), with_texts);
                text.push_str(close);
            }
            TokenTree::Literal(literal) if !with_texts && literal.to_string().contains('"') => text.push_str("\"\""),
            word => {
                let word = word.to_string();
                let is_word = |char: char| char.is_alphanumeric() || char == '_';
                if text.ends_with(is_word) && word.starts_with(is_word) {
                    text.push(' ');
                }
                text.push_str(&word);
            }
        }
    }
}

/// What stands behind a comment for the documentation, which is an attribute to the compiler; `None` for another attribute.
fn documentation(after: &[TokenTree]) -> Option<&[TokenTree]> {
    let after = match after {
        [TokenTree::Punct(mark), rest @ ..] if mark.as_char() == '!' => rest,
        rest => rest,
    };
    let (TokenTree::Group(group), behind) = after.split_first()? else { return None };
    let is_doc = matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc");
    is_doc.then_some(behind)
}

/// What follows each `crate::`, also within braces.
fn modules_named(tokens: TokenStream) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut named = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => named.extend(modules_named(group.stream())),
            TokenTree::Ident(word) if word == "crate" => match tokens.get(at + 1..at + 4) {
                Some([TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Ident(module)]) => {
                    named.insert(module.to_string());
                }
                Some([TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Group(group)]) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let parts = inner.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','));
                    named.extend(parts.filter_map(|part| Some(part.first()?.to_string())));
                }
                _ => {}
            },
            _ => {}
        }
    }
    named
}
