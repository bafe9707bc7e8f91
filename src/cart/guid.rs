//! GUIDs (RAW16) in the spellings of SAP's serializers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest;

/// Bytes of a RAW16.
const GUID_BYTES: usize = 16;

/// A RAW16 GUID in any spelling as 32 lower-case hex digits: hex, hex with dashes (RFC 9562), or base64, whose
/// trailing zero bytes asJSON drops. `None` if the text is no GUID.
pub fn guid(text: &str) -> Option<String> {
    hex_guid(text).or_else(|| {
        let bytes = BASE64.decode(text.trim()).ok();
        let mut bytes = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= GUID_BYTES)?;
        bytes.resize(GUID_BYTES, 0);
        Some(digest::hex(&bytes))
    })
}

/// A GUID in hex, with or without dashes, but not in base64: a short one looks like a cart number.
pub fn hex_guid(text: &str) -> Option<String> {
    let text = text.trim();
    let dashed = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    let plain = if dashed { text.replace('-', "") } else { text.to_owned() };
    let is_hex = plain.len() == GUID_BYTES * 2 && plain.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| plain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_guid_is_the_same_in_hex_with_dashes_and_in_base64() {
        let hex = "005056a207c81ed1bfc6b69e72f50550";
        for spelling in [
            hex,
            "005056A207C81ED1BFC6B69E72F50550",
            "005056a2-07c8-1ed1-bfc6-b69e72f50550",
            "AFBWogfIHtG/xraecvUFUA==",
        ] {
            assert_eq!(guid(spelling).as_deref(), Some(hex), "{spelling}");
        }
    }

    #[test]
    fn other_texts_are_not_read_as_a_guid() {
        for text in [
            "",
            "1000004711",
            "AFBWogfIHtG/xraecvUFUAAA",
            "005056a207c81ed1bfc6b69e72f5055g",
            "AFBWogfIHtG_xraecvUFUA==",
        ] {
            assert_eq!(guid(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_guid_survives_base64_with_its_trailing_zero_bytes_dropped(bytes in prop::array::uniform16(any::<u8>()), zeros in 0usize..15) {
            let mut bytes = bytes;
            bytes.iter_mut().rev().take(zeros).for_each(|b| *b = 0);
            let kept = bytes.iter().rposition(|b| *b != 0).map_or(1, |last| last + 1);
            let short = BASE64.encode(&bytes[..kept]);
            prop_assert_eq!(guid(&short), Some(digest::hex(&bytes)));
        }
    }
}
