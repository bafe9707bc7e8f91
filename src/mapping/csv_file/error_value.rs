//! The words that a spreadsheet writes into a cell whose formula failed, or whose column is too narrow.

/// `#REF!`, `#N/A`, `########`, in any language, and `Err:502`.
pub fn is_error_value(text: &str) -> bool {
    if let Some(code) = text.strip_prefix("Err:").or_else(|| text.strip_prefix("Fehler:")) {
        return !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    }
    let Some(word) = text.strip_prefix('#') else { return false };
    let is_known = ["N/A", "NV", "N/D", "N/DISP", "GETTING_DATA"].contains(&word);
    let is_called_out = word.ends_with(['!', '?']) && word.len() > 1 && !word.contains(char::is_whitespace);
    let is_too_narrow = !word.is_empty() && word.bytes().all(|byte| byte == b'#');
    is_known || is_called_out || is_too_narrow
}
