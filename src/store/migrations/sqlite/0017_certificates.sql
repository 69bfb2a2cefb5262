-- Certificates that signed authentic messages, by the address they were fetched from: known again after a restart.
CREATE TABLE certificates (
    address    TEXT PRIMARY KEY,
    der        BLOB NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT;
