//! The text of a body or of a file by its bytes: JSON is UTF-8 (RFC 8259 §8.1), and every other encoding is named.

use thiserror::Error;

/// The byte order mark of UTF-8, which editors on Windows put in front.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Bytes that are no UTF-8, in words that follow "the body is" or the name of a file and "is".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ForeignEncoding {
    /// Another encoding of Unicode, by its byte order mark, or by the zeros in the first characters, which are ASCII in JSON.
    #[error("in {0}; expected UTF-8")]
    Unicode(&'static str),
    /// Anything else: mostly one byte a character.
    #[error(
        "no UTF-8 from byte {at} on (0x{byte:02X}, as ISO-8859-1 and Windows-1252 write letters beyond ASCII); expected UTF-8"
    )]
    Other {
        /// Counted from 0.
        at: usize,
        /// The byte there.
        byte: u8,
    },
}

/// The text of UTF-8, without a byte order mark.
///
/// # Errors
/// The encoding that it is instead.
pub fn utf8_text(bytes: &[u8]) -> Result<&str, ForeignEncoding> {
    if let Some(encoding) = unicode(bytes) {
        return Err(ForeignEncoding::Unicode(encoding));
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
    std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        let byte = text.get(at).copied().unwrap_or_default();
        ForeignEncoding::Other { at: at + bytes.len() - text.len(), byte }
    })
}

/// The other encoding of Unicode that a text begins with. UTF-32 in little endian begins with the mark of UTF-16.
fn unicode(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [1..=255, 0, 0, 0, ..] => Some("UTF-32 (little endian)"),
        [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, 1..=255, ..] => Some("UTF-32 (big endian)"),
        [0xFF, 0xFE, ..] | [1..=255, 0, 1..=255, 0, ..] | [1..=255, 0] => Some("UTF-16 (little endian)"),
        [0xFE, 0xFF, ..] | [0, 1..=255, 0, 1..=255, ..] | [0, 1..=255] => Some("UTF-16 (big endian)"),
        [0, ..] | [_, 0, ..] | [_, _, 0, ..] | [_, _, _, 0, ..] => Some("UTF-16 or UTF-32"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_read_with_or_without_a_byte_order_mark() {
        for bytes in ["{}".as_bytes(), b"\xEF\xBB\xBF{}"] {
            assert_eq!(utf8_text(bytes), Ok("{}"));
        }
        assert_eq!(utf8_text("\"Stück\"".as_bytes()), Ok("\"Stück\""));
        assert_eq!(utf8_text(b""), Ok(""));
    }

    #[test]
    fn every_other_encoding_is_named() {
        let text = "{\"A\":\"ü\"}";
        let utf_16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let utf_32 = |bytes: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| bytes(u32::from(c))).collect::<Vec<u8>>();
        let (le_16, be_16) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
        let (le_32, be_32) = (utf_32(u32::to_le_bytes), utf_32(u32::to_be_bytes));
        for (bytes, encoding) in [
            (le_16.clone(), "UTF-16 (little endian)"),
            ([b"\xFF\xFE", le_16.as_slice()].concat(), "UTF-16 (little endian)"),
            (be_16.clone(), "UTF-16 (big endian)"),
            ([b"\xFE\xFF", be_16.as_slice()].concat(), "UTF-16 (big endian)"),
            (le_32.clone(), "UTF-32 (little endian)"),
            ([b"\xFF\xFE\0\0", le_32.as_slice()].concat(), "UTF-32 (little endian)"),
            (be_32.clone(), "UTF-32 (big endian)"),
            ([b"\0\0\xFE\xFF", be_32.as_slice()].concat(), "UTF-32 (big endian)"),
            (b"{\"\0\"".to_vec(), "UTF-16 or UTF-32"),
        ] {
            let error = utf8_text(&bytes).unwrap_err();
            assert_eq!(error.to_string(), format!("in {encoding}; expected UTF-8"), "{bytes:?}");
        }
        let latin_1 = utf8_text(b"\xEF\xBB\xBF{\"A\":\"\xFC\"}").unwrap_err();
        assert_eq!(latin_1, ForeignEncoding::Other { at: 9, byte: 0xFC });
        assert!(latin_1.to_string().contains("0xFC, as ISO-8859-1"), "{latin_1}");
    }
}
