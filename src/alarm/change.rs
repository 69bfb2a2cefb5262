//! What every source of alarms says: that something went to a state.

use super::named::Named;
use crate::model::{Alarm, AlarmSource, AlarmState};
use jiff::Timestamp;

/// A change of an alarm's state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) state: AlarmState,
    pub(super) at: Timestamp,
    pub(super) reason: &'a str,
}

impl Change<'_> {
    /// The alarm that says so, of the account and region in `place`; whoever reads its source fills in what more there is.
    pub(super) fn by(self, source: AlarmSource, key: &str, title: &str, place: (&str, &str)) -> Alarm {
        let (account_id, region) = place;
        Alarm {
            source,
            key: key.to_owned(),
            title: title.to_owned(),
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            state: self.state,
            state_at: self.at,
            reason: self.reason.to_owned(),
            description: String::new(),
            secrets: Vec::new(),
            functions: Vec::new(),
            children: Vec::new(),
            remarks: Vec::new(),
            topic: None,
        }
    }
}

/// The account and region in a CloudWatch alarm's ARN. Its name may hold spaces, which ARNs of others may not.
pub(super) fn place_in(alarm_arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = alarm_arn.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "cloudwatch", region, account_id, "alarm", name] if !name.is_empty() => Some((account_id, region)),
        _ => None,
    }
}

impl Named {
    /// The alarm, about what is named.
    pub(super) fn of(self, alarm: Alarm) -> Alarm {
        Alarm { secrets: self.secrets, functions: self.functions, ..alarm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarms_arn_may_hold_spaces_and_colons_in_its_name() {
        let place = Some(("123456789012", "eu-west-1"));
        for (arn, expected) in [
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders", place),
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders rotation: failed (prod)", place),
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:", None),
            ("arn:aws:sns:eu-west-1:123456789012:alarm:orders", None),
            ("storm", None),
        ] {
            assert_eq!(place_in(arn), expected, "{arn}");
        }
    }
}
