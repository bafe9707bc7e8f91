//! The header of a database's file, read without SQLite (SQLite's file format, §1.3).

use std::fs::File;
use std::io::{self, Read as _};

/// Length of the header.
pub const HEADER_LENGTH: usize = 100;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Offset of the write version, and its value in a file with a write-ahead log.
const WRITE_VERSION: usize = 18;
const WITH_LOG: u8 = 2;

/// Offset of the text's encoding, and its value for UTF-8; it is 0 until there is a table.
const ENCODING: usize = 56;
const UTF_8: u32 = 1;

const USER_VERSION: usize = 60;

/// Offset of the bytes of a page, of which 1 stands for 65,536.
const PAGE_BYTES: usize = 16;

/// Offset of the number of changes, of the number of pages, and of the number of changes for which that is right (§1.3.7).
const CHANGES: usize = 24;
const PAGES: usize = 28;
const PAGES_VALID_FOR: usize = 92;

/// The first bytes of an open file that was not read yet, enough for its header, and its length then.
pub fn start_of(mut file: &File) -> io::Result<(Vec<u8>, u64)> {
    let mut start = Vec::new();
    file.by_ref().take(HEADER_LENGTH as u64).read_to_end(&mut start)?;
    Ok((start, file.metadata()?.len()))
}

/// The header of a database of SQLite.
#[derive(Debug)]
pub struct Header([u8; HEADER_LENGTH]);

impl Header {
    /// Reads the first bytes of a file; `None` if it is no database.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER_LENGTH>()?;
        header.starts_with(MAGIC).then_some(Self(*header))
    }

    /// Whether changes are written to a log first.
    pub fn has_log(&self) -> bool {
        self.0.get(WRITE_VERSION).is_some_and(|version| *version >= WITH_LOG)
    }

    /// Whether its texts are in UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.number(ENCODING) <= UTF_8
    }

    /// The number of schema changes, which programs count there.
    pub fn user_version(&self) -> u32 {
        self.number(USER_VERSION)
    }

    /// Bytes that the file has to have; 0 if it does not say.
    pub fn whole_length(&self) -> u64 {
        let pages = if self.number(CHANGES) == self.number(PAGES_VALID_FOR) { self.number(PAGES) } else { 0 };
        let page = match self.number(PAGE_BYTES) >> 16 {
            1 => 0x1_0000,
            bytes => bytes,
        };
        u64::from(pages) * u64::from(page)
    }

    fn number(&self, at: usize) -> u32 {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_how_long_its_file_is() {
        for (page_bytes, pages, changes, valid_for, length) in [
            ([0x10, 0x00], 3_u32, 7_u32, 7_u32, 12_288),
            ([0x02, 0x00], 1, 0, 0, 512),
            ([0x00, 0x01], 2, 7, 7, 131_072),
            ([0x10, 0x00], u32::MAX, 7, 7, 17_592_186_040_320),
            ([0x10, 0x00], 0, 7, 7, 0),
            ([0x10, 0x00], 3, 8, 7, 0),
        ] {
            let mut bytes = [0; HEADER_LENGTH];
            bytes[..MAGIC.len()].copy_from_slice(MAGIC);
            bytes[PAGE_BYTES..PAGE_BYTES + 2].copy_from_slice(&page_bytes);
            for (at, number) in [(PAGES, pages), (CHANGES, changes), (PAGES_VALID_FOR, valid_for)] {
                bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
            let header = Header::read(&bytes).unwrap();
            assert_eq!(header.whole_length(), length, "{page_bytes:?} {pages} {changes} {valid_for}");
        }
    }
}
