//! The text of a JSON string: which bytes stand for themselves, and what escapes stand for.

use std::borrow::Cow;

/// What a lone surrogate becomes: half of a character that UTF-16 cut in two is no text (Unicode 16, §3.9; U+FFFD).
pub const REPLACEMENT: char = '\u{fffd}';

/// The bytes that stand for themselves inside of a string.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// Whether a byte stands for itself inside of a string: it is no end, no escape, and no control character (RFC 8259, section 7).
#[inline]
pub fn is_plain(byte: u8) -> bool {
    PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain)
}

/// Decodes the escapes of a string whose grammar was checked. A lone surrogate becomes [`REPLACEMENT`]. Few strings have any.
#[cold]
pub fn decode(raw: &str) -> Cow<'_, str> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        rest = escape_sequence(escape, &mut text);
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Decodes what follows a backslash, and returns what follows the escape.
fn escape_sequence<'r>(escape: &'r str, text: &mut String) -> &'r str {
    let after = |bytes: usize| escape.get(bytes..).unwrap_or_default();
    let character = match escape.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = code_unit(after(1));
            let second = after(5).strip_prefix("\\u").and_then(code_unit);
            if let (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) = (unit, second) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                text.push(char::from_u32(code).unwrap_or(REPLACEMENT));
                return after(11);
            }
            text.push(unit.and_then(char::from_u32).unwrap_or(REPLACEMENT));
            return after(5);
        }
        Some(other) => char::from(*other),
        None => return escape,
    };
    text.push(character);
    after(1)
}

/// A code unit of UTF-16 in four hex digits.
fn code_unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(..4)?, 16).ok()
}
