//! Lanes are served in turn, so that a busy channel delays no other. How the next trigger is found is the one thing that the
//! engines do differently here: in a file whoever claims is alone, on a server others claim at the same time.

/// The statements about lanes and their turns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LaneStatements {
    /// The oldest trigger of the lane whose turn it is, among those that may be taken, and the lane.
    pub(super) next: &'static str,
    /// The lanes $1 have their turn after all others, unless they have one.
    pub(super) last: &'static str,
    /// The lane $1 was served: its turn is after all others.
    pub(super) served: &'static str,
}

/// For a file.
pub(super) const IN_FILE: LaneStatements = LaneStatements {
    next: "SELECT i.id, l.lane FROM lanes l CROSS JOIN inbox i WHERE l.served > 0 AND i.queue = 1 AND i.lane = l.lane
     ORDER BY l.served, i.id LIMIT 1",
    last: "INSERT INTO lanes (lane, served)
     SELECT value, (SELECT coalesce(max(served), 0) FROM lanes) + key + 1 FROM json_each($1) WHERE true
     ON CONFLICT (lane) DO NOTHING",
    served: "UPDATE lanes SET served = (SELECT max(served) + 1 FROM lanes) WHERE lane = $1",
};

/// For a server. What another one is taking at this moment is passed over instead of waited for, and each turn has a number of
/// its own, whoever gives it out.
pub(super) const ON_SERVER: LaneStatements = LaneStatements {
    next: "SELECT i.id, l.lane FROM lanes l CROSS JOIN inbox i WHERE l.served > 0 AND i.queue = 1 AND i.lane = l.lane
     ORDER BY l.served, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED",
    last: "INSERT INTO lanes (lane, served)
     SELECT value, nextval('lane_turns') FROM json_each($1) WHERE true
     ON CONFLICT (lane) DO NOTHING",
    served: "UPDATE lanes SET served = nextval('lane_turns') WHERE lane = $1",
};
