//! The fuzz targets: each function takes any bytes, and panics if a promise of the service does not hold.
//!
//! libFuzzer calls them with bytes that it generates (`fuzz_targets/`), an ordinary test with every file of `corpus/`.

mod identity;

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::str::{self, FromStr};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs, process, thread};

use purchase_order_webhook::cart::{Cart, CartError};
use purchase_order_webhook::certificate::{Certificate, read_private_key};
use purchase_order_webhook::clock::after;
use purchase_order_webhook::mapping::{Amounts, Defect, Folder, IdField, Mapped, Mapping, MappingOptions, SHEET};
use purchase_order_webhook::message::Message;
use purchase_order_webhook::outbound;
use purchase_order_webhook::pem;

#[allow(unused_imports, reason = "each program of fuzz_targets calls one function")]
pub use identity::{forwarded_certificate, key_set, token_answer, token_header};

/// A cart is the same when it is read again, in a wrapper too, and becomes an order or a list of mistakes; shifted
/// amounts keep their digits.
pub fn cart(data: &[u8]) {
    static MAPPINGS: LazyLock<[Mapping; 2]> = LazyLock::new(|| {
        let folder = Folder::read(&shipped()).expect("the folder can be read");
        [Amounts::Unshifted, Amounts::Shifted].map(|amounts| Mapping::compile(&folder, amounts).expect("no defects"))
    });
    let Ok(text) = str::from_utf8(data) else { return };
    let cart = match Cart::parse(text) {
        Ok(cart) => cart,
        Err(CartError::Invalid(mistakes)) => return mistakes_fit_bapiret2(&mistakes),
        Err(CartError::Malformed { line, column, detail }) => {
            return assert!(line > 0 && column > 0 && !detail.is_empty());
        }
    };
    let again = Cart::parse(text).expect("it was a cart just now");
    assert_eq!(again.identity(None), cart.identity(None));
    assert_eq!(again.fingerprint(), cart.fingerprint());
    // One wrapper more may be one too many.
    let wrapper = format!("{{\"CART\":{text}}}");
    if let Ok(wrapped) = Cart::parse(&wrapper) {
        assert_eq!(wrapped.fingerprint(), cart.fingerprint());
        MAPPINGS.iter().for_each(|mapping| assert_eq!(mapping.map(&wrapped), mapping.map(&cart)));
    }
    if let [Some(plain), Some(shifted)] = MAPPINGS.each_ref().map(|mapping| mapped(mapping, &cart)) {
        let digits = |order: &Mapped| {
            let order = order.order();
            let amount = order.pointer("/totalAmount").and_then(|amount| amount.as_str()).unwrap_or_default();
            amount.replace(['-', '.'], "").trim_matches('0').to_owned()
        };
        assert_eq!(digits(&shifted), digits(&plain), "a shifted amount lost digits");
    }
}

/// A sheet compiles, and then maps carts, or has defects that name their file and a line in it; what pins the id is one
/// mistake more, and never another mapping.
pub fn sheet(data: &[u8]) {
    thread_local!(static FOLDER: TemporaryFolder = TemporaryFolder::with_tables_of("sheet", &shipped()));
    FOLDER.with(|folder| {
        folder.write(SHEET, data);
        let pinned = folder.compiled_for(Amounts::Unshifted, &IdField::default());
        if let Some(mapping) = folder.compiled(Amounts::Unshifted) {
            maps_samples(&mapping);
            assert!(pinned.is_none_or(|pinned| pinned.version() == mapping.version()));
        } else {
            assert!(pinned.is_none(), "a pinned id mends nothing");
        }
    });
}

/// A table fits a sheet with as many sources as it has keys, and no other; a table of currencies' decimals shifts
/// amounts, and has one key.
pub fn table(data: &[u8]) {
    const ONE_KEY: &str = "target,source,as,absent\n\
        decimals,HEADER.CURRENCY,table:currency-decimals,omit\n\
        amount,HEADER.TOTAL_VALUE,decimal,refuse\n";
    const TWO_KEYS: &str = "target,source,as,absent\n\
        lines[].code,PARTNER[00000027].COUNTRY + PARTNER[00000027].REGION,table:pairs,use:none\n";
    thread_local!(static FOLDER: TemporaryFolder = TemporaryFolder::new("table"));
    FOLDER.with(|folder| {
        folder.write("tables/currency-decimals.csv", data);
        folder.write(SHEET, ONE_KEY.as_bytes());
        let with_one = folder.compiled(Amounts::Unshifted);
        let shifted = folder.compiled(Amounts::Shifted);
        folder.remove("tables/currency-decimals.csv");
        folder.write("tables/pairs.csv", data);
        folder.write(SHEET, TWO_KEYS.as_bytes());
        let with_two = folder.compiled(Amounts::Unshifted);
        folder.remove("tables/pairs.csv");
        assert!(with_one.is_none() || with_two.is_none(), "a table has one number of keys");
        assert_eq!(
            with_one.is_some(),
            shifted.is_some(),
            "a table of decimals is right or wrong, whether it is used or not"
        );
        for order in [with_one, shifted, with_two].iter().flatten().flat_map(maps_samples) {
            let order = order.order();
            let value = order.get("decimals").and_then(|value| value.as_str());
            assert!(value.is_none_or(|value| !value.is_empty() && !value.contains(['\r', '\n'])), "{value:?}");
        }
    });
}

/// `Retry-After` is a number of seconds, or a moment, or several of both: an hour later, the wait is shorter by an hour at
/// most.
pub fn retry_after(data: &[u8]) {
    const HOUR: Duration = Duration::from_hours(1);
    let Ok(text) = str::from_utf8(data) else { return };
    let [early, late] = ["2025-01-31T09:30:00Z", "2025-01-31T10:30:00Z"].map(|now| {
        let now = now.parse().expect("a moment");
        let wait = outbound::retry_after(text, now);
        assert!(wait.is_none_or(|wait| after(now, wait) >= now));
        wait
    });
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let mut digits = text.bytes().map(|byte| u64::from(byte - b'0'));
        let seconds = digits.try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(digit));
        let wait = Some(seconds.map_or(Duration::MAX, Duration::from_secs));
        assert_eq!((early, late), (wait, wait));
    } else {
        assert_eq!(late.is_some(), early.is_some());
        assert!(late <= early && late >= early.map(|wait| wait.saturating_sub(HOUR)), "{late:?} {early:?}");
    }
}

/// Of PEM, each section is read, or the whole is refused: however the text was saved, and what stands before it or behind it.
pub fn pem(data: &[u8]) {
    let read = |content: &[u8]| pem::sections(content).map(|sections| labels(&sections));
    let plain = read(data);
    // Certificates and keys are sections: nobody reads more, or fewer and says nothing.
    if let Ok(certificates) = Certificate::read_all(data) {
        let sections = plain.as_ref().expect("certificates are sections");
        let labels = sections.iter().filter(|(label, _)| label.ends_with("CERTIFICATE"));
        assert_eq!(labels.count(), certificates.len());
    }
    if read_private_key(data).is_ok() {
        let sections = plain.as_ref().expect("a key is a section");
        assert_eq!(sections.iter().filter(|(label, _)| label.ends_with("PRIVATE KEY")).count(), 1);
    }
    let begins = data.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| line.starts_with(b"-----BEGIN "));
    let Ok(sections) = plain else { return };
    assert!(begins.count() <= sections.len(), "a section has vanished");
    // A mark changes nothing, and a further section is one more.
    let own = b"-----BEGIN OWN-----\nMAA=\n-----END OWN-----";
    let with = |parts: &[&[u8]]| read(&parts.concat()).expect("a text with a section more is one, too");
    assert_eq!(with(&[b"\xEF\xBB\xBF", data]), sections);
    let before = with(&[own, b"\r\n", data]);
    assert_eq!(before.get(1..), Some(sections.as_slice()));
    let behind = with(&[data, b"\r", own]);
    assert_eq!(behind.split_last().map(|(_, rest)| rest), Some(sections.as_slice()));
}

fn labels(sections: &[pem::Section]) -> Vec<(String, Vec<u8>)> {
    sections.iter().map(|section| (section.label().to_owned(), section.der().to_vec())).collect()
}

/// The mapping that the repository ships.
fn shipped() -> PathBuf {
    // This file is compiled by two packages, in the repository's root and below it.
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    roots.map(|root| root.join("mapping")).find(|folder| folder.join(SHEET).is_file()).expect("the folder mapping/")
}

/// A temporary folder, because a mapping is compiled from files; removed when dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new(purpose: &str) -> Self {
        let name = format!("fuzz-{purpose}-{}-{:?}", process::id(), thread::current().id());
        let folder = Self(env::temp_dir().join(name));
        fs::create_dir_all(folder.0.join("tables")).expect("a temporary folder");
        folder
    }

    /// Copies the beginning of each table, which is read much faster than the whole.
    fn with_tables_of(purpose: &str, source: &Path) -> Self {
        let folder = Self::new(purpose);
        for table in fs::read_dir(source.join("tables")).expect("tables").flatten() {
            let text = fs::read_to_string(table.path()).expect("a table");
            let beginning: String = text.split_inclusive('\n').take(20).collect();
            folder.write(&format!("tables/{}", table.file_name().display()), beginning.as_bytes());
        }
        folder
    }

    fn write(&self, file: &str, content: &[u8]) {
        fs::write(self.0.join(file), content).expect("a written file");
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.0.join(file)).expect("a removed file");
    }

    /// `None` where the folder has defects; nobody looks for an id.
    fn compiled(&self, amounts: Amounts) -> Option<Mapping> {
        self.compiled_for(amounts, &IdField::Nowhere)
    }

    /// `None` where the folder has defects. Each defect and warning names its file, and a line that is in it.
    fn compiled_for(&self, amounts: Amounts, id_field: &IdField) -> Option<Mapping> {
        let found = Folder::read(&self.0).and_then(|folder| {
            let options = MappingOptions { amounts, id_field: id_field.clone(), ..MappingOptions::default() };
            Mapping::compile_with(&folder, &options)
        });
        let defects = found.as_ref().map_or_else(Vec::as_slice, Mapping::warnings);
        assert!(found.is_ok() || !defects.is_empty(), "a refusal without a reason");
        for defect in defects {
            self.holds(defect);
        }
        found.ok()
    }

    fn holds(&self, defect: &Defect) {
        let text = defect.to_string();
        let file = text.split([':', ' ']).next().expect("a file");
        let bytes = fs::read(self.0.join(file)).expect("a defect names a file of the folder");
        // No file has more lines than ends of lines, whatever ends them, in UTF-16 too.
        let most = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        let line = defect.line().map(|line| usize::try_from(line).expect("a line"));
        assert!(line.is_none_or(|line| (1..=most).contains(&line)), "{text}");
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Orders of carts of every kind; one with mistakes is among the carts.
fn maps_samples(mapping: &Mapping) -> Vec<Mapped> {
    static SAMPLES: LazyLock<Vec<Cart>> = LazyLock::new(|| {
        let texts = [
            include_str!("../mapping/examples/asjson-sample.cart.json"),
            include_str!("../mapping/examples/deleted-items.cart.json"),
            include_str!("../mapping/examples/item-rejected.cart.json"),
            include_str!("../mapping/examples/outline.cart.json"),
            include_str!("../mapping/examples/dinar.shifted.cart.json"),
            include_str!("../mapping/examples/split-by-quantity.cart.json"),
            include_str!("../mapping/examples/yen.shifted.cart.json"),
            r#"{"HEADER":{"GUID":"?","TOTAL_VALUE":[]},"ITEM":[{"QUANTITY":"1,5"},{"GUID":"1"}],"PARTNER":7}"#,
            r#"{"HEADER":{"GUID":"","OBJECT_ID":7.0},"ITEM":[{"GUID":"1","ITM_TYPE":"LIMI"},{"GUID":"2"}],
                "LIMIT":[{"P_GUID":"1","LIMIT":8000.0}],"ACCOUNT":[{"P_GUID":"2","DIST_IND":"P","COST_CTR":12}],
                "LONGTEXT":[{"TDLINE":"a"},{"P_GUID":"2","TDLINE":"b"},{"P_GUID":"2"},{"P_GUID":"2","TDLINE":[]}]}"#,
        ];
        texts.map(|text| Cart::parse(text).expect("a cart")).into()
    });
    SAMPLES.iter().filter_map(|cart| mapped(mapping, cart)).collect()
}

/// The order that a cart becomes, `None` if it has mistakes; the preview has to agree.
fn mapped(mapping: &Mapping, cart: &Cart) -> Option<Mapped> {
    let preview = mapping.preview(cart);
    match mapping.map(cart) {
        Ok(mapped) => {
            assert_eq!(cart.identity(None).as_ref(), Ok(&mapped.id));
            assert_eq!(preview.order.as_ref(), Some(&mapped.order()));
            assert_eq!(preview.messages, mapped.warnings);
            survives_as_text(&mapped.order());
            Some(mapped)
        }
        Err(mistakes) => {
            assert_eq!(preview.order, None);
            assert_eq!(preview.messages, mistakes);
            mistakes_fit_bapiret2(&mistakes);
            None
        }
    }
}

/// The order is the same JSON after it was written and read again.
fn survives_as_text<T: Debug + Display + FromStr + PartialEq>(value: &T) {
    assert_eq!(value.to_string().parse().ok().as_ref(), Some(value));
}

/// There is a mistake, and each fits into BAPIRET2.
fn mistakes_fit_bapiret2(mistakes: &[Message]) {
    assert!(!mistakes.is_empty());
    for Message { id, number, message, row, field, parameter, .. } in mistakes {
        assert!(!id.is_empty() && id.len() <= 20, "{id}");
        assert!(number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        assert!((1..=220).contains(&message.chars().count()), "{message}");
        assert!(i32::try_from(*row).is_ok(), "{row}");
        assert!(field.chars().count() <= 30, "{field}");
        assert!(parameter.chars().count() <= 32, "{parameter}");
    }
}
