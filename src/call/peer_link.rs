//! The ten steps that make two private lines with one far peer, and who may say what on them. Pure.
//!
//! The steps are those of `call`'s documentation. A [`PeerLink`] is told what happens with one peer and answers with
//! effects, in the order in which they are to be carried out. It knows nothing of ringing: whether our name may be told
//! (step 9) is asked for from outside, by [`PeerLink::give_name`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::additions::Addition;
use super::messages::{Capabilities, Intent, Message};
use crate::netconnection::node::{PlaybackEnd, SubscriberId};
use crate::rtmfp::PeerId;

/// A dial that crosses ours comes within this time; later it is a far end that started anew.
const CROSSING: Duration = Duration::from_secs(5);

/// Messages held back until the far end may hear them.
const MOST_WAITING: usize = 256;

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LinkEffect {
    /// Publish the private line: a direct stream named after the peer (steps 2 and 4).
    PublishPrivate,
    /// Play the peer's public stream, named after the peer (step 3).
    PlayPublic,
    /// Play the peer's private line to us, named after ourselves (steps 5 and 8).
    PlayPrivate,
    /// Stop playing the peer's private line, to play it afresh.
    ClosePrivatePlayback,
    /// Let this subscriber play our public stream.
    AcceptPublic(SubscriberId),
    /// Let this subscriber play our private line to it.
    AcceptPrivate(SubscriberId),
    /// Refuse this subscriber.
    Refuse(SubscriberId),
    /// Send on our private line.
    Send(Message),
    /// Unpublish the private line, stop playing, forget the link.
    Close,
    /// Tell the layer above.
    Tell(LinkNews),
}

/// What the layer above is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LinkNews {
    /// The far end is there: it let us play its public stream, or asked for ours.
    Reached,
    /// The far end told its name (step 7 or 10), and with it what it wants.
    Named {
        /// Its name.
        name: String,
        /// Its capabilities; `None` for a plain client.
        capabilities: Option<Capabilities>,
    },
    /// On lines that show weak identities, each end said who it is by its lasting one: the talk belongs there.
    Moved {
        /// Who the far end says it is.
        to: PeerId,
        /// What we dialled for, if we did.
        offer: Option<Capabilities>,
    },
    /// Each end has told the other its name.
    LinesUp,
    /// Another message came.
    Heard(Message),
    /// The lines are gone.
    Lost(Loss),
}

/// How the lines were lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Loss {
    /// The far end refused us at step 3.
    Refused,
    /// Nobody could be reached.
    Unreachable,
    /// The far end closed them.
    Closed,
    /// The session went silent.
    Vanished,
}

/// What we know of the far end's program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Far {
    /// It said nothing yet.
    Unknown,
    /// It told its name without capabilities before it.
    Plain,
    /// It announced capabilities.
    Tincan(Capabilities),
}

/// The lines with one far peer.
#[derive(Debug)]
pub(crate) struct PeerLink {
    own_name: String,
    /// Who we are by our lasting identity, on lines that show the weak one.
    lasting: Option<PeerId>,
    /// Both ends said so there.
    moved: bool,
    /// What we dialled for, when we did, or what we answer with.
    offer: Option<Capabilities>,
    dialled: bool,
    published: bool,
    playing_public: bool,
    playing_private: bool,
    /// The far end's subscription to our private line, once it plays.
    listener: Option<SubscriberId>,
    public_subscriber: Option<SubscriberId>,
    far: Far,
    far_name: Option<String>,
    reached: bool,
    may_tell_name: bool,
    capabilities_sent: bool,
    name_sent: bool,
    lines_up: bool,
    waiting: VecDeque<Message>,
    begun: Instant,
}

impl PeerLink {
    /// A link on which nothing happened yet.
    pub(crate) fn new(now: Instant, own_name: String) -> Self {
        Self {
            own_name,
            lasting: None,
            moved: false,
            offer: None,
            dialled: false,
            published: false,
            playing_public: false,
            playing_private: false,
            listener: None,
            public_subscriber: None,
            far: Far::Unknown,
            far_name: None,
            reached: false,
            may_tell_name: false,
            capabilities_sent: false,
            name_sent: false,
            lines_up: false,
            waiting: VecDeque::new(),
            begun: now,
        }
    }

    /// The same for lines in a session in which both ends show weak identities: plain clients talk there, but of two that
    /// announce capabilities each only learns who the other is (`lasting`, here).
    pub(crate) fn showing_weak(mut self, lasting: PeerId) -> Self {
        self.lasting = Some(lasting);
        self
    }

    /// The far end's program.
    pub(crate) fn far(&self) -> Far {
        self.far
    }

    /// The name the far end told.
    pub(crate) fn far_name(&self) -> Option<&str> {
        self.far_name.as_deref()
    }

    /// Whether each end has told the other its name.
    pub(crate) fn lines_up(&self) -> bool {
        self.lines_up
    }

    /// Whether we dialled, and the lines have not come about yet.
    pub(crate) fn is_dialling(&self) -> bool {
        self.dialled && !self.lines_up
    }

    /// Whom our private line goes to, once it is played.
    pub(crate) fn listener(&self) -> Option<SubscriberId> {
        self.listener
    }

    /// Whether [`LinkEffect::Send`] of additions would go out now.
    pub(crate) fn takes_additions(&self) -> bool {
        let both = matches!(self.far, Far::Tincan(_)) && self.capabilities_sent;
        self.listener.is_some() && both && self.lasting.is_none()
    }

    /// Whether the far end understands this addition, and would be sent it now.
    pub(crate) fn takes(&self, addition: Addition) -> bool {
        let understood = matches!(self.far, Far::Tincan(far) if far.additions.has(addition));
        understood && self.takes_additions()
    }

    /// Steps 2 and 3: dials, or asks over lines that exist.
    pub(crate) fn dial(&mut self, offer: Capabilities) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        self.may_tell_name = true;
        if self.capabilities_sent {
            if offer.intent == Intent::Call {
                self.hold_back(Message::Call { call: offer.call, video: offer.video });
            }
        } else {
            self.offer = Some(offer);
        }
        self.dialled = true;
        if !self.published {
            self.published = true;
            effects.push(LinkEffect::PublishPrivate);
        }
        // Lines that the far end began need no second knock.
        if !self.playing_public && !self.playing_private {
            self.playing_public = true;
            effects.push(LinkEffect::PlayPublic);
        }
        self.speak(&mut effects);
        effects
    }

    /// Step 3 as the far end takes it: somebody asks to play our public stream. Steps 4 and 5 follow.
    pub(crate) fn wants_public(&mut self, now: Instant, subscriber: SubscriberId) -> Vec<LinkEffect> {
        let mut effects = vec![LinkEffect::AcceptPublic(subscriber)];
        let again = self.public_subscriber.is_some() || self.playing_private;
        if again && now.saturating_duration_since(self.begun) > CROSSING {
            self.start_anew(now, &mut effects);
        }
        self.public_subscriber = Some(subscriber);
        if !self.published {
            self.published = true;
            effects.push(LinkEffect::PublishPrivate);
        }
        if !self.playing_private {
            self.playing_private = true;
            effects.push(LinkEffect::PlayPrivate);
        }
        self.reach(&mut effects);
        effects
    }

    /// Somebody asks to play the stream named after the peer. The caller has checked that it is the peer itself.
    pub(crate) fn wants_private(&mut self, subscriber: SubscriberId) -> Vec<LinkEffect> {
        if self.published {
            vec![LinkEffect::AcceptPrivate(subscriber)]
        } else {
            vec![LinkEffect::Refuse(subscriber)]
        }
    }

    /// Steps 6 and 9: the far end plays our private line.
    pub(crate) fn play_started(&mut self, subscriber: SubscriberId) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        self.listener = Some(subscriber);
        self.reach(&mut effects);
        self.speak(&mut effects);
        if !self.playing_private {
            // Step 8 stands after step 6's `username`.
            self.playing_private = true;
            effects.push(LinkEffect::PlayPrivate);
        }
        effects
    }

    /// Our playing of the far end's public stream began.
    pub(crate) fn public_playing(&mut self) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        self.reach(&mut effects);
        effects
    }

    /// A data message on the far end's private line to us.
    pub(crate) fn heard(&mut self, message: Message) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        match message {
            Message::Capabilities(capabilities) => {
                // They come once; a second time would change what was agreed.
                if self.far == Far::Unknown {
                    if self.lasting.is_some() && capabilities.lasting.is_none() {
                        // It knows how to talk better, and does not want to.
                        return self.lose(Loss::Refused);
                    }
                    self.far = Far::Tincan(capabilities);
                    self.offer.get_or_insert(capabilities);
                }
            }
            _ if self.only_points_on() => {}
            Message::Username(name) => {
                if self.far == Far::Unknown {
                    self.far = Far::Plain;
                    self.waiting.retain(|message| !message.is_addition());
                }
                // It comes once: a later one would be shown without having been compared with the contacts' names.
                if self.far_name.is_none() {
                    self.far_name = Some(name.clone());
                    let capabilities = match self.far {
                        Far::Tincan(capabilities) => Some(capabilities),
                        Far::Plain | Far::Unknown => None,
                    };
                    effects.push(LinkEffect::Tell(LinkNews::Named { name, capabilities }));
                }
            }
            message if message.is_addition() && !matches!(self.far, Far::Tincan(_)) => {
                tracing::debug!("an addition from an end that announced none is passed over");
            }
            message => effects.push(LinkEffect::Tell(LinkNews::Heard(message))),
        }
        self.speak(&mut effects);
        effects
    }

    /// Step 9, or its counterpart in a chat: our name may be told.
    pub(crate) fn give_name(&mut self) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        self.may_tell_name = true;
        self.speak(&mut effects);
        effects
    }

    /// Says something on our line, as soon as the far end may hear it. Additions for a plain client are dropped.
    pub(crate) fn say(&mut self, message: Message) -> Vec<LinkEffect> {
        let mut effects = Vec::new();
        if message.is_addition() && self.far == Far::Plain {
            return effects;
        }
        self.hold_back(message);
        self.speak(&mut effects);
        effects
    }

    /// A stream that we played is over.
    pub(crate) fn playback_ended(&mut self, private: bool, end: PlaybackEnd) -> Vec<LinkEffect> {
        let playing = if private { &mut self.playing_private } else { &mut self.playing_public };
        if !std::mem::take(playing) {
            return vec![];
        }
        match end {
            PlaybackEnd::ClosedHere => vec![],
            // The public stream is only the door: once inside, it may close.
            _ if !private && self.playing_private => vec![],
            PlaybackEnd::Refused => self.lose(Loss::Refused),
            PlaybackEnd::Unreachable => self.lose(Loss::Unreachable),
            PlaybackEnd::Unpublished => self.lose(Loss::Closed),
            PlaybackEnd::Vanished => self.lose(Loss::Vanished),
        }
    }

    /// A far subscriber is gone.
    pub(crate) fn subscriber_gone(&mut self, subscriber: SubscriberId, vanished: bool) -> Vec<LinkEffect> {
        if self.listener == Some(subscriber) {
            self.listener = None;
            return self.lose(if vanished { Loss::Vanished } else { Loss::Closed });
        }
        if self.public_subscriber == Some(subscriber) {
            self.public_subscriber = None;
            if self.far == Far::Unknown && !self.dialled {
                return self.lose(if vanished { Loss::Vanished } else { Loss::Closed });
            }
        }
        vec![]
    }

    /// Closes the lines from our side.
    pub(crate) fn close(&mut self) -> Vec<LinkEffect> {
        vec![LinkEffect::Close]
    }

    fn lose(&mut self, loss: Loss) -> Vec<LinkEffect> {
        vec![LinkEffect::Close, LinkEffect::Tell(LinkNews::Lost(loss))]
    }

    fn reach(&mut self, effects: &mut Vec<LinkEffect>) {
        if !std::mem::replace(&mut self.reached, true) {
            effects.push(LinkEffect::Tell(LinkNews::Reached));
        }
    }

    /// The far end dials although lines stand: its program or its session is a new one.
    fn start_anew(&mut self, now: Instant, effects: &mut Vec<LinkEffect>) {
        if std::mem::take(&mut self.playing_private) {
            effects.push(LinkEffect::ClosePrivatePlayback);
        }
        self.begun = now;
        self.offer = None;
        self.dialled = false;
        self.listener = None;
        self.far = Far::Unknown;
        self.far_name = None;
        self.may_tell_name = false;
        self.capabilities_sent = false;
        self.moved = false;
        self.name_sent = false;
        self.lines_up = false;
        self.waiting.clear();
    }

    fn hold_back(&mut self, message: Message) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(message);
        } else {
            tracing::warn!("a message is dropped: too many wait for the far end");
        }
    }

    /// Sends what may be sent now, in the order that the documentation of `call` gives.
    fn speak(&mut self, effects: &mut Vec<LinkEffect>) {
        if self.listener.is_none() {
            return;
        }
        if let (Some(_), Far::Tincan(far)) = (self.lasting, self.far) {
            self.point_on(far, effects);
            return;
        }
        // Who is called answers with capabilities only when the caller's came, so a plain caller never sees any.
        let announce = match self.far {
            Far::Tincan(_) => true,
            Far::Unknown => self.dialled,
            Far::Plain => false,
        };
        if let Some(offer) = self.offer
            && announce
            && !self.capabilities_sent
            && !self.name_sent
        {
            self.capabilities_sent = true;
            let own = Capabilities { lasting: self.lasting, ..offer };
            effects.push(LinkEffect::Send(Message::Capabilities(own)));
        }
        let knows_whom = self.dialled || self.far != Far::Unknown;
        if self.may_tell_name && knows_whom && !self.name_sent {
            self.name_sent = true;
            effects.push(LinkEffect::Send(Message::Username(self.own_name.clone())));
        }
        if self.name_sent && self.far_name.is_some() && !self.lines_up {
            self.lines_up = true;
            effects.push(LinkEffect::Tell(LinkNews::LinesUp));
        }
        while let Some(next) = self.waiting.front() {
            let may = if next.is_addition() { self.takes_additions() } else { self.lines_up };
            if !may {
                break;
            }
            effects.extend(self.waiting.pop_front().map(LinkEffect::Send));
        }
    }

    /// Says who we are, once, and tells that both ends did.
    fn point_on(&mut self, far: Capabilities, effects: &mut Vec<LinkEffect>) {
        self.waiting.clear();
        if let Some(offer) = self.offer
            && !std::mem::replace(&mut self.capabilities_sent, true)
        {
            let own = Capabilities { lasting: self.lasting, ..offer };
            effects.push(LinkEffect::Send(Message::Capabilities(own)));
        }
        if let Some(to) = far.lasting
            && !std::mem::replace(&mut self.moved, true)
        {
            let offer = self.offer.filter(|_| self.dialled);
            effects.push(LinkEffect::Tell(LinkNews::Moved { to, offer }));
        }
    }

    /// Whether nothing may be said on these lines but who one is.
    fn only_points_on(&self) -> bool {
        self.lasting.is_some() && matches!(self.far, Far::Tincan(_))
    }
}

#[cfg(test)]
#[path = "peer_link/tests.rs"]
mod tests;
