//! `rotation-diag demo`: the same investigation, of a simulated account inside this process.

use super::failure::CommandError;
use super::{DemoArgs, Format, diagnose, interrupt, pasted, runtime};
use crate::app::demo;
use crate::aws::{Aws, AwsOptions, Registry};
use crate::clock::Clock;
use crate::investigation::Options;
use crate::model::{SecretRef, more_like};
use crate::redact::SafeText;
use crate::simulator::{Scenario, Simulator};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// The scenario of a first look: a story everybody in operations has lived through.
const FIRST: &str = SHOWN[0];

/// The scenarios that are proposed before all others: one of each kind of story.
const SHOWN: [&str; 6] =
    ["role_detached_policy", "postgres_password_refused", "vpc_timeout", "kms_key_disabled", "bot_without_logs", "healthy"];

/// How many other secrets a demo proposes.
const PROPOSED: usize = 4;

/// How long simulated answers take on the page.
const LATENCY: &str = "\n[[fault]]\noperation = \"*\"\nlatency_ms = 180\n";

/// A scenario that can be played.
pub(super) struct DemoWorld {
    /// The scenario's name.
    pub(super) name: String,
    /// The scenario.
    pub(super) scenario: Scenario,
    secret: String,
}

impl DemoWorld {
    /// Reads a scenario.
    pub(super) fn parse(name: &str, text: &str) -> Result<DemoWorld, CommandError> {
        let scenario = Scenario::parse(text)
            .map_err(|error| CommandError::CannotRun(format!("the scenario {name} cannot be read: {error}")))?;
        let secret = scenario.secret().unwrap_or_default().to_owned();
        Ok(DemoWorld { name: name.to_owned(), scenario, secret })
    }

    /// All scenarios that ship with the program; the first look comes first.
    pub(super) fn all() -> Result<Vec<DemoWorld>, CommandError> {
        DemoWorld::with("")
    }

    /// The same, with answers that take about as long as AWS's, so that the steps can be watched.
    fn unhurried() -> Result<Vec<DemoWorld>, CommandError> {
        DemoWorld::with(LATENCY)
    }

    fn with(more: &str) -> Result<Vec<DemoWorld>, CommandError> {
        let parse = |(name, text): (&str, &str)| DemoWorld::parse(name, &format!("{text}{more}"));
        let mut worlds = Scenario::embedded().map(parse).collect::<Result<Vec<_>, _>>()?;
        worlds.sort_by_key(|world| SHOWN.iter().position(|shown| *shown == world.name).unwrap_or(SHOWN.len()));
        Ok(worlds)
    }

    /// What to type to try this one: the secret's name, or the scenario's where another one has the same secret.
    fn typed<'a>(&'a self, worlds: &'a [DemoWorld]) -> &'a str {
        let first = worlds.iter().find(|world| world.secret == self.secret).is_some_and(|world| world.name == self.name);
        if first && !self.secret.is_empty() { &self.secret } else { &self.name }
    }
}

/// The clock of a scenario: it insists on a moment, or plays now.
pub(super) fn clock_of(scenario: &Scenario) -> Clock {
    scenario.now().map_or_else(Clock::system, Clock::starting_at)
}

pub(super) fn run(options: &DemoArgs) -> Result<ExitCode, CommandError> {
    pasted::refuse(options.secret.as_deref())?;
    let worlds = DemoWorld::all()?;
    if options.list {
        return list(&worlds);
    }
    let world = choose(&worlds, options.secret.as_deref())?;
    let asked: SecretRef = world.secret.parse().map_err(CommandError::cannot_run)?;
    let ended = interrupt::or(async {
        let clock = clock_of(&world.scenario);
        let simulator = Simulator::start(world.scenario.clone(), clock.now()).map_err(CommandError::cannot_run)?;
        let aws = connect(&simulator, &world.scenario).await?;
        let (_, report) = diagnose::look(&aws, &clock, &Options::new(asked), options.report.format).await?;
        diagnose::show(&report, &options.report)?;
        propose(&worlds, world)?;
        Ok(ExitCode::SUCCESS)
    })?;
    if has_page(options) { serve_page(options.port) } else { Ok(ended) }
}

/// The page is for people: it comes with a report that somebody reads in a terminal, or when it is asked for.
fn has_page(options: &DemoArgs) -> bool {
    let is_read = matches!(options.report.format, Format::Text) && options.report.output.is_none();
    options.page || (!options.no_page && is_read && std::io::stdout().is_terminal())
}

/// The worlds in which there is something to ask about.
pub(super) fn with_secrets(worlds: Vec<DemoWorld>) -> Vec<demo::World> {
    let worlds = worlds.into_iter().map(|DemoWorld { name, scenario, secret }| demo::World { name, secret, scenario });
    worlds.filter(|world| !world.secret.is_empty()).collect()
}

/// Serves the page until a signal.
fn serve_page(port: u16) -> Result<ExitCode, CommandError> {
    let worlds = with_secrets(DemoWorld::unhurried()?);
    runtime::run(async {
        let page = demo::Demo::start(worlds, port).await.map_err(CommandError::cannot_run)?;
        let taken = if port == 0 || page.address().port() == port { String::new() } else { format!(" (port {port} is taken)") };
        let line = format!("\nThe same as a chat, in the web console: http://{}{taken}\nCtrl-C ends it.", page.address());
        writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?;
        page.run(CancellationToken::new()).await.map_err(CommandError::cannot_run)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Clients for the simulated account, whatever the environment says about AWS.
async fn connect(simulator: &Simulator, scenario: &Scenario) -> Result<Aws, CommandError> {
    let region = scenario.region().parse().map_err(CommandError::cannot_run)?;
    let options = AwsOptions::simulated(region, simulator.endpoint_url());
    Aws::connect(&options, &Registry::default()).await.map_err(CommandError::cannot_run)
}

fn choose<'a>(worlds: &'a [DemoWorld], asked: Option<&str>) -> Result<&'a DemoWorld, CommandError> {
    let asked = asked.unwrap_or(FIRST);
    let found = worlds.iter().find(|world| world.name == asked).or_else(|| worlds.iter().find(|world| world.secret == asked));
    found.ok_or_else(|| {
        let known = worlds.iter().map(|world| world.typed(worlds)).collect();
        CommandError::Usage(unknown(asked, asked, known))
    })
}

/// What whoever asked in vain is told: which of the `known` names are most like the `name` of what was asked.
pub(super) fn unknown(asked: &str, name: &str, mut known: Vec<&str>) -> String {
    known.sort_by(|one, other| more_like(name, one, other));
    known.truncate(3);
    format!("the demo has no secret {asked:?}: try {}, or see `rotation-diag demo --list`", known.join(", "))
}

fn list(worlds: &[DemoWorld]) -> Result<ExitCode, CommandError> {
    let mut out = std::io::stdout().lock();
    let width = worlds.iter().map(|world| world.typed(worlds).len()).max().unwrap_or_default();
    for world in worlds {
        let line = format!("{:<width$}  {}", world.typed(worlds), world.scenario.title);
        writeln!(out, "{}", SafeText::redact(&line))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error what else there is, so that a report on standard output stays one report.
fn propose(worlds: &[DemoWorld], seen: &DemoWorld) -> Result<(), CommandError> {
    let others = worlds.iter().filter(|world| world.name != seen.name).map(|world| world.typed(worlds));
    // A scenario without a secret's name of its own is a variant of another one.
    let names: Vec<&str> = others.filter(|typed| worlds.iter().any(|world| world.secret == *typed)).take(PROPOSED).collect();
    let line = format!(
        "\nThis was a simulated account. {} more like it, among them {}:\n  rotation-diag demo --list\n  rotation-diag demo {}",
        worlds.len() - 1,
        names.join(", "),
        names.first().unwrap_or(&FIRST)
    );
    Ok(writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_asked_for_by_what_the_list_says() {
        let worlds = DemoWorld::all().unwrap();
        assert_eq!(worlds[0].name, FIRST);
        for world in &worlds {
            assert_eq!(choose(&worlds, Some(world.typed(&worlds))).unwrap().name, world.name);
            assert!(world.secret.parse::<SecretRef>().is_ok(), "{}: {:?}", world.name, world.secret);
        }
        assert_eq!(choose(&worlds, None).unwrap().name, FIRST);
    }

    #[test]
    fn an_unknown_name_gets_near_ones() {
        let worlds = DemoWorld::all().unwrap();
        let Err(CommandError::Usage(why)) = choose(&worlds, Some("role_detached_polisy")).map(|world| &world.name) else {
            panic!("found");
        };
        assert!(why.contains("demo --list"), "{why}");
    }
}
