//! Writes manual pages and completions of shells into a directory, from the program's own description of its flags:
//! `cargo run --no-default-features --features manual --example manual -- DIRECTORY`, or rather packaging/manual.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

#[path = "../src/cli/flags.rs"]
#[allow(dead_code, unreachable_pub, reason = "the program reads these; here they are only described")]
mod flags;

/// Sections that no flag tells of, for pages by this name.
const MORE: &[(&str, &str)] = &[
    ("tincan", include_str!("linux/manual/tincan.roff")),
    ("tincan-call", include_str!("linux/manual/calls.roff")),
    ("tincan-answer", include_str!("linux/manual/calls.roff")),
    ("tincan-serve", include_str!("linux/manual/serve.roff")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let to = PathBuf::from(std::env::args_os().nth(1).ok_or("Into which directory?")?);
    fs::create_dir_all(&to)?;
    let cli = flags::Cli::command().disable_help_subcommand(true);
    page(&to, &cli, "1", "tincan")?;
    for sub in cli.get_subcommands() {
        let name = format!("tincan-{}", sub.get_name());
        let said = format!("tincan {}", sub.get_name());
        page(&to, &sub.clone().name(name.clone()).bin_name(said), "1", &name)?;
    }
    // The server alone is a package of its own, and its program is the same with less in it.
    let serve = cli.find_subcommand("serve").ok_or("no server in this build")?.clone();
    let serve = serve.name("tincan-rendezvous").bin_name("tincan-rendezvous serve");
    page(&to, &serve, "8", "tincan-serve")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut cli.clone(), "tincan", &to)?;
    }
    Ok(())
}

fn page(to: &Path, command: &Command, section: &str, more: &str) -> Result<(), Box<dyn Error>> {
    let version = concat!("tincan ", env!("CARGO_PKG_VERSION"));
    let name = command.get_name().to_owned();
    let man = Man::new(command.clone()).title(&name).section(section).source(version).manual("Tincan");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some((_, more)) = MORE.iter().find(|(page, _)| *page == more) {
        text.write_all(more.as_bytes())?;
    }
    let mut licence = Roff::new();
    licence.control("SH", ["COPYRIGHT"]).text([roman("MIT or Apache 2.0, as you like.")]);
    licence.to_writer(&mut text)?;
    fs::write(to.join(format!("{name}.{section}")), text)?;
    Ok(())
}
