//! The form of a setting's value, as far as a program that knows no section can check it.

/// The form of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// One of these words.
    Choice(Vec<String>),
    /// `"30s"`
    Duration,
    /// `"1MiB"`
    Size,
    /// A whole number, from the first to the last of these.
    Integer(u64, u64),
    /// A number, from the first to the last of these.
    Number(f64, f64),
    /// `"https://host/path"`
    Url,
    /// The path of a file.
    File,
    /// Any text.
    Text,
    /// A list of HTTP statuses.
    Statuses,
    /// A list of texts of one form.
    List(Box<Self>),
    /// A text that is never shown; also as `<key>_file`.
    Secret,
    /// A section whose keys the operator chooses.
    Names,
    /// A list of sections, each with the keys of another one.
    Sections,
    /// A secret, or such a section, whose texts are secrets.
    SecretOrNames,
}

/// A form, and what a mistake says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedForm {
    pub form: Form,
    /// What is expected, such as `a duration such as "30s"`.
    pub expected: String,
    /// The value where the key is not set, as it is written in the file; `None` for lists, and where it follows from other keys.
    pub default: Option<String>,
}

impl Form {
    /// The form that a mistake's text names. Sections describe each value to people once; a second description, for programs,
    /// would differ from it some day.
    pub fn of(expected: &str) -> Self {
        let words: Vec<&str> = expected.split(" or ").collect();
        if words.len() > 1 && words.iter().all(|word| !word.contains([' ', ','])) {
            return Self::Choice(words.into_iter().map(str::to_owned).collect());
        }
        match expected {
            text if text.starts_with("a duration") => Self::Duration,
            text if text.starts_with("a size") => Self::Size,
            text if text.starts_with("a URL such as http") => Self::Url,
            text if text.starts_with("a file") || text.starts_with("the path of a file") => Self::File,
            text => range(text).unwrap_or(Self::Text),
        }
    }
}

/// The form of `a whole number from 1 to 100`, or of `a number from 0 to 1`.
fn range(expected: &str) -> Option<Form> {
    let (before, after) = expected.split_once("number from ")?;
    let (first, rest) = after.split_once(" to ")?;
    let last = rest.split([' ', ',', ';']).next()?;
    if before.ends_with("whole ") {
        return Some(Form::Integer(first.parse().ok()?, last.parse().ok()?));
    }
    Some(Form::Number(first.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::units;

    #[test]
    fn the_form_is_that_of_the_words() {
        let choice = |words: &[&str]| Form::Choice(words.iter().map(|word| (*word).to_owned()).collect());
        for (expected, form) in [
            (units::DURATION, Form::Duration),
            ("a duration of at least \"1d\"", Form::Duration),
            (units::SIZE, Form::Size),
            ("a size from \"8KiB\" to \"1MiB\"", Form::Size),
            (units::URL, Form::Url),
            (units::FILE, Form::File),
            ("a file with certificates in PEM", Form::File),
            ("a whole number from 1 to 1000000", Form::Integer(1, 1_000_000)),
            ("requests a second, a whole number from 1 to 10", Form::Integer(1, 10)),
            ("a number from 0 to 1", Form::Number(0.0, 1.0)),
            ("warn or refuse or off", choice(&["warn", "refuse", "off"])),
            ("the secret, or its file", Form::Text),
            ("a JSON pointer such as /list, or \"\" for the whole body", Form::Text),
            ("a field of the header such as ZZ_SYSTEM", Form::Text),
        ] {
            assert_eq!(Form::of(expected), form, "{expected}");
        }
    }
}
