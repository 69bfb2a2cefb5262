//! What will stop the next rotation, and the ordered commands that clear its way.

use super::cause::Cause;
use super::finding::{Confidence, Proof};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The next rotation, as far as the evidence lets it be foretold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Forecast {
    /// When its window opens; `None` where no date is known or none will come.
    pub next_rotation: Option<Timestamp>,
    /// What will stop it, in the order in which a rotation meets it.
    pub obstacles: Vec<Obstacle>,
    /// What cannot be foretold, and what would have to be seen.
    pub unknown: Vec<String>,
    /// True where only that is unknown which no evidence could tell, such as the database's answer.
    pub is_complete: bool,
}

impl Forecast {
    /// What will stop the next rotation for sure or in all likelihood.
    pub fn blocking(&self) -> impl Iterator<Item = &Obstacle> {
        self.obstacles.iter().filter(|obstacle| obstacle.confidence > Confidence::Possible)
    }
}

/// Something that stands in the way of the next rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Which cause it would be.
    pub cause: Cause,
    /// `Possible` where it may stop the rotation, otherwise it will.
    pub confidence: Confidence,
    /// Since when it stands there, or from when on it will; `None` where that is not known.
    pub at: Option<Timestamp>,
    /// What it is, in a sentence.
    pub text: String,
    /// The fact it rests on.
    pub proof: Option<Proof>,
    /// Who made the change behind it, where that was seen.
    pub author: Option<String>,
}

/// A remedy as ordered commands for a person to run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The commands, each of which works after those before it.
    pub steps: Vec<PlanStep>,
    /// Whether nothing known stands in the way after them; `None` where the evidence cannot tell, or nothing needs mending.
    pub heals: Option<bool>,
    /// What no command here mends.
    pub remaining: Vec<Obstacle>,
    /// What only the next rotation can show.
    pub doubts: Vec<String>,
    /// What could be lost by commands against what no finding leads with.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// How taking a command back can cut applications off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoDanger {
    /// Staging labels move back, perhaps to a version that is no longer valid.
    OldLabels,
    /// A key is disabled again.
    DisabledKey,
    /// A key is deleted in the end.
    DeletedKey,
    /// The secret is scheduled for deletion again.
    DeletedSecret,
    /// A database is stopped again.
    StoppedDatabase,
    /// A VPC loses its name server.
    NoNameServer,
    /// A VPC loses an endpoint.
    DeletedEndpoint,
}

/// One command of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// The command, to be pasted into a shell.
    pub command: String,
    /// The cause it works against.
    pub cause: Cause,
    /// What it does, for people.
    pub effect: String,
    /// True where it changes nothing.
    pub is_read_only: bool,
    /// The command that takes it back; `None` where it changes nothing or cannot be taken back.
    pub undo: Option<String>,
    /// How that can cut applications off; `None` where it cuts nobody off.
    #[serde(default)]
    pub undo_danger: Option<UndoDanger>,
    /// The IAM actions it needs.
    pub needs: Vec<String>,
}
