//! Content codings of request bodies: gzip with all its members (RFC 1952), and deflate (RFC 1950).

use std::io::Read;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::failure::too_large;
use crate::problem::{Problem, ProblemKind};

/// The compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// None.
    Identity,
    /// gzip, which is also called x-gzip (RFC 9110 §8.4.1.3).
    Gzip,
    /// The zlib format.
    Deflate,
}

impl ContentEncoding {
    /// Reads `Content-Encoding`.
    ///
    /// # Errors
    /// [`ProblemKind::UNSUPPORTED_MEDIA_TYPE`] for any other coding, and for several.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let value =
            values.next().map_or(Ok(""), HeaderValue::to_str).unwrap_or("unreadable").trim().to_ascii_lowercase();
        match (value.as_str(), values.next()) {
            ("" | "identity", None) => Ok(Self::Identity),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip),
            ("deflate", None) => Ok(Self::Deflate),
            _ => {
                let problem =
                    Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, "expected no Content-Encoding, gzip or deflate");
                Err(problem.header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate")))
            }
        }
    }

    /// Decodes a body to at most `limit` bytes.
    ///
    /// # Errors
    /// [`ProblemKind::TOO_LARGE`]; [`ProblemKind::MALFORMED_JSON`] for a body that has another encoding, is cut off, or has
    /// bytes after its end.
    pub fn decode(self, body: Bytes, limit: usize) -> Result<Bytes, Problem> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => unpack(MultiGzDecoder::new(&*body), limit),
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(&*body);
                let unpacked = unpack(&mut decoder, limit)?;
                if decoder.total_in() == body.len() as u64 { Ok(unpacked) } else { Err(broken()) }
            }
        }
    }
}

fn unpack(decoder: impl Read, limit: usize) -> Result<Bytes, Problem> {
    let mut unpacked = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut unpacked).map_err(|_| broken())?;
    if unpacked.len() > limit {
        return Err(too_large(limit));
    }
    Ok(unpacked.into())
}

fn broken() -> Problem {
    Problem::new(ProblemKind::MALFORMED_JSON, "the body is not compressed as Content-Encoding says, or breaks off")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn coding(value: &'static str) -> Result<ContentEncoding, Problem> {
        ContentEncoding::of(&HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(value))]))
    }

    #[test]
    fn codings_are_read_in_any_spelling_and_others_refused() {
        assert_eq!(ContentEncoding::of(&HeaderMap::new()).unwrap(), ContentEncoding::Identity);
        assert_eq!(coding(" X-GZip ").unwrap(), ContentEncoding::Gzip);
        assert_eq!(coding("Deflate").unwrap(), ContentEncoding::Deflate);
        for other in ["br", "gzip, gzip", "gzip;q=1"] {
            assert_eq!(coding(other).unwrap_err().status().as_u16(), 415, "{other}");
        }
    }

    #[test]
    fn every_member_of_a_gzip_body_is_read() {
        let body = [gzip("one\n"), gzip("two\n")].concat();
        assert_eq!(ContentEncoding::Gzip.decode(body.into(), 100).unwrap(), "one\ntwo\n");
        assert_eq!(ContentEncoding::Deflate.decode(zlib("one").into(), 100).unwrap(), "one");
        assert_eq!(ContentEncoding::Identity.decode("one".into(), 1).unwrap(), "one");
    }

    #[test]
    fn a_body_that_is_cut_off_or_has_bytes_after_its_end_is_refused() {
        let whole = gzip("one");
        let cut = whole[..whole.len() - 3].to_vec();
        let second_cut = [whole.clone(), cut.clone()].concat();
        let junk = [whole, b"JUNK".to_vec()].concat();
        for body in [cut, second_cut, junk, b"plain".to_vec(), Vec::new()] {
            assert_eq!(ContentEncoding::Gzip.decode(body.into(), 100).unwrap_err().status().as_u16(), 400);
        }
        let junk = [zlib("one"), b"JUNK".to_vec()].concat();
        assert_eq!(ContentEncoding::Deflate.decode(junk.into(), 100).unwrap_err().status().as_u16(), 400);
    }

    #[test]
    fn no_more_is_unpacked_than_the_limit() {
        let bomb = gzip(&"0".repeat(1_000_000));
        assert_eq!(ContentEncoding::Gzip.decode(bomb.into(), 1_000).unwrap_err().status().as_u16(), 413);
        assert_eq!(ContentEncoding::Gzip.decode(gzip("12345").into(), 5).unwrap(), "12345");
    }
}
