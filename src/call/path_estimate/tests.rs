use super::*;

const REPORT: f64 = 0.1;

/// A path with a queue of its own, and a far end that reports ten times a second.
struct Path {
    now: Instant,
    clock: f64,
    /// Bits a second, and seconds without a queue.
    width: f64,
    base: f64,
    /// Bits that wait.
    queue: f64,
    longest_queue: f64,
    loss: f64,
    left: f64,
    bytes: f64,
    sent: f64,
    received: f64,
    estimate: PathEstimate,
}

impl Path {
    fn new(width: f64) -> Self {
        let mut path = Self {
            now: Instant::now(),
            clock: 0.0,
            width,
            base: 0.04,
            queue: 0.0,
            longest_queue: f64::INFINITY,
            loss: 0.0,
            left: 0.0,
            bytes: 0.0,
            sent: 0.0,
            received: 0.0,
            estimate: PathEstimate::new(2_700_000.0),
        };
        // The first words find the path empty.
        path.send(0.0, 0.0);
        path
    }

    fn send(&mut self, bits: f64, others: f64) {
        self.clock += REPORT;
        self.now += Duration::from_secs_f64(REPORT);
        let came = bits + others;
        let passes = (self.queue + came).min(self.width * REPORT);
        let too_much = (self.queue + came - passes - self.longest_queue * self.width).max(0.0);
        self.queue = self.queue + came - passes - too_much;
        let ours = bits / came.max(1.0);
        let lost = (too_much * ours / bits.max(1.0)).min(1.0).max(self.loss);
        self.left += bits / 8.0;
        self.bytes += passes * ours * (1.0 - self.loss) / 8.0;
        self.sent += bits / 8_000.0;
        self.received += bits / 8_000.0 * (1.0 - lost);
        let feedback = Feedback {
            clock: self.clock,
            delays: vec![self.base + self.queue / self.width; 3],
            bytes: self.bytes as u64,
            sent: Some(self.sent as u64),
            received: self.received as u64,
            far_sent: 0,
            left: None,
        };
        self.estimate.note_left(self.now, self.left as u64);
        self.estimate.take(self.now, &feedback, Duration::from_secs_f64(2.0 * self.base));
    }

    /// Sends all that the estimate allows for so long; answers the longest queue in its last half, in seconds.
    fn run(&mut self, seconds: f64) -> f64 {
        self.run_beside(seconds, 0.0)
    }

    fn run_beside(&mut self, seconds: f64, others: f64) -> f64 {
        let steps = (seconds / REPORT) as usize;
        let mut longest: f64 = 0.0;
        for n in 0..steps {
            self.send(self.estimate.rate() * self.estimate.share() * REPORT, others * REPORT);
            if n > steps / 2 {
                longest = longest.max(self.queue / self.width);
            }
        }
        longest
    }
}

#[test]
fn a_wide_path_is_used_up_to_the_most_within_five_seconds() {
    let mut path = Path::new(10_000_000.0);
    path.run(5.0);
    assert_eq!(path.estimate.rate(), 2_700_000.0);
}

#[test]
fn a_narrow_path_is_filled_without_a_long_queue() {
    for width in [100_000.0, 300_000.0, 1_000_000.0] {
        let mut path = Path::new(width);
        path.run(10.0);
        let longest = path.run(30.0);
        let rate = path.estimate.rate();
        assert!((0.75 * width..1.15 * width).contains(&rate), "{rate} of {width}");
        assert!(longest < 0.2, "{longest} s at {width}");
    }
}

#[test]
fn a_step_down_to_a_tenth_is_followed_at_once_and_the_step_back_within_fifteen_seconds() {
    let mut path = Path::new(3_000_000.0);
    path.run(10.0);
    path.width = 300_000.0;
    path.run(3.0);
    assert!(path.estimate.rate() < 300_000.0, "{}", path.estimate.rate());
    assert!(path.queue / path.width < 0.2, "{} s", path.queue / path.width);
    path.run(10.0);
    path.width = 3_000_000.0;
    path.run(12.0);
    assert!(path.estimate.rate() > 2_500_000.0, "{}", path.estimate.rate());
}

#[test]
fn losses_without_a_queue_hold_up_to_a_tenth_and_do_not_ruin_beyond() {
    for loss in [0.05, 0.09, 0.3] {
        let mut path = Path::new(10_000_000.0);
        path.run(2.0);
        let before = path.estimate.rate();
        path.loss = loss;
        path.run(30.0);
        assert!(path.estimate.rate() >= before * 0.8, "{} of {before} at {loss}", path.estimate.rate());
        assert!((path.estimate.loss() - loss).abs() < 0.02, "{}", path.estimate.loss());
    }
}

#[test]
fn a_path_that_loses_what_is_too_much_is_not_overfilled() {
    let mut path = Path::new(1_000_000.0);
    path.longest_queue = 0.02;
    path.run(20.0);
    assert!(path.estimate.rate() < 1_200_000.0, "{}", path.estimate.rate());
    assert!(path.estimate.loss() < 0.15, "{}", path.estimate.loss());
}

#[test]
fn pictures_that_are_stuck_lower_the_rate_before_any_report_does() {
    let mut path = Path::new(3_000_000.0);
    path.run(10.0);
    let before = path.estimate.rate();
    path.estimate.note_stall(path.now);
    path.estimate.note_stall(path.now);
    assert_eq!(path.estimate.rate(), before * STALL);
    assert!(path.estimate.queue() >= STALL_QUEUE);
    path.run(4.0);
    assert!(path.estimate.rate() > before * STALL, "{}", path.estimate.rate());
}

#[test]
fn a_queue_of_others_that_nothing_helps_against_does_not_end_the_picture() {
    let mut path = Path::new(1_000_000.0);
    path.run(10.0);
    // From now on everything takes 300 ms more: another way, or somebody who keeps a queue full.
    path.base += 0.3;
    path.run(20.0);
    assert!(path.estimate.rate() > 600_000.0, "{}", path.estimate.rate());
}

#[test]
fn what_is_not_sent_shows_nothing() {
    let mut path = Path::new(10_000_000.0);
    for _ in 0..200 {
        path.send(48_000.0 * REPORT, 0.0);
    }
    assert_eq!(path.estimate.rate(), START);
}

#[test]
fn after_a_second_of_silence_most_of_the_rate_is_there_at_once() {
    let mut path = Path::new(3_000_000.0);
    path.run(10.0);
    let before = path.estimate.rate();
    path.now += Duration::from_millis(1_200);
    path.clock += 1.2;
    path.run(0.1);
    assert!(path.estimate.rate() > before * 0.7, "{}", path.estimate.rate());
    path.run(3.0);
    assert!(path.estimate.rate() > before * 0.95, "{}", path.estimate.rate());
}

#[test]
fn after_a_long_silence_pictures_are_worth_trying_however_low_the_rate_had_fallen() {
    let mut path = Path::new(3_000_000.0);
    path.estimate.rate = LEAST;
    path.now += LONG_SILENCE + Duration::from_secs(1);
    path.clock += 4.0;
    path.send(2_000.0, 0.0);
    assert!(path.estimate.rate() > crate::call::picture_choice::RESUME_ABOVE, "{}", path.estimate.rate());
}

#[test]
fn moments_of_waiting_do_not_lower_the_rate_to_the_little_that_an_easy_picture_needs() {
    let mut path = Path::new(5_000_000.0);
    path.run(5.0);
    for n in 0..300 {
        // A busy computer, or a radio link: now and then everything waits for a moment.
        path.base = if n % 20 < 2 { 0.25 } else { 0.04 };
        path.send(75_000.0 * REPORT, 0.0);
    }
    assert!(path.estimate.rate() > 300_000.0, "{}", path.estimate.rate());
}

#[test]
fn an_easy_picture_that_becomes_hard_on_a_way_that_became_narrow_makes_no_lasting_queue() {
    let mut path = Path::new(3_000_000.0);
    path.run(5.0);
    for _ in 0..50 {
        path.send(75_000.0 * REPORT, 0.0);
    }
    path.width = 300_000.0;
    path.run(3.0);
    let longest = path.run(10.0);
    assert!(path.estimate.rate() < 330_000.0 && longest < 0.2, "{} {longest}", path.estimate.rate());
}

#[test]
fn an_easy_picture_does_not_keep_a_path_that_shows_no_limit_from_carrying_a_large_one() {
    let mut path = Path::new(5_000_000.0);
    for _ in 0..100 {
        path.send(200_000.0 * REPORT, 0.0);
    }
    assert!(path.estimate.rate() > 1_500_000.0, "{}", path.estimate.rate());
}

#[test]
fn after_a_stall_what_arrives_tells_how_narrow_the_path_has_become() {
    let mut path = Path::new(3_000_000.0);
    path.run(5.0);
    path.width = 300_000.0;
    path.queue = 0.35 * path.width;
    path.estimate.note_stall(path.now);
    let stalled = path.estimate.rate();
    // Sound goes on, pictures are held back.
    let sound = 66_000.0 * REPORT;
    for _ in 0..8 {
        path.send(sound, 0.0);
    }
    let rate = path.estimate.rate();
    assert!(rate < 400_000.0 && stalled > 1_500_000.0, "{rate} after {stalled}");
}

#[test]
fn heavy_losses_that_seemed_heavier_at_first_are_found_to_be_nobodys_fault() {
    let mut path = Path::new(10_000_000.0);
    path.loss = 0.45;
    path.run(1.0);
    path.loss = 0.3;
    path.run(12.0);
    assert!(path.estimate.rate() > 1_000_000.0, "{}", path.estimate.rate());
}
