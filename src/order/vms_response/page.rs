//! Whether an empty list is the whole answer: pages that follow, totals that disagree, errors beside it.

use serde_json::{Map, Value};

/// Members that name a further page, or that there is one, in small letters without punctuation.
const NEXT_NAMES: [&str; 17] = [
    "next",
    "nextpage",
    "nextlink",
    "nexturl",
    "nextcursor",
    "nexttoken",
    "nextpagetoken",
    "nextrecordsurl",
    "odatanextlink",
    "continuation",
    "continuationtoken",
    "hasmore",
    "hasnext",
    "hasnextpage",
    "more",
    "morerecords",
    "moreresults",
];

/// Members that say that the answer is a part.
const PART_NAMES: [&str; 6] = ["truncated", "istruncated", "partial", "incomplete", "incompleteresults", "timedout"];

/// Members that say that the answer is the last part.
const LAST_NAMES: [&str; 4] = ["done", "last", "islast", "islastpage"];

/// Members with the number of orders that were found.
const TOTAL_NAMES: [&str; 14] = [
    "total",
    "totalcount",
    "totalelements",
    "totalitems",
    "totalrecords",
    "totalresults",
    "totalsize",
    "totalhits",
    "count",
    "itemcount",
    "recordcount",
    "resultcount",
    "numfound",
    "odatacount",
];

/// Members with errors: the list may be empty because of them.
const ERROR_NAMES: [&str; 4] = ["error", "errors", "fault", "faults"];

/// What an answer says about orders that are not in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// It says that there are, or may be, more: `what` says so.
    More(String),
    /// It states a total of zero.
    Nothing,
    /// It says nothing.
    Silence,
}

/// What a body with an empty list says about further orders.
pub fn beyond_empty_list(body: &Value) -> Beyond {
    let mut beyond = Beyond::Silence;
    search(body, &mut beyond);
    beyond
}

fn search(value: &Value, beyond: &mut Beyond) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                judge(name, member, beyond);
                search(member, beyond);
            }
            // JSON:API and Atom: {"rel":"next","href":"…"}.
            if members.get("rel").and_then(Value::as_str) == Some("next") {
                *beyond = Beyond::More("a link to the next page".to_owned());
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| search(entry, beyond)),
        _ => {}
    }
}

fn judge(name: &str, value: &Value, beyond: &mut Beyond) {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_one_of = |names: &[&str]| names.contains(&plain.as_str());
    let total = is_one_of(&TOTAL_NAMES).then(|| whole_number(value)).flatten();
    let says_more = (is_one_of(&NEXT_NAMES) || is_one_of(&PART_NAMES) || is_one_of(&ERROR_NAMES)) && is_set(value)
        || is_one_of(&LAST_NAMES) && *value == Value::Bool(false)
        || plain == "totalpages" && whole_number(value).is_some_and(|pages| pages > 1)
        || total.is_some_and(|total| total != 0);
    if says_more {
        *beyond = Beyond::More(format!("{name:?}"));
    } else if total == Some(0) && *beyond == Beyond::Silence {
        *beyond = Beyond::Nothing;
    }
}

/// A whole number, also as text: OData 2 has `"__count": "0"`.
fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(members) => has_content(members),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn has_content(members: &Map<String, Value>) -> bool {
    members.values().any(is_set)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_orders_are_named_in_many_ways() {
        for body in [
            json!({ "nextCursor": "abc" }),
            json!({ "hasMore": true }),
            json!({ "@odata.nextLink": "x" }),
            json!({ "d": { "results": [], "__next": "x" } }),
            json!({ "d": { "results": [], "__count": "2" } }),
            json!({ "@odata.count": 1 }),
            json!({ "_links": { "next": { "href": "/x?page=1" } } }),
            json!({ "links": [{ "rel": "next", "href": "x" }] }),
            json!({ "page": { "totalElements": 3, "totalPages": 1, "number": 5 } }),
            json!({ "page": { "totalPages": 2 } }),
            json!({ "meta": { "pagination": { "next_page": 2 } } }),
            json!({ "total": 1 }),
            json!({ "total": -1 }),
            json!({ "totalSize": 1, "done": true }),
            json!({ "totalSize": 0, "done": false }),
            json!({ "last": false }),
            json!({ "timed_out": true }),
            json!({ "errors": [{ "message": "one shard did not answer" }] }),
            json!({ "next": 2 }),
        ] {
            assert!(matches!(beyond_empty_list(&body), Beyond::More(_)), "{body}");
        }
    }

    #[test]
    fn the_end_of_a_list_is_no_further_page() {
        for (body, expected) in [
            (json!({ "nextCursor": null, "hasMore": false, "next": "", "errors": [] }), Beyond::Silence),
            (json!({ "_links": { "self": { "href": "/x" }, "next": { "href": null } } }), Beyond::Silence),
            (json!({ "page": { "size": 20, "totalElements": 0, "totalPages": 0, "number": 0 } }), Beyond::Nothing),
            (json!({ "d": { "results": [], "__count": "0" } }), Beyond::Nothing),
            (json!({ "totalSize": 0, "done": true, "records": [] }), Beyond::Nothing),
            (json!({ "limit": 20, "offset": 0, "total": 0 }), Beyond::Nothing),
            (json!([]), Beyond::Silence),
        ] {
            assert_eq!(beyond_empty_list(&body), expected, "{body}");
        }
    }
}
