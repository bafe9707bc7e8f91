//! What the process asks of the operating system before it serves.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use tracing::warn;

/// File descriptors beside those of connections: to 11VMS, the issuer and the ledger, for logs and files.
const BESIDE: u64 = 1_024;

/// Raises the limit on open files as far as it may be, and has no memory dumped or looked at: it holds tokens and secrets.
pub fn prepare(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDE);
    let allowed = allow_open_files(wanted);
    if allowed < wanted {
        warn!(
            allowed,
            wanted, "fewer files may be open than server.limits.connections and what else is needed: raise ulimit -n"
        );
    }
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not count where cores are piped to a program; this does (prctl(2), PR_SET_DUMPABLE).
    if let Err(error) = no_core.and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable)) {
        warn!(%error, "core dumps can't be switched off: one would hold secrets");
    }
}

/// Raises the limit on open files to what is wanted, at most to what is allowed, and tells what it is then.
pub fn allow_open_files(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (current, most) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let raised = wanted.min(most);
    if raised <= current {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    }
}
