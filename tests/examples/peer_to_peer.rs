//! Two peers without a server: Ada publishes a stream, Bob plays it straight from her, each proven to be who they are.
//! `cargo run --no-default-features --features net --example peer_to_peer`
//!
//! Bob needs Ada's peer ID and a way to reach her: here her address, elsewhere a connection to a server that both are
//! connected to, which introduces them ([`Node::play_direct`] without addresses).

use std::sync::Arc;

use tincan::driver::{self, DriverConfig};
use tincan::netconnection::node::{NodeConfig, Target};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tokio::sync::mpsc;

type Problem = Box<dyn std::error::Error + Send + Sync>;

fn peer() -> Result<Node, Problem> {
    let profile = Arc::new(Flash::peer(Identity::generate(driver::random_seed()?)));
    Ok(Node::new(NodeConfig::new(EndpointConfig::new(profile, driver::random_seed()?))))
}

/// Answers what Bob hears from Ada.
pub(crate) async fn meet(word: &'static str) -> Result<String, Problem> {
    let here = || DriverConfig::new(vec![([127, 0, 0, 1], 0).into()]);
    let ada = driver::run(peer()?, here(), move |node, now, event| match event {
        NodeEvent::PeerConnect { subscriber, publication: Some(publication), peer, .. } => {
            println!("Ada is played by {peer}");
            node.accept_subscriber(now, subscriber, publication);
        }
        NodeEvent::PlayStarted { subscriber, .. } => {
            node.send_data(now, Target::Subscriber(subscriber), word, Vec::new());
        }
        _ => {}
    })?;
    let (tell, mut told) = mpsc::channel(1);
    let bob = driver::run(peer()?, here(), move |_, _, event| match event {
        NodeEvent::Data { handler, .. } => drop(tell.try_send(Ok(handler))),
        NodeEvent::PlaybackEnded { end, .. } => drop(tell.try_send(Err(format!("it ended: {end:?}")))),
        _ => {}
    })?;
    ada.ask(|node, now| node.publish_direct(now, "line")).await?;
    let her_id = ada.ask(|node, _| node.near_id()).await?;
    let route = bob.routes(ada.local_addresses());
    bob.ask(move |node, now| node.play_direct(now, her_id, "line", &route)).await?;
    let heard = told.recv().await.ok_or("Bob has stopped")?;
    bob.ask(move |node, now| node.close_peer(now, her_id)).await?;
    tokio::join!(ada.stop(), bob.stop());
    Ok(heard?)
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    println!("Bob hears {:?}", meet("hello").await?);
    Ok(())
}
