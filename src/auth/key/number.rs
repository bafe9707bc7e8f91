//! The numbers and octets of a published key, in every spelling that issuers use.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Reads base64url (RFC 7515 §2), and what issuers write in its place: padding, the standard alphabet, line breaks.
pub fn octets(text: &str) -> Option<Vec<u8>> {
    let in_one_alphabet = |c| match c {
        '+' => '-',
        '/' => '_',
        other => other,
    };
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).map(in_one_alphabet).collect();
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// A number without leading zero octets, which RFC 7518 §6.3.1.1 forbids and signed big integers have.
pub fn significant(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

/// A number in exactly `length` octets (RFC 7518 §6.2.1.2); `None` if it is larger.
pub fn with_length(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let number = significant(number);
    let zeros = length.checked_sub(number.len())?;
    Some([vec![0; zeros].as_slice(), number].concat())
}

/// The length of a number in bits.
pub fn bits(number: &[u8]) -> usize {
    let number = significant(number);
    let leading = number.first().map_or(0, |octet| octet.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_base64_is_read() {
        let expected = Some(vec![0xFB, 0xFF, 0xBF, 0x01]);
        for spelling in ["-_-_AQ", "-_-_AQ==", "+/+/AQ==", "+/+/AQ", "-/+_AQ=", " -_-\r\n_AQ\n"] {
            assert_eq!(octets(spelling), expected, "{spelling}");
        }
        for other in ["?", "A", "AQ=AQ", "A\u{e4}"] {
            assert_eq!(octets(other), None, "{other}");
        }
    }

    #[test]
    fn the_size_of_a_number_is_that_of_its_significant_octets() {
        assert_eq!(bits(&[0xFF; 256]), 2048);
        assert_eq!(bits(&[[0].as_slice(), &[0x80; 256]].concat()), 2048);
        assert_eq!(bits(&[[0x01].as_slice(), &[0; 255]].concat()), 2041);
        assert_eq!((bits(&[]), bits(&[0, 0])), (0, 0));
        assert_eq!(with_length(&[0, 0, 7], 2), Some(vec![0, 7]));
        assert_eq!(with_length(&[1, 0, 0], 2), None);
    }
}
