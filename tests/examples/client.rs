//! A client of a server of streams: plays a stream, says a word on it, and waits until it hears that word.
//! `cargo run --no-default-features --features net --example client -- rtmfp://127.0.0.1/ STREAM WORD`

use std::sync::Arc;

use tincan::driver::{self, DriverConfig};
use tincan::netconnection::node::{NodeConfig, Target};
use tincan::netconnection::{Node, NodeEvent, StatusCode, Uri};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tokio::sync::mpsc;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Answers what was heard first: the handler's name.
pub(crate) async fn hear(url: &str, name: String, word: String) -> Result<String, Problem> {
    let uri: Uri = url.parse()?;
    let server = uri.server().ok_or("this address names no server")?;
    let profile = Arc::new(Flash::peer(Identity::generate(driver::random_seed()?)));
    let node = Node::new(NodeConfig::new(EndpointConfig::new(profile, driver::random_seed()?)));
    let (tell, mut told) = mpsc::channel(1);
    let mut publisher = None;
    let client = driver::run(node, DriverConfig::any_port(), move |node, now, event| match event {
        NodeEvent::Connected { connection, .. } => {
            publisher = Some(node.create_stream(now, connection));
            let player = node.create_stream(now, connection);
            node.play(now, player, &name);
        }
        NodeEvent::StreamStatus { code: StatusCode::PlayStart, .. } => {
            publisher.into_iter().for_each(|publisher| node.publish(now, publisher, &name));
        }
        NodeEvent::StreamStatus { code: StatusCode::PublishStart, stream, .. } => {
            node.send_data(now, Target::ServerStream(stream), &word, Vec::new());
        }
        NodeEvent::StreamData { handler, .. } => drop(tell.try_send(Ok(handler))),
        NodeEvent::Disconnected { code, description, .. } => {
            drop(tell.try_send(Err(format!("{}: {description}", code.as_str()))));
        }
        _ => {}
    })?;
    let routes = client.routes(&server.candidates(driver::look_up(server.host()).await?));
    let url = uri.to_string();
    let connection = client.ask(move |node, now| node.connect(now, &url, &routes, Vec::new())).await?;
    let heard = told.recv().await.ok_or("the client has stopped")?;
    client.ask(move |node, now| node.close_connection(now, connection)).await?;
    client.stop().await;
    Ok(heard?)
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, name, word] = &arguments[..] else { return Err("say an address, a stream and a word".into()) };
    println!("heard {:?}", hear(url, name.clone(), word.clone()).await?);
    Ok(())
}
