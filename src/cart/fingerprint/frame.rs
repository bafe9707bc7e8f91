//! Texts with their length before them, so that no text can imitate another one and its neighbour.
//!
//! A length below 254 is one byte: that is nearly every one, and what is hashed costs as much as all the rest. The byte 255
//! comes before four bytes of a longer one, and 254 is no length.

/// Comes before the four bytes of a length.
const LONG: u8 = 0xff;

/// In the place of a length: there is no further text.
pub const END: u8 = 0xfe;

/// Bytes of the length before nearly every text.
pub const LENGTH_BYTES: usize = 1;

/// Writes a text with its length before it.
pub fn framed(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    bytes.push(0);
    let start = bytes.len();
    write(bytes);
    set_length(bytes, start);
}

/// Writes the length of the text from `start` to the end into the byte before it, which makes room if it has to.
#[inline]
pub fn set_length(bytes: &mut Vec<u8>, start: usize) {
    let length = bytes.len() - start;
    let short = u8::try_from(length).ok().filter(|short| *short < END);
    if let Some(place) = start.checked_sub(LENGTH_BYTES).and_then(|place| bytes.get_mut(place)) {
        *place = short.unwrap_or(LONG);
    }
    if short.is_none() {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        bytes.splice(start..start, length.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_one_byte_or_five() {
        for (length, before) in [
            (0, &[0][..]),
            (253, &[253]),
            (254, &[255, 254, 0, 0, 0]),
            (255, &[255, 255, 0, 0, 0]),
            (70_000, &[255, 0x70, 0x11, 1, 0]),
        ] {
            let mut bytes = vec![7];
            framed(&mut bytes, |bytes| bytes.resize(bytes.len() + length, b'x'));
            let expected = [&[7], before, &b"x".repeat(length)].concat();
            assert!(bytes == expected, "{length}");
        }
    }
}
