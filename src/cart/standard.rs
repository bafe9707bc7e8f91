//! The names of SAP's fields and sections by which a cart is read, whatever the sheet says.

use std::sync::LazyLock;

use super::name::Name;

/// The names, folded once.
pub static STANDARD: LazyLock<StandardNames> = LazyLock::new(|| StandardNames {
    header: Name::of("HEADER"),
    item: Name::of("ITEM"),
    account: Name::of("ACCOUNT"),
    guid: Name::of("GUID"),
    p_guid: Name::of("P_GUID"),
    object_id: Name::of("OBJECT_ID"),
    logical_system: Name::of("LOGSYS"),
    number_int: Name::of("NUMBER_INT"),
    del_ind: Name::of("DEL_IND"),
});

/// Names of the structures BBP_PDS_*.
#[derive(Debug)]
pub struct StandardNames {
    pub header: Name,
    pub item: Name,
    pub account: Name,
    /// The GUID of a header or an item.
    pub guid: Name,
    /// The GUID of the owner of a row.
    pub p_guid: Name,
    /// The number of a cart.
    pub object_id: Name,
    /// The logical system from which a cart comes.
    pub logical_system: Name,
    /// The number of an item.
    pub number_int: Name,
    /// The flag of a deleted row.
    pub del_ind: Name,
}
