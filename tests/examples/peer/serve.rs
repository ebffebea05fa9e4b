//! A server of streams for other programs' clients: passes on what is published, and counts it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tincan::driver::{self, DriverConfig};
use tincan::netconnection::node::{MediaDeadline, MediaKind, NodeConfig, ServerStreamId, StreamWish, Target};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;

use crate::client::{Problem, Server};
use crate::numbered::Counts;

/// Everything that was asked for and passed on.
#[derive(Default)]
struct Streams {
    asked: BTreeMap<ServerStreamId, (StreamWish, String)>,
    counts: Arc<Mutex<Counts>>,
}

impl Streams {
    fn on_event(&mut self, node: &mut Node, now: Instant, event: NodeEvent) {
        match event {
            NodeEvent::ConnectRequested { connection, peer, proven, route, .. } => {
                let figures = node.connection_figures(now, connection);
                let cipher = figures.map(|figures| figures.cipher).unwrap_or_default();
                println!("{}: {peer} proven: {proven} {cipher}", route.address);
                node.accept_connection(now, connection, Vec::new());
            }
            NodeEvent::StreamRequested { stream, wish, name, .. } => {
                println!("{stream:?}: {wish:?} {name}");
                self.asked.insert(stream, (wish, name));
                node.accept_stream(now, stream);
            }
            NodeEvent::StreamEnded { stream } => {
                println!("{stream:?}: ended");
                self.asked.remove(&stream);
            }
            NodeEvent::StreamMedia { stream, message } => {
                let audio = message.kind == MediaKind::Audio;
                self.count(if audio { "sound came" } else { "pictures came" });
                for player in self.players(stream) {
                    node.send_media(now, player, message.clone(), MediaDeadline::default());
                    self.count(if audio { "sound sent" } else { "pictures sent" });
                }
            }
            NodeEvent::StreamData { stream, handler, arguments } => {
                self.count("data came");
                for player in self.players(stream) {
                    node.send_data(now, player, &handler, arguments.clone());
                    self.count("data sent");
                }
            }
            other => println!("{other:?}"),
        }
    }

    /// Those who play what is published on a stream.
    fn players(&self, published: ServerStreamId) -> Vec<Target> {
        let Some((_, name)) = self.asked.get(&published) else { return Vec::new() };
        let plays = |(_, (wish, played)): &(&ServerStreamId, &(StreamWish, String))| {
            *wish == StreamWish::Play && played == name
        };
        self.asked.iter().filter(plays).map(|(stream, _)| Target::ServerStream(*stream)).collect()
    }

    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }
}

/// Serves until it is interrupted.
pub(crate) async fn serve(server: Server) -> Result<Counts, Problem> {
    let profile = server.fresh()?;
    let address = *server.addresses.first().ok_or("no address to listen at")?;
    let node = Node::new(NodeConfig::new(EndpointConfig::new(Arc::new(profile), driver::random_seed()?)));
    let mut streams = Streams::default();
    let counts = Arc::clone(&streams.counts);
    let running = driver::run(node, DriverConfig::new(vec![address]), move |node, now, event| {
        streams.on_event(node, now, event);
    })?;
    println!("listening on {}", running.local_addresses()[0]);
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(counts)
}
