//! Which writes share a commit, which of them fail with it, and the portions of a removal.

use std::sync::Mutex;

use tokio::task::JoinSet;

use super::super::audit::AuditPosition;
use super::super::purge::ORDERS_IN_A_PORTION;
use super::*;
use crate::order::{OrderId, PropagatedHeaders, Requester, admit};

/// A backend that panics at purges before 1 s, can't hold those before 2 s, and fails from those before 3 s on.
#[derive(Default)]
struct Fragile {
    commits: usize,
}

impl Backend for Fragile {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        self.commits += 1;
        let seconds: Vec<i64> = group.iter().map(second).collect();
        assert!(!seconds.contains(&1), "a defect");
        if seconds.contains(&2) {
            return Err(LedgerError::Unwritable("too large".to_owned()));
        }
        if seconds.contains(&3) {
            return Err(LedgerError::Unavailable("disk full".to_owned()));
        }
        Ok(seconds.iter().map(|_| Ok(Written::Purged(Purged::Orders(0)))).collect())
    }
}

fn second(write: &Write) -> i64 {
    match write {
        Write::Purge(Purge::Orders(time)) => time.as_second(),
        other => panic!("{other:?}"),
    }
}

/// The results of a group of purges before these seconds, and the commits that were tried.
fn results(seconds: &[i64]) -> (String, usize) {
    let mut backend = Fragile::default();
    let group: Vec<_> =
        seconds.iter().map(|second| Write::Purge(Purge::Orders(Timestamp::from_second(*second).unwrap()))).collect();
    let letter = |result| match result {
        Ok(_) => 'w',
        Err(LedgerError::Unwritable(_)) => 'x',
        Err(LedgerError::Unavailable(_)) => '-',
        Err(other) => panic!("{other}"),
    };
    (commit(&mut backend, &group).into_iter().map(letter).collect(), backend.commits)
}

#[tokio::test]
async fn a_group_takes_what_waits_up_to_its_limit_changes_first_and_carts_for_half_of_it() {
    const HALF: usize = MAX_GROUP / 2;
    for (waiting, expected) in [
        ((1, 0), (1, 0)),
        ((0, 1), (0, 1)),
        ((1, 3), (1, 3)),
        ((0, MAX_GROUP + 3), (0, MAX_GROUP)),
        ((MAX_GROUP + 3, 0), (MAX_GROUP, 0)),
        ((9, MAX_GROUP), (9, MAX_GROUP - 9)),
        ((MAX_GROUP, MAX_GROUP), (HALF + 1, HALF - 1)),
        ((MAX_GROUP, 9), (MAX_GROUP - 9, 9)),
    ] {
        let (to_changes, changes) = mpsc::channel(MAX_WAITING);
        let (to_arrivals, arrivals) = mpsc::channel(MAX_WAITING);
        let write = |seconds| {
            let time = Timestamp::from_second(seconds).unwrap();
            (Write::Purge(Purge::Orders(time)), oneshot::channel().0)
        };
        (0..waiting.0).for_each(|_| to_changes.try_send(write(1)).unwrap());
        (0..waiting.1).for_each(|_| to_arrivals.try_send(write(2)).unwrap());
        let mut queues = Queues { changes, arrivals };
        let first = queues.next().await.unwrap();
        let seconds: Vec<i64> = queues.gather(first).iter().map(|(write, _)| second(write)).collect();
        let of = |wanted| seconds.iter().filter(|second| **second == wanted).count();
        assert_eq!((of(1), of(2)), expected, "{waiting:?}");
    }
}

#[test]
fn changes_that_come_while_a_group_forms_go_before_the_carts_that_come() {
    let (to_changes, changes) = mpsc::channel(MAX_WAITING);
    let (to_arrivals, arrivals) = mpsc::channel(MAX_WAITING);
    let write = |seconds| (Write::Purge(Purge::Orders(Timestamp::from_second(seconds).unwrap())), oneshot::channel().0);
    let mut group: Vec<Waiting> = (0..MAX_GROUP - 9).map(|_| write(2)).collect();
    (0..9).for_each(|_| to_changes.try_send(write(1)).unwrap());
    (0..9).for_each(|_| to_arrivals.try_send(write(2)).unwrap());
    Queues { changes, arrivals }.fill(&mut group);
    assert_eq!(group.iter().filter(|(write, _)| second(write) == 1).count(), 9);
}

/// A backend that writes down the groups it gets, and keeps none. A commit waits for its sign.
struct Watched {
    signs: std::sync::mpsc::Receiver<()>,
    groups: Arc<Mutex<Vec<String>>>,
}

impl Backend for Watched {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let letters = group.iter().map(|write| if matches!(write, Write::Store(_)) { 's' } else { 'a' });
        self.groups.lock().unwrap().push(letters.collect());
        self.signs.recv().unwrap();
        Ok(group.iter().map(|_| Err(LedgerError::unavailable("kept by nobody"))).collect())
    }
}

#[tokio::test]
async fn the_change_of_an_order_goes_before_the_carts_that_wait() {
    const CARTS: usize = 3 * MAX_GROUP;
    let (sign, signs) = std::sync::mpsc::channel();
    let groups = Arc::new(Mutex::new(Vec::new()));
    let writer = GroupCommit::start(Watched { signs, groups: Arc::clone(&groups) }, Arc::default()).unwrap();
    let (candidate, terms) = (candidate(), Terms::new(Timestamp::UNIX_EPOCH, Duration::ZERO));
    let Admission::Started(order) = admit(None, candidate.clone(), terms) else { panic!("it is new") };
    let mut callers = JoinSet::new();
    for _ in 0..CARTS {
        let (writer, candidate) = (writer.clone(), candidate.clone());
        callers.spawn(async move { writer.admit(candidate, terms).await.map(drop) });
    }
    callers.spawn(async move { writer.store(order).await.map(drop) });
    // Until all of them wait in the queues, or for the first sign.
    for _ in 0..=CARTS {
        tokio::task::yield_now().await;
    }
    (0..=CARTS).for_each(|_| sign.send(()).unwrap());
    callers.join_all().await;
    let groups = groups.lock().unwrap().clone();
    // The first group may have been closed when it came.
    assert!(groups.iter().take(2).any(|group| group.contains('s')), "{groups:?}");
    assert_eq!(groups.concat().len(), CARTS + 1);
}

fn candidate() -> Candidate {
    Candidate {
        id: OrderId::of("1"),
        cart_number: String::new(),
        fingerprint: String::new(),
        body: "{}".to_owned(),
        mapping_version: String::new(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::default(),
        cart: None,
    }
}

#[test]
fn a_write_that_can_not_be_stored_fails_alone_and_an_outage_fails_all() {
    for (seconds, expected, commits) in [
        (vec![9, 9, 9], "www", 1),
        (vec![9, 2, 9], "wxw", 5),
        (vec![2, 2], "xx", 3),
        (vec![2], "x", 1),
        // A panic is a defect that one write may cause.
        (vec![9, 1, 9], "w-w", 5),
        (vec![3, 9], "--", 1),
        // The outage comes while the group is written in portions: the rest is not tried.
        (vec![9, 2, 3, 9, 9], "wx---", 5),
    ] {
        assert_eq!(results(&seconds), (expected.to_owned(), commits), "{seconds:?}");
    }
    let mut largest = vec![9; MAX_GROUP];
    largest[200] = 2;
    let (letters, commits) = results(&largest);
    assert_eq!((letters.find('x'), letters.matches('w').count(), commits), (Some(200), MAX_GROUP - 1, 17));
}

/// A backend that has so many old orders and looks at two portions of their entries, and writes down what it was asked for.
struct Removing {
    orders: usize,
    portions: Arc<Mutex<Vec<Purge>>>,
}

impl Backend for Removing {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        Ok(group.iter().map(|write| Ok(Written::Purged(self.purge(write)))).collect())
    }
}

impl Removing {
    fn purge(&mut self, write: &Write) -> Purged {
        let Write::Purge(purge) = write else { panic!("{write:?}") };
        self.portions.lock().unwrap().push(*purge);
        match *purge {
            Purge::Orders(_) => {
                let removed = self.orders.min(ORDERS_IN_A_PORTION);
                self.orders -= removed;
                Purged::Orders(removed)
            }
            Purge::Audit { after: None, .. } => Purged::Audit(Some(position(1))),
            Purge::Audit { after: Some(after), .. } if after == position(1) => Purged::Audit(Some(position(2))),
            Purge::Audit { .. } => Purged::Audit(None),
        }
    }
}

fn position(second: i64) -> AuditPosition {
    AuditPosition { at: Timestamp::from_second(second).unwrap(), sequence: second }
}

#[tokio::test]
async fn a_removal_goes_on_where_its_last_portion_ended() {
    let portions = Arc::new(Mutex::new(Vec::new()));
    let backend = Removing { orders: 2 * ORDERS_IN_A_PORTION + 7, portions: Arc::clone(&portions) };
    let writer = GroupCommit::start(backend, Arc::default()).unwrap();
    let (now, before) = (Timestamp::from_second(100).unwrap(), Timestamp::from_second(40).unwrap());
    assert_eq!(writer.purge(now, Duration::from_mins(1)).await.unwrap(), 2 * ORDERS_IN_A_PORTION + 7);
    let entries = |after| Purge::Audit { before, after };
    let orders = Purge::Orders(before);
    let expected = [orders, orders, orders, entries(None), entries(Some(position(1))), entries(Some(position(2)))];
    assert_eq!(*portions.lock().unwrap(), expected);
}
