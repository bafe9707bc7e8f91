//! Where a ledger's file is: links resolved, and whatever else than a file of its own is refused.
//!
//! SQLite finds the write-ahead log beside the name by which the file was opened. A second name in another folder (a hard
//! link, a file that is mounted alone) would have a log of its own, and both would be the ledger.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{self, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Statx, StatxAttributes, StatxFlags, statx};
use rustix::io::Errno;

use crate::ledger::LedgerError;
use crate::settings_file::name_of;

/// Links that are followed one after the other, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// What SQLite puts beside a file: the write-ahead log, its index, and the journal of a file without such a log.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The device and the inode of a file, which a rename or another path to it does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of a file whose metadata was read.
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The path of a file beside another one: its name, and an ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// An error with the setting and the path that it is about.
pub fn named(path: &Path, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Unavailable(detail) => {
            LedgerError::unavailable(format!("ledger.url: {}: {detail}", path.display()))
        }
        other => other,
    }
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().map_or(Path::new("/"), as_folder)
}

/// The folder that a path names: the present one, if it is empty.
pub fn as_folder(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// The one path without links; the file itself need not exist yet, its folder does.
///
/// # Errors
/// If the path leads nowhere.
pub fn resolve(path: &Path) -> Result<PathBuf, LedgerError> {
    let problem = |at: &Path, error: io::Error| LedgerError::unavailable(format!("{}: {error}", at.display()));
    let mut at = path::absolute(path).map_err(|error| problem(path, error))?;
    for _ in 0..MAX_LINKS {
        let (Some(folder), Some(name)) = (at.parent(), at.file_name()) else {
            return Err(LedgerError::unavailable("the path names no file"));
        };
        let folder = fs::canonicalize(folder).map_err(|error| problem(folder, error))?;
        let own = folder.join(name);
        match fs::read_link(&own) {
            Ok(target) => at = folder.join(target),
            // EINVAL: it is no link. What else is wrong with it is found when it is looked at.
            Err(_) => return Ok(own),
        }
    }
    Err(LedgerError::unavailable(format!("more than {MAX_LINKS} links lead from one to the next")))
}

/// Looks at the resolved path, and at what SQLite puts beside it; `None` if there is no file yet.
///
/// # Errors
/// If something there can't be a ledger, or belongs to none.
pub fn inspect(path: &Path) -> Result<Option<Metadata>, LedgerError> {
    for ending in COMPANIONS {
        let companion = beside(path, ending);
        inspect_file(&companion)
            .map_err(|reason| LedgerError::unavailable(format!("{}: {reason}", companion.display())))?;
    }
    inspect_file(path).map_err(LedgerError::unavailable)
}

/// Looks at one file; `None` if there is none.
///
/// # Errors
/// If it is no file of its own.
pub fn inspect_file(path: &Path) -> Result<Option<Metadata>, String> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.is_file() {
        return Err(format!("it is {}; expected a file, or none yet", name_of(metadata.file_type())));
    }
    if metadata.nlink() > 1 {
        return Err(format!(
            "the file has {} names (hard links), and each would have a write-ahead log of its own; expected one name: \
             remove the others, or make them copies",
            metadata.nlink()
        ));
    }
    if is_mount_point(path).map_err(|error| error.to_string())? {
        return Err(
            "the file is mounted alone (a bind mount of one file, a subPath), so its write-ahead log would be in \
                    another place, and be lost; expected its whole folder to be mounted"
                .to_owned(),
        );
    }
    Ok(Some(metadata))
}

/// Whether something is mounted on the path itself: a single file has the device of the file system that it comes from.
fn is_mount_point(path: &Path) -> io::Result<bool> {
    let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS);
    if let Some(is_mount_point) = said_by_kernel(&found)? {
        return Ok(is_mount_point);
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok(lists_mount_point(&mounts, path))
}

/// What the kernel says itself; `None` where only its list of mounts does: before Linux 5.8, or where a sandbox (seccomp)
/// does not let the question through.
fn said_by_kernel(found: &rustix::io::Result<Statx>) -> io::Result<Option<bool>> {
    match found {
        Ok(found) if found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            Ok(Some(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)))
        }
        Ok(_) | Err(Errno::PERM | Errno::NOSYS) => Ok(None),
        Err(error) => Err((*error).into()),
    }
}

/// Whether a list of mounts (proc(5), `mountinfo`) has one at the path: its fifth field, with blanks in octal.
fn lists_mount_point(mounts: &str, path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let path = path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012");
    mounts.lines().any(|mount| mount.split(' ').nth(4) == Some(path.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_mounts_names_a_file_that_is_mounted_alone() {
        let mounts =
            "22 1 254:0 / / rw - ext4 /dev/vda rw\n80 22 254:0 /x/a\\040b.db /data/a\\040b.db rw - ext4 /dev/vda rw";
        assert!(lists_mount_point(mounts, Path::new("/data/a b.db")));
        assert!(!lists_mount_point(mounts, Path::new("/data")));
        assert!(!lists_mount_point(mounts, Path::new("/x/a b.db")));
    }

    #[test]
    fn where_a_sandbox_refuses_the_question_the_list_of_mounts_answers() {
        for error in [Errno::PERM, Errno::NOSYS] {
            assert_eq!(said_by_kernel(&Err(error)).unwrap(), None, "{error}");
        }
        assert_eq!(said_by_kernel(&Err(Errno::ACCESS)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let asked =
            |path| said_by_kernel(&statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)).unwrap();
        assert!(asked("/proc").is_none_or(|is_mount_point| is_mount_point));
        assert!(asked("/proc/self/status").is_none_or(|is_mount_point| !is_mount_point));
    }
}
