//! The example file as parts: groups, sections and keys, each with the comment before it.
//!
//! A key directly after `#` is optional, text begins with a blank; a line of dashes names a group.

/// The example file.
#[derive(Debug)]
pub struct Example {
    pub groups: Vec<Group>,
}

/// Sections under one heading.
#[derive(Debug)]
pub struct Group {
    pub title: String,
    pub sections: Vec<Section>,
}

/// `[name]`, and its keys.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub comment: Vec<String>,
    pub keys: Vec<Key>,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    pub name: String,
    /// As TOML.
    pub value: String,
    /// Whether its line counts; else it is behind a `#`.
    pub is_set: bool,
    pub comment: Vec<String>,
}

impl Key {
    /// Whether it has to be set, by its comment.
    pub fn is_required(&self) -> bool {
        self.comment.first().is_some_and(|line| line.starts_with("Required"))
    }

    /// The value without the quotation marks of a text.
    pub fn plain_value(&self) -> &str {
        self.value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&self.value)
    }
}

impl Section {
    /// The dotted key of one of its keys.
    pub fn dotted(&self, key: &Key) -> String {
        format!("{}.{}", self.name, key.name)
    }

    /// The dotted names of its settings; a secret's file is the secret.
    pub fn setting_names(&self) -> impl Iterator<Item = String> {
        self.settings().map(|key| self.dotted(key).trim_end_matches("_file").to_owned())
    }

    /// Its keys; of a secret and its file, the one that comes first.
    pub fn settings(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| {
            let secret = key.name.strip_suffix("_file");
            secret.is_none_or(|secret| self.keys.iter().all(|other| other.name != secret))
        })
    }
}

impl Example {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut comment: Vec<String> = Vec::new();
        for line in text.lines() {
            if let Some(title) = group_title(line) {
                groups.push(Group { title: title.to_owned(), sections: Vec::new() });
                comment.clear();
            } else if let Some(text) = comment_text(line) {
                comment.push(text.to_owned());
            } else if line.is_empty() {
                comment.clear();
            } else if let Some(group) = groups.last_mut() {
                let code = line.strip_prefix('#').unwrap_or(line);
                if let Some(name) = code.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
                    let comment = std::mem::take(&mut comment);
                    group.sections.push(Section { name: name.to_owned(), comment, keys: Vec::new() });
                } else if let (Some((name, value)), Some(section)) = (code.split_once(" = "), group.sections.last_mut())
                {
                    let (name, value, is_set) = (name.to_owned(), value.to_owned(), !line.starts_with('#'));
                    section.keys.push(Key { name, value, is_set, comment: comment.clone() });
                }
            }
        }
        groups.retain(|group| !group.sections.is_empty());
        Self { groups }
    }

    /// All sections, in their order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.groups.iter().flat_map(|group| &group.sections)
    }

    /// The file with every section and every key that is behind a `#`, but for files of secrets that are set.
    pub fn with_optional_keys(&self) -> String {
        let section = |section: &Section| {
            let keys = section.settings().map(|key| format!("{} = {}\n", key.name, key.value));
            format!("[{}]\n{}", section.name, keys.collect::<String>())
        };
        self.sections().map(section).collect()
    }
}

/// `# ── Retries ───…`
fn group_title(line: &str) -> Option<&str> {
    line.strip_prefix("# ──").map(|title| title.trim_matches(['─', ' ']))
}

/// The text of a line that is only a comment.
fn comment_text(line: &str) -> Option<&str> {
    if line == "#" { Some("") } else { line.strip_prefix("# ") }
}
