//! PEM (RFC 7468) as editors, shells and Windows leave it: its sections, each with its number in the file.
//!
//! No section vanishes: what can't be read, or begins like a section and is none, is an error with its number or line. Knows
//! nothing of what the sections are for. No message repeats what is between the lines that begin and end a section: it may be
//! a private key.

mod line;
mod section;

use line::{Marker, Piece, pieces};
use section::OpenSection;

pub use section::Section;

/// Reads every section, in the order of the file.
///
/// A byte order mark, blanks and text around sections are no part of them; any line break ends a line (CR LF, LF, CR); a
/// section may begin in the line in which the one before ends, as `cat` leaves files without a last line break.
///
/// # Errors
/// What is wrong, and where: a section that is cut off, that can't be decoded or is empty; a line that is nearly one that begins
/// or ends a section.
pub fn sections(content: &[u8]) -> Result<Vec<Section>, String> {
    let (mut read, mut open) = (Vec::new(), None::<OpenSection<'_>>);
    for (line, text) in (1..).zip(lines(content)) {
        for piece in pieces(text, line, open.is_some())? {
            open = match (piece, open.take()) {
                (Piece::Text(_), None) => None,
                (Piece::Text(text), Some(mut section)) => {
                    section.add(text);
                    Some(section)
                }
                (Piece::Marker(Marker::Begin(label)), None) => Some(OpenSection::begin(read.len() + 1, line, label)),
                (Piece::Marker(Marker::End(label)), Some(section)) if label == section.label => {
                    read.push(section.end()?);
                    None
                }
                (Piece::Marker(marker), section) => return Err(out_of_order(&marker, section)),
            };
        }
    }
    match open {
        Some(section) => Err(format!("it is cut off: the line -----END {}----- is missing", section.label)),
        None => Ok(read),
    }
}

/// Lines whatever ends them, numbered as editors do.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = content.split(|byte| *byte == b'\n');
    whole.flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line).split(|byte| *byte == b'\r'))
}

fn out_of_order(marker: &Marker<'_>, open: Option<OpenSection<'_>>) -> String {
    match (marker, open) {
        (Marker::Begin(name), Some(open)) => {
            format!("it is cut off: {} has no end before -----BEGIN {name}-----", open.label)
        }
        (Marker::End(name), Some(open)) => {
            format!("it is no whole PEM: {} ends with -----END {name}-----", open.label)
        }
        (Marker::Begin(name), None) => format!("it is no whole PEM: -----BEGIN {name}----- is out of place"),
        (Marker::End(name), None) => format!("it is cut off: -----END {name}----- has no begin"),
    }
}

#[cfg(test)]
mod tests;
