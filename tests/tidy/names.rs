//! Names in `src/` are the field's: none that says nothing, none that the field has a better word for.

use crate::texts::{Text, masked, repository};
use crate::{Finding, assert_none, lines};

/// Last words that say nothing of what a thing is.
const EMPTY_WORDS: [&str; 7] = ["manager", "helper", "util", "utils", "service", "common", "misc"];

/// Whole names that were replaced, each with the name that the field has for it.
const REPLACED: [(&str, &str); 50] = [
    ("Arrival", "ReceivedAt"),
    ("Baggage", "PropagatedHeaders"),
    ("by_hand", "intervention"),
    ("Chance", "JitterSource"),
    ("Coding", "ContentEncoding"),
    ("Door", "ConnectionServer"),
    ("Ending", "FetchGuard"),
    ("Errand", "CallPurpose"),
    ("Fate", "FaultPlan"),
    ("follow", "poll_replicas"),
    ("give_out_turns", "dispatch_loop"),
    ("guard", "add_security_headers"),
    ("Health", "CallResult"),
    ("House", "DevStack"),
    ("Joint", "ItemOwners"),
    ("Journey", "RequestInFlight"),
    ("keep_current", "are_usable"),
    ("Late", "TimedOut"),
    ("leave_place", "release_permit"),
    ("look", "a verb that says what it does"),
    ("look_at", "enqueue_possibly_written"),
    ("misfit", "wrong_interface"),
    ("off_the_loop", "run_blocking_if_large"),
    ("Opening", "DetectedProtocol"),
    ("Outcomes", "Waiters"),
    ("Part", "CallerRole"),
    ("Parts", "Dependencies"),
    ("party", "client_id"),
    ("Passage", "Admittance"),
    ("Place", "InFlightPermit, ListPosition, or what it is"),
    ("Presence", "LookUpResult"),
    ("raised", "after_unknown_outcome"),
    ("Rates", "ClientRateLimiter"),
    ("Reading", "ResponseRules"),
    ("Reply", "CallOutcome or OrderResponse"),
    ("said", "a verb that says what it does"),
    ("Seen", "AccessLogEntry"),
    ("shown", "a verb that says what it does"),
    ("sign_of_life", "record_success"),
    ("speak", "serve_http"),
    ("Standing", "QueueState"),
    ("Subscription", "Waiter"),
    ("tell", "a verb that says what it does"),
    ("told", "a verb that says what it does"),
    ("Topic", "MessageCode"),
    ("Turn", "Dispatch"),
    ("Turns", "Dispatcher"),
    ("until_the_end", "drive_until_idle"),
    ("upkeep", "background"),
    ("Word", "AuthMethod"),
];

const DECLARATIONS: [&str; 10] =
    ["mod", "struct", "enum", "union", "trait", "type", "fn", "const", "static", "macro_rules!"];

/// The words of a name, in small letters: `RetryPolicy` and `retry_policy` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        after_small = c.is_lowercase() || c.is_ascii_digit();
    }
    words
}

/// What is wrong with a name, if anything.
fn objection(name: &str) -> Option<String> {
    let last = words(name).pop().unwrap_or_default();
    if EMPTY_WORDS.contains(&last.as_str()) {
        return Some(format!("{name}: \"{last}\" does not say what it is"));
    }
    let (_, better) = REPLACED.iter().find(|(old, _)| *old == name)?;
    Some(format!("{name}: an old name; better: {better}"))
}

/// The names that a file declares, and the bytes at which they begin.
fn declared(code: &str) -> Vec<(usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for keyword in DECLARATIONS {
        for (at, _) in code.match_indices(&format!("{keyword} ")) {
            let start = at + keyword.len() + 1;
            let name = code[start..].split(|c| !is_word(c)).next().unwrap();
            let is_declaration = !code[..at].ends_with(|c: char| is_word(c) || c == '*' || c == '\'');
            if is_declaration && !name.is_empty() && !DECLARATIONS.contains(&name) {
                names.push((start, name));
            }
        }
    }
    names.sort_unstable();
    names
}

fn bad_names(file: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stem = file.path.rsplit('/').next().unwrap().split('.').next().unwrap();
    if file.path.ends_with("/mod.rs") {
        findings.push(Finding::new(&file.path, 1, "a module foo is foo.rs, with its parts in foo/"));
    }
    findings.extend(objection(stem).map(|text| Finding::new(&file.path, 1, text)));
    if file.is_rust() {
        let code = masked(&file.text);
        let bad = declared(&code).into_iter().filter_map(|(at, name)| Some((at, objection(name)?)));
        findings.extend(bad.map(|(at, text)| Finding::new(&file.path, file.line_of(at), text)));
    }
    findings
}

#[test]
fn names_in_src_are_the_fields() {
    let files = repository();
    let findings: Vec<_> = files.iter().filter(|file| file.path.starts_with("src/")).flat_map(bad_names).collect();
    assert_none(&findings);
}

#[test]
fn the_checker_finds_names_by_their_last_word_and_old_names_whole() {
    let text = "//! struct Helper\npub struct OrderManager;\nconst fn look(of: &str) {}\nenum Turn { Part }\n\
        fn serves() -> Parts {}\nstruct ServiceUrl;\nconst NET_UTILS: u8 = 1;\nfn look_up() {}\nlet a = \"fn tell \";\n";
    assert_eq!(
        lines(&bad_names(&Text::new("src/misc.rs", text))),
        [
            (1, "misc: \"misc\" does not say what it is"),
            (2, "OrderManager: \"manager\" does not say what it is"),
            (3, "look: an old name; better: a verb that says what it does"),
            (4, "Turn: an old name; better: Dispatch"),
            (7, "NET_UTILS: \"utils\" does not say what it is"),
        ]
    );
    assert_eq!(lines(&bad_names(&Text::new("src/a/mod.rs", ""))).len(), 1);
}
