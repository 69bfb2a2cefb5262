//! The JSON form of a report is a contract: every field of it is described, and nothing that is none.

use super::{path, read};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use syn::{Fields, Item, Type};

/// What the JSON form is made of. What these files do not define is a value.
const SOURCES: [&str; 3] = ["src/report/mod.rs", "src/report/outlook.rs", "src/model/window.rs"];

/// The fields that a type shows, each with its type.
type Shown = BTreeMap<String, Vec<(String, Type)>>;

/// The structs of a source file that are serialized.
fn read_shown(text: &str, shown: &mut Shown) {
    for item in syn::parse_file(text).unwrap().items {
        let Item::Struct(item) = item else { continue };
        let Fields::Named(fields) = item.fields else { continue };
        let is_shown = |field: &syn::Field| {
            let mut serde = field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde"));
            !serde.any(|attribute| attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("skip")))
        };
        let fields = fields.named.into_iter().filter(is_shown);
        shown.insert(item.ident.to_string(), fields.map(|field| (field.ident.unwrap().to_string(), field.ty)).collect());
    }
}

/// The name of the type within `Option` and `Vec`, and whether it stands in a list.
fn innermost(of: &Type) -> (String, bool) {
    let Type::Path(of) = of else { return (String::new(), false) };
    let last = of.path.segments.last().unwrap();
    let syn::PathArguments::AngleBracketed(within) = &last.arguments else { return (last.ident.to_string(), false) };
    let Some(syn::GenericArgument::Type(within)) = within.args.first() else { return (String::new(), false) };
    let (name, is_list) = innermost(within);
    (name, is_list || last.ident == "Vec")
}

/// All fields below the struct `of`, by their paths; `[]` stands for what is in a list.
fn fields(of: &str, below: &str, shown: &Shown) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, kind) in &shown[of] {
        let path = format!("{below}{name}");
        let (within, is_list) = innermost(kind);
        if shown.contains_key(&within) {
            all.extend(fields(&within, &format!("{path}{}.", if is_list { "[]" } else { "" }), shown));
        } else {
            all.insert(path);
        }
    }
    all
}

/// The fields that the tables of a part of a document name in their first column.
fn described(document: &str, heading: &str) -> BTreeSet<String> {
    let (_, rest) = document.split_once(&format!("## {heading}\n")).unwrap();
    let part = rest.split("\n## ").next().unwrap();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let names = rows.flat_map(|(first, _)| first.split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>());
    names.collect()
}

#[test]
fn every_field_of_a_report_is_described_and_nothing_else() {
    let mut shown = Shown::new();
    for source in SOURCES {
        read_shown(&fs::read_to_string(path(source)).unwrap(), &mut shown);
    }
    let fields = fields("Report", "", &shown);
    for known in ["schema_version", "window.from", "findings[].evidence[].text", "forecast.obstacles[].cause", "heals"] {
        assert!(fields.contains(known), "{known} was not found: {fields:?}");
    }
    assert_eq!(described(&read("docs/command-line.md"), "Fields of the report"), fields);
}

#[test]
fn every_field_of_a_check_is_described_and_nothing_else() {
    let mut shown = Shown::new();
    read_shown(&fs::read_to_string(path("src/app/check/report.rs")).unwrap(), &mut shown);
    let fields = fields("CheckReport", "", &shown);
    assert!(fields.contains("checks[].status") && fields.contains("summary.missing"), "{fields:?}");
    assert_eq!(described(&read("docs/command-line.md"), "Fields of a check"), fields);
}

#[test]
fn a_field_that_is_added_skipped_or_nested_is_seen() {
    let mut shown = Shown::new();
    let text = "pub struct Report { pub a: u8, #[serde(skip)] pub b: u8, pub c: Option<Vec<Part>>, pub d: Vec<SafeText> }
                pub struct Part { pub e: Option<Inner> }
                pub struct Inner { pub f: u8 }";
    read_shown(text, &mut shown);
    assert_eq!(fields("Report", "", &shown), ["a", "c[].e.f", "d"].map(str::to_owned).into());
    let page = "## Fields\n\n| field | meaning |\n|---|---|\n| `a` | one |\n| `b`, `c[].d` | two |\n\n## Next\n\n| `e` | no |\n";
    assert_eq!(described(page, "Fields"), ["a", "b", "c[].d"].map(str::to_owned).into());
}
