//! CloudWatch Logs.

use super::OperationResult;
use crate::simulator::filter_pattern::FilterPattern;
use crate::simulator::ids;
use crate::simulator::pages::page;
use crate::simulator::wire::{Shape, WireError, WireRequest};
use crate::simulator::world::{LogGroup, SimulatedAccount, SimulatedLogEvent};

/// The longest filter pattern, in characters.
const MAX_PATTERN: usize = 1024;

fn invalid(message: &str) -> WireError {
    WireError::new("InvalidParameterException", message)
}

pub(super) fn filter_log_events(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let name = match (parameters.text("logGroupName"), parameters.text("logGroupIdentifier")) {
        (Some(name), None) => name,
        (None, Some(identifier)) => identifier.rsplit_once(":log-group:").map_or(identifier, |(_, name)| name),
        _ => {
            return Err(invalid("Exactly one of logGroupName and logGroupIdentifier is needed."));
        }
    };
    let group = world
        .log_groups
        .iter()
        .find(|group| group.name == name && group.region == request.region)
        .ok_or_else(|| WireError::new("ResourceNotFoundException", "The specified log group does not exist."))?;
    // Source: CloudWatch Logs User Guide, "Log classes".
    match group.class.as_str() {
        "INFREQUENT_ACCESS" => {
            return Err(invalid("This operation is not supported on the log class of the specified log group."));
        }
        // Its lines go elsewhere.
        "DELIVERY" => return Ok(Shape::structure().with("events", Shape::list::<Shape>([]))),
        _ => {}
    }
    let text = parameters.text("filterPattern").unwrap_or_default();
    let pattern = (text.chars().count() <= MAX_PATTERN)
        .then(|| FilterPattern::parse(text))
        .flatten()
        .ok_or_else(|| invalid("Invalid filter pattern"))?;
    let from = parameters.integer("startTime").unwrap_or(i64::MIN);
    let to = parameters.integer("endTime").unwrap_or(i64::MAX);
    let streams = parameters.texts("logStreamNames");
    let prefix = parameters.text("logStreamNamePrefix").unwrap_or_default();
    // An empty slot stands for a page that holds nothing but a token.
    let size = world.pages.logs;
    let mut slots: Vec<Option<&SimulatedLogEvent>> = vec![None; world.pages.empty_logs * size.min(100)];
    slots.extend(
        group
            .events
            .iter()
            .filter(|event| (from..=to).contains(&event.at.as_millisecond()))
            .filter(|event| streams.is_empty() || streams.contains(&event.stream.as_str()))
            .filter(|event| event.stream.starts_with(prefix))
            .filter(|event| pattern.matches(&event.message))
            .map(Some),
    );
    let size = if world.pages.empty_logs > 0 { size.min(100) } else { size };
    let (events, next) =
        page(&slots, size, parameters, "nextToken", "limit").map_err(|_| invalid("The specified nextToken is invalid."))?;
    let events = events.iter().flatten().map(|event| event_shape(group, event));
    Ok(Shape::structure()
        .with("events", Shape::list(events))
        .with("searchedLogStreams", Shape::list::<Shape>([]))
        .with("nextToken", next))
}

fn event_shape(group: &LogGroup, event: &SimulatedLogEvent) -> Shape {
    let at = event.at.as_millisecond();
    let seed = format!("{}/{}/{at}/{}", group.name, event.stream, event.message);
    Shape::structure()
        .with("logStreamName", &event.stream)
        .with("timestamp", at)
        .with("message", &event.message)
        .with("ingestionTime", at + 1_500)
        .with("eventId", ids::letters(&seed, "0123456789", 56))
}

pub(super) fn describe_log_groups(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let prefix = parameters.text("logGroupNamePrefix").unwrap_or_default();
    let part = parameters.text("logGroupNamePattern").unwrap_or_default().to_lowercase();
    let matching: Vec<&LogGroup> = world
        .log_groups
        .iter()
        .filter(|group| group.region == request.region)
        .filter(|group| group.name.starts_with(prefix))
        .filter(|group| group.name.to_lowercase().contains(&part))
        .collect();
    let (groups, next) = page(&matching, world.pages.log_groups, parameters, "nextToken", "limit")
        .map_err(|_| invalid("The specified nextToken is invalid."))?;
    Ok(Shape::structure()
        .with(
            "logGroups",
            Shape::list(groups.iter().map(|group| {
                let arn = format!("arn:aws:logs:{}:{}:log-group:{}", group.region, world.account, group.name);
                Shape::structure()
                    .with("logGroupName", &group.name)
                    .with("creationTime", group.created.as_millisecond())
                    .with("retentionInDays", group.retention_days)
                    .with("metricFilterCount", 0_i64)
                    .with("arn", format!("{arn}:*"))
                    .with("storedBytes", 0_i64)
                    .with("logGroupClass", &group.class)
                    .with("logGroupArn", arn)
            })),
        )
        .with("nextToken", next))
}
