//! Build script: lists the scenario files beside it, so that a new one is found without being named anywhere, and takes the
//! page of each rule from the documentation at the head of its file.

#![expect(clippy::print_stdout, reason = "how a build script speaks to Cargo")]

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crate_folder = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    scenarios(&Path::new(&crate_folder).join("config/scenarios"), Path::new(&out))?;
    rule_pages(&Path::new(&crate_folder).join("src/diagnosis/rules"), Path::new(&out))
}

/// The names of a folder's files with this ending, without it, in order; Cargo looks again when the folder changes.
fn names(folder: &Path, ending: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| Some(file.strip_suffix(ending)?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn scenarios(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut table = String::from("const EMBEDDED: &[(&str, &str)] = &[\n");
    for name in names(folder, ".toml")? {
        let path = folder.join(format!("{name}.toml"));
        table.push_str(&format!("    ({name:?}, include_str!({path:?})),\n"));
    }
    table.push_str("];\n");
    fs::write(out.join("embedded_scenarios.rs"), table)?;
    Ok(())
}

fn rule_pages(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut table = String::from("const PAGES: &[(&str, &str)] = &[\n");
    for name in names(folder, ".rs")?.iter().filter(|name| *name != "mod") {
        let source = fs::read_to_string(folder.join(format!("{name}.rs")))?;
        let page: Vec<&str> = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        table.push_str(&format!("    ({name:?}, {:?}),\n", page.join("\n")));
    }
    table.push_str("];\n");
    fs::write(out.join("rule_pages.rs"), table)?;
    Ok(())
}
