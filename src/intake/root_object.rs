//! A batch in one root object, as CPI and `CALL TRANSFORMATION` write it: the list of carts is somewhere inside.
//!
//! Finds the list; knows nothing of what a cart is but that it has a HEADER.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::raw_cart::RawCart;
use crate::cart::{CartError, Name, annotated, counted, is_count, is_metadata_name, is_next_page};

/// Objects that may be around the list, the root aside: `{"Envelope":{"Body":{"CARTS":{"item":[…]}}}}`. Carts have as many
/// wrappers.
const MAX_WRAPPERS: usize = 3;

/// Members of an object around the list: wrappers have a handful. Each is kept until the list is found.
const MAX_MEMBERS: usize = 1_000;

/// What an object holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'t> {
    /// One cart, in any wrappers.
    Cart,
    /// One list: its JSON.
    List(&'t str),
    /// Neither a list nor a cart.
    Nothing,
    /// More than one of them: their paths.
    Several(Vec<String>),
    /// A list that is not whole, and what says so.
    Incomplete(String),
}

/// What was found on the way.
#[derive(Debug, Default)]
struct Findings<'t> {
    /// The whole text, for the places of mistakes.
    all: &'t str,
    carts: Vec<String>,
    lists: Vec<FoundList<'t>>,
    /// Lists without an entry, which are the same as absent ones beside a list that has some.
    empty: Vec<FoundList<'t>>,
    next_page: Option<String>,
}

/// A list on the way.
#[derive(Debug)]
struct FoundList<'t> {
    path: String,
    text: &'t str,
    /// How many entries there are, and the path of what says so.
    count: Option<(usize, String)>,
}

impl FoundList<'_> {
    /// What says that entries are missing.
    fn gap(&self) -> Option<String> {
        let (count, path) = self.count.as_ref()?;
        let sent = Deserializer::from_str(self.text).deserialize_seq(Entries).ok()?;
        (*count > sent).then(|| format!("{path} says that there are {count} carts, and {sent} were sent"))
    }
}

/// Looks for the list of carts, or the one cart, in a JSON object.
///
/// # Errors
/// If the text is no JSON, or one of the objects around the list names a member twice.
pub fn content(text: &str) -> Result<Content<'_>, CartError> {
    let mut findings = Findings { all: text, ..Findings::default() };
    look_into(text, "", MAX_WRAPPERS, &mut findings)?;
    let Findings { carts, mut lists, mut empty, next_page, .. } = findings;
    if lists.is_empty() && carts.is_empty() {
        lists.append(&mut empty);
    }
    if carts.len() + lists.len() > 1 {
        return Ok(Content::Several(carts.into_iter().chain(lists.into_iter().map(|list| list.path)).collect()));
    }
    Ok(match (lists.pop(), next_page) {
        (Some(_), Some(link)) => Content::Incomplete(format!("{link} leads to another page of it")),
        (Some(list), None) => list.gap().map_or(Content::List(list.text), Content::Incomplete),
        (None, _) if carts.is_empty() => Content::Nothing,
        (None, _) => Content::Cart,
    })
}

fn look_into<'t>(text: &'t str, path: &str, depth: usize, findings: &mut Findings<'t>) -> Result<(), CartError> {
    let members = members(text).map_err(|error| RawCart::in_text(findings.all, text).place_in_text(error.into()))?;
    if members.iter().any(|(name, value)| Name::of(name).as_str() == "HEADER" && value.get().starts_with(['{', '['])) {
        findings.carts.push(if path.is_empty() { "the object itself".to_owned() } else { path.to_owned() });
        return Ok(());
    }
    let path_of = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let counts: Vec<(String, usize)> =
        members.iter().filter_map(|(name, value)| Some((name.to_string(), entry_count(name, value.get())?))).collect();
    // A count is about the list beside it, or about the one that it names: `CARTS@odata.count`.
    let count_of = |list: &str| {
        let is_about = |name: &str| annotated(name).is_none_or(|about| Name::of(about) == Name::of(list));
        let found = counts.iter().find(|(name, _)| is_about(name));
        found.map(|(name, count)| (*count, path_of(name)))
    };
    for (name, value) in members {
        let path = path_of(&name);
        let value = value.get();
        let first = value.as_bytes().first();
        if is_next_page(&name) {
            // What it leads to would be missing without a word.
            findings.next_page = (!matches!(value, "null" | "\"\"")).then_some(path);
        } else if is_metadata_name(&name) {
            // It is about what is beside it.
        } else if first == Some(&b'[') {
            let list = FoundList { path, text: value, count: count_of(&name) };
            match first_entry(value) {
                None => findings.empty.push(list),
                Some(b'{') => findings.lists.push(list),
                // Texts or numbers: no list of carts.
                Some(_) => {}
            }
        } else if first == Some(&b'{') && depth > 0 {
            look_into(value, &path, depth - 1, findings)?;
        }
    }
    Ok(())
}

/// The number of entries that a member says: OData's, or a plain `count`.
fn entry_count(name: &str, value: &str) -> Option<usize> {
    let is_one = is_count(name) || name.eq_ignore_ascii_case("count");
    is_one.then(|| counted(value.trim_matches('"'))).flatten()
}

/// Counts the entries of a list.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while entries.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

/// The first byte of the first entry of a list.
fn first_entry(list: &str) -> Option<u8> {
    list.bytes().skip(1).find(|byte| !byte.is_ascii_whitespace()).filter(|byte| *byte != b']')
}

/// The members of an object, in their order.
fn members(text: &str) -> serde_json::Result<Vec<(Cow<'_, str>, &RawValue)>> {
    let mut deserializer = Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Members)?;
    deserializer.end()?;
    Ok(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if found.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format!("an object has more than {MAX_MEMBERS} members")));
            }
            // The first list would be lost, or the second. Two spellings of one name are two lists.
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("the name {name:?} appears twice in one object")));
            }
            found.push((name, members.next_value()?));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_or_the_one_cart_is_found_under_any_names() {
        const CART: &str = r#"{"HEADER":{}}"#;
        for (text, expected) in [
            (r#"{"CARTS":[{}]}"#, Content::List("[{}]")),
            (r#"{"carts": [ {"a":[1]} ] , "version":"1.0"}"#, Content::List(r#"[ {"a":[1]} ]"#)),
            (r#"{"d":{"__count":"1","__metadata":{"x":[{}]},"results":[{}]}}"#, Content::List("[{}]")),
            (r#"{"d":{"__next":null,"results":[{}]}}"#, Content::List("[{}]")),
            (r#"{"@odata.context":"x","value":[{}]}"#, Content::List("[{}]")),
            (r#"{"@odata.count":2,"value":[{},{}]}"#, Content::List("[{},{}]")),
            (r#"{"odata.metadata":"x","odata.count":"1","value":[{}]}"#, Content::List("[{}]")),
            (r#"{"count":1,"CARTS":[{}],"CARTS@odata.count":1}"#, Content::List("[{}]")),
            (r#"{"d":{"__count":"1","results":[{},{}]}}"#, Content::List("[{},{}]")),
            (r#"{"CARTS":[{}],"ERRORS@odata.count":5}"#, Content::List("[{}]")),
            (r#"{"CARTS":{"item":[{},{}]}}"#, Content::List("[{},{}]")),
            (r#"{"Envelope":{"Header":null,"Body":{"CARTS":{"item":[{}]}}}}"#, Content::List("[{}]")),
            (r#"{"Envelope":{"Body":{"CARTS":{"item":[{}]}}}}"#, Content::List("[{}]")),
            (r#"{"CARTS":[{}],"MESSAGES":[],"IDS":["1"]}"#, Content::List("[{}]")),
            (r#"{"CARTS":[]}"#, Content::List("[]")),
            (CART, Content::Cart),
            (r#"{"HEADER":{},"ZZ_A":1,"ZZA":2}"#, Content::Cart),
            (r#"{"header":[],"ITEM":[{}],"ACCOUNT":[{}]}"#, Content::Cart),
            (r#"{"d":{"CART":{"Header":{},"Item":[{}]}}}"#, Content::Cart),
            ("{}", Content::Nothing),
            (r#"{"CARTS":null,"CART":{},"IDS":["1"]}"#, Content::Nothing),
            (r#"{"a":{"b":{"c":{"d":{"CARTS":[{}]}}}}}"#, Content::Nothing),
        ] {
            assert_eq!(content(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let page = |link: &str| Content::Incomplete(format!("{link} leads to another page of it"));
        let short = |gap: &str| Content::Incomplete(gap.to_owned());
        let several = |paths: &[&str]| Content::Several(paths.iter().map(|path| (*path).to_owned()).collect());
        for (text, expected) in [
            (r#"{"CARTS":[{}],"MORE":{"item":[{}]}}"#, several(&["CARTS", "MORE.item"])),
            (r#"{"A":[],"B":[]}"#, several(&["A", "B"])),
            (r#"{"CART1":{"HEADER":{}},"CART2":{"HEADER":{}}}"#, several(&["CART1", "CART2"])),
            (r#"{"CARTS":[{}],"carts":[{}]}"#, several(&["CARTS", "carts"])),
            (r#"{"CART":{"HEADER":{}},"CARTS":[{}]}"#, several(&["CART", "CARTS"])),
            (r#"{"d":{"results":[{}],"__next":"x"}}"#, page("d.__next")),
            (r#"{"value":[{}],"@odata.nextLink":"x"}"#, page("@odata.nextLink")),
            (r#"{"value":[{}],"odata.nextLink":"x"}"#, page("odata.nextLink")),
            (r#"{"CARTS":[{}],"CARTS@odata.nextLink":"x"}"#, page("CARTS@odata.nextLink")),
            (
                r#"{"d":{"results":[{}],"__count":"5"}}"#,
                short("d.__count says that there are 5 carts, and 1 were sent"),
            ),
            (r#"{"@odata.count":2,"value":[{}]}"#, short("@odata.count says that there are 2 carts, and 1 were sent")),
            (r#"{"odata.count":"2","value":[]}"#, short("odata.count says that there are 2 carts, and 0 were sent")),
            (r#"{"CARTS":[{}],"count":2}"#, short("count says that there are 2 carts, and 1 were sent")),
            (r#"{"C":[{}],"C@odata.count":2}"#, short("C@odata.count says that there are 2 carts, and 1 were sent")),
        ] {
            assert_eq!(content(text).unwrap(), expected, "{text}");
        }
        let twice = r#"{"d":{"results":[],"results":[{}]}}"#;
        assert!(content(twice).unwrap_err().to_string().contains("appears twice"), "{twice}");
        let Err(CartError::Malformed { line, column, .. }) = content("{\n\"d\":{\"a\":1,\"a\":2}}") else { panic!() };
        assert_eq!((line, column), (2, 14), "in the whole text");
        let wide: Vec<String> = (0..=MAX_MEMBERS).map(|number| format!("\"{number}\":1")).collect();
        assert!(
            content(&format!("{{{}}}", wide.join(","))).unwrap_err().to_string().contains("more than 1000 members")
        );
        for broken in ["{", r#"{"CARTS":[{}]} {}"#, r#"{"CARTS":[{]}"#] {
            assert!(content(broken).is_err(), "{broken}");
        }
    }
}
