//! What a collector brings back: the facts, or exactly why there are none.

use super::window::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The outcome of asking AWS one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "value")]
pub enum Observation<T> {
    Found(T),
    /// AWS answered that there is nothing, in what was searched.
    NoData {
        /// What was looked through, for people.
        searched: String,
    },
    /// The caller may not ask this.
    Denied(Denial),
    /// AWS kept refusing for too many requests.
    Throttled {
        /// The API call, as `service:Operation`.
        call: String,
    },
    /// No answer before the deadline.
    TimedOut {
        /// The deadline, in milliseconds.
        after_ms: u64,
    },
    /// The call broke: network, an answer that does not parse, a server error.
    Failed {
        /// What went wrong, for people.
        error: String,
    },
    /// The question makes no sense here, such as the function of a managed rotation.
    NotApplicable {
        because: String,
    },
}

/// A refused call: the permission that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Denial {
    /// The IAM action, such as `lambda:GetPolicy`.
    pub action: String,
    /// The resource it was asked of; `*` where the action has none.
    pub resource: String,
}

impl<T> Observation<T> {
    /// The facts, when there are any.
    pub fn found(&self) -> Option<&T> {
        match self {
            Observation::Found(value) => Some(value),
            _ => None,
        }
    }

    /// The facts, to be changed in place, when there are any.
    pub fn found_mut(&mut self) -> Option<&mut T> {
        match self {
            Observation::Found(value) => Some(value),
            _ => None,
        }
    }

    /// True when AWS gave a definite answer: facts, none, or not applicable.
    pub fn is_answered(&self) -> bool {
        matches!(self, Observation::Found(_) | Observation::NoData { .. } | Observation::NotApplicable { .. })
    }

    /// True when AWS answered that there is nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Observation::NoData { .. })
    }

    /// The observation's kind in snake case, as reports write it.
    pub fn status(&self) -> &'static str {
        match self {
            Observation::Found(_) => "found",
            Observation::NoData { .. } => "no_data",
            Observation::Denied(_) => "denied",
            Observation::Throttled { .. } => "throttled",
            Observation::TimedOut { .. } => "timed_out",
            Observation::Failed { .. } => "failed",
            Observation::NotApplicable { .. } => "not_applicable",
        }
    }

    /// Why there is no answer, for people; `None` when there is one.
    pub fn missing(&self) -> Option<String> {
        match self {
            Observation::Found(_) | Observation::NoData { .. } | Observation::NotApplicable { .. } => None,
            Observation::Denied(denial) => Some(format!("permission {}", denial.action)),
            Observation::Throttled { call } => Some(format!("{call} was throttled")),
            Observation::TimedOut { after_ms } => Some(format!("no answer within {:.0} s", *after_ms as f64 / 1000.0)),
            Observation::Failed { error } => Some(error.clone()),
        }
    }

    /// Applies `f` to the facts and keeps every other outcome.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observation<U> {
        self.and_then(|value| Observation::Found(f(value)))
    }

    /// Applies `f` to the facts and keeps every other outcome.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Observation<U>) -> Observation<U> {
        match self {
            Observation::Found(value) => f(value),
            Observation::NoData { searched } => Observation::NoData { searched },
            Observation::Denied(denial) => Observation::Denied(denial),
            Observation::Throttled { call } => Observation::Throttled { call },
            Observation::TimedOut { after_ms } => Observation::TimedOut { after_ms },
            Observation::Failed { error } => Observation::Failed { error },
            Observation::NotApplicable { because } => Observation::NotApplicable { because },
        }
    }

    /// The same outcome with the facts borrowed.
    pub fn as_ref(&self) -> Observation<&T> {
        match self {
            Observation::Found(value) => Observation::Found(value),
            Observation::NoData { searched } => Observation::NoData { searched: searched.clone() },
            Observation::Denied(denial) => Observation::Denied(denial.clone()),
            Observation::Throttled { call } => Observation::Throttled { call: call.clone() },
            Observation::TimedOut { after_ms } => Observation::TimedOut { after_ms: *after_ms },
            Observation::Failed { error } => Observation::Failed { error: error.clone() },
            Observation::NotApplicable { because } => Observation::NotApplicable { because: because.clone() },
        }
    }
}

/// One request that was sent to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiCall {
    /// `service:Operation`, with IAM's prefix, such as `logs:FilterLogEvents`.
    pub call: String,
    /// When it was sent.
    pub at: Timestamp,
    /// How long the answer took, in milliseconds.
    pub duration_ms: u64,
    /// True when AWS answered it.
    pub ok: bool,
}

/// One playbook step's observation, with what was asked, where and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord<T> {
    /// What the step found.
    pub observation: Observation<T>,
    /// The window it looked at, where it looks at one.
    pub window: Option<Window>,
    /// The calls it made; a call shared with another step is counted once, where it was made.
    pub calls: Vec<ApiCall>,
    /// Permissions that were missing for parts of the step.
    pub denials: Vec<Denial>,
    /// One line for people: what the step saw.
    pub summary: String,
    /// When the step began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl<T> StepRecord<T> {
    /// The facts, when there are any.
    pub fn found(&self) -> Option<&T> {
        self.observation.found()
    }
}
