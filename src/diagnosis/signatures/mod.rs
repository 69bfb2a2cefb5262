//! What a log line means: one compiled set of signatures.
