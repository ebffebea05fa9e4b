//! One program's worth of RTMFP: routes datagrams, opens and accepts sessions, introduces and is introduced.
//!
//! Here is what the layer above may ask. How it is driven stands in [`super::machine`] and, on this side, in `running`;
//! what comes for no session yet in `startup`, how fast the pieces of long answers leave in `fragment_pace`, and which
//! answers wait in `late_answers`; sessions we open in `dialling`, those others open in `accepting`; which ways there are,
//! and which of them a session takes, in `ways`.
//!
//! Two deviations from RFC 7016, both on the safe side: a session is reported open only when a packet sealed with its
//! keys has come (§3.5.1.1.1 and §3.5.1.1.2 are content with the keying chunks, which anybody may copy together), and an
//! attempt is given up for another session to the same far end (§3.5.1.1.1) only when that one has shown that it lives.

mod accepting;
mod dialling;
mod fragment_pace;
mod late_answers;
mod liveness;
mod running;
mod startup;
mod ways;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::fragment_pace::FragmentPace;
use self::late_answers::LateAnswers;
use self::ways::Path;

pub use super::options::{
    AddressOrigin, CloseManner, Delivery, EndpointConfig, FlowOptions, ForwardedHello, KnownAddress,
    MediaRate, MessageId, OwnIdentity, Priority, ReceiveFlowId, SendFlowId, SessionFigures, SessionKey,
    WriteOptions,
};

use super::PeerId;
use super::agreement_budget::AgreementBudget;
use super::alarms::Alarms;
use super::allowance::Allowance;
use super::answer_budget::AnswerBudget;
use super::chance::Chance;
use super::crypto::{PacketCipher, Profile};
use super::dialect::Dialect;
use super::error::{Misuse, SessionEnd};
use super::event::Event;
use super::known_relays::KnownRelays;
use super::machine::{Job, JobId, PathId, Route};
use super::options::bounded_span;
use super::session::cookie::CookieMaker;
use super::session::open::OpenSession;
use super::session::packing::Packing;
use super::session::responder::Admissions;
use super::session::time_critical::TimeCritical;
use super::session::timestamps::StartupClock;
use super::session_table::{Proof, Running, Session, SessionTable};
use super::wire::chunk::Chunk;
use super::wire::packet_fragment::Reassembly;

/// An RTMFP endpoint. See [`super::machine`] for how it is driven.
pub struct Endpoint {
    config: EndpointConfig,
    chance: Chance,
    cookies: CookieMaker,
    default_cipher: Box<dyn PacketCipher>,
    /// By which startup packets are stamped, if somebody may be there who cannot read them otherwise.
    clock: Option<StartupClock>,
    time_critical: TimeCritical,
    paths: BTreeMap<PathId, Path>,
    relays: KnownRelays,
    sessions: SessionTable,
    next_key: u64,
    alarms: Alarms,
    /// Sessions that may have something to say, in the order of their turns.
    ready: VecDeque<SessionKey>,
    in_ready: BTreeSet<SessionKey>,
    packing: Packing,
    /// Sessions that wait for the layer above to accept or reject a flow.
    asking: BTreeSet<SessionKey>,
    admissions: Admissions,
    agreement_budget: AgreementBudget,
    agreements_begun: u64,
    dialling: BTreeMap<JobId, dialling::Step>,
    next_job: u64,
    jobs: VecDeque<Job>,
    startup_packets: VecDeque<(Route, Vec<u8>)>,
    events: VecDeque<Event>,
    /// Startup packets that came in pieces (§3.4).
    fragments: Reassembly<Route>,
    /// Startup packets that leave in pieces.
    fragments_out: FragmentPace,
    late_answers: LateAnswers,
    answers: AnswerBudget,
    forwarded_answers: Allowance,
    dropped: u64,
    /// The latest time that was told.
    latest: Option<Instant>,
}

impl Endpoint {
    /// An endpoint with no session yet.
    pub fn new(config: EndpointConfig) -> Self {
        let config = config.within_bounds();
        let stamps = own_profiles(&config).any(|profile| profile.speaks(Dialect::FlashEra));
        let mut chance = Chance::new(config.seed);
        Self {
            cookies: CookieMaker::new(&mut chance),
            chance,
            default_cipher: config.profile.default_cipher(),
            clock: stamps.then(StartupClock::default),
            config,
            time_critical: TimeCritical::default(),
            paths: BTreeMap::new(),
            relays: KnownRelays::default(),
            sessions: SessionTable::default(),
            next_key: 0,
            alarms: Alarms::default(),
            ready: VecDeque::new(),
            in_ready: BTreeSet::new(),
            packing: Packing::default(),
            asking: BTreeSet::new(),
            admissions: Admissions::default(),
            agreement_budget: AgreementBudget::default(),
            agreements_begun: 0,
            dialling: BTreeMap::new(),
            next_job: 0,
            jobs: VecDeque::new(),
            startup_packets: VecDeque::new(),
            events: VecDeque::new(),
            fragments: Reassembly::default(),
            fragments_out: FragmentPace::default(),
            late_answers: LateAnswers::default(),
            answers: AnswerBudget::new(),
            forwarded_answers: Allowance::new(FORWARDED_ANSWERS_AT_ONCE, FORWARDED_ANSWER_INTERVAL),
            dropped: 0,
            latest: None,
        }
    }

    /// Starts opening a session to whoever `endpoint_discriminator` selects, reached at `candidates` or through an
    /// introducer there (RFC 7016 §3.5.1.1.1). Ends in [`Event::SessionOpened`] or [`Event::SessionEnded`].
    pub fn open_session(
        &mut self,
        now: Instant,
        endpoint_discriminator: Bytes,
        candidates: &[Route],
    ) -> SessionKey {
        self.open_session_as(now, OwnIdentity::Main, endpoint_discriminator, candidates)
    }

    /// Starts opening a session to `peer` through introducers or known addresses.
    pub fn open_session_to_peer(&mut self, now: Instant, peer: PeerId, candidates: &[Route]) -> SessionKey {
        self.open_session_to_peer_as(now, OwnIdentity::Main, peer, candidates)
    }

    /// [`Self::open_session`], as one of our identities. Who has addresses of both families is asked over IPv4 first: a server
    /// that is reached over IPv6 does not see from where our IPv4 comes, and nobody else could tell. A second identity that we do not have opens nothing: the session
    /// ends at once in [`Event::SessionEnded`].
    pub fn open_session_as(
        &mut self,
        now: Instant,
        own: OwnIdentity,
        endpoint_discriminator: Bytes,
        candidates: &[Route],
    ) -> SessionKey {
        let now = self.never_back(now);
        let candidates = self.ipv4_first(candidates);
        self.dial(now, own, endpoint_discriminator, candidates)
    }

    /// [`Self::open_session_to_peer`], as one of our identities.
    pub fn open_session_to_peer_as(
        &mut self,
        now: Instant,
        own: OwnIdentity,
        peer: PeerId,
        candidates: &[Route],
    ) -> SessionKey {
        let now = self.never_back(now);
        let profile = self.profile(own);
        let discriminator = profile.map_or_else(Bytes::new, |profile| profile.discriminator_of(peer).into());
        let candidates = self.relays_last(candidates);
        self.dial(now, own, discriminator, candidates)
    }

    /// More addresses at which a session that is still opening may be tried.
    pub fn add_candidates(&mut self, now: Instant, session: SessionKey, candidates: &[Route]) {
        let now = self.never_back(now);
        let candidates = self.relays_last(candidates);
        if let Some(attempt) = self.sessions.attempt_mut(session) {
            attempt.add_candidates(now, candidates);
            self.drive_attempt(now, session);
        }
    }

    /// Closes a session, or stops opening it.
    pub fn close_session(&mut self, now: Instant, session: SessionKey, manner: CloseManner) {
        let now = self.never_back(now);
        match self.sessions.get_mut(session) {
            Some(Session::Opening(_)) => self.end_attempt(now, session, SessionEnd::ClosedHere),
            Some(Session::Running(running)) => {
                running.session.close(now, manner);
                self.wake(session);
            }
            None => {}
        }
    }

    /// Opens a flow to the far end. Nothing is sent before the first message.
    ///
    /// # Errors
    /// [`Misuse::NoSession`] if the session is not open, [`Misuse::NoFlow`] if the flow that it answers is not, and
    /// [`Misuse::MetadataTooLong`].
    pub fn open_flow(&mut self, session: SessionKey, options: FlowOptions) -> Result<SendFlowId, Misuse> {
        let flow = self.open_mut(session).ok_or(Misuse::NoSession)?.open_flow(options);
        self.wake(session);
        flow
    }

    /// Queues a message on a flow of ours.
    ///
    /// # Errors
    /// [`Misuse::NoSession`] or [`Misuse::NoFlow`] if it is not open, [`Misuse::QueueFull`] if there is no room now, and
    /// [`Misuse::MessageTooLarge`] if there never will be.
    pub fn write(
        &mut self,
        now: Instant,
        session: SessionKey,
        flow: SendFlowId,
        message: Bytes,
        options: WriteOptions,
    ) -> Result<MessageId, Misuse> {
        let now = self.never_back(now);
        let written = self.open_mut(session).ok_or(Misuse::NoSession)?.write(now, flow, message, options);
        self.wake(session);
        written
    }

    /// Gives up every queued message of a flow that is not yet delivered.
    pub fn abandon_queued(&mut self, now: Instant, session: SessionKey, flow: SendFlowId) {
        let now = self.never_back(now);
        self.change(session, |open| open.abandon_queued(now, flow));
    }

    /// What the layer above found out about how much sound and pictures the path of a session carries: for the next second
    /// they keep to it, and congestion control to the rest.
    pub fn set_media_rate(&mut self, now: Instant, session: SessionKey, rate: MediaRate) {
        let now = self.never_back(now);
        self.change(session, |open| open.set_media_rate(now, rate));
    }

    /// Bytes queued on a flow and not yet acknowledged.
    pub fn queued(&self, session: SessionKey, flow: SendFlowId) -> usize {
        self.open(session).map_or(0, |running| running.session.queued(flow))
    }

    /// Finishes a flow after what is queued.
    pub fn close_flow(&mut self, now: Instant, session: SessionKey, flow: SendFlowId) {
        let now = self.never_back(now);
        self.change(session, |open| open.close_flow(now, flow));
    }

    /// Takes a flow that [`Event::FlowOpened`] told of.
    pub fn accept_flow(&mut self, session: SessionKey, flow: ReceiveFlowId, delivery: Delivery) {
        self.asking.remove(&session);
        self.change(session, |open| open.accept_flow(flow, delivery));
    }

    /// Refuses a flow, at once or later, with a code (RFC 7016 §3.6.3.7).
    pub fn reject_flow(&mut self, now: Instant, session: SessionKey, flow: ReceiveFlowId, code: u64) {
        let now = self.never_back(now);
        self.asking.remove(&session);
        self.change(session, |open| open.reject_flow(now, flow, code));
    }

    /// Holds the messages of a flow we receive on until [`Self::resume_flow`] (RFC 7016 §3.6.3.3). They count against its
    /// window, which may close: then its sender stands still.
    pub fn suspend_flow(&mut self, session: SessionKey, flow: ReceiveFlowId) {
        self.change(session, |open| open.suspend_flow(flow));
    }

    /// Gives the messages that a suspended flow held, and those to come.
    pub fn resume_flow(&mut self, now: Instant, session: SessionKey, flow: ReceiveFlowId) {
        let now = self.never_back(now);
        self.change(session, |open| open.resume_flow(now, flow));
    }

    /// Whether hellos that this session's far end forwards are answered.
    pub fn set_forwarded_hello(&mut self, session: SessionKey, mode: ForwardedHello) {
        self.change(session, |open| open.set_forwarded_hello(mode));
    }

    /// A session's own keepalive and vanishing times.
    pub fn set_patience(&mut self, session: SessionKey, keepalive: Duration, vanish_after: Duration) {
        let (keepalive, vanish_after) = (bounded_span(keepalive), bounded_span(vanish_after));
        self.change(session, |open| open.set_patience(keepalive, vanish_after));
    }

    /// Answers a hello for another with where that one can be reached (RFC 7016 §3.5.1.4). An empty list says "here, at
    /// the address you came from".
    pub fn redirect(&mut self, route: Route, tag: &[u8], to: &[KnownAddress]) {
        let destinations = to.iter().copied().take(MOST_REDIRECTS).collect();
        self.send_startup(route, 0, &Chunk::Redirect { tag_echo: tag, destinations });
    }

    /// Forwards a hello to the far end of `session` (FIHello, RFC 7016 §3.5.1.5).
    pub fn forward_hello(
        &mut self,
        now: Instant,
        session: SessionKey,
        endpoint_discriminator: &[u8],
        initiator: KnownAddress,
        tag: &[u8],
    ) {
        let now = self.never_back(now);
        self.change(session, |open| open.forward_hello(now, endpoint_discriminator, initiator, tag));
    }

    /// Whether a hello of a session that is still opening was answered by somebody who was meant. When nothing comes of it
    /// for long, the two ends share no keys that both accept.
    pub fn was_greeted(&self, session: SessionKey) -> bool {
        self.sessions.attempt(session).is_some_and(|attempt| attempt.greeted)
    }

    /// Where a session's far end is, if it is open.
    pub fn route(&self, session: SessionKey) -> Option<Route> {
        self.open(session).map(|running| running.session.route())
    }

    /// Who a session's far end is, if it is open.
    pub fn peer(&self, session: SessionKey) -> Option<PeerId> {
        self.open(session).map(|running| running.peer)
    }

    /// Whether an endpoint discriminator selects the far end of an open session: a forwarder's question (RFC 7016
    /// §3.5.1.5).
    pub fn selects(&self, session: SessionKey, endpoint_discriminator: &[u8]) -> bool {
        self.open(session).is_some_and(|running| {
            let matches = |profile: Arc<dyn Profile>| {
                profile.certificate_matches(&running.certificate, endpoint_discriminator)
            };
            self.profile(running.own).is_some_and(matches)
        })
    }

    /// How a session is spoken, if it is open.
    pub fn dialect(&self, session: SessionKey) -> Option<Dialect> {
        self.open(session).map(|running| running.session.dialect())
    }

    /// This end's and the far end's session nonces (RFC 7425 §4.6.4).
    pub fn nonces(&self, session: SessionKey) -> Option<([u8; 32], [u8; 32])> {
        self.open(session).map(|running| running.session.nonces())
    }

    /// A session's figures now.
    pub fn figures(&self, now: Instant, session: SessionKey) -> Option<SessionFigures> {
        self.open(session).map(|running| running.session.figures(now))
    }

    /// How many sessions there are: opening, open, and closing.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Datagrams that belonged to no session, or said nothing that start-up understands.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes held for others, for tests and statistics: received flows and what they keep, packets that came in pieces or
    /// too early, answers not yet sent. What the layer above queued does not count.
    pub fn held_bytes(&self) -> usize {
        let sessions = self.sessions.all().map(|session| match session {
            Session::Opening(attempt) => attempt.held_bytes(),
            Session::Running(running) => running.certificate.len() + running.session.held_bytes(),
        });
        let answers = self.startup_packets.iter().map(|(_, packet)| packet.len());
        let in_pieces =
            self.fragments.held_bytes() + self.fragments_out.held_bytes() + self.late_answers.held_bytes();
        sessions.chain(answers).sum::<usize>() + in_pieces + self.admissions.held_bytes()
    }

    /// Key agreements under way for strangers, for tests and statistics.
    pub fn agreements(&self) -> usize {
        self.admissions.len()
    }

    /// Key agreements begun for strangers since the start: the most expensive thing that they can ask for.
    pub fn agreements_begun(&self) -> u64 {
        self.agreements_begun
    }

    /// Whom an endpoint here is: the fingerprint of its own certificate, if that is well formed.
    pub fn own_peer_id(&self) -> Option<PeerId> {
        self.peer_id_of(OwnIdentity::Main)
    }

    /// Whom one of our identities is, if we have it.
    pub fn peer_id_of(&self, own: OwnIdentity) -> Option<PeerId> {
        let profile = self.profile(own)?;
        profile.identify(profile.certificate()).ok()
    }

    /// Who we are to a session's far end, if it is open.
    pub fn own_identity(&self, session: SessionKey) -> Option<OwnIdentity> {
        self.open(session).map(|running| running.own)
    }

    /// How one of our identities agrees on keys, if we have it.
    fn profile(&self, own: OwnIdentity) -> Option<Arc<dyn Profile>> {
        match own {
            OwnIdentity::Main => Some(self.config.profile.clone()),
            OwnIdentity::Second => self.config.second_profile.clone(),
        }
    }

    /// Which of our identities an endpoint discriminator selects, the main one first.
    fn selected_by(&self, endpoint_discriminator: &[u8]) -> Option<OwnIdentity> {
        [OwnIdentity::Main, OwnIdentity::Second]
            .into_iter()
            .find(|own| self.profile(*own).is_some_and(|profile| profile.selected_by(endpoint_discriminator)))
    }

    /// The time, which never goes back here: one that is earlier than what was told before counts as that.
    fn never_back(&mut self, now: Instant) -> Instant {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        latest
    }

    /// An open session, proven and not closing.
    fn open(&self, session: SessionKey) -> Option<&Running> {
        self.sessions
            .running(session)
            .filter(|running| running.proof == Proof::Given && running.session.is_open())
    }

    fn open_mut(&mut self, session: SessionKey) -> Option<&mut OpenSession> {
        let running = self.sessions.running_mut(session)?;
        (running.proof == Proof::Given && running.session.is_open()).then_some(&mut running.session)
    }

    /// Changes an open session, and lets it speak.
    fn change(&mut self, session: SessionKey, change: impl FnOnce(&mut OpenSession)) {
        if let Some(open) = self.open_mut(session) {
            change(open);
            self.wake(session);
        }
    }

    /// Gives a session its turn at the next [`super::Machine::poll_output`].
    fn wake(&mut self, session: SessionKey) {
        if self.in_ready.insert(session) {
            self.ready.push_back(session);
        }
    }

    fn new_key(&mut self) -> SessionKey {
        self.next_key += 1;
        SessionKey(self.next_key)
    }

    /// A session ID that no other session here is reached by, random and never 0 (§2.2.2, §3.3).
    fn new_near_id(&mut self) -> u32 {
        let Self { chance, sessions, .. } = self;
        first_free(|| chance.u32(), |id| sessions.with_near_id(id).is_some())
    }

    /// Gives a job away and answers its name.
    fn compute<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> JobId {
        self.next_job += 1;
        let id = JobId(self.next_job);
        self.jobs.push_back(Job { id, work: Box::new(move || Box::new(work())) });
        id
    }
}

/// The first number drawn that may be a session ID: not 0, which is the startup pseudo-session's, and not taken.
fn first_free(mut draw: impl FnMut() -> u32, taken: impl Fn(u32) -> bool) -> u32 {
    loop {
        let id = draw();
        if id != 0 && !taken(id) {
            return id;
        }
    }
}

fn own_profiles(config: &EndpointConfig) -> impl Iterator<Item = &Arc<dyn Profile>> {
    std::iter::once(&config.profile).chain(&config.second_profile)
}

/// RHellos that introducers may cause: they name the address, so they get less.
const FORWARDED_ANSWERS_AT_ONCE: u32 = 64;
const FORWARDED_ANSWER_INTERVAL: Duration = Duration::from_millis(50);
/// Addresses in one Redirect; nobody takes more (§3.5.1.1.1).
const MOST_REDIRECTS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-3.3-b
    #[test]
    fn no_session_gets_the_id_of_start_up_or_that_of_another() {
        let mut drawn = [0, 5, 0, 5, 7].into_iter();
        assert_eq!(first_free(|| drawn.next().expect("more numbers"), |id| id == 5), 7);
    }
}
