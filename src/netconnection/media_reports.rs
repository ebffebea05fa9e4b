//! How media fare: when each message went out, what the far end says of it, and how fast more may go.

use std::time::Instant;

use super::ids::{Lane, Target};
use super::message;
use super::node::{Node, NodeEvent, outlet_of};
use super::session::Outgoing;
use crate::amf::Value;
use crate::rtmfp::PeerId;
use crate::rtmfp::endpoint::{MediaRate, MessageId, SendFlowId, SessionKey};

impl Node {
    /// Sends a data message that the next of its kind makes worthless: as urgently as sound, not always delivered, and late
    /// ones never. To nobody, and beyond what the send queue holds, it is dropped.
    pub fn send_passing(&mut self, now: Instant, target: Target, handler: &str, arguments: Vec<Value>) {
        let message = message::encode_data(handler, &arguments);
        for target in self.single_targets(target) {
            let Some(outlet) = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target)
            else {
                continue;
            };
            let sent = outlet.send_passing(&mut self.endpoint, now, message.clone());
            let session = outlet.session;
            self.note_sent(session, target, Lane::Passing, sent);
        }
    }

    /// What was found out about how much sound and pictures the way to a peer carries. Holds for a second.
    pub fn set_media_rate(&mut self, now: Instant, peer: PeerId, rate: MediaRate) {
        if let Some(session) = self.sending_session(peer) {
            self.endpoint.set_media_rate(now, session, rate);
        }
    }

    pub(super) fn on_message_left(
        &mut self,
        key: SessionKey,
        flow: SendFlowId,
        message: MessageId,
        fragments_sent: u64,
    ) {
        let outgoing = self.sessions.get(&key).and_then(|session| session.outgoing.get(&flow));
        let Some(&Outgoing::Stream(target, Lane::Media(kind))) = outgoing else { return };
        let outlet = outlet_of(&mut self.subscribers, &mut self.streams, &mut self.served, target);
        if let Some(timestamp) = outlet.and_then(|outlet| outlet.on_message_left(kind, message)) {
            self.tell(NodeEvent::MediaLeft { target, kind, timestamp, fragments_sent });
        }
    }
}
