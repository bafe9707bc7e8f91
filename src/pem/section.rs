//! A section of PEM, and one that is being read.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Base64 whose last characters say the same with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A section; its content, which may be a private key, is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Section {
    number: usize,
    line: usize,
    label: String,
    is_encrypted: bool,
    der: Vec<u8>,
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl Section {
    /// What it is named in the line that begins it, such as `CERTIFICATE`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its content, decoded.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether its headers say that the content is encrypted (RFC 1421 §4.6.1.1).
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Which one of the file it is, in words.
    pub fn place(&self) -> String {
        place(self.number, &self.label, self.line)
    }

    /// The section alone, as every parser reads it.
    pub fn to_pem(&self) -> String {
        let label = &self.label;
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(&self.der))
    }
}

fn place(number: usize, label: &str, line: usize) -> String {
    format!("entry {number} ({label}, line {line})")
}

/// A section whose end was not read yet.
pub struct OpenSection<'l> {
    number: usize,
    line: usize,
    pub label: &'l str,
    is_encrypted: bool,
    base64: Vec<u8>,
}

impl<'l> OpenSection<'l> {
    /// Begins it.
    pub const fn begin(number: usize, line: usize, label: &'l str) -> Self {
        Self { number, line, label, is_encrypted: false, base64: Vec::new() }
    }

    /// Adds a line, or a part of one.
    pub fn add(&mut self, text: &[u8]) {
        // A header: base64 has no colon.
        if text.contains(&b':') && self.base64.is_empty() {
            self.is_encrypted |= text.windows(9).any(|window| window == b"ENCRYPTED");
        } else {
            self.base64.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }

    /// The whole section.
    pub fn end(self) -> Result<Section, String> {
        let Self { number, line, label, is_encrypted, base64 } = self;
        let problem = |text| format!("it is no whole PEM: {text}: {}", place(number, label, line));
        let der = BASE64.decode(base64).map_err(|_| problem("the base64 of a section can't be read"))?;
        if der.is_empty() {
            return Err(problem("a section is empty"));
        }
        Ok(Section { number, line, label: label.to_owned(), is_encrypted, der })
    }
}
