//! The product's own logic: who is called, who rings, what is heard and seen, and why it ended.
//!
//! Several deciders without sockets, threads or clocks, joined in [`client_machine`] and driven in virtual time by the
//! tests: `peer_link` (the lines with one peer), `lifecycle` (a call) and `calls` (which of several is spoken in),
//! `verification` (codes that two persons compare), `contacts` (whom the person keeps), `conversation` (what is written),
//! `transfers` (the files), [`rate_control`] (how much picture). One doer above them, [`client`] with its `worker`, has devices, files and names of
//! hosts. What a window holds is [`handle::Client`]: [`Command`] in, [`ClientView`] and [`Event`] out.
//!
//! # How a call is set up
//!
//! A is called, B calls; `idA`, `idB` are peer IDs in lower-case hexadecimal; all streams are direct (RFC 7425 §5.4).
//!
//! | step | who | does |
//! | --- | --- | --- |
//! | 1 | A | publishes `idA` once connected: "I can be called" |
//! | 2 | B | publishes `idA`: the private line for A to listen to |
//! | 3 | B | plays A's `idA`; A is asked whether B may |
//! | 4 | A | publishes `idB` |
//! | 5 | A | plays B's `idA` |
//! | 6 | B | sees that its line is played; sends capabilities, then `username` on it |
//! | 7 | A | knows who calls, and rings |
//! | 8 | B | plays A's `idB` |
//! | 9 | A | once its person accepts: `username` on `idB` |
//! | 10 | B | on `username`: the call is up |
//!
//! A stream named after somebody else is played only to that peer; the one named after oneself carries nothing.
//!
//! # The messages
//!
//! All are data messages (`NetStream.send`) on one's own private line. The first two are known to every client of this
//! kind and never gain arguments. The others are one handler, `tincan`, with one object; `type` is in the first column.
//! Only `capabilities` is sent to an end that has not announced its own, and by a called end not even that: a plain
//! caller hears nothing of ours. A called plain client is told once of a handler that it lacks, which its player reports
//! and survives. IDs are 128 random bits as 32 hexadecimal digits.
//!
//! | message | properties | meaning |
//! | --- | --- | --- |
//! | `username(name)` | | the line is up; from a called end: accepted |
//! | `message(name, text)` | | a chat line |
//! | `capabilities` | `version`, `intent` (`call`, `chat`), `call`, `video`, `lasting` where weak identities are shown, and `additions` (names, a space between them) | once, before `username`; the called end repeats intent and call |
//! | `call` | `call`, `video` | a call over lines that are up already |
//! | `ringing` | `call` | the person there is asked |
//! | `accepted` | `call` | the person there took a call offered by `call` |
//! | `declined` | `call` | the person there does not want to |
//! | `busy` | `call` | the person there is in another call |
//! | `bye` | `call`, `reason` (`hang_up`, `cancel`, `no_answer`) | it is over |
//! | `ended` | `call` | the answer to `bye`: who said it may leave |
//! | `hold` | `call`, `on` | the call waits, or goes on: neither sound nor picture while it does |
//! | `verifyAsk` | | the called end wants to compare codes |
//! | `verifyCommit` | `session`, `commit` | the caller is bound to a value; which session is meant |
//! | `verifyValue` | `value` | the called end's value |
//! | `verifyReveal` | `value` | the caller's value, to be checked against its commitment |
//! | `text` | `id`, `text` | a chat line, said again on the next lines until acknowledged |
//! | `textAck` | `id` | it, or a file's offer, is kept |
//! | `read` | `id` | everything up to this chat line was on screen; only if the person there lets it be told |
//! | `typing` | | somebody writes there; at most every 3 s, shown for 6 s; only over lines that are up |
//! | `fileOffer` | `id`, `name`, `size` | a file, said again on the next lines until its story is over; answered by `textAck`, `fileWant`, `fileDone` or `fileStop` |
//! | `fileWant` | `id`, `offset`, `upTo` | the file is taken, from this byte; `upTo` is where to wait for more room |
//! | `fileGoOn` | `id`, `done`, `upTo` | `done` bytes are safe; there is room up to `upTo` |
//! | `fileBytes` | `id`, `offset`, `bytes` | a piece of at most 64 KiB, on the flow that gives way to all others |
//! | `fileEnd` | `id`, `sha256` | that was all, on the same flow |
//! | `fileDone` | `id` | all of it is there, and it has that sum |
//! | `fileStop` | `id`, `reason` (`declined`, `cancelled`, `failed`) | it does not go on, whoever of the two says it |
//! | `media` | `audio`, `video`, `muted` | what is sent from now on |
//! | `recording` | `on` | this end records the call from now on, or no longer; said before the first of it is recorded, and again on new lines; only to who named it among the additions |
//! | `keyFrameWanted` | | the decoder needs a picture that stands alone |
//! | `screen` | `on` | a screen is shown from now on, beside the camera, or no longer; only to who named the addition `screen` |
//! | `screenKeyFrameWanted` | | the same as `keyFrameWanted`, for the screen |
//! | `ways` | `at`, `relays` (lists of addresses as text, at most 16 together) | where this end can be reached besides, and at which relays; to who named the addition `ways` and is a contact, or somebody one talked with or talks with |
//! | `delays` | `at` | several times a second while media come, to an end that named `delays`: how they arrive, as `delay_report` lays it out; not always delivered |
//! | `report` | `concealed`, `receiveKbps`, `soundLost` | once a second in a call: a sign of life, and how it sounds there |
//!
//! # Screens
//!
//! Who shows a screen to a far end that understands it publishes a further direct stream, `screen-` and the far peer's ID,
//! played only to that peer, and says `screen`; the far end plays it until it is told otherwise, the lines are lost, or
//! the call waits. Camera and screen share one rate, the screen having the larger part. To any other far end the screen
//! goes out in the camera's place, on the private line.
//!
//! # Better ways
//!
//! A call may begin over a relay, or outside of a network that both are in. Two ends that named the addition `ways` tell
//! each other where else they are, and both probe those places inside the session; the end with the lower peer ID decides
//! for both, and moves the session to a better way while the talk goes on. While a relay carries it, all is probed again
//! every minute. Who hides the own address tells of relays alone, and probes over relays alone.
//!
//! # Servers and presence
//!
//! The home server is the person's choice. Another server is connected to, beside it, for as long as a contact is found
//! there, a link to it is dialled, or somebody from there is on the line; there one is a visitor, never listed. Whoever is
//! dialled is asked for at their own server, and introduced by all that we are connected to: the first answer wins. The
//! public stream `idA` is one for all of them. Tincan servers tell who of our contacts is there ([`crate::rendezvous`]).
//!
//! # Servers of the Flash years
//!
//! They and their clients know only weak keys (group 2). Where the person says that a server is one of them, we go there by
//! a second identity with a peer ID of its own, over the same socket. A plain client met there is called as any other, and
//! shown as weak. Of two Tincans each says in `capabilities` who it is by its lasting identity (`lasting`, a peer ID in
//! hexadecimal), and nothing else is said or heeded there: who dialled dials that peer ID straight at the address of the
//! weak session, with the same call ID, and closes the weak lines. So no media, chat or verification of theirs ever
//! travels under a weak key, and a server that puts itself between the two gains nothing but their peer IDs; a link names
//! both peer IDs, and whoever answers must prove to be the lasting one.
//!
//! # Who rings
//!
//! Step 3 refuses who is blocked. At step 7 it is known who calls and what for: a stranger is told `bye` (`no_answer`) when
//! only contacts may call, or when another stranger rang less than a minute ago, and nothing shows here; anybody is told
//! `busy` while the person is not to be disturbed, and the call counts as missed. A plain client's line is closed instead.
//!
//! # When two dial at once
//!
//! When both dial at once, each end takes the other's dial for an answer, and the call goes by the ID that the lower
//! peer ID drew. A session that is lost is dialled again by either end with the same call ID, and nobody rings.

mod additions;
pub mod back_up;
#[cfg(feature = "server")]
mod built_in_server;
mod calls;
pub mod client;
pub mod client_machine;
pub mod command;
mod contacts;
mod conversation;
mod delay_report;
mod departures;
mod echo_test;
mod end_reason;
pub mod event;
pub mod figures;
pub mod file_desk;
pub mod file_job;
mod file_name;
mod file_pace;
pub mod handle;
pub mod history_desk;
mod lifecycle;
pub mod link;
mod loss_count;
#[doc = include_str!("measured.md")]
pub mod measured {}
mod messages;
mod muted_speech;
pub mod network_check;
mod path_estimate;
mod peer_link;
mod picture_choice;
mod quality_watch;
pub mod random_id;
pub mod rate_control;
#[doc = include_str!("reaching.md")]
pub mod reaching {}
mod screen_share;
pub mod server_address;
mod sound_again;
mod stream_bridge;
mod transfers;
pub mod updates;
mod verification;
pub mod verification_words;
pub mod view;
mod ways;
mod worker;

pub use command::Command;
pub use end_reason::EndReason;
pub use event::Event;
pub use view::ClientView;

pub use crate::media::device_error::{DeviceError, DeviceKind, Problem as DeviceProblem};
pub use crate::media::device_news::DeviceNews;
pub use crate::media::figures::Stages;
pub use crate::media::latest::Latest;
pub use crate::media::picture::Picture;
pub use crate::media::screens::{ScreenChoice, ScreenSource};
pub use crate::netconnection::NameError;
pub use crate::rtmfp::PeerId;
