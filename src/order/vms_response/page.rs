//! Whether a list is the whole answer: pages that follow, totals that disagree, errors beside it. What is not understood
//! counts as more: a list proves that an order is absent only if nothing speaks against it.

use serde_json::Value;

use super::VmsResponse;
use super::cached::CACHE_HEADERS;
use super::contradiction::failure_beside_list;
use super::signs::{is_false, is_set, plain, says_failure, says_yes, whole_number};

/// Headers that may say that a list goes on: RFC 8288, a range of items (RFC 9110 §14.4), and what APIs (GitLab's, JSON
/// Server's) agree on.
pub const LIST_HEADERS: [&str; 15] = [
    "link",
    "content-range",
    "x-total-count",
    "x-total",
    "x-next-page",
    "total-count",
    "x-result-count",
    "x-total-results",
    "x-wp-total",
    "x-wp-totalpages",
    "x-total-pages",
    "x-page-count",
    "x-pagination",
    "x-has-more",
    "x-next-cursor",
];

/// Beginnings of members that name a further page; here and below in small letters, without punctuation.
const NEXT_STEMS: [&str; 3] = ["next", "odatanext", "continuation"];

/// Beginnings of members that say, if true, that there is more, or that the answer is a part.
const MORE_STEMS: [&str; 15] = [
    "more",
    "hasmore",
    "hasnext",
    "truncated",
    "istruncated",
    "partial",
    "ispartial",
    "incomplete",
    "timedout",
    "aborted",
    "isaborted",
    "degraded",
    "isdegraded",
    "stale",
    "isstale",
];

/// Members that say, if false, that the answer is not all.
const WHOLE_NAMES: [&str; 8] =
    ["done", "last", "islast", "lastpage", "islastpage", "complete", "iscomplete", "completed"];

/// Members with the number of pages.
const PAGE_COUNT_NAMES: [&str; 8] =
    ["pages", "pagecount", "pagescount", "pagestotal", "numpages", "numberofpages", "lastpage", "maxpage"];

/// Members with the number of orders that were found, beside those that begin with `total`.
const COUNT_NAMES: [&str; 13] = [
    "count",
    "itemcount",
    "recordcount",
    "resultcount",
    "hitcount",
    "matchcount",
    "ordercount",
    "rowcount",
    "numfound",
    "odatacount",
    "inlinecount",
    "recordstotal",
    "recordsfiltered",
];

/// Members with a total, of which a zero says that there is no order at all.
const TOTAL_NAMES: [&str; 8] =
    ["total", "totalcount", "totalelements", "totalitems", "totalrecords", "totalresults", "totalsize", "totalhits"];

/// Members with remarks: the list may be empty because of them. So may it be because of errors.
const REMARK_NAMES: [&str; 2] = ["warning", "warnings"];

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

/// What an answer says about orders beside those of its list, which is at `pointer`; the list itself is not searched.
pub fn beyond_list(response: &VmsResponse, pointer: &str) -> Beyond {
    let Some(body) = &response.body else { return Beyond::Silence };
    let list = body.pointer(pointer);
    let shown = list.and_then(Value::as_array).map_or(0, Vec::len);
    let mut search = Search { list, shown: u64::try_from(shown).unwrap_or(u64::MAX), beyond: Beyond::Silence };
    search.value(body);
    if let Some(name) = (shown == 0).then(|| failure_beside_list(body, list)).flatten() {
        search.more(format!("{name:?}"));
    }
    for (name, value) in &response.list_headers {
        search.header(name, value);
    }
    search.beyond
}

struct Search<'b> {
    list: Option<&'b Value>,
    /// The length of the list.
    shown: u64,
    beyond: Beyond,
}

impl Search<'_> {
    fn value(&mut self, value: &Value) {
        if self.list.is_some_and(|list| std::ptr::eq(list, value)) {
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let is_list = self.list.is_some_and(|list| std::ptr::eq(list, member));
                    if !is_list {
                        self.judge(name, member);
                        self.value(member);
                    }
                }
                // JSON:API and Atom: {"rel":"next","href":"…"}.
                if members.get("rel").is_some_and(is_next_relation) {
                    self.more("a link to the next page".to_owned());
                }
            }
            Value::Array(entries) => entries.iter().for_each(|entry| self.value(entry)),
            _ => {}
        }
    }

    fn more(&mut self, what: String) {
        self.beyond = Beyond::More(what);
    }

    fn judge(&mut self, name: &str, value: &Value) {
        let plain = plain(name);
        let is_one_of = |names: &[&str]| names.contains(&plain.as_str());
        let begins_with = |stems: &[&str]| stems.iter().any(|stem| plain.starts_with(stem));
        let is_page_count = is_one_of(&PAGE_COUNT_NAMES) || plain.starts_with("totalpage");
        let is_total = is_one_of(&COUNT_NAMES) || plain.starts_with("total") && !is_page_count;
        let says_more = begins_with(&NEXT_STEMS) && is_set(value)
            || (begins_with(&MORE_STEMS) || is_one_of(&REMARK_NAMES)) && says_yes(value)
            || says_failure(&plain, value)
            || is_one_of(&WHOLE_NAMES) && is_false(value)
            || is_page_count && is_number_above_one(value)
            // Of a list that is not empty, our order is one of them.
            || is_total && !value.is_null() && whole_number(value).is_none_or(|total| total > self.shown);
        if says_more {
            self.more(format!("{name:?}"));
        } else if is_zero_total(&plain, value) && self.beyond == Beyond::Silence {
            self.beyond = Beyond::Nothing;
        }
    }

    /// Whether a header's total is more than the list has; one that is no number may be.
    fn is_more_than_shown(&self, total: &str) -> bool {
        total.trim().parse().map_or(true, |total: u64| total > self.shown)
    }

    fn pagination(&mut self, value: &str) {
        match serde_json::from_str::<Value>(value) {
            Ok(stated @ Value::Object(_)) => self.value(&stated),
            _ => self.more("the header x-pagination".to_owned()),
        }
    }

    fn header(&mut self, name: &str, value: &str) {
        let says_more = match name {
            "link" => links_to_next(value),
            "x-next-page" | "x-next-cursor" => !value.trim().is_empty(),
            "x-has-more" => !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "false" | "0" | "no"),
            // The number of pages; none is stated of nothing.
            "x-total-pages" | "x-wp-totalpages" | "x-page-count" => {
                !value.trim().parse::<u64>().is_ok_and(|pages| pages <= 1)
            }
            // An object of totals and pages; what is none may say anything.
            "x-pagination" => return self.pagination(value),
            _ if CACHE_HEADERS.contains(&name) => false,
            "content-range" => self.is_more_than_shown(value.rsplit('/').next().unwrap_or_default()),
            _ => self.is_more_than_shown(value),
        };
        if says_more {
            self.more(format!("the header {name}"));
        }
    }
}

/// Whether a total that is known as one is zero.
fn is_zero_total(plain: &str, value: &Value) -> bool {
    (TOTAL_NAMES.contains(&plain) || COUNT_NAMES.contains(&plain)) && whole_number(value) == Some(0)
}

/// Whether `Link` (RFC 8288) has a link to a next page.
fn links_to_next(value: &str) -> bool {
    // The addresses may have any punctuation.
    let outside = value.split('<').map(|part| part.split_once('>').map_or(part, |(_, parameters)| parameters));
    let mut parameters = outside.flat_map(|part| part.split([';', ','])).filter_map(|part| part.split_once('='));
    parameters.any(|(name, relations)| name.trim().eq_ignore_ascii_case("rel") && names_next(relations))
}

/// Whether one of several relations is the next page.
fn names_next(relations: &str) -> bool {
    relations.trim().trim_matches('"').split_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
}

fn is_next_relation(value: &Value) -> bool {
    match value {
        Value::String(relations) => names_next(relations),
        Value::Array(relations) => relations.iter().any(is_next_relation),
        _ => false,
    }
}

/// Whether a number of pages is one of several. What is no number (a list of pages, a flag) is none of pages.
fn is_number_above_one(value: &Value) -> bool {
    let is_number = value.is_number() || value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok());
    is_number && whole_number(value).is_none_or(|pages| pages > 1)
}

#[cfg(test)]
mod tests;
