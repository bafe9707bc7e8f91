//! The elements of a header about certificates: a list by commas, in Envoy's `x-forwarded-client-cert` each with pairs by
//! semicolons. Texts in quotation marks may hold either, and more quotation marks behind backslashes.

use std::borrow::Cow;

/// The keys of `x-forwarded-client-cert`, by which an element of it is told from a certificate in base64.
const KEYS: [&str; 7] = ["by", "hash", "cert", "chain", "subject", "uri", "dns"];

/// Keys whose values end where they seem to end: Envoy has them from its own certificate, or quotes them.
const BOUNDED_KEYS: [&str; 5] = ["by", "hash", "cert", "chain", "subject"];

/// An element of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element<'h> {
    /// A text without pairs: a certificate.
    Plain(&'h str),
    /// Keys with their values.
    Pairs(Vec<Pair<'h>>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'h> {
    /// In small letters.
    pub key: String,
    /// Without quotation marks.
    pub value: Cow<'h, str>,
}

impl Element<'_> {
    /// Whether what follows may be a part of it: Envoy does not quote the names of a certificate (`URI`, `DNS`), in which a
    /// comma may be and all that looks like further elements. Quotation marks may be the name's own.
    pub fn may_go_on(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Pairs(pairs) => pairs.iter().any(|pair| !BOUNDED_KEYS.contains(&pair.key.as_str())),
        }
    }
}

/// Reads every element, in the order of the header. `None` if any of it can't be read: what is before an element decides what it
/// is.
pub fn elements(text: &str) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    let mut rest = text;
    loop {
        let (element, behind) = element(rest)?;
        elements.push(element);
        match behind {
            None => return Some(elements),
            Some(behind) => rest = behind,
        }
    }
}

/// The first element, and what is behind its comma.
fn element(text: &str) -> Option<(Element<'_>, Option<&str>)> {
    if !has_pairs(text) {
        let (plain, behind) = text.split_once(',').map_or((text, None), |(plain, behind)| (plain, Some(behind)));
        // A quotation mark, or a pair of an unknown key, is in no form of a plain certificate.
        let is_plain = !plain.trim().is_empty() && !plain.contains(['"', ';', '\\']);
        return is_plain.then_some((Element::Plain(plain.trim()), behind));
    }
    let (mut pairs, mut rest) = (Vec::new(), text);
    loop {
        let (key, value) = rest.split_once('=')?;
        let key = key.trim().to_ascii_lowercase();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return None;
        }
        let (value, behind) = self::value(value)?;
        pairs.push(Pair { key, value });
        match behind.split_at_checked(1) {
            None => return Some((Element::Pairs(pairs), None)),
            Some((";", behind)) => rest = behind,
            Some((",", behind)) => return Some((Element::Pairs(pairs), Some(behind))),
            Some(_) => return None,
        }
    }
}

/// Whether the first element begins with a key and has pairs.
fn has_pairs(text: &str) -> bool {
    let first = text.find([',', ';', '"']).map_or(text, |end| text.get(..end).unwrap_or_default());
    let key = first.split_once('=').map(|(key, _)| key.trim());
    // Another key than the known ones may be new; base64 ends with the sign.
    key.is_some_and(|key| KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)))
        || key.is_some() && text.get(first.len()..).is_some_and(|behind| behind.starts_with([';', '"']))
}

/// A value, quoted or not, and what begins behind it: nothing, a comma or a semicolon.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        let (value, behind) = text.split_at_checked(end)?;
        // Whoever has written it should have quoted the whole.
        return (!value.contains('"')).then(|| (Cow::Borrowed(value.trim()), behind));
    };
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let behind = quoted.get(at + 1..)?.trim_start_matches([' ', '\t']);
                return Some((Cow::Owned(value), behind));
            }
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let shown = |element: &Element<'_>| match element {
            Element::Plain(text) => (*text).to_owned(),
            Element::Pairs(pairs) => {
                pairs.iter().map(|pair| format!("{}<{}>", pair.key, pair.value)).collect::<Vec<_>>().join(" ")
            }
        };
        Some(elements(text)?.iter().map(shown).collect())
    }

    #[test]
    fn a_header_is_elements_of_pairs() {
        for (text, expected) in [
            ("MIIB==", vec!["MIIB=="]),
            (":MIIB=:", vec![":MIIB=:"]),
            ("MIIB==, MIIC=", vec!["MIIB==", "MIIC="]),
            ("By=a", vec!["by<a>"]),
            ("BY=a;hash=00", vec!["by<a> hash<00>"]),
            ("By=a;Hash=00,By=b", vec!["by<a> hash<00>", "by<b>"]),
            (r#"Subject="CN=a,O=b;c";Cert="x""#, vec!["subject<CN=a,O=b;c> cert<x>"]),
            (r#"Subject="a\"b\\";URI=u"#, vec![r#"subject<a"b\> uri<u>"#]),
            (r#"Subject="\",Cert=\"x\"""#, vec![r#"subject<",Cert="x">"#]),
            ("URI=https://a/?b=c;Cert=x", vec!["uri<https://a/?b=c> cert<x>"]),
            (r#" By = a ; Cert = "x" , By=b"#, vec!["by<a> cert<x>", "by<b>"]),
            ("By=;URI=", vec!["by<> uri<>"]),
            (r#"New="x";Cert=y"#, vec!["new<x> cert<y>"]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn an_element_may_go_on_behind_a_name_of_the_client() {
        for (text, expected) in [
            ("MIIB==", false),
            (r#"By=a;By=b;Hash=00;Cert="x";Chain="x";Subject="y""#, false),
            ("By=a;URI=https://x/", true),
            (r#"URI="https://x/""#, true),
            (r#"DNS=a;Hash=00;Subject="x""#, true),
            ("uri=;Hash=00", true),
            ("New=x;By=a", true),
        ] {
            assert_eq!(elements(text).unwrap()[0].may_go_on(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_header_is_nothing() {
        for text in [
            "",
            ",",
            "a,",
            ",a",
            "By=a,",
            "By=a;",
            ";By=a",
            "By=a;b",
            r#"By="a"#,
            r#"By="a"b"#,
            r#"By=a"b""#,
            r#"By="a\"#,
            r#"By=";Cert="x""#,
            r#"a"b"#,
            r#""By=a""#,
            "=a;b",
            "B y=a;Cert=x",
            r#"MIIB=="x""#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
