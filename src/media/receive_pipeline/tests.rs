use super::*;
use crate::media::capture::test_picture::{draw, read_time};
use crate::media::capture::test_tone;
use crate::media::encoded::EncodedFrame;
use crate::media::picture::measure::psnr;
use crate::media::send_pipeline::{AudioSender, VideoSender, VideoTarget};

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
            Some(CodedVideo { timestamp, key, config, nal_units })
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
        self.receiver.push(coded, false, now, &mut self.sync);
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
        screen.receiver.push(coded, false, later, &mut screen.sync);
        decoded += usize::from(screen.receiver.show(later).is_some());
    }
    assert_eq!(decoded, film.len());
}

#[test]
fn a_decoder_that_falls_behind_goes_on_at_the_newest_key_picture() {
    let mut inbox = VideoInbox::default();
    for n in 0..100_u32 {
        let config = None;
        inbox.push(CodedVideo { timestamp: n * 33, key: n == 0 || n == 30, config, nal_units: Bytes::new() });
    }
    let (first, gap) = inbox.pop().unwrap();
    assert!(gap);
    assert!(first.timestamp >= 30 * 33);
}

#[test]
fn pictures_that_overtook_each_other_are_put_in_order() {
    let mut inbox = VideoInbox::default();
    for timestamp in [5, u32::MAX - 20, 38, 20] {
        inbox.push(CodedVideo { timestamp, key: false, config: None, nal_units: Bytes::new() });
    }
    let order: Vec<u32> = std::iter::from_fn(|| inbox.pop()).map(|(coded, _)| coded.timestamp).collect();
    assert_eq!(order, [u32::MAX - 20, 5, 20, 38]);
}

/// The tone through coder, network and decoder, in virtual time. `fate` says when packet n arrives, if at all.
fn listen(seconds: u32, fate: impl Fn(u32) -> Option<u32>) -> (Vec<f32>, Vec<f32>, u32) {
    let mut said = Vec::new();
    test_tone::fill(0, u64::from(seconds) * 48_000, &mut said);
    let mut sender = AudioSender::new().unwrap();
    sender.set_expected_loss(20);
    let mut on_the_way: Vec<(u32, u32, Bytes)> = Vec::new();
    for (n, frame) in (0..).zip(sender.push(&said, 0)) {
        if let (EncodedFrame::Audio { timestamp, packet }, Some(late)) = (frame, fate(n)) {
            on_the_way.push((timestamp + 20 + late, timestamp, packet));
        }
    }
    on_the_way.sort_by_key(|(arrival, ..)| *arrival);
    let mut on_the_way = on_the_way.into_iter().peekable();
    let mut receiver = AudioReceiver::new().unwrap();
    let start = Instant::now();
    let (mut heard, mut concealed) = (Vec::new(), 0);
    for ms in (0..seconds * 1000).step_by(10) {
        while let Some((arrival, timestamp, packet)) = on_the_way.next_if(|(arrival, ..)| *arrival <= ms) {
            receiver.push(timestamp, packet, start + arrival * MS);
        }
        let block = receiver.pull(start + ms * MS);
        concealed += block.concealed_ms;
        heard.extend(block.samples);
    }
    (said, heard, concealed)
}

/// How alike the second second of what was said is to what was heard at the best delay up to 400 ms.
fn likeness(said: &[f32], heard: &[f32]) -> (f32, usize) {
    let piece = &said[48_000..48_000 + 24_000];
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    (0..400 * 48)
        .step_by(2)
        .map(|delay| {
            let other = &heard[48_000 + delay..][..piece.len()];
            let product: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
            (product / (energy(piece) * energy(other)).sqrt().max(1e-6), delay / 48)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

#[test]
fn sound_over_an_even_network_is_heard_whole_and_soon() {
    let (said, heard, concealed) = listen(3, |_| Some(30));
    let (alike, delay) = likeness(&said, &heard);
    assert!(alike >= 0.9, "{alike}");
    assert!(delay <= 120, "{delay} ms");
    assert_eq!(concealed, 0);
}

#[test]
fn sound_over_an_uneven_network_is_heard_whole_after_the_first_second() {
    let (_, heard, concealed) = listen(8, |n| Some(30 + n * 7919 % 60));
    assert!(concealed <= 160, "{concealed} ms made up");
    let quiet = heard[96_000..].chunks(480).filter(|block| block.iter().all(|s| s.abs() < 0.02)).count();
    assert_eq!(quiet, 0);
}

#[test]
fn every_tenth_packet_lost_is_repaired_and_hardly_heard() {
    let (said, heard, concealed) = listen(4, |n| (n % 10 != 7).then_some(30));
    assert!(concealed <= 60, "{concealed} ms made up");
    let (alike, _) = likeness(&said, &heard);
    assert!(alike >= 0.85, "{alike}");
}

#[test]
fn after_a_second_of_silence_from_the_network_sound_is_back_without_lasting_delay() {
    let lost = 100..150;
    let (said, heard, _) = listen(6, |n| (!lost.contains(&n)).then_some(30));
    let piece = &said[4 * 48_000..4 * 48_000 + 9600];
    let energy = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>();
    let best = (0..250 * 48)
        .step_by(3)
        .map(|delay| {
            let other = &heard[4 * 48_000 + delay..][..piece.len()];
            piece.iter().zip(other).map(|(a, b)| a * b).sum::<f32>()
                / (energy(piece) * energy(other)).sqrt().max(1e-6)
        })
        .fold(0.0, f32::max);
    assert!(best >= 0.8, "{best}");
}
