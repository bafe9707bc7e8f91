//! The rows of the sheet as their authors wrote them.

use super::{Columns, Sheet, WHEN, column_indexes, header_index};
use crate::mapping::csv_file::{CsvFile, Layout, REMARK};
use crate::mapping::listing::ListedRow;

impl Sheet {
    /// The rows that can be read, in the order of the sheet; none if its columns can't be told.
    pub fn listed_rows(file: &str, text: &str) -> Vec<ListedRow> {
        let csv = CsvFile::parse(file, text, Layout { header: header_index, optional: &[WHEN], names: &["target"] });
        let Ok(required) = column_indexes(file, &csv) else { return Vec::new() };
        let columns = Columns { required, when: csv.column(WHEN), remark: csv.column(REMARK) };
        let [target, source, conversion, absent] = columns.required;
        let rows = csv.rows.iter().map(|row| {
            let cell = |column: usize| row.cell(column).to_owned();
            let optional = |column: Option<usize>| column.map_or_else(String::new, cell);
            ListedRow {
                line: row.line,
                target: cell(target),
                source: cell(source),
                conversion: cell(conversion),
                absent: cell(absent),
                when: optional(columns.when),
                remark: optional(columns.remark),
            }
        });
        rows.collect()
    }
}
