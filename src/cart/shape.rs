//! What stands in a section's place: rows, in any of the forms in which serializers and middleware send a list.

use super::json::{Form, Inside, Value};
use super::name::{FoldedHash, folded};
use super::value::trimmed;

/// The names under which an object holds the rows of a list: OData V2 (`results`), tables by RFC, SOAP or asXML (`item`),
/// SAP Cloud Integration (`element`); in their folded form.
const LIST_WRAPPERS: [&str; 3] = ["RESULTS", "ITEM", "ELEMENT"];

/// Where OData says that there are more rows than these, in folded form.
const NEXT_PAGE: [&str; 2] = ["NEXT", "@ODATA.NEXTLINK"];

/// OData's place for rows that were not sent with the cart, in folded form.
const DEFERRED: &str = "DEFERRED";

/// The rows in a section's place.
#[derive(Debug, Clone)]
pub enum Rows<'d> {
    /// There are none.
    None,
    /// A single one: gateways collapse lists of one.
    One(Value<'d>),
    /// A list.
    List(Inside<'d>),
}

impl<'d> Iterator for Rows<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        match self {
            Self::None => None,
            Self::One(row) => {
                let row = *row;
                *self = Self::None;
                Some(row)
            }
            Self::List(entries) => entries.next(),
        }
    }
}

/// The rows in a section's place.
///
/// # Errors
/// What stands there instead, in words that follow the section's name.
pub fn rows(place: Value<'_>) -> Result<Rows<'_>, String> {
    match place.form() {
        Form::Null => Ok(Rows::None),
        Form::Text if trimmed(&place.text()).is_empty() => Ok(Rows::None),
        Form::Object => rows_of_object(place),
        Form::List => rows_of_list(place),
        form => Err(format!("expected a list of objects, found {}", described(form))),
    }
}

fn rows_of_list(place: Value<'_>) -> Result<Rows<'_>, String> {
    let stranger = place.inside().zip(1..).find(|(entry, _)| entry.form() != Form::Object);
    let Some((entry, position)) = stranger else { return Ok(Rows::List(place.inside())) };
    let what = described(entry.form());
    Err(format!("expected a list of objects, found a list whose entry {position} is {what}"))
}

/// An object is a wrapper around the rows, or the only row.
fn rows_of_object(place: Value<'_>) -> Result<Rows<'_>, String> {
    let mut wrapped = None;
    let mut others = false;
    let mut deferred = false;
    for member in place.inside() {
        if is_metadata(member) {
            let name = member.name();
            if is_next_page(&name) && !is_empty(member) {
                return Err(format!("{name} says that there are more rows than were sent; expected all of them"));
            }
            deferred |= is_word(&name, DEFERRED) && !is_empty(member);
        } else if wrapped.is_none() && is_wrapper(member) {
            wrapped = Some(member);
        } else {
            others = true;
        }
    }
    match wrapped {
        Some(wrapped) if !others => match wrapped.form() {
            Form::List => rows_of_list(wrapped),
            Form::Object if wrapped.inside().next().is_some() => Ok(Rows::One(wrapped)),
            _ => Ok(Rows::None),
        },
        None if !others && deferred => Err("the rows were not sent, only a link to them; expected all of them".into()),
        None if !others => Ok(Rows::None),
        _ => Ok(Rows::One(place)),
    }
}

/// The members that OData adds to rows and lists: `__metadata`, `__count`, `@odata.etag`; and attributes of XML.
pub fn is_metadata(member: Value<'_>) -> bool {
    is_metadata_name(&member.name())
}

/// Whether a name is one of OData's own about what is beside it, or of an attribute of XML.
pub fn is_metadata_name(name: &str) -> bool {
    matches!(name.as_bytes(), [b'_', b'_', ..] | [b'@', ..])
}

/// Whether a name is that of OData's link to more rows.
pub fn is_next_page(name: &str) -> bool {
    is_metadata_name(name) && NEXT_PAGE.iter().any(|word| is_word(name, word))
}

fn is_word(name: &str, word: &str) -> bool {
    folded(name.trim_start_matches('_')).eq(word.bytes())
}

fn is_wrapper(member: Value<'_>) -> bool {
    let holds_rows = match member.form() {
        Form::List | Form::Object | Form::Null => true,
        Form::Text => is_empty(member),
        _ => false,
    };
    holds_rows
        && LIST_WRAPPERS.iter().any(|wrapper| {
            member.name_hash() == FoldedHash::of(wrapper.as_bytes()) && folded(&member.name()).eq(wrapper.bytes())
        })
}

fn is_empty(member: Value<'_>) -> bool {
    match member.form() {
        Form::Null | Form::Flag(false) => true,
        Form::Text => trimmed(&member.text()).is_empty(),
        Form::Object | Form::List => member.inside().next().is_none(),
        _ => false,
    }
}

fn described(form: Form) -> &'static str {
    match form {
        Form::Null => "nothing",
        Form::Flag(true) => "true",
        Form::Flag(false) => "false",
        Form::Number => "a number",
        Form::Text => "a text",
        Form::List => "a list",
        Form::Object => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::json::Document;

    fn found(place: &str) -> Result<usize, String> {
        rows(Document::scan(place, 9).unwrap().value(0)).map(Iterator::count)
    }

    #[test]
    fn rows_are_found_in_every_form_of_a_list() {
        for (place, count) in [
            ("[]", 0),
            ("{}", 0),
            ("null", 0),
            ("\" \"", 0),
            (r#"[{"A":1},{}]"#, 2),
            (r#"{"A":1}"#, 1),
            (r#"{"item":[{"A":1},{"A":2}]}"#, 2),
            (r#"{"item":{"A":1}}"#, 1),
            (r#"{"item":{}}"#, 0),
            (r#"{"item":""}"#, 0),
            (r#"{"Item":null}"#, 0),
            (r#"{"element":[{"A":1}]}"#, 1),
            (r#"{"@xmlns":"x","element":{"A":1}}"#, 1),
            (r#"{"results":[{"A":1}],"__count":"1"}"#, 1),
            (r#"{"__metadata":{"uri":"x"},"results":[{"A":1}],"__next":null,"__deferred":{"uri":"x"}}"#, 1),
            (r#"{"results":[],"__next":""}"#, 0),
            (r#"{"__metadata":{"type":"x"},"A":1}"#, 1),
            (r#"{"item":[{"A":1}],"B":1}"#, 1),
            (r#"{"item":"4711"}"#, 1),
        ] {
            assert_eq!(found(place), Ok(count), "{place}");
        }
    }

    #[test]
    fn anything_else_is_told_in_one_message_that_says_what_it_is() {
        for (place, words) in [
            ("7", "found a number"),
            ("true", "found true"),
            ("\"[{}]\"", "found a text"),
            ("[1]", "a list whose entry 1 is a number"),
            (r#"[{},"a"]"#, "a list whose entry 2 is a text"),
            ("[[{}]]", "a list whose entry 1 is a list"),
            ("[null]", "a list whose entry 1 is nothing"),
            (r#"{"results":["a"],"__count":"1"}"#, "a list whose entry 1 is a text"),
            (r#"{"item":[{}],"__next":"https://host/Items?$skiptoken=2"}"#, "__next says that there are more rows"),
            (r#"{"__deferred":{"uri":"https://host/Cart(1)/Items"}}"#, "only a link to them"),
        ] {
            assert!(found(place).unwrap_err().contains(words), "{place}: {:?}", found(place));
        }
    }
}
