//! A port of the router's, asked of a router that speaks NAT-PMP (RFC 6886): this test, on the other end of a cable.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::lab::{Lab, inside, run, script_in};
use crate::programs::{Program, Scratch, client_flags};

/// Somebody asked for a port that leads to this one, for so many seconds; for none gives it back.
type Asked = (u16, u32);

/// Answers as a router with the outside address 203.0.113.9, which lends a port for as long as `lifetime` says.
fn router(lifetime: u32) -> Receiver<Asked> {
    let socket = UdpSocket::bind("192.168.9.254:5351").expect("the router's own address");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1100];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let epoch = 7_u32.to_be_bytes();
            let answer = match buffer[..length] {
                [0, 0] => [&[0, 128, 0, 0][..], &epoch, &[203, 0, 113, 9]].concat(),
                [0, 1, _, _, a, b, c, d, e, f, g, h] => {
                    let asked = (u16::from_be_bytes([a, b]), u32::from_be_bytes([e, f, g, h]));
                    let outside = if [c, d] == [0, 0] { [0xaf, 0xc8] } else { [c, d] };
                    let time = asked.1.min(lifetime).to_be_bytes();
                    if tell.send(asked).is_err() {
                        return;
                    }
                    [&[0, 129, 0, 0][..], &epoch, &[a, b], &outside, &time].concat()
                }
                // A newer version is asked for: this one is all there is.
                _ => [&[0, 128, 0, 1][..], &epoch].concat(),
            };
            let _ = socket.send_to(&answer, from);
        }
    });
    told
}

#[test]
fn a_port_of_the_router_is_held_renewed_and_given_back() {
    if !inside("port_mapping::a_port_of_the_router_is_held_renewed_and_given_back") {
        return;
    }
    let _lab = Lab::new();
    run("ip link set lo up; ip netns add lone; ip link add lan type veth peer name eth0 netns lone");
    run("ip addr add 192.168.9.254/24 dev lan; ip link set lan up");
    script_in("lone", "ip link set lo up\nip link set eth0 up\nip addr add 192.168.9.1/24 dev eth0\n");
    script_in("lone", "ip route add default via 192.168.9.254\n");
    let asked = router(4);
    let scratch = Scratch::new();
    let dir = scratch.path("lone");
    std::fs::create_dir_all(&dir).expect("a directory");
    std::fs::write(dir.join("settings.toml"), "port = 40000\n").expect("settings");
    let mut flags = vec!["answer", "--nearby"];
    flags.extend(client_flags("rtmfp://192.0.2.1", "Lone", &dir));
    let program = Program::start("lone", &flags);
    assert!(program.line().is_some(), "it runs");
    let next = || asked.recv_timeout(Duration::from_secs(10)).expect("the router is asked");
    let (port, time) = next();
    assert_eq!(port, 40_000);
    assert!(time > 0);
    // It was lent for four seconds, and is wanted for longer.
    let lent = Instant::now();
    while lent.elapsed() < Duration::from_secs(1) {
        let (port, time) = next();
        assert!(port == 40_000 && time > 0, "renewed");
    }
    program.signal("TERM");
    loop {
        if let (port, 0) = next() {
            assert_eq!(port, 40_000, "given back");
            break;
        }
    }
    program.finish();
}
