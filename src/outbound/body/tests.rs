//! What becomes of bodies, whole and broken, as JSON, as text, and as a message.

use axum::http::Response as HttpResponse;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::outbound::content_encoding::tests::compression::gzip;

const LIMIT: usize = 1000;

#[derive(Debug, Deserialize)]
struct Token {
    #[expect(dead_code, reason = "only whether it can be read is tested")]
    access_token: String,
}

async fn body(headers: &[(&str, &str)], content: impl Into<Vec<u8>>) -> AnswerBody {
    let builder = headers.iter().fold(HttpResponse::builder(), |builder, (name, value)| builder.header(*name, *value));
    AnswerBody::read(Response::from(builder.body(content.into()).unwrap()), LIMIT).await
}

#[tokio::test]
async fn json_is_read_in_any_coding_and_encoding() {
    let json = "{\"name\":\"Łódź\"}";
    let utf16: Vec<u8> = format!("\u{feff}{json}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = format!("\u{feff}{json}").into_bytes();
    for (headers, content) in [
        (vec![], json.as_bytes().to_vec()),
        (vec![], marked.clone()),
        (vec![], utf16.clone()),
        (vec![("content-encoding", "gzip")], gzip(json.as_bytes())),
        (vec![("content-encoding", "gzip")], gzip(&marked)),
        (vec![("content-encoding", "gzip")], gzip(&utf16)),
        (vec![("content-encoding", "gzip, x-gzip")], gzip(&gzip(json.as_bytes()))),
        (vec![("content-type", "text/html; charset=iso-8859-1")], json.as_bytes().to_vec()),
        // A proxy has taken the header away, but not the coding.
        (vec![], gzip(json.as_bytes())),
    ] {
        assert_eq!(body(&headers, content).await.value(), Ok(Some(json!({ "name": "Łódź" }))), "{headers:?}");
    }
    let latin = body(&[("content-type", "application/json;charset=ISO-8859-1")], b"\"Gr\xF6\xDFe\"".to_vec()).await;
    assert_eq!(latin.value(), Ok(Some(json!("Größe"))));
}

#[tokio::test]
async fn a_body_of_blanks_is_empty() {
    for (headers, content) in [
        (vec![], ""),
        (vec![], " \r\n"),
        (vec![], "\u{feff}"),
        (vec![], "\u{feff}\n"),
        (vec![("content-encoding", "gzip")], ""),
        (vec![("content-encoding", "deflate")], ""),
    ] {
        let body = body(&headers, content).await;
        assert_eq!((body.value(), body.excerpt(str::to_owned, 10)), (Ok(None), None), "{content:?}");
        let problem = body.json::<Token>("a token response").unwrap_err();
        assert_eq!(problem, "empty; expected a token response");
    }
}

#[tokio::test]
async fn what_is_no_json_is_told_with_its_place_and_look() {
    for (headers, content, expected) in [
        (vec![], b"{\"poNumber\":\n  oops}".to_vec(), "no JSON: expected value at line 2 column 3"),
        (vec![], b"{\"poNumber\":\"45".to_vec(), "no JSON: EOF while parsing a string at line 1 column 15"),
        (vec![], b"{} {}".to_vec(), "no JSON: trailing characters at line 1 column 4"),
        (vec![], b"<html>down".to_vec(), "an HTML page, no JSON: expected value at line 1 column 1"),
        (vec![], b"<?xml version='1.0'?><a/>".to_vec(), "XML, no JSON: expected value at line 1 column 1"),
        (vec![], b"\x01\x02\x03".to_vec(), "binary data, no JSON: expected value at line 1 column 1"),
        (vec![], b"{\"name\":\"Gr\xF6\xDFe\"}".to_vec(), "no JSON: no text in UTF-8: byte 12 fits no character"),
        (vec![("content-encoding", "br")], b"x".to_vec(), "with a Content-Encoding that can't be read, \"br\""),
        (
            vec![("content-encoding", "gzip")],
            b"{}".to_vec(),
            "broke off after 2 bytes: it is not the gzip that its Content-Encoding says",
        ),
    ] {
        let problem = body(&headers, content).await.value().unwrap_err();
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[tokio::test]
async fn what_is_beyond_the_limit_is_not_read_and_the_rest_is_kept() {
    let fits = format!("\"{}\"", "x".repeat(LIMIT - 2));
    assert!(body(&[], fits.clone()).await.value().is_ok());
    for (headers, content) in [
        (vec![], format!("{fits} ").into_bytes()),
        (vec![("content-encoding", "gzip")], gzip(format!("{fits} ").as_bytes())),
        (vec![("content-encoding", "gzip")], gzip(&vec![b'x'; 1_000_000])),
    ] {
        let body = body(&headers, content).await;
        assert_eq!(body.value(), Err("sent more than 1000 bytes".to_owned()));
        assert_eq!(body.excerpt(str::to_owned, 5_000).unwrap().len(), LIMIT);
    }
    assert!(body(&[("content-encoding", "gzip")], gzip(fits.as_bytes())).await.value().is_ok());
}

#[tokio::test]
async fn no_value_of_a_body_is_repeated_in_a_message() {
    for content in [
        r#"{"access_token":{"s3cret":"s3cret"}}"#,
        r#"{"access_token":["s3cret"]}"#,
        r#""s3cret""#,
        r#"{"s3cret":"s3cret"}"#,
        r#"{"access_token":"s3cret""#,
        "s3cret",
        r#"{"access_token":"s3cret\q"}"#,
        "<html>s3cret",
    ] {
        for marked in [content.to_owned(), format!("\u{feff}{content}")] {
            let problem = body(&[], marked).await.json::<Token>("a token response").unwrap_err();
            assert!(!problem.contains("s3cret"), "{problem}");
            assert!(problem.contains("JSON") && problem.ends_with("; expected a token response"), "{problem}");
        }
    }
    let missing = body(&[], "{\"token\":1}").await.json::<Token>("a token response").unwrap_err();
    assert_eq!(
        missing,
        "JSON of another form at line 1 column 11: missing field `access_token`; expected a token response"
    );
}

#[tokio::test]
async fn a_name_that_occurs_twice_in_one_object_is_told_and_read_in_no_form() {
    for (content, expected) in [
        (r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}],"A":5}"#, vec![]),
        (r#"{"a":1,"a":1}"#, vec!["a"]),
        (r#"{"a":1,"\u0061":2}"#, vec!["a"]),
        (r#"{"z":[{"b":{"c":1,"c":[]}}],"z":{"y":0}}"#, vec!["c", "z"]),
        (r#"[{"a":1},[{"a":1,"a":2,"a":3}]]"#, vec!["a"]),
        (r#"{"":1,"":2}"#, vec![""]),
        (r#""a""#, vec![]),
        (r#"{"a":1,"a":"#, vec![]),
    ] {
        for sent in [content.as_bytes().to_vec(), format!("\u{feff}{content}").into_bytes()] {
            let body = body(&[], sent).await;
            assert_eq!(Vec::from_iter(body.repeated_names()), expected, "{content}");
        }
    }
    for content in [
        r#"{"access_token":"x","access_token":"x"}"#,
        r#"{"access_token":"x","token_type":"Bearer","token_type":"DPoP"}"#,
        r#"{"access_token":"x","claims":{"aud":"a","aud":"s3cret"}}"#,
    ] {
        let problem = body(&[], content).await.json::<Token>("a token response").unwrap_err();
        assert_eq!(problem, "JSON with a name twice in one object; expected a token response", "{content}");
    }
}

#[tokio::test]
async fn what_is_not_one_json_value_is_no_json() {
    let list = r#"{"purchaseOrders":[]}"#;
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for content in [
        format!("{list}\n{list}"),
        format!("{list}{list}"),
        format!("{list} x"),
        format!("{list}]"),
        format!("{list}\u{0}"),
        format!("[{list},]"),
        format!("callback({list})"),
        format!(")]}}',\n{list}"),
        format!("// none\n{list}"),
        format!("data: {list}\n\n"),
        format!("\u{feff}\u{feff}{list}"),
        format!("<html>{list}"),
        deep,
        r#"{"a":NaN}"#.to_owned(),
        r#"{"a":1e400}"#.to_owned(),
        r#"{"a":007}"#.to_owned(),
        r#"{"a":"\ud800"}"#.to_owned(),
        r"{'a':1}".to_owned(),
        "{\"a\":\"4\n5\"}".to_owned(),
    ] {
        let problem = body(&[], content.clone()).await.value().unwrap_err();
        assert!(problem.contains("no JSON"), "{content}: {problem}");
    }
}
