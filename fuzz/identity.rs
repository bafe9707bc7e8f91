//! The targets of what identity systems and proxies send: answers of token endpoints, headers of tokens, certificates, key sets.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::str;
use std::time::Duration;

use oauth2::TokenResponse as _;
use purchase_order_webhook::auth::AuthError;
use purchase_order_webhook::auth::jwt::Header;
use purchase_order_webhook::auth::key::{JwkSet, Key};
use purchase_order_webhook::edge::forwarded_certificate as forwarded;
use purchase_order_webhook::outbound::{AnswerBody, Echo};
use purchase_order_webhook::vms::token::read_token_answer;

/// An answer of a token endpoint gives a token that can stand in a header, with a lifetime that can be believed, or a reason. A
/// reason repeats nothing of the answer but an error code that has the form of one, and nothing that was sent; nor does that of
/// another answer of an OAuth2 server. The first byte chooses the status. Of the rest each byte 1 stands for a secret of the
/// answer, and the bytes 2 to 5 for forms of what was sent.
pub fn token_answer(data: &[u8]) {
    const SECRET: &str = "s3cret-7f2a9c";
    const SENT: [&str; 2] = ["hush=42/+ ~", "c3JtNzpodXNoJTNENDI"];
    const FORMS: [&str; 4] = ["hush=42/+ ~", "hush%3D42%2f%2B%20%7E", "hush%3D42%2F%2B+~", "c3JtNzpodXNoJTNENDI="];
    let Some((first, rest)) = data.split_first() else { return };
    let status = match first % 6 {
        0 => 200,
        1 => 201,
        2 => 302,
        3 => 400,
        4 => 401,
        _ => 500,
    };
    let mut content = Vec::with_capacity(rest.len());
    for byte in rest {
        match *byte {
            1 => content.extend_from_slice(SECRET.as_bytes()),
            form @ 2..=5 => {
                content.extend(FORMS.iter().skip(usize::from(form) - 2).take(1).flat_map(|form| form.bytes()));
            }
            other => content.push(other),
        }
    }
    let body = AnswerBody::of_bytes(content);
    for problem in [
        body.json::<BTreeMap<String, bool>>("a form").err(),
        body.json::<Vec<u8>>("a form").err(),
        body.json::<u8>("a form").err(),
    ] {
        assert!(problem.is_none_or(|problem| !problem.contains(SECRET) && problem.len() < 200));
    }
    let mut sent = Echo::default();
    for secret in SENT {
        sent.add(secret);
    }
    match read_token_answer(status, &body, &sent) {
        Ok(response) => {
            let token = response.access_token().secret();
            assert!(status < 300 && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
            let lifetime = response.expires_in().expect("a lifetime");
            assert!(lifetime >= Duration::from_secs(1) && lifetime <= Duration::from_hours(30 * 24), "{lifetime:?}");
        }
        Err(problem) => {
            let code = problem.strip_prefix("refused: ");
            let code = code.map(|text| text.rsplit_once(" (status 20").map_or(text, |(code, _)| code));
            let is_code = |code: &str| {
                code.len() <= 64
                    && code.bytes().all(|byte| matches!(byte, 0x20..=0x7E) && !matches!(byte, b'"' | b'\\'))
            };
            assert!(code.is_none_or(is_code), "{problem}");
            assert!(problem.len() < 250 && (code.is_some() || !problem.contains(SECRET)), "{problem}");
            assert!(FORMS.iter().all(|form| !problem.contains(form.trim_end_matches('='))), "{problem}");
        }
    }
}

/// A token whose header is accepted is a JWS in compact form: three parts in base64url.
pub fn token_header(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else { return };
    match Header::parse(token) {
        Some(Ok(_)) => {
            let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert_eq!(token.split('.').count(), 3);
            assert!(token.bytes().all(|byte| is_base64url(byte) || byte == b'.'));
        }
        Some(Err(error)) => assert!(matches!(error, AuthError::Invalid(_)), "{error:?}"),
        None => {}
    }
}

/// A header about a certificate: what a client writes into its own names, or before the elements of the proxies, is never the
/// certificate that counts. Envoy quotes a subject, and no URI. What is before the first zero byte is the client's own header,
/// and what is behind it its URI.
pub fn forwarded_certificate(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (own, der) = ("-----BEGIN%20CERTIFICATE-----%0AMAMCAQE%3D%0A-----END%20CERTIFICATE-----", [0x30, 3, 2, 1, 1]);
    let read = |value: &str, hops| forwarded("x-forwarded-client-cert", value, NonZeroUsize::new(hops));
    for hops in 0..3 {
        let found = read(text, hops);
        assert!(found.is_none_or(|der| der.first() == Some(&0x30)), "no certificate is a sequence");
    }
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let element = format!("By=spiffe://x;URI=\"{quoted}\";Cert=\"{own}\";Subject=\"{quoted}\"");
    assert_eq!(read(&element, 0).as_deref(), Some(der.as_slice()));
    assert_eq!(read(&format!("URI=\"{quoted}\";Hash=00"), 0), None);
    // As Envoy writes it: of one proxy, and of two, whatever was there before.
    let (before, uri) = text.split_once('\0').unwrap_or((text, text));
    let element = format!("By=spiffe://x;Hash=00;Cert=\"{own}\";Subject=\"{quoted}\";URI={uri}");
    let second = "By=spiffe://y;Hash=00;Subject=\"\";URI=spiffe://x";
    for (value, hops) in [
        (element.clone(), 0),
        (element.clone(), 1),
        (format!("{element},{second}"), 2),
        (format!("{before},{element}"), 1),
        (format!("{before},{element},{second}"), 2),
    ] {
        let found = read(&value, hops);
        assert!(found.is_none() || found.as_deref() == Some(der.as_slice()), "{hops} {value}: {found:?}");
    }
}

/// Of a key set, each key is used or left out with a reason that fits into a line; a key that is used has an algorithm, and is
/// the same when it is read again, also in another spelling of its numbers. No symmetric algorithm verifies tokens.
pub fn key_set(data: &[u8]) {
    let Some(set) = JwkSet::parse(data) else { return };
    let (keys, left_out) = set.read();
    for key in &keys {
        assert!(!key.algorithms.is_empty());
        assert!(key.algorithms.iter().all(|algorithm| !format!("{algorithm:?}").starts_with("HS")));
    }
    for unfit in &left_out {
        let line = unfit.to_string();
        assert!(!line.is_empty() && line.chars().count() < 300 && !line.contains(char::is_control), "{line:?}");
    }
    let (again, left_out_again) = set.read();
    let identities = |keys: &[Key]| keys.iter().map(Key::identity).collect::<Vec<_>>();
    assert_eq!((identities(&again), &left_out_again), (identities(&keys), &left_out));
    let Ok(text) = str::from_utf8(data) else { return };
    // Three zero octets are four letters; `x` of Ed25519 is no number.
    let zeros = ["n", "e", "y"].iter().fold(text.to_owned(), |text, name| respelled(&text, name, "AAAA", ""));
    let padded = ["n", "e", "x", "y"].iter().fold(text.to_owned(), |text, name| respelled(&text, name, " ", "=="));
    for text in [zeros, padded] {
        let (keys_again, _) = JwkSet::parse(text.as_bytes()).expect("a set in another spelling is one").read();
        assert_eq!(identities(&keys_again), identities(&keys), "{text}");
    }
}

/// A text of JSON, in which each text of a member has something before it and behind it.
fn respelled(text: &str, name: &str, before: &str, behind: &str) -> String {
    let begin = format!("\"{name}\":\"");
    let mut parts = text.split(&begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('"') {
        Some((value, rest)) if !value.ends_with('\\') => format!("{text}{begin}{before}{value}{behind}\"{rest}"),
        _ => format!("{text}{begin}{part}"),
    })
}
