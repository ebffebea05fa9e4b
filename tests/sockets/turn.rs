//! Ports lent by a real TURN server, coturn, over UDP, TCP and TLS. Where it is not installed, the tests say so and pass.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tincan::driver::turn::{
    Carrier, Secret, TurnConfig, TurnProblem, TurnState, TurnUrl, borrow_ports, try_all,
};
use tincan::rtmfp::machine::{PathId, Route};

use crate::{Ask, Told, everything, next, start};

/// A running coturn, ended when dropped.
struct Coturn {
    process: Child,
    port: u16,
    tls_port: u16,
    dir: PathBuf,
}

impl Coturn {
    /// Starts one; `None`, with a line, where there is none.
    fn start() -> Option<Self> {
        if Command::new("turnserver")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .is_err()
        {
            eprintln!("skipped: coturn (turnserver) is not installed");
            return None;
        }
        let dir = std::env::temp_dir().join(format!("tincan-coturn-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&dir).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(&dir)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: openssl makes no certificate here");
            return None;
        }
        let (port, tls_port) = (free_port(), free_port());
        let process = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"])
            .args(["--lt-cred-mech", "--user=ada:secret", "--realm=example.org", "--no-cli", "--no-dtls"])
            .arg(format!("--listening-port={port}"))
            .arg(format!("--tls-listening-port={tls_port}"))
            .args(["--cert=certificate.pem", "--pkey=key.pem", "--pidfile=pid", "--log-file=stdout"])
            .current_dir(&dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { process, port, tls_port, dir };
        started.wait();
        Some(started)
    }

    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            assert!(Instant::now() < until, "coturn listens within ten seconds");
            std::thread::sleep(Duration::from_millis(20));
        }
        let asking = UdpSocket::bind("127.0.0.1:0").unwrap();
        asking.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        asking.connect(("127.0.0.1", self.port)).unwrap();
        // A binding request (RFC 8489 §5), whose answer says that UDP is served too.
        let mut request = [0; 20];
        request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        while asking.send(&request).is_err() || asking.recv(&mut [0; 100]).is_err() {
            assert!(Instant::now() < until, "coturn answers within ten seconds");
        }
    }

    fn config(&self, url: &str) -> TurnConfig {
        let url = url.replace("TLS", &self.tls_port.to_string()).replace("PORT", &self.port.to_string());
        TurnConfig {
            urls: TurnUrl::parse_list(&url).unwrap(),
            user: "ada".to_owned(),
            secret: Secret::new("secret"),
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn told_of(states: &mpsc::Receiver<TurnState>) -> TurnState {
    loop {
        match states.recv_timeout(Duration::from_secs(15)).expect("told within fifteen seconds") {
            TurnState::Trying => {}
            other => return other,
        }
    }
}

/// Borrows a port, and sends there and back over it: the far end answers whatever comes, from where it came.
async fn there_and_back(config: TurnConfig, carrier: Carrier) {
    let (near, told) = start(false);
    let (far, far_told) = start(true);
    next(&told);
    next(&far_told);
    let (tell, states) = mpsc::channel();
    let borrowed = borrow_ports(near.paths(), config, move |state| drop(tell.send(state)));
    let TurnState::Lent { relayed, carrier: over } = told_of(&states) else { panic!("no port was lent") };
    assert_eq!(over, carrier);
    let lent: SocketAddr = relayed[0];
    let Told::Opened(local) = next(&told) else { panic!("no path") };
    assert_eq!(local, lent);
    let route = Route { via: PathId(1), address: far.local_addresses()[0] };
    // The first goes as an indication, those after the first answer over a channel; lengths of every remainder by four.
    for round in 0..8_u8 {
        let packets = vec![round; 1_000 + usize::from(round)];
        near.command(Ask::SendOver { route, segment_size: packets.len(), packets: packets.clone() })
            .await
            .unwrap();
        assert_eq!(everything(&told, packets.len()), packets);
        assert_eq!(everything(&far_told, packets.len()), packets);
    }
    drop(borrowed);
    assert_eq!(next(&told), Told::Closed(PathId(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lent_port_carries_datagrams_over_udp() {
    let Some(coturn) = Coturn::start() else { return };
    there_and_back(coturn.config("turn:127.0.0.1:PORT"), Carrier::Udp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lent_port_carries_datagrams_over_tcp() {
    let Some(coturn) = Coturn::start() else { return };
    there_and_back(coturn.config("turn:127.0.0.1:PORT?transport=tcp"), Carrier::Tcp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_over_udp_the_next_is_taken() {
    let Some(coturn) = Coturn::start() else { return };
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "turn:127.0.0.1:{}?transport=udp turn:localhost:PORT?transport=tcp",
        deaf.local_addr().unwrap().port()
    );
    there_and_back(coturn.config(&url), Carrier::Tcp).await;
}

/// Trust is the system's, and read from the environment: this one runs itself again with one of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lent_port_carries_datagrams_over_tls() {
    let Some(coturn) = Coturn::start() else { return };
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "turn::inside_an_environment_that_trusts_the_server", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", coturn.dir.join("certificate.pem"))
        .env("TINCAN_TEST_TLS_PORT", coturn.tls_port.to_string())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by a_lent_port_carries_datagrams_over_tls, in a process that trusts the test's certificate"]
async fn inside_an_environment_that_trusts_the_server() {
    let Ok(port) = std::env::var("TINCAN_TEST_TLS_PORT") else { return };
    let config = TurnConfig {
        urls: TurnUrl::parse_list(&format!("turns:localhost:{port}")).unwrap(),
        user: "ada".to_owned(),
        secret: Secret::new("secret"),
    };
    there_and_back(config, Carrier::Tls).await;
}

async fn problem_with(config: TurnConfig) -> TurnProblem {
    let (near, _told) = start(false);
    let (tell, states) = mpsc::channel();
    let _borrowed = borrow_ports(near.paths(), config, move |state| drop(tell.send(state)));
    match told_of(&states) {
        TurnState::Waiting { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let Some(coturn) = Coturn::start() else { return };
    assert_eq!(problem_with(coturn.config("turns:localhost:TLS")).await, TurnProblem::Certificate);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_as_that() {
    let Some(coturn) = Coturn::start() else { return };
    for url in ["turn:127.0.0.1:PORT?transport=udp", "turn:127.0.0.1:PORT?transport=tcp"] {
        let config = TurnConfig { secret: Secret::new("sesame"), ..coturn.config(url) };
        assert_eq!(problem_with(config).await, TurnProblem::WrongCredentials, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_as_that() {
    let config = |text: &str| TurnConfig {
        urls: TurnUrl::parse_list(text).unwrap(),
        user: "ada".to_owned(),
        secret: Secret::new("secret"),
    };
    let closed = free_port();
    assert_eq!(problem_with(config(&format!("turn:127.0.0.1:{closed}"))).await, TurnProblem::NoAnswer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_lends_again() {
    let Some(coturn) = Coturn::start() else { return };
    let (near, told) = start(false);
    next(&told);
    let (tell, states) = mpsc::channel();
    let config = coturn.config("turn:127.0.0.1:PORT?transport=tcp");
    let borrowed = borrow_ports(near.paths(), config.clone(), move |state| drop(tell.send(state)));
    assert!(matches!(told_of(&states), TurnState::Lent { .. }));
    next(&told);
    let (port, mut coturn) = (coturn.port, coturn);
    let _ = coturn.process.kill();
    let _ = coturn.process.wait();
    assert!(matches!(told_of(&states), TurnState::Waiting { problem: TurnProblem::WentSilent, .. }));
    assert_eq!(next(&told), Told::Closed(PathId(1)));
    coturn.process = Command::new("turnserver")
        .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"])
        .args([
            "--lt-cred-mech",
            "--user=ada:secret",
            "--realm=example.org",
            "--no-cli",
            "--no-tls",
            "--no-dtls",
        ])
        .arg(format!("--listening-port={port}"))
        .args(["--pidfile=pid", "--log-file=stdout"])
        .current_dir(&coturn.dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let again = loop {
        borrowed.retry_now();
        if let lent @ TurnState::Lent { .. } = told_of(&states) {
            break lent;
        }
    };
    assert!(matches!(again, TurnState::Lent { .. }));
    assert!(matches!(next(&told), Told::Opened(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_a_turn_server_is_tried_by_itself_and_given_back() {
    let Some(coturn) = Coturn::start() else { return };
    let config = coturn.config("turn:127.0.0.1:PORT turns:localhost:TLS turn:127.0.0.1:1?transport=tcp");
    let tried = try_all(config.clone()).await;
    let outcomes: Vec<_> = tried.iter().map(|tried| (tried.carrier, tried.outcome.is_ok())).collect();
    let (works, fails) = (true, false);
    let expected =
        [(Carrier::Udp, works), (Carrier::Tcp, works), (Carrier::Tls, fails), (Carrier::Tcp, fails)];
    assert_eq!(outcomes, expected, "{tried:?}");
    assert_eq!(tried[2].outcome, Err(TurnProblem::Certificate));
    assert_eq!(tried[3].outcome, Err(TurnProblem::NoAnswer));
    let wrong = TurnConfig { secret: Secret::new("sesame"), ..config };
    let tried = try_all(wrong).await;
    assert_eq!(tried[0].outcome, Err(TurnProblem::WrongCredentials));
}

/// `tincan probe` with a TURN server of the person's own.
#[cfg(all(feature = "media", feature = "server"))]
mod checked {
    use tincan::call::network_check::{Findings, Outlook, Progress, Question, check, judge};
    use tincan::call::server_address::ServerAddress;
    use tincan::rendezvous::config::ServerConfig;
    use tincan::rendezvous::server::Server;

    use super::*;

    async fn checked(server: SocketAddr, turn: TurnConfig) -> (Findings, Vec<Progress>) {
        let server = ServerAddress::parse(&format!("rtmfp://{server}")).unwrap();
        let question = Question { server, turn: Some(turn), asks_router: false, relay_only: false };
        let mut steps = Vec::new();
        let findings = check(question, |step| steps.push(step)).await.unwrap();
        (findings, steps)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_turn_server_that_lends_leads_to_the_server_in_a_check_of_the_network() {
        let Some(coturn) = Coturn::start() else { return };
        let config = ServerConfig { listen: vec!["127.0.0.1:0".parse().unwrap()], ..ServerConfig::default() };
        let server = Server::start(config).unwrap();
        let (findings, steps) =
            checked(server.local_addresses()[0], coturn.config("turn:127.0.0.1:PORT")).await;
        assert_eq!(steps[..2], [Progress::LookingUp, Progress::Asking]);
        assert!(findings.over_turn.as_ref().is_some_and(|reach| reach.connected.is_some()), "{findings:?}");
        assert_eq!(findings.turn.iter().filter(|tried| tried.outcome.is_ok()).count(), 2, "{findings:?}");
        assert_eq!(judge(&findings, false).0, Outlook::Direct, "loopback has no router");
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_answers_neither_directly_nor_over_turn_is_down() {
        let Some(coturn) = Coturn::start() else { return };
        let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (findings, steps) =
            checked(deaf.local_addr().unwrap(), coturn.config("turn:127.0.0.1:PORT?transport=udp")).await;
        assert!(steps.contains(&Progress::Silence), "{steps:?}");
        let (outlook, said) = judge(&findings, false);
        assert_eq!(outlook, Outlook::None);
        assert!(said.iter().any(|sentence| sentence.key == "netcheck.ask_server_up"), "{said:?}");
    }
}
