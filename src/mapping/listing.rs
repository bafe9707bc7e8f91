//! The sheet and its tables as people read them: the cells as their authors wrote them.

use super::folder::{Folder, SHEET};
use super::sheet::Sheet;
use super::table::Table;

/// Most rows of the sheet that are listed: a page of more can't be read.
const MAX_SHEET_ROWS: usize = 2_000;

/// Most rows of each table that are listed.
const MAX_TABLE_ROWS: usize = 500;

/// What a folder's sheet and tables say.
#[derive(Debug, Default)]
pub struct Listing {
    /// The rows of the sheet, in its order.
    pub rows: Vec<ListedRow>,
    /// How many more rows the sheet has.
    pub hidden_rows: usize,
    /// The tables, by name.
    pub tables: Vec<ListedTable>,
}

/// One row of the sheet.
#[derive(Debug)]
pub struct ListedRow {
    /// Its line in the file.
    pub line: u64,
    /// The column `target`.
    pub target: String,
    /// The column `source`.
    pub source: String,
    /// The column `as`.
    pub conversion: String,
    /// The column `absent`.
    pub absent: String,
    /// The column `when`; empty if the sheet has none.
    pub when: String,
    /// The column `remark`; empty if the sheet has none.
    pub remark: String,
}

/// One table.
#[derive(Debug)]
pub struct ListedTable {
    /// Its name, as the sheet uses it.
    pub name: String,
    /// The titles of its key columns, and that of the value.
    pub columns: Vec<String>,
    /// Its rows, in their order.
    pub rows: Vec<ListedTableRow>,
    /// How many more rows it has.
    pub hidden_rows: usize,
}

/// One row of a table.
#[derive(Debug)]
pub struct ListedTableRow {
    /// Its line in the file.
    pub line: u64,
    /// Its key, and its value.
    pub cells: Vec<String>,
}

impl Listing {
    /// Lists a folder without defects.
    pub fn of(folder: &Folder) -> Self {
        let mut rows = folder.sheet().map(|text| Sheet::listed_rows(SHEET, text)).unwrap_or_default();
        let hidden_rows = cut(&mut rows, MAX_SHEET_ROWS);
        Self { rows, hidden_rows, tables: folder.tables().map(|(name, file, text)| table(name, file, text)).collect() }
    }

    /// Whether a row of the sheet names a table.
    pub fn uses(&self, table: &ListedTable) -> bool {
        self.hidden_rows > 0 || self.rows.iter().any(|row| row.table() == Some(&table.name))
    }
}

impl ListedRow {
    /// The table that the row names.
    pub fn table(&self) -> Option<&str> {
        self.conversion.strip_prefix("table:").map(str::trim)
    }
}

fn table(name: &str, file: &str, text: &str) -> ListedTable {
    let read = Table::read(file, text);
    let mut rows = read.rows;
    let hidden_rows = cut(&mut rows, MAX_TABLE_ROWS);
    let mut columns = read.table.key_columns;
    columns.push(read.value_column);
    let row = |row: super::table::TableRow| {
        let mut cells = row.key;
        cells.push(row.value);
        ListedTableRow { line: row.line, cells }
    };
    ListedTable { name: name.to_owned(), columns, rows: rows.into_iter().map(row).collect(), hidden_rows }
}

/// Keeps the first entries; returns how many were dropped.
fn cut<T>(entries: &mut Vec<T>, limit: usize) -> usize {
    let hidden = entries.len().saturating_sub(limit);
    entries.truncate(limit);
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_and_its_tables_are_listed_as_they_are_written() {
        let sheet = "# ours\nWhen;Target;source;as;absent;remark\n;a;ITEM.UNIT;table:units;refuse;a unit\nITEM.X = 1;b;;constant:1;;\n";
        let folder = Folder::of(&[
            ("purchase-order.csv", sheet),
            ("tables/units.csv", "unit,value\nH,HUR\n*,C62\n"),
            ("tables/spare.csv", "k,l,v\nA,B,1\n"),
        ]);
        let listing = Listing::of(&folder);
        let cells = |row: &ListedRow| {
            [&row.target, &row.source, &row.conversion, &row.absent, &row.when, &row.remark]
                .map(String::clone)
                .join("|")
        };
        let rows: Vec<_> = listing.rows.iter().map(|row| (row.line, cells(row))).collect();
        assert_eq!(
            rows,
            [(3, "a|ITEM.UNIT|table:units|refuse||a unit".to_owned()), (4, "b||constant:1||ITEM.X = 1|".to_owned()),]
        );
        let tables: Vec<_> = listing.tables.iter().map(|table| (table.name.as_str(), listing.uses(table))).collect();
        assert_eq!(tables, [("spare", false), ("units", true)]);
        assert_eq!(listing.tables[1].columns, ["unit", "value"]);
        assert_eq!(listing.tables[1].rows[1].cells, ["*", "C62"]);
    }

    #[test]
    fn a_long_table_is_listed_in_part() {
        let rows: Vec<String> = (0..MAX_TABLE_ROWS + 7).map(|n| n.to_string() + ",x").collect();
        let folder = Folder::of(&[("tables/long.csv", &format!("k,v\n{}\n", rows.join("\n")))]);
        let table = &Listing::of(&folder).tables[0];
        assert_eq!((table.rows.len(), table.hidden_rows), (MAX_TABLE_ROWS, 7));
    }
}
