//! Text from outside as a part of one line.

/// The text with control characters, line separators and invisible marks escaped (CWE-117).
pub fn escape(text: &str) -> String {
    replace_hidden(text, |c| c.escape_default().to_string())
}

/// JSON on one line whose values are escaped likewise. JSON's own rules (RFC 8259 §7) leave most of these characters as
/// they are; outside of values it has none.
pub fn escape_json(text: &str) -> String {
    replace_hidden(text, |c| format!("\\u{:04x}", u32::from(c)))
}

/// Every hidden character is in the Basic Multilingual Plane.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn replace_hidden(text: &str, replacement: impl Fn(char) -> String) -> String {
    // Nearly every text is, and to look at characters one by one is slow.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_hidden) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if is_hidden(c) {
            line.push_str(&replacement(c));
        } else {
            line.push(c);
        }
        line
    })
}
