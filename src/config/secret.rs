//! Secrets: a value, or the file that contains it; no output shows either's content.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// How a client sends its id and its secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

/// A secret, or the file that contains it.
#[derive(Debug, Clone)]
pub enum Secret {
    /// The secret itself.
    Text(SecretString),
    /// Read anew whenever the secret is needed.
    File(PathBuf),
}

impl Secret {
    /// The file that contains the secret, if one does.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// The secret as it is now, without the final line break of a file.
    ///
    /// # Errors
    /// Names the file that can't be read, or is empty.
    pub fn read(&self) -> Result<SecretString, String> {
        let path = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let file = path.display();
        let content = std::fs::read(path).map_err(|error| format!("the secret file {file}: {error}"))?;
        let text = String::from_utf8(content).map_err(|error| no_text(&file, error.as_bytes()))?;
        // Editors on Windows begin a text with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(format!("the secret file {file} is empty")),
            secret => Ok(SecretString::from(secret)),
        }
    }
}

/// Why the content of a file is no secret.
fn no_text(file: &std::path::Display<'_>, content: &[u8]) -> String {
    let problem = match content {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "text in UTF-16",
        // A SEQUENCE (X.690 §8.9): a key or certificate that is no PEM.
        [0x30, ..] => "DER or PKCS #12; a key or certificate has to be PEM",
        _ => "no text",
    };
    format!("the secret file {file} is {problem}; expected text in UTF-8")
}
