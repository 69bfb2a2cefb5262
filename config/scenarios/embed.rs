//! Build script: lists the scenario files beside it, so that a new one is found without being named anywhere.

#![expect(clippy::print_stdout, reason = "how a build script speaks to Cargo")]

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("config/scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| Some(file.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    let mut table = String::from("const EMBEDDED: &[(&str, &str)] = &[\n");
    for name in names {
        let path = folder.join(format!("{name}.toml"));
        table.push_str(&format!("    ({name:?}, include_str!({path:?})),\n"));
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded_scenarios.rs"), table)?;
    Ok(())
}
