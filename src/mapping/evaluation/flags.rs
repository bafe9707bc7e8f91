//! `true` where a row's owner or its selection is read: a boolean is the value of a flag and no id. Without this a row would
//! be none of those that the sheet selects, without a word.

use std::collections::BTreeMap;

use super::place::in_item;
use crate::cart::{JoinedCart, Name, STANDARD, Scalar, Scope, Selection};
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::target::{Member, Object};
use crate::message::{Message, MessageCode};

/// Values that a condition has on a flag, which `true` and `false` fulfil too.
const FLAGS: [&str; 5] = ["", "X", "x", "true", "false"];

/// A mistake for each row that has `true` in `GUID` or `P_GUID`, or in a field by whose other values the sheet selects rows.
pub fn flags_for_ids(sheet: &Object<Rule>, cart: &JoinedCart<'_>) -> Vec<Message> {
    if !cart.has_flags() {
        return Vec::new();
    }
    let mut fields = Fields::new();
    let mut sections: Vec<&Name> = cart.section_names().collect();
    sections.retain(|section| **section != STANDARD.header);
    for section in sections {
        for field in [&STANDARD.guid, &STANDARD.p_guid] {
            fields.insert((section, field), true);
        }
    }
    of_object(sheet, &mut fields);
    let wanted = fields.into_iter().filter(|(_, is_id)| *is_id);
    wanted.flat_map(|((section, field), _)| mistakes(cart, section, field)).collect()
}

/// Each section and field, and whether a value other than a flag's is expected there.
type Fields<'s> = BTreeMap<(&'s Name, &'s Name), bool>;

fn of_object<'s>(object: &'s Object<Rule>, fields: &mut Fields<'s>) {
    object.entry_rules.iter().for_each(|rule| of_rule(rule, fields));
    for (_, member) in &object.members {
        match member {
            Member::Field(rule) => rule.rows().for_each(|rule| of_rule(rule, fields)),
            Member::Object(inner) | Member::List(inner) => of_object(inner, fields),
        }
    }
}

fn of_rule<'s>(rule: &'s Rule, fields: &mut Fields<'s>) {
    let compared = rule.when.iter().flat_map(|when| &when.comparisons).map(|comparison| &comparison.source);
    for selection in rule.sources.iter().chain(compared).filter_map(Source::selection) {
        for (field, value) in &selection.conditions {
            *fields.entry((&selection.section, field)).or_default() |= !FLAGS.contains(&value.as_str());
        }
    }
}

fn mistakes(cart: &JoinedCart<'_>, section: &Name, field: &Name) -> Vec<Message> {
    let every = Selection { section: section.clone(), conditions: Vec::new() };
    let mut scopes = vec![Scope::Header];
    if *section == STANDARD.header {
        return of_rows(cart, &every, field, Scope::Header).into_iter().collect();
    }
    if *section == STANDARD.item {
        scopes.clear();
    }
    scopes.extend(cart.scopes_below(Scope::Header));
    scopes.into_iter().filter_map(|scope| of_rows(cart, &every, field, scope)).collect()
}

/// One mistake for the rows of an item, or for those of the header.
fn of_rows(cart: &JoinedCart<'_>, every: &Selection, field: &Name, scope: Scope) -> Option<Message> {
    let is_flag = |value: Option<Scalar<'_>>| matches!(value, Some(Scalar::Flag));
    cart.own_rows(every, scope).find(|row| is_flag(row.get(field)))?;
    let section = every.section.spelling();
    let of_item = in_item(cart, scope);
    let text = format!("{section}.{field}{of_item} is true; expected a text or a number, and no boolean");
    Some(Message::new(MessageCode::Unreadable, text).at(section, field.spelling(), cart.position(scope)))
}
