//! A small file system that can be filled.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A tmpfs; unmounted with this handle.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one with these options; `None`, said loudly, where nothing may be mounted; on CI that is a failure.
    pub fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        if mounted.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self { folder });
        }
        let text = format!("NOT RUN: a tmpfs can't be mounted, which needs root: {mounted:?}");
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
        None
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// From now on nobody writes to it.
    pub fn make_read_only(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()).status();
        assert!(remounted.unwrap().success());
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while file.write(&[0; 512]).is_ok_and(|written| written > 0) {}
    }

    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: files may not be closed yet.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
