//! One program a data directory. The first holds a lock as long as it lives; a second asks it to come forward.
//!
//! The lock is the system's own, so nothing is left behind by a crash. Asking goes over a loopback connection: the first
//! keeps its port and a random token in a file that only the owner can read, and comes forward for whoever knows the token.
//! A link that the second was started with goes the same way, after the answer, and ends with the connection.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::SettingsError;
use super::atomic_file::{self, Readers};

/// What came of claiming a data directory.
#[derive(Debug)]
pub enum Claim {
    /// It is ours as long as this value lives.
    First(Instance),
    /// Another program has it.
    Already(AskForward),
}

/// The claim on a data directory.
#[derive(Debug)]
pub struct Instance {
    /// Held, never read: closing it gives the directory free.
    _lock: File,
    dir: PathBuf,
    listening: Option<Listening>,
}

/// A way to the program that has the directory.
#[derive(Debug)]
pub struct AskForward {
    dir: PathBuf,
}

#[derive(Debug)]
struct Listening {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Instance {
    /// Claims a data directory for this process.
    ///
    /// # Errors
    /// [`SettingsError::File`] when the lock file cannot be made.
    pub fn claim(dir: &Path) -> Result<Claim, SettingsError> {
        let path = dir.join("lock");
        let failed = |source| SettingsError::file(&path, source);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Claim::First(Self { _lock: lock, dir: dir.to_owned(), listening: None })),
            Err(TryLockError::WouldBlock) => Ok(Claim::Already(AskForward { dir: dir.to_owned() })),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Calls `come_forward`, on a thread of its own, whenever another start of the program asks for it; with the link that
    /// this other one was to open, at most [`MOST_OF_A_LINK`] bytes of it, whatever it holds.
    ///
    /// # Errors
    /// [`SettingsError::File`] when there is no loopback, no randomness, or the file cannot be written. The program then
    /// works, only a second start cannot bring it forward.
    pub fn on_forward(
        &mut self,
        come_forward: impl Fn(Option<String>) + Send + 'static,
    ) -> Result<(), SettingsError> {
        let path = forward_path(&self.dir);
        let listening = listen(&path, come_forward).map_err(|source| SettingsError::file(&path, source))?;
        self.listening = Some(listening);
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(Listening { address, stop, thread }) = self.listening.take() {
            stop.store(true, Ordering::Release);
            let _ = fs::remove_file(forward_path(&self.dir));
            // Wakes the thread; if that cannot be done, it is left behind rather than waited for.
            if TcpStream::connect_timeout(&address, PATIENCE).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

impl AskForward {
    /// Asks the first program to come forward, and to open a link; whether it said that it does.
    pub fn ask(&self, link: Option<&str>) -> bool {
        self.try_ask(link).unwrap_or(false)
    }

    fn try_ask(&self, link: Option<&str>) -> io::Result<bool> {
        let text = fs::read_to_string(forward_path(&self.dir))?;
        let (port, token) = text.trim().split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
        let port: u16 = port.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        set_patience(&stream)?;
        stream.write_all(token.as_bytes())?;
        let mut answer = [0; ANSWER.len()];
        stream.read_exact(&mut answer)?;
        if &answer != ANSWER {
            return Ok(false);
        }
        // Only now: an older program closes after its answer, and comes forward all the same.
        if let Some(link) = link.filter(|link| link.len() <= MOST_OF_A_LINK) {
            stream.write_all(link.as_bytes())?;
        }
        stream.shutdown(Shutdown::Write)?;
        Ok(true)
    }
}

fn listen(path: &Path, come_forward: impl Fn(Option<String>) + Send + 'static) -> io::Result<Listening> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let token = random_token()?;
    atomic_file::write(path, format!("{} {token}\n", address.port()).as_bytes(), Readers::OwnerOnly)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("come-forward".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::Acquire) {
                return;
            }
            match stream {
                Ok(mut stream) => {
                    if knows_token(&mut stream, token.as_bytes()).unwrap_or(false) {
                        come_forward(link_from(stream));
                    }
                }
                // Out of descriptors, most likely: not to be met in a tight loop.
                Err(_) => std::thread::sleep(PATIENCE),
            }
        }
    })?;
    Ok(Listening { address, stop, thread })
}

fn knows_token(stream: &mut TcpStream, token: &[u8]) -> io::Result<bool> {
    set_patience(stream)?;
    let mut said = [0; TOKEN_DIGITS];
    stream.read_exact(&mut said)?;
    let known = bool::from(subtle::ConstantTimeEq::ct_eq(&said[..], token));
    if known {
        stream.write_all(ANSWER)?;
    }
    Ok(known)
}

/// What is said after the answer, up to the end of the connection. A link that is cut would lead elsewhere: none, then.
fn link_from(stream: TcpStream) -> Option<String> {
    let mut said = Vec::new();
    let one_more = u64::try_from(MOST_OF_A_LINK).ok()?.checked_add(1)?;
    stream.take(one_more).read_to_end(&mut said).ok()?;
    let link = String::from_utf8(said).ok()?;
    (!link.is_empty() && link.len() <= MOST_OF_A_LINK).then_some(link)
}

fn set_patience(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

fn random_token() -> io::Result<String> {
    let mut bytes = [0; TOKEN_DIGITS / 2];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn forward_path(dir: &Path) -> PathBuf {
    dir.join("forward")
}

/// What the first program says when it comes forward.
const ANSWER: &[u8; 2] = b"ok";
/// Bytes of a link that is handed over; what is longer is none of ours.
pub const MOST_OF_A_LINK: usize = 4_096;
/// 128 random bits.
const TOKEN_DIGITS: usize = 32;
/// How long either end waits for the other; both are on this computer.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::settings::scratch::Scratch;

    fn first(dir: &Path) -> Instance {
        match Instance::claim(dir).unwrap() {
            Claim::First(instance) => instance,
            Claim::Already(_) => panic!("nobody else has it"),
        }
    }

    fn second(dir: &Path) -> AskForward {
        match Instance::claim(dir).unwrap() {
            Claim::First(_) => panic!("somebody has it already"),
            Claim::Already(ask) => ask,
        }
    }

    #[test]
    fn the_second_start_brings_the_first_one_forward() {
        let scratch = Scratch::new();
        let mut instance = first(scratch.path());
        let (tell, told) = mpsc::channel();
        instance.on_forward(move |link| tell.send(link).expect("the test listens")).unwrap();
        assert!(second(scratch.path()).ask(None));
        assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), None);
    }

    #[test]
    fn a_link_goes_to_the_first_program_whole_or_not_at_all() {
        let scratch = Scratch::new();
        let mut instance = first(scratch.path());
        let (tell, told) = mpsc::channel();
        instance.on_forward(move |link| tell.send(link).expect("the test listens")).unwrap();
        let longest = "x".repeat(MOST_OF_A_LINK);
        let too_long = "x".repeat(MOST_OF_A_LINK + 1);
        for (link, arrives) in
            [("tincan:7f3a?v=1&n=\u{e4}", true), (longest.as_str(), true), (too_long.as_str(), false)]
        {
            assert!(second(scratch.path()).ask(Some(link)));
            let told = told.recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!(told.as_deref(), arrives.then_some(link));
        }
    }

    #[test]
    fn what_is_no_text_or_too_long_is_no_link() {
        let scratch = Scratch::new();
        let mut instance = first(scratch.path());
        let (tell, told) = mpsc::channel();
        instance.on_forward(move |link| tell.send(link).expect("the test listens")).unwrap();
        let text = fs::read_to_string(forward_path(scratch.path())).unwrap();
        let (port, token) = text.trim().split_once(' ').unwrap();
        for said in [vec![0xff; 8], vec![b'x'; MOST_OF_A_LINK + 1]] {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
            stream.write_all(token.as_bytes()).unwrap();
            stream.write_all(&said).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), None);
        }
    }

    #[test]
    fn a_dropped_claim_frees_the_directory() {
        let scratch = Scratch::new();
        let mut instance = first(scratch.path());
        instance.on_forward(|_| {}).unwrap();
        drop(instance);
        assert!(!forward_path(scratch.path()).exists());
        first(scratch.path());
    }

    #[test]
    fn whoever_does_not_know_the_token_is_not_heard() {
        let scratch = Scratch::new();
        let mut instance = first(scratch.path());
        instance.on_forward(|_| panic!("called by a stranger")).unwrap();
        let text = fs::read_to_string(forward_path(scratch.path())).unwrap();
        let (port, token) = text.trim().split_once(' ').unwrap();
        let wrong = "0".repeat(token.len());
        fs::write(forward_path(scratch.path()), format!("{port} {wrong}")).unwrap();
        assert!(!second(scratch.path()).ask(None));
    }

    #[test]
    fn a_first_program_that_does_not_listen_is_only_noticed() {
        let scratch = Scratch::new();
        let _instance = first(scratch.path());
        assert!(!second(scratch.path()).ask(None));
    }
}
