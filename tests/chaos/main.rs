//! The real binary is killed without warning under load, with an 11VMS that misbehaves and would double any order that is
//! sent twice. Every cart is one order, and every answer was true. Power failures are not part of it: the disk keeps what was
//! written.
//!
//! `CHAOS_KILLS=100 cargo test --test chaos -- --nocapture` is a longer run; `CHAOS_SEED` repeats a run's faults.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/raw_server.rs"]
mod raw_server;
#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod callers;
mod failover;
mod siege;
mod victim;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use callers::Callers;
use postgres::Postgres;
use victim::Victims;

/// Kills of an ordinary run, on each backend.
const USUAL_KILLS: u32 = 6;

/// New carts in each round; those without an answer are sent again in the next.
const CARTS_A_ROUND: u32 = 20;

fn number_of(variable: &str) -> Option<u32> {
    std::env::vars().find(|(name, _)| name == variable).map(|(_, value)| value.parse().unwrap())
}

fn kills() -> u32 {
    number_of("CHAOS_KILLS").unwrap_or(USUAL_KILLS)
}

fn random() -> (u64, StdRng) {
    let seed = number_of("CHAOS_SEED").map_or(u64::from(std::process::id()), u64::from);
    (seed, StdRng::seed_from_u64(seed))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_sqlite_that_is_killed_at_random_loses_and_doubles_no_order() {
    let (seed, mut random) = random();
    let folder = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", folder.path().join("orders.db").display());
    let mut victims = Victims::new(1, &ledger).await;
    let mut callers = Callers::new(&victims);
    for _ in 0..kills() {
        victims.start_all().await;
        victims.misbehave(&mut random);
        callers.add(CARTS_A_ROUND);
        let lifetime = Duration::from_millis(random.random_range(5..400));
        let kill = async {
            tokio::time::sleep(lifetime).await;
            victims.kill(0).await;
        };
        tokio::join!(callers.send_open(), kill);
    }
    victims.start_all().await;
    callers.send_until_answered().await;
    callers.check_orders(&format!("SQLite, seed {seed}, {} kills", kills())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_on_postgresql_that_are_killed_at_random_lose_and_double_no_order() {
    let Some(server) = Postgres::start() else { return };
    let (seed, mut random) = random();
    let mut victims = Victims::new(3, &server.database("orders")).await;
    let mut callers = Callers::new(&victims);
    let (mut killed, mut crashes) = (0, 0);
    while killed < kills() {
        victims.start_all().await;
        victims.misbehave(&mut random);
        callers.add(CARTS_A_ROUND);
        let lifetime = Duration::from_millis(random.random_range(5..400));
        let (first, both, database) = (random.random_range(0..3), random.random_bool(0.3), random.random_bool(0.3));
        let kill = async {
            tokio::time::sleep(lifetime).await;
            victims.kill(first).await;
            if both {
                victims.kill((first + 1) % 3).await;
            }
            if database {
                tokio::task::block_in_place(|| server.crash_and_restart());
            }
        };
        tokio::join!(callers.send_open(), kill);
        killed += 1 + u32::from(both);
        crashes += u32::from(database);
    }
    victims.start_all().await;
    callers.send_until_answered().await;
    let run = format!("PostgreSQL, three replicas, seed {seed}, {killed} kills, {crashes} crashes of the database");
    callers.check_orders(&run).await;
}
