//! Figures of a cart that contradict each other: shares, values, the total. Read from SAP's own fields, whatever the sheet reads.

use rust_decimal::Decimal;

use super::place::of_item;
use super::skips::Skips;
use crate::cart::{JoinedCart, Name, Row, STANDARD, Scope, is_initial};
use crate::mapping::compiled::Mapping;
use crate::mapping::conversion::decimal;
use crate::mapping::currency::{self, Amounts};
use crate::mapping::names::Names;
use crate::mapping::plausibility::Plausibility;
use crate::message::{Message, MessageCode, Severity};

/// DISTR_PERC has two decimals: each share may be rounded by so much.
const PERCENT_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// QUAN fields have three decimals.
const QUANTITY_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// Amounts have two decimals as stored, of whatever currency.
const STORED_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// Every contradiction in what is ordered: deleted and skipped rows do not count, and figures that are missing are not judged.
pub fn findings(mapping: &Mapping, cart: &JoinedCart<'_>, skips: &Skips<'_>) -> Vec<Message> {
    let severity = match mapping.plausibility {
        Plausibility::Warn => Severity::Warning,
        Plausibility::Refuse => Severity::Error,
        Plausibility::Off => return Vec::new(),
    };
    let figures = Figures { mapping, cart, skips };
    let ordered = cart.items.iter().enumerate().filter(|(item, _)| skips.counts(Scope::Item(*item)));
    let items: Vec<ItemFigures<'_>> =
        ordered.map(|(index, item)| ItemFigures::of(index, item.row, &mapping.names)).collect();
    let of_items = items.iter().flat_map(|item| [figures.shares(item), figures.value(item)]);
    let findings = of_items.chain([figures.total(&items)]).flatten();
    findings.map(|finding| Message { severity, ..finding }).collect()
}

/// The figures of one cart.
struct Figures<'a> {
    mapping: &'a Mapping,
    cart: &'a JoinedCart<'a>,
    skips: &'a Skips<'a>,
}

/// The figures of one item, each `None` where it is missing, zero or unreadable.
struct ItemFigures<'c> {
    item: usize,
    row: Row<'c>,
    value: Option<Decimal>,
    quantity: Option<Decimal>,
    price: Option<Decimal>,
    price_unit: Option<Decimal>,
    /// Quantity times price, by the price unit.
    calculated_value: Option<Decimal>,
}

impl<'c> ItemFigures<'c> {
    fn of(item: usize, row: Row<'c>, names: &Names) -> Self {
        let [value, quantity, price, price_unit] =
            [&names.value, &names.quantity, &names.price, &names.price_unit].map(|field| figure(row, field));
        let product = quantity.zip(price).and_then(|(quantity, price)| quantity.checked_mul(price));
        let calculated_value = match price_unit.filter(|unit| *unit != Decimal::ONE) {
            Some(unit) => product.and_then(|product| product.checked_div(unit)),
            None => product,
        };
        Self { item, row, value, quantity, price, price_unit, calculated_value }
    }
}

/// How an account states its share (DIST_IND).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Percent,
    Quantity,
    Value,
}

impl Share {
    const fn field(self) -> &'static str {
        match self {
            Self::Percent => "DISTR_PERC",
            Self::Quantity => "DIST_QUAN",
            Self::Value => "DIST_VALUE",
        }
    }
}

impl Figures<'_> {
    /// The shares of an item's accounts make a whole: of 100 percent, of its quantity, or of its value.
    fn shares(&self, figures: &ItemFigures<'_>) -> Option<Message> {
        let (names, item) = (&self.mapping.names, figures.item);
        let accounts = self.cart.accounts(item).iter().enumerate();
        let rows = accounts.filter(|(account, _)| self.skips.counts(Scope::Account(item, *account)));
        let mut shares = rows.map(|(_, row)| share(names, *row)).collect::<Option<Vec<(Share, Decimal)>>>()?;
        shares.iter().find(|(_, share)| !share.is_zero())?;
        let (first, _) = *shares.first()?;
        let mixed = shares.iter().any(|(other, _)| *other != first);
        if mixed {
            let percents = shares.iter().map(|share| Some((Share::Percent, percent(*share, figures)?)));
            shares = percents.collect::<Option<_>>()?;
        }
        let kind = if mixed { Share::Percent } else { first };
        let (whole, unit) = match kind {
            Share::Percent => (Decimal::ONE_HUNDRED, PERCENT_UNIT),
            Share::Quantity => (figures.quantity?, QUANTITY_UNIT),
            Share::Value => (figures.value?, self.amount_unit(figures.row)),
        };
        let sum = sum(shares.iter().map(|(_, share)| *share))?;
        if is_near(sum, whole, unit, shares.len()) {
            return None;
        }
        let (position, of_item) = (self.cart.position(Scope::Item(item)), of_item(self.cart, Scope::Item(item)));
        let (field, whole_label) = (
            kind.field(),
            match kind {
                Share::Percent => " percent",
                Share::Quantity => ", the item's QUANTITY",
                Share::Value => ", the item's VALUE",
            },
        );
        let text = format!(
            "ACCOUNT.{field}{of_item}: the shares of {} add up to {}; expected {}{whole_label}",
            if shares.len() == 1 { "1 account".to_owned() } else { format!("{} accounts", shares.len()) },
            decimal::to_text(sum.round_dp(3)),
            decimal::to_text(whole),
        );
        Some(Message::new(MessageCode::Implausible, text).at("ACCOUNT", field, position))
    }

    /// The value of an item is its quantity times its price, by the price unit.
    fn value(&self, figures: &ItemFigures<'_>) -> Option<Message> {
        let (value, quantity, price) = (figures.value?, figures.quantity?, figures.price?);
        let expected = figures.calculated_value?;
        if self.is_value_near(figures, value, expected, quantity) {
            return None;
        }
        let scope = Scope::Item(figures.item);
        let (position, of_item) = (self.cart.position(scope), of_item(self.cart, scope));
        let price_unit = figures.price_unit.map(|unit| format!(" / PRICE_UNIT {}", decimal::to_text(unit)));
        let text = format!(
            "ITEM.VALUE{of_item} is {}; expected {}: QUANTITY {} x PRICE {}{}",
            decimal::to_text(value),
            decimal::to_text(expected.round_dp(2)),
            decimal::to_text(quantity),
            decimal::to_text(price),
            price_unit.unwrap_or_default(),
        );
        Some(Message::new(MessageCode::Implausible, text).at("ITEM", "VALUE", position))
    }

    /// True if the difference can come from rounding: of the value by a step, and of the price by half a step for each unit.
    fn is_value_near(&self, item: &ItemFigures<'_>, value: Decimal, expected: Decimal, quantity: Decimal) -> bool {
        // Most values are exact, whatever the steps are.
        if is_near(value, expected, STORED_UNIT, 1) {
            return true;
        }
        let step = self.amount_unit(item.row);
        let priced_units = quantity.abs().checked_div(item.price_unit.unwrap_or(Decimal::ONE));
        let of_price = priced_units.and_then(|units| units.checked_mul(step)?.checked_div(Decimal::TWO));
        let tolerance = of_price.and_then(|of_price| step.checked_add(of_price)).unwrap_or(step);
        is_near(value, expected, tolerance, 1)
    }

    /// The total is the sum of the items, if all are in the header's currency. An item without a value is free of charge.
    fn total(&self, items: &[ItemFigures<'_>]) -> Option<Message> {
        let header = self.cart.header();
        let total = self.total_value(header)?;
        let rows = || items.iter().map(|item| item.row);
        let currency = header.text(&STANDARD.currency).or_else(|| rows().next()?.text(&STANDARD.currency));
        let is_of_another = |row: Row<'_>| {
            let own = row.text(&STANDARD.currency);
            own.zip(currency.as_ref()).is_some_and(|(own, all)| !own.eq_ignore_ascii_case(all))
        };
        if rows().any(is_of_another) {
            return None;
        }
        let values: Vec<Decimal> = items.iter().filter_map(|item| item.value.or(item.calculated_value)).collect();
        if values.is_empty() {
            return None;
        }
        let sum = sum(values.into_iter())?;
        if is_near(total, sum, STORED_UNIT, 1) || is_near(total, sum, self.amount_unit(header), items.len()) {
            return None;
        }
        let stated = if total.is_zero() { "0 or missing".to_owned() } else { decimal::to_text(total) };
        let text = format!(
            "HEADER.TOTAL_VALUE is {stated}; the {} that are ordered add up to {}",
            if items.len() == 1 {
                "values of the item".to_owned()
            } else {
                format!("values of the {} items", items.len())
            },
            decimal::to_text(sum.round_dp(2)),
        );
        Some(Message::new(MessageCode::Implausible, text).at("HEADER", "TOTAL_VALUE", 0))
    }

    /// The total that the header states. Serializers drop a total of zero, so that one that is missing is zero too if the
    /// sheet reads it; `None` where it is unreadable, or nobody reads it.
    fn total_value(&self, header: Row<'_>) -> Option<Decimal> {
        match header.get(&self.mapping.names.total_value) {
            Some(total) => decimal::parse(total.text()),
            None => self.mapping.sheet.reads_total.then_some(Decimal::ZERO),
        }
    }

    /// The smallest step of an amount: amounts of a currency without decimals are rounded to whole ones, unless they are stored
    /// shifted.
    fn amount_unit(&self, row: Row<'_>) -> Decimal {
        if self.mapping.amounts == Amounts::Shifted {
            return STORED_UNIT;
        }
        let currency = row.text(&STANDARD.currency).or_else(|| self.cart.header().text(&STANDARD.currency));
        let decimals = currency.and_then(|key| currency::decimals(&key.to_ascii_uppercase(), &self.mapping.tables));
        match decimals {
            Some(0) => Decimal::ONE,
            Some(1) => Decimal::from_parts(1, 0, 0, false, 1),
            _ => STORED_UNIT,
        }
    }
}

/// The share of an account in the measure that its indicator names, zero where it is missing; `None` where the indicator is
/// none of SAP's.
fn share(names: &Names, account: Row<'_>) -> Option<(Share, Decimal)> {
    let indicator = account.text(&names.indicator).filter(|indicator| !is_initial(indicator));
    let (share, field) = match indicator.as_deref() {
        None => (Share::Percent, &names.percent),
        Some("Q") => (Share::Quantity, &names.share_of_quantity),
        Some("V") => (Share::Value, &names.share_of_value),
        Some(_) => return None,
    };
    Some((share, figure(account, field).unwrap_or_default()))
}

/// A share in percent of its item.
fn percent((kind, share): (Share, Decimal), item: &ItemFigures<'_>) -> Option<Decimal> {
    let whole = match kind {
        Share::Percent => return Some(share),
        Share::Quantity => item.quantity?,
        Share::Value => item.value?,
    };
    share.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)
}

/// A number; `None` where it is missing, zero or unreadable.
fn figure(row: Row<'_>, field: &Name) -> Option<Decimal> {
    decimal::parse(row.get(field)?.text()).filter(|number| !number.is_zero())
}

fn sum(mut numbers: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    numbers.try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// True if the difference can come from rounding: a step for each of the rounded parts.
fn is_near(number: Decimal, expected: Decimal, unit: Decimal, parts: usize) -> bool {
    // Most figures agree to the last digit.
    if number == expected {
        return true;
    }
    let difference = number.checked_sub(expected).map(|difference| difference.abs());
    let tolerance = unit.checked_mul(Decimal::from(parts.max(1)));
    difference.zip(tolerance).is_some_and(|(difference, tolerance)| difference <= tolerance)
}
