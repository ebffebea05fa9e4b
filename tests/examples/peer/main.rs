//! Tries other RTMFP programs, as a client of a server and as a peer of another client, and prints what came.
//!
//! ```text
//! cargo run --no-default-features --features net --example peer -- [--old] [--group N] RTMFP-URL WHAT [STREAM] [SECONDS] [FILE.flv] [PEER-ID]
//! ```
//!
//! | WHAT | does |
//! | --- | --- |
//! | `both` (unless told otherwise) | publishes numbered bytes, plays them back with a second client, and compares |
//! | `publish`, `play` | one of the two; with a file, its sound and pictures are published, or what is played is kept in it |
//! | `offer` | publishes a file directly to peers that the server introduces |
//! | `take` | plays a peer's direct stream into a file |
//! | `serve` | is the server at that address, until it is interrupted |
//!
//! `--old` is for programs of the Flash years, which understand none of the stronger keys. With `--group` keys are made for
//! each session, in that group alone.
//!
//! The messages carry real headers, so that servers sort and keep them as they do with any publisher's. Ends with status 1
//! when nothing came, or not what was sent.

mod client;
mod direct;
mod flv;
mod numbered;
mod serve;

use std::process::ExitCode;
use std::time::Duration;

use client::{Problem, Server};

const USAGE: &str = "usage: peer [--old] [--group N] RTMFP-URL [both|publish|play|offer|take|serve] [STREAM] [SECONDS] [FILE.flv] [PEER-ID]";

/// How long the player waits for what is still on its way.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<ExitCode, Problem> {
    let mut arguments = std::env::args().skip(1).peekable();
    let old = arguments.next_if(|argument| argument == "--old").is_some();
    let group = match arguments.next_if(|argument| argument == "--group") {
        Some(_) => Some(arguments.next().ok_or(USAGE)?.parse()?),
        None => None,
    };
    let server = Server::parse(&arguments.next().ok_or(USAGE)?, old, group)?;
    let what = arguments.next().unwrap_or_else(|| "both".to_owned());
    let name = arguments.next().unwrap_or_else(|| "tincan".to_owned());
    let lasting = Duration::from_secs(arguments.next().map_or(Ok(5), |seconds| seconds.parse())?);
    let (file, peer) = (arguments.next(), arguments.next());
    let good = match (what.as_str(), file, peer) {
        ("publish", None, _) => {
            println!("sent: {:?}", numbered::publish(server, name, lasting).await?);
            true
        }
        ("publish", Some(file), _) => {
            let sent = flv::publish(server, name, lasting, &file).await?;
            println!("sent: {sent:?}");
            true
        }
        ("play", None, _) => {
            let (came, _) = numbered::play(server, name, lasting, true).await?;
            println!("came: {came:?}");
            !came.is_empty()
        }
        ("play", Some(file), _) => {
            let came = flv::play(server, name, lasting, &file).await?;
            println!("came: {came:?}");
            !came.is_empty()
        }
        ("offer", Some(file), _) => {
            let sent = direct::offer(server, name, lasting, &file).await?;
            println!("sent: {sent:?}");
            !sent.is_empty()
        }
        ("take", Some(file), Some(peer)) => {
            let came = direct::take(server, name, lasting, &file, peer.parse()?).await?;
            println!("came: {came:?}");
            !came.is_empty()
        }
        ("serve", None, _) => {
            println!("passed: {:?}", serve::serve(server).await?);
            true
        }
        ("both", None, None) => {
            let player = numbered::play(server.clone(), name.clone(), lasting + LAST_WORDS, false);
            let (sent, played) = tokio::join!(numbered::publish(server, name, lasting), player);
            let (sent, (came, wrong)) = (sent?, played?);
            println!("sent: {sent:?}\ncame: {came:?}\nwrong: {wrong:?}");
            wrong.is_empty() && sent.keys().all(|kind| came.contains_key(kind))
        }
        _ => return Err(USAGE.into()),
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
