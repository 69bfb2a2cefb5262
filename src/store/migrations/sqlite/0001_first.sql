-- Times are milliseconds since 1970. Texts are redacted before they get here.

-- What was accepted and is to be done. A row outlives its work, so that its key is known again.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,
    origin      TEXT NOT NULL,              -- the platform's id of the message or click that brought it
    lane        TEXT NOT NULL,              -- lanes are served in turn
    subject     TEXT NOT NULL,              -- what may not be worked on twice at a time
    same        TEXT,                       -- who asked what, to join a question that is still open
    job         TEXT NOT NULL,              -- the trigger; emptied when it is done
    what        TEXT NOT NULL,              -- one line for the operator
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    not_before  INTEGER NOT NULL,
    lease_until INTEGER NOT NULL DEFAULT 0,
    received_at INTEGER NOT NULL,
    ended_at    INTEGER,
    why         TEXT NOT NULL DEFAULT ''
) STRICT;
-- Not partial: SQLite takes a partial index only where a query's own words imply its condition.
CREATE INDEX inbox_state ON inbox (state, lane, id);
CREATE INDEX inbox_same ON inbox (same) WHERE same IS NOT NULL AND state IN ('waiting', 'running');
CREATE INDEX inbox_subject ON inbox (subject, state, id);
CREATE INDEX inbox_ended ON inbox (ended_at) WHERE ended_at IS NOT NULL;

-- When each lane was last served, counted in claims.
CREATE TABLE lanes (
    lane   TEXT PRIMARY KEY,
    served INTEGER NOT NULL
) STRICT;

CREATE TABLE threads (
    id          TEXT PRIMARY KEY,
    platform    TEXT NOT NULL,
    workspace   TEXT NOT NULL,
    channel     TEXT NOT NULL,
    root        TEXT,                       -- the platform's id of the message it hangs on, once that is posted
    state       TEXT NOT NULL CHECK (state IN ('open', 'recovered', 'resolved')),
    alarm_key   TEXT,                       -- what alarms of this thread share
    alarm_state TEXT,
    alarm_at    INTEGER,                    -- when the alarm went to that state, by its own time
    opened_at   INTEGER NOT NULL,
    touched_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX threads_root ON threads (platform, workspace, channel, root) WHERE root IS NOT NULL;
CREATE INDEX threads_alarm ON threads (alarm_key, opened_at) WHERE alarm_key IS NOT NULL;
CREATE INDEX threads_touched ON threads (touched_at);

CREATE TABLE investigations (
    id          TEXT PRIMARY KEY,
    thread      TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    slot        TEXT NOT NULL,              -- the message that shows it
    revision    INTEGER NOT NULL,           -- buttons of an older one have expired
    question    TEXT NOT NULL,
    account     TEXT,
    region      TEXT,
    choices     TEXT NOT NULL DEFAULT '[]', -- the places to choose from, while the question is which
    state       TEXT NOT NULL CHECK (state IN ('asking', 'running', 'done', 'failed')),
    record      TEXT,                       -- evidence and diagnosis of the last run that ended
    headline    TEXT NOT NULL DEFAULT '',
    started_at  INTEGER NOT NULL,
    run_by      INTEGER,                    -- the trigger of the last run, in the inbox
    finished_at INTEGER,
    resolved_by TEXT,
    resolved_at INTEGER
) STRICT;
CREATE INDEX investigations_thread ON investigations (thread);
CREATE INDEX investigations_started ON investigations (started_at);

-- What a thread is to show: one row per message. It is delivered when `posted` has reached `revision`.
CREATE TABLE messages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    thread     TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    slot       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    message    TEXT NOT NULL,
    passing    INTEGER NOT NULL,            -- 1 while a newer content is on its way: progress
    revision   INTEGER NOT NULL DEFAULT 1,
    posted     INTEGER NOT NULL DEFAULT 0,  -- the revision the platform has
    posted_id  TEXT,                        -- the platform's id
    posts      INTEGER NOT NULL DEFAULT 0,  -- how often it was posted anew after the platform had lost it
    uncertain  INTEGER NOT NULL DEFAULT 0,  -- the revision that is being posted, until the answer is known
    reply_to   TEXT,                        -- the person to point here, or to answer alone; gone once that is done
    alone      INTEGER NOT NULL DEFAULT 0,  -- 1 when only that person is to see it
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'given_up')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    due_by     INTEGER NOT NULL,
    stated_at  INTEGER NOT NULL,
    why        TEXT NOT NULL DEFAULT '',
    UNIQUE (thread, slot)
) STRICT;
-- With all that decides whether one is due, so that no message is read for it; and what goes out before others of its thread.
CREATE INDEX messages_pending ON messages (not_before, thread, slot, passing, posted, alone) WHERE state = 'pending';
CREATE INDEX messages_unposted ON messages (thread, posted, alone) WHERE state = 'pending';

CREATE TABLE watches (
    investigation TEXT PRIMARY KEY REFERENCES investigations (id) ON DELETE CASCADE,
    by            TEXT NOT NULL,
    since         INTEGER NOT NULL,         -- only rotations after this count
    next_look     INTEGER NOT NULL,
    until         INTEGER NOT NULL
) STRICT;

-- Who did what, and what was decided.
CREATE TABLE audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    platform  TEXT NOT NULL,
    workspace TEXT NOT NULL,
    channel   TEXT NOT NULL,
    person    TEXT NOT NULL,
    did       TEXT NOT NULL,
    subject   TEXT NOT NULL,
    decision  TEXT NOT NULL,
    reason    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);

-- The newest state of every alarm, by its own time.
CREATE TABLE alarms (
    key      TEXT PRIMARY KEY,
    state    TEXT NOT NULL,
    state_at INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL
) STRICT;
