//! Conditions of rows: whether a row of the sheet counts (`when`).

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::rule_evaluator::{Evaluated, RuleEvaluator, are_equal, readable_text};
use super::shifted;
use crate::cart::{Row, Scalar, Scope};
use crate::mapping::conversion::{Conversion, date, decimal};
use crate::mapping::currency::{Amounts, is_standard_amount};
use crate::mapping::sheet::{Comparison, Operand, Rule, Source, When};
use crate::message::{MessageCode, quoted};

/// Initial dates that are no code: they are no value, like a blank.
const INITIAL_DATES: [&str; 4] = ["0000-00-00", "00000000", "--", "0000-00-00T00:00:00"];

/// A value that is compared.
struct Compared<'c> {
    /// Empty where it is missing.
    text: Cow<'c, str>,
    /// True for a JSON number.
    is_number: bool,
    /// True for `true`.
    is_flag: bool,
}

impl<'a> RuleEvaluator<'a> {
    /// Whether the condition of a row holds in a scope that is as deep as its fields.
    ///
    /// # Errors
    /// A value that can't be compared.
    pub fn holds(&self, rule: &Rule, when: &When, scope: Scope) -> Evaluated<bool> {
        for comparison in &when.comparisons {
            if !self.compare(rule, comparison, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a row counts for an entry; a condition on what is below the entry has to hold for one part of it.
    ///
    /// # Errors
    /// A value that can't be compared.
    pub fn counts(&self, rule: &Rule, scope: Scope) -> Evaluated<bool> {
        let Some(when) = &rule.when else { return Ok(true) };
        let mut scopes = vec![scope];
        while scopes.first().is_some_and(|scope| scope.depth() < when.depth()) {
            scopes = scopes.into_iter().flat_map(|scope| self.cart.scopes_below(scope)).collect();
        }
        if scopes.is_empty() {
            return self.holds(rule, when, scope);
        }
        for scope in scopes {
            if self.holds(rule, when, scope)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn compare(&self, rule: &Rule, comparison: &Comparison, scope: Scope) -> Evaluated<bool> {
        let Comparison { source, operator, operand } = comparison;
        let value = self.compared(source, scope)?;
        let text = value.text.as_ref();
        if value.is_flag && !operand.is_of_flag() {
            let when = rule.when.as_ref().map_or("", |when| &when.text);
            let problem = format!("is true; row {} of the sheet expects no boolean: when {when}", rule.line);
            return Err(self.mistake(MessageCode::Unreadable, Some(source), scope, &problem));
        }
        let is_date = !Conversion::Date.is_initial(text);
        let order = match operand {
            Operand::Blank => return Ok(operator.holds_if_equal(value.is_blank())),
            Operand::Text(expected) => return Ok(operator.holds_if_equal(is_text(text, expected))),
            // What serializers drop is zero.
            Operand::Number(expected, _) if text.is_empty() => Some(Some(Decimal::ZERO.cmp(expected))),
            Operand::Number(expected, day) => match (decimal::parse(text), day) {
                (Some(number), _) => Some(Some(self.number(source, scope, number)?.cmp(expected))),
                (None, Some(day)) => is_date.then(|| date::parse_date(text).map(|date| date.cmp(day))),
                (None, None) => Some(None),
            },
            Operand::Date(day) => is_date.then(|| date::parse_date(text).map(|date| date.cmp(day))),
        };
        match order {
            Some(Some(order)) => Ok(operator.holds(order)),
            Some(None) if operator.is_order() => {
                let expected = if matches!(operand, Operand::Date(_)) { "a date" } else { "a number" };
                let when = rule.when.as_ref().map_or("", |when| &when.text);
                let problem =
                    format!("is {}; row {} of the sheet expects {expected}: when {when}", quoted(text), rule.line);
                Err(self.mistake(MessageCode::Unreadable, Some(source), scope, &problem))
            }
            // No date is neither before nor after another.
            None | Some(None) => Ok(operator.holds_if_equal(false)),
        }
    }

    /// A number as the order would have it: an amount without its shift.
    fn number(&self, source: &Source, scope: Scope, stored: Decimal) -> Evaluated<Decimal> {
        if self.mapping.amounts != Amounts::Shifted || stored.is_zero() || !is_standard_amount(source) {
            return Ok(stored);
        }
        let number = shifted::unshifted(&self.cart, &self.mapping.tables, Some(source), scope, stored)?;
        number.ok_or_else(|| {
            let problem = "has more digits than can be compared; expected at most 28";
            self.mistake(MessageCode::Unreadable, Some(source), scope, problem)
        })
    }

    /// The value of a source. Several rows have to agree.
    fn compared(&self, source: &Source, scope: Scope) -> Evaluated<Compared<'a>> {
        let (Some(selection), Some(field)) = (source.selection(), source.field()) else {
            return Ok(Compared::text(Cow::Borrowed(self.cart_id.unwrap_or_default())));
        };
        let mut values = self.cart.rows(selection, scope).map(|row: Row<'a>| row.get(field));
        let first = values.next().flatten();
        if let Some(other) = values.find(|other| !are_equal(first.as_ref(), other.as_ref())) {
            let texts = [first, other].map(|value| value.map_or("nothing".to_owned(), |value| quoted(value.text())));
            let problem = format!("is {}; expected one value", texts.join(" and "));
            return Err(self.mistake(MessageCode::Disagreement, Some(source), scope, &problem));
        }
        let Some(value) = first else { return Ok(Compared::text(Cow::Borrowed(""))) };
        let (is_number, is_flag) = (matches!(value, Scalar::Number(_)), value == Scalar::Flag);
        let conversion = if is_flag { Conversion::Flag } else { Conversion::Text };
        let text = readable_text(&conversion, value)
            .map_err(|problem| self.mistake(MessageCode::Unreadable, Some(source), scope, &problem))?;
        Ok(Compared { text, is_number, is_flag })
    }
}

impl<'c> Compared<'c> {
    const fn text(text: Cow<'c, str>) -> Self {
        Self { text, is_number: false, is_flag: false }
    }

    /// Missing, blank, an initial date, or a JSON number that is zero, which is initial in every type of ABAP. Zeros in a
    /// text may be a code.
    fn is_blank(&self) -> bool {
        let is_zero = || self.is_number && decimal::parse(&self.text).is_some_and(|number| number.is_zero());
        self.text.is_empty() || INITIAL_DATES.contains(&self.text.as_ref()) || is_zero()
    }
}

/// Equal letter by letter, or the same flag.
fn is_text(text: &str, expected: &str) -> bool {
    text == expected || matches!((text, expected), ("X", "true") | ("true", "X") | ("", "false") | ("false", ""))
}
