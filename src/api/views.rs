//! Orders, lists and previews as they are on the wire. The stored record changes at other times.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::ledger::audit::AuditRecord;
use crate::mapping::{FieldTrace, Preview, SkippedEntry};
use crate::order::{Attempt, AuditEntry, Order, OrderId};
use crate::problem::{MessageView, ProblemBody};

/// A time as RFC 3339, UTC, to the millisecond.
fn time(time: Timestamp) -> String {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time).to_string()
}

/// One attempt to create the order in 11VMS.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// Counted from 1.
    #[schema(example = 1)]
    pub number: u32,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Milliseconds; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How it ended; absent while it is under way. `not-done` is safe to send again; after `unknown` and `interrupted` 11VMS is
    /// asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "created")]
    pub outcome: Option<&'static str>,
    /// 11VMS's status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 201)]
    pub http_status: Option<u16>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: time(attempt.started_at),
            duration_ms: attempt.duration_ms,
            outcome: attempt.outcome.map(crate::order::Outcome::name),
            http_status: attempt.http_status,
            detail: attempt.detail.clone(),
        }
    }
}

/// An order; absent values are left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PurchaseOrder)]
pub struct OrderView {
    /// The cart's GUID as 32 hex digits, else its cart number.
    #[schema(example = "005056a207c81ed1bfc6b69e72f50550")]
    pub id: String,
    /// OBJECT_ID, as sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "1000004711")]
    pub cart_number: String,
    /// `accepted`, `forwarding` and `retrying` are open: ask again later. `created`, `rejected`, `parked` and `cancelled` are
    /// settled; `parked` waits for a person, or for its cart to be sent again.
    #[schema(example = "created")]
    pub state: &'static str,
    /// 11VMS's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4500000001")]
    pub purchase_order_number: Option<String>,
    /// When the cart first arrived.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// When it was created, rejected, parked or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub settled_at: Option<String>,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub next_attempt_at: Option<String>,
    /// The mapping that made the order's body.
    #[schema(example = "8f14e45fceea167a")]
    pub mapping_version: String,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
    /// What happened, and after it what was found about the cart (type W), in BAPIRET2 shape.
    pub messages: Vec<MessageView>,
    /// What people did to it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub interventions: Vec<InterventionView>,
    /// 11VMS's own last answer, whatever JSON it is; text that is no JSON as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vms: Option<Value>,
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.to_string(),
            cart_number: order.cart_number.clone(),
            state: order.state.name(),
            purchase_order_number: order.purchase_order_number.clone(),
            received_at: time(order.received_at),
            settled_at: order.settled_at.map(time),
            next_attempt_at: order.next_attempt_at.map(time),
            mapping_version: order.mapping_version.clone(),
            attempts: order.attempts.iter().map(AttemptView::from).collect(),
            messages: order.messages.iter().chain(&order.warnings).map(MessageView::from).collect(),
            interventions: order.interventions.iter().map(InterventionView::from).collect(),
            vms: order.vms_response.clone(),
        }
    }
}

/// An order, and who did what to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PurchaseOrderDetail)]
pub struct OrderDetailView {
    /// The order.
    #[serde(flatten)]
    pub order: OrderView,
    /// Who sent it, had it tried again or settled it, oldest first; as far as it is kept, at most 50 of a kind.
    pub audit: Vec<AuditEntryView>,
}

impl From<&Order> for OrderDetailView {
    fn from(order: &Order) -> Self {
        let entry = |entry: &AuditEntry| AuditEntryView::new(&order.id, &order.cart_number, entry);
        Self { order: order.into(), audit: order.audit_trail().into_iter().map(entry).collect() }
    }
}

/// One thing that somebody did to an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub struct AuditEntryView {
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// The order.
    #[schema(example = "005056a207c81ed1bfc6b69e72f50550")]
    pub order_id: String,
    /// OBJECT_ID.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "1000004711")]
    pub cart_number: String,
    /// What was done.
    #[schema(example = "resolved")]
    pub action: &'static str,
    /// Who, as the token says.
    #[schema(example = "m.mueller (operations-desk)")]
    pub by: String,
    /// The token's client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "operations-desk")]
    pub client: Option<String>,
    /// The other end of the connection: the gateway's address, where one is in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.1.2.3")]
    pub address: Option<String>,
    /// The request's id, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The number, or the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl AuditEntryView {
    fn new(order_id: &OrderId, cart_number: &str, entry: &AuditEntry) -> Self {
        Self {
            at: time(entry.at),
            order_id: order_id.to_string(),
            cart_number: cart_number.to_owned(),
            action: entry.action.name(),
            by: entry.by.clone(),
            client: entry.client.clone(),
            address: entry.address.map(|address| address.to_string()),
            request_id: entry.request_id.clone(),
            detail: entry.detail.clone(),
        }
    }
}

impl From<&AuditRecord> for AuditEntryView {
    fn from(record: &AuditRecord) -> Self {
        Self::new(&record.order_id, &record.cart_number, &record.entry)
    }
}

/// A page of what was done, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditList)]
pub struct AuditListView {
    /// The entries.
    pub entries: Vec<AuditEntryView>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What a person did to an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Intervention)]
pub struct InterventionView {
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who, as the token says.
    #[schema(example = "m.mueller (operations-desk)")]
    pub by: String,
    /// What was done.
    #[schema(example = "resolved")]
    pub action: &'static str,
    /// The number, or the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<&AuditEntry> for InterventionView {
    fn from(done: &AuditEntry) -> Self {
        Self { at: time(done.at), by: done.by.clone(), action: done.action.name(), detail: done.detail.clone() }
    }
}

/// One result for each cart of a batch, in the order sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BatchResults)]
pub struct BatchView {
    /// The results.
    pub results: Vec<ResultView>,
}

/// What the cart alone would have got: an order or a problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub struct ResultView {
    /// The HTTP status.
    #[schema(example = 201)]
    pub status: u16,
    /// The order, where the status is below 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderView>,
    /// The problem, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemBody>,
}

/// A page of orders, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PurchaseOrderList)]
pub struct ListView {
    /// The orders.
    pub orders: Vec<OrderView>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Where one field of an order comes from.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PreviewField)]
pub struct FieldView {
    /// Path in the order's body.
    #[schema(example = "lines[0].unitCode")]
    pub target: String,
    /// Line of the mapping sheet.
    #[schema(example = 24)]
    pub row: u64,
    /// The column `source` of the sheet.
    #[schema(example = "ITEM.UNIT")]
    pub source: String,
    /// The value as it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "H")]
    pub raw: Option<String>,
    /// The column `as` of the sheet.
    #[serde(rename = "as")]
    #[schema(rename = "as", example = "table:units")]
    pub conversion: String,
    /// What 11VMS gets; absent where the target is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "HUR")]
    pub value: Option<Value>,
    /// The table that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "units")]
    pub table: Option<String>,
    /// The key that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "H")]
    pub key: Option<String>,
    /// The column `when` of the sheet; absent where the row has no condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "HEADER.TOTAL_VALUE > 10000")]
    pub when: Option<String>,
    /// Whether that condition holds. Where it does not, the row does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    pub holds: Option<bool>,
    /// What is wrong with the value; the order is not made then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl From<FieldTrace> for FieldView {
    fn from(trace: FieldTrace) -> Self {
        let FieldTrace { target, row, source, raw, conversion, value, table, key, when, holds, message } = trace;
        Self { target, row, source, raw, conversion, value, table, key, when, holds, message }
    }
}

/// An entry of the cart that the mapping leaves out of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SkippedEntry)]
pub struct SkippedView {
    /// The list.
    #[schema(example = "lines[]")]
    pub target: String,
    /// Line of the mapping sheet.
    #[schema(example = 17)]
    pub row: u64,
    /// The column `source` of the sheet.
    #[schema(example = "STATUS[STAT=I1016][INACT=]")]
    pub source: String,
    /// The item's position in the cart as sent, counted from 1.
    #[schema(example = 2)]
    pub item: usize,
    /// The account of the item, counted from 1; absent where the whole item is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub account: Option<usize>,
    /// The column `remark` of the sheet.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "rejected by its approver")]
    pub remark: String,
}

impl From<SkippedEntry> for SkippedView {
    fn from(skipped: SkippedEntry) -> Self {
        let SkippedEntry { target, row, source, item, account, remark } = skipped;
        Self { target, row, source, item, account, remark }
    }
}

/// What a cart would become.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preview)]
pub struct PreviewView {
    /// The body that 11VMS would get; left out when there are mistakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub order: Option<Value>,
    /// OBJECT_ID, as sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "1000004711")]
    pub cart_number: String,
    /// The mapping that was used.
    pub mapping_version: String,
    /// Every target field.
    pub fields: Vec<FieldView>,
    /// Every entry that the mapping leaves out, and the row that says so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub skipped: Vec<SkippedView>,
    /// Every mistake (type E) and every warning (type W), in BAPIRET2 shape.
    pub messages: Vec<MessageView>,
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        Self {
            order: preview.order,
            cart_number: preview.cart_number,
            mapping_version: preview.mapping_version,
            fields: preview.fields.into_iter().map(FieldView::from).collect(),
            skipped: preview.skipped.into_iter().map(SkippedView::from).collect(),
            messages: preview.messages.iter().map(MessageView::from).collect(),
        }
    }
}
