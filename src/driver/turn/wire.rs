//! The socket to a TURN server: UDP, TCP or TLS, with one face.
//!
//! Over a stream, what is sent waits in a short queue of our own while the network is slow; once that is full, packets
//! stay in the path's queue, where the oldest pictures fall out first. Nothing ever waits for the stream but the packets
//! in it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;

use super::frames::{Frames, append};
use super::{Carrier, TurnProblem};

/// A connected socket.
pub(super) struct Wire {
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    pub(super) local: SocketAddr,
}

/// What comes.
pub(super) enum Incoming {
    Udp { socket: Arc<UdpSocket>, datagram: Vec<u8>, fresh: bool },
    Stream { read: ReadHalf<Box<dyn Duplex>>, frames: Frames },
}

/// What goes.
pub(super) enum Outgoing {
    Udp(Arc<UdpSocket>),
    Stream { write: WriteHalf<Box<dyn Duplex>>, unsent: BytesMut, unflushed: bool },
}

/// A stream in both directions.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Wire {
    /// Connects to a server; `host` is what its certificate must be of.
    pub(super) async fn connect(
        carrier: Carrier,
        host: &str,
        server: SocketAddr,
    ) -> Result<Self, TurnProblem> {
        match carrier {
            Carrier::Udp => Self::udp(server).await.map_err(|error| unreachable(&error)),
            Carrier::Tcp => {
                let stream = tcp(server).await.map_err(|error| unreachable(&error))?;
                let local = stream.local_addr().map_err(|error| unreachable(&error))?;
                Ok(Self::stream(local, Box::new(stream)))
            }
            Carrier::Tls => {
                let stream = tcp(server).await.map_err(|error| unreachable(&error))?;
                let local = stream.local_addr().map_err(|error| unreachable(&error))?;
                Ok(Self::stream(local, secured(host, stream).await?))
            }
        }
    }

    async fn udp(server: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(server).await?;
        let local = socket.local_addr()?;
        // Before the runtime has seen that it can be written to, it refuses: the first request would be lost.
        socket.writable().await?;
        let socket = Arc::new(socket);
        let datagram = Vec::with_capacity(LARGEST_DATAGRAM);
        let incoming = Incoming::Udp { socket: Arc::clone(&socket), datagram, fresh: false };
        Ok(Self { incoming, outgoing: Outgoing::Udp(socket), local })
    }

    fn stream(local: SocketAddr, stream: Box<dyn Duplex>) -> Self {
        let (read, write) = tokio::io::split(stream);
        let incoming = Incoming::Stream { read, frames: Frames::default() };
        let outgoing = Outgoing::Stream { write, unsent: BytesMut::new(), unflushed: false };
        Self { incoming, outgoing, local }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.incoming, Incoming::Stream { .. })
    }
}

impl Incoming {
    /// Waits for something. May be dropped at any time without losing anything.
    pub(super) async fn receive(&mut self) -> io::Result<()> {
        match self {
            Self::Udp { socket, datagram, fresh } => {
                datagram.clear();
                socket.recv_buf(datagram).await?;
                *fresh = true;
            }
            Self::Stream { read, frames } => {
                if read.read_buf(frames.buffer()).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        Ok(())
    }

    /// The next message of what came.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match self {
            Self::Udp { socket, datagram, fresh } => {
                if !std::mem::take(fresh) {
                    datagram.clear();
                    match socket.try_recv_buf(datagram) {
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                        Err(error) => return Err(error),
                    }
                }
                Ok(Some(datagram))
            }
            Self::Stream { frames, .. } => frames.next().map_err(|_| io::ErrorKind::InvalidData.into()),
        }
    }
}

impl Outgoing {
    /// Sends a message. Over UDP, what the system has no room for is lost, as it would be further on.
    pub(super) fn put(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => {
                if let Err(error) = socket.try_send(message) {
                    tracing::trace!(%error, "a packet to the TURN server was refused by the system");
                }
            }
            Self::Stream { unsent, .. } => append(unsent, message),
        }
    }

    /// Whether packets should be taken from the path. The server's own messages are always taken.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Udp(_) => true,
            Self::Stream { unsent, .. } => unsent.len() < MOST_UNSENT,
        }
    }

    /// Writes what waits. Ends never when nothing does; may be dropped at any time without losing anything.
    pub(super) async fn progress(&mut self) -> io::Result<()> {
        match self {
            Self::Stream { write, unsent, unflushed } if unsent.has_remaining() => {
                *unflushed = true;
                write.write_buf(unsent).await.map(drop)
            }
            Self::Stream { write, unflushed, .. } if *unflushed => {
                write.flush().await?;
                *unflushed = false;
                Ok(())
            }
            Self::Udp(_) | Self::Stream { .. } => std::future::pending().await,
        }
    }

    /// Whether all is written.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Udp(_) => true,
            Self::Stream { unsent, unflushed, .. } => unsent.is_empty() && !unflushed,
        }
    }
}

async fn tcp(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    // What waits in the system's queue cannot be dropped any more when it is old: keep that short.
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(NOT_SENT);
    Ok(stream)
}

async fn secured(host: &str, stream: TcpStream) -> Result<Box<dyn Duplex>, TurnProblem> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TurnProblem::NoSuchHost)?;
    // Reads the system's certificates.
    let config = tokio::task::spawn_blocking(client_config).await.ok().flatten();
    let connector = TlsConnector::from(Arc::new(config.ok_or(TurnProblem::Certificate)?));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            tracing::info!(%error, "no TLS with the TURN server");
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
            Err(match cause {
                Some(rustls::Error::InvalidCertificate(_)) => TurnProblem::Certificate,
                Some(_) => TurnProblem::NotTurn,
                None => TurnProblem::NoAnswer,
            })
        }
    }
}

fn client_config() -> Option<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    match builder.with_platform_verifier() {
        Ok(builder) => Some(builder.with_no_client_auth()),
        Err(error) => {
            tracing::warn!(%error, "the system's certificates cannot be read");
            None
        }
    }
}

fn unreachable(error: &io::Error) -> TurnProblem {
    tracing::info!(%error, "no way to the TURN server");
    TurnProblem::NoAnswer
}

/// More than any RTMFP packet with what TURN adds.
const LARGEST_DATAGRAM: usize = 1 << 16;
/// Bytes that wait for a stream here.
const MOST_UNSENT: usize = 1 << 13;
/// And in the system, not yet on their way.
#[cfg(target_os = "linux")]
const NOT_SENT: u32 = 1 << 14;
