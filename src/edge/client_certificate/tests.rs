//! Whose certificate counts: that of the handshake, or that of the one header of a trusted proxy.

use std::num::NonZeroUsize;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const DER: &[u8] = b"\x30\x82\x01\xfb\xff a certificate";
const OTHER: &[u8] = b"\x30\x82\x01\xfb\xff another one";

fn proxy() -> Proxy {
    Proxy {
        addresses: vec!["10.1.0.0/16".parse().unwrap()],
        certificate_header: axum::http::HeaderName::from_static("client-cert"),
        hops: None,
    }
}

fn peer(address: &str) -> Peer {
    Peer {
        address: address.parse().unwrap(),
        transport: Transport::Tls,
        certificate: Some(Thumbprint::of(b"of the handshake")),
    }
}

fn headers(values: &[&str]) -> HeaderMap {
    let name = axum::http::HeaderName::from_static("client-cert");
    values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

/// A certificate in base64 and in PEM that is percent-encoded.
fn forms(der: &[u8]) -> (String, String) {
    let base64 = STANDARD.encode(der);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    (base64, pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('=', "%3d"))
}

fn read(value: &str, hops: usize) -> Option<Vec<u8>> {
    forwarded_certificate("client-cert", value, NonZeroUsize::new(hops))
}

#[test]
fn every_form_of_a_certificate_is_read() {
    let (base64, escaped) = forms(DER);
    let other = forms(OTHER).1;
    let one_line = format!("-----BEGIN CERTIFICATE----- {base64} -----END CERTIFICATE-----");
    for value in [
        format!(":{base64}:"),
        base64.clone(),
        base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        escaped.clone(),
        one_line,
        format!("{escaped}{other}"),
        format!("By=spiffe://x;Hash=00;Cert=\"{escaped}\";Subject=\"CN=x\""),
        format!("by=spiffe://x;CERT=\"{escaped}\""),
        format!("Hash=00;Cert={escaped};URI=spiffe://x"),
        format!("Hash=00;Cert=\"{escaped}\";Chain=\"{escaped}{other}\""),
        format!("URI=https://x/?a=b;DNS=a;DNS=b;Cert=\"{escaped}\""),
        format!("Subject=\"CN=a\\\",Cert=\\\"{other}\\\";O=b\";Cert=\"{escaped}\""),
        format!("URI=\"https://x/;Cert=\\\"{other}\\\"\";Cert=\"{escaped}\""),
    ] {
        for hops in [0, 1] {
            assert_eq!(read(&value, hops).as_deref(), Some(DER), "{value}");
        }
        assert_eq!(read(&value, 2), None, "{value}");
    }
}

#[test]
fn a_certificate_in_another_place_is_none() {
    let (base64, escaped) = forms(DER);
    for value in [
        String::new(),
        "::".to_owned(),
        "%".to_owned(),
        "%zz".to_owned(),
        ":***:".to_owned(),
        format!(":{base64}"),
        format!(":{base64}:;x"),
        "Hash=00".to_owned(),
        "-----BEGIN CERTIFICATE-----".to_owned(),
        escaped.replace("END", "EMD"),
        format!("x{escaped}"),
        format!("{escaped}x"),
        // In another key, or within its text.
        format!("By=x;Chain=\"{escaped}\""),
        format!("URI=\"https://x/?Cert=\\\"{escaped}\\\"\";Hash=00"),
        format!("URI=\"https://x/;Cert={escaped}\";Hash=00"),
        format!("URI=https://x/?Cert=\"{escaped}\";Hash=00"),
        format!("Subject=\"CN=Cert=\\\"{escaped}\\\"\""),
        format!("Subject=\"CN=x\\\\\\\";Cert=\\\"{escaped}\""),
        format!("XCert=\"{escaped}\""),
        format!("By=\"Cert=\"{escaped}\"\""),
        // A text that was not quoted adds a second one.
        format!("URI=https://x/;Cert=\"{escaped}\";Cert=\"{escaped}\""),
        format!("Cert=\"{escaped}\";cert=\"{escaped}\""),
    ] {
        for hops in [0, 1, 2] {
            assert_eq!(read(&value, hops), None, "{hops}: {value}");
        }
    }
}

#[test]
fn of_a_chain_of_proxies_the_element_of_the_first_trusted_one_counts() {
    let ((mine, own), (yours, forged)) = (forms(DER), forms(OTHER));
    let (own, forged) = (format!("By=a;Cert=\"{own}\""), format!("By=f;Cert=\"{forged}\""));
    let bare = "By=b;Hash=00;URI=spiffe://gateway";
    for (value, hops, expected) in [
        (format!("{own},{bare}"), 0, None),
        (format!("{own},{bare}"), 1, None),
        (format!("{own},{bare}"), 2, Some(DER)),
        (format!("{own},{bare}"), 3, None),
        (format!("{forged},{own}"), 0, None),
        (format!("{forged},{own}"), 1, Some(DER)),
        (format!("{forged},{own},{bare}"), 2, Some(DER)),
        (format!("{forged},{bare}"), 1, None),
        (format!("{forged},{bare},{bare}"), 2, None),
        (format!("By=\"{forged},{own}"), 1, None),
        (format!("By=\",{own}"), 1, None),
        (format!("{own},,{bare}"), 2, None),
        // Envoy quotes no URI and no DNS name: what seems to follow one may be a part of it.
        (format!("By=g;{own};URI=https://x/,{forged},{bare}"), 2, None),
        (format!("By=g;{own};DNS=x,{forged}"), 1, None),
        (format!("By=g;{own};URI=https://x/;Subject=\"x\",{forged}"), 1, None),
        (format!("By=g;{own};URI=https://x/;Hash=00,{forged}"), 1, None),
        (format!("By=g;{own};URI=https://x/,{forged},{bare}"), 3, Some(DER)),
        (format!("By=g;{own};URI=\"x\",{forged}"), 1, None),
        (format!("{bare},{own}"), 1, None),
        (format!("By=g;{own};URI=\"https://x/,{forged}\",{bare}").replace(&forged, &forged.replace('"', "\\\"")), 2, {
            Some(DER)
        }),
        (format!("By=g;{own};URI=https://x/a,b,{bare}"), 2, None),
        (format!("By=g;{own};URI=https://x/a,{bare}"), 2, Some(DER)),
        (format!("{yours}, {mine}"), 0, None),
        (format!("{yours}, {mine}"), 1, Some(DER)),
        (format!(":{yours}:, :{mine}:"), 1, Some(DER)),
    ] {
        assert_eq!(read(&value, hops).as_deref(), expected, "{hops}: {value}");
    }
}

#[test]
fn of_traefiks_chain_the_clients_own_certificate_counts() {
    let ((mine, own), (yours, _)) = (forms(DER), forms(OTHER));
    let read = |value: &str, hops| forwarded_certificate("X-Forwarded-Tls-Client-Cert", value, NonZeroUsize::new(hops));
    for hops in [0, 1, 2] {
        assert_eq!(read(&mine, hops).as_deref(), Some(DER));
        assert_eq!(read(&format!("{mine},{yours}"), hops).as_deref(), Some(DER), "{hops}");
        assert_eq!(read(&format!("x,{mine}"), hops), None, "{hops}");
    }
    assert_eq!(read(&format!("{own},{own}"), 0).as_deref(), Some(DER));
}

#[test]
fn only_a_configured_proxy_is_trusted() {
    let value = format!(":{}:", STANDARD.encode(DER));
    let of_the_handshake = Some(Thumbprint::of(b"of the handshake"));
    let of_the_header = Some(Thumbprint::of(DER));
    let headers = headers(&[&value]);
    assert_eq!(certificate_of(&headers, &peer("10.1.2.3"), Some(&proxy())), of_the_header);
    assert_eq!(certificate_of(&headers, &peer("10.2.2.3"), Some(&proxy())), of_the_handshake);
    assert_eq!(certificate_of(&headers, &peer("10.1.2.3"), None), of_the_handshake);
}

#[test]
fn a_proxy_has_to_send_exactly_one_valid_header() {
    let value = format!(":{}:", STANDARD.encode(DER));
    for values in [&[][..], &[value.as_str(), value.as_str()], &["nonsense"]] {
        assert_eq!(certificate_of(&headers(values), &peer("10.1.2.3"), Some(&proxy())), None, "{values:?}");
    }
}
