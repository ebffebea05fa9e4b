//! Who may answer as whom, with the real cryptography (RFC 7425 §4).

use std::sync::Arc;
use std::time::Duration;

use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{Endpoint, EndpointConfig};
use tincan::rtmfp::{Event, SessionEnd};

use crate::support::impostor::Impostor;
use crate::support::scenario::{Net, TRIP, all_opened, ended};

#[test]
fn a_session_with_the_cryptography_of_flash_is_proven_at_both_ends() {
    let mut net = Net::new(TRIP);
    let (ada_is, bob_is) = (Identity::generate([1; 32]), Identity::generate([2; 32]));
    let peers = (ada_is.peer_id(), bob_is.peer_id());
    let ada = net.add(Endpoint::new(EndpointConfig::new(Arc::new(Flash::peer(ada_is)), [1; 32])));
    let bob = net.add(Endpoint::new(EndpointConfig::new(Arc::new(Flash::peer(bob_is)), [2; 32])));
    let route = net.route_to(bob);
    net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, peers.1, &[route]));
    net.run_until(Duration::from_secs(1));
    for (host, far) in [(ada, peers.1), (bob, peers.0)] {
        let event = net.events(host).first().map(|(_, event)| event);
        assert!(
            matches!(event, Some(Event::SessionOpened { peer, proven: true, .. }) if *peer == far),
            "{event:?}"
        );
    }
}

#[test]
fn nobody_else_can_answer_as_a_dialled_peer_not_even_with_its_certificate() {
    let mut net = Net::new(TRIP);
    let bob_is = Identity::generate([2; 32]);
    let bobs_peer_id = bob_is.peer_id();
    let ada = Arc::new(Flash::peer(Identity::generate([1; 32])));
    let ada = net.add(Endpoint::new(EndpointConfig::new(ada, [1; 32])));
    let mallory = Impostor {
        claimed: Arc::new(Flash::peer(bob_is)),
        own: Arc::new(Flash::peer(Identity::generate([3; 32]))),
    };
    let mallory = net.add(Endpoint::new(EndpointConfig::new(Arc::new(mallory), [3; 32])));
    let route = net.route_to(mallory);
    let session = net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bobs_peer_id, &[route]));
    net.run_until(Duration::from_secs(30));
    assert!(all_opened(&net, ada).is_empty() && all_opened(&net, mallory).is_empty());
    assert!(matches!(ended(&net, ada, session), Some((_, SessionEnd::NeverOpened { .. }))));
}
