//! Opens the real window on a client that only pretends, to look at a screen:
//! `cargo run --example screens -- SCREEN [light] [narrow] [notify] [stay]`.
//!
//! SCREEN is first, home, rich (contacts, files, a long conversation), start, settings, dialling, incoming, stranger,
//! key_changed, call (C opens its chat, T its quality, Ctrl+B the tile), verified, second, on_hold, verify, failed, silent, weak, far_off, sharing, far_shares,
//! recorded, ended, crash, unreachable or missing. In a call D opens the choice of a screen.

#[path = "../screens/shown.rs"]
mod shown;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tincan::call::handle::Client;
use tincan::call::random_id::RandomId;
use tincan::call::view::{
    CallState, Contact, Delivery, Devices, FarEnd, Known, Line, LineKind, PastSecond, Progress, SecondCall,
    ServerState, Sharing, UpCall, Verifying,
};
use tincan::call::{ClientView, Command, EndReason, Event, Latest, Picture, ScreenChoice, ScreenSource};
use tincan::ui::{ThemeChoice, WindowOptions};

struct Pretended {
    view: RefCell<Arc<ClientView>>,
    events: VecDeque<Event>,
    far: Latest<Picture>,
    own: Latest<Picture>,
    screen: Latest<Picture>,
}

impl Client for Pretended {
    fn try_command(&self, command: Command) -> bool {
        println!("{command:?}");
        let mut view = ClientView::clone(&self.view.borrow());
        match (command, &mut view.call) {
            (Command::Preview(true), _) if !view.devices.cameras.is_empty() => self.own.put(own_picture()),
            (Command::MarkRead(peer), _) => {
                let conversations = Arc::make_mut(&mut view.conversations);
                for conversation in conversations.iter_mut().filter(|other| other.peer_id == peer) {
                    conversation.unread = 0;
                }
            }
            (Command::SendText { to, text }, _) => {
                let what = LineKind::Sent { text, state: Delivery::Sent };
                let line = Line { id: RandomId([0; 16]), at: SystemTime::now(), what };
                let conversations = Arc::make_mut(&mut view.conversations);
                for conversation in conversations.iter_mut().filter(|other| other.peer_id == to) {
                    Arc::make_mut(&mut conversation.lines).push(line.clone());
                }
            }
            (Command::ChooseCamera(name), _) => Arc::make_mut(&mut view.devices).camera = name,
            (Command::ChooseMicrophone(name), _) => Arc::make_mut(&mut view.devices).microphone = name,
            (Command::ChooseSpeaker(name), _) => Arc::make_mut(&mut view.devices).speaker = name,
            (Command::Set(setting), _) => setting.put_into(Arc::make_mut(&mut view.settings)),
            (Command::RemoveContact(peer), _) => {
                Arc::make_mut(&mut view.contacts).retain(|contact| contact.peer_id != peer);
            }
            (Command::AddContact { peer, name, server }, _) => {
                let contact = shown::contact(peer, &name);
                Arc::make_mut(&mut view.contacts).push(Contact { server, ..contact });
            }
            (Command::RenameContact { peer, name }, _) => {
                for contact in Arc::make_mut(&mut view.contacts).iter_mut().filter(|one| one.peer_id == peer)
                {
                    contact.name.clone_from(&name);
                }
            }
            (Command::DeleteLine { peer, line }, _) => {
                let conversations = Arc::make_mut(&mut view.conversations);
                for conversation in conversations.iter_mut().filter(|other| other.peer_id == peer) {
                    Arc::make_mut(&mut conversation.lines).retain(|other| other.id != line);
                }
            }
            (Command::SetName(name), _) => view.own.name = name,
            (Command::SetMuted(muted), CallState::Up(call)) => call.muted = muted,
            (Command::SetCameraOn(on), CallState::Up(call)) => call.camera_on = on,
            (Command::HangUp, call) => *call = ended(EndReason::Ended),
            (Command::Cancel, call) => *call = ended(EndReason::Cancelled),
            (Command::Accept { .. }, call) => *call = up(|_| {}),
            (Command::Call { .. }, call) => *call = outgoing(Progress::Ringing),
            (Command::DeclineSecond(_), _) => view.second = None,
            (Command::AcceptSecond { .. }, _) => {
                view.second = None;
                view.on_hold = Some(shown::far());
            }
            (Command::StartVerifying, _) => view.verifying = Verifying::Asking,
            (Command::Verified { same }, _) => {
                view.verifying = if same { Verifying::Done } else { Verifying::Failed };
            }
            (Command::DeclineWith(_) | Command::Decline | Command::Dismiss, call) => *call = CallState::None,
            _ => {}
        }
        *self.view.borrow_mut() = Arc::new(view);
        true
    }

    fn view(&self) -> Arc<ClientView> {
        Arc::clone(&self.view.borrow())
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn far_picture(&self) -> &Latest<Picture> {
        &self.far
    }

    fn own_picture(&self) -> &Latest<Picture> {
        &self.own
    }

    fn far_screen(&self) -> &Latest<Picture> {
        &self.screen
    }

    fn own_screen(&self) -> &Latest<Picture> {
        &self.screen
    }
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let screen = arguments.first().map_or("home", String::as_str);
    let mut view = shown::home(SystemTime::now());
    match screen {
        "first" => view.own.name.clear(),
        "rich" => view = shown::rich(SystemTime::now()),
        "start" => {
            view.conversations = Arc::default();
            view.people = Arc::default();
        }
        "missing" => {
            view.own.name.clear();
            view.devices = Arc::new(Devices::default());
            view.microphone_level = 0.0;
        }
        "dialling" => view.call = outgoing(Progress::Ringing),
        "incoming" => view.call = incoming(Known::Contact),
        "stranger" => view.call = incoming(Known::Stranger),
        "key_changed" => view.call = incoming(Known::KeyChanged),
        "call" => view.call = up(|_| {}),
        "verified" => view.call = up(|call| call.far.known = Known::Verified),
        "second" => {
            view.call = up(|_| {});
            view.second = Some(SecondCall { far: shown::far(), with_video: true });
        }
        "on_hold" => {
            view.call = up(|_| {});
            view.on_hold = Some(shown::far());
        }
        "verify" => {
            view.call = up(|_| {});
            let digits = ["4831", "0972", "6650"].map(str::to_owned).to_vec();
            view.verifying = Verifying::Compare { digits, words: vec![101, 733, 1420, 1999] };
        }
        "failed" => {
            view.call = up(|_| {});
            view.verifying = Verifying::Failed;
        }
        "weak" => {
            view.call = up(|call| {
                call.weak = true;
                call.muted = true;
                call.quality.bars = 1;
            });
        }
        "silent" => {
            let silent_for = Some(Duration::from_secs(6));
            view.call = CallState::Up(UpCall { silent_for, ..shown::up() });
        }
        "far_off" => {
            view.call = CallState::Up(UpCall { far_video: false, far_muted: true, ..shown::up() });
        }
        "sharing" => {
            let sharing = Some(Sharing { source: ScreenSource::Window(12), in_cameras_place: false });
            view.call = CallState::Up(UpCall { sharing, ..shown::up() });
        }
        "far_shares" => view.call = up(|call| call.far_shares = true),
        "recorded" => {
            view.call = up(|call| {
                call.recording = Some(Duration::from_secs(75));
                call.far_records = true;
            });
        }
        "unreachable" => {
            view.own.server_state = ServerState::Unreachable { retry_in: Duration::from_secs(8) };
            view.people = Arc::default();
        }
        "ended" => view.call = ended(EndReason::NoAnswer),
        _ => {}
    }
    if has("stay") {
        Arc::make_mut(&mut view.settings).stay_when_closed = true;
    }
    view.screens = Some(Arc::new(screens()));
    let client = Pretended {
        view: RefCell::new(Arc::new(view)),
        events: if has("notify") { events() } else { VecDeque::new() },
        far: Latest::default(),
        own: Latest::default(),
        screen: Latest::default(),
    };
    client.far.put(picture(1280, 720, [90, 120, 140]));
    if matches!(screen, "sharing" | "far_shares") {
        client.screen.put(picture(1600, 900, [200, 200, 210]));
    }
    if screen != "missing" {
        client.own.put(own_picture());
    }
    let options = WindowOptions {
        start_size: if has("narrow") { [360.0, 480.0] } else { [1280.0, 800.0] },
        theme: if has("light") { ThemeChoice::Light } else { ThemeChoice::Dark },
        crash_report: (screen == "crash").then(|| "Cargo.toml".into()),
        ..WindowOptions::default()
    };
    tincan::ui::run(options, |_| Ok(Box::new(client)))
}

/// What a desktop is told of while nobody looks at the window.
fn events() -> VecDeque<Event> {
    let (peer, name) = (shown::peer(1), "林小雨".to_owned());
    VecDeque::from([
        Event::Missed { peer, name: name.clone() },
        Event::TextReceived { peer, name, text: "See you at <b>eight</b> & bring the slides".into() },
        Event::Ringing { peer: shown::peer(2), name: "Jonas".into(), silently: false },
    ])
}

fn own_picture() -> Picture {
    picture(640, 360, [150, 110, 80])
}

/// What could be shown to the far end.
fn screens() -> Vec<ScreenChoice> {
    let choice = |source, name: &str, preview| ScreenChoice { source, name: name.into(), preview };
    vec![
        choice(ScreenSource::Screen(1), "HDMI-1", Some(picture(320, 180, [90, 120, 140]))),
        choice(ScreenSource::Screen(2), "DP-2", Some(picture(112, 200, [140, 120, 90]))),
        choice(ScreenSource::Window(12), "Slides for the meeting in the afternoon.pdf", Some(own_picture())),
        choice(ScreenSource::Window(13), "Terminal", None),
    ]
}

/// A soft light on a wall, with a lighter left side so that mirroring shows.
fn picture(width: u32, height: u32, [red, green, blue]: [i32; 3]) -> Picture {
    let mut i420 = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (i64::from(x) - i64::from(width) * 3 / 5, i64::from(y) - i64::from(height) / 3);
            let far = dx * dx + 3 * dy * dy;
            let light = 110 - (far * 130 / i64::from(width * width)).min(80) - i64::from(x * 20 / width);
            i420.push(light as u8);
        }
    }
    let (cb, cr) = (128 + (blue - green) / 2, 128 + (red - green) / 2);
    let chroma = (width * height / 4) as usize;
    i420.extend(std::iter::repeat_n(cb as u8, chroma));
    i420.extend(std::iter::repeat_n(cr as u8, chroma));
    Picture { width, height, i420: i420.into() }
}

fn outgoing(progress: Progress) -> CallState {
    CallState::Outgoing { far: shown::far(), progress, since: Duration::from_secs(7) }
}

fn incoming(known: Known) -> CallState {
    CallState::Incoming { far: FarEnd { known, ..shown::far() }, with_video: true }
}

/// A call with half a minute behind it.
fn up(change: impl FnOnce(&mut UpCall)) -> CallState {
    let second = |at: u32| PastSecond {
        round_trip_ms: 24.0 + ((at * 7) % 11) as f32,
        loss_percent: if at % 9 == 4 { 1.2 } else { 0.2 },
        send_kbps: 1150.0 + ((at * 37) % 120) as f32,
        receive_kbps: 1100.0 + ((at * 53) % 160) as f32,
    };
    let mut call = UpCall { past: Arc::new((0..30).map(second).collect()), ..shown::up() };
    change(&mut call);
    CallState::Up(call)
}

fn ended(reason: EndReason) -> CallState {
    let lasted = (reason == EndReason::Ended).then(|| Duration::from_secs(724));
    CallState::Ended { far: shown::far(), reason, lasted, incoming: false }
}
