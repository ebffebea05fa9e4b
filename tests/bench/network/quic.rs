//! The same with QUIC, as Quinn does it: AES-128-GCM instead of AES-128-CBC and HMAC-SHA256.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, ServerConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Took;
use super::raw::on_a_thread;

/// A connection between two endpoints, each on a thread of its own.
pub(super) struct Pair {
    write: tokio::sync::mpsc::Sender<(Bytes, usize)>,
    came: mpsc::Receiver<usize>,
    took_to_open: Duration,
}

impl Pair {
    pub(super) fn open() -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate = certified.cert.der().clone();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key of ours");
        let (tell, address) = mpsc::channel();
        let (came, arrivals) = mpsc::channel();
        let server = server_config(certificate.clone(), key);
        on_a_thread(async move {
            let endpoint = Endpoint::server(server, any()).expect("a free port");
            tell.send(endpoint.local_addr().expect("a bound socket")).expect("somebody waits");
            let connection = endpoint.accept().await.expect("a client").await.expect("a handshake");
            while let Ok(mut stream) = connection.accept_uni().await {
                while let Ok(Some(chunk)) = stream.read_chunk(usize::MAX, true).await {
                    if came.send(chunk.bytes.len()).is_err() {
                        return;
                    }
                }
            }
        });
        let to: SocketAddr = address.recv().expect("the other thread starts");
        let (opened, is_open) = mpsc::channel();
        let (write, mut asked) = tokio::sync::mpsc::channel::<(Bytes, usize)>(1);
        let client = client_config(certificate);
        on_a_thread(async move {
            let endpoint = Endpoint::client(any()).expect("a free port");
            let asked_at = Instant::now();
            let connecting = endpoint.connect_with(client, to, "localhost").expect("a good configuration");
            let connection = connecting.await.expect("a handshake");
            opened.send(asked_at.elapsed()).expect("somebody waits");
            while let Some((message, count)) = asked.recv().await {
                let mut stream = connection.open_uni().await.expect("an open connection");
                for _ in 0..count {
                    stream.write_chunk(message.clone()).await.expect("an open connection");
                }
                stream.finish().expect("an open stream");
                stream.stopped().await.expect("an open connection");
            }
        });
        let took_to_open = is_open.recv().expect("the connection opens");
        Self { write, came: arrivals, took_to_open }
    }

    pub(super) fn took_to_open(self) -> Duration {
        self.took_to_open
    }

    pub(super) fn carry(self, bytes: usize, length: usize) -> Took {
        let message = Bytes::from(vec![0x5a; length]);
        Took::measure(bytes, || {
            self.write.blocking_send((message, bytes / length)).expect("a running client");
            let mut came = 0;
            while came < bytes {
                came += self.came.recv().expect("a running server");
            }
        })
    }
}

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Only the cipher that is comparable: AES with a 128-bit key.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    Arc::new(provider)
}

fn server_config(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> ServerConfig {
    let tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the only version that QUIC has")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("a cipher for QUIC")))
}

fn client_config(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a certificate of ours");
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the only version that QUIC has")
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("a cipher for QUIC")))
}
