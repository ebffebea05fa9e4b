//! Who records a call, and that the other knows: nothing is recorded before the far end was told, on the lines that are
//! up now. A program that knows no such message, ours of before or a plain client, is told with a chat line.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{ClientEvent, ClientMachine};
use crate::call::additions::Addition;
use crate::call::event::Event;
use crate::call::lifecycle::Phase;
use crate::call::messages::Message;
use crate::call::peer_link::Far;
use crate::rtmfp::PeerId;

/// What the doer is to do about the recording.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordingStep {
    /// Opens the file. Nothing goes into it yet.
    Begin {
        /// Who is recorded, for the file's name.
        name: String,
        /// The file, if the person chose one.
        to: Option<PathBuf>,
    },
    /// What is sent, heard and shown is recorded, or no longer: the call waits, or its far end is to be told anew.
    Runs(bool),
    /// Closes the file.
    End,
}

/// Both directions.
#[derive(Debug, Default)]
pub(super) struct RecordingSide {
    ours: Option<Ours>,
    /// Who said that they record us.
    far: BTreeSet<PeerId>,
}

/// The recording that the person wants.
#[derive(Debug)]
struct Ours {
    peer: PeerId,
    /// What programs are told that know no such message.
    notice: String,
    to: Option<PathBuf>,
    told: bool,
    begun: bool,
    /// Since when it runs.
    runs: Option<Instant>,
    /// How long it ran before.
    before: Duration,
}

impl RecordingSide {
    /// How long the recording of the call with this peer has become, if there is one.
    pub(super) fn length(&self, now: Instant, peer: PeerId) -> Option<Duration> {
        let ours = self.ours.as_ref().filter(|ours| ours.peer == peer)?;
        let runs = ours.runs.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        Some(Duration::from_secs((ours.before + runs).as_secs()))
    }

    /// Whether the far end records us.
    pub(super) fn is_recorded_by(&self, peer: PeerId) -> bool {
        self.far.contains(&peer)
    }
}

impl ClientMachine {
    /// The person wants the call recorded that is up.
    pub(super) fn start_recording(&mut self, now: Instant, to: Option<PathBuf>, notice: String) {
        let Phase::Up { with, .. } = self.call.phase() else { return };
        if self.recording.ours.is_some() {
            return;
        }
        let peer = with.peer;
        self.recording.ours =
            Some(Ours { peer, notice, to, told: false, begun: false, runs: None, before: Duration::ZERO });
        self.follow_recording(now);
    }

    /// The person does not want it any more, or it cannot go on.
    pub(super) fn stop_recording(&mut self, now: Instant) {
        let Some(ours) = self.recording.ours.take() else { return };
        if self.takes_recording(ours.peer) && ours.told {
            self.say(now, ours.peer, Message::Recording(false));
        }
        if ours.begun {
            self.told.push_back(ClientEvent::Recording(RecordingStep::End));
        }
        self.dirty = true;
    }

    /// Tells the far end what it does not know, and lets the recording run while it may.
    pub(super) fn follow_recording(&mut self, now: Instant) {
        let Some(ours) = &self.recording.ours else { return };
        let peer = ours.peer;
        if !self.call.up().any(|up| up == peer) {
            self.stop_recording(now);
            return;
        }
        if !ours.told {
            let notice = ours.notice.clone();
            let told = self.tell_recording(now, peer, notice);
            if let Some(ours) = &mut self.recording.ours {
                ours.told = told;
            }
        }
        let flows = self.call.flows_with(peer);
        let name = self.name_of(peer);
        let Some(ours) = &mut self.recording.ours else { return };
        let may = ours.told && flows;
        if may && !std::mem::replace(&mut ours.begun, true) {
            let step = RecordingStep::Begin { name, to: ours.to.clone() };
            self.told.push_back(ClientEvent::Recording(step));
        }
        if may != ours.runs.is_some() {
            match ours.runs.take() {
                Some(since) => ours.before += now.saturating_duration_since(since),
                None => ours.runs = Some(now),
            }
            self.told.push_back(ClientEvent::Recording(RecordingStep::Runs(may)));
            self.dirty = true;
        }
    }

    /// Whether the far end was told, or is being told right now.
    fn tell_recording(&mut self, now: Instant, peer: PeerId, notice: String) -> bool {
        let Some(lines) = self.links.get(&peer) else { return false };
        if !lines.link.lines_up() || lines.link.listener().is_none() {
            return false;
        }
        if self.takes_recording(peer) {
            self.say(now, peer, Message::Recording(true));
            return true;
        }
        let hears_text = lines.link.takes_additions() || lines.link.far() == Far::Plain;
        if !hears_text || notice.trim().is_empty() {
            return false;
        }
        self.write(now, peer, notice);
        true
    }

    fn takes_recording(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(|lines| lines.link.takes(Addition::Recording))
    }

    /// The lines to a peer are gone: whoever comes back may be a program that knows nothing any more.
    pub(super) fn recording_untold(&mut self, now: Instant, peer: PeerId) {
        if let Some(ours) = self.recording.ours.as_mut().filter(|ours| ours.peer == peer) {
            ours.told = false;
            self.follow_recording(now);
        }
    }

    /// New lines are up in a call: each end says how it stands.
    pub(super) fn recording_lines_up(&mut self, now: Instant, peer: PeerId) {
        let is_ours = self.recording.ours.as_ref().is_some_and(|ours| ours.peer == peer);
        if is_ours {
            self.follow_recording(now);
        } else if self.call.up().any(|up| up == peer) && self.takes_recording(peer) {
            self.say(now, peer, Message::Recording(false));
        }
    }

    /// The far end says whether it records us.
    pub(super) fn far_records(&mut self, peer: PeerId, on: bool) {
        if !self.call.is_with(peer) {
            return;
        }
        let changed = if on { self.recording.far.insert(peer) } else { self.recording.far.remove(&peer) };
        if changed {
            self.dirty = true;
            let name = self.name_of(peer);
            self.tell(Event::FarRecords { peer, name, on });
        }
    }

    /// The call with this peer is over.
    pub(super) fn recording_over(&mut self, now: Instant, peer: PeerId) {
        self.recording.far.remove(&peer);
        if self.recording.ours.as_ref().is_some_and(|ours| ours.peer == peer) {
            self.stop_recording(now);
        }
    }
}
