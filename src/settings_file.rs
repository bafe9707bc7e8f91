//! The files that settings name, read so that no wrong name hangs or fills the memory.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// The bundles of certificates that systems trust have 200 to 400 KiB; a longer file is another one.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads a whole file. A link to one is followed: Kubernetes mounts settings and secrets as links.
///
/// # Errors
/// If it can't be read, is no regular file (a named pipe would be waited for, a device may have no end), or is longer than
/// 1 MiB. The error does not name the file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: to open a device may have an effect.
    expect_regular(fs::metadata(path)?.file_type())?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    expect_regular(file.metadata()?.file_type())?;
    let mut content = Vec::new();
    read_at_most(&file, &mut content)?;
    Ok(content)
}

/// The same for a file of text.
///
/// # Errors
/// As [`read`], and if the text is not in UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("expected text in UTF-8: {error}")))
}

/// Not by its length, which some file systems do not say.
fn read_at_most(file: &File, content: &mut Vec<u8>) -> io::Result<()> {
    if file.take(MAX_BYTES + 1).read_to_end(content)? as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB; expected a shorter file"));
    }
    Ok(())
}

fn expect_regular(file_type: FileType) -> io::Result<()> {
    if file_type.is_file() {
        return Ok(());
    }
    let problem = format!("it is {}; expected a regular file", name_of(file_type));
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// What a path leads to, in words.
pub fn name_of(file_type: FileType) -> &'static str {
    if file_type.is_file() {
        "a file"
    } else if file_type.is_dir() {
        "a folder"
    } else if file_type.is_symlink() {
        "a link"
    } else if file_type.is_fifo() {
        "a named pipe"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn only_regular_files_of_a_sensible_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "content").unwrap();
        fs::write(path("longest"), vec![b'x'; 1024 * 1024]).unwrap();
        fs::write(path("longer"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
        symlink("file", path("link")).unwrap();
        mkfifoat(CWD, path("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        symlink("pipe", path("link to a pipe")).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        assert_eq!(read(&path("file")).unwrap(), b"content");
        assert_eq!(read_text(&path("link")).unwrap(), "content");
        assert_eq!(read(&path("longest")).unwrap().len(), 1024 * 1024);
        for (path, expected) in [
            (path("longer"), "longer than 1 MiB"),
            (path("pipe"), "a named pipe; expected a regular file"),
            (path("link to a pipe"), "a named pipe; expected a regular file"),
            (path("socket"), "a socket; expected a regular file"),
            (path("."), "a folder; expected a regular file"),
            (PathBuf::from("/dev/zero"), "a device; expected a regular file"),
            (PathBuf::from("/dev/null"), "a device; expected a regular file"),
            (path("none"), "No such file"),
        ] {
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{}: {error}", path.display());
        }
    }
}
