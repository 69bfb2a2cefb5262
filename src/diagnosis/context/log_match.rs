//! What failing invocations say about one cause.

use super::{Attribution, ClassifiedLine, DiagnosisContext, Failure};
use crate::diagnosis::verdict::Verdict;
use crate::model::spans::{ATTEMPT_SPAN, CLOCK_TOLERANCE};
use crate::model::{Cause, Confidence, Proof, StepName, Window};

/// What failing invocations say about one cause.
pub struct LogMatch<'c, 'a> {
    /// The newest failing invocation whose decisive line says it.
    pub failure: &'c Failure<'a>,
    pub read: &'c ClassifiedLine<'a>,
    /// How many failing invocations say it.
    pub count: usize,
    /// True when the newest failing invocation says it.
    pub is_latest: bool,
}

impl<'a> DiagnosisContext<'a> {
    /// What failing invocations say about `cause`, where it is their decisive line.
    #[must_use]
    pub fn seen(&self, cause: Cause) -> Option<LogMatch<'_, 'a>> {
        self.seen_where(|read| read.classification.cause == cause)
    }

    /// Like [`DiagnosisContext::seen`], for decisive lines that satisfy `wanted`.
    #[must_use]
    pub fn seen_where(&self, wanted: impl Fn(&ClassifiedLine<'a>) -> bool) -> Option<LogMatch<'_, 'a>> {
        let mut hits =
            self.failures.iter().enumerate().filter_map(|(at, failure)| {
                failure.most_specific_line().filter(|read| wanted(read)).map(|read| (at, failure, read))
            });
        let (at, failure, read) = hits.next_back()?;
        let newest_telling = self.failures.iter().rposition(|failure| failure.most_specific_line().is_some());
        Some(LogMatch { failure, read, count: hits.count() + 1, is_latest: newest_telling == Some(at) })
    }

    /// The verdict of a rule whose cause no failing invocation names: clear only when they were read.
    #[must_use]
    pub fn not_in_logs(&self) -> Verdict {
        if let Some(verdict) = self.without_function() {
            return verdict;
        }
        let logs = &self.evidence.logs;
        if let Some(missing) = logs.observation.missing() {
            return Verdict::unknown(missing);
        }
        if !self.failures.is_empty() {
            return Verdict::clear("no failing invocation reports it");
        }
        match (&self.failing, &self.evidence.history.observation.missing()) {
            (None, None) => Verdict::clear("rotation is not failing"),
            (None, Some(missing)) => Verdict::unknown(missing.clone()),
            (Some(_), _) => Verdict::unknown("no failing invocation was found in the windows that were read"),
        }
    }
}

impl LogMatch<'_, '_> {
    /// The decisive line as proof.
    #[must_use]
    pub fn proof(&self) -> Proof {
        Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(self.read.event.at),
            text: self.read.event.text.trim().to_owned(),
        }
    }

    /// The line is one fact; a rotation event that names the same step or moment is the second.
    #[must_use]
    pub fn confidence(&self, context: &DiagnosisContext<'_>) -> Confidence {
        let invocation = self.failure.invocation;
        let agrees = context.failed_attempts().any(|attempt| {
            let same_step = attempt.step.is_some() && attempt.step == self.failure.step;
            let same_time =
                attempt.at().is_some_and(|at| Window::around(invocation.started_at, CLOCK_TOLERANCE, ATTEMPT_SPAN).contains(at));
            same_time && (same_step || attempt.step.is_none() || self.failure.step.is_none())
        });
        match self.failure.attribution {
            Attribution::ByName | Attribution::ByTime if agrees => Confidence::Confirmed,
            Attribution::Other => Confidence::Possible,
            _ => Confidence::Likely,
        }
    }

    /// `in createSecret`, or nothing where the step is unknown.
    #[must_use]
    pub fn in_step(&self) -> String {
        self.failure.step.or(self.read.classification.step).map(|step| format!(" in {step}")).unwrap_or_default()
    }

    /// The line with the rotation event beside it.
    #[must_use]
    pub fn proofs(&self, context: &DiagnosisContext<'_>) -> Vec<Proof> {
        std::iter::once(self.proof()).chain(context.failed_attempt_proof()).collect()
    }
}
