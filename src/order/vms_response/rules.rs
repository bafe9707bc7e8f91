//! The rules by which responses are read: the part of 11VMS's profile that concerns answers (`[target]`).

/// How responses of one 11VMS are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRules {
    /// `target.create.success_statuses`: with these, 11VMS has the order.
    pub success_statuses: Vec<u16>,
    /// `target.number_pointer`: the JSON pointer (RFC 6901) to the number of a created order.
    pub number_pointer: String,
    /// `target.create.number_from`: where the number is, if the answer has none.
    pub number_source: NumberSource,
    /// `target.error_pointer`: the JSON pointer to the text of an error; if absent, the usual places.
    pub error_pointer: Option<String>,
    /// `target.rejected_codes`: with one of these, 11VMS has refused the order for good, whatever the
    /// status (but 408).
    pub rejected_codes: Vec<String>,
    /// `target.transient_codes`: with one of these, a 4xx did nothing, and the order may be sent again.
    pub transient_codes: Vec<String>,
    /// `target.gateway_statuses`: a page (HTML) with one of these is no answer of 11VMS.
    pub gateway_statuses: Vec<u16>,
    /// What a create that is sent twice makes.
    pub repetition: Repetition,
    /// The last part of `target.create.path` that is the same for all orders: a `Location` counts that leads below it.
    pub collection: Option<String>,
    /// `[target.lookup]`
    pub look_up: LookUpRules,
}

/// What a create makes that is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// A second order.
    SecondOrder,
    /// Nothing new: the order's id is its key (an upsert, PUT or PATCH).
    SameOrder,
}

/// Where the number of a created order is, if the answer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberSource {
    /// In the answer alone: without it, the outcome is unknown.
    Answer,
    /// In the order as a look-up shows it; 11VMS is asked at once.
    LookUp,
}

/// How the answer to a look-up is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUpRules {
    /// `target.lookup.list_pointer`: the JSON pointer to the list of orders, or to a single one; the empty pointer is the
    /// whole body.
    pub list_pointer: String,
    /// `target.lookup.id_pointer`: the JSON pointer to the id in an entry. `None`: entries do not repeat the id, and 11VMS
    /// is trusted to list this order alone.
    pub id_pointer: Option<String>,
    /// `target.lookup.number_pointer`: JSON pointers to the number in an entry; a further one counts where the
    /// first part of those before is missing.
    pub number_pointers: Vec<String>,
    /// `target.lookup.none_statuses`: with these, 11VMS does not have the order.
    pub none_statuses: Vec<u16>,
    /// `target.lookup.none_codes`: the error codes that such an answer needs; if empty, any JSON will do.
    pub none_codes: Vec<String>,
}

/// Statuses with which gateways answer for themselves, and which would otherwise be refusals.
const GATEWAY_STATUSES: [u16; 3] = [403, 404, 405];

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Default for ResponseRules {
    /// The profile "11vms".
    fn default() -> Self {
        Self {
            success_statuses: vec![200, 201],
            number_pointer: "/poNumber".to_owned(),
            number_source: NumberSource::Answer,
            error_pointer: None,
            rejected_codes: Vec::new(),
            transient_codes: texts(&["REQUEST_LIMIT_EXCEEDED"]),
            gateway_statuses: GATEWAY_STATUSES.to_vec(),
            repetition: Repetition::SecondOrder,
            collection: Some("purchase-orders".to_owned()),
            look_up: LookUpRules {
                list_pointer: "/purchaseOrders".to_owned(),
                id_pointer: Some("/externalId".to_owned()),
                number_pointers: texts(&["/poNumber"]),
                none_statuses: Vec::new(),
                none_codes: Vec::new(),
            },
        }
    }
}

impl ResponseRules {
    /// The names of the members that hold an order's number or id.
    pub fn identifying_names(&self) -> Vec<String> {
        let look_up = self.look_up.number_pointers.iter().chain(&self.look_up.id_pointer);
        let names =
            std::iter::once(&self.number_pointer).chain(look_up).filter_map(|pointer| pointer.rsplit('/').next());
        names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
    }

    /// The profile "salesforce: an upsert by an external id, whose field has this name.
    ///
    /// 204 is the answer to an update before version 46 of the API. A lock and a limit did nothing; neither did
    /// `DUPLICATE_VALUE`, the answer to the slower one of two equal upserts: sent again, it finds the record.
    pub fn salesforce(external_id_field: &str) -> Self {
        Self {
            success_statuses: vec![200, 201, 204],
            number_pointer: "/id".to_owned(),
            number_source: NumberSource::LookUp,
            error_pointer: Some("/0/message".to_owned()),
            rejected_codes: Vec::new(),
            transient_codes: texts(&["REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW", "DUPLICATE_VALUE"]),
            gateway_statuses: GATEWAY_STATUSES.to_vec(),
            repetition: Repetition::SameOrder,
            collection: Some(external_id_field.to_owned()).filter(|field| !field.is_empty()),
            look_up: LookUpRules {
                list_pointer: String::new(),
                id_pointer: Some(format!("/{external_id_field}")),
                number_pointers: texts(&["/Id"]),
                none_statuses: vec![404],
                none_codes: texts(&["NOT_FOUND"]),
            },
        }
    }
}
