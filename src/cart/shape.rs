//! What stands in a section's place: rows, in any of the forms in which serializers and middleware send a list.

use super::json::{Form, Inside, Value, whole};
use super::name::{FoldedHash, folded};
use super::value::trimmed;

/// The names under which an object holds the rows of a list: OData V2 (`results`), tables by RFC, SOAP or asXML (`item`),
/// SAP Cloud Integration (`element`); in their folded form.
const LIST_WRAPPERS: [&str; 3] = ["RESULTS", "ITEM", "ELEMENT"];

/// The name under which OData V4 holds the rows of a list, in its folded form. It is a field of items too, so that only a
/// list under it holds rows.
const VALUE: &str = "VALUE";

/// Where OData says that there are more rows than these: `__next` (V2), `odata.nextLink` (V3), `@odata.nextLink` (V4),
/// `@nextLink` (V4.01); in folded form, without what is in front.
const NEXT_PAGE: [&str; 3] = ["NEXT", "ODATA.NEXTLINK", "NEXTLINK"];

/// Where OData says how many rows there are, in folded form, without what is in front.
const COUNT: [&str; 2] = ["COUNT", "ODATA.COUNT"];

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
    let (mut count, mut plain_count) = (None, None);
    for member in place.inside() {
        if is_metadata(member) {
            let name = member.name();
            if is_next_page(&name) && !is_empty(member) {
                return Err(format!("{name} says that there are more rows than were sent; expected all of them"));
            }
            if is_count(&name) {
                count = Some(member);
            }
            deferred |= is_word(&name, DEFERRED) && !is_empty(member);
        } else if wrapped.is_none() && is_wrapper(member) {
            wrapped = Some(member);
        } else if plain_count.is_none() && is_plain_count(member) {
            plain_count = Some(member);
        } else {
            others = true;
        }
    }
    // A field of this name that is beside no list is one of the row's.
    others |= plain_count.is_some() && wrapped.is_none_or(|wrapped| wrapped.form() != Form::List);
    let count = count.or(plain_count);
    match wrapped {
        Some(wrapped) if !others => {
            let rows = match wrapped.form() {
                Form::List => rows_of_list(wrapped)?,
                Form::Object if wrapped.inside().next().is_some() => Rows::One(wrapped),
                _ => Rows::None,
            };
            count.map_or(Ok(()), |count| is_whole(count, rows.clone().count())).map(|()| rows)
        }
        None if !others && deferred => Err("the rows were not sent, only a link to them; expected all of them".into()),
        None if !others => Ok(Rows::None),
        _ => Ok(Rows::One(place)),
    }
}

/// What an annotation beside a section (`ITEM@odata.count`, `ITEM@odata.nextLink`) says about it.
///
/// # Errors
/// The rows are not all there, in words that follow the section's name.
pub fn check_annotation(annotation: Value<'_>, section: Value<'_>) -> Result<(), String> {
    let name = annotation.name();
    if is_next_page(&name) && !is_empty(annotation) {
        return Err(format!("{name} says that there are more rows than were sent; expected all of them"));
    }
    if is_count(&name) { is_whole(annotation, rows(section)?.count()) } else { Ok(()) }
}

/// Refuses a list that has fewer rows than its count says. A count that is none is no matter of the cart.
fn is_whole(count: Value<'_>, sent: usize) -> Result<(), String> {
    match counted(&count.text()) {
        Some(rows) if rows > sent => {
            let name = count.name();
            Err(format!("{name} says that there are {rows} rows, and {sent} were sent; expected all of them"))
        }
        _ => Ok(()),
    }
}

/// The number of rows that a count says: digits, perhaps with a fraction of zeros.
pub fn counted(text: &str) -> Option<usize> {
    whole(trimmed(text))?.parse().ok()
}

/// The members that OData adds to rows and lists: `__metadata`, `__count`, `@odata.etag`; and attributes of XML.
pub fn is_metadata(member: Value<'_>) -> bool {
    is_metadata_name(&member.name())
}

/// Whether a name is one of OData's own about what is beside it, or of an attribute of XML. No name of SAP's has an `@`:
/// `ITEM@odata.count` is about `ITEM`.
pub fn is_metadata_name(name: &str) -> bool {
    // V2, V3; V4 and XML.
    name.starts_with("__") || name.starts_with("odata.") || name.as_bytes().contains(&b'@')
}

/// The section that an annotation is about: `ITEM` of `ITEM@odata.count`.
pub fn annotated(name: &str) -> Option<&str> {
    name.split_once('@').map(|(section, _)| section).filter(|section| !section.is_empty())
}

/// Whether a name is that of OData's link to more rows.
pub fn is_next_page(name: &str) -> bool {
    is_metadata_name(name) && NEXT_PAGE.iter().any(|word| is_word(name, word))
}

/// Whether a name is that of OData's number of rows.
pub fn is_count(name: &str) -> bool {
    is_metadata_name(name) && COUNT.iter().any(|word| is_word(name, word))
}

/// A number of rows without any sign that it is OData's. It counts only beside a list, and where nothing else is.
fn is_plain_count(member: Value<'_>) -> bool {
    is_word(&member.name(), "COUNT") && counted(&member.text()).is_some()
}

/// Whether a name is a word, without the section and the sign in front of it.
fn is_word(name: &str, word: &str) -> bool {
    let name = name.rsplit_once('@').map_or(name, |(_, word)| word);
    folded(name).eq(word.bytes())
}

fn is_wrapper(member: Value<'_>) -> bool {
    let holds_rows = match member.form() {
        Form::List | Form::Object | Form::Null => true,
        Form::Text => is_empty(member),
        _ => false,
    };
    let is = |wrapper: &str| {
        member.name_hash() == FoldedHash::of(wrapper.as_bytes()) && folded(&member.name()).eq(wrapper.bytes())
    };
    holds_rows && (LIST_WRAPPERS.iter().any(|wrapper| is(wrapper)) || member.form() == Form::List && is(VALUE))
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
            (r#"{"value":[{"A":1},{"A":2}]}"#, 2),
            (r#"{"@odata.context":"x","@odata.count":2,"value":[{"A":1},{"A":2}]}"#, 2),
            (r#"{"odata.metadata":"x","odata.count":"1","value":[{"A":1}]}"#, 1),
            (r#"{"@count":1,"value":[{"A":1}],"@odata.nextLink":null}"#, 1),
            (r#"{"value":[]}"#, 0),
            (r#"{"VALUE":120.0}"#, 1),
            (r#"{"VALUE":null}"#, 1),
            (r#"{"VALUE":""}"#, 1),
            (r#"{"results":[{"A":1}],"count":1}"#, 1),
            (r#"{"results":[{"A":1}],"COUNT":"1","B":2}"#, 1),
            (r#"{"results":[{"A":1},{"A":2}],"__count":"1"}"#, 2),
            (r#"{"results":[{"A":1}],"__count":"many"}"#, 1),
            (r#"{"COUNT":3}"#, 1),
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
            (r#"{"results":[{}],"__count":"5"}"#, "__count says that there are 5 rows, and 1 were sent"),
            (r#"{"__count":"1","results":[]}"#, "__count says that there are 1 rows, and 0 were sent"),
            (r#"{"value":[{}],"@odata.count":2}"#, "@odata.count says that there are 2 rows"),
            (r#"{"odata.count":"2","value":[{}]}"#, "odata.count says that there are 2 rows"),
            (r#"{"value":[{}],"@count":2.0}"#, "@count says that there are 2 rows"),
            (r#"{"item":{"A":1},"__count":"2"}"#, "__count says that there are 2 rows, and 1 were sent"),
            (r#"{"results":null,"__count":"2"}"#, "__count says that there are 2 rows, and 0 were sent"),
            (r#"{"item":[{}],"count":2}"#, "count says that there are 2 rows"),
            (r#"{"value":[{}],"@odata.nextLink":"Items?$skip=1"}"#, "@odata.nextLink says that there are more"),
            (r#"{"value":[{}],"odata.nextLink":"Items?$skip=1"}"#, "odata.nextLink says that there are more"),
            (r#"{"@nextLink":"Items?$skip=1","value":[{}]}"#, "@nextLink says that there are more"),
            (r#"{"value":["a"]}"#, "a list whose entry 1 is a text"),
        ] {
            assert!(found(place).unwrap_err().contains(words), "{place}: {:?}", found(place));
        }
    }
}
