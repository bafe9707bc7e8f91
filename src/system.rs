//! Limits of the process that the operating system enforces: open files, core dumps.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use tracing::warn;

/// File descriptors in addition to those of connections: for 11VMS, the issuer, the ledger, logs and files.
const OTHER_OPEN_FILES: u64 = 1_024;

/// Raises the limit on open files as far as the system permits, and prevents core dumps and foreign access to the memory,
/// which contains tokens and secrets.
pub fn prepare(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_OPEN_FILES);
    let allowed = raise_open_file_limit(wanted);
    if allowed < wanted {
        warn!(
            process.open_file_limit = allowed,
            process.open_files_wanted = wanted,
            "the limit on open files is too low for server.limits.connections: under full load, connections are refused and carts wait; raise it (ulimit -n)"
        );
    }
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit has no effect where cores are piped to a program; this flag has (prctl(2), PR_SET_DUMPABLE).
    if let Err(error) = no_core.and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable)) {
        warn!(error.message = %error, "core dumps can't be switched off: a dump would contain tokens and secrets");
    }
}

/// Raises the limit on open files to `wanted`, at most to the hard limit, and returns the limit that is then in force.
pub fn raise_open_file_limit(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (current, hard_limit) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let raised = wanted.min(hard_limit);
    if raised <= current {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    }
}
