//! Every subcommand and flag, with its help. Scripts rely on them: names and meanings stay.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Video calls between two people, straight from one computer to the other.
///
/// Without a subcommand, the window opens.
#[derive(Clone, Debug, Parser)]
#[command(name = "tincan", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    /// What to do instead of opening the window.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// For the window.
    #[command(flatten)]
    pub(crate) common: CommonFlags,
    /// Starts without showing the window, until it is asked for or somebody calls.
    #[arg(long)]
    pub(crate) background: bool,
    /// A link to open in the window: tincan:PEERID?…; who and where is shown, and nobody is called without being asked.
    #[arg(value_name = "LINK", value_parser = link)]
    pub(crate) link: Option<String>,
}

/// What the program can do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the rendezvous server, on UDP port 1935 unless told otherwise.
    #[cfg(feature = "server")]
    Serve(ServeFlags),
    /// Calls somebody, without a window.
    #[cfg(any(feature = "media", feature = "manual"))]
    Call(CallFlags),
    /// Waits for calls and takes them, without a window.
    #[cfg(any(feature = "media", feature = "manual"))]
    Answer(AnswerFlags),
    /// Checks the network: whether a server can be reached, what kind of router is on the way, and whether calls will work.
    ///
    /// Ends with 0 when they will, with 15 when the server cannot be reached, and with 17 when there is no way to some people.
    #[cfg(any(feature = "media", feature = "manual"))]
    Probe(ProbeFlags),
    /// Lists the cameras, microphones and speakers of this computer.
    #[cfg(any(feature = "media", feature = "manual"))]
    Devices,
    /// Prints this computer's peer ID; at the first time, makes its key.
    Id(IdFlags),
}

/// What the window, `call` and `answer` share.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CommonFlags {
    /// The rendezvous server: rtmfp://host[:port][/app]; #old after it for one of the Flash years. Without one, the server on this computer.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The name shown to others.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Finds others on the local network and is found there, in this run: no server is needed for it.
    #[arg(long)]
    pub(crate) nearby: bool,
    #[cfg(any(feature = "media", feature = "manual"))]
    #[command(flatten)]
    pub(crate) turn: TurnFlags,
    /// Hides this computer's address from others, in this run: calls go over relays only.
    #[arg(long)]
    pub(crate) hide_address: bool,
    /// Where key, settings and history live; two programs on one computer need two.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// default, a device's name, test (the measurable test picture), screen, file:PATH (.y4m, or .h264 Annex B; looped),
    /// or none.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) camera: Option<String>,
    /// default, a device's name, tone (the measurable test tone), file:PATH (.wav; looped), or none.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) microphone: Option<String>,
    /// default, a device's name, file:PATH (.wav: what would have been heard, in real time), or none.
    #[arg(long, value_name = "SINK")]
    pub(crate) speaker: Option<String>,
}

/// A TURN server, for this run.
#[cfg(any(feature = "media", feature = "manual"))]
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TurnFlags {
    /// A TURN server whose ports are used where nothing else leads through: turn:host[:port][?transport=tcp] or
    /// turns:host[:port]; several with commas between them.
    #[arg(long, value_name = "URL")]
    pub(crate) turn: Option<String>,
    /// As whom.
    #[arg(long, value_name = "USER")]
    pub(crate) turn_user: Option<String>,
    /// A file whose first line is the password for it; without, TINCAN_TURN_PASSWORD in the environment, or the one that
    /// is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) turn_password_file: Option<PathBuf>,
}

#[cfg(feature = "media")]
impl TurnFlags {
    /// Puts it over the one in the settings. The password for it, if one was given: never on the command line, which
    /// everybody on a computer can read.
    pub(crate) fn put_turn(
        &self,
        settings: &mut tincan::settings::Settings,
    ) -> anyhow::Result<Option<zeroize::Zeroizing<String>>> {
        if let Some(servers) = &self.turn {
            tincan::call::TurnUrl::parse_list(servers)?;
            settings.turn.servers.clone_from(servers);
        }
        if let Some(user) = &self.turn_user {
            settings.turn.user.clone_from(user);
        }
        if let Some(path) = &self.turn_password_file {
            return Ok(Some(tincan::settings::turn_password::load_from(path)?));
        }
        Ok(std::env::var("TINCAN_TURN_PASSWORD").ok().map(zeroize::Zeroizing::new))
    }
}

/// `tincan probe`
#[cfg(any(feature = "media", feature = "manual"))]
#[derive(Args, Clone, Debug)]
pub(crate) struct ProbeFlags {
    /// The server to ask: rtmfp://host[:port][/app].
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) turn: TurnFlags,
    /// Where the settings are whose TURN server is asked, unless another is given.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Leaves out addresses, for a report that others may read.
    #[arg(long)]
    pub(crate) blank: bool,
}

/// What `call` and `answer` share beyond that.
#[cfg(any(feature = "media", feature = "manual"))]
#[derive(Args, Clone, Debug)]
pub(crate) struct HeadlessFlags {
    /// none, or file:PATH (.y4m: the pictures that would have been shown).
    #[arg(long, value_name = "SINK", default_value = "none")]
    pub(crate) picture: String,
    /// Records the call into this file (MP4), once the far end was told; what is there is never written over.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Sends a chat message once the call is up; may be repeated. What arrives is printed, a line each.
    #[arg(long, value_name = "TEXT")]
    pub(crate) say: Vec<String>,
    /// Hangs up so long after the call came up.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) for_seconds: Option<std::time::Duration>,
    /// Writes a JSON object a line, one a second, and a last one with "event":"summary"; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
}

/// `tincan call`.
#[cfg(any(feature = "media", feature = "manual"))]
#[derive(Args, Clone, Debug)]
pub(crate) struct CallFlags {
    /// A peer ID, a name on the server, or a link.
    #[arg(value_name = "WHOM")]
    pub(crate) whom: String,
    #[command(flatten)]
    pub(crate) common: CommonFlags,
    #[command(flatten)]
    pub(crate) headless: HeadlessFlags,
}

/// `tincan answer`.
#[cfg(any(feature = "media", feature = "manual"))]
#[derive(Args, Clone, Debug)]
pub(crate) struct AnswerFlags {
    #[command(flatten)]
    pub(crate) common: CommonFlags,
    #[command(flatten)]
    pub(crate) headless: HeadlessFlags,
    /// Takes calls of this peer only.
    #[arg(long, value_name = "PEER-ID")]
    pub(crate) only: Option<tincan::rtmfp::PeerId>,
    /// Ends with its first call.
    #[arg(long)]
    pub(crate) once: bool,
}

/// `tincan serve`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeFlags {
    /// An address and UDP port to listen on; may be repeated. 0.0.0.0:1935 and [::]:1935 unless told otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Everything else: a TOML file; packaging/rendezvous/rendezvous.toml is a commented sample.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Asks the server that runs here by the same configuration whether it answers, instead of serving: ends with 0 if so,
    /// and with 15 if not within five seconds.
    #[arg(long)]
    pub(crate) check: bool,
    /// error, warn, info, debug, trace, or a filter such as tincan::rtmfp=trace; on standard error.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log: String,
}

/// `tincan id`.
#[derive(Args, Clone, Debug)]
pub(crate) struct IdFlags {
    /// Where the key lives.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Writes key, settings and contacts into a file, sealed with the passphrase that is the first line of standard input.
    #[cfg(any(feature = "media", feature = "manual"))]
    #[arg(long, value_name = "FILE", conflicts_with = "restore")]
    pub(crate) back_up: Option<PathBuf>,
    /// Becomes who is in such a file; the passphrase is the first line of standard input. The old key is kept aside.
    #[cfg(any(feature = "media", feature = "manual"))]
    #[arg(long, value_name = "FILE")]
    pub(crate) restore: Option<PathBuf>,
}

/// Anything else in this place is a subcommand misspelt; what the link says is read where it is opened.
fn link(text: &str) -> Result<String, String> {
    let scheme = text.get(..7).unwrap_or_default();
    scheme
        .eq_ignore_ascii_case("tincan:")
        .then(|| text.to_owned())
        .ok_or_else(|| "neither a subcommand nor a link that begins with tincan:".to_owned())
}

#[cfg(any(feature = "media", feature = "manual"))]
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match std::time::Duration::try_from_secs_f64(number) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be more than zero seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_every_subcommand_has_help() {
        let cli = Cli::command();
        for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn serve_takes_several_addresses() {
        let cli =
            Cli::try_parse_from(["tincan", "serve", "--listen", "127.0.0.1:0", "--listen", "[::1]:1935"]);
        let Ok(Cli { command: Some(Command::Serve(flags)), .. }) = cli else { panic!("{cli:?}") };
        assert_eq!(flags.listen.len(), 2);
    }

    #[test]
    fn the_windows_flags_stand_without_a_subcommand() {
        let cli = Cli::try_parse_from(["tincan", "--name", "Ada", "--camera", "test"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.common.name.as_deref(), Some("Ada"));
    }

    #[test]
    fn a_link_opens_the_window_and_a_misspelt_subcommand_does_not() {
        assert!(Cli::try_parse_from(["tincan", "tincan:7f3a?v=1"]).is_ok());
        assert!(Cli::try_parse_from(["tincan", "sreve"]).is_err());
    }

    #[cfg(any(feature = "media", feature = "manual"))]
    #[test]
    fn a_call_hangs_up_after_a_number_of_seconds_above_zero() {
        assert!(Cli::try_parse_from(["tincan", "call", "Ada", "--for", "2.5"]).is_ok());
        for wrong in ["0", "-1", "soon", "NaN"] {
            let flag = format!("--for={wrong}");
            assert!(Cli::try_parse_from(["tincan", "call", "Ada", &flag]).is_err(), "{wrong}");
        }
    }
}
