//! Records and bodies in the form in which a file keeps them: about a third of their text. Pure.
//!
//! A block of LZ4 may refer to a text that both sides know: what most orders have in common, so that a row has little else than what is
//! its order's own. Earlier versions, and people with `sqlite3`, read them after `unpack`.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict, uncompressed_size};
use thiserror::Error;

/// What most orders have in common. It is a part of the form, and never changes: a better one gets the next number.
const COMMON_TEXT: &[u8] = include_bytes!("common_text_1.txt");

/// The form, which is the first byte.
const FORM: u8 = 1;

/// More than LZ4 makes of a byte: a length beyond it is no length.
const MOST_BYTES_OF_ONE: usize = 256;

/// Bytes that are no packed text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it can't be unpacked: {0}")]
pub struct Damaged(String);

/// Packs a text of less than 4 GiB.
pub fn pack(text: &str) -> Vec<u8> {
    let mut packed = compress_prepend_size_with_dict(text.as_bytes(), COMMON_TEXT);
    packed.insert(0, FORM);
    packed
}

/// The text that was packed.
///
/// # Errors
/// If the bytes are damaged, or in the form of a newer version.
pub fn unpack(packed: &[u8]) -> Result<String, Damaged> {
    let damaged = |reason: &dyn ToString| Damaged(reason.to_string());
    let block = match packed {
        [FORM, block @ ..] => block,
        [form, ..] => return Err(damaged(&format!("its form is {form}, expected {FORM}"))),
        [] => return Err(damaged(&"it is empty")),
    };
    let (length, _) = uncompressed_size(block).map_err(|error| damaged(&error))?;
    if length > block.len().saturating_mul(MOST_BYTES_OF_ONE) {
        return Err(damaged(&format!("{} bytes can't have {length} in them", block.len())));
    }
    let text = decompress_size_prepended_with_dict(block, COMMON_TEXT).map_err(|error| damaged(&error))?;
    if text.len() != length {
        return Err(damaged(&format!("it has {} bytes, expected {length}", text.len())));
    }
    String::from_utf8(text).map_err(|error| damaged(&error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::sha256_hex;

    #[test]
    fn the_common_text_is_the_one_that_files_were_written_with() {
        assert_eq!(sha256_hex(COMMON_TEXT), "de5f103de96581b0597c7849f80e2a30764a78734c1548bb5ba3131f21ec001b");
    }

    #[test]
    fn what_the_first_version_wrote_is_read() {
        let text = r#"{"id":"4711","cart_number":"0000004711","state":"created"}"#;
        let written = "013a000000127b9b01303437319f030ae3020077012330301b000033010300026061746564227d";
        let byte = |at: usize| u8::from_str_radix(&written[at..at + 2], 16).unwrap();
        let written: Vec<u8> = (0..written.len()).step_by(2).map(byte).collect();
        assert_eq!(unpack(&written).as_deref(), Ok(text));
        assert!(pack(text).len() < lz4_flex::block::compress(text.as_bytes()).len(), "with what orders have in common");
    }

    #[test]
    fn an_order_takes_less_than_half_of_its_text() {
        let body = include_str!("../../../mapping/examples/asjson-sample.order.json");
        let body = serde_json::from_str::<serde_json::Value>(body).unwrap().to_string();
        assert!(pack(&body).len() * 2 < body.len(), "{} of {}", pack(&body).len(), body.len());
    }

    #[test]
    fn what_is_damaged_is_told_and_takes_no_memory() {
        let packed = pack("{\"id\":\"4711\"}");
        let huge = [&[FORM][..], &u32::MAX.to_le_bytes(), b"xxxx"].concat();
        let no_text = [FORM].into_iter().chain(lz4_flex::block::compress_prepend_size(&[0xff; 40])).collect();
        let mut other_form = packed.clone();
        other_form[0] = 2;
        for (damaged, reason) in [
            (vec![], "it is empty"),
            (vec![FORM, 1], ""),
            (huge, "8 bytes can't have 4294967295 in them"),
            (no_text, "utf-8"),
            (other_form, "its form is 2, expected 1"),
            (packed[..packed.len() - 1].to_vec(), ""),
        ] {
            let error = unpack(&damaged).unwrap_err().to_string();
            assert!(error.starts_with("it can't be unpacked: ") && error.contains(reason), "{damaged:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_as_it_was(text in any::<String>(), repeated in 0_usize..2_000) {
            let text = text.repeat(1 + repeated % 7) + &"x".repeat(repeated);
            prop_assert_eq!(unpack(&pack(&text)), Ok(text));
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&[&[FORM][..], &bytes].concat());
        }
    }
}
