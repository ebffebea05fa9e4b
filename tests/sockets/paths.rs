//! Paths that open and close while the driver runs.

use std::time::Duration;

use tincan::driver::DriverError;
use tincan::rtmfp::machine::{PathId, PathKind, Route};

use crate::{Ask, Told, everything, next, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_opened_later_carries_datagrams_until_it_is_closed() {
    let (near, told) = start(false);
    let (far, _far_told) = start(true);
    next(&told);
    let paths = near.paths();
    let (path, local) = paths.bind("127.0.0.1:0".parse().unwrap(), PathKind::Own).await.unwrap();
    assert_eq!(next(&told), Told::Opened(local));
    let route = Route { via: path, address: far.local_addresses()[0] };
    near.command(Ask::SendOver { route, packets: b"there and back".to_vec(), segment_size: 14 })
        .await
        .unwrap();
    assert_eq!(everything(&told, 14), b"there and back");
    paths.close(path).await.unwrap();
    assert_eq!(next(&told), Told::Closed(path));
    assert!(std::net::UdpSocket::bind(local).is_ok(), "its port is free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lent_path_is_carried_by_whoever_lends_it() {
    let (near, told) = start(false);
    next(&told);
    let local = "192.0.2.1:4000".parse().unwrap();
    let lent = near.paths().lend(local, PathKind::Relayed).await.unwrap();
    assert_eq!(next(&told), Told::Opened(local));
    let far = "198.51.100.1:5000".parse().unwrap();
    assert!(lent.deliver(far, b"come in".to_vec()));
    assert_eq!(everything(&told, 7), b"come in");
    let route = Route { via: lent.path(), address: far };
    near.command(Ask::SendOver { route, packets: b"onetwo".to_vec(), segment_size: 3 }).await.unwrap();
    lent.ready().await;
    let packets = [lent.take().unwrap(), lent.take().unwrap()];
    assert_eq!(
        packets.map(|packet| (packet.to, packet.bytes.to_vec())),
        [(far, b"one".to_vec()), (far, b"two".to_vec())]
    );
    let path = lent.path();
    drop(lent);
    assert_eq!(next(&told), Told::Closed(path));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_cannot_be_had_later_is_refused_and_nothing_else_happens() {
    let (near, told) = start(false);
    next(&told);
    let taken = near.local_addresses()[0];
    let refused = near.paths().bind(taken, PathKind::Own).await.unwrap_err();
    assert!(matches!(refused, DriverError::AddressInUse { .. }));
    near.command(Ask::WakeIn(Duration::ZERO)).await.unwrap();
    assert_eq!(next(&told), Told::Alarm);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_driver_no_path_opens() {
    let (near, _told) = start(false);
    let paths = near.paths();
    near.stop().await;
    let refused = paths.lend("192.0.2.1:4000".parse().unwrap(), PathKind::Relayed).await.unwrap_err();
    assert!(matches!(refused, DriverError::Stopped));
    assert!(paths.close(PathId(0)).await.is_err());
}
