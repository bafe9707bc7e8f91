//! The trace of a preview: the origin of each target field.

use serde::Serialize;
use serde_json::Value;

use super::rule_value::RuleValue;
use crate::mapping::conversion::Conversion;
use crate::mapping::sheet::Rule;
use crate::message::Message;

/// The origin of a target field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldTrace {
    /// Path in the order's body, with indexes.
    pub target: String,
    /// Line of the sheet.
    pub row: u64,
    /// The column `source`.
    pub source: String,
    /// The value as sent; several parts joined by ` + `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The column `as`.
    #[serde(rename = "as")]
    pub conversion: String,
    /// The value that 11VMS gets; missing where the target is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The table of the lookup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The key of the lookup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The column `when`, if the row has a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether the condition holds, if there is one; where it does not, the row does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// What is wrong with the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl FieldTrace {
    pub fn of(rule: &Rule, target: String, result: &RuleValue<'_>) -> Self {
        let raw = (!result.is_absent()).then(|| result.source_texts.as_slice().join(" + "));
        let table = match &rule.conversion {
            Conversion::Table(name) if raw.is_some() => Some(name.clone()),
            _ => None,
        };
        Self {
            target,
            row: rule.line,
            source: rule.source_text.clone(),
            key: table.is_some().then(|| raw.clone()).flatten(),
            raw,
            conversion: rule.conversion.to_string(),
            value: result.value.as_ref().map(Value::from),
            table,
            when: rule.when.as_ref().map(|when| when.text.clone()),
            holds: rule.when.is_some().then_some(true),
            message: None,
        }
    }

    /// A row that does not count, as its condition does not hold.
    pub fn of_uncounted(rule: &Rule, target: String) -> Self {
        Self { holds: Some(false), ..Self::of(rule, target, &RuleValue::without_source(None)) }
    }

    /// A field that has no value because of mistakes in the cart.
    pub fn of_mistakes(rule: &Rule, target: String, mistakes: &[Message]) -> Self {
        let mut texts: Vec<&str> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
        texts.dedup();
        let message = Some(texts.join("; "));
        Self { message, ..Self::of(rule, target, &RuleValue::without_source(None)) }
    }
}
