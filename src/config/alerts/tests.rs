//! What is wrong with settings of alerts, and what becomes of right ones.

use secrecy::ExposeSecret as _;

use super::*;

fn read(text: &str) -> Result<Alerts, Mistakes> {
    let text = SettingsText::of("config.toml".to_owned(), text);
    Reader::parse(&text, &BTreeMap::new())?.finish(Alerts::from_reader)
}

#[test]
fn settings_that_can_not_work_are_refused_by_name_and_without_secrets() {
    for (setting, expected) in [
        ("alerts.source = \"a b\"", "alerts.source: expected a short name"),
        ("alerts.runbook_url = \"https://x.example/#y\"", "alerts.runbook_url: expected a URL"),
        ("alerts.cool_down = \"0s\"", "alerts.cool_down: expected a duration above zero"),
        ("[alerts.pagerduty]", "alerts.pagerduty.routing_key is missing"),
        ("alerts.pagerduty.routing_key = \"hush\"", "alerts.pagerduty.routing_key: expected the integration key"),
        ("[alerts.sap_alert_notification]", "alerts.sap_alert_notification.url is missing"),
        (
            "[alerts.sap_alert_notification]\nurl = \"https://x.example\"\nauth = \"basic\"\n\
             token_url = \"https://x.example\"\nclient_id = \"x\"\nclient_secret = \"hush\"",
            "alerts.sap_alert_notification.token_url: not used with",
        ),
        ("[alerts.webhook]", "alerts.webhook.url is missing"),
        (
            "alerts.webhook.url = \"https://x.example\"\nalerts.webhook.secret = \"whsec_aHVzaGh1c2g=\"",
            "alerts.webhook.secret: expected whsec_ and 24 to 64 bytes",
        ),
        ("[alerts.smtp]", "alerts.smtp.url is missing"),
        (
            "[alerts.smtp]\nurl = \"http://user:hush@x.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
            "alerts.smtp.url: expected a URL such as smtp://",
        ),
        (
            "[alerts.smtp]\nurl = \"smtp://user@x.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
            "alerts.smtp.url: expected a user and a password",
        ),
        (
            "[alerts.smtp]\nurl = \"smtp://x.example\"\nfrom = \"a\"\nto = [\"c@d.example\"]",
            "alerts.smtp.from: expected an address",
        ),
        (
            "[alerts.smtp]\nurl = \"smtp://x.example\"\nfrom = \"a@b.example\"",
            "alerts.smtp.to: is missing; expected a list of addresses",
        ),
        (
            "[alerts.smtp]\nurl = \"smtp://x.example\"\nuser = \"x\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
            "alerts.smtp.password is missing",
        ),
    ] {
        let Err(Mistakes(found)) = read(setting) else { panic!("{setting} is taken") };
        assert!(!found.concat().contains("hush"), "{found:?}");
        assert!(found[0].starts_with(&format!("config.toml: {expected}")), "{setting} {found:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = "[alerts.pagerduty]\n[alerts.webhook]\n[alerts.smtp]\nfrom = \"x\"\n[alerts.sap_alert_notification]\nauth = \"x\"";
    let Err(Mistakes(found)) = read(text) else { panic!("they are taken") };
    for key in ["pagerduty.routing_key", "webhook.url", "webhook.secret", "smtp.url", "smtp.from", "smtp.to"] {
        assert!(found.iter().any(|line| line.contains(&format!("alerts.{key}"))), "{key}: {found:#?}");
    }
    for key in ["url", "auth", "client_id", "client_secret"] {
        let key = format!("alerts.sap_alert_notification.{key}");
        assert!(found.iter().any(|line| line.contains(&key)), "{key}: {found:#?}");
    }
}

#[test]
fn a_password_is_sent_in_tls_alone_unless_somebody_says_otherwise() {
    for (lines, expected) in [
        ("url = \"smtp://mail.test\"", (25, MailTls::IfOffered, None)),
        ("url = \"smtp://mail.test:2525\"", (2525, MailTls::IfOffered, None)),
        ("url = \"smtp://a:b@mail.test\"", (587, MailTls::Required, Some("b"))),
        ("url = \"smtp://a:b%40@mail.test\"", (587, MailTls::Required, Some("b@"))),
        ("url = \"smtp://mail.test\"\nuser = \"a\"\npassword = \"b\"", (587, MailTls::Required, Some("b"))),
        ("url = \"smtp://a:b@mail.test\"\nstarttls = \"off\"", (587, MailTls::Off, Some("b"))),
        ("url = \"smtp://mail.test\"\nstarttls = \"required\"", (25, MailTls::Required, None)),
        ("url = \"smtp://a:b@127.0.0.1:1025\"", (1025, MailTls::IfOffered, Some("b"))),
        ("url = \"smtp://a:b@[::1]:1025\"", (1025, MailTls::IfOffered, Some("b"))),
        ("url = \"smtps://mail.test\"", (465, MailTls::Immediate, None)),
        ("url = \"smtps://a:b@mail.test\"", (465, MailTls::Immediate, Some("b"))),
    ] {
        let text = format!("[alerts.smtp]\n{lines}\nfrom = \"a@b.test\"\nto = [\"c@d.test\", \"E <e@f.test>\"]");
        let smtp = read(&text).unwrap_or_else(|error| panic!("{lines}: {error}")).smtp.unwrap();
        let server = smtp.server().unwrap();
        let password = server.credentials.as_ref().map(|(_, password)| password.expose_secret());
        assert_eq!((server.port, server.tls, password), expected, "{lines}");
        assert_eq!(smtp.to.len(), 2, "{lines}");
    }
}

#[test]
fn a_section_that_is_left_out_is_no_channel() {
    let alerts = read("").unwrap();
    assert!(alerts.smtp.is_none() && alerts.pagerduty.is_none() && alerts.webhook.is_none());
    assert!(alerts.sap_alert_notification.is_none());
    assert_eq!((alerts.source.as_str(), alerts.cool_down), ("purchase-order-webhook", Duration::from_mins(1)));
}
