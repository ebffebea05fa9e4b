//! README tells the truth: every flag it names is in the program's help, every file it links to is there.

use std::path::Path;

const README: &str = include_str!("../README.md");

#[test]
fn every_linked_file_is_there() {
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.filter(|link| !link.starts_with("https://"));
    let files: Vec<_> = files.collect();
    assert!(files.len() > 8, "{files:?}");
    let missing: Vec<_> =
        files.iter().filter(|file| !Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[cfg(all(feature = "cli", feature = "server", feature = "media"))]
#[test]
fn every_flag_is_in_the_programs_help() {
    let helps: String = ["", "serve", "call", "answer", "id", "devices"].map(help_of).concat();
    // Flags of other programs, which README names too: of cargo.
    let others = [
        "--no-default-features",
        "--features",
        "--locked",
        "--release",
        "--example",
        "--test",
        "--bench",
        "--nocapture",
        "--open",
        // Of systemctl.
        "--now",
    ];
    let words = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let flags: Vec<_> =
        words.filter(|word| word.starts_with("--") && word.len() > 2 && !word.starts_with("---")).collect();
    assert!(flags.len() > 8, "{flags:?}");
    let missing: Vec<_> =
        flags.iter().filter(|flag| !others.contains(flag) && !helps.contains(&format!("{flag} "))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[cfg(all(feature = "cli", feature = "server", feature = "media"))]
fn help_of(subcommand: &str) -> String {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_tincan"));
    if !subcommand.is_empty() {
        program.arg(subcommand);
    }
    let output = program.arg("--help").output().expect("the program starts");
    // A flag that takes nothing ends its line.
    String::from_utf8_lossy(&output.stdout).replace('\n', " \n")
}
