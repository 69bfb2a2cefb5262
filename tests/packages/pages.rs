//! Man pages and completion scripts.

use crate::program;
use rotation_diag::cli;
use std::fs;
use std::path::Path;

#[test]
fn packages_get_a_page_for_each_command_and_a_script_for_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path();
    assert!(program(&["package-files", prefix.to_str().unwrap()]).status().unwrap().success());
    let file = |name: &str| fs::read_to_string(prefix.join("share").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let definition = cli::definition();
    let main = file("man/man1/rotation-diag.1");
    let scripts = [
        "bash-completion/completions/rotation-diag",
        "zsh/site-functions/_rotation-diag",
        "fish/vendor_completions.d/rotation-diag.fish",
    ];
    let mut pages = 1;
    for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages += 1;
        let name = command.get_name();
        let escaped = name.replace('-', "\\-");
        let page = file(&format!("man/man1/rotation-diag-{name}.1"));
        assert!(page.contains(&format!("rotation\\-diag {escaped}")), "{name}: {page}");
        assert!(main.contains(&format!("rotation\\-diag\\-{escaped}(1)")), "{name} is not in the page of the program");
        for option in command.get_arguments().filter_map(|option| option.get_long()) {
            assert!(page.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))), "{name} --{option}");
        }
        for script in scripts {
            assert!(file(script).contains(name), "{script}: {name}");
        }
    }
    let written = fs::read_dir(prefix.join("share/man/man1")).unwrap().count();
    assert_eq!(written, pages, "there are pages of commands that nobody is shown");
    for heading in ["EXAMPLES", "\"EXIT STATUS\"", "ENVIRONMENT"] {
        assert!(main.contains(&format!("\n.SH {heading}\n.nf\n")), "{heading}: {main}");
    }
    assert!(!main.contains("rotation\\-diag\\-simulate"), "a hidden command is shown");
}

#[test]
fn a_prefix_that_cannot_be_written_is_named() {
    let output = program(&["package-files", "/proc/nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("/proc/nowhere/share/bash-completion/completions cannot be written"), "{told}");
    assert!(!Path::new("/proc/nowhere").exists());
}
