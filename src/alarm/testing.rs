//! Alarms for tests.

use crate::model::{Alarm, AlarmSource, AlarmState, OkBasis};

/// An alarm of CloudWatch in state ALARM that names nothing.
pub(crate) fn alarm(name: &str) -> Alarm {
    Alarm {
        source: AlarmSource::CloudWatch,
        key: format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"),
        series: None,
        title: name.to_owned(),
        account_id: "123456789012".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        state: AlarmState::Alarm,
        basis: OkBasis::default(),
        state_at: "2026-11-25T10:00:00Z".parse().unwrap(),
        reason: String::new(),
        description: String::new(),
        secrets: Vec::new(),
        functions: Vec::new(),
        children: Vec::new(),
        remarks: Vec::new(),
        topic: Some("arn:aws:sns:eu-west-1:123456789012:alarms".to_owned()),
    }
}
