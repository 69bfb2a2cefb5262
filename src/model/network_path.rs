//! A way through the network, as it is shown to people.

use serde::{Deserialize, Serialize};

/// The way from the function to something it must reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPath {
    /// What must be reached: a service, such as `secretsmanager`, or a database's identifier.
    pub target: String,
    /// The function's subnet that it begins in; `None` for a function in no VPC.
    pub subnet: Option<String>,
    pub state: PathState,
    /// In the order of travel.
    pub hops: Vec<PathHop>,
}

/// Whether packets get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathState {
    /// They do.
    Reachable,
    /// It cannot be told.
    Unknown,
    /// They do not.
    Blocked,
}

/// One hop of a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathHop {
    /// What it is, such as `route`.
    pub place: String,
    /// Its id in AWS; empty where it has none, or was not seen.
    pub id: String,
    pub state: PathState,
    /// What lets the packets through, what stops them, or what was not seen.
    pub text: String,
}
