//! A look at a ledger file that leaves no trace: no lock, no connection, no file beside it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use super::check_location;
use super::header::{HEADER_LENGTH, Header};
use super::location::{as_folder, beside, folder_of};
use super::schema::latest;

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
    let start = read_start(path).map_err(|error| format!("{name}: {error}"))?;
    let header = Header::read(&start);
    if header.is_none() && !start.is_empty() {
        return Err(format!("{name} is no SQLite database"));
    }
    if let Some(process) = holder(metadata.ino()).or_else(|| holder_of_lock(path)) {
        return Ok(format!("{name} is in use by the running service, process {process}"));
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
    Ok(format!("{name} can be written; schema version {version}, used by nobody now"))
}

fn probe_missing(path: &Path) -> Result<String, String> {
    let existing = path.ancestors().skip(1).map(as_folder).find(|folder| folder.exists());
    expect_writable(existing.unwrap_or(Path::new("/")))?;
    Ok(format!("{} does not exist yet, and is created at the first start", path.display()))
}

fn expect_writable(path: &Path) -> Result<(), String> {
    access(path, Access::WRITE_OK).map_err(|error| format!("{} can't be written by this user: {error}", path.display()))
}

/// The first bytes of the file; none of an empty one.
fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(HEADER_LENGTH as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The process that holds the lock beside the file.
fn holder_of_lock(path: &Path) -> Option<u32> {
    holder(std::fs::metadata(beside(path, ".lock")).ok()?.ino())
}

/// The process that holds a lock on an inode, from `/proc/locks` (proc(5)): to try a lock would be to take it for a moment.
/// Devices are not compared, because those of some file systems have two numbers.
fn holder(inode: u64) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        // `1: FLOCK  ADVISORY  WRITE 4242 08:01:1234 0 EOF`; a line with `->` is a process that waits.
        let mut fields = line.split_whitespace().skip_while(|field| field.ends_with(':'));
        let process = fields.by_ref().nth(3)?.parse().ok()?;
        let (_, locked) = fields.next()?.rsplit_once(':')?;
        (locked.parse() == Ok(inode)).then_some(process)
    })
}
