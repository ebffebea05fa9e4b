use super::*;
use crate::media::capture::test_picture::{draw, read_time};
use crate::media::encoded::EncodedFrame;
use crate::media::picture::measure::psnr;
use crate::media::playout::lip_sync::LipSync;
use crate::media::send_pipeline::{VideoSender, VideoTarget};

const MS: Duration = Duration::from_millis(1);

/// Thirty pictures a second of the test picture, coded.
fn film(pictures: u32, size: (u32, u32), bits_per_second: u32) -> Vec<CodedVideo> {
    let mut sender = VideoSender::new(VideoTarget { bits_per_second, ..VideoTarget::default() });
    (0..pictures).filter_map(|n| coded(&mut sender, size, n)).collect()
}

fn coded(sender: &mut VideoSender, (width, height): (u32, u32), n: u32) -> Option<CodedVideo> {
    let stamp = n * 100 / 3;
    match sender.push(&draw(width, height, u64::from(stamp)), stamp)? {
        EncodedFrame::Video { timestamp, key, config, nal_units, .. } => {
            Some(CodedVideo { timestamp, key, config, nal_units, arrived: Instant::now() })
        }
        EncodedFrame::Audio { .. } => None,
    }
}

struct Screen {
    start: Instant,
    receiver: VideoReceiver,
    sync: LipSync,
}

impl Screen {
    fn new() -> Self {
        Self { start: Instant::now(), receiver: VideoReceiver::new(), sync: LipSync::default() }
    }

    fn see(&mut self, coded: &CodedVideo) -> Option<Picture> {
        let now = self.start + coded.timestamp * MS;
        let sync = &mut self.sync;
        self.receiver.push(coded, false, now, |stamp| sync.due(stamp, now));
        self.receiver.show(now).map(|(_, picture)| picture)
    }
}

#[test]
fn the_test_picture_arrives_well_and_says_when_it_was_drawn() {
    let mut screen = Screen::new();
    let mut worst = f64::INFINITY;
    for coded in film(30, (640, 360), 1_200_000) {
        let shown = screen.see(&coded).unwrap();
        assert_eq!(read_time(&shown), Some(u64::from(coded.timestamp)));
        worst = worst.min(psnr(&shown, &draw(640, 360, u64::from(coded.timestamp))));
    }
    assert!(worst >= 30.0, "{worst:.1} dB");
}

#[test]
fn the_time_is_readable_at_a_low_rate_and_in_half_the_size() {
    let mut sender = VideoSender::new(VideoTarget {
        bits_per_second: 300_000,
        width: 320,
        height: 320,
        frames_per_second: 15.0,
    });
    let mut screen = Screen::new();
    let (mut seen, mut read) = (0, 0);
    for n in 0..90 {
        let Some(coded) = coded(&mut sender, (640, 360), n) else { continue };
        if let Some(shown) = screen.see(&coded) {
            assert_eq!((shown.width, shown.height), (320, 180));
            seen += 1;
            read += usize::from(read_time(&shown) == Some(u64::from(coded.timestamp)));
        }
    }
    assert!(seen > 30 && read * 10 >= seen * 9, "{read} of {seen}");
}

#[test]
fn a_lost_picture_freezes_the_last_one_asks_once_in_300_ms_and_a_key_picture_mends_it() {
    let mut sender = VideoSender::new(VideoTarget { bits_per_second: 500_000, ..VideoTarget::default() });
    let mut screen = Screen::new();
    let (mut asked, mut shown_after_loss, mut mended) = (0, 0, 0);
    for n in 0..60 {
        if n == 40 {
            sender.request_key();
        }
        let Some(coded) = coded(&mut sender, (320, 180), n) else { continue };
        if n == 20 {
            continue;
        }
        let shown = screen.see(&coded).is_some();
        asked += u32::from(screen.receiver.take_key_request(screen.start + coded.timestamp * MS));
        match n {
            21..40 => shown_after_loss += u32::from(shown),
            40.. => mended += u32::from(shown),
            _ => assert!(shown),
        }
    }
    assert_eq!(shown_after_loss, 0);
    assert_eq!(mended, 20);
    assert!((1..=3).contains(&asked), "asked {asked} times in 630 ms");
}

#[test]
fn pictures_before_the_first_key_only_ask_for_one() {
    let mut screen = Screen::new();
    let film = film(3, (160, 90), 300_000);
    assert!(screen.see(&film[1]).is_none());
    assert!(screen.receiver.take_key_request(screen.start));
    assert!(screen.see(&film[0]).is_some() || screen.see(&film[0]).is_none());
}

#[test]
fn hostile_bytes_make_no_picture_and_no_harm() {
    let mut screen = Screen::new();
    let film = film(4, (160, 90), 300_000);
    assert!(screen.see(&film[0]).is_some());
    for (n, length) in [0_usize, 1, 3, 4, 5, 40, 200].into_iter().enumerate() {
        let nal_units: Vec<u8> = (0..length).map(|k| (k * 37 + n) as u8).collect();
        let broken = CodedVideo {
            timestamp: 200 + n as u32,
            key: n % 2 == 0,
            config: Some(Bytes::from(nal_units.clone())),
            nal_units: nal_units.into(),
            arrived: Instant::now(),
        };
        assert!(screen.see(&broken).is_none());
    }
}

#[test]
fn more_pictures_than_any_call_has_are_not_decoded() {
    let mut screen = Screen::new();
    let film = film(3, (160, 90), 300_000);
    let mut shown = 0;
    for n in 0..400_u32 {
        // A thousand a second, each of which stands alone.
        let picture = CodedVideo { timestamp: n, ..film[0].clone() };
        shown += usize::from(screen.see(&picture).is_some());
    }
    assert!((90..=120).contains(&shown), "{shown}");
}

#[test]
fn the_backlog_of_a_stall_is_decoded_at_once() {
    let mut screen = Screen::new();
    let later = screen.start + Duration::from_secs(2);
    let film = film(45, (160, 90), 300_000);
    let mut decoded = 0;
    for coded in &film {
        let sync = &mut screen.sync;
        screen.receiver.push(coded, false, later, |stamp| sync.due(stamp, later));
        decoded += usize::from(screen.receiver.show(later).is_some());
    }
    assert_eq!(decoded, film.len());
}

#[test]
fn a_decoder_that_falls_behind_goes_on_at_the_newest_key_picture() {
    let mut inbox = VideoInbox::default();
    for n in 0..100_u32 {
        let config = None;
        inbox.push(CodedVideo {
            timestamp: n * 33,
            key: n == 0 || n == 30,
            config,
            nal_units: Bytes::new(),
            arrived: Instant::now(),
        });
    }
    let (first, gap) = inbox.pop().unwrap();
    assert!(gap);
    assert!(first.timestamp >= 30 * 33);
}

#[test]
fn pictures_that_overtook_each_other_are_put_in_order() {
    let mut inbox = VideoInbox::default();
    for timestamp in [5, u32::MAX - 20, 38, 20] {
        inbox.push(CodedVideo {
            timestamp,
            key: false,
            config: None,
            nal_units: Bytes::new(),
            arrived: Instant::now(),
        });
    }
    let order: Vec<u32> = std::iter::from_fn(|| inbox.pop()).map(|(coded, _)| coded.timestamp).collect();
    assert_eq!(order, [u32::MAX - 20, 5, 20, 38]);
}
