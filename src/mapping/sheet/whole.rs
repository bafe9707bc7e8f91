//! Checks that need the whole sheet: a list without fields, a choice of one.

use std::collections::HashMap;

use super::absent::Absent;
use super::rule::Rule;
use crate::mapping::defect::{CellProblem, Defect};
use crate::mapping::target::{Member, Object};

/// Defects that show only in the whole sheet: a list without fields, a choice of one.
pub fn defects_of_entries(file: &str, entry: &Object<Rule>) -> Vec<Defect> {
    let mut fields = Vec::new();
    let mut lists = Vec::new();
    members(entry, &mut fields, &mut lists);
    let choices = fields.iter().filter_map(|rule| match &rule.absent {
        Absent::OneOf(name) => Some((name, rule.line)),
        _ => None,
    });
    let mut rows: HashMap<&String, usize> = HashMap::new();
    choices.clone().for_each(|(name, _)| *rows.entry(name).or_default() += 1);
    let mut defects: Vec<Defect> = choices
        .clone()
        .filter(|(name, _)| rows.get(*name) == Some(&1))
        .map(|(name, line)| {
            let problem = format!("absent one-of:{name}: no other row of this entry has it; expected at least two");
            Defect::of_cell(file, line, CellProblem::new("absent", problem))
        })
        .collect();
    for list in lists {
        let is_empty = list.members.is_empty();
        defects.extend(list.entry_rules.iter().filter(|_| is_empty).map(|rule| {
            let problem = format!("target {}: no row sets a field of its entries", rule.target);
            Defect::of_cell(file, rule.line, CellProblem::new("target", problem))
        }));
        defects.extend(defects_of_entries(file, list));
    }
    defects
}

/// The fields of one entry, those of objects in it included, and the lists in it.
fn members<'s>(object: &'s Object<Rule>, fields: &mut Vec<&'s Rule>, lists: &mut Vec<&'s Object<Rule>>) {
    for (_, member) in &object.members {
        match member {
            Member::Field(rule) => fields.extend(rule.rows()),
            Member::Object(inner) => members(inner, fields, lists),
            Member::List(entry) => lists.push(entry),
        }
    }
}
