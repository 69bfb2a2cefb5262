//! The `rotation-diag` command.

fn main() {}
