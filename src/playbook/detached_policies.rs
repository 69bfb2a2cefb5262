//! A look at policies that were detached from the role: two calls for each, where giving one back may mend rotation.
//!
//! What is asked belongs to step 5, and is counted there.

use super::role_policies::default_version;
use super::runner::{is_second_look, note_calls};
use super::{PlaybookRequest, Progress, text};
use crate::aws::{Aws, AwsCaller};
use crate::clock::{self, Clock};
use crate::model::{DetachedPolicy, Evidence, StepName};
use futures::future::join_all;

pub(super) async fn read(
    aws: &Aws,
    clock: &Clock,
    request: &PlaybookRequest,
    mut evidence: Evidence,
    policies: &[String],
    progress: &dyn Progress,
) -> Evidence {
    let deadline = clock::deadline(request.deadline_per_step.min(request.total_deadline));
    let caller = AwsCaller::new(aws, *clock, deadline, is_second_look(request));
    progress.started(StepName::ExecutionRole);
    let asked = policies.iter().map(async |arn| {
        let document = default_version(aws, &caller, arn).await;
        DetachedPolicy { arn: arn.clone(), document }
    });
    let seen = join_all(asked).await;
    let read = seen.iter().filter(|policy| policy.document.found().is_some()).count();
    if let Some(role) = evidence.role.observation.found_mut() {
        role.detached.extend(seen);
    }
    note_calls(&mut evidence.role, &caller);
    if read > 0 {
        evidence.role.summary.push_str(&format!("; {} read", text::counted(read, "detached policy")));
    }
    progress.finished(StepName::ExecutionRole, evidence.role.observation.status(), &evidence.role.summary);
    evidence
}
