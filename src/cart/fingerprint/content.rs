//! The one spelling of a value that all serializers share.

use crate::cart::guid::{GuidBytes, guid_bytes};
use crate::cart::json::{Digits, Form, Value};
use crate::cart::name::{FoldedHash, folded};
use crate::cart::value::{is_initial, trimmed, without_leading_zeros};

/// SAP's standard fields of type NUMC: cl_json writes them as numbers, other serializers with their zeros. Zeros of other
/// texts count: the code 0010 is not 10.
const NUMC_FIELDS: [StandardField; 3] =
    [StandardField::of("NUMBERINT"), StandardField::of("ACCNO"), StandardField::of("PARTNERFCT")];

/// The GUID of the row's owner.
const OWNER: StandardField = StandardField::of("PGUID");

/// A name in its folded form, and the form's hash.
struct StandardField {
    folded: &'static str,
    hash: u32,
}

impl StandardField {
    const fn of(folded: &'static str) -> Self {
        Self { folded, hash: FoldedHash::of(folded.as_bytes()) }
    }

    fn is(&self, name: &str, hash: u32) -> bool {
        self.hash == hash && folded(name).eq(self.folded.bytes())
    }
}

/// What a field's name says of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// The GUID of the row's owner.
    Owner,
    /// Any other GUID.
    Guid,
    /// Digits without a meaning of their zeros.
    Numc,
    /// Anything else.
    Other,
}

impl FieldKind {
    /// Of the field with this name, whose folded form has this hash.
    pub fn of(name: &str, hash: u32) -> Self {
        let name_bytes = name.as_bytes();
        let ending = name_bytes.len().checked_sub(4).and_then(|at| name_bytes.get(at..)).unwrap_or_default();
        if OWNER.is(name, hash) {
            Self::Owner
        } else if ending.eq_ignore_ascii_case(b"GUID") {
            Self::Guid
        } else if NUMC_FIELDS.iter().any(|field| field.is(name, hash)) {
            Self::Numc
        } else {
            Self::Other
        }
    }
}

/// Writes a value in the one spelling that all serializers share; nothing where it is initial or no value of a field.
pub fn write_content(bytes: &mut Vec<u8>, kind: FieldKind, value: Value<'_>) {
    match value.form() {
        Form::Null | Form::Flag(false) | Form::List | Form::Object => {}
        Form::Flag(true) => bytes.push(b'X'),
        Form::Number => write_number(bytes, &value.text()),
        Form::Text => write_text(bytes, kind, trimmed(&value.text())),
    }
}

/// `10`, `10.0` and `1E1` are one number, and the text `10`.
fn write_number(bytes: &mut Vec<u8>, number: &str) {
    let digits = number.as_bytes();
    // The usual ones, for which the general way is slow: `10` and `10.0`.
    let plain = digits.strip_suffix(b".0").unwrap_or(digits);
    if plain.len() <= PLAIN_DIGITS && plain.iter().all(u8::is_ascii_digit) {
        if plain != b"0" {
            bytes.extend_from_slice(plain);
        }
        return;
    }
    match Digits::of(number) {
        Some(digits) => digits.write_normalised(bytes),
        None => bytes.extend_from_slice(digits),
    }
}

/// Digits of a whole number that is certainly written as its digits.
const PLAIN_DIGITS: usize = 40;

fn write_text(bytes: &mut Vec<u8>, kind: FieldKind, text: &str) {
    match kind {
        FieldKind::Owner | FieldKind::Guid => {
            if let Some(guid) = guid_bytes(text) {
                if guid != GuidBytes::default() {
                    bytes.extend_from_slice(&guid);
                }
                return;
            }
        }
        FieldKind::Numc => {
            let number = without_leading_zeros(text);
            return bytes.extend_from_slice(if number == "0" { &[] } else { number.as_bytes() });
        }
        FieldKind::Other => {}
    }
    // Dates and times are at most as long as `2018-01-31T00:00:00.0000000Z`, and have their marks in fixed places.
    match text.as_bytes().get(4) {
        Some(b'-') => match date(text) {
            Some(["0000", "00", "00"]) => {}
            Some(parts) => parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes())),
            None if is_zero_amount(text) => {}
            None => bytes.extend_from_slice(text.as_bytes()),
        },
        _ if matches!(text, "--" | "::" | "00:00:00") || is_zero_amount(text) => {}
        _ => bytes.extend_from_slice(text.as_bytes()),
    }
}

/// `0.000`, as OData writes a zero that other serializers drop. Zeros without a point may be a code.
fn is_zero_amount(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'0' | b'-')) && text.contains('.') && is_initial(text)
}

/// `2025-01-31`, `2025-01-31T00:00:00` and `20250131` are one date.
fn date(text: &str) -> Option<[&str; 3]> {
    let date = text.split_once('T').filter(|(_, time)| is_midnight(time)).map_or(text, |(date, _)| date);
    let (year, rest) = date.split_once('-').filter(|_| date.len() == 10)?;
    let (month, day) = rest.split_once('-')?;
    let digits = [(year, 4), (month, 2), (day, 2)];
    let fits = digits.iter().all(|(part, width)| part.len() == *width && part.bytes().all(|b| b.is_ascii_digit()));
    fits.then_some([year, month, day])
}

/// `00:00:00`, with a fraction or `Z`: the time that OData adds to a date.
fn is_midnight(time: &str) -> bool {
    let time = time.strip_suffix('Z').unwrap_or(time);
    let fraction = time.strip_prefix("00:00:00");
    fraction.is_some_and(|fraction| {
        fraction.is_empty() || fraction.strip_prefix('.').is_some_and(|zeros| zeros.bytes().all(|zero| zero == b'0'))
    })
}
