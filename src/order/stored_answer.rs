//! What is stored of an answer of 11VMS, and shown to callers: all of it, unless it is very large. Pure.

use serde_json::Value;

/// Largest answer that is stored, in bytes of JSON. It holds the echo, or the errors, of an order of 500 items; every list and
/// every later write of the order carries it.
const MAX_STORED_BYTES: usize = 512 * 1024;

/// Most characters that a text keeps of a larger answer.
const EXCERPT_CHARS: usize = 2_000;

/// The answer, or a text in its place that says that it is too large and how it begins.
pub fn bounded(answer: Option<Value>) -> Option<Value> {
    let answer = answer?;
    if size_within(&answer, MAX_STORED_BYTES).is_some() {
        return Some(answer);
    }
    let beginning: String = answer.to_string().chars().take(EXCERPT_CHARS).collect();
    let limit = MAX_STORED_BYTES / 1024;
    Some(Value::String(format!(
        "11VMS answered with more than {limit} KiB, which are not stored. The beginning: {beginning}"
    )))
}

/// What is left of `room` when the JSON of a value is taken from it, without writing it; `None` if there is too little.
fn size_within(value: &Value, room: usize) -> Option<usize> {
    // Quotes, a comma or a colon: escapes are not counted, so that a size may be a few times larger.
    const PUNCTUATION: usize = 3;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => room.checked_sub(PUNCTUATION + 2),
        Value::String(text) => room.checked_sub(text.len() + PUNCTUATION),
        Value::Array(entries) => {
            entries.iter().try_fold(room.checked_sub(PUNCTUATION)?, |room, entry| size_within(entry, room))
        }
        Value::Object(members) => members.iter().try_fold(room.checked_sub(PUNCTUATION)?, |room, (name, member)| {
            size_within(member, room.checked_sub(name.len() + PUNCTUATION)?)
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_stored_as_it_is_unless_it_is_very_large() {
        let errors: Vec<Value> =
            (0..3_000).map(|row| json!({ "message": format!("item {row}: {}", "x".repeat(80)) })).collect();
        for answer in [Value::Null, json!("text"), json!({ "poNumber": 1 }), json!({ "errors": errors })] {
            assert_eq!(bounded(Some(answer.clone())), Some(answer));
        }
        assert_eq!(bounded(None), None);
    }

    #[test]
    fn of_a_very_large_answer_a_text_is_stored_whatever_makes_it_large() {
        for answer in [
            json!("x".repeat(MAX_STORED_BYTES)),
            json!({ "items": vec!["x".repeat(100); 6_000] }),
            json!(vec![0; MAX_STORED_BYTES]),
            json!({ "x".repeat(MAX_STORED_BYTES): 1 }),
            json!(vec![Vec::<Value>::new(); MAX_STORED_BYTES / 2]),
        ] {
            let stored = bounded(Some(answer.clone())).unwrap();
            let text = stored.as_str().unwrap();
            assert!(text.contains("more than 512 KiB") && text.len() < 3_000, "{text}");
            assert!(text.contains(&answer.to_string()[..100]), "{text}");
        }
    }
}
