//! The process as Linux sees it (proc(5)). Elsewhere, and where it can't be read, there are no such metrics.

use std::fs;
use std::str::FromStr;

use rustix::process::{Resource, getrlimit};

use super::catalogue;
use super::exposition::Exposition;

/// `USER_HZ`: Linux shows times in hundredths of a second, whatever the kernel counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// `VmRSS` and `VmSize` are in KiB.
const KIB: f64 = 1_024.0;

/// The fields of `/proc/self/stat` behind the name in brackets, counted from 0.
mod field {
    pub const USER_TIME: usize = 11;
    pub const KERNEL_TIME: usize = 12;
    pub const THREADS: usize = 17;
    pub const START: usize = 19;
}

/// Writes them.
pub fn expose(text: &mut Exposition) {
    if let Ok(stat) = fs::read_to_string("/proc/self/stat") {
        // The name may have spaces and brackets of its own.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| f64::from_str(field).ok());
        if let (Some(user), Some(kernel)) = (number(field::USER_TIME), number(field::KERNEL_TIME)) {
            text.value(&catalogue::CPU, (user + kernel) / TICKS_PER_SECOND);
        }
        if let Some(threads) = number(field::THREADS) {
            text.value(&catalogue::THREADS, threads);
        }
        if let (Some(boot), Some(start)) = (boot_time(), number(field::START)) {
            text.value(&catalogue::START, boot + start / TICKS_PER_SECOND);
        }
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        for (name, metric) in [("VmRSS:", &catalogue::RESIDENT), ("VmSize:", &catalogue::VIRTUAL)] {
            if let Some(kib) = value_after(&status, name) {
                text.value(metric, kib * KIB);
            }
        }
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder itself.
        let open = u32::try_from(files.count().saturating_sub(1)).unwrap_or(u32::MAX);
        text.value(&catalogue::OPEN_FILES, f64::from(open));
    }
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        text.begin(&catalogue::MAX_FILES).add_count(&[], limit);
    }
}

/// When the machine was started, in seconds since 1970.
fn boot_time() -> Option<f64> {
    value_after(&fs::read_to_string("/proc/stat").ok()?, "btime")
}

/// The number behind the word that begins a line.
fn value_after(text: &str, word: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}
