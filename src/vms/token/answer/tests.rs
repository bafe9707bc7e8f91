//! Answers as token endpoints send them, right and wrong.

use oauth2::TokenResponse as _;

use super::*;

const SECRET: &str = "s3cret-7f2a";

fn read(status: u16, body: &str) -> Result<TokenResponse, String> {
    read_token_answer(status, &AnswerBody::of_bytes(body.as_bytes().to_vec()), &Echo::default())
}

#[test]
fn a_token_is_used_whatever_stands_beside_it() {
    for beside in [
        "",
        r#","token_type":null"#,
        r#","token_type":"bearer""#,
        r#","token_type":"BearerToken""#,
        r#","token_type":"Bearer Token""#,
        r#","token_type":["Bearer"]"#,
        r#","token_type":7"#,
        r#","scope":["a","b"]"#,
        r#","scope":{"a":1}"#,
        r#","scope":null"#,
        r#","refresh_token":{"value":"x"}"#,
        r#","refresh_token":null"#,
        r#","id_token":[[]]"#,
        r#","id_token":"\ud800""#,
        r#","expires_in":1e400"#,
        r#","error":null"#,
        r#","error":"","error_description":"""#,
        r#","instance_url":null"#,
        r#","instance_url":7"#,
        r#","jti":"x","ext_expires_in":"0","not_before":"1","nested":{"access_token":5}"#,
        r#","scope":"a","scope":"b","claims":{"aud":1,"aud":2}"#,
        r#","expires_in":3600,"expires_in":7200,"instance_url":"a","instance_url":"b""#,
    ] {
        for mark in ["", "\u{feff}", "\r\n "] {
            let body = format!("{mark}{{\"access_token\":\"a.b-c_d~e+f/g==\"{beside}}}");
            let response = read(200, &body).unwrap_or_else(|problem| panic!("{body}: {problem}"));
            assert_eq!(response.access_token().secret(), "a.b-c_d~e+f/g==", "{body}");
        }
    }
    let of_salesforce = read(200, r#"{"access_token":"00D50000000IZ3Z!AQ0AQDpEDKYsn7ioKug2"}"#).unwrap();
    assert!(of_salesforce.access_token().secret().contains('!'));
}

#[test]
fn a_lifetime_counts_only_if_it_can_be_believed() {
    for (expires_in, seconds) in [
        ("3599", 3599),
        ("\"3599\"", 3599),
        ("\" 3599 \"", 3599),
        ("3599.0", 3599),
        ("\"3599.0\"", 3599),
        ("3599.9", 3599),
        ("3.6e3", 3600),
        ("1", 1),
        ("43200", 43_200),
        ("0", 300),
        ("0.4", 300),
        ("-1", 300),
        ("\"-1\"", 300),
        ("null", 300),
        ("true", 300),
        ("[3599]", 300),
        ("{\"seconds\":3599}", 300),
        ("\"\"", 300),
        ("\"soon\"", 300),
        ("\"3599s\"", 300),
        ("\"PT1H\"", 300),
        ("\"NaN\"", 300),
        ("\"inf\"", 300),
        // Milliseconds, a time, the largest number of Java, and one that is none.
        ("3600000", 300),
        ("1764430000", 300),
        ("9223372036854775807", 300),
        ("99999999999999999999999999", 300),
        ("1e400", 300),
    ] {
        let response = read(200, &format!("{{\"expires_in\":{expires_in},\"access_token\":\"x\"}}")).unwrap();
        assert_eq!(response.expires_in(), Some(Duration::from_secs(seconds)), "{expires_in}");
    }
    for doubtful in [r#"{"access_token":"x"}"#, r#"{"expires_in":3599,"access_token":"x","expires_in":3599}"#] {
        assert_eq!(read(200, doubtful).unwrap().expires_in(), Some(CAUTIOUS_LIFETIME), "{doubtful}");
    }
}

#[test]
fn an_answer_without_a_token_is_told_plainly() {
    for (status, body, expected) in [
        (200, r#"{"error":"invalid_client"}"#, "refused: invalid_client (status 200)"),
        (200, r#"{"access_token":null,"error":"invalid_client"}"#, "refused: invalid_client (status 200)"),
        (401, r#"{"error":"invalid_client","error_description":"s3cret-7f2a"}"#, "refused: invalid_client"),
        (400, "\u{feff}{\"error\":\"invalid_scope\"}", "refused: invalid_scope"),
        (400, r#"{"error":"acme: locked!"}"#, "refused: acme: locked!"),
        (400, r#"{"error":{"code":"invalid_client"}}"#, "answered 400"),
        (400, r#"{"error":"eyJhbGciOiJSUzI1NiJ9"}"#, "refused: with a code of its own, which is not shown"),
        (400, r#"{"error":"9f86d081884c7d659a2feaa0c55ad015"}"#, "refused: with a code of its own, which is not shown"),
        (400, r#"{"error":"ory_at_q8Zp2Lr7Vt4Yb9Kd3Nf6"}"#, "refused: with a code of its own, which is not shown"),
        (400, r#"{"error":"AADSTS7000215"}"#, "refused: AADSTS7000215"),
        (500, "", "answered 500"),
        (302, "<html>", "answered 302"),
        (200, r"{}", "answered 200, without a token; expected a text under access_token"),
        (200, r#"{"access_token":null}"#, "answered 200, without a token; expected a text under access_token"),
        (200, r#"{"access_token":""}"#, "answered 200, without a token; expected a text under access_token"),
        (
            201,
            r#"{"access_token":7}"#,
            "answered 201, with a token that is no text; expected a text under access_token",
        ),
        (200, r#"{"access_token":"x","token_type":"DPoP"}"#, "answered with a token that is no bearer token"),
        (200, r#"{"access_token":"x","token_type":"N_A"}"#, "answered with a token that is no bearer token"),
        (200, r#"{"access_token":"x","access_token":"y"}"#, "answered 200, with access_token twice"),
        (200, r#"{"access_token":"x","access_token":"y","expires_in":1e400}"#, "answered 200, with access_token twice"),
        (200, r#"{"access_token":"x","token_type":"Bearer","token_type":"DPoP"}"#, {
            "answered 200, with token_type twice"
        }),
        (200, r#"{"access_token":"x","error":"a","error":null}"#, "answered 200, with error twice"),
        (400, r#"{"error":"invalid_scope","error":"invalid_client"}"#, "answered 400"),
        (400, r#"{"error":"invalid_scope","trace":"a","trace":"b"}"#, "refused: invalid_scope"),
        (200, "", "gave an answer that can't be read: empty; expected a token response (RFC 6749 §5.1)"),
    ] {
        assert_eq!(read(status, body).unwrap_err(), expected, "{body}");
    }
}

#[test]
fn a_text_that_can_not_stand_in_a_header_is_no_token() {
    for text in ["a b", " x", "x\\n", "x\\r\\nX-Header: y", "tök", "x\\u0000", "x\\u007f", "\u{feff}x"] {
        let problem = read(200, &format!("{{\"access_token\":\"{text}\"}}")).unwrap_err();
        assert!(problem.contains("characters that no token has"), "{text}: {problem}");
    }
}

#[test]
fn no_value_of_an_answer_is_repeated() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.s3cret-7f2a.c2ln";
    let long = format!("{}{SECRET}", "x".repeat(64));
    for body in [
        format!("\"{SECRET}\""),
        format!("\u{feff}\"{SECRET}\""),
        format!("[\"{SECRET}\"]"),
        SECRET.to_owned(),
        format!("<html>{SECRET}</html>"),
        format!("<?xml version=\"1.0\"?><a>{SECRET}</a>"),
        format!("access_token={SECRET}&token_type=bearer"),
        format!("{{\"access_token\":\"{SECRET}"),
        format!("{{\"access_token\":\"{SECRET}\"}} {SECRET}"),
        format!("{{\"access_token\":\"{SECRET}\\q\"}}"),
        format!("{{\"access_token\":\"{SECRET}\",\"access_token\":\"{SECRET}\"}}"),
        format!("{{\"access_token\":{{\"{SECRET}\":\"{SECRET}\"}}}}"),
        format!("{{\"access_token\":[\"{SECRET}\"]}}"),
        format!("{{\"access_token\":\"{SECRET} \"}}"),
        format!("{{\"access_token\":\"{SECRET}\",\"token_type\":\"mac\"}}"),
        format!("{{\"{SECRET}\":\"{SECRET}\"}}"),
        format!("{{\"token\":\"{SECRET}\",\"expires_in\":\"{SECRET}\"}}"),
        format!("{{\"error\":{{\"code\":\"{SECRET}\"}}}}"),
        format!("{{\"error\":[\"{SECRET}\"]}}"),
        format!("{{\"error\":\"{jwt}\"}}"),
        format!("{{\"error\":\"{long}\"}}"),
        format!("{{\"error\":\"a\\n{SECRET}\"}}"),
        format!("{{\"error\":\"a\\\"{SECRET}\"}}"),
        format!("{{\"error\":\"a\\\\{SECRET}\"}}"),
        format!("{{\"error\":\"{SECRET}\u{e9}\"}}"),
        format!("{{\"error\":\"invalid_grant\",\"error_description\":\"{SECRET}\",\"error_uri\":\"{SECRET}\"}}"),
        format!("{{\"errorCode\":\"{SECRET}\",\"errorSummary\":\"{SECRET}\"}}"),
    ] {
        for status in [200, 400, 401, 500] {
            let problem = read(status, &body).unwrap_err();
            assert!(!problem.contains(SECRET) && !problem.contains("eyJ"), "{status} {body}: {problem}");
        }
    }
    let latin: Vec<u8> = [b"{\"access_token\":\"\xE9", SECRET.as_bytes(), b"\"}"].concat();
    assert!(!read_token_answer(200, &AnswerBody::of_bytes(latin), &Echo::default()).unwrap_err().contains(SECRET));
}

#[test]
fn a_code_that_repeats_what_was_sent_is_not_told() {
    let mut sent = Echo::default();
    for secret in ["hush=42/+", "aHVzaDpodXNoJTNENDI", "https://vms.example/key", "4711", "client_secret_of_mine"] {
        sent.add(secret);
    }
    let told = |code: &str| {
        let body = AnswerBody::of_bytes(serde_json::json!({ "error": code }).to_string().into_bytes());
        read_token_answer(401, &body, &sent).unwrap_err()
    };
    for code in [
        "wrong secret: hush=42/+",
        "wrong secret: hush%3D42%2F%2B",
        "wrong pair: aHVzaDpodXNoJTNENDI=",
        "no resource https%3a%2f%2fvms.example%2fkey",
        "unknown key https://vms.example/k...",
        "pin 4711",
    ] {
        assert_eq!(told(code), "refused: with a code of its own, which is not shown", "{code}");
    }
    for code in ["invalid_client", "unauthorized_client", "acme: locked!"] {
        assert_eq!(told(code), format!("refused: {code}"));
    }
}

#[test]
fn an_error_code_is_told_up_to_its_longest_form() {
    let told =
        |length: usize| read(400, &format!("{{\"error\":\"{}\"}}", "x".repeat(length))).unwrap_err().contains("xxxx");
    assert!(told(MAX_CODE_CHARS) && !told(MAX_CODE_CHARS + 1));
}
