//! `rotation-diag simulate`: the simulated account alone, for clients other than this program.

use super::demo::{self, DemoWorld};
use super::failure::CommandError;
use super::interrupt;
use crate::redact::SafeText;
use crate::simulator::Simulator;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Runs until it is interrupted. Standard output gets one line, the endpoint's URL.
pub(super) fn run(scenario: &str) -> Result<ExitCode, CommandError> {
    let world = open(scenario)?;
    interrupt::or(async {
        let clock = demo::clock_of(&world.scenario);
        let simulator = Simulator::start(world.scenario, clock.now()).map_err(CommandError::cannot_run)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", SafeText::redact(&simulator.endpoint_url()))?;
        out.flush()?;
        drop(out);
        std::future::pending().await
    })
}

/// A scenario that ships with the program, or else a file.
fn open(name_or_file: &str) -> Result<DemoWorld, CommandError> {
    if let Some(world) = DemoWorld::all()?.into_iter().find(|world| world.name == name_or_file) {
        return Ok(world);
    }
    let path = Path::new(name_or_file);
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::Usage(format!("{name_or_file} is no scenario of this program, and no file that can be read: {error}"))
    })?;
    DemoWorld::parse(name_or_file, &text)
}
