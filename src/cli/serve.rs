//! `tincan serve`: the rendezvous server until it is told to end.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use tincan::rendezvous::config::ServerConfig;
use tincan::rendezvous::server::Server;
use tracing_subscriber::EnvFilter;

use super::WRONG_USAGE;
use super::flags::ServeFlags;

/// What happened so far is logged this often.
const COUNTERS_EVERY: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Serves. Ends with 0 on SIGINT and SIGTERM, with 2 when a flag or the configuration is wrong, and with 1 when the
/// addresses cannot be had.
pub(crate) fn run(flags: ServeFlags) -> ExitCode {
    let config = match start_logging(&flags.log).and_then(|()| config_from(&flags)) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if flags.check {
        return super::serve_check::run(&config);
    }
    match serve(config, &flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start_logging(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|_| {
        anyhow::anyhow!(
            "--log {filter}: say error, warn, info, debug, trace, or a filter such as tincan::rtmfp=trace"
        )
    })?;
    let in_colour = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(in_colour).with_writer(io::stderr).init();
    Ok(())
}

fn config_from(flags: &ServeFlags) -> anyhow::Result<ServerConfig> {
    let mut config = match &flags.config {
        Some(path) => ServerConfig::read(path)?,
        None => ServerConfig::default(),
    };
    if !flags.listen.is_empty() {
        config.listen.clone_from(&flags.listen);
    }
    Ok(config)
}

fn serve(config: ServerConfig, flags: &ServeFlags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the event loop cannot start")?;
    runtime.block_on(async {
        // Before anybody can know that we are ready: a signal that comes then must find us listening.
        let mut signals = Signals::new().context("signals cannot be received")?;
        let server = Server::start(config)?;
        announce(&server);
        let mut hourly = tokio::time::interval(COUNTERS_EVERY);
        hourly.tick().await;
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::End => break,
                    Signal::Reload => reload(&server, flags).await,
                },
                _ = hourly.tick() => tracing::info!(counters = ?server.counters(), "still serving"),
            }
        }
        tracing::info!(counters = ?server.counters(), "ending");
        server.stop().await;
        Ok(())
    })
}

fn announce(server: &Server) {
    let mut out = io::stdout().lock();
    for address in server.local_addresses() {
        // Whoever closed our standard output does not want to know.
        let _ = writeln!(out, "listening on {address}");
    }
    let _ = out.flush();
}

async fn reload(server: &Server, flags: &ServeFlags) {
    match config_from(flags) {
        Ok(config) => {
            server.set_rules(config.rules).await;
            tracing::info!("rules read again; addresses change at the next start only");
        }
        Err(error) => tracing::error!("the old rules stay: {error:#}"),
    }
}

/// What the system tells a server.
enum Signal {
    End,
    /// Unix only.
    #[cfg_attr(not(unix), expect(dead_code, reason = "other systems have no such signal"))]
    Reload,
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::End,
            _ = self.terminate.recv() => Signal::End,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        // Without a way to be told, ending at once would be worse than being ended by force.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::End
    }
}
