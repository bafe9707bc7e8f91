//! The version of a mapping: a digest of what it means, not of its files. Stray files and examples do not count.

use std::collections::BTreeSet;

use super::conversion::Conversion;
use super::currency::{Amounts, CURRENCY_DECIMALS};
use super::meaning::push;
use super::sheet::{Rule, Sheet};
use super::table::Tables;
use super::target::{Member, Object};
use crate::digest;

/// Hex digits of the digest that make a version: enough to tell any two mappings apart, short enough to read out.
const VERSION_DIGITS: usize = 16;

/// The digest of the sheet's rows, of the tables that they use, and of the setting for amounts.
pub fn version(sheet: &Sheet, tables: &Tables, amounts: Amounts) -> String {
    let mut used = BTreeSet::new();
    collect_tables(&sheet.root, &mut used);
    if amounts == Amounts::Shifted {
        used.insert(CURRENCY_DECIMALS);
    }
    let mut meaning = String::new();
    push(&mut meaning, amounts.version_label());
    push(&mut meaning, &sheet.meaning);
    for (name, table) in tables.iter().filter(|(name, _)| used.contains(name.as_str())) {
        push(&mut meaning, name);
        push(&mut meaning, &table.meaning);
    }
    digest::sha256_hex(meaning.as_bytes()).chars().take(VERSION_DIGITS).collect()
}

fn collect_tables<'s>(object: &'s Object<Rule>, used: &mut BTreeSet<&'s str>) {
    for (_, member) in &object.members {
        match member {
            Member::Field(rule) => used.extend(rule.rows().filter_map(|row| match &row.conversion {
                Conversion::Table(name) => Some(name.as_str()),
                _ => None,
            })),
            Member::Object(inner) | Member::List(inner) => collect_tables(inner, used),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::{Amounts, Folder, Mapping, SHEET};

    const ROWS: &str =
        "target,source,as,absent,remark\nexternalId,ID,text,refuse,the id\nb[].c,ITEM.D,table:t,use:1,\n";
    const TABLE: &str = "k,v,remark\nX,1,one\nY,2,\n";

    fn version_of(files: &[(&str, &str)]) -> String {
        Mapping::compile(&Folder::of(files), Amounts::Unshifted).unwrap().version().to_owned()
    }

    fn version(sheet: &str, table: &str) -> String {
        version_of(&[(SHEET, sheet), ("tables/t.csv", table)])
    }

    #[test]
    fn what_means_the_same_has_the_same_version() {
        let before = version(ROWS, TABLE);
        let sheets = [
            ROWS.replace("the id", "another remark"),
            ROWS.replace(',', ";"),
            ROWS.replace('\n', "\r\n"),
            format!("\u{feff}{ROWS}"),
            format!("# a comment\n{ROWS}\n\n,,,,\n"),
            ROWS.replace("ID,text", "\"ID\", text "),
            "as,remark,absent,source,target\ntext,,refuse,ID,externalId\ntable:t,,use:1,ITEM.D,b[].c\n".to_owned(),
            "target,source,as,absent\nexternalId,ID,text,refuse\nb[].c,ITEM.D,table:t,use:1\n".to_owned(),
        ];
        for sheet in sheets {
            assert_eq!(version(&sheet, TABLE), before, "{sheet:?}");
        }
        for table in ["k;v\r\nY;2\r\nX;1\r\n", "\u{feff}key,value\n\n# both\nX,\"1\"\nY,2\n"] {
            assert_eq!(version(ROWS, table), before, "{table:?}");
        }
        let strays = [
            (SHEET, ROWS),
            ("tables/t.csv", TABLE),
            ("tables/stray.csv", "k,v\nA,B\n"),
            ("tables/currency-decimals.csv", "currency,decimals\nISK,0\n"),
            ("examples/a.cart.json", "{}"),
            ("examples/notes.json", "{}"),
        ];
        assert_eq!(version_of(&strays), before, "files that no row uses");
    }

    #[test]
    fn every_other_meaning_has_another_version() {
        let mut versions = vec![version(ROWS, TABLE)];
        let sheets = [
            ROWS.replace("b[].c", "b[].z"),
            ROWS.replace("ITEM.D", "ITEM.E"),
            ROWS.replace("ITEM.D,table:t,use:1", "ITEM.D,text,omit"),
            ROWS.replace("use:1", "use:2"),
            ROWS.replace("use:1", "omit"),
            ROWS.replace("ITEM.D,table:t", "ITEM.D + ITEM.E,join:"),
            ROWS.replace("ITEM.D,table:t", "ITEM.D + ITEM.E,join: "),
            ROWS.replace("ITEM.D,table:t", "ITEM.D + ITEM.E,join:-"),
            ROWS.replace("remark\n", "when\n").replace("the id", "").replace("use:1,", "use:1,HEADER.E = 1"),
            ROWS.replace("remark\n", "when\n").replace("the id", "").replace("use:1,", "use:1,HEADER.E = 2"),
            ROWS.replace("b[].c,ITEM.D,table:t,use:1,\n", ""),
            // The order of the body's fields is that of the rows.
            "target,source,as,absent,remark\nb[].c,ITEM.D,table:t,use:1,\nexternalId,ID,text,refuse,the id\n"
                .to_owned(),
        ];
        versions.extend(sheets.iter().map(|sheet| version(sheet, TABLE)));
        let tables = [
            "k,v\nX,1\nY,3\n",
            "k,v\nX,1\nZ,2\n",
            "k,v\nX,1\n",
            "k,v\nX,1\nY,2\nZ,3\n",
            "k,v\nX,2\nY,1\n",
            "k,v\nX,1\n*,2\n",
        ];
        versions.extend(tables.iter().map(|table| version(ROWS, table)));
        // A table that a later row of a target uses.
        let alternative = "target,source,as,absent,when\nexternalId,ID,text,refuse,\nc,HEADER.A,text,omit,HEADER.B = 1\nc,HEADER.A,table:t,omit,\n";
        versions.extend(tables.iter().map(|table| version(alternative, table)));
        let folder = Folder::of(&[(SHEET, ROWS), ("tables/t.csv", TABLE)]);
        versions.push(Mapping::compile(&folder, Amounts::Shifted).unwrap().version().to_owned());
        let decimals = ("tables/currency-decimals.csv", "currency,decimals\nISK,0\n");
        let folder = Folder::of(&[(SHEET, ROWS), ("tables/t.csv", TABLE), decimals]);
        versions.push(Mapping::compile(&folder, Amounts::Shifted).unwrap().version().to_owned());
        let count = versions.len();
        versions.sort();
        versions.dedup();
        assert_eq!(versions.len(), count, "each is another");
        assert!(versions.iter().all(|version| version.len() == 16 && version.chars().all(|c| c.is_ascii_hexdigit())));
    }
}
