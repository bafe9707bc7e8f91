//! Secrets: a value, or the file that contains it; no output shows either's content.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::settings_file;

const LINE_BREAKS: [char; 2] = ['\r', '\n'];

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
    /// Names the file that can't be read, or does not hold one secret.
    pub fn read(&self) -> Result<SecretString, String> {
        let path = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let file = path.display();
        let content = settings_file::read(path).map_err(|error| format!("the secret file {file}: {error}"))?;
        let text = String::from_utf8(content).map_err(|error| no_text(&file, error.as_bytes()))?;
        // Editors on Windows begin a text with a byte order mark.
        let secret = text.trim_start_matches('\u{feff}').trim_end_matches(LINE_BREAKS);
        match unexpected(secret) {
            Some(problem) => Err(format!("the secret file {file} {problem}")),
            None => Ok(SecretString::from(secret)),
        }
    }
}

/// Why a text is no secret: what an editor or a script has left in its file would be sent, and refused elsewhere.
fn unexpected(secret: &str) -> Option<&'static str> {
    if secret.is_empty() {
        return Some("is empty");
    }
    if secret.contains('\0') {
        return Some("contains a NUL, as UTF-16 does; expected text in UTF-8");
    }
    // Keys and certificates have many lines, and may have some before them (RFC 7468 §2). What is cut off says so later.
    if ["-----BEGIN ", "-----END "].iter().any(|marker| secret.contains(marker)) {
        return None;
    }
    if secret.starts_with(LINE_BREAKS) {
        return Some("begins with a line break; expected the secret in its first line, and nothing else");
    }
    secret.contains(LINE_BREAKS).then_some("has several lines; expected one line, or PEM")
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_file_that_holds_something_else_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        for (content, expected) in [
            ("hush", Ok("hush")),
            ("hush\n", Ok("hush")),
            ("\u{feff}hush\r\n", Ok("hush")),
            ("\n-----BEGIN x-----\ny\n", Ok("\n-----BEGIN x-----\ny")),
            ("", Err("is empty")),
            ("\r\n", Err("is empty")),
            ("hu\0sh", Err("contains a NUL")),
            ("\nhush", Err("begins with a line break")),
            ("\u{feff}\r\nhush", Err("begins with a line break")),
            ("hush\nhush", Err("has several lines")),
            ("hush\rhush", Err("has several lines")),
        ] {
            std::fs::write(&file, content).unwrap();
            match (Secret::File(file.clone()).read(), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.expose_secret(), expected),
                (Err(found), Err(expected)) => {
                    let names = found.contains(&format!("{} {expected}", file.display()));
                    assert!(names && !found.contains("hush"), "{content:?}: {found}");
                }
                (found, expected) => panic!("{content:?}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
