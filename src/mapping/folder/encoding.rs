//! The text of a file by its bytes: UTF-8 as it should be, UTF-16 as spreadsheets save it, and anything else named.

use crate::mapping::csv_file::lines;
use crate::mapping::defect::Defect;
use crate::message::quoted;

/// Characters of Windows-1252 for the bytes 0x80 to 0x9F; those without one are replaced.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// How workbooks of spreadsheets begin: ZIP (`.xlsx`, `.ods`) and OLE (`.xls`).
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// How to save a file so that it can be read.
const ADVICE: &str = "save it as \"CSV UTF-8\"";

/// How many bytes decide about the encoding of a file without a mark: enough for any header.
const SAMPLE_BYTES: usize = 4096;

/// The text, and what is wrong with the bytes. Text in another encoding is read as Windows-1252, so that everything else
/// that is wrong with it can be told at the same time.
pub fn decode(file: &str, bytes: Vec<u8>) -> (Option<String>, Option<Defect>) {
    if WORKBOOKS.iter().any(|begin| bytes.starts_with(begin)) {
        return (None, Some(Defect::new(file, format!("is a spreadsheet's workbook and no text; {ADVICE}"))));
    }
    if let Some(name) = wide_encoding(&bytes) {
        return (None, Some(Defect::new(file, format!("the file is {name} and not UTF-8; {ADVICE}"))));
    }
    let units = match bytes.as_slice() {
        [0xff, 0xfe, text @ ..] => Some(utf_16(text, u16::from_le_bytes)),
        [0xfe, 0xff, text @ ..] => Some(utf_16(text, u16::from_be_bytes)),
        _ => None,
    };
    if let Some(units) = units {
        let text = units.and_then(|units| String::from_utf16(&units).ok());
        let defect = text.is_none().then(|| Defect::new(file, format!("begins like UTF-16 and is none; {ADVICE}")));
        return (text, defect);
    }
    match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(error) => {
            let (valid, bytes) = (error.utf8_error().valid_up_to(), error.into_bytes());
            let text: String = bytes.iter().copied().map(windows_1252).collect();
            let defect = not_utf_8(file, &bytes, valid);
            (Some(text), Some(defect))
        }
    }
}

/// The name of an encoding with several bytes a character that is not read: UTF-32, and UTF-16 without a byte order mark. It
/// shows in the bytes that are zero in every character of a Latin script.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return Some("UTF-32 (little endian)"),
        [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32 (big endian)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return None,
        _ => {}
    }
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let units = sample.len() / 4;
    let zeros = |place: usize| sample.iter().skip(place).step_by(4).filter(|byte| **byte == 0).count();
    // Of a short text, its last character may be alone; of a long one, some are not Latin.
    let most = |place: usize| zeros(place) > units / 2;
    let few = |place: usize| zeros(place) <= units / 8;
    if units == 0 {
        return None;
    }
    match [0, 1, 2, 3].map(|place| (most(place), few(place))) {
        [(_, true), (true, _), (true, _), (true, _)] => Some("UTF-32 (little endian) without a byte order mark"),
        [(true, _), (true, _), (true, _), (_, true)] => Some("UTF-32 (big endian) without a byte order mark"),
        [(_, true), (true, _), (_, true), (true, _)] => Some("UTF-16 (little endian) without a byte order mark"),
        [(true, _), (_, true), (true, _), (_, true)] => Some("UTF-16 (big endian) without a byte order mark"),
        _ => None,
    }
}

/// The code units; none of half a unit.
fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks();
    rest.is_empty().then(|| pairs.iter().copied().map(unit).collect())
}

fn windows_1252(byte: u8) -> char {
    let index = usize::from(byte).checked_sub(0x80);
    index.and_then(|index| WINDOWS_1252.get(index)).copied().unwrap_or_else(|| char::from(byte))
}

/// Names the first byte that is no UTF-8, its line and the words around it.
fn not_utf_8(file: &str, bytes: &[u8], valid: usize) -> Defect {
    let (before, behind) = bytes.split_at_checked(valid).unwrap_or((bytes, &[]));
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    // With the byte itself, so that a line break before it ends the line before.
    let up_to_it: String = bytes.get(..=valid).unwrap_or(bytes).iter().copied().map(windows_1252).collect();
    let line = lines(&up_to_it).last().map_or(1, |(number, _)| number);
    let is_edge = |byte: &u8| is_break(byte) || matches!(byte, b',' | b';' | b'\t');
    let start = before.iter().rev().take_while(|byte| !is_edge(byte)).count();
    let cell = before.iter().rev().take(start).rev().chain(behind.iter().take_while(|byte| !is_edge(byte)));
    let cell: String = cell.copied().map(windows_1252).collect();
    let byte = behind.first().copied().unwrap_or_default();
    let problem = format!(
        "the file is not UTF-8: the byte 0x{byte:02X} in {}, which is {} in Windows-1252; {ADVICE}",
        quoted(cell.trim().trim_matches('"')),
        windows_1252(byte)
    );
    Defect::in_line(file, line, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_every_encoding_that_spreadsheets_save() {
        let text = "unit,value\r\nST,Stück\u{1f600}\r\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in
            [text.as_bytes().to_vec(), [b"\xff\xfe", le.as_slice()].concat(), [b"\xfe\xff", be.as_slice()].concat()]
        {
            assert_eq!(decode("t.csv", bytes), (Some(text.to_owned()), None));
        }
    }

    #[test]
    fn every_other_encoding_is_named() {
        let windows = "DE,08,Baden-W\u{fc}rttemberg";
        for (break_, line) in [("\n", 3), ("\r\n", 3), ("\r", 3)] {
            let text = ["k,l,v", "DE,07,x", windows, "DE,09,y"].join(break_);
            let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            let (read, defect) = decode("t.csv", bytes);
            assert_eq!(read, Some(text));
            assert_eq!(
                defect.unwrap().to_string(),
                format!(
                    "t.csv line {line}: the file is not UTF-8: the byte 0xFC in \"Baden-W\u{fc}rttemberg\", which is \u{fc} in Windows-1252; save it as \"CSV UTF-8\""
                )
            );
        }
        for (bytes, expected) in [
            (b"PK\x03\x04rest".as_slice(), "is a spreadsheet's workbook"),
            (b"\xd0\xcf\x11\xe0rest", "is a spreadsheet's workbook"),
            (b"\xff\xfea", "begins like UTF-16 and is none"),
            (b"\xfe\xff\xd8\x00\x00a", "begins like UTF-16 and is none"),
        ] {
            let (text, defect) = decode("t.csv", bytes.to_vec());
            assert!(text.is_none() && defect.unwrap().to_string().contains(expected), "{bytes:?}");
        }
    }

    #[test]
    fn wide_characters_without_a_mark_are_named_once() {
        let wide = |text: &str, bytes: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| bytes(u32::from(c))).collect();
        for text in ["unit,value\r\nST,Stück\r\n", "k;v\nA;1\n", "{\"a\":\"中文\",\"b\":1}"] {
            let narrow = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let (le_32, be_32): (Vec<u8>, Vec<u8>) = (wide(text, u32::to_le_bytes), wide(text, u32::to_be_bytes));
            for (bytes, name) in [
                (narrow(u16::to_le_bytes), "UTF-16 (little endian) without a byte order mark"),
                (narrow(u16::to_be_bytes), "UTF-16 (big endian) without a byte order mark"),
                (le_32.clone(), "UTF-32 (little endian) without a byte order mark"),
                (be_32.clone(), "UTF-32 (big endian) without a byte order mark"),
                ([b"\xff\xfe\0\0".as_slice(), &le_32].concat(), "UTF-32 (little endian)"),
                ([b"\0\0\xfe\xff".as_slice(), &be_32].concat(), "UTF-32 (big endian)"),
            ] {
                let (read, defect) = decode("t.csv", bytes);
                let expected = format!("t.csv: the file is {name} and not UTF-8; save it as \"CSV UTF-8\"");
                assert_eq!((read, defect.unwrap().to_string()), (None, expected), "{text:?}");
            }
        }
        for text in ["", "a", "k,v\nA,\0\n", "\0\0\0\0"] {
            assert_eq!(decode("t.csv", text.as_bytes().to_vec()), (Some(text.to_owned()), None), "{text:?}");
        }
    }
}
