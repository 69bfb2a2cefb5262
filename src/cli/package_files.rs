//! `rotation-diag package-files`: man pages and completion scripts, where packages have them below their prefix.

use super::failure::CommandError;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// The program's name, as it is called.
const NAME: &str = "rotation-diag";

/// Where a shell looks for scripts of packages, and what it expects them to be called.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "share/bash-completion/completions", "rotation-diag"),
    (Shell::Zsh, "share/zsh/site-functions", "_rotation-diag"),
    (Shell::Fish, "share/fish/vendor_completions.d", "rotation-diag.fish"),
];

pub(super) fn run(prefix: &Path) -> Result<ExitCode, CommandError> {
    for (shell, folder, file) in COMPLETIONS {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut super::definition(), NAME, &mut script);
        write(prefix, folder, file, &script)?;
    }
    let mut pages = super::definition().disable_help_subcommand(true);
    // Gives the subcommands their whole names.
    pages.build();
    let shown = pages.get_subcommands().filter(|command| !command.is_hide_set());
    for command in shown.chain([&pages]) {
        let name = command.get_display_name().unwrap_or(NAME);
        write(prefix, "share/man/man1", &format!("{name}.1"), &page(name, command)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The man page of a command. Without a date, so that the same source gives the same page.
fn page(name: &str, command: &clap::Command) -> Result<Vec<u8>, CommandError> {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(".TH {name} 1 \"\" \"{NAME} {version}\" \"User Commands\"\n").into_bytes();
    let man = Man::new(command.clone());
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for part in more.split("\n\n") {
        section(part).to_writer(&mut text)?;
    }
    Ok(text)
}

/// A heading with a colon, and lines that are aligned with spaces, as the help has them.
fn section(part: &str) -> Roff {
    let mut lines = part.lines();
    let heading = lines.next().unwrap_or_default().trim_end_matches(':').to_uppercase();
    let mut section = Roff::new();
    section.control("SH", [heading.as_str()]).control("nf", []);
    for line in lines {
        section.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    section.control("fi", []);
    section
}

fn write(prefix: &Path, folder: &str, file: &str, bytes: &[u8]) -> Result<(), CommandError> {
    let folder = prefix.join(folder);
    let unwritable = |error: std::io::Error| CommandError::cannot_run(format!("{} cannot be written: {error}", folder.display()));
    fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(file), bytes)).map_err(unwritable)
}
