//! Text from outside as a part of one line.

/// The text with control characters, line separators and changes of direction escaped (CWE-117).
pub fn escape(text: &str) -> String {
    let is_hidden = |c: &char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if is_hidden(&c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}
