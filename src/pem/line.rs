//! One line of PEM: text, and what begins and ends sections in it.

/// What editors on Windows begin a text with; joined files have it in the middle.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Word processors make one of several hyphens.
const DASHES_OF_WORD_PROCESSORS: [char; 5] = ['-', '\u{2010}', '\u{2013}', '\u{2014}', '\u{2212}'];

/// Most characters of a section's name; longer ones are not names: the lines of the file are joined.
const MAX_NAME_CHARS: usize = 40;

const JOINED: &str = "it is no whole PEM: its lines are joined into one; expected the line breaks of the file";
const NOT_CLOSED: &str = "it is no whole PEM: a line that begins or ends a section does not end with -----";

/// What begins or ends a section, with the section's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker<'l> {
    Begin(&'l str),
    End(&'l str),
}

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'l> {
    Text(&'l [u8]),
    Marker(Marker<'l>),
}

/// The pieces of a line; `inside` a section, it may end behind the section's last characters.
///
/// # Errors
/// If the line is nearly one that begins or ends a section.
pub fn pieces(text: &[u8], line: usize, inside: bool) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest, mut inside) = (Vec::new(), without_blanks(text), inside);
    while !rest.is_empty() {
        let Some((before, begin)) = first_marker(rest, inside) else {
            if !inside && is_nearly_a_marker(rest) {
                return Err(format!(
                    "line {line} begins or ends no section; expected five hyphens on either side of BEGIN … or END …"
                ));
            }
            pieces.push(Piece::Text(rest));
            break;
        };
        let (marker, behind) = marker(begin)?;
        pieces.extend((!before.is_empty()).then_some(Piece::Text(before)));
        pieces.push(Piece::Marker(marker));
        inside = matches!(marker, Marker::Begin(_));
        rest = without_blanks(behind);
        // `cat` joins an end and a begin; nothing else may follow either.
        if !rest.is_empty() && (inside || !rest.starts_with(BEGIN)) {
            return Err(if rest.len() > MAX_NAME_CHARS { JOINED } else { NOT_CLOSED }.to_owned());
        }
    }
    Ok(pieces)
}

/// What is before the first marker of a line, and what begins with it. Outside of sections, words about one are text, unless
/// the line has both its begin and its end; and so is a comment.
fn first_marker(text: &[u8], inside: bool) -> Option<(&[u8], &[u8])> {
    let at = [BEGIN, END].into_iter().filter_map(|marker| find(text, marker)).min()?;
    let (before, begin) = text.split_at_checked(at)?;
    let is_joined = || {
        let is_begin = marker(begin)
            .is_ok_and(|(marker, behind)| matches!(marker, Marker::Begin(_)) && without_blanks(behind).is_empty());
        let has_both = find(text, BEGIN).is_some() && find(text, END).is_some();
        (is_begin || has_both) && !text.starts_with(b"#")
    };
    (inside || before.is_empty() || is_joined()).then_some((before, begin))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The text without byte order marks and blanks at its begin.
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

/// The marker that a text begins with, and what is behind it.
fn marker(text: &[u8]) -> Result<(Marker<'_>, &[u8]), String> {
    let (rest, kind): (_, fn(&str) -> Marker<'_>) = match (text.strip_prefix(BEGIN), text.strip_prefix(END)) {
        (Some(rest), _) => (rest, |name| Marker::Begin(name)),
        (None, Some(rest)) => (rest, |name| Marker::End(name)),
        (None, None) => return Err(NOT_CLOSED.to_owned()),
    };
    let wrong = || if rest.len() > MAX_NAME_CHARS { JOINED } else { NOT_CLOSED }.to_owned();
    let end = find(rest, DASHES).ok_or_else(wrong)?;
    let (name, behind) = rest.split_at_checked(end).ok_or_else(wrong)?;
    let name = std::str::from_utf8(name).ok().filter(|name| is_name(name)).ok_or_else(wrong)?;
    Ok((kind(name), behind.strip_prefix(DASHES).unwrap_or_default()))
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" #.-_".contains(&byte))
        && !name.contains("--")
}

/// Whether a line is one that begins or ends a section, but for its hyphens or its capitals.
fn is_nearly_a_marker(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let word = text.trim_start_matches(|c: char| DASHES_OF_WORD_PROCESSORS.contains(&c) || c.is_whitespace());
    let upper = word.to_ascii_uppercase();
    word.len() < text.len() && ["BEGIN ", "END "].iter().any(|begin| upper.starts_with(begin))
}
