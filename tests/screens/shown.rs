//! Views made by hand, for the tests of the screens and for looking at them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tincan::call::link::Link;
use tincan::call::random_id::RandomId;
use tincan::call::view::{
    Contact, Conversation, Delivery, Devices, FarEnd, FileLine, FileState, Known, Line, LineKind, OwnCard,
    Person, Presence, Quality, ServerState, UpCall,
};
use tincan::call::{ClientView, EndReason, PeerId};

pub(crate) fn peer(number: u8) -> PeerId {
    let mut id = [0; 32];
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = number.wrapping_mul(37).wrapping_add((at as u8).wrapping_mul(73));
    }
    PeerId(id)
}

pub(crate) fn far() -> FarEnd {
    FarEnd { name: "Jonas".into(), peer_id: Some(peer(2)), known: Known::Contact }
}

/// The list with three conversations and two people, at a time of day that fits.
pub(crate) fn home(now: SystemTime) -> ClientView {
    let ago = |minutes: u64| now - Duration::from_secs(60 * minutes);
    let line = |minutes, what| Line { id: RandomId([minutes as u8; 16]), at: ago(minutes), what };
    let lines = vec![
        line(
            22,
            LineKind::Call {
                incoming: true,
                lasted: Some(Duration::from_secs(724)),
                reason: EndReason::Ended,
            },
        ),
        line(4, LineKind::Received("今晚八点可以吗？".into())),
        line(
            3,
            LineKind::Sent { text: "Yes! Sending you the slides now.".into(), state: Delivery::Delivered },
        ),
        line(2, LineKind::Received("Got it, thank you".into())),
        line(2, LineKind::Received("See you at eight 👋".into())),
        line(
            1,
            LineKind::Sent {
                text: "회의는 8시 · 八時に会いましょう".into(), state: Delivery::Sending
            },
        ),
    ];
    let conversations = vec![
        Conversation {
            peer_id: peer(1),
            name: "林小雨".into(),
            lines: Arc::new(lines),
            more: false,
            unread: 2,
            typing: false,
        },
        Conversation {
            peer_id: peer(2),
            name: "Jonas".into(),
            lines: Arc::new(vec![line(90, LineKind::Received("The train is late again".into()))]),
            more: false,
            unread: 0,
            typing: false,
        },
        Conversation {
            peer_id: peer(3),
            name: "Amara".into(),
            lines: Arc::new(vec![line(
                1500,
                LineKind::Call { incoming: true, lasted: None, reason: EndReason::NoAnswer },
            )]),
            more: false,
            unread: 0,
            typing: false,
        },
    ];
    let people = ["林小雨", "Jonas", "Priya", "Tomás"]
        .into_iter()
        .zip([1, 2, 4, 5])
        .map(|(name, number)| Person { name: name.into(), peer_id: peer(number), presence: Presence::Online })
        .collect();
    ClientView {
        own: OwnCard {
            name: "Mei".into(),
            peer_id: Some(peer(9)),
            server: "rendezvous.example.net".into(),
            server_state: ServerState::Connected,
            server_url: Some("rtmfp://rendezvous.example.net".into()),
            weak_peer_id: None,
            link: link(9, "Mei").to_text(),
            ..OwnCard::default()
        },
        people: Arc::new(people),
        conversations: Arc::new(conversations),
        devices: Arc::new(devices()),
        microphone_level: 0.62,
        ..ClientView::default()
    }
}

/// A link to somebody.
pub(crate) fn link(number: u8, name: &str) -> Link {
    Link {
        peer: peer(number),
        server: Some("rtmfp://rendezvous.example.net".into()),
        weak: None,
        name: Some(name.into()),
        addresses: vec![],
    }
}

/// Somebody who is kept.
pub(crate) fn contact(peer: PeerId, name: &str) -> Contact {
    Contact {
        peer_id: peer,
        name: name.into(),
        told_name: None,
        server: None,
        verified: false,
        blocked: false,
        presence: Presence::Online,
    }
}

/// The list with contacts of every kind, and a conversation with everything that can be in one.
pub(crate) fn rich(now: SystemTime) -> ClientView {
    let mut view = home(now);
    let with = |number, name, presence| Contact { presence, ..contact(peer(number), name) };
    view.contacts = Arc::new(vec![
        with(3, "Amara", Presence::Offline),
        Contact { blocked: true, ..with(7, "Bot 3000", Presence::Online) },
        with(2, "Jonas", Presence::InCall),
        Contact { verified: true, ..with(1, "林小雨", Presence::Online) },
        with(6, "Zoë", Presence::DoNotDisturb),
    ]);
    let mut number = 100;
    let mut line = |minutes: u64, what| {
        number += 1;
        Line { id: RandomId([number; 16]), at: now - Duration::from_secs(60 * minutes), what }
    };
    let file = |incoming, name: &str, size, state| {
        LineKind::File(FileLine { incoming, name: name.into(), size, state })
    };
    let sent = |text: &str, state| LineKind::Sent { text: text.into(), state };
    let lines = vec![
        line(
            1500,
            LineKind::Received(
                "The plan: https://example.org/plan_(draft), and mail mailto:mei@example.org".into(),
            ),
        ),
        line(1499, sent("👍🏽🎉", Delivery::Read)),
        line(1490, LineKind::Received("مرحبا · שלום · नमस्ते · こんにちは".into())),
        line(24, LineKind::Call { incoming: true, lasted: None, reason: EndReason::NoAnswer }),
        line(20, file(false, "slides.pdf", 3_300_000, FileState::Moving { done: 2_100_000, rate: 300_000 })),
        line(10, file(true, "plan.pdf", 81_000, FileState::Offered)),
        line(9, file(true, "setup.exe", 9_000_000, FileState::Done("/tmp/setup.exe".into()))),
        line(8, file(true, "photo.jpg", 2_400_000, FileState::Done("/tmp/photo.jpg".into()))),
        line(
            3,
            sent(
                "On my way 🚲 see you at the station, platform four, under the big clock, as always.",
                Delivery::Delivered,
            ),
        ),
        line(2, sent("Are you there?", Delivery::Waiting)),
        line(1, LineKind::Received("See you at eight 👋".into())),
    ];
    let conversations = Arc::make_mut(&mut view.conversations);
    conversations[0].lines = Arc::new(lines);
    conversations[0].typing = true;
    conversations[0].more = true;
    conversations[0].unread = 1;
    view
}

pub(crate) fn devices() -> Devices {
    Devices {
        cameras: vec!["Integrated Camera".into()],
        microphones: vec!["Built-in microphone".into()],
        speakers: vec!["Headphones".into()],
        camera: "Integrated Camera".into(),
        microphone: "default".into(),
        speaker: "Headphones".into(),
        ..Devices::default()
    }
}

pub(crate) fn up() -> UpCall {
    UpCall {
        far: FarEnd { name: "林小雨".into(), peer_id: Some(peer(1)), known: Known::Contact },
        lasted: Duration::from_secs(724),
        muted: false,
        camera_on: true,
        has_camera: true,
        has_microphone: true,
        far_video: true,
        far_muted: false,
        sharing: None,
        far_shares: false,
        silent_for: None,
        quality: Quality {
            bars: 4,
            route: "direct".into(),
            round_trip_ms: Some(24.0),
            loss_percent: 0.4,
            call_loss_percent: 0.3,
            send_kbps: 1210.0,
            receive_kbps: 1180.0,
            send_picture: Some((1280, 720, 30.0)),
            receive_picture: Some((1280, 720, 30.0)),
            buffer_ms: 38.0,
            lip_sync_ms: Some(6.0),
            cipher: "AES-128 · HMAC-128".into(),
            ..Quality::default()
        },
        far_holds: false,
        recording: None,
        far_records: false,
        speaking_muted: false,
        weak: false,
        picture_paused: false,
        past: Arc::default(),
    }
}
