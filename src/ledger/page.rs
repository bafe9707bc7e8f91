//! A page of a list of orders, the same for every ledger. Pure.
//!
//! A record that can't be read must hide neither the others nor the next page: a ledger reads on, until the page is full or there is
//! nothing more.

use super::{Filter, LedgerError, ListPosition, left_out};
use crate::order::Order;

/// Reads for one page. Beyond it, so many records are damaged in a row that a list is no help.
const MAX_READS: usize = 50;

/// The page, as far as it is read.
#[derive(Debug)]
pub struct Page {
    rest: Filter,
    reads: usize,
    is_whole: bool,
    orders: Vec<(ListPosition, Order)>,
}

impl Page {
    /// The page that a filter asks for.
    pub fn new(filter: Filter) -> Self {
        Self { is_whole: filter.limit == 0, rest: filter, reads: 0, orders: Vec::new() }
    }

    /// What is to be read next; `None` once the page is whole.
    pub fn rest(&self) -> Option<&Filter> {
        (!self.is_whole).then_some(&self.rest)
    }

    /// Adds the rows that were found for [`Page::rest`], in any order.
    pub fn add(&mut self, rows: impl Iterator<Item = (ListPosition, Result<Order, LedgerError>)>) {
        let (mut found, before) = (0, self.orders.len());
        for (position, order) in rows {
            found += 1;
            if self.rest.after.as_ref().is_none_or(|after| position < *after) {
                self.rest.after = Some(position.clone());
            }
            self.orders.extend(order.map_err(left_out).map(|order| (position, order)));
        }
        self.reads += 1;
        self.is_whole = found < self.rest.limit || self.reads == MAX_READS;
        self.rest.limit = self.rest.limit.saturating_sub(self.orders.len() - before);
        self.is_whole |= self.rest.limit == 0;
    }

    /// The orders by their position, newest first: as pages are cut, in milliseconds.
    pub fn into_orders(mut self) -> Vec<Order> {
        self.orders.sort_by(|(one, _), (other, _)| other.cmp(one));
        self.orders.into_iter().map(|(_, order)| order).collect()
    }
}
