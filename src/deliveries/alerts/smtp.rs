//! Mail: an incident is a thread of two mails, which mail programs show together.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate as MailCertificate, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error};
use lettre::{AsyncTransport as _, Message as Mail, Tokio1Executor};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::certificate::Certificate;
use crate::config::{MailServer, MailTls, Smtp as Settings};
use crate::deliveries::alert::{Alert, Context, Status};
use crate::deliveries::outlet::{Delivery, Outlet};
use crate::ledger::outbox::{Channel, Message};
use crate::settings_file;

/// For each step of the dialogue.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// For the whole dialogue: less than a message is claimed for.
const TIMEOUT: Duration = Duration::from_secs(45);

/// Longest subject, in characters: more is cut off by those who show it.
const MAX_SUBJECT_CHARS: usize = 180;

/// Answers about the client, not about the mail (RFC 4954 §6, RFC 3207 §4): somebody corrects a setting, and the mail is
/// taken.
const ABOUT_THE_CLIENT: [&str; 4] = ["530", "534", "535", "538"];

/// A mail server, and who gets the mails.
#[derive(Debug)]
pub struct Smtp {
    pub settings: Settings,
    /// `alerts.ca`
    pub ca: Option<std::path::PathBuf>,
    pub context: Context,
}

#[async_trait]
impl Outlet for Smtp {
    fn channel(&self) -> Channel {
        Channel::Smtp
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        match Alert::read(message, &self.context) {
            Ok(alert) => self.deliver_alert(&alert).await,
            Err(problem) => Delivery::Refused { detail: problem },
        }
    }
}

impl Smtp {
    /// Delivers an alert, once.
    pub async fn deliver_alert(&self, alert: &Alert) -> Delivery {
        let mail = match self.mail(alert) {
            Ok(mail) => mail,
            Err(problem) => return Delivery::Refused { detail: problem },
        };
        // Built for each mail: there are few, and passwords and certificates may change.
        let transport = match self.transport() {
            Ok(transport) => transport,
            Err(problem) => return Delivery::failed(problem),
        };
        match timeout(TIMEOUT, transport.send(mail)).await {
            Ok(Ok(_)) => Delivery::Delivered,
            Ok(Err(error)) => outcome(&error),
            Err(_) => Delivery::failed("the mail server has not answered in time"),
        }
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let MailServer { host, port, tls, credentials } = self.settings.server()?;
        let tls = match tls {
            MailTls::Immediate => Tls::Wrapper(self.tls(&host)?),
            MailTls::Required => Tls::Required(self.tls(&host)?),
            MailTls::IfOffered => Tls::Opportunistic(self.tls(&host)?),
            MailTls::Off => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host);
        let builder = builder.port(port).tls(tls).timeout(Some(STEP_TIMEOUT));
        let builder = match credentials {
            Some((user, password)) => builder.credentials(Credentials::new(user, password.expose_secret().to_owned())),
            None => builder,
        };
        Ok(builder.build())
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, String> {
        let mut parameters = TlsParameters::builder(host.to_owned());
        if let Some(path) = &self.ca {
            let named = |problem: String| format!("{}: {problem}", path.display());
            let content = settings_file::read(path).map_err(|error| named(error.to_string()))?;
            for root in Certificate::read_roots(&content).map_err(named)? {
                let root = MailCertificate::from_der(root.der().to_vec()).map_err(|error| named(error.to_string()))?;
                parameters = parameters.add_root_certificate(root);
            }
        }
        parameters.build().map_err(|error| format!("no TLS can be set up: {error}"))
    }

    fn mail(&self, alert: &Alert) -> Result<Mail, String> {
        let domain = self.settings.from.email.domain();
        let message_id = |id: &str| format!("<{id}@{domain}>");
        let mut mail = Mail::builder()
            .from(self.settings.from.clone())
            .date(SystemTime::from(alert.at))
            .subject(subject(alert))
            .message_id(Some(message_id(&alert.id)))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.settings.to {
            mail = mail.to(to.clone());
        }
        if alert.first_id != alert.id {
            let first = message_id(&alert.first_id);
            mail = mail.in_reply_to(first.clone()).references(first);
        }
        mail.body(text(alert)).map_err(|error| format!("it can't be written as a mail: {error}"))
    }
}

/// What a failure means.
fn outcome(error: &Error) -> Delivery {
    let code = error.status().map(|code| code.to_string());
    let is_about_the_client = code.as_deref().is_some_and(|code| ABOUT_THE_CLIENT.contains(&code));
    let detail = format!("the mail server: {error}");
    if error.is_permanent() && !is_about_the_client { Delivery::refused(detail) } else { Delivery::failed(detail) }
}

fn subject(alert: &Alert) -> String {
    let over = if alert.status == Status::Ended { "Over: " } else { "" };
    let subject = format!("[{}] {over}{}: {}", alert.source, alert.name, alert.summary);
    subject.chars().take(MAX_SUBJECT_CHARS).collect()
}

fn text(alert: &Alert) -> String {
    let facts = alert.facts.iter().map(|(name, fact)| format!("{name}: {fact}\r\n")).collect::<Vec<_>>().concat();
    let link = alert.link.as_ref().map(|link| format!("\r\nWhat to do: {link}\r\n")).unwrap_or_default();
    format!("{}\r\n\r\n{facts}time: {}\r\nincident: {}\r\n{link}", alert.summary, alert.time(), alert.incident)
}

/// `Auto-Submitted` (RFC 3834 §5): no out-of-office reply comes back.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
