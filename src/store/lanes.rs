//! Lanes are served in turn, so that a busy channel delays no other. How the next trigger is found is the one thing that the
//! engines do differently here: in a file whoever claims is alone, on a server others claim at the same time.

/// The statements about lanes and their turns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LaneStatements {
    /// The lane whose turn it is, among those in which something may be taken.
    pub(super) next: &'static str,
    /// The same, where all of these lanes are being served.
    pub(super) next_of_served: Option<&'static str>,
    /// The lanes $1 have their turn after all others, unless they have one.
    pub(super) last: &'static str,
    /// The lane $1 was served: its turn is after all others.
    pub(super) served: &'static str,
}

/// For a file.
pub(super) const IN_FILE: LaneStatements = LaneStatements {
    next: "SELECT l.lane FROM lanes l WHERE l.served > 0 AND EXISTS (SELECT 1 FROM inbox i WHERE i.queue = 1 AND i.lane = l.lane)
     ORDER BY l.served LIMIT 1",
    next_of_served: None,
    last: "INSERT INTO lanes (lane, served)
     SELECT value, (SELECT coalesce(max(served), 0) FROM lanes) + key + 1 FROM json_each($1) WHERE true
     ON CONFLICT (lane) DO NOTHING",
    served: "UPDATE lanes SET served = (SELECT max(served) + 1 FROM lanes) WHERE lane = $1",
};

/// The lane on a server whose turn it is, locked in this way. The inner LIMIT keeps PostgreSQL from joining all that wait.
macro_rules! next_on_server {
    ($lock:literal) => {
        concat!(
            "SELECT l.lane FROM lanes l
     WHERE (SELECT i.id FROM inbox i WHERE i.queue = 1 AND i.lane = l.lane ORDER BY i.id LIMIT 1) IS NOT NULL
     ORDER BY l.served LIMIT 1 ",
            $lock
        )
    };
}

/// For a server. A lane is served by one at a time, who holds its row; the others pass over it, and wait for it only where there is
/// no other. Each turn has a number of its own, whoever gives it out.
pub(super) const ON_SERVER: LaneStatements = LaneStatements {
    next: next_on_server!("FOR UPDATE SKIP LOCKED"),
    next_of_served: Some(next_on_server!("FOR UPDATE")),
    last: "INSERT INTO lanes (lane, served)
     SELECT value, nextval('lane_turns') FROM json_each($1) WHERE true
     ON CONFLICT (lane) DO NOTHING",
    served: "UPDATE lanes SET served = nextval('lane_turns') WHERE lane = $1",
};
