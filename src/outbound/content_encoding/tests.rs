//! Codings are read in any spelling, contents decoded as far as they can be, and never beyond the limit.

#[path = "../../../tests/support/compression.rs"]
pub mod compression;

use proptest::prelude::*;
use reqwest::header::HeaderName;

use super::*;
use compression::{gzip, raw_deflate, zlib};

const LIMIT: usize = 1000;

fn read(values: &[&str]) -> Result<Vec<ContentEncoding>, String> {
    let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for value in values.iter().map(value) {
        headers.append::<HeaderName>(CONTENT_ENCODING, value);
    }
    codings(&headers)
}

fn decoded(content: Vec<u8>, codings: &[ContentEncoding]) -> (String, Option<Incomplete>) {
    let decoded = decode(content, codings, LIMIT);
    (String::from_utf8(decoded.content).unwrap(), decoded.incomplete)
}

#[test]
fn codings_are_read_in_any_spelling() {
    use ContentEncoding::{Deflate, Gzip};
    for (values, expected) in [
        (vec![], vec![]),
        (vec![""], vec![]),
        (vec!["identity"], vec![]),
        (vec!["gzip"], vec![Gzip]),
        (vec!["GZIP"], vec![Gzip]),
        (vec![" X-GZip "], vec![Gzip]),
        (vec!["Deflate"], vec![Deflate]),
        (vec!["gzip, gzip"], vec![Gzip, Gzip]),
        (vec!["gzip,identity,,deflate"], vec![Gzip, Deflate]),
        (vec!["deflate", "gzip"], vec![Deflate, Gzip]),
    ] {
        assert_eq!(read(&values), Ok(expected), "{values:?}");
    }
}

#[test]
fn a_coding_that_can_not_be_read_is_named() {
    for (values, expected) in [
        (vec!["br"], "\"br\""),
        (vec!["zstd"], "\"zstd\""),
        (vec!["gzip, br"], "\"br\""),
        (vec!["gzip", "compress"], "\"compress\""),
        (vec!["gzip;q=1"], "\"gzip;q=1\""),
        (vec!["utf-8"], "\"utf-8\""),
        (vec!["gzip, gzip, gzip, gzip"], "of 4 layers"),
        (vec!["gz\u{e9}"], "unreadable characters"),
    ] {
        let problem = read(&values).unwrap_err();
        assert!(problem.contains(expected) && problem.contains("expected gzip, deflate or none"), "{problem}");
    }
    let long = "x".repeat(5_000);
    assert!(read(&[&long]).unwrap_err().len() < 200);
}

#[test]
fn contents_are_decoded_from_the_last_coding_to_the_first() {
    use ContentEncoding::{Deflate, Gzip};
    let text = b"{\"poNumber\":\"4500000001\"}".as_slice();
    for (content, codings) in [
        (text.to_vec(), vec![]),
        (gzip(text), vec![Gzip]),
        (zlib(text), vec![Deflate]),
        (raw_deflate(text), vec![Deflate]),
        (gzip(&gzip(text)), vec![Gzip, Gzip]),
        (gzip(&zlib(text)), vec![Deflate, Gzip]),
        (zlib(&gzip(text)), vec![Gzip, Deflate]),
        ([gzip(&text[..5]), gzip(&text[5..])].concat(), vec![Gzip]),
        ([gzip(text), vec![0; 20]].concat(), vec![Gzip]),
        ([gzip(text), b"JUNK".to_vec()].concat(), vec![Gzip]),
    ] {
        let whole = (String::from_utf8(text.to_vec()).unwrap(), None);
        assert_eq!(decoded(content, &codings), whole, "{codings:?}");
    }
}

#[test]
fn an_empty_content_is_empty_in_any_coding() {
    for codings in [
        vec![ContentEncoding::Gzip],
        vec![ContentEncoding::Deflate],
        vec![ContentEncoding::Gzip, ContentEncoding::Deflate],
    ] {
        assert_eq!(decoded(Vec::new(), &codings), (String::new(), None));
    }
    assert_eq!(decoded(gzip(b""), &[ContentEncoding::Gzip]), (String::new(), None));
}

#[test]
fn what_was_decoded_of_a_broken_content_is_kept() {
    let text: String = (0..100).map(|number: u32| number.wrapping_mul(2_654_435_761).to_string()).collect();
    let text = &text[..900];
    for (whole, coding, expected) in [
        (gzip(text.as_bytes()), ContentEncoding::Gzip, "its gzip ends early"),
        (zlib(text.as_bytes()), ContentEncoding::Deflate, "its deflate ends early"),
        (raw_deflate(text.as_bytes()), ContentEncoding::Deflate, "its deflate ends early"),
    ] {
        let (kept, incomplete) = decoded(whole[..whole.len() / 2].to_vec(), &[coding]);
        assert_eq!(incomplete, Some(Incomplete::Broken(expected)));
        assert!(kept.len() > 100 && text.starts_with(&kept), "{kept}");
    }
    let without_its_sum = gzip(text.as_bytes());
    let (kept, incomplete) = decoded(without_its_sum[..without_its_sum.len() - 1].to_vec(), &[ContentEncoding::Gzip]);
    assert_eq!((kept.as_str(), incomplete), (text, Some(Incomplete::Broken("its gzip ends early"))));
    let mut wrong_sum = gzip(text.as_bytes());
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    assert!(decoded(wrong_sum, &[ContentEncoding::Gzip]).1.is_some());
}

#[test]
fn a_content_that_is_not_coded_as_it_says_is_told() {
    for (coding, expected) in [
        (ContentEncoding::Gzip, "it is not the gzip that its Content-Encoding says"),
        (ContentEncoding::Deflate, "it is not the deflate that its Content-Encoding says"),
    ] {
        let (_, incomplete) = decoded(b"{\"poNumber\":\"4500000001\"}".to_vec(), &[coding]);
        assert_eq!(incomplete, Some(Incomplete::Broken(expected)));
    }
}

#[test]
fn no_more_is_decoded_than_the_limit_in_any_layer() {
    let bomb = vec![b'0'; 10_000_000];
    for (content, codings) in [
        (gzip(&bomb), vec![ContentEncoding::Gzip]),
        (zlib(&bomb), vec![ContentEncoding::Deflate]),
        (raw_deflate(&bomb), vec![ContentEncoding::Deflate]),
        (gzip(&gzip(&bomb)), vec![ContentEncoding::Gzip, ContentEncoding::Gzip]),
        ([gzip(&bomb[..600]), gzip(&bomb[..600])].concat(), vec![ContentEncoding::Gzip]),
    ] {
        let decoded = decode(content, &codings, LIMIT);
        assert!(decoded.content.len() <= LIMIT, "{codings:?}");
        assert_eq!(decoded.incomplete, Some(Incomplete::TooLarge), "{codings:?}");
    }
    let fits = vec![b'0'; LIMIT];
    assert_eq!(decoded(gzip(&fits), &[ContentEncoding::Gzip]).1, None);
}

proptest! {
    #[test]
    fn decoding_never_panics_and_keeps_the_limit(content: Vec<u8>, is_gzip: bool, cut in 0_usize..200) {
        let (coding, coded) = if is_gzip { (ContentEncoding::Gzip, gzip(&content)) } else { (ContentEncoding::Deflate, zlib(&content)) };
        prop_assert!(decode(content.clone(), &[coding], 50).content.len() <= 50);
        let kept = decode(coded[..cut.min(coded.len())].to_vec(), &[coding], 50).content;
        prop_assert!(kept.len() <= 50 && content.starts_with(&kept));
    }
}
