//! GUIDs (RAW16) in the spellings of SAP's serializers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::value::trimmed;
use crate::digest;

/// Bytes of a RAW16.
const GUID_BYTES: usize = 16;

/// The 16 bytes of a RAW16.
pub type GuidBytes = [u8; GUID_BYTES];

/// Base64 of more bytes than a RAW16 has is longer.
const MAX_BASE64_CHARS: usize = 24;

/// A RAW16 GUID in any spelling as 32 lower-case hex digits: hex, hex with dashes (RFC 9562), or base64, whose
/// trailing zero bytes asJSON drops. `None` if the text is no GUID.
pub fn guid(text: &str) -> Option<String> {
    guid_bytes(text).map(|bytes| digest::hex(&bytes))
}

/// The same as bytes.
pub fn guid_bytes(text: &str) -> Option<GuidBytes> {
    let text = trimmed(text);
    hex_bytes(text).or_else(|| {
        // Digits alone are a number that stands in a GUID's place, though they can be read as base64 too.
        if text.len() > MAX_BASE64_CHARS || text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut decoded = [0; MAX_BASE64_CHARS];
        let length = BASE64.decode_slice(text, &mut decoded).ok()?;
        // What was not decoded is zero, as the bytes that asJSON drops.
        decoded.first_chunk().copied().filter(|_| (1..=GUID_BYTES).contains(&length))
    })
}

/// A GUID in hex, with or without dashes, but not in base64: a short one looks like a cart number.
pub fn hex_guid(text: &str) -> Option<String> {
    hex_bytes(trimmed(text)).map(|bytes| digest::hex(&bytes))
}

fn hex_bytes(text: &str) -> Option<GuidBytes> {
    let dashed = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    if !dashed && text.len() != GUID_BYTES * 2 {
        return None;
    }
    if dashed { plain_hex_bytes(text.replace('-', "").as_bytes()) } else { plain_hex_bytes(text.as_bytes()) }
}

fn plain_hex_bytes(digits: &[u8]) -> Option<GuidBytes> {
    let digits: &[u8; GUID_BYTES * 2] = digits.try_into().ok()?;
    let mut bytes = [0; GUID_BYTES];
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let [high, low] = pair.map(hex_value);
        *byte = high << 4 | low;
        all |= high | low;
    }
    (all < NO_DIGIT).then_some(bytes)
}

/// Above every digit's value.
const NO_DIGIT: u8 = 0x10;

/// The values of all bytes as hex digits, or [`NO_DIGIT`].
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const HEX_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < NO_DIGIT {
        let digit = b"0123456789abcdef"[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

fn hex_value(digit: u8) -> u8 {
    HEX_VALUES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT)
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
            "1000",
            "20180131",
            "3000000001300000",
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
