//! What a picture and a packet of sound cost. Pictures go through the studio, at the pace of its own test camera.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::encoded::EncodedFrame;
use tincan::media::picture::Picture;
use tincan::media::playout::jitter_buffer::JitterBuffer;
use tincan::media::shaping::colour::{from_jpeg, from_nv12, from_yuyv};
use tincan::media::studio::{Studio, StudioSettings};
use tincan::media::voice::{Played, VoiceProcessing, VoiceStage};

use super::{Bench, best, nanoseconds};

/// How long the camera runs.
const WATCHED: Duration = Duration::from_secs(5);
/// Milliseconds that a picture may take at thirty a second.
const PICTURE: f64 = 1000.0 / 30.0;

/// A picture as a camera sends it, 4:2:2.
const CAMERA_JPEG: &[u8] = include_bytes!("camera_720p_422.jpg");

pub(crate) fn run(bench: &Bench) {
    if bench.wants("convert_720p") {
        conversions(bench);
    }
    if bench.wants("jitter_buffer") {
        bench.tell("jitter_buffer_packet", jitter_buffer(), "ns");
    }
    if bench.wants("voice") {
        let plain = voice(None);
        bench.tell("voice_10_ms_untouched", plain / 1000.0, "us");
        bench.tell("voice_10_ms_processed", voice(Some(VoiceProcessing::default())) / 1000.0, "us");
    }
    if bench.wants("picture_720p") {
        pictures(bench);
    }
}

/// A minute of sound, each packet pushed, and stepped over when its time has come.
fn jitter_buffer() -> f64 {
    const PACKETS: u32 = 3_000;
    let start = Instant::now();
    // Opus of 20 ms, which the buffer reads the length of.
    let packet = Bytes::from(vec![0x78; 80]);
    let minute = best(1, || {
        let mut buffer = JitterBuffer::new();
        for number in 0..PACKETS {
            let uneven = number % 7 * 3;
            let now = start + Duration::from_millis(u64::from(number * 20 + uneven));
            buffer.push(number * 20, packet.clone(), now);
            std::hint::black_box(buffer.step(now, 0.0));
        }
    });
    nanoseconds(minute) / f64::from(PACKETS)
}

/// What cameras deliver, made into planes; the least is writing a picture's bytes once.
fn conversions(bench: &Bench) {
    const SIZE: (u32, u32) = (1280, 720);
    let noise = |length: usize| -> Vec<u8> { (0..length).map(|n| ((n * 7919) >> 5) as u8).collect() };
    let (yuyv, nv12) = (noise(1280 * 720 * 2), noise(1280 * 720 * 3 / 2));
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let copied = milliseconds(best(20, || Picture::new(SIZE.0, SIZE.1, nv12.as_slice())));
    let tell = |name: &str, time: Duration| {
        bench.tell_with_limit(&format!("convert_720p_{name}"), milliseconds(time), "ms", copied);
    };
    tell("yuyv", best(20, || from_yuyv(&yuyv, SIZE.0, SIZE.1)));
    tell("nv12", best(20, || from_nv12(&nv12, SIZE.0, SIZE.1)));
    tell("mjpeg", best(5, || from_jpeg(CAMERA_JPEG)));
}

/// Five seconds of voice and of what is played beside it, in pieces of 10 ms; nanoseconds for each. Untouched, what is left
/// is listening for speech.
fn voice(processing: Option<VoiceProcessing>) -> f64 {
    const PIECES: u64 = 500;
    let start = Instant::now();
    let mut sound = [0.0_f32; 480];
    let mut out = Vec::with_capacity(960);
    let seconds = best(3, || {
        let mut stage = VoiceStage::new();
        stage.set_processing(processing);
        for number in 0..PIECES {
            for (n, sample) in sound.iter_mut().enumerate() {
                let at = (number * 480 + n as u64) as f32;
                *sample = ((at * 0.021).sin() + (at * 0.0047).sin() * (at * 0.00021).sin()) * 0.2;
            }
            let now = start + Duration::from_millis(number * 10);
            let heard = now + Duration::from_millis(20);
            stage.on_played(&Played { first: number * 480, samples: sound, heard });
            out.clear();
            std::hint::black_box(stage.push(&sound, now, &mut out));
        }
    });
    nanoseconds(seconds) / PIECES as f64
}

/// A camera's pictures coded, and decoded again.
fn pictures(bench: &Bench) {
    let settings = StudioSettings {
        camera: CameraSource::Test,
        microphone: MicrophoneSource::None,
        speaker: SpeakerSink::None,
        picture: PictureSink::None,
    };
    let mut studio = Studio::new(settings, Arc::new(|| ()));
    let frames: Arc<Mutex<Vec<EncodedFrame>>> = Arc::default();
    let kept = Arc::clone(&frames);
    studio.start_receiving();
    studio.start_sending(Arc::new(move |frame| {
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
    }));
    let until = Instant::now() + WATCHED;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
        for frame in std::mem::take(&mut *frames.lock().unwrap_or_else(PoisonError::into_inner)) {
            studio.push(frame);
        }
    }
    let figures = studio.figures();
    if let Some(encode) = figures.stages.encoding {
        bench.tell_with_limit("picture_720p_encode", encode, "ms", PICTURE);
    }
    if let Some(decode) = figures.stages.decoding {
        bench.tell_with_limit("picture_720p_decode", decode, "ms", PICTURE);
    }
}
