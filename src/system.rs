//! What the process asks of the operating system before it serves.

use rlimit::Resource;
use tracing::warn;

/// File descriptors beside those of connections: to 11VMS, the issuer and the ledger, for logs and files.
const BESIDE: u64 = 1_024;

/// Raises the limit on open files as far as it may be, and has no core dumped: a dump would hold tokens and secrets.
pub fn prepare(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDE);
    // It is never lowered: the soft limit may be higher already.
    let allowed = rlimit::increase_nofile_limit(wanted.max(soft_limit())).unwrap_or_else(|_| soft_limit());
    if allowed < wanted {
        warn!(
            allowed,
            wanted,
            "the limit on open files is below server.limits.connections and what else is needed: raise it (ulimit -n)"
        );
    }
    if let Err(error) = rlimit::setrlimit(Resource::CORE, 0, 0) {
        warn!(%error, "core dumps can't be switched off: one would hold secrets");
    }
}

fn soft_limit() -> u64 {
    rlimit::getrlimit(Resource::NOFILE).map_or(0, |(soft, _)| soft)
}
