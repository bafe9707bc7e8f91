//! A preview as a table for people. Programs get JSON.

use serde_json::Value;

use crate::mapping::{FieldTrace, Preview, SkippedEntry};
use crate::message::{Message, Severity};
use crate::telemetry::escape;

/// Most characters of a cell; a long text would move all columns to its right out of sight.
const MAX_CELL_CHARS: usize = 44;

const TITLES: [&str; 5] = ["TARGET", "VALUE", "SOURCE", "LINE", "AS"];

/// The preview of a cart: its fields, what is skipped, and its messages.
pub fn text(cart_number: &str, preview: &Preview) -> String {
    let mut lines =
        vec![format!("cart {}, mapping version {}", escape(cart_number), preview.mapping_version), String::new()];
    let rows: Vec<[String; 5]> =
        std::iter::once(TITLES.map(str::to_owned)).chain(preview.fields.iter().map(row)).collect();
    lines.extend(aligned(&rows));
    if !preview.skipped.is_empty() {
        lines.extend([String::new(), "Skipped".to_owned()]);
        lines.extend(preview.skipped.iter().map(skipped));
    }
    for (title, severity) in [("Mistakes: there is no order", Severity::Error), ("Warnings", Severity::Warning)] {
        let messages: Vec<&Message> = preview.messages.iter().filter(|message| message.severity == severity).collect();
        if !messages.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(messages.iter().map(|message| format!("  {}  {}", message.number, escape(&message.message))));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn row(field: &FieldTrace) -> [String; 5] {
    let value = match (&field.value, &field.message) {
        (Some(value), _) => value.to_string(),
        (None, Some(_)) => "mistake".to_owned(),
        (None, None) => "left out".to_owned(),
    };
    let raw = field.raw.as_deref().map_or_else(String::new, |raw| format!(" = {}", Value::from(raw)));
    let table = match (&field.table, &field.key) {
        (Some(table), Some(key)) => format!("table:{table} {}", Value::from(key.as_str())),
        _ => field.conversion.clone(),
    };
    [field.target.clone(), value, format!("{}{raw}", field.source), field.row.to_string(), table]
        .map(|cell| short(&cell))
}

/// `lines[] without item 2: line 17, STATUS[STAT=I1016][INACT=] (rejected by its approver)`.
fn skipped(entry: &SkippedEntry) -> String {
    let account = entry.account.map_or_else(String::new, |account| format!("account {account} of "));
    let remark = if entry.remark.is_empty() { String::new() } else { format!(" ({})", entry.remark) };
    escape(&format!(
        "  {} without {account}item {}: line {}, {}{remark}",
        entry.target, entry.item, entry.row, entry.source
    ))
}

/// Rows whose cells begin one below the other.
fn aligned(rows: &[[String; 5]]) -> Vec<String> {
    let mut widths = [0; 5];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn short(cell: &str) -> String {
    let cell = escape(cell);
    if cell.chars().count() <= MAX_CELL_CHARS {
        return cell;
    }
    cell.chars().take(MAX_CELL_CHARS - 1).chain(['…']).collect()
}
