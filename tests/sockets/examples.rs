//! The examples of the library, run: a client of a server, and two peers.

use std::fs;
use std::time::Duration;

use tokio::time::timeout;

#[allow(dead_code, reason = "it has a main of its own")]
#[path = "../examples/client.rs"]
mod client;
#[allow(dead_code, reason = "it has a main of its own")]
#[path = "../examples/peer_to_peer.rs"]
mod peer_to_peer;
#[allow(dead_code, reason = "it has a main of its own")]
#[path = "../examples/server.rs"]
mod server;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_hears_from_the_server_what_it_said_itself() {
    let server = server::start(([127, 0, 0, 1], 0).into()).expect("a free port");
    let url = format!("rtmfp://{}/live", server.local_addresses()[0]);
    let heard = timeout(PATIENCE, client::hear(&url, "news".to_owned(), "hello".to_owned())).await;
    assert_eq!(heard.expect("an answer in time").expect("a word"), "hello");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_peer_hears_the_other() {
    let heard = timeout(PATIENCE, peer_to_peer::meet("hello")).await;
    assert_eq!(heard.expect("an answer in time").expect("a word"), "hello");
}

#[test]
fn each_example_is_under_sixty_lines() {
    for name in ["client", "server", "peer_to_peer"] {
        let text = fs::read_to_string(format!("tests/examples/{name}.rs")).expect("an example");
        assert!(text.lines().count() < 60, "{name}: {} lines", text.lines().count());
    }
}
