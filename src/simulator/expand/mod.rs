//! From declarations to evidence: a scenario becomes a world in which everything agrees.

mod aws_managed;
mod functions;
mod invocation;
mod names;
mod roles;
mod rotation;
mod secrets;
mod trail;

#[cfg(test)]
mod tests;

use super::declaration::TrailForm;
use super::network::{FunctionPlace, NetworkForms, complete};
use super::package;
use super::policy::PolicyForm;
use super::scenario::Scenario;
use super::when::Length;
use super::world::{Datapoint, LogGroup, SimulatedAccount, SimulatedHealthEvent, SimulatedLogEvent, SimulatedTrailEvent, Trail};
use invocation::FunctionRun;
use jiff::{SignedDuration, Timestamp};
use names::NameTable;
use rotation::History;
use std::collections::BTreeMap;

/// Plays the scenario up to `now`.
///
/// # Errors
/// A name, time, policy or count in it that makes no sense, in words.
pub(super) fn expand(scenario: &Scenario, now: Timestamp) -> Result<SimulatedAccount, String> {
    let names = NameTable::new(scenario, now)?;
    let histories = scenario.secrets.iter().map(|secret| History::of(&names, secret)).collect::<Result<Vec<_>, _>>()?;
    let mut events = Vec::new();
    let mut invocations = Vec::new();
    for history in &histories {
        for attempt in &history.attempts {
            attempt.evidence(&names, history.secret, &mut events, &mut invocations)?;
        }
    }
    for form in &scenario.invocations {
        let function = names.function(form.function.as_ref())?;
        for at in names.series(&form.at, form.every, form.count)? {
            invocations.push(FunctionRun::new(&names, function, at, &form.run, &[], &[])?);
        }
    }
    for form in &scenario.changes {
        events.push(trail::change(&names, form)?);
    }
    for form in &scenario.reads {
        events.extend(trail::reads(&names, form)?);
    }
    events.retain(|event| event.at <= delivered(scenario, now));
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    let trails: Vec<Trail> = scenario.trails.iter().map(|form| trail_of(&names, form)).collect();
    let fill = |text: &str| names.fill(text, &[]);
    Ok(SimulatedAccount {
        account: names.account().to_owned(),
        now,
        caller: scenario
            .caller
            .arn
            .clone()
            .unwrap_or_else(|| format!("arn:aws:sts::{}:assumed-role/rotation-diag/investigation", names.account())),
        caller_denied: scenario.caller.deny.clone(),
        pages: scenario.pages.clone(),
        secrets: histories.iter().map(|history| secrets::secret(&names, history)).collect::<Result<_, _>>()?,
        layers: layers(scenario)?,
        functions: names.functions.iter().map(|form| functions::function(&names, form)).collect::<Result<_, _>>()?,
        roles: names.roles.iter().map(|form| roles::role(&names, form)).collect::<Result<_, _>>()?,
        policies: roles::managed_policies(&names)?,
        scps: scenario.scp.values().map(|policy: &PolicyForm| policy.document(&fill)).collect::<Result<_, _>>()?,
        keys: scenario.keys.iter().map(|form| secrets::key(&names, form)).collect::<Result<_, _>>()?,
        log_groups: log_groups(&names, &invocations, &events)?,
        datapoints: datapoints(&names, &invocations)?,
        health: health(&names)?,
        network: network(&names)?,
        events,
        trails,
    })
}

fn layers(scenario: &Scenario) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let packed = scenario.layers.iter().map(|layer| Ok((layer.arn.clone(), package::pack(&layer.package)?)));
    packed.collect::<std::io::Result<_>>().map_err(|error| format!("a layer cannot be packed: {error}"))
}

/// An event of Secrets Manager about a rotation that a test started.
pub(super) fn rotation_event(
    account: &str,
    region: &str,
    at: Timestamp,
    name: &str,
    rotation: (&str, &str),
) -> super::world::SimulatedTrailEvent {
    let shape = super::declaration::EventShape::default();
    trail::rotation_event(account, region, at, name, rotation, None, shape)
}

/// The time up to which CloudTrail has delivered.
fn delivered(scenario: &Scenario, now: Timestamp) -> Timestamp {
    let lag = scenario.cloudtrail.lag.map_or(SignedDuration::ZERO, |Length(lag)| lag);
    now.checked_sub(lag).unwrap_or(now)
}

fn trail_of(names: &NameTable<'_>, form: &TrailForm) -> Trail {
    let region = names.region(form.region.as_ref()).to_owned();
    let account = names.account();
    Trail {
        arn: format!("arn:aws:cloudtrail:{region}:{account}:trail/{}", form.name),
        log_group_arn: form.log_group.as_ref().map(|group| format!("arn:aws:logs:{region}:{account}:log-group:{group}:*")),
        name: form.name.clone(),
        multi_region: form.multi_region,
        region,
    }
}

fn log_groups(
    names: &NameTable<'_>,
    invocations: &[FunctionRun<'_>],
    events: &[SimulatedTrailEvent],
) -> Result<Vec<LogGroup>, String> {
    let mut groups: Vec<LogGroup> = Vec::new();
    for form in names.functions.iter().filter(|form| form.logs_exist) {
        let group = group_named(names, &mut groups, functions::log_group(form), form.region.as_ref());
        if let Some(class) = &form.log_class {
            group.class.clone_from(class);
        }
        group.retention_days = form.log_retention.or(group.retention_days);
        for invocation in invocations {
            if invocation.function().name == form.name {
                group.events.extend(invocation.log_events());
            }
        }
    }
    for form in &names.scenario.trails {
        let Some(name) = &form.log_group else {
            continue;
        };
        let region = names.region(form.region.as_ref()).to_owned();
        let group = group_named(names, &mut groups, name.clone(), form.region.as_ref());
        for event in events {
            if form.multi_region || event.region == region {
                group.events.push(SimulatedLogEvent {
                    at: event.at,
                    stream: format!("{}_CloudTrail_{}", names.account(), event.region),
                    message: event.record.to_string(),
                });
            }
        }
    }
    for form in &names.scenario.logs {
        let group = group_named(names, &mut groups, form.group.clone(), form.region.as_ref());
        let at = names.time(&form.at)?;
        for line in &form.lines {
            group.events.push(SimulatedLogEvent {
                at,
                stream: form.stream.clone().unwrap_or_else(|| "stream".into()),
                message: names.fill(line, &[])?,
            });
        }
    }
    for group in &mut groups {
        group.events.retain(|event| event.at <= names.now);
        group.events.sort_by_key(|event| event.at);
    }
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(groups)
}

fn group_named<'g>(
    names: &NameTable<'_>,
    groups: &'g mut Vec<LogGroup>,
    name: String,
    region: Option<&String>,
) -> &'g mut LogGroup {
    let region = names.region(region).to_owned();
    let position = groups.iter().position(|group| group.name == name && group.region == region).unwrap_or(groups.len());
    if position == groups.len() {
        groups.push(LogGroup {
            name,
            region,
            created: names.now.checked_sub(SignedDuration::from_hours(400 * 24)).unwrap_or(names.now),
            class: "STANDARD".to_owned(),
            retention_days: Some(365),
            events: Vec::new(),
        });
    }
    #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
    &mut groups[position]
}

fn datapoints(names: &NameTable<'_>, invocations: &[FunctionRun<'_>]) -> Result<Vec<Datapoint>, String> {
    let mut all: Vec<Datapoint> = Vec::new();
    if names.scenario.metrics.derived {
        all.extend(invocations.iter().flat_map(FunctionRun::datapoints));
    }
    for form in &names.scenario.datapoints {
        let function = names.function(form.function.as_ref())?;
        for at in names.series(&form.at, form.every, form.count)? {
            all.push(Datapoint {
                region: names.region(function.region.as_ref()).to_owned(),
                function: function.name.clone(),
                metric: form.name.clone(),
                at,
                value: form.value,
            });
        }
    }
    all.retain(|point| point.at <= names.now);
    Ok(all)
}

fn network(names: &NameTable<'_>) -> Result<NetworkForms, String> {
    let mut forms = names.scenario.network();
    for endpoint in &mut forms.endpoints {
        endpoint.document = endpoint.policy.as_ref().map(|policy| policy.document(&|text| names.fill(text, &[]))).transpose()?;
    }
    for database in &mut forms.databases {
        let secret = database.owns.as_ref().map(|secret| names.secret(Some(secret))).transpose()?;
        database.secret_arn = secret.map(|secret| names.secret_arn(secret));
    }
    let places = names.functions.iter().filter_map(|function| function.vpc.as_ref());
    let places: Vec<FunctionPlace<'_>> =
        places.map(|vpc| FunctionPlace { subnets: &vpc.subnets, groups: &vpc.security_groups }).collect();
    complete(forms, &places)
}

fn health(names: &NameTable<'_>) -> Result<Option<Vec<SimulatedHealthEvent>>, String> {
    let forms = &names.scenario.health_events;
    if forms.is_empty() && !names.scenario.account.support_plan {
        return Ok(None);
    }
    forms
        .iter()
        .map(|form| {
            Ok(SimulatedHealthEvent {
                of: form.of.clone(),
                code: form.code.clone(),
                region: names.region(form.region.as_ref()).to_owned(),
                start: names.time(&form.start)?,
                end: names.maybe_time(form.end.as_ref())?,
            })
        })
        .collect::<Result<_, String>>()
        .map(Some)
}
