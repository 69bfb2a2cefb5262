//! The `rotation-diag` command.

fn main() -> std::process::ExitCode {
    rotation_diag::cli::main()
}
