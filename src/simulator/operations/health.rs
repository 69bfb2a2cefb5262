//! AWS Health.

use super::OperationResult;
use crate::simulator::ids;
use crate::simulator::wire::{Parameters, Shape, WireError, WireRequest};
use crate::simulator::world::{SimulatedAccount, SimulatedHealthEvent};

pub(super) fn describe_events(world: &SimulatedAccount, request: &WireRequest) -> OperationResult {
    let Some(events) = &world.health else {
        return Err(WireError::new(
            "SubscriptionRequiredException",
            "The AWS Health API is available only to accounts with a Business, Enterprise On-Ramp or Enterprise Support plan.",
        ));
    };
    let filter = request.parameters().structure("filter");
    let matching =
        events.iter().filter(|event| filter.is_none_or(|filter| fits(world, event, filter))).map(|event| shape(world, event));
    Ok(Shape::structure().with("events", Shape::list(matching)))
}

fn status(world: &SimulatedAccount, event: &SimulatedHealthEvent) -> &'static str {
    if event.start > world.now {
        "upcoming"
    } else if event.end.is_some_and(|end| end <= world.now) {
        "closed"
    } else {
        "open"
    }
}

fn fits(world: &SimulatedAccount, event: &SimulatedHealthEvent, filter: Parameters<'_>) -> bool {
    [
        ("services", event.of.as_str()),
        ("regions", event.region.as_str()),
        ("eventTypeCodes", event.code.as_str()),
        ("eventTypeCategories", "issue"),
        ("eventStatusCodes", status(world, event)),
    ]
    .into_iter()
    .all(|(member, value)| {
        let wanted = filter.texts(member);
        wanted.is_empty() || wanted.contains(&value)
    }) && began_within(event, filter)
}

/// Of several ranges, one has to hold the event's beginning.
fn began_within(event: &SimulatedHealthEvent, filter: Parameters<'_>) -> bool {
    let ranges = filter.structures("startTimes");
    let holds = |range: &Parameters<'_>| {
        range.time("from").is_none_or(|from| from <= event.start) && range.time("to").is_none_or(|to| event.start <= to)
    };
    ranges.is_empty() || ranges.iter().any(holds)
}

fn shape(world: &SimulatedAccount, event: &SimulatedHealthEvent) -> Shape {
    let id = ids::letters(&event.code, "ABCDEF0123456789", 12);
    Shape::structure()
        .with("arn", format!("arn:aws:health:{}::event/{}/{}/{}_{id}", event.region, event.of, event.code, event.code))
        .with("service", &event.of)
        .with("eventTypeCode", &event.code)
        .with("eventTypeCategory", "issue")
        .with("region", &event.region)
        .with("startTime", event.start)
        .with("endTime", event.end)
        .with("lastUpdatedTime", event.end.unwrap_or(event.start))
        .with("statusCode", status(world, event))
        .with("eventScopeCode", "PUBLIC")
}
