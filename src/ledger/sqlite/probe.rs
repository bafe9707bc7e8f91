//! A look at a ledger file that leaves no trace: no lock, no connection, no file beside it.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use super::check_location;
use super::file_record::FileRecord;
use super::header::{Header, start_of};
use super::last_write::LastWrite;
use super::location::{as_folder, beside, folder_of, resolve};
use super::lock_note::read_note;
use super::schema::{latest, open_untouched};
use super::session::{Evidence, Log};
use crate::ledger::LedgerError;

/// The file's state for people.
///
/// # Errors
/// Why a service of this user could not use it.
pub fn probe(path: &Path) -> Result<String, String> {
    let name = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return probe_missing(path),
        Err(error) => return Err(format!("{name}: {error}")),
    };
    if !metadata.is_file() {
        return Err(format!("{name} is no file; expected the file of the ledger, or none yet"));
    }
    let (start, length) =
        File::open(path).and_then(|file| start_of(&file)).map_err(|error| format!("{name}: {error}"))?;
    let header = Header::read(&start);
    if header.is_none() && !start.is_empty() {
        return Err(format!("{name} is no SQLite database"));
    }
    if let Some(process) = holder(metadata.ino()).or_else(|| holder_of_lock(path)) {
        return used(path, header.as_ref(), process);
    }
    let known = latest();
    let version = header.as_ref().map_or(0, |header| i64::from(header.user_version()));
    if version > known {
        return Err(format!("{name}: its schema is version {version}, this program knows {known}"));
    }
    if header.is_some_and(|header| !header.is_utf8()) {
        return Err(format!("{name}: its text is in UTF-16; expected UTF-8"));
    }
    check_location(path).map_err(|error| error.to_string())?;
    expect_writable(path)?;
    expect_writable(folder_of(path))?;
    let log = expect_no_loss(path, &start, length).map_err(|error| format!("{name}: {}", error.reason()))?;
    let rest = match log {
        Log::Missing => "",
        Log::Present => "; the next start reads its write-ahead log, and says whether that is whole",
    };
    Ok(format!("{name} can be written; schema version {version}, used by nobody now{rest}"))
}

/// A file that a process holds. Only that process knows whether it can write; but not without its log.
fn used(path: &Path, header: Option<&Header>, process: u32) -> Result<String, String> {
    let name = path.display();
    let log = resolve(path).map_err(|error| error.reason())?;
    let has_log = ["-wal", "-shm"].into_iter().all(|ending| beside(&log, ending).exists());
    if header.is_some_and(Header::has_log) && !has_log {
        return Err(format!(
            "{name} is in use by process {process}, but FILE-wal or FILE-shm is not beside it: they were moved or removed"
        ));
    }
    Ok(format!("{name} is in use by process {process}; whether it can be written, the service's /readyz says"))
}

/// What a start would find missing, as far as that shows without reading the log.
fn expect_no_loss(path: &Path, start: &[u8], length: u64) -> Result<Log, LedgerError> {
    let path = resolve(path)?;
    let log = Log::find(&path)?;
    log.expect_to_fit(start)?;
    log.expect_whole(&path, start, length)?;
    if log == Log::Missing {
        let connection = open_untouched(&path)?;
        let last_write = read_note(&beside(&path, ".lock"))?;
        let evidence = Evidence { record: FileRecord::read(&connection)?, last_write, log };
        if let Some(loss) = evidence.loss(&connection)? {
            return Err(LedgerError::unavailable(format!("{loss}; a start is refused")));
        }
    }
    Ok(log)
}

fn probe_missing(path: &Path) -> Result<String, String> {
    let name = path.display();
    if let Some(process) = holder_of_lock(path) {
        return Err(format!("{name} was moved or removed, and process {process} uses it still"));
    }
    check_location(path).map_err(|error| error.to_string())?;
    if folder_of(path).exists() {
        let beside_it = resolve(path).and_then(|path| read_note(&beside(&path, ".lock")));
        if let Some(write) = beside_it.map_err(|error| error.reason())?.filter(LastWrite::is_of_order) {
            return Err(format!(
                "{name} is missing, and had orders: FILE.lock names the last of them, {}; a start is refused",
                write.order
            ));
        }
    }
    let existing = path.ancestors().skip(1).map(as_folder).find(|folder| folder.exists());
    expect_writable(existing.unwrap_or(Path::new("/")))?;
    Ok(format!("{} does not exist yet, and is created at the first start", path.display()))
}

fn expect_writable(path: &Path) -> Result<(), String> {
    access(path, Access::WRITE_OK).map_err(|error| format!("{} can't be written by this user: {error}", path.display()))
}

/// The process that holds the lock beside the file.
fn holder_of_lock(path: &Path) -> Option<u32> {
    holder(std::fs::metadata(beside(path, ".lock")).ok()?.ino())
}

/// The process that holds a lock on an inode, from `/proc/locks` (proc(5)): to try a lock would be to take it for a moment.
/// Devices are not compared, because those of some file systems have two numbers.
pub fn holder(inode: u64) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        // `1: FLOCK  ADVISORY  WRITE 4242 08:01:1234 0 EOF`; a line with `->` is a process that waits.
        let mut fields = line.split_whitespace().skip_while(|field| field.ends_with(':'));
        let process = fields.by_ref().nth(3)?.parse().ok()?;
        let (_, locked) = fields.next()?.rsplit_once(':')?;
        (locked.parse() == Ok(inode)).then_some(process)
    })
}
