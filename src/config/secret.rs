//! Secrets: a value, or the file that contains it; no output shows either's content.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::settings_file;

const LINE_BREAKS: [char; 2] = ['\r', '\n'];

/// Begins a section of PEM.
const BEGIN: &[u8] = b"-----BEGIN ";

/// What editors on Windows begin a text with.
const BYTE_ORDER_MARK: char = '\u{feff}';

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

    /// A secret of the settings' file or of a variable, without what is left of a file that it was copied from.
    /// `None` if nothing is left.
    pub fn of_text(text: &str) -> Option<Self> {
        let secret = text.trim_start_matches(BYTE_ORDER_MARK).trim_end_matches(LINE_BREAKS);
        (!secret.trim().is_empty()).then(|| Self::Text(SecretString::from(secret)))
    }

    /// The secret as it is now. Byte order marks, and blanks and line breaks at the end of a file, are no part of it.
    ///
    /// # Errors
    /// Names the file that can't be read, or does not hold one secret.
    pub fn read(&self) -> Result<SecretString, String> {
        let path = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let file = path.display();
        let problem = |error: std::io::Error| format!("the secret file {file}: {error}");
        let content = settings_file::read(path).map_err(problem)?;
        let is_pem = content.windows(BEGIN.len()).any(|window| window == BEGIN);
        let text = SecretString::from(if is_pem {
            // What is around the sections may be in any encoding.
            String::from_utf8_lossy(&content).into_owned()
        } else {
            settings_file::text(content).map_err(problem)?
        });
        let secret = text.expose_secret().trim_end_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
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
    // Keys and certificates have many lines, and may have some before them (RFC 7468 §2). What is cut off says so later.
    if ["-----BEGIN ", "-----END "].iter().any(|marker| secret.contains(marker)) {
        return None;
    }
    if secret.starts_with(LINE_BREAKS) {
        return Some("begins with a line break; expected the secret in its first line, and nothing else");
    }
    secret.contains(LINE_BREAKS).then_some("has several lines; expected one line, or PEM")
}

#[cfg(test)]
mod tests {
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
            ("\u{feff}\u{feff}hush\u{feff}\n", Ok("hush")),
            ("hush \t\r\n\n", Ok("hush")),
            (" hu sh", Ok(" hu sh")),
            (" \n", Err("is empty")),
            ("\u{feff}", Err("is empty")),
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

    #[test]
    fn a_secret_of_a_variable_has_nothing_of_the_file_it_was_copied_from() {
        for (text, expected) in [("hush", "hush"), ("\u{feff}hush\r\n", "hush"), (" hush \n", " hush ")] {
            assert_eq!(Secret::of_text(text).unwrap().read().unwrap().expose_secret(), expected, "{text:?}");
        }
        assert!(["", " ", "\n", "\u{feff}\n"].into_iter().all(|text| Secret::of_text(text).is_none()));
    }
}
