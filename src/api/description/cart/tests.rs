//! The fields of the description are those of the default sheet, and what it demands is marked.

use std::collections::BTreeSet;

use super::*;

const SHEET: &str = include_str!("../../../../mapping/purchase-order.csv");

/// A section and a field of it.
type SectionField = (String, String);

/// The fields that a source of the sheet reads, and those that its conditions read.
fn fields_of(source: &str) -> (Vec<SectionField>, Vec<SectionField>) {
    let (mut read, mut asked) = (Vec::new(), Vec::new());
    for part in source.split(" + ") {
        let (section, field) = part.rsplit_once('.').unwrap_or((part, ""));
        let name = section.split('[').next().unwrap();
        if !field.is_empty() {
            read.push((name.to_owned(), field.to_owned()));
        }
        for condition in section.split('[').skip(1) {
            let condition = condition.trim_end_matches(']');
            // `PARTNER[00000019]` is short for the partner's function.
            let field = condition.split_once('=').map_or("PARTNER_FCT", |(field, _)| field);
            asked.push((name.to_owned(), field.to_owned()));
        }
    }
    (read, asked)
}

fn described(usage: impl Fn(Usage) -> bool) -> BTreeSet<SectionField> {
    let fields = SECTIONS.iter().flat_map(|section| section.fields.iter().map(move |field| (section.name, field)));
    fields
        .filter(|(_, field)| usage(field.usage))
        .map(|(section, field)| (section.to_owned(), field.name.to_owned()))
        .collect()
}

#[test]
fn every_field_of_the_default_sheet_is_described_and_no_other_is_said_to_be_used() {
    let (mut used, mut mandatory) = (BTreeSet::new(), BTreeSet::new());
    for row in SHEET.lines().skip(1) {
        let columns: Vec<&str> = row.split(',').collect();
        let (source, absent) = (columns[1], columns[3]);
        if source == "ID" {
            continue;
        }
        let (read, asked) = fields_of(source);
        used.extend(read.iter().chain(&asked).cloned());
        if absent == "refuse" && columns[2] != "rows" {
            mandatory.extend(read.into_iter().chain(asked));
        }
    }
    assert_eq!(described(|usage| matches!(usage, Usage::Mandatory | Usage::Mapped)), used);
    assert_eq!(described(|usage| usage == Usage::Mandatory), mandatory);
    assert!(used.len() >= 30, "{used:?}");
}
