//! The hold on a ledger's file: a lock on the file itself, by its identity, for as long as the ledger is open.
//!
//! The lock is `flock`, which SQLite's own locks (`fcntl`) do not meet. Closing any descriptor of a file ends all `fcntl`
//! locks of the process on it, so the descriptor is closed after SQLite's, and nothing else opens the file.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FallocateFlags, OFlags, fallocate, fstatfs};
use rustix::io::{Errno, retry_on_intr};
use tracing::warn;

use super::header::start_of;
use super::last_write::NOTE_LENGTH;
use super::location::{Identity, beside, inspect};
use super::lock_note::read_note;
use crate::ledger::LedgerError;

/// The files that this process holds: to open one a second time, and to close it again, would end SQLite's locks on it.
static HELD: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());

const IN_USE: &str = "another process uses this ledger; expected one service a file, by whatever path it comes";

/// Permissions of a new file, as SQLite gives them; the process's mask takes from them.
const NEW_FILE_MODE: u32 = 0o644;

/// Room that has to be on the disk: an order takes some ten pages of 4 KiB in the write-ahead log.
const NEEDED_ROOM: u64 = 64 * 1024;

/// Where room is asked for, behind all that `FILE.lock` has.
const ROOM_OFFSET: u64 = 4096;

/// A stop waits for the end of a write, which a slow disk delays; a ledger that takes longer is opened again after it.
const LONGEST_END: Duration = Duration::from_secs(10);

/// File systems of another machine, by their number (statfs(2)). FUSE may be one, and is where a container engine shares
/// the folders of its host.
const NETWORK_FILE_SYSTEMS: [(i64, &str); 9] = [
    (0x6969, "nfs"),
    (0xFF53_4D42, "cifs"),
    (0xFE53_4D42, "smb2"),
    (0x517B, "smb"),
    (0x00C3_6400, "ceph"),
    (0x0102_1997, "9p"),
    (0x0BD0_0BD0, "lustre"),
    (0x5346_414F, "afs"),
    (0x6573_5546, "fuse"),
];

/// Those that make both kinds of locks into one (flock(2)).
const MIXED_LOCKS: [&str; 4] = ["nfs", "cifs", "smb2", "smb"];

/// A locked file. The fields are dropped in this order.
#[derive(Debug)]
pub struct HeldFile {
    /// Open for life; it is never read or written here, but for the header at the start.
    file: File,
    /// `FILE.lock` beside the path without links; it has the [`super::last_write::LastWrite`].
    lock_file: Mutex<LockFile>,
    /// The same beside the path of the settings, if that is a link.
    _lock_beside_link: Option<LockFile>,
    _registered: Registered,
    /// Dropped last: see [`AwaitedEnd`].
    _held: SyncSender<Infallible>,
}

/// Waits, when it is dropped, until the file is held no more, so that who closes a ledger can open it again.
#[derive(Debug)]
pub struct AwaitedEnd(Mutex<Receiver<Infallible>>);

impl Drop for AwaitedEnd {
    fn drop(&mut self) {
        // Nothing is ever sent: the answer is that the other side is gone.
        let _ = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LONGEST_END);
    }
}

/// A locked `FILE.lock`, as programs of earlier versions lock it: an upgrade must not run beside them.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    file: File,
    /// Of the open file, so that a look at the path says whether it is still there.
    identity: Identity,
}

impl LockFile {
    /// Locks the file at a path, and creates it if there is none.
    fn lock(path: PathBuf) -> Result<Self, LedgerError> {
        let problem = |detail: String| LedgerError::unavailable(format!("{}: {detail}", path.display()));
        read_note(&path)?;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = open(&path, flags).map_err(|error| problem(error.to_string()))?;
        let identity = file.metadata().map_err(|error| problem(error.to_string()))?;
        if !identity.is_file() {
            return Err(problem("it was replaced while it was opened; expected nobody else to do that".to_owned()));
        }
        try_lock(&file).map_err(problem)?;
        Ok(Self { identity: Identity::of(&identity), path, file })
    }

    /// Locks it again under its name, if somebody has removed or replaced it.
    fn renew_if_gone(&mut self) {
        let found = self.path.symlink_metadata().map(|metadata| Identity::of(&metadata));
        if !found.is_ok_and(|found| found == self.identity)
            && let Ok(again) = Self::lock(self.path.clone())
        {
            *self = again;
        }
    }
}

#[derive(Debug)]
struct Registered(Identity);

impl Drop for Registered {
    fn drop(&mut self) {
        held().remove(&self.0);
    }
}

fn held() -> MutexGuard<'static, BTreeSet<Identity>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HeldFile {
    /// Locks the file at a resolved path, and creates it if there is none. `configured` is the path of the settings.
    ///
    /// # Errors
    /// If it can't be a ledger's file, or another ledger holds it.
    pub fn lock(path: &Path, configured: &Path) -> Result<(AwaitedEnd, Self), LedgerError> {
        let mut register = held();
        if inspect(path)?.is_some_and(|metadata| register.contains(&Identity::of(&metadata))) {
            return Err(LedgerError::unavailable(IN_USE));
        }
        // Before the file is made: what is beside it may show that this is not its place.
        read_note(&beside(path, ".lock"))?;
        let file = open(path, OFlags::NOFOLLOW | OFlags::NONBLOCK).map_err(|error| {
            LedgerError::unavailable(format!(
                "{error}; expected a file that this user may read and write, and the folder too"
            ))
        })?;
        let network = network_of(&file);
        // Where `flock` is made of `fcntl`, it would lock SQLite out; `FILE.lock` remains.
        if network.is_none_or(|name| !MIXED_LOCKS.contains(&name)) {
            try_lock(&file).map_err(LedgerError::unavailable)?;
        }
        let identity = file.metadata().map(|metadata| Identity::of(&metadata));
        let identity = identity.map_err(LedgerError::unavailable)?;
        if inspect(path)?.is_none_or(|metadata| Identity::of(&metadata) != identity) {
            return Err(LedgerError::unavailable(
                "the file was replaced while it was opened; expected nobody else to do that",
            ));
        }
        let (own, configured) = (beside(path, ".lock"), beside(configured, ".lock"));
        let lock_file = LockFile::lock(own.clone())?;
        let is_link = configured.canonicalize().ok() != own.canonicalize().ok();
        let lock_beside_link = if is_link { Some(LockFile::lock(configured)?) } else { None };
        register.insert(identity);
        let (held, end) = sync_channel(0);
        if let Some(name) = network {
            warn_of_network(name, path);
        }
        let registered = Registered(identity);
        let held = Self {
            file,
            lock_file: Mutex::new(lock_file),
            _lock_beside_link: lock_beside_link,
            _registered: registered,
            _held: held,
        };
        // The end is dropped after the file, also where a start fails.
        Ok((AwaitedEnd(Mutex::new(end)), held))
    }

    /// The first bytes of the file, enough for its header, and its length. SQLite may be writing them, so only before it is
    /// opened.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn start(&self) -> io::Result<(Vec<u8>, u64)> {
        start_of(&self.file)
    }

    /// What `FILE.lock` says; not more than its length.
    pub fn note(&self) -> Vec<u8> {
        let mut note = vec![0; NOTE_LENGTH];
        let read = self.lock_file().file.read_at(&mut note, 0).unwrap_or(0);
        note.truncate(read);
        note
    }

    /// Writes into `FILE.lock`, whole or not at all, and makes it again if somebody has removed it. A text that is too long
    /// leaves the one before.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_note(&self, text: &[u8]) -> io::Result<()> {
        let mut note = [0; NOTE_LENGTH];
        let Some(place) = note.get_mut(..text.len()) else { return Ok(()) };
        place.copy_from_slice(text);
        let mut lock_file = self.lock_file();
        lock_file.renew_if_gone();
        lock_file.file.write_all_at(&note, 0)
    }

    fn lock_file(&self) -> MutexGuard<'_, LockFile> {
        self.lock_file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties the note, and waits until that is on disk.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn empty_note(&self) -> Result<(), LedgerError> {
        let emptied = self.write_note(b"").and_then(|()| self.lock_file().file.sync_data());
        emptied.map_err(|error| LedgerError::unavailable(format!("its file .lock: {error}")))
    }

    /// Checks that the disk has room for the next orders, by asking for it and giving it back. Nothing is written.
    ///
    /// # Errors
    /// If there is none, or the file system takes nothing.
    pub fn check_room(&self) -> Result<(), LedgerError> {
        let lock_file = &self.lock_file().file;
        match retry_on_intr(|| fallocate(lock_file, FallocateFlags::KEEP_SIZE, ROOM_OFFSET, NEEDED_ROOM)) {
            Ok(()) => {}
            // Where room can't be asked for, a write has to show it.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
            Err(error) => {
                return Err(LedgerError::unavailable(format!(
                    "its disk gives no room of {NEEDED_ROOM} bytes: {error}"
                )));
            }
        }
        lock_file.set_len(NOTE_LENGTH as u64).map_err(LedgerError::unavailable)
    }
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(NEW_FILE_MODE);
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

fn try_lock(file: &File) -> Result<(), String> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => IN_USE.to_owned(),
        TryLockError::Error(error) => format!("it can't be locked: {error}"),
    })
}

/// The name of the file system, if it is one of another machine.
fn network_of(file: &File) -> Option<&'static str> {
    let kind = fstatfs(file).ok()?.f_type;
    NETWORK_FILE_SYSTEMS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

fn warn_of_network(name: &str, path: &Path) {
    warn!(
        setting.name = "ledger.url",
        file.path = %path.display(),
        file.system = name,
        "the ledger is on the file system of another machine, whose locks and confirmations can't be trusted: orders may be lost or doubled; expected a local disk"
    );
}
