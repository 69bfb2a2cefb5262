//! CloudTrail event history and trails.

use super::OperationResult;
use crate::simulator::pages::page;
use crate::simulator::wire::{Parameters, Shape, WireError, WireRequest};
use crate::simulator::world::{SimulatedAccount, SimulatedTrailEvent};
use jiff::SignedDuration;

/// How long event history keeps management events.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

pub(super) fn lookup_events(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let attributes = parameters.structures("LookupAttributes");
    if attributes.len() > 1 {
        return Err(WireError::new("InvalidLookupAttributesException", "You can specify only one lookup attribute."));
    }
    let (from, to) = (parameters.time("StartTime"), parameters.time("EndTime"));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(WireError::new("InvalidTimeRangeException", "The start time must be before the end time."));
    }
    if let Some(limit) = parameters.integer("MaxResults")
        && !(1..=50).contains(&limit)
    {
        return Err(WireError::new("InvalidMaxResultsException", "A maximum results value between 1 and 50 is needed."));
    }
    let mut matching: Vec<&SimulatedTrailEvent> = Vec::new();
    for event in &world.events {
        let within = event.region == request.region
            && world.now.duration_since(event.at) <= HISTORY
            && from.is_none_or(|from| from <= event.at)
            && to.is_none_or(|to| event.at <= to);
        if within && attributes.first().is_none_or(|attribute| fits(event, *attribute)) {
            matching.push(event);
        }
    }
    let (events, next) = page(&matching, world.pages.events, parameters, "NextToken", "MaxResults")
        .map_err(|_| WireError::new("InvalidNextTokenException", "The token is not valid."))?;
    Ok(Shape::structure().with("Events", Shape::list(events.iter().map(|event| shape(event)))).with("NextToken", next))
}

fn fits(event: &SimulatedTrailEvent, attribute: Parameters<'_>) -> bool {
    let value = attribute.text("AttributeValue").unwrap_or_default();
    match attribute.text("AttributeKey").unwrap_or_default() {
        "EventId" => event.id == value,
        "EventName" => event.name == value,
        "EventSource" => event.source == value,
        "ReadOnly" => event.read_only == (value == "true"),
        "Username" => event.username.as_deref() == Some(value),
        "AccessKeyId" => event.access_key.as_deref() == Some(value),
        "ResourceName" => event.resources.iter().any(|(_, name)| name == value),
        "ResourceType" => event.resources.iter().any(|(kind, _)| kind == value),
        _ => false,
    }
}

fn shape(event: &SimulatedTrailEvent) -> Shape {
    Shape::structure()
        .with("EventId", &event.id)
        .with("EventName", &event.name)
        .with("ReadOnly", event.read_only.to_string())
        .with("AccessKeyId", event.access_key.as_ref())
        .with("EventTime", event.at)
        .with("EventSource", &event.source)
        .with("Username", event.username.as_ref())
        .with(
            "Resources",
            Shape::list(
                event
                    .resources
                    .iter()
                    .map(|(kind, name)| Shape::structure().with("ResourceType", kind).with("ResourceName", name)),
            ),
        )
        .with("CloudTrailEvent", event.record.to_string())
}

pub(super) fn describe_trails(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let parameters = request.parameters();
    let wanted = parameters.texts("trailNameList");
    let trails = world
        .trails
        .iter()
        .filter(|trail| trail.region == request.region || trail.multi_region)
        .filter(|trail| wanted.is_empty() || wanted.contains(&trail.name.as_str()) || wanted.contains(&trail.arn.as_str()))
        .map(|trail| {
            Shape::structure()
                .with("Name", &trail.name)
                .with("S3BucketName", format!("trail-{}", world.account))
                .with("IncludeGlobalServiceEvents", true)
                .with("IsMultiRegionTrail", trail.multi_region)
                .with("HomeRegion", &trail.region)
                .with("TrailARN", &trail.arn)
                .with("LogFileValidationEnabled", true)
                .with("CloudWatchLogsLogGroupArn", trail.log_group_arn.as_ref())
                .with("HasCustomEventSelectors", false)
                .with("HasInsightSelectors", false)
                .with("IsOrganizationTrail", false)
        });
    Ok(Shape::structure().with("trailList", Shape::list(trails)))
}
