//! The names of SAP's fields and sections by which a cart is read, whatever the sheet says.

use std::sync::LazyLock;

use super::name::Name;

/// The names, folded once.
pub static STANDARD: LazyLock<StandardNames> = LazyLock::new(|| {
    let mut names = StandardNames {
        header: Name::of("HEADER"),
        item: Name::of("ITEM"),
        account: Name::of("ACCOUNT"),
        guid: Name::of("GUID"),
        p_guid: Name::of("P_GUID"),
        object_id: Name::of("OBJECT_ID"),
        logical_system: Name::of("LOGSYS"),
        number_int: Name::of("NUMBER_INT"),
        currency: Name::of("CURRENCY"),
        del_ind: Name::of("DEL_IND"),
    };
    let columns = [&mut names.guid, &mut names.p_guid, &mut names.number_int, &mut names.currency, &mut names.del_ind];
    for (name, column) in columns.into_iter().zip(0..) {
        name.set_column(Some(column));
    }
    names
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
    /// The currency of a header or an item.
    pub currency: Name,
    /// The flag of a deleted row.
    pub del_ind: Name,
}

impl StandardNames {
    /// The fields that every section has a column for, in the order of their columns.
    pub const fn columns(&self) -> [&Name; 5] {
        [&self.guid, &self.p_guid, &self.number_int, &self.currency, &self.del_ind]
    }
}
