//! A mapping's files that are no text in UTF-8, beside others with mistakes.

use std::fs;

use purchase_order_webhook::mapping::{Amounts, Defect, Folder, Mapping, SHEET};

fn texts(defects: &[Defect]) -> Vec<String> {
    defects.iter().map(ToString::to_string).collect()
}

#[test]
fn files_that_cannot_be_read_hide_no_other_mistake() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("tables")).unwrap();
    let sheet = "target,source,as,absent,remark\nexternalId,ID,text,refuse,\nunit,ITEM.UNIT,table:units,refuse,\n\
        k,ITEM.A,table:kinds,omit,\nx,HEADER.A,number,omit,\n";
    fs::write(folder.path().join(SHEET), sheet).unwrap();
    fs::write(folder.path().join("tables/units.csv"), b"unit,value,remark\nST,H87,St\xfcck\nH,,\n").unwrap();
    fs::write(folder.path().join("tables/kinds.csv"), b"PK\x03\x04").unwrap();
    let found = Mapping::compile(&Folder::read(folder.path()).unwrap(), Amounts::Unshifted).unwrap_err();
    let found = texts(&found);
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].starts_with("tables/kinds.csv: is a spreadsheet's workbook"), "{found:#?}");
    assert!(
        found[1].starts_with("tables/units.csv line 2: the file is not UTF-8: the byte 0xFC in \"Stück\""),
        "{found:#?}"
    );
    assert_eq!(found[2], "tables/units.csv line 3, column value: the value is empty");
    assert!(found[3].starts_with("purchase-order.csv line 5: as \"number\""), "{found:#?}");
    let nowhere = Folder::read("nowhere".as_ref()).unwrap();
    let found = texts(&Mapping::compile(&nowhere, Amounts::Unshifted).unwrap_err());
    assert!(found.len() == 1 && found[0].starts_with("purchase-order.csv: No such file"), "{found:?}");
}
