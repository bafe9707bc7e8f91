//! Problems and their messages as they are on the wire.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::message::Message;

/// One BAPIRET2 message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// TYPE: S success, E error, W warning.
    #[serde(rename = "type")]
    #[schema(rename = "type", max_length = 1, example = "E")]
    pub severity: &'static str,
    /// ID: the message class.
    #[schema(max_length = 20, example = "PO_WEBHOOK")]
    pub id: String,
    /// NUMBER: stays the same for one kind of message.
    #[schema(max_length = 3, example = "010")]
    pub number: String,
    /// MESSAGE: the text, for people.
    #[schema(max_length = 220, example = "HEADER.ZZ_SALES_ORG is missing or initial; it is mandatory")]
    pub message: String,
    /// ROW: the item's position in the cart as sent, counted from 1; 0 is the header.
    #[schema(example = 0)]
    pub row: usize,
    /// FIELD: the SAP field name.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 30, example = "ZZ_SALES_ORG")]
    pub field: String,
    /// PARAMETER: the section of the cart.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 32, example = "HEADER")]
    pub parameter: String,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            severity: message.severity.code(),
            id: message.id.clone(),
            number: message.number.clone(),
            message: message.message.clone(),
            row: message.row,
            field: message.field.clone(),
            parameter: message.parameter.clone(),
        }
    }
}

/// Problem details (RFC 9457) with SAP's messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A page of the service that explains the problem.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "/problems/invalid-cart")]
    pub kind: String,
    /// The kind of problem, always the same text for one type.
    #[schema(example = "The cart can't become an order")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time.
    #[schema(example = "HEADER.ZZ_SALES_ORG is missing or initial; it is mandatory")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/v2/purchase-orders")]
    pub instance: String,
    /// The request, as in X-Request-Id and in the log: operators ask for it.
    #[schema(example = "srm-300-4711")]
    pub request_id: String,
    /// The order that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "005056a207c81ed1bfc6b69e72f50550")]
    pub order_id: Option<String>,
    /// OBJECT_ID of the cart that it is about, as sent; absent where none was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1000004711")]
    pub cart_number: Option<String>,
    /// Line in the body, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in the line, in bytes, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Every mistake, in BAPIRET2 shape; at least one.
    #[schema(min_items = 1)]
    pub messages: Vec<MessageView>,
    /// 11VMS's own answer, whatever JSON it is; text that is no JSON as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vms: Option<Value>,
    /// What works and what does not, where a readiness is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub readiness: Option<Value>,
}
