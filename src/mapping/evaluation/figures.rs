//! Figures of a cart that contradict each other: shares, values, the total. Read from SAP's own fields, whatever the sheet reads.

use rust_decimal::Decimal;

use super::limits::is_limit;
use super::place::of_item;
use super::skips::Skips;
use crate::cart::{JoinedCart, Name, Row, STANDARD, Scope, is_initial};
use crate::mapping::compiled::Mapping;
use crate::mapping::conversion::decimal;
use crate::mapping::currency::{self, Amounts};
use crate::mapping::names::Names;
use crate::mapping::plausibility::Plausibility;
use crate::message::{Message, MessageCode, Severity, quoted_up_to};

/// DISTR_PERC has two decimals: each share may be rounded by so much.
const PERCENT_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// QUAN fields have three decimals.
const QUANTITY_UNIT: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// A currency key is CUKY5; what is longer is none, and a part of it is enough.
const CURRENCY_CHARS: usize = 10;

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
    let of_all = figures.another_currency(&items).or_else(|| figures.total(&items));
    let findings = of_items.chain([of_all]).flatten();
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

    /// What the shares of an item have to make, if the item says it.
    const fn whole(self, item: &ItemFigures<'_>) -> Option<Decimal> {
        match self {
            Self::Percent => Some(Decimal::ONE_HUNDRED),
            Self::Quantity => item.quantity,
            Self::Value => item.value,
        }
    }

    /// What follows the number of the whole.
    const fn whole_label(self) -> &'static str {
        match self {
            Self::Percent => " percent",
            Self::Quantity => ", the item's QUANTITY",
            Self::Value => ", the item's VALUE",
        }
    }
}

impl Figures<'_> {
    /// The shares of an item's accounts make a whole: of 100 percent, of its quantity, or of its value.
    fn shares(&self, figures: &ItemFigures<'_>) -> Option<Message> {
        let (names, item) = (&self.mapping.names, figures.item);
        let accounts = self.cart.accounts(item).iter().enumerate();
        let rows = accounts.filter(|(account, _)| self.skips.counts(Scope::Account(item, *account)));
        let shares = rows.map(|(_, row)| share(names, *row)).collect::<Option<Vec<(Share, Decimal)>>>()?;
        shares.iter().find(|(_, share)| !share.is_zero())?;
        let (first, _) = *shares.first()?;
        let sum = if shares.iter().all(|(other, _)| *other == first) {
            self.sum_of_shares(figures, first, &shares)
        } else {
            let percents = shares.iter().map(|share| Some((Share::Percent, percent(*share, figures)?)));
            let percents: Option<Vec<_>> = percents.collect();
            percents.and_then(|percents| self.sum_of_shares(figures, Share::Percent, &percents))
        };
        sum.or_else(|| self.share_beyond_its_whole(figures, &shares))
    }

    /// The smallest step of a share.
    fn share_unit(&self, figures: &ItemFigures<'_>, kind: Share) -> Decimal {
        match kind {
            Share::Percent => PERCENT_UNIT,
            Share::Quantity => QUANTITY_UNIT,
            Share::Value => self.amount_unit(figures.row),
        }
    }

    fn sum_of_shares(&self, figures: &ItemFigures<'_>, kind: Share, shares: &[(Share, Decimal)]) -> Option<Message> {
        let (whole, sum) = (kind.whole(figures)?, sum(shares.iter().map(|(_, share)| *share))?);
        if is_near(sum, whole, self.share_unit(figures, kind), shares.len()) {
            return None;
        }
        let scope = Scope::Item(figures.item);
        let (position, of_item, field) = (self.cart.position(scope), of_item(self.cart, scope), kind.field());
        let text = format!(
            "ACCOUNT.{field}{of_item}: the shares of {} add up to {}; expected {}{}",
            if shares.len() == 1 { "1 account".to_owned() } else { format!("{} accounts", shares.len()) },
            decimal::to_text(sum.round_dp(3)),
            decimal::to_text(whole),
            kind.whole_label(),
        );
        Some(Message::new(MessageCode::Implausible, text).at("ACCOUNT", field, position))
    }

    /// Shares that make a whole may still be none: 150 and -50 percent. Each is a part of its whole, in the whole's sign.
    fn share_beyond_its_whole(&self, figures: &ItemFigures<'_>, shares: &[(Share, Decimal)]) -> Option<Message> {
        let is_part = |kind: Share, share: Decimal| {
            let whole = kind.whole(figures);
            let least = whole.unwrap_or_default().min(Decimal::ZERO);
            let most = whole.map_or(Decimal::MAX, |whole| whole.max(Decimal::ZERO));
            let is_rounded = |edge| is_near(share, edge, self.share_unit(figures, kind), 1);
            (share >= least || is_rounded(least)) && (share <= most || is_rounded(most))
        };
        let (kind, share) = *shares.iter().find(|(kind, share)| !is_part(*kind, *share))?;
        let scope = Scope::Item(figures.item);
        let (position, of_item, field) = (self.cart.position(scope), of_item(self.cart, scope), kind.field());
        let expected = match kind.whole(figures) {
            Some(whole) => format!("a share from 0 to {}{}", decimal::to_text(whole), kind.whole_label()),
            None => "a share that is not negative".to_owned(),
        };
        let share = decimal::to_text(share.round_dp(3));
        let text = format!("ACCOUNT.{field}{of_item}: an account has the share {share}; expected {expected}");
        Some(Message::new(MessageCode::Implausible, text).at("ACCOUNT", field, position))
    }

    /// The value of an item is its quantity times its price, by the price unit.
    fn value(&self, figures: &ItemFigures<'_>) -> Option<Message> {
        let value = figures.value?;
        let (Some(quantity), Some(price)) = (figures.quantity, figures.price) else {
            return self.value_of_nothing(figures, value);
        };
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

    /// A value beside a quantity or a price that is zero. An item that states neither, and a limit, has a value alone.
    fn value_of_nothing(&self, figures: &ItemFigures<'_>, value: Decimal) -> Option<Message> {
        let (names, sheet, row) = (&self.mapping.names, &self.mapping.sheet, figures.row);
        // Serializers drop zeros; but what nobody reads may be a field that is never sent.
        let is_zero = |field: &Name, is_read: bool| match row.get(field) {
            Some(number) => decimal::parse(number.text()).is_some_and(|number| number.is_zero()),
            None => is_read,
        };
        let field = match (figures.quantity, figures.price) {
            (Some(_), None) if is_zero(&names.price, sheet.reads.price) => "PRICE",
            (None, Some(_)) if is_zero(&names.quantity, sheet.reads.quantity) => "QUANTITY",
            _ => return None,
        };
        if is_limit(names, self.cart, figures.item) {
            return None;
        }
        let scope = Scope::Item(figures.item);
        let (position, of_item) = (self.cart.position(scope), of_item(self.cart, scope));
        let text = format!(
            "ITEM.VALUE{of_item} is {}; expected 0: QUANTITY {} x PRICE {}, {field} is 0 or missing",
            decimal::to_text(value),
            decimal::to_text(figures.quantity.unwrap_or_default()),
            decimal::to_text(figures.price.unwrap_or_default()),
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

    /// Values in several currencies have no sum: the first item that is not in the header's, or in the one of the items
    /// before it.
    fn another_currency(&self, items: &[ItemFigures<'_>]) -> Option<Message> {
        let mut known = self.cart.header().text(&STANDARD.currency).map(|currency| (currency, None));
        for figures in items {
            let Some(own) = figures.row.text(&STANDARD.currency) else { continue };
            match &known {
                None => known = Some((own, Some(figures.item))),
                Some((all, _)) if own.eq_ignore_ascii_case(all) => {}
                Some((all, first)) => {
                    let scope = Scope::Item(figures.item);
                    let whose = first.map_or_else(
                        || "HEADER.CURRENCY".to_owned(),
                        |first| format!("that{}", of_item(self.cart, Scope::Item(first))),
                    );
                    let [own, all] = [&own, all].map(|currency| quoted_up_to(currency, CURRENCY_CHARS));
                    let text = format!(
                        "ITEM.CURRENCY{} is {own}, {whose} is {all}; the values have no sum that TOTAL_VALUE could be",
                        of_item(self.cart, scope),
                    );
                    let position = self.cart.position(scope);
                    return Some(Message::new(MessageCode::Implausible, text).at("ITEM", "CURRENCY", position));
                }
            }
        }
        None
    }

    /// The total is the sum of the items, which are all in one currency. An item without a value is free of charge.
    fn total(&self, items: &[ItemFigures<'_>]) -> Option<Message> {
        let header = self.cart.header();
        let total = self.total_value(header)?;
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
            None => self.mapping.sheet.reads.total.then_some(Decimal::ZERO),
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
