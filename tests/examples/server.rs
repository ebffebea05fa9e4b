//! A server of streams: whoever plays a name is sent what is published under it, from then on.
//! `cargo run --no-default-features --features net --example server -- 0.0.0.0:1935`

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tincan::driver::{self, DriverConfig, Running};
use tincan::netconnection::node::{MediaDeadline, NodeConfig, ServerStreamId, StreamWish, Target};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::Flash;

type Problem = Box<dyn std::error::Error + Send + Sync>;
/// What is asked of each stream, and under which name.
type Streams = BTreeMap<ServerStreamId, (StreamWish, String)>;

pub(crate) fn start(listen: SocketAddr) -> Result<Running<Node>, Problem> {
    let profile = Arc::new(Flash::server(driver::random_seed()?));
    let node = Node::new(NodeConfig::new(EndpointConfig::new(profile, driver::random_seed()?)));
    let mut streams = Streams::new();
    let running = driver::run(node, DriverConfig::new(vec![listen]), move |node, now, event| match event {
        NodeEvent::ConnectRequested { connection, .. } => node.accept_connection(now, connection, Vec::new()),
        NodeEvent::StreamRequested { stream, wish, name, .. } => {
            streams.insert(stream, (wish, name));
            node.accept_stream(now, stream);
        }
        NodeEvent::StreamEnded { stream } => drop(streams.remove(&stream)),
        NodeEvent::StreamMedia { stream, message } => {
            for player in players(&streams, stream) {
                node.send_media(now, player, message.clone(), MediaDeadline::default());
            }
        }
        NodeEvent::StreamData { stream, handler, arguments } => {
            for player in players(&streams, stream) {
                node.send_data(now, player, &handler, arguments.clone());
            }
        }
        _ => {}
    })?;
    Ok(running)
}

/// Those who play what is published on a stream.
fn players(streams: &Streams, published: ServerStreamId) -> Vec<Target> {
    let Some((_, name)) = streams.get(&published) else { return Vec::new() };
    let plays =
        |(_, (wish, played)): &(&_, &(StreamWish, String))| *wish == StreamWish::Play && played == name;
    streams.iter().filter(plays).map(|(stream, _)| Target::ServerStream(*stream)).collect()
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let server = start(std::env::args().nth(1).ok_or("say where to listen: ADDRESS:PORT")?.parse()?)?;
    println!("listening on {}", server.local_addresses()[0]);
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
