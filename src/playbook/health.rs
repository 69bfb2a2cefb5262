//! Incidents of AWS Health, open or closed by now: part of step 1, asked once per account.

use super::{StepContext, text};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::{HealthEvent, Observation};
use aws_sdk_health::types::{DateTimeRange, EventFilter, EventStatusCode, EventTypeCategory};
use jiff::SignedDuration;

/// The services rotation rests on, as AWS Health names them.
const SERVICES: [&str; 7] = ["SECRETSMANAGER", "LAMBDA", "KMS", "RDS", "IAM", "CLOUDWATCH", "VPC"];

/// Events kept; one page is enough to tell an outage. Source: AWS Health API reference, `DescribeEvents`.
const MAX_EVENTS: i32 = 100;

/// How far back an incident may have begun: as long as AWS Health tells of closed ones.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

pub(super) async fn incidents(cx: &StepContext<'_>, caller: &AwsCaller) -> Observation<Vec<HealthEvent>> {
    let region = cx.aws.region();
    let filter = EventFilter::builder()
        .set_services(Some(SERVICES.map(str::to_owned).to_vec()))
        .set_regions(Some(vec![region.to_string(), "global".to_owned()]))
        .set_event_status_codes(Some(vec![EventStatusCode::Open, EventStatusCode::Closed]))
        .set_event_type_categories(Some(vec![EventTypeCategory::Issue]))
        .start_times(DateTimeRange::builder().from(text::date(cx.now.checked_sub(KEPT).unwrap_or(cx.now))).build())
        .build();
    let request = cx.aws.health.describe_events().filter(filter).max_results(MAX_EVENTS).send();
    let ask = async {
        caller.call("health:DescribeEvents", "*", request).await.map(|page| {
            page.events
                .unwrap_or_default()
                .into_iter()
                .map(|event| HealthEvent {
                    started_at: event.start_time().and_then(text::timestamp),
                    ended_at: event.end_time().and_then(text::timestamp),
                    service: event.service.unwrap_or_default(),
                    code: event.event_type_code.unwrap_or_default(),
                    region: event.region.and_then(|region| region.parse().ok()).unwrap_or_else(|| region.clone()),
                })
                .collect()
        })
    };
    cx.aws.shared().answers.get(CacheKey::Health, caller.fresh(), ask).await
}
