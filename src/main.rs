//! The program. Without a subcommand it opens the window; see `tincan --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
