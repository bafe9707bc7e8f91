//! The files that settings name, read so that no wrong name hangs or fills the memory, and as text however an editor has saved
//! them.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// The bundles of certificates that systems trust have 200 to 400 KiB; a longer file is another one.
const MAX_BYTES: u64 = 1024 * 1024;

/// What editors on Windows begin a text in UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a whole file. A link to one is followed: Kubernetes mounts settings and secrets as links.
///
/// A byte order mark of UTF-8 is left out. Other bytes are returned as they are: they may be DER, whose reader says so, or text
/// of which only a part counts.
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
    Ok(without_mark(content))
}

/// The same for a file of text.
///
/// # Errors
/// As [`read`], and if it is no text in UTF-8, by what it is instead.
pub fn read_text(path: &Path) -> io::Result<String> {
    text(read(path)?)
}

/// What was read, as text.
///
/// # Errors
/// As [`read_text`].
pub fn text(content: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(content).map_err(|error| unexpected(no_text(error.as_bytes())))?;
    if text.contains('\0') {
        return Err(unexpected("it contains a NUL, as UTF-16 does without a byte order mark; expected text in UTF-8"));
    }
    Ok(text)
}

/// The bytes behind the byte order marks of UTF-8; joined files have several.
fn without_mark(content: Vec<u8>) -> Vec<u8> {
    let mut rest = content.as_slice();
    while let Some(behind) = rest.strip_prefix(BYTE_ORDER_MARK) {
        rest = behind;
    }
    if rest.len() == content.len() { content } else { rest.to_vec() }
}

/// What bytes are that are no text in UTF-8.
fn no_text(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "it is text in UTF-16; expected text in UTF-8: save it so",
        // A SEQUENCE (X.690 §8.9): a key or certificate that is no PEM.
        [0x30, ..] => "it is DER or PKCS #12; a key or certificate has to be PEM; expected text in UTF-8",
        _ => "it is no text, or text in another encoding, such as Windows-1252; expected text in UTF-8",
    }
}

fn unexpected(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
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

    #[test]
    fn text_is_read_however_an_editor_saved_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for (content, expected) in [
            ("gr\u{fc}n\r\n".as_bytes().to_vec(), Ok("gr\u{fc}n\r\n")),
            ("\u{feff}gr\u{fc}n".as_bytes().to_vec(), Ok("gr\u{fc}n")),
            ("\u{feff}\u{feff}gr\u{fc}n".as_bytes().to_vec(), Ok("gr\u{fc}n")),
            (b"\xEF\xBB\xBF".to_vec(), Ok("")),
            (utf_16("\u{feff}plain", u16::to_le_bytes), Err("it is text in UTF-16; expected text in UTF-8")),
            (utf_16("\u{feff}plain", u16::to_be_bytes), Err("it is text in UTF-16; expected text in UTF-8")),
            (utf_16("plain", u16::to_le_bytes), Err("it contains a NUL")),
            (utf_16("plain", u16::to_be_bytes), Err("it contains a NUL")),
            (b"\x30\x82\xFF".to_vec(), Err("it is DER or PKCS #12")),
            (b"gr\xFCn".to_vec(), Err("it is no text, or text in another encoding")),
        ] {
            fs::write(&file, &content).unwrap();
            match (read_text(&file), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{content:?}"),
                (Err(found), Err(expected)) => assert!(found.to_string().contains(expected), "{content:?}: {found}"),
                (found, expected) => panic!("{content:?}: {found:?}, expected {expected:?}"),
            }
        }
        fs::write(&file, b"gr\xFCn").unwrap();
        assert_eq!(read(&file).unwrap(), b"gr\xFCn", "what is no text is left alone");
    }
}
