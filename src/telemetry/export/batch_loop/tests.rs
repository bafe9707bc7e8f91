//! The loop against a receiver with a script and a clock that the test moves.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::task::JoinHandle;

use super::*;
use crate::bounded_queue::{QueueSender, bounded_queue};
use crate::clock::{ManualClock, Moment};
use crate::log_lines::LogLines;
use crate::telemetry::export::Signal;
use crate::telemetry::metrics::ExportMetrics;

const PACE: Pace = Pace { batch: 4, gathering: Duration::from_secs(5), patience: Duration::from_mins(1) };

/// Entries that fit into the queue.
const ROOM: usize = 16;

/// What the receiver does with a push, after a time.
type Answer = (Duration, Pushed);

#[derive(Debug)]
struct Script {
    clock: Arc<ManualClock>,
    /// Once they are used up, everything is taken at once.
    answers: Mutex<VecDeque<Answer>>,
    /// When each push came, and with what.
    pushes: Mutex<Vec<(u64, Vec<u8>)>>,
    /// What was taken.
    taken: Mutex<Vec<u8>>,
}

#[async_trait]
impl Sink for Arc<Script> {
    type Entry = u8;

    fn encode(&self, batch: Vec<u8>) -> Vec<u8> {
        batch
    }

    async fn push(&self, payload: &[u8]) -> Pushed {
        let second = self.clock.moment().since(Moment::default()).as_secs();
        self.pushes.lock().unwrap().push((second, payload.to_vec()));
        let next = self.answers.lock().unwrap().pop_front();
        let (time, pushed) = next.unwrap_or((Duration::ZERO, Pushed::Taken));
        self.clock.sleep(time).await;
        if matches!(pushed, Pushed::Taken | Pushed::TakenInPart { .. }) {
            self.taken.lock().unwrap().extend(payload);
        }
        pushed
    }
}

struct Test {
    clock: Arc<ManualClock>,
    script: Arc<Script>,
    entries: QueueSender<u8>,
    metrics: ExportMetrics,
    stop: CancellationToken,
    running: JoinHandle<()>,
    lines: LogLines,
    _log: tracing::subscriber::DefaultGuard,
}

impl Test {
    fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let lines = LogLines::default();
        let log = tracing::subscriber::set_default(lines.subscriber());
        let (clock, metrics) = (Arc::new(ManualClock::default()), ExportMetrics::default());
        let script = Arc::new(Script {
            clock: Arc::clone(&clock),
            answers: Mutex::new(answers.into_iter().collect()),
            pushes: Mutex::default(),
            taken: Mutex::default(),
        });
        let (entries, queue) = bounded_queue(ROOM);
        let outage = ExportOutage::new("telemetry.otlp_endpoint", Signal::Logs, &metrics);
        let any_clock: Arc<dyn Clock> = clock.clone();
        let stop = CancellationToken::new();
        let batch_loop = BatchLoop::new(queue, Arc::clone(&script), PACE, outage, &any_clock);
        let running = tokio::spawn(batch_loop.run(stop.clone()));
        Self { clock, script, entries, metrics, stop, running, lines, _log: log }
    }

    async fn add(&self, entries: impl IntoIterator<Item = u8>) {
        entries.into_iter().for_each(|entry| self.entries.add(entry));
        settle().await;
    }

    /// Lets seconds pass, one by one.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            settle().await;
        }
    }

    /// The second of each push.
    fn times(&self) -> Vec<u64> {
        self.script.pushes.lock().unwrap().iter().map(|(second, _)| *second).collect()
    }

    fn pushes(&self) -> Vec<(u64, Vec<u8>)> {
        self.script.pushes.lock().unwrap().clone()
    }

    fn dropped(&self) -> u64 {
        self.metrics.all()[0].1
    }

    async fn stop(&self) {
        self.stop.cancel();
        settle().await;
    }
}

/// Lets every task go as far as it can without time.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn at_once(pushed: Pushed) -> Answer {
    (Duration::ZERO, pushed)
}

fn failed() -> Answer {
    at_once(Pushed::failed("no connection"))
}

fn asked(seconds: u64) -> Answer {
    let retry_after = Some(Duration::from_secs(seconds));
    at_once(Pushed::Failed { detail: "answered 429".to_owned(), retry_after })
}

#[tokio::test]
async fn a_full_batch_goes_at_once_and_the_next_one_after_it() {
    let test = Test::start([]);
    test.add(1..=10).await;
    assert_eq!(test.pushes(), [(0, vec![1, 2, 3, 4]), (0, vec![5, 6, 7, 8])]);
    test.add([11, 12]).await;
    assert_eq!(test.pushes()[2..], [(0, vec![9, 10, 11, 12])], "it has become full while it was gathered");
}

#[tokio::test]
async fn a_batch_that_is_not_full_waits_for_the_gathering_time() {
    let test = Test::start([]);
    test.add([1]).await;
    test.pass(2).await;
    test.add([2]).await;
    test.pass(2).await;
    assert_eq!(test.pushes(), []);
    test.pass(1).await;
    assert_eq!(test.pushes(), [(5, vec![1, 2])]);
}

#[tokio::test]
async fn a_steady_stream_of_full_batches_loses_nothing() {
    let test = Test::start([]);
    for round in 0..50 {
        test.add(round * 4..round * 4 + 4).await;
    }
    assert_eq!(test.times(), [0; 50]);
    assert_eq!(test.dropped(), 0);
}

#[tokio::test]
async fn a_failed_batch_is_repeated_after_pauses_that_grow_and_a_wish_of_the_receiver_that_is_longer() {
    for (answers, expected) in [
        (vec![failed(); 7], vec![0, 1, 3, 7, 15, 31, 61, 91]),
        (vec![asked(0), asked(1), asked(1)], vec![0, 1, 3, 7]),
        (vec![asked(45), failed()], vec![0, 45, 47]),
        // As asked, though it is longer than the patience.
        (vec![asked(300)], vec![0, 300]),
        (vec![asked(1_000_000)], vec![0, 3600]),
    ] {
        let test = Test::start(answers.clone());
        test.add([1, 2, 3, 4]).await;
        // A batch that is given up is followed by the next.
        test.add([5, 6, 7, 8]).await;
        test.pass(expected.last().copied().unwrap()).await;
        assert_eq!(test.times()[..expected.len()], expected, "{answers:?}");
    }
}

#[tokio::test]
async fn when_patience_is_over_the_batch_is_dropped_and_told_and_the_next_one_is_tried() {
    let test = Test::start(vec![failed(); 7]);
    test.add(1..=8).await;
    test.pass(60).await;
    assert_eq!((test.dropped(), test.lines.take_with("was dropped")), (0, vec![]));
    test.pass(1).await;
    assert_eq!(test.dropped(), 4);
    let told = test.lines.take_with("more came than its receiver took in time");
    assert!(told.len() == 1 && told[0].contains("export.lost=4"), "{told:?}");
    test.pass(30).await;
    assert_eq!(*test.script.taken.lock().unwrap(), [5, 6, 7, 8]);
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_told_and_not_repeated() {
    let in_part = Pushed::TakenInPart { rejected: 3, detail: "too old".to_owned() };
    for (pushed, expected, detail) in
        [(Pushed::Refused("answered 400".to_owned()), 4, "answered 400"), (in_part, 3, "too old")]
    {
        let test = Test::start([at_once(pushed)]);
        test.add(1..=8).await;
        assert_eq!((test.times(), test.dropped()), (vec![0, 0], expected));
        let told = test.lines.take_with("is refused by its receiver");
        let is_told =
            told.len() == 1 && told[0].contains(&format!("export.lost={expected}")) && told[0].contains(detail);
        assert!(is_told && told[0].contains("export.signal=\"logs\""), "{told:?}");
    }
}

#[tokio::test]
async fn what_finds_no_room_while_the_receiver_works_is_told() {
    let test = Test::start([(Duration::from_secs(30), Pushed::Taken)]);
    test.add(1..=4).await;
    test.add(5..=4 + 16 + 7).await;
    test.pass(30).await;
    assert_eq!(test.dropped(), 7);
    let told = test.lines.take_with("more came than its receiver took in time");
    assert!(told.len() == 1 && told[0].contains("export.lost=7"), "{told:?}");
    assert_eq!(test.script.taken.lock().unwrap().len(), 4 + 16);
}

#[tokio::test]
async fn a_stop_pushes_all_that_is_left_without_waiting_for_more() {
    let test = Test::start([]);
    test.add([1]).await;
    test.stop().await;
    assert!(test.running.is_finished());
    assert_eq!(test.pushes(), [(0, vec![1])]);
    assert_eq!((test.dropped(), test.lines.take().as_str()), (0, ""));
}

#[tokio::test]
async fn a_push_under_way_is_not_broken_off_by_the_stop_and_not_repeated() {
    let test = Test::start([(Duration::from_secs(1), Pushed::Taken)]);
    test.add(1..=6).await;
    test.stop().await;
    assert!(!test.running.is_finished());
    test.pass(1).await;
    assert!(test.running.is_finished());
    assert_eq!(test.pushes(), [(0, vec![1, 2, 3, 4]), (1, vec![5, 6])]);
    assert_eq!(test.dropped(), 0);
}

#[tokio::test]
async fn a_stop_ends_a_pause_and_the_batch_is_tried_once_more() {
    for (answers, taken, dropped) in [(vec![asked(300)], 8, 0), (vec![asked(300), failed()], 0, 8)] {
        let test = Test::start(answers);
        test.add(1..=8).await;
        test.lines.take();
        test.stop().await;
        assert!(test.running.is_finished());
        assert_eq!((test.script.taken.lock().unwrap().len(), test.dropped()), (taken, dropped));
        let told = test.lines.take_with("is lost with the stop");
        let expected = if dropped > 0 { vec![("export.lost=8", "no connection")] } else { vec![] };
        assert_eq!(told.len(), expected.len());
        let says = |(line, (lost, detail)): (&String, &(&str, &str))| line.contains(lost) && line.contains(detail);
        assert!(told.iter().zip(&expected).all(says), "{told:?}");
    }
}

#[tokio::test]
async fn a_stop_waits_for_two_seconds_and_counts_what_is_left() {
    let test = Test::start([(Duration::from_mins(9), Pushed::Taken)]);
    test.add(1..=4).await;
    // Two find no room.
    test.add(5..=4 + 16 + 2).await;
    test.pass(60).await;
    test.stop().await;
    test.pass(FLUSH_LIMIT.as_secs() - 1).await;
    assert!(!test.running.is_finished());
    test.pass(1).await;
    assert!(test.running.is_finished());
    assert_eq!(test.dropped(), 4 + 16 + 2);
    let told = test.lines.take_with("is lost with the stop");
    assert!(told.len() == 1 && told[0].contains("export.lost=22"), "{told:?}");
}

#[tokio::test]
async fn what_is_refused_during_the_stop_is_counted_and_the_rest_is_still_pushed() {
    let refused = Pushed::Refused("answered 400".to_owned());
    let test = Test::start([(Duration::from_secs(1), refused)]);
    test.add(1..=6).await;
    test.stop().await;
    test.pass(1).await;
    assert_eq!((test.script.taken.lock().unwrap().clone(), test.dropped()), (vec![5, 6], 4));
}
