//! Limits of the process that the operating system enforces: open files, core dumps.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use tracing::warn;

/// File descriptors in addition to those of connections: for 11VMS, the issuer, the ledger, logs and files.
const OTHER_OPEN_FILES: u64 = 1_024;

/// What the operating system did not permit.
#[derive(Debug)]
#[must_use = "an operator has to learn of it"]
pub struct Refused {
    open_files: Option<OpenFiles>,
    core_dumps: Option<Errno>,
}

/// A limit on open files that is too low.
#[derive(Debug)]
struct OpenFiles {
    limit: u64,
    wanted: u64,
}

/// Raises the limit on open files as far as the system permits, and prevents core dumps and foreign access to the memory,
/// which contains tokens and secrets.
pub fn prepare(connections: usize) -> Refused {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_OPEN_FILES);
    let limit = raise_open_file_limit(wanted);
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit has no effect where cores are piped to a program; this flag has (prctl(2), PR_SET_DUMPABLE).
    let core_dumps = no_core.and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable)).err();
    Refused { open_files: (limit < wanted).then_some(OpenFiles { limit, wanted }), core_dumps }
}

impl Refused {
    /// Reports it, with what follows from it.
    pub fn warn(&self) {
        if let Some(OpenFiles { limit, wanted }) = self.open_files {
            warn!(
                process.open_file_limit = limit,
                process.open_files_wanted = wanted,
                "the limit on open files is too low for server.limits.connections: under full load, connections are refused and carts wait; raise it (ulimit -n)"
            );
        }
        if let Some(error) = self.core_dumps {
            warn!(error.message = %error, "core dumps can't be switched off: a dump would contain tokens and secrets");
        }
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
