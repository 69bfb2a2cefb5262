-- Which process does what only one may do; empty as long as one process has the store.
CREATE TABLE leaders (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    term   INTEGER NOT NULL,                -- counts the holders; who has an older one changes nothing any more
    until  INTEGER NOT NULL
) STRICT;
