//! The account's trails, as far as they write to log groups.

use super::{Aws, AwsCaller, CacheKey};
use crate::model::{Arn, Observation};

/// A trail's log group that holds the region's events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrailGroup {
    pub(crate) name: String,
    pub(crate) arn: Arn,
    pub(crate) has_global_events: bool,
}

impl Aws {
    /// True where a trail records this region's events. EventBridge forwards those of CloudTrail only where one does.
    ///
    /// Source: EventBridge User Guide, "Events from AWS services via CloudTrail".
    pub(crate) async fn has_trail(&self, caller: &AwsCaller) -> Observation<bool> {
        let region = self.region();
        let request = self.cloudtrail.describe_trails().include_shadow_trails(true).send();
        caller.call("cloudtrail:DescribeTrails", "*", request).await.map(|output| {
            let mut trails = output.trail_list().iter();
            trails.any(|trail| trail.is_multi_region_trail() == Some(true) || trail.home_region() == Some(region))
        })
    }

    /// The log groups of trails that hold this region's events, the most telling first. Those of an organization's trail may
    /// belong to another account.
    pub(crate) async fn trail_groups(&self, caller: &AwsCaller) -> Observation<Vec<TrailGroup>> {
        let region = self.region();
        let ask = async {
            let request = self.cloudtrail.describe_trails().include_shadow_trails(true).send();
            caller.call("cloudtrail:DescribeTrails", "*", request).await.map(|output| {
                let mut groups: Vec<TrailGroup> = output
                    .trail_list()
                    .iter()
                    .filter(|trail| trail.is_multi_region_trail() == Some(true) || trail.home_region() == Some(region))
                    .filter_map(|trail| {
                        let arn = Arn::parse(trail.cloud_watch_logs_log_group_arn()?).ok()?;
                        let name = arn.resource().strip_prefix("log-group:")?.trim_end_matches(":*").to_owned();
                        let has_global_events = trail.include_global_service_events() == Some(true);
                        Some(TrailGroup { name, arn, has_global_events })
                    })
                    .collect();
                groups.sort_by_key(|group| (!group.has_global_events, group.arn.region() != *region, group.name.clone()));
                groups
            })
        };
        self.shared().answers.get(CacheKey::Trails, caller.fresh(), ask).await
    }
}
