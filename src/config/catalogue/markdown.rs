//! The settings as a page.

use std::fmt::Write as _;

use super::Catalogue;
use super::example::{Key, Section};
use crate::config::form::Form;

const HEAD: &str = "\
# Configuration

<!-- Written by scripts/configuration from config.example.toml and the settings that the service reads. -->

Every setting, with its form and its default. The service reads one TOML file: the one that `--config` names, else
`PO_WEBHOOK_CONFIG`, else `/etc/purchase-order-webhook/config.toml`. `purchase-order-webhook settings` prints the same as a
commented file to begin with ([config.example.toml](../config.example.toml)), and `purchase-order-webhook check` names every
mistake in yours at once. [configuration.schema.json](configuration.schema.json) is a JSON schema for editors and pipelines.

- **By environment**: `PO_WEBHOOK_` and the key, with two underscores for each dot: `PO_WEBHOOK_TARGET__BASE_URL` is
  `target.base_url`. It goes before the file. Commas separate the entries of a list.
- **Durations**: `\"500ms\"`, `\"30s\"`, `\"10m\"`, `\"12h\"`, `\"400d\"`. **Sizes**: `\"512B\"`, `\"64KiB\"`, `\"1MiB\"`.
- **Secrets** can be in a file: `<key>_file` names it. Both at once are a mistake.
- **Unknown keys** are mistakes. Settings are read once, at the start; files that they name are read again when they change.
";

impl Catalogue {
    /// The page.
    pub fn markdown(&self) -> String {
        let mut page = HEAD.to_owned();
        for group in &self.example.groups {
            let _ = write!(page, "\n## {}\n", group.title);
            for section in &group.sections {
                self.write_section(&mut page, section);
            }
        }
        page
    }

    fn write_section(&self, page: &mut String, section: &Section) {
        let _ = write!(page, "\n### `[{}]`\n", section.name);
        if !section.comment.is_empty() {
            let _ = write!(page, "\n{}", text(&section.comment));
        }
        for key in section.settings() {
            let dotted = section.dotted(key);
            let dotted = dotted.trim_end_matches("_file");
            let _ = write!(page, "\n#### `{dotted}`\n\n{}\n", self.form(dotted, key));
            if !key.comment.is_empty() {
                let _ = write!(page, "\n{}", text(&key.comment));
            }
        }
    }

    /// The line below a key's heading.
    fn form(&self, dotted: &str, key: &Key) -> String {
        let described = self.forms.get(dotted);
        let form = match described.map(|described| (&described.form, described.expected.as_str())) {
            Some((Form::Secret | Form::SecretOrNames, _)) => {
                let name = dotted.rsplit('.').next().unwrap_or_default();
                format!("A secret, or the file that contains it as `{name}_file`")
            }
            Some((Form::Choice(words), _)) => {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                format!("One of {}", words.join(", "))
            }
            Some((Form::Names, _)) => "A section with names and texts".to_owned(),
            Some((_, expected)) => capitalized(expected),
            None => "A value".to_owned(),
        };
        let value = match (self.default(dotted, key), key.is_required()) {
            (Some(default), _) => format!("Default: `{default}`"),
            (None, true) => format!("Required; for example `{}`", key.value),
            (None, false) => format!("Optional; for example `{}`", key.value),
        };
        format!("*{form}.* {value}.")
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A comment as paragraphs; lines that are indented are a list of words, each with its meaning.
fn text(comment: &[String]) -> String {
    let mut text = String::new();
    let mut was_indented = false;
    for line in comment {
        let is_indented = line.starts_with("  ");
        if is_indented && !was_indented {
            text.push('\n');
        }
        let line = line.replace('<', "&lt;");
        let line = without_emphasis(line.trim());
        let _ = if is_indented { writeln!(text, "- {}", item(&line)) } else { writeln!(text, "{line}") };
        was_indented = is_indented;
    }
    text
}

/// Markdown would take two stars or underscores for emphasis; names with underscores are safe.
fn without_emphasis(line: &str) -> String {
    line.replace('*', "\\*")
}

/// `"word"  meaning` as an entry of a list.
fn item(line: &str) -> String {
    line.split_once("  ").map_or_else(|| line.to_owned(), |(word, meaning)| format!("{word}: {}", meaning.trim()))
}
