//! What Lambda says where it cannot run the function: its state, its last update, and the errors of invocations that
//! never began, which reach Secrets Manager and no log.

use super::context::{DiagnosisContext, Failure};
use super::runs::{Ran, ran};
use super::signatures;
use super::verdict::Verdict;
use crate::model::{Cause, Confidence, Finding, FunctionFacts, Proof, Remediation, Severity, StepName};

/// The call the function's facts are from.
const CALL: &str = "lambda:GetFunctionConfiguration";

/// What speaks for one cause.
pub(super) struct Complaint {
    pub(super) confidence: Confidence,
    pub(super) severity: Severity,
    pub(super) evidence: Vec<Proof>,
}

impl Complaint {
    /// The finding that rests on it.
    pub(super) fn finding(
        self,
        context: &DiagnosisContext<'_>,
        cause: Cause,
        explanation: String,
        remediation: Remediation,
    ) -> Finding {
        let mut finding = context.finding(cause, self.confidence, explanation, self.evidence, remediation);
        finding.severity = self.severity;
        finding
    }
}

/// The cause a reason code stands for. Source: Lambda API reference, `StateReasonCode` and `LastUpdateStatusReasonCode`.
fn cause_of(code: &str) -> Option<Cause> {
    Some(match code {
        "Idle" | "Creating" | "Restoring" => return None,
        "EniLimitExceeded"
        | "SubnetOutOfIPAddresses"
        | "EC2RequestLimitExceeded"
        | "InsufficientCapacity"
        | "VcpuLimitExceeded" => Cause::LambdaVpcCapacity,
        "InvalidSubnet" | "InvalidSecurityGroup" => Cause::LambdaVpcConfigInvalid,
        "InsufficientRolePermissions" => Cause::LambdaEniPermissionMissing,
        "KMSKeyAccessDenied" => Cause::LambdaEnvKmsDenied,
        "KMSKeyNotFound" | "InvalidStateKMSKey" | "DisabledKMSKey" => Cause::KmsKeyDisabledOrPendingDeletion,
        "InvalidRuntime" => Cause::DeprecatedRuntime,
        _ => Cause::LambdaStateFailed,
    })
}

/// The cause a code stands for; where there is none, what the text says; else that the function is not usable.
fn cause_of_reason(code: Option<&str>, text: Option<&str>) -> Cause {
    code.and_then(cause_of)
        .or_else(|| Some(signatures::classify(text?)?.cause).filter(|cause| !cause.is_line_label()))
        .unwrap_or(Cause::LambdaStateFailed)
}

/// True in a state in which Lambda runs no invocation. An inactive function runs again when it is invoked, unless a reason
/// other than idleness is given.
fn is_unusable(function: &FunctionFacts) -> bool {
    match function.state.as_deref() {
        Some("Failed" | "Deactivated" | "Deleting" | "ActiveNonInvocable") => true,
        Some("Inactive") => function.state_reason_code.as_deref().and_then(cause_of).is_some(),
        _ => false,
    }
}

fn stated(name: &str, value: Option<&str>, code: Option<&str>, reason: Option<&str>) -> String {
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{name} {}{code}{reason}", value.unwrap_or("unknown"))
}

impl DiagnosisContext<'_> {
    /// True when the newest failing invocation that says why it failed names another cause.
    #[must_use]
    pub fn explained_otherwise(&self, cause: Cause) -> bool {
        let newest = self.failures.iter().rev().find_map(Failure::most_specific_line);
        newest.is_some_and(|read| read.classification.cause != cause)
    }

    /// The newest failed attempt of the current row whose own reason names `cause`.
    #[must_use]
    pub fn reason_saying(&self, cause: Cause) -> Option<Proof> {
        let attempt = self.failed_attempts().rev().find(|attempt| {
            let read = attempt.reason.as_deref().and_then(signatures::classify);
            read.is_some_and(|read| read.cause == cause)
        })?;
        let text = attempt.reason.clone().unwrap_or_default();
        Some(Proof::of(StepName::RotationHistory, self.history_call(), text).at(attempt.at()))
    }

    /// What Lambda says about `cause`: by the function's state, by its last update, in an attempt's reason, in a log line.
    pub(super) fn complaint(&self, cause: Cause) -> Option<Complaint> {
        let mut evidence = Vec::new();
        let said = self.seen(cause);
        let by_line = said.as_ref().map(|seen| seen.confidence(self));
        evidence.extend(said.as_ref().map(super::context::LogMatch::proof));
        evidence.extend(self.reason_saying(cause));
        let is_said = !evidence.is_empty();

        let (mut blocks, mut update_failed) = (false, false);
        if let Some(function) = self.function() {
            let (code, reason) = (function.state_reason_code.as_deref(), function.state_reason.as_deref());
            blocks = is_unusable(function) && cause_of_reason(code, reason) == cause;
            if blocks {
                let text = stated("State", function.state.as_deref(), code, reason);
                evidence.push(Proof::of(StepName::RotationFunction, CALL, text));
            }
            let (code, reason) = (function.last_update_reason_code.as_deref(), function.last_update_reason.as_deref());
            let status = function.last_update_status.as_deref();
            update_failed = status == Some("Failed") && cause_of_reason(code, reason) == cause;
            if update_failed {
                let text = stated("LastUpdateStatus", status, code, reason);
                evidence.push(Proof::of(StepName::RotationFunction, CALL, text));
            }
        }
        // A failed update leaves the former configuration at work: by itself it is a risk.
        let may_explain = self.failing.is_some() && !self.explained_otherwise(cause);
        let (confidence, severity) = match (blocks, is_said, update_failed) {
            (true, ..) | (_, true, true) => (Confidence::Confirmed, Severity::Critical),
            (false, true, false) => (by_line.unwrap_or(Confidence::Likely), Severity::Critical),
            // What Lambda could not set up, and rotation that never reached the function, agree.
            (false, false, true) if may_explain && matches!(ran(self), Ran::No(_)) => (Confidence::Confirmed, Severity::Critical),
            (false, false, true) if may_explain => (Confidence::Likely, Severity::Critical),
            (false, false, true) => (Confidence::Likely, Severity::Info),
            (false, false, false) => return None,
        };
        Some(Complaint { confidence, severity, evidence })
    }

    /// The verdict of a rule about the function's state where nothing speaks for its cause.
    pub(super) fn function_is_fine(&self) -> Verdict {
        if let Some(verdict) = self.without_function() {
            return verdict;
        }
        let observation = &self.evidence.function.observation;
        match (observation.found(), observation.missing()) {
            (Some(function), _) => {
                let state = function.state.as_deref().unwrap_or("not stated");
                Verdict::clear(format!("the function's state is {state}"))
            }
            (None, Some(missing)) => Verdict::unknown(missing),
            (None, None) => Verdict::clear("there is no such function"),
        }
    }
}
