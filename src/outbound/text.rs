//! The text of a body: its encoding, with or without a byte order mark, and what it looks like if it is no JSON.

use std::borrow::Cow;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// The encodings that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// ISO 8859-1, in which every byte is a character.
    Latin1,
}

/// A body's text, or as much as can be read of it, and why that is not all.
#[derive(Debug)]
pub struct Text<'b> {
    /// Without the byte order mark.
    pub content: Cow<'b, str>,
    /// Why the bytes are no text of an encoding that is read.
    pub problem: Option<String>,
}

/// Without the byte order mark of UTF-8, which RFC 8259 §8.1 lets a reader ignore.
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Reads the text of a body. JSON is UTF-8 (RFC 8259 §8.1), whatever its media type says; another encoding is taken from its
/// mark, its first bytes, or `charset`.
pub fn text<'b>(body: &'b [u8], charset: Option<&str>) -> Text<'b> {
    let whole = |content: Cow<'b, str>| Text { content, problem: None };
    let lossy = |problem: String| Text { content: String::from_utf8_lossy(without_mark(body)), problem: Some(problem) };
    match encoding(body, charset) {
        Encoding::Utf8 => match std::str::from_utf8(without_mark(body)) {
            Ok(text) => whole(text.into()),
            Err(error) => {
                let said = charset.map(|charset| format!(" (its charset is {charset:?})")).unwrap_or_default();
                lossy(format!("no text in UTF-8{said}: byte {} fits no character", error.valid_up_to() + 1))
            }
        },
        Encoding::Latin1 => whole(body.iter().map(|byte| char::from(*byte)).collect::<String>().into()),
        utf16 => {
            let unit = |pair: [u8; 2]| match utf16 {
                Encoding::Utf16Le => u16::from_le_bytes(pair),
                _ => u16::from_be_bytes(pair),
            };
            let units = body.as_chunks().0.iter().map(|pair| unit(*pair));
            let text: Result<String, _> = char::decode_utf16(units.filter(|unit| *unit != 0xFEFF)).collect();
            match text {
                Ok(text) if body.len().is_multiple_of(2) => whole(text.into()),
                _ => lossy("no whole text in UTF-16".to_owned()),
            }
        }
    }
}

fn encoding(body: &[u8], charset: Option<&str>) -> Encoding {
    match (body, charset.map(str::to_ascii_lowercase).as_deref()) {
        ([0xFF, 0xFE, ..], _) => Encoding::Utf16Le,
        ([0xFE, 0xFF, ..], _) => Encoding::Utf16Be,
        // The first character of JSON is ASCII.
        ([first, 0, ..], _) if *first != 0 => Encoding::Utf16Le,
        ([0, second, ..], _) if *second != 0 => Encoding::Utf16Be,
        (_, Some("iso-8859-1" | "latin1" | "iso_8859-1" | "windows-1252")) if std::str::from_utf8(body).is_err() => {
            Encoding::Latin1
        }
        _ => Encoding::Utf8,
    }
}

/// `charset` of `Content-Type`.
pub fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::to_str)?.ok()?;
    let parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let named = parameters.map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
    named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("charset")).map(|(_, value)| value.to_owned())
}

/// What a text that is no JSON looks like.
pub fn recognise_format(text: &str) -> &'static str {
    const PAGE_CHARS: usize = 200;
    let text = text.trim_start();
    let beginning: String = text.chars().take(PAGE_CHARS).collect::<String>().to_ascii_lowercase();
    match beginning.chars().next() {
        Some('<') if beginning.contains("<html") || beginning.contains("<!doctype html") => "an HTML page, ",
        Some('<') => "XML, ",
        Some('{' | '[') | None => "",
        Some(_) if beginning.chars().any(|c| c.is_control() && !c.is_whitespace()) => "binary data, ",
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_text_is_read_in_the_encodings_that_occur() {
        const JSON: &str = "{\"name\":\"Łódź 😀\"}";
        let marked = format!("\u{feff}{JSON}");
        for (body, charset, expected) in [
            (JSON.as_bytes().to_vec(), None, JSON),
            (marked.as_bytes().to_vec(), None, JSON),
            (JSON.as_bytes().to_vec(), Some("ISO-8859-1"), JSON),
            (JSON.as_bytes().to_vec(), Some("nonsense"), JSON),
            (utf16(&marked, u16::to_le_bytes), None, JSON),
            (utf16(&marked, u16::to_be_bytes), None, JSON),
            (utf16(JSON, u16::to_le_bytes), None, JSON),
            (utf16(JSON, u16::to_be_bytes), Some("utf-16"), JSON),
            (b"{\"name\":\"Gr\xF6\xDFe\"}".to_vec(), Some("iso-8859-1"), "{\"name\":\"Größe\"}"),
            (b"".to_vec(), None, ""),
            (b"\xEF\xBB\xBF".to_vec(), None, ""),
        ] {
            let text = text(&body, charset);
            assert_eq!((text.content.as_ref(), text.problem), (expected, None), "{body:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told() {
        for (body, charset, expected) in [
            (b"{\"name\":\"Gr\xF6\xDFe\"}".to_vec(), None, "no text in UTF-8: byte 12 fits no character"),
            (b"\xF6".to_vec(), Some("iso-8859-2"), "its charset is \"iso-8859-2\""),
            (b"\xFF\xFE{\0\"".to_vec(), None, "no whole text in UTF-16"),
            (b"\xFE\xFF\xD8\x00\x00{".to_vec(), None, "no whole text in UTF-16"),
        ] {
            let problem = text(&body, charset).problem.unwrap_or_default();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn the_charset_is_a_parameter_of_the_media_type() {
        for (value, expected) in [
            ("application/json", None),
            ("application/json; charset=UTF-8", Some("UTF-8")),
            ("text/html;boundary=x; CharSet=\"iso-8859-1\"", Some("iso-8859-1")),
            ("charset=utf-8", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(charset(&headers).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_json_has_a_look() {
        for (text, expected) in [
            ("<!DOCTYPE html><html>", "an HTML page, "),
            (" \n<HTML>", "an HTML page, "),
            ("<?xml version=\"1.0\"?><error/>", "XML, "),
            ("\u{1}\u{2}", "binary data, "),
            ("{\"a\":", ""),
            ("upstream failed", ""),
        ] {
            assert_eq!(recognise_format(text), expected, "{text}");
        }
    }
}
