//! Mails, as a real mail server gets them.

use serde_json::{Value, json};

use crate::certificates::{Ca, Kind};
use crate::mail_server::{MailServer, header};
use crate::receivers::{ONE_TRY, cancel, park, pass};
use crate::support::Service;

fn settings(url: &str) -> String {
    format!(
        "{ONE_TRY}alerts.smtp.url = {url:?}\nalerts.smtp.from = \"Orders <orders@acme.test>\"\n\
         alerts.smtp.to = [\"ops@acme.test\", \"Buyers <buyers@acme.test>\"]\n\
         alerts.runbook_url = \"https://wiki.acme.test/runbook\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_a_thread_of_two_mails() {
    let Some(server) = MailServer::start(&json!({})) else { return };
    let service = Service::start_with(&settings(&format!("smtp://127.0.0.1:{}", server.port))).await;
    park(&service, 1).await;
    cancel(&service, 1).await;
    let mails = server.mails(2).await;
    for mail in &mails {
        assert_eq!(
            (&mail["from"], &mail["to"]),
            (&json!("orders@acme.test"), &json!(["ops@acme.test", "buyers@acme.test"]))
        );
        assert_eq!(header(mail, "From"), "Orders <orders@acme.test>");
        assert_eq!(header(mail, "To"), "ops@acme.test, Buyers <buyers@acme.test>");
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        assert!(header(mail, "Message-ID").ends_with("@acme.test>"), "{mail:#}");
        assert!(!header(mail, "Date").is_empty(), "{mail:#}");
    }
    let (first, second) = (&mails[0], &mails[1]);
    assert!(
        header(first, "Subject").starts_with("[purchase-order-webhook] order-parked: The order of shopping cart 1")
    );
    assert!(header(second, "Subject").starts_with("[purchase-order-webhook] Over: order-parked: "), "{second:#}");
    assert_eq!(header(first, "In-Reply-To"), "");
    assert_eq!(header(second, "In-Reply-To"), header(first, "Message-ID"));
    assert_eq!(header(second, "References"), header(first, "Message-ID"));
    assert_ne!(header(second, "Message-ID"), header(first, "Message-ID"));
    let text = first["content"].as_str().unwrap();
    assert!(text.contains("orderId: 1\r\n") && text.contains("https://wiki.acme.test/runbook#order-parked"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_travels_only_in_tls_and_a_certificate_has_to_be_trusted() {
    let ca = Ca::new();
    let pair = ca.server("localhost", Kind::Rsa);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("url"), "").unwrap();
    let config = json!({
        "certificate": pair.certificate, "key": pair.key, "requireStartTls": true,
        "user": "orders", "password": "hu/sh@",
    });
    let Some(server) = MailServer::start(&config) else { return };
    std::fs::write(path("url"), format!("smtp://orders:hu%2Fsh%40@localhost:{}\n", server.port)).unwrap();
    let url = format!("alerts.smtp.url_file = {:?}\n", path("url"));
    let common = settings("").replace("alerts.smtp.url = \"\"\n", &url);
    // Without the CA the server is a stranger.
    let service = Service::start_with(&common).await;
    park(&service, 1).await;
    pass(&service, 5).await;
    assert_eq!(server.mails(0).await.len(), 0);
    drop(service);
    let service = Service::start_with(&format!("{common}alerts.ca = {:?}\n", ca.certificate())).await;
    park(&service, 2).await;
    let mails = server.mails(1).await;
    assert_eq!((&mails[0]["tls"], &mails[0]["user"]), (&json!(true), &json!("orders")), "{:#}", mails[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_the_server_does_not_take_now_is_sent_again_and_one_that_it_never_takes_is_not() {
    for (answer, expected) in
        [("451 later", vec!["1", "1", "2"]), ("554 never", vec!["1", "2"]), ("530 log in", vec!["1", "1", "2"])]
    {
        let Some(server) = MailServer::start(&json!({ "refuse": [answer] })) else { return };
        let service = Service::start_with(&settings(&format!("smtp://127.0.0.1:{}", server.port))).await;
        park(&service, 1).await;
        server.mails(1).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        pass(&service, 3).await;
        server.mails(expected.len() - 1).await;
        park(&service, 2).await;
        let mails = server.mails(expected.len()).await;
        let order = |mail: &Value| {
            let text = mail["content"].as_str().unwrap();
            text.split("orderId: ").nth(1).unwrap().lines().next().unwrap().to_owned()
        };
        assert_eq!(mails.iter().map(order).collect::<Vec<_>>(), expected, "{answer}");
        if expected.len() == 3 {
            assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"), "{answer}");
        }
    }
}
