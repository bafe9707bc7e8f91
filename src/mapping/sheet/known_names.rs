//! The sections and fields of a shopping cart that SRM is known to send, to tell a slip from a name.
//!
//! From the structures `BBP_PDS_SC_HEADER_D`, `BBP_PDS_SC_ITEM_D`, `BBP_PDS_ACC`, `BBP_PDS_PARTNER`, `BBP_PDS_ORG`,
//! `BBP_PDS_STATUS`, `BBP_PDS_LIMIT`, `BBP_PDS_TAX` and `BBP_PDS_LONGTEXT`: what their carts usually hold, and not every field.

use std::sync::LazyLock;

use super::source::Source;
use crate::cart::Name;

/// Fields that rows of every section may have.
const EVERYWHERE: &str = "GUID P_GUID DEL_IND";

/// Fields of an address, which partners have.
const ADDRESS: &str = "ADDR_NO ADDR_NR ADDR_TYPE ADDR_ORIGIN NAME NAME_TEXT TITLE NAME1 NAME2 NAME3 NAME4 C_O_NAME CITY CITY1 CITY2 DISTRICT \
    POSTL_COD1 POSTL_COD2 POSTL_COD3 POST_CODE1 POST_CODE2 PO_BOX PO_BOX_CIT STREET STREET_NO STREETCODE STREETABBR HOUSE_NO HOUSE_NUM1 HOUSE_NO2 \
    STR_SUPPL1 STR_SUPPL2 STR_SUPPL3 LOCATION BUILDING FLOOR ROOM_NO COUNTRY COUNTRYISO COUNTRYTXT LANGU LANGU_ISO REGION REGIOTEXT \
    SORT1 SORT2 TIME_ZONE TAXJURCODE TEL1_NUMBR TEL1_EXT TEL_NUMBER TEL_EXTENS FAX_NUMBER FAX_EXTENS E_MAIL SMTP_ADDR URI HOMEPAGE \
    LASTNAME FIRSTNAME FULLNAME DEPARTMENT FUNCTION";

/// Each section with its fields.
const SECTIONS: [(&str, &str); 9] = [
    (
        "HEADER",
        "OBJECT_ID OBJECT_TYPE PROCESS_TYPE DESCRIPTION POSTING_DATE CREATED_BY CREATED_AT CHANGED_BY CHANGED_AT CURRENCY CURRENCY_ISO \
         TOTAL_VALUE TOTAL_VALUE_GR SUM_TAX CO_CODE COMP_CODE LOGSYS LOGSYS_FI LOG_SYSTEM LANGU LANGUAGE PMNTTRMS INCOTERM INCOTERMS1 INCOTERMS2 INCO_LOC \
         EXCH_RATE DOC_DATE DP_START DP_END VALID_FROM VALID_TO PROC_ORG PROC_GROUP PROC_ORG_ID PROC_GROUP_ID REQUESTER REQUESTOR \
         APPROVER APPROVED_AT RELEASED_AT RELEASE_DATE STATUS VERSION_NO VERSION_TYPE SUBTYPE DOC_TYPE BE_DOC_TYPE REF_DOC_NO EXT_REF_NO \
         CART_NAME SC_NAME COUNTRY REGION CATEGORY PRIORITY FISC_YEAR PERIOD START_DATE END_DATE DELIV_DATE PLANT COSTCENTER \
         SUPPLIER TAX_CODE RETURNS_IND FINAL_INV WORKFLOW_ID CREATED_AT_DATE CREATION_DATE EXT_OBJECT_ID GUID_C",
    ),
    (
        "ITEM",
        "NUMBER_INT NUMBER_EXT OBJECT_ID OBJECT_TYPE PARENT ITM_TYPE ITM_NUMBER ITEM_TYPE ITM_TYPE_ENT ITM_LANGU PRODUCT ORDERED_PROD PRODUCT_ID PRODUCT_TYPE PRODUCT_GUID \
         VENDOR_PROD MANUFACT MANUPARTNO MANU_PROD CATEGORY CATEGORY_ID CATEGORY_GUID CATEGORY_TYPE DESCRIPTION DESCR_LANGUAGE QUANTITY UNIT UNIT_ISO UOM \
         PRICE PRICE_UNIT PRICE_ORIGIN GROSS_PRICE NET_PRICE VALUE GROSS_VALUE NET_VALUE CURRENCY CURRENCY_ISO DELIV_DATE DELIV_TIME DELIVERY_DATE \
         DEST_ADDR BE_PLANT BE_STGE_LOC BE_CO_CODE BE_PUR_ORG BE_PUR_GROUP BE_LOG_SYSTEM BE_REFOBJ_TYPE BE_OBJECT_ID BE_DOC_TYPE PLANT STGE_LOC CO_CODE COMP_CODE \
         TAX_CODE TAX_AMOUNT TAX_JURISD PREQ_NO SOURCE_SYST CTR_HDR_NUMBER CTR_ITEM_NUMBER CTR_HDR CTR_ITEM CONTRACT CONTRACT_ITEM CATALOG_ID CATALOG CATALOGITEM \
         CREATED_BY CREATED_AT CHANGED_BY CHANGED_AT LEADTIME OVERDELIV UNDERDELIV UNLIMITED_DLV CONF_IND INV_IND GR_IND IR_IND EVAL_RECPT ACC_CAT ACCT_CAT \
         ACCTASSCAT SUBITEMS STATUS INCOTERM INCO_LOC QUOTE_NO QUOTE_ITEM EXTQUOTEID EXT_QUOTE_ID REQUESTER PARTNER SUPPLIER VENDOR DP_START DP_END START_DATE END_DATE SERVICE SERVICE_TYPE LIMIT EXP_VALUE NOTE \
         PROC_ORG PROC_GROUP MATERIAL MATL_GROUP ATP_DATE RELEASED_AT PRICE_BASE WEIGHT",
    ),
    (
        "ACCOUNT",
        "ACC_NO ACC_CAT ACC_CAT_EXT ACC_STRKEY ACC_STR DISTR_PERC DIST_PERC DIST_QUAN DIST_VALUE DIST_IND G_L_ACCT GL_ACCOUNT GL_ACCT BUS_AREA COST_CTR COSTCENTER ORDER_NO \
         WBS_ELEM WBS_ELEM_E NETWORK ACTIVITY PROFIT_CTR SD_DOC SDOC_ITEM SCHED_LINE ASSET_NO SUB_NUMBER ASSET_SUBNO CMMT_ITEM CMMT_ITEM_LONG FUNDS_CTR FUND \
         FUNC_AREA FUNC_AREA_LONG GRANT_NBR BUDGET_PERIOD CO_AREA CO_CODE COMP_CODE BUSPROC COSTOBJECT COST_OBJ TAX_CODE TAXJURCODE PROFIT_SEGM PROF_SEGM PART_ACCT GR_RCPT UNLOAD_PT REAL_ESTATE_KEY REF_DATE \
         CURRENCY VALUE QUANTITY UNIT",
    ),
    (
        "PARTNER",
        "PARTNER_FCT PARTNER_NO PARTNER_ID PARTNER_GUID PARTNER PARTNER_NUMBER NO_TYPE DISPLAY_TYPE MAINPARTNER MAIN EXT_PARTNER BP_GUID DESCRIPTION RELATION SYSTEM VENDOR LOGSYS",
    ),
    (
        "ORGDATA",
        "PROC_ORG PROC_GROUP PROC_ORG_ID PROC_ORG_OT PROC_GROUP_ID PROC_GROUP_OT PROC_ORG_RESP PROC_GROUP_RESP REQ_ORG REQ_ORG_ID SALES_ORG DIS_CHANNEL DIVISION ORG_KEY \
         CO_CODE COMP_CODE PLANT BE_PUR_ORG BE_PUR_GROUP DESCRIPTION PROC_ORG_TXT PROC_GROUP_TXT",
    ),
    (
        "STATUS",
        "STAT STAT_TXT TXT04 TXT30 INACT CHGNR CHANGED_BY CHANGED_AT UDATE UTIME USNAM DESCRIPTION STSMA STATUS NUMBER_INT",
    ),
    (
        "LIMIT",
        "LIMIT LIMIT_TYPE NO_LIMIT EXP_VALUE VALUE CURRENCY OVERALL_LIMIT NO_LIM_FREE LIMIT_FREE NO_LIM_OTHER LIMIT_OTHER FREE_LIMIT",
    ),
    ("LONGTEXT", "TDID TDOBJECT TDNAME TDSPRAS TDLINE TDFORMAT TDPRFLG TEXT_LINE LANGU LINE LINE_NO SEQ_NO TEXT"),
    (
        "TAX",
        "TAX_CODE TAX_TYPE TAX_RATE TAX_AMOUNT TAX_VALUE TAX_BASE TAX_JURISD TAX_JCD TAX_PERC CURRENCY KBETR MWSKZ TAX_ORIGIN DESCRIPTION AMOUNT BASE_AMOUNT",
    ),
];

/// The sections as names, each with the names of its fields.
static KNOWN: LazyLock<Vec<(Name, Vec<Name>)>> = LazyLock::new(|| {
    let names = |text: &str| text.split_whitespace().map(Name::of).collect::<Vec<_>>();
    SECTIONS
        .iter()
        .map(|(section, fields)| {
            let address = if *section == "PARTNER" { ADDRESS } else { "" };
            (Name::of(section), [names(EVERYWHERE), names(fields), names(address)].concat())
        })
        .collect()
});

/// What is strange about the names in a source: a section or a field that no SRM system is known to send. Names of customers
/// (`ZZ_…`, `YY_…`, `/NAMESPACE/…`) are known to them alone.
pub fn unknown_names(source: &Source) -> Vec<String> {
    let Some(selection) = source.selection() else { return Vec::new() };
    if is_customers(&selection.section) {
        return Vec::new();
    }
    let section = selection.section.spelling();
    let Some((_, known)) = KNOWN.iter().find(|(name, _)| *name == selection.section) else {
        let sections: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
        let problem = format!(
            "no cart of SRM is known to have a section {section}; expected {}, or a customer's own",
            sections.join(", ")
        );
        return vec![problem];
    };
    let fields = selection.conditions.iter().map(|(field, _)| field).chain(source.field());
    fields
        .filter(|field| !is_customers(field) && !known.contains(field))
        .map(|field| {
            let elsewhere = KNOWN.iter().find(|(_, fields)| fields.contains(field)).map(|(section, _)| section.spelling());
            let hint = elsewhere.map_or(String::new(), |section| format!(" ({section} has one)"));
            format!("no cart of SRM is known to have a field {} in {section}{hint}; expected another spelling, if it is no field of your own", field.spelling())
        })
        .collect()
}

fn is_customers(name: &Name) -> bool {
    name.spelling().starts_with(['Z', 'z', 'Y', 'y', '/'])
}
