//! The relay keeps its promises under simulated time, with a seeded model of everything around it: callers, people, 11VMS,
//! the ledger, crashes. A seed decides all of it, and replays exactly. Neither HTTP nor a real ledger or disk is part of it:
//! `tests/api`, `tests/ledger` and `tests/chaos` have those.
//!
//! `SIMULATION_SEEDS=100000 cargo test --test simulation -- --nocapture` runs more seeds than usual and prints figures;
//! `SIMULATION_SEED=4711` runs one, and prints its story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod broken;
mod callers;
mod clocks;
mod figures;
mod invariants;
mod ledger;
mod outbox;
mod plan;
mod restore;
mod run;
mod told;
mod vms;
mod world;

use std::ops::Range;

use broken::Defect;
use figures::Figures;
use run::{Report, run};
use world::Story;

/// Seeds of an ordinary run. Every deliberate defect is found within them.
const USUAL_SEEDS: u64 = 10_000;

fn number_of(variable: &str) -> Option<u64> {
    std::env::vars().find(|(name, _)| name == variable).map(|(_, value)| value.parse().unwrap())
}

/// Runs seeds on every core. Returns the report of the first seed with a violation, and the figures of all.
fn run_all(seeds: Range<u64>, defect: Option<Defect>) -> (Option<Report>, Figures) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runs: Vec<_> = (0..cores)
        .map(|core| {
            let own_seeds = seeds.clone().skip(core).step_by(cores);
            std::thread::spawn(move || {
                let mut figures = Figures::default();
                for seed in own_seeds {
                    let report = run(seed, defect, Story::Silent);
                    figures.add(&report.figures);
                    if report.violation.is_some() {
                        return (Some(report), figures);
                    }
                }
                (None, figures)
            })
        })
        .collect();
    let mut figures = Figures::default();
    let mut found = Vec::new();
    for run in runs {
        let (report, some) = run.join().unwrap();
        figures.add(&some);
        found.extend(report);
    }
    (found.into_iter().min_by_key(|report| report.seed), figures)
}

#[test]
fn no_seed_breaks_a_promise() {
    if let Some(seed) = number_of("SIMULATION_SEED") {
        let report = run(seed, None, Story::Printed);
        assert_eq!(report.violation, None, "seed {seed}");
        return;
    }
    let seeds = number_of("SIMULATION_SEEDS").unwrap_or(USUAL_SEEDS);
    let (found, figures) = run_all(0..seeds, None);
    println!("{seeds} seeds: {figures}");
    if let Some(report) = found {
        panic!("seed {}: {} (SIMULATION_SEED={0} prints its story)", report.seed, report.violation.unwrap());
    }
    // A simulation in which little happens proves little.
    for (what, count) in figures.entries() {
        assert!(count >= seeds / 20, "{what}: {count}");
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..20 {
        let (one, other) = (run(seed, None, Story::Silent), run(seed, None, Story::Silent));
        assert_eq!(one.trace, other.trace, "seed {seed}");
    }
    assert_ne!(run(1, None, Story::Silent).trace, run(2, None, Story::Silent).trace);
}

#[test]
fn every_deliberate_defect_is_found() {
    for defect in Defect::ALL {
        let (found, _) = run_all(0..USUAL_SEEDS, Some(defect));
        let report = found.unwrap_or_else(|| panic!("{defect:?} was not found in {USUAL_SEEDS} seeds"));
        let violation = report.violation.unwrap();
        println!("{defect:?}: seed {}: {violation}", report.seed);
        let is_symptom = defect.symptoms().iter().any(|symptom| violation.contains(symptom));
        assert!(is_symptom, "{defect:?} was found by another symptom: seed {}: {violation}", report.seed);
    }
}
