//! Content codings of answers (RFC 9110 §8.4): gzip (RFC 1952) and deflate (RFC 1950, or RFC 1951 alone), one upon another.

use std::io::{ErrorKind, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

/// Codings upon one another. Two are a proxy's second compression; more are an attack on memory or time.
const MAX_CODINGS: usize = 3;

/// Most characters of an unknown coding that a message shows.
const SHOWN_CHARS: usize = 40;

/// A compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Any number of members.
    Gzip,
    /// The zlib format, or without it, as some servers send it.
    Deflate,
}

/// Why a content is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incomplete {
    /// There is more of it than the limit.
    TooLarge,
    /// It is not what it is said to be, or ends early.
    Broken(&'static str),
}

/// A decoded content, as far as it could be decoded.
#[derive(Debug, Default)]
pub struct Decoded {
    /// At most as many bytes as the limit.
    pub content: Vec<u8>,
    /// Why it is not whole.
    pub incomplete: Option<Incomplete>,
}

/// The codings of an answer in the order in which they were applied.
///
/// # Errors
/// Names the coding that can't be read.
pub fn codings(headers: &HeaderMap) -> Result<Vec<ContentEncoding>, String> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = HeaderValue::to_str(value).map_err(|_| unreadable("of unreadable characters"))?;
        for name in value.split(',').map(str::trim) {
            match name.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => codings.push(ContentEncoding::Gzip),
                "deflate" => codings.push(ContentEncoding::Deflate),
                _ => return Err(unreadable(&format!("{:?}", name.chars().take(SHOWN_CHARS).collect::<String>()))),
            }
        }
    }
    if codings.len() > MAX_CODINGS { Err(unreadable(&format!("of {} layers", codings.len()))) } else { Ok(codings) }
}

fn unreadable(coding: &str) -> String {
    format!("with a Content-Encoding that can't be read, {coding}; expected gzip, deflate or none")
}

/// Decodes a content to at most `limit` bytes, the last coding first. An empty content is empty in any coding.
pub fn decode(content: Vec<u8>, codings: &[ContentEncoding], limit: usize) -> Decoded {
    let mut decoded = Decoded { content, incomplete: None };
    for coding in codings.iter().rev() {
        if decoded.content.is_empty() {
            break;
        }
        let inner = coding.decode(&decoded.content, limit);
        // The outermost layer that is not whole is the cause; those in it end early for that reason.
        decoded = Decoded { content: inner.content, incomplete: decoded.incomplete.or(inner.incomplete) };
    }
    decoded
}

impl ContentEncoding {
    /// The coding of a content that does not name it: no text begins with the mark of gzip.
    pub fn of_content(content: &[u8]) -> Option<Self> {
        content.starts_with(&GZIP_MARK).then_some(Self::Gzip)
    }

    fn decode(self, coded: &[u8], limit: usize) -> Decoded {
        match self {
            Self::Gzip => decode_members(coded, limit),
            Self::Deflate if has_zlib_header(coded) => {
                let mut decoded = Decoded::default();
                decoded.incomplete = decoded.read(ZlibDecoder::new(coded), limit, "deflate");
                decoded
            }
            Self::Deflate => {
                let mut decoded = Decoded::default();
                decoded.incomplete = decoded.read(DeflateDecoder::new(coded), limit, "deflate");
                if matches!(decoded.incomplete, Some(Incomplete::Broken(_))) && !is_text(&decoded.content) {
                    // Without a header, anything decodes to something.
                    decoded = Decoded { content: Vec::new(), incomplete: Some(Incomplete::Broken(NO_DEFLATE)) };
                }
                decoded
            }
        }
    }
}

const NO_GZIP: &str = "it is not the gzip that its Content-Encoding says";
const NO_DEFLATE: &str = "it is not the deflate that its Content-Encoding says";

/// RFC 1952 §2.3.1
const GZIP_MARK: [u8; 2] = [0x1F, 0x8B];

/// Every member (RFC 1952 §2.2). Other bytes behind a whole member are padding, as common clients take it.
fn decode_members(coded: &[u8], limit: usize) -> Decoded {
    if !coded.starts_with(&GZIP_MARK) && coded != [GZIP_MARK[0]] {
        let content = coded.get(..limit).unwrap_or(coded).to_vec();
        return Decoded { content, incomplete: Some(Incomplete::Broken(NO_GZIP)) };
    }
    let (mut decoded, mut rest) = (Decoded::default(), coded);
    loop {
        let mut member = GzDecoder::new(rest);
        decoded.incomplete = decoded.read(&mut member, limit, "gzip");
        rest = member.into_inner();
        if decoded.incomplete.is_some() || !rest.starts_with(&GZIP_MARK) {
            return decoded;
        }
    }
}

/// Whether bytes are the beginning of a text.
fn is_text(content: &[u8]) -> bool {
    std::str::from_utf8(content).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// RFC 1950 §2.2: method 8, and a sum that is a multiple of 31.
fn has_zlib_header(coded: &[u8]) -> bool {
    matches!(coded, [method, flags, ..] if method & 0x0F == 8 && (u16::from(*method) * 256 + u16::from(*flags)) % 31 == 0)
}

impl Decoded {
    /// Appends what a decoder gives, up to the limit.
    fn read(&mut self, decoder: impl Read, limit: usize, name: &'static str) -> Option<Incomplete> {
        let room = limit.saturating_sub(self.content.len());
        // One byte more tells whether there is more.
        let read = decoder.take(room as u64 + 1).read_to_end(&mut self.content);
        if self.content.len() > limit {
            self.content.truncate(limit);
            return Some(Incomplete::TooLarge);
        }
        match (read, name) {
            (Ok(_), _) => None,
            (Err(error), "gzip") if error.kind() == ErrorKind::UnexpectedEof => {
                Some(Incomplete::Broken("its gzip ends early"))
            }
            (Err(error), _) if error.kind() == ErrorKind::UnexpectedEof => {
                Some(Incomplete::Broken("its deflate ends early"))
            }
            (Err(_), "gzip") => Some(Incomplete::Broken(NO_GZIP)),
            (Err(_), _) => Some(Incomplete::Broken(NO_DEFLATE)),
        }
    }
}

#[cfg(test)]
pub mod tests;
