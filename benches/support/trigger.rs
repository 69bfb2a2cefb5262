//! A question that waits, as somebody asked it.

use rotation_diag::model::{Actor, Command, InvestigationRequest, Place, PlatformName, Standing, Trigger};
use rotation_diag::redact::SafeText;
use rotation_diag::store::NewTrigger;

/// The trigger `number`, about `subject`, asked in one of `lanes` channels.
pub(crate) fn trigger(number: usize, lanes: usize, subject: String) -> NewTrigger {
    let place = Place {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        channel: format!("C{}", number % lanes),
        thread: None,
    };
    let actor = Actor {
        platform: place.platform,
        workspace: place.workspace.clone(),
        user: "U1".to_owned(),
        groups: None,
        standing: Standing::Member,
    };
    let question =
        InvestigationRequest { secret: "prod/orders-db".parse().unwrap(), account: None, region: None, lookback: None };
    NewTrigger {
        key: number.to_string(),
        origin: number.to_string(),
        lane: place.channel.clone(),
        subject,
        same: None,
        trigger: Trigger::Command(Command { actor, place, reply_to: None, question, in_thread: false }),
        what: SafeText::redact("a question"),
    }
}
