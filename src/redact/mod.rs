//! `SafeText`: the only text that may leave the process.
