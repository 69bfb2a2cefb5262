//! Open events of AWS Health: part of step 1, asked once per account.

use super::{Context, text};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::{HealthEvent, Observation};
use aws_sdk_health::types::{EventFilter, EventStatusCode};

/// The services rotation rests on, as AWS Health names them.
const SERVICES: [&str; 7] = ["SECRETSMANAGER", "LAMBDA", "KMS", "RDS", "IAM", "CLOUDWATCH", "VPC"];

/// Events kept; one page is enough to tell an outage.
const MAX_EVENTS: i32 = 50;

pub(super) async fn open_events(cx: &Context<'_>, caller: &AwsCaller) -> Observation<Vec<HealthEvent>> {
    let region = cx.aws.region();
    let filter = EventFilter::builder()
        .set_services(Some(SERVICES.map(str::to_owned).to_vec()))
        .set_regions(Some(vec![region.to_owned(), "global".to_owned()]))
        .set_event_status_codes(Some(vec![EventStatusCode::Open]))
        .build();
    let request = cx.aws.health.describe_events().filter(filter).max_results(MAX_EVENTS).send();
    let ask = async {
        caller.call("health:DescribeEvents", "*", request).await.map(|page| {
            page.events
                .unwrap_or_default()
                .into_iter()
                .map(|event| HealthEvent {
                    started_at: event.start_time().and_then(text::timestamp),
                    service: event.service.unwrap_or_default(),
                    code: event.event_type_code.unwrap_or_default(),
                    region: event.region.unwrap_or_default(),
                })
                .collect()
        })
    };
    cx.aws.shared().answers.get(CacheKey::Health, caller.fresh(), ask).await
}
