//! The sections and fields of a cart, with their types in SAP and what they mean (BUS2121, BBP_PDS_SC).

/// The type of a value as the senders' serializers write it. No field takes null in this description, although null means
/// absent: generated clients would treat it as of any type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CHAR, DATS, RAW: a text.
    Text,
    /// NUMC, and time stamps in DEC 15: a text of digits, or a whole number.
    Digits,
    /// Packed numbers: a number, or its text.
    Decimal,
    /// A flag: `X` and blank, or a boolean.
    Flag,
}

/// What reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The default mapping, which refuses a cart without it.
    Mandatory,
    /// The default mapping.
    Mapped,
    /// The service itself: identity, and what belongs to what.
    ByItself,
    /// Nothing yet; a row of the sheet may.
    Unused,
}

/// A field of a section.
pub struct Field {
    pub name: &'static str,
    pub sap_type: &'static str,
    pub form: Form,
    pub usage: Usage,
    pub meaning: &'static str,
    pub example: &'static str,
}

/// A section of a cart.
pub struct Section {
    pub name: &'static str,
    pub schema: &'static str,
    pub is_list: bool,
    pub structure: &'static str,
    pub description: &'static str,
    pub fields: &'static [Field],
}

const fn field(
    name: &'static str,
    sap_type: &'static str,
    form: Form,
    usage: Usage,
    meaning: &'static str,
    example: &'static str,
) -> Field {
    Field { name, sap_type, form, usage, meaning, example }
}

/// The owner of a row.
const P_GUID: Field = field(
    "P_GUID",
    "RAW 16",
    Form::Text,
    Usage::ByItself,
    "The GUID of the item to which the row belongs; of the header, or absent, for all items.",
    "AFBWogfIHu+cjR8qO0xdAQ==",
);

/// The flag of a deleted row.
const DEL_IND: Field =
    field("DEL_IND", "CHAR 1", Form::Flag, Usage::ByItself, "`X`: the row is deleted, and left out.", "");

const HEADER: &[Field] = &[
    field(
        "GUID",
        "RAW 16",
        Form::Text,
        Usage::ByItself,
        "The cart's GUID, which becomes the order's id: base64 as ABAP writes it, or hex.",
        "AFBWogfIHtG/xraecvUFUA==",
    ),
    field(
        "OBJECT_ID",
        "CHAR 10",
        Form::Text,
        Usage::Mandatory,
        "The number that people know the cart by. It becomes the order's id where there is no GUID.",
        "1000004711",
    ),
    field(
        "LOGSYS",
        "CHAR 10",
        Form::Text,
        Usage::ByItself,
        "The logical system of the cart. Without a GUID it is a part of the order's id, because two systems use the same numbers.",
        "SRMCLNT300",
    ),
    field("PROCESS_TYPE", "CHAR 4", Form::Text, Usage::Unused, "The kind of document.", "SHC"),
    field("DESCRIPTION", "CHAR 40", Form::Text, Usage::Mapped, "The cart's title.", "Field engineers Q1"),
    field(
        "POSTING_DATE",
        "DATS 8",
        Form::Text,
        Usage::Mapped,
        "The order's date: `2025-01-31` or `20250131`.",
        "2025-01-31",
    ),
    field("CREATED_BY", "CHAR 12", Form::Text, Usage::Mapped, "The SAP user who made the cart.", "MUELLERA"),
    field("CREATED_AT", "DEC 15", Form::Digits, Usage::Unused, "The time stamp of its creation.", "20250131093015"),
    field("CURRENCY", "CUKY 5", Form::Text, Usage::Mandatory, "The currency of the amounts, ISO 4217.", "EUR"),
    field(
        "TOTAL_VALUE",
        "CURR",
        Form::Decimal,
        Usage::Mapped,
        "The value of all items; nothing means free of charge.",
        "12480.48",
    ),
    field("CO_CODE", "CHAR 4", Form::Text, Usage::Mapped, "The company code, with its leading zeros.", "1000"),
    field(
        "ZZ_SALES_ORG",
        "customer field",
        Form::Text,
        Usage::Mandatory,
        "The sales organisation of 11VMS, with its leading zeros. Another name of this field is a change of the sheet.",
        "1010",
    ),
    field(
        "ZZ_CUST_CATEGORY",
        "customer field",
        Form::Text,
        Usage::Mandatory,
        "The customer category, which becomes the account type by the table `account-types`.",
        "A",
    ),
];

const ITEM: &[Field] = &[
    field(
        "GUID",
        "RAW 16",
        Form::Text,
        Usage::ByItself,
        "The item's GUID, by which rows of other sections belong to it.",
        "AFBWogfIHu+cjR8qO0xdAQ==",
    ),
    field("NUMBER_INT", "NUMC 10", Form::Digits, Usage::Mandatory, "The item's number, which no other item has.", "1"),
    field(
        "ITM_TYPE",
        "CHAR 4",
        Form::Text,
        Usage::Mapped,
        "The kind of item. `HIER` is an outline: a heading, which is left out.",
        "",
    ),
    field("ORDERED_PROD", "CHAR 40", Form::Text, Usage::Mapped, "The material; free-text items have none.", ""),
    field("DESCRIPTION", "CHAR 40", Form::Text, Usage::Mapped, "The item's text.", "Field engineer"),
    field(
        "CATEGORY_ID",
        "CHAR 20",
        Form::Text,
        Usage::Mapped,
        "The product category, often a UNSPSC code.",
        "80111600",
    ),
    field("QUANTITY", "QUAN 13.3", Form::Decimal, Usage::Mandatory, "The quantity.", "160.5"),
    field(
        "UNIT",
        "UNIT 3",
        Form::Text,
        Usage::Mandatory,
        "The unit, SAP's or ISO's: it becomes a UN/ECE Rec 20 code by the table `units`.",
        "H",
    ),
    field(
        "PRICE",
        "CURR 13.2",
        Form::Decimal,
        Usage::Mapped,
        "The price of PRICE_UNIT units; nothing means free of charge.",
        "77.76",
    ),
    field(
        "PRICE_UNIT",
        "DEC 5",
        Form::Decimal,
        Usage::Mapped,
        "The number of units that the price is for; nothing means 1.",
        "1",
    ),
    field(
        "VALUE",
        "CURR",
        Form::Decimal,
        Usage::Mapped,
        "QUANTITY × PRICE / PRICE_UNIT, as SAP has worked it out.",
        "12480.48",
    ),
    field("CURRENCY", "CUKY 5", Form::Text, Usage::Mapped, "The item's currency; nothing means the header's.", "EUR"),
    field("DELIV_DATE", "DATS 8", Form::Text, Usage::Mapped, "The date at which it is needed.", "2025-03-31"),
    DEL_IND,
];

const ACCOUNT: &[Field] = &[
    P_GUID,
    field("ACC_NO", "NUMC 4", Form::Digits, Usage::Unused, "The number of the assignment.", "1"),
    field("ACC_CAT", "CHAR 5", Form::Text, Usage::Unused, "The account assignment category.", "CC"),
    field(
        "DIST_IND",
        "CHAR 1",
        Form::Text,
        Usage::Mapped,
        "Says which share counts: blank DISTR_PERC, `Q` DIST_QUAN, `V` DIST_VALUE. By the default mapping that one has to be there.",
        "",
    ),
    field(
        "DISTR_PERC",
        "DEC 5.2",
        Form::Decimal,
        Usage::Mapped,
        "The share in percent, where DIST_IND is blank.",
        "100",
    ),
    field(
        "DIST_QUAN",
        "QUAN 13.3",
        Form::Decimal,
        Usage::Mapped,
        "The share as a quantity, where DIST_IND is `Q`.",
        "80.25",
    ),
    field(
        "DIST_VALUE",
        "CURR 13.2",
        Form::Decimal,
        Usage::Mapped,
        "The share as an amount, where DIST_IND is `V`.",
        "6240.24",
    ),
    field("G_L_ACCT", "CHAR 10", Form::Text, Usage::Mapped, "The general ledger account.", "0000476000"),
    field("COST_CTR", "CHAR 10", Form::Text, Usage::Mapped, "The cost center.", "0000001000"),
    field("ORDER_NO", "CHAR 12", Form::Text, Usage::Mapped, "The internal order.", ""),
    field("WBS_ELEM_E", "CHAR 24", Form::Text, Usage::Mapped, "The WBS element, as people write it.", ""),
    DEL_IND,
];

const PARTNER: &[Field] = &[
    P_GUID,
    field(
        "PARTNER_FCT",
        "CHAR 8",
        Form::Text,
        Usage::Mandatory,
        "The partner's function: 00000019 supplier, 00000027 ship-to, 00000020 recipient, 00000026 employee, 00000029 invoicing party, 00000075 plant.",
        "00000019",
    ),
    field(
        "PARTNER_ID",
        "CHAR 10",
        Form::Text,
        Usage::Mandatory,
        "The partner's number. By the default mapping needed for the supplier alone.",
        "0000300123",
    ),
    field(
        "COUNTRY",
        "CHAR 3",
        Form::Text,
        Usage::Mandatory,
        "The country. By the default mapping needed for the ship-to partner alone.",
        "DE",
    ),
    field(
        "REGION",
        "CHAR 3",
        Form::Text,
        Usage::Mandatory,
        "SAP's region key, which is not ISO 3166-2. With the country it becomes the region code by the table `regions`. By the default mapping needed for the ship-to partner alone.",
        "08",
    ),
    DEL_IND,
];

const ORGDATA: &[Field] = &[
    P_GUID,
    field(
        "PROC_ORG_ID",
        "CHAR 10",
        Form::Text,
        Usage::Mapped,
        "The org-unit id of the purchasing organisation.",
        "50000123",
    ),
    field("PROC_ORG_OT", "CHAR 2", Form::Text, Usage::Unused, "The type of that object.", "O"),
    field(
        "PROC_GROUP_ID",
        "CHAR 10",
        Form::Text,
        Usage::Mapped,
        "The org-unit id of the purchasing group.",
        "50000456",
    ),
    field("PROC_GROUP_OT", "CHAR 2", Form::Text, Usage::Unused, "The type of that object.", "O"),
    DEL_IND,
];

const STATUS: &[Field] = &[
    P_GUID,
    field("STAT", "CHAR 5", Form::Text, Usage::Mapped, "The status; I1016 means rejected.", "I1015"),
    field("INACT", "CHAR 1", Form::Text, Usage::Mapped, "`X`: the status no longer holds.", ""),
];

/// Every section.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "HEADER",
        schema: "CartHeader",
        is_list: false,
        structure: "BBP_PDS_SC_HEADER_D.",
        description: "The cart as a whole.",
        fields: HEADER,
    },
    Section {
        name: "ITEM",
        schema: "CartItem",
        is_list: true,
        structure: "BBP_PDS_SC_ITEM_D.",
        description: "The items: at least one that is not deleted.",
        fields: ITEM,
    },
    Section {
        name: "ACCOUNT",
        schema: "CartAccount",
        is_list: true,
        structure: "BBP_PDS_ACC.",
        description: "The account assignments. By the default mapping every item has at least one.",
        fields: ACCOUNT,
    },
    Section {
        name: "PARTNER",
        schema: "CartPartner",
        is_list: true,
        structure: "BBP_PDS_PARTNER.",
        description: "The partners. By the default mapping a supplier and a ship-to partner, one for all items.",
        fields: PARTNER,
    },
    Section {
        name: "ORGDATA",
        schema: "CartOrganisation",
        is_list: true,
        structure: "BBP_PDS_ORG.",
        description: "The organisation: org-unit ids, and not the purchasing organisation of the ERP.",
        fields: ORGDATA,
    },
    Section {
        name: "STATUS",
        schema: "CartStatus",
        is_list: true,
        structure: "BBP_PDS_STATUS.",
        description: "The status of the items. An item that its approver rejected is left out.",
        fields: STATUS,
    },
];
