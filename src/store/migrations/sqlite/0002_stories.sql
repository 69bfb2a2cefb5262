-- What is known of a cause that alarms told of, in one channel: the body is the grouping's own.
CREATE TABLE stories (
    thread TEXT PRIMARY KEY REFERENCES threads (id) ON DELETE CASCADE,
    body   TEXT NOT NULL
) STRICT;

-- By what it is found again: the alarms that told of it, and the secrets it is about.
CREATE TABLE story_keys (
    key    TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES stories (thread) ON DELETE CASCADE,
    PRIMARY KEY (key, thread)
) STRICT, WITHOUT ROWID;
CREATE INDEX story_keys_thread ON story_keys (thread);
