//! What is at the place of `FILE.lock`, looked at before anything is written there: no link is followed, and what is no
//! note of a ledger stays as it is.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use super::last_write::{LastWrite, NOTE_LENGTH};
use super::location::inspect_file;
use crate::ledger::LedgerError;

/// More than a note has, and less than a mistake may have: room that was asked for beside it reads as zeros.
const MAX_LENGTH: u64 = 128 * 1024;

/// Reads the note; none, if there is no file yet.
///
/// # Errors
/// If it is no regular file of its own, or has something else in it; names it, and what to do.
pub fn read_note(path: &Path) -> Result<Option<LastWrite>, LedgerError> {
    let problem = |detail: String| LedgerError::unavailable(format!("{}: {detail}", path.display()));
    if inspect_file(path).map_err(problem)?.is_none() {
        return Ok(None);
    }
    let content = read(path).map_err(|error| problem(error.to_string()))?;
    parse(&content).ok_or_else(|| {
        problem(
            "it is neither empty nor the note of a ledger, and is not overwritten; expected a file of this service: move \
             it away, or correct ledger.url, and start again"
                .to_owned(),
        )
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let mut content = Vec::new();
    file.take(MAX_LENGTH).read_to_end(&mut content)?;
    Ok(content)
}

/// The outer `None` is something else. Zeros are what a note leaves that was taken back.
#[expect(clippy::option_option, reason = "the inner option is a file without a note, the outer one no file of ours")]
fn parse(content: &[u8]) -> Option<Option<LastWrite>> {
    let length = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = content.get(..length).filter(|text| text.len() <= NOTE_LENGTH)?;
    if text.is_empty() {
        return Some(None);
    }
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    if line.contains(&b'\n') {
        return None;
    }
    LastWrite::read(line).map(Some)
}
