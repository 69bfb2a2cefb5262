//! Build script: takes the page of each rule from the documentation at the head of its file, and has the scenarios beside it
//! embedded anew when one of them comes, goes or changes.

#![expect(clippy::print_stdout, reason = "how a build script speaks to Cargo")]

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crate_folder = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed={}", Path::new(&crate_folder).join("config/scenarios").display());
    rule_pages(&Path::new(&crate_folder).join("src/diagnosis/rules"), Path::new(&out))
}

fn rule_pages(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut table = String::from("const PAGES: &[(&str, &str)] = &[\n");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.file_name().into_string().ok()?.strip_suffix(".rs")?.to_owned()))
        .filter(|name| name != "mod")
        .collect();
    names.sort();
    for name in names {
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
