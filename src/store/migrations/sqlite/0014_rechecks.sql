-- Threads that alarms left to be looked at again later, each once for each reason.
CREATE TABLE rechecks (
    thread TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    why    TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (thread, why)
) STRICT, WITHOUT ROWID;
CREATE INDEX rechecks_due ON rechecks (due_at);

-- What a storm of alarms was about: the secrets that its thread lists.
CREATE TABLE storm_secrets (
    thread     TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,            -- its place in the list, from 0
    secret     TEXT NOT NULL,               -- what it is known by; the alarm's own, where no secret is known
    name       TEXT NOT NULL,               -- as people read it
    alarm      TEXT NOT NULL,               -- to be accepted again, when the storm is over
    is_left    INTEGER NOT NULL DEFAULT 1,  -- 1 until it is known whether it still fails
    PRIMARY KEY (thread, place),
    UNIQUE (thread, secret)
) STRICT, WITHOUT ROWID;
CREATE INDEX storm_secrets_left ON storm_secrets (thread, is_left, place);
