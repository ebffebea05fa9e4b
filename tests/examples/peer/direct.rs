//! Streams straight from one client to another, introduced by the server (RFC 7425 §5.4).

use std::time::Duration;

use tincan::netconnection::NodeEvent;
use tincan::netconnection::node::Target;
use tincan::rtmfp::PeerId;

use crate::client::{Client, Problem, Server};
use crate::flv::{self, Recording};
use crate::numbered::Counts;

/// Publishes a file to the first peer that plays it, from its beginning.
pub(crate) async fn offer(
    server: Server,
    name: String,
    lasting: Duration,
    path: &str,
) -> Result<Counts, Problem> {
    let tags = flv::read(path)?;
    let mut client = Client::new("publisher", &server)?;
    let connection = client.connect(&server).await?;
    let own = name.clone();
    let publication = client.ask(move |node, now| node.publish_direct(now, &own)).await?;
    println!("publisher: offers {name}");
    let until = tokio::time::Instant::now() + lasting;
    let mut counts = Counts::new();
    while let Ok(Some(event)) = tokio::time::timeout_at(until, client.told.recv()).await {
        println!("publisher: {event:?}");
        match event {
            NodeEvent::PeerConnect { subscriber, .. } => {
                client.ask(move |node, now| node.accept_subscriber(now, subscriber, publication)).await?;
            }
            NodeEvent::PlayStarted { subscriber, .. } => {
                let left = until.saturating_duration_since(tokio::time::Instant::now());
                counts = flv::send_paced(&client, &tags, Target::Subscriber(subscriber), left).await?;
                break;
            }
            NodeEvent::Disconnected { .. } => break,
            _ => {}
        }
    }
    client.ask(move |node, now| node.unpublish(now, publication)).await?;
    tokio::time::sleep(LAST_WORDS).await;
    client.ask(move |node, now| node.close_connection(now, connection)).await?;
    client.stop().await;
    Ok(counts)
}

/// Plays a peer's stream into a file.
pub(crate) async fn take(
    server: Server,
    name: String,
    lasting: Duration,
    path: &str,
    peer: PeerId,
) -> Result<Counts, Problem> {
    let mut recording = Recording::new(path)?;
    let mut client = Client::new("player", &server)?;
    let connection = client.connect(&server).await?;
    client.ask(move |node, now| node.play_direct(now, peer, &name, &[])).await?;
    let until = tokio::time::Instant::now() + lasting;
    while let Ok(Some(event)) = tokio::time::timeout_at(until, client.told.recv()).await {
        match event {
            NodeEvent::Media { message, .. } => recording.keep(&message)?,
            NodeEvent::Data { handler, arguments, .. } => recording.count_word(&handler, &arguments),
            NodeEvent::PlaybackEnded { .. } | NodeEvent::Disconnected { .. } => {
                println!("player: {event:?}");
                break;
            }
            other => println!("player: {other:?}"),
        }
    }
    client.ask(move |node, now| node.close_connection(now, connection)).await?;
    client.stop().await;
    recording.finish()
}

/// How long the last messages have to arrive.
const LAST_WORDS: Duration = Duration::from_secs(1);
