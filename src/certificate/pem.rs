//! PEM (RFC 7468) as editors, shells and Windows leave it: made readable where only marks and blanks are in the way, else
//! refused by what it is.
//!
//! No message repeats what is between the lines that begin and end a section: it may be a private key.

use std::borrow::Cow;

/// What editors on Windows begin a text with; joined files have it in the middle.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Most characters of a section's name; longer ones are not names: the lines of the file are joined.
const MAX_NAME_CHARS: usize = 40;

/// A line that begins or ends a section, with the section's name.
enum Marker<'l> {
    Begin(&'l str),
    End(&'l str),
}

/// The content with each line that begins or ends a section as the parser expects it: without a byte order mark or blanks
/// before it.
///
/// # Errors
/// What is wrong, if sections do not begin and end one after the other.
pub fn readable(content: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let mut open: Option<&str> = None;
    let mut is_as_expected = true;
    for line in content.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let plain = without_blanks(line);
        match (marker(plain)?, open) {
            (None, _) => continue,
            (Some(Marker::Begin(name)), None) => open = Some(name),
            (Some(Marker::End(name)), Some(begun)) if name == begun => open = None,
            (Some(Marker::Begin(name)), Some(begun)) => {
                return Err(format!("it is cut off: {begun} has no end before -----BEGIN {name}-----"));
            }
            (Some(Marker::End(name)), Some(begun)) => {
                return Err(format!("it is no whole PEM: {begun} ends with -----END {name}-----"));
            }
            (Some(Marker::End(name)), None) => {
                return Err(format!("it is cut off: -----END {name}----- has no begin"));
            }
        }
        is_as_expected &= plain.len() == line.len();
    }
    match open {
        Some(begun) => Err(format!("it is cut off: the line -----END {begun}----- is missing")),
        None if is_as_expected => Ok(Cow::Borrowed(content)),
        None => Ok(Cow::Owned(without_marks(content))),
    }
}

/// All lines, those that begin or end a section without what is before it.
fn without_marks(content: &[u8]) -> Vec<u8> {
    let lines = content.split(|byte| matches!(byte, b'\n' | b'\r'));
    let plain = lines.map(|line| match without_blanks(line) {
        plain if plain.starts_with(DASHES) => plain,
        _ => line,
    });
    plain.collect::<Vec<_>>().join(&b'\n')
}

fn without_blanks(line: &[u8]) -> &[u8] {
    let mut rest = line;
    loop {
        let stripped = rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(rest).trim_ascii_start();
        if stripped.len() == rest.len() {
            return rest;
        }
        rest = stripped;
    }
}

/// The marker that a line is.
fn marker(line: &[u8]) -> Result<Option<Marker<'_>>, String> {
    let (rest, kind): (_, fn(&str) -> Marker<'_>) = match (line.strip_prefix(BEGIN), line.strip_prefix(END)) {
        (Some(rest), _) => (rest, |name| Marker::Begin(name)),
        (None, Some(rest)) => (rest, |name| Marker::End(name)),
        (None, None) => return Ok(None),
    };
    let name = rest.trim_ascii_end().strip_suffix(DASHES).and_then(|name| std::str::from_utf8(name).ok());
    match name {
        Some(name) if is_name(name) => Ok(Some(kind(name))),
        _ if rest.len() > MAX_NAME_CHARS => {
            Err("it is no whole PEM: its lines are joined into one; expected the line breaks of the file".to_owned())
        }
        _ => Err("it is no whole PEM: a line that begins or ends a section does not end with -----".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" #.-_".contains(&byte))
        && !name.contains("--")
}
