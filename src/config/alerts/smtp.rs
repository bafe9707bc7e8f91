//! `[alerts.smtp]`: a mail server, the sender, and who gets the mails.

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::reader::Reader;
use crate::config::secret::Secret;

const EXPECTED_URL: &str = "a URL such as smtp://host:587 or smtps://host, with user and password if they are needed";

/// `[alerts.smtp]`
#[derive(Debug, Clone)]
pub struct Smtp {
    url: Secret,
    /// User and password beside the URL.
    user: Option<(String, Secret)>,
    starttls: StartTls,
    /// The sender.
    pub from: Mailbox,
    /// Who gets each mail.
    pub to: Vec<Mailbox>,
}

/// A mail server, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When TLS begins.
    pub tls: MailTls,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
}

/// When TLS begins on a connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// At once (RFC 8314 §3.3).
    Immediate,
    /// By STARTTLS (RFC 3207), without which nothing is sent.
    Required,
    /// By STARTTLS where the server offers it.
    IfOffered,
    /// Never.
    Off,
}

/// The values of `alerts.smtp.starttls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StartTls {
    Auto,
    Required,
    Off,
}

impl Smtp {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        const URL: &str = "alerts.smtp.url";
        if !reader.has_section("alerts.smtp") {
            return Some(None);
        }
        let url = reader.required_secret(URL);
        let user = read_user(reader);
        let choices = [("auto", StartTls::Auto), ("required", StartTls::Required), ("off", StartTls::Off)];
        let starttls = reader.choice("alerts.smtp.starttls", "auto", &choices);
        let address = "an address such as ops@acme.com or \"Orders <orders@acme.com>\"";
        let from = reader.required("alerts.smtp.from", address, mailbox);
        let to = reader.non_empty_list("alerts.smtp.to", &[], address, mailbox);
        if to.as_ref().is_some_and(Vec::is_empty) {
            reader.report("alerts.smtp.to", &format!("is missing; expected a list of addresses, each {address}"));
        }
        let smtp = Self { url: url?, user: user?, starttls: starttls?, from: from?, to: to? };
        if let Err(problem) = smtp.server() {
            reader.report(&reader.secret_key(URL), &problem);
        }
        Some(Some(smtp))
    }

    /// The server, read anew: a password may change.
    ///
    /// # Errors
    /// What is wrong with the URL or with a file; without their content.
    pub fn server(&self) -> Result<MailServer, String> {
        let expected = || format!("expected {EXPECTED_URL}");
        let url: Url = self.url.read()?.expose_secret().parse().map_err(|_| expected())?;
        let is_immediate = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(expected()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(expected)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(expected());
        }
        let credentials = self.credentials(&url)?;
        let tls = match (is_immediate, self.starttls) {
            (true, _) => MailTls::Immediate,
            (false, StartTls::Required) => MailTls::Required,
            (false, StartTls::Off) => MailTls::Off,
            // A password must not leave the machine in plain text because somebody has removed STARTTLS from an answer.
            (false, StartTls::Auto) if credentials.is_some() && !is_loopback(&host) => MailTls::Required,
            (false, StartTls::Auto) => MailTls::IfOffered,
        };
        // RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321 §4.5.4.2
        let usual_port = if is_immediate {
            465
        } else if credentials.is_some() {
            587
        } else {
            25
        };
        Ok(MailServer { host, port: url.port().unwrap_or(usual_port), tls, credentials })
    }

    fn credentials(&self, url: &Url) -> Result<Option<(String, SecretString)>, String> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).ok();
        match (&self.user, url.username(), url.password()) {
            (None, "", None) => Ok(None),
            (Some((user, password)), "", None) => Ok(Some((user.clone(), password.read()?))),
            (None, user, Some(password)) if !user.is_empty() => {
                let wrong = || format!("expected {EXPECTED_URL}, percent-encoded");
                let (user, password) = decode(user).zip(decode(password)).ok_or_else(wrong)?;
                Ok(Some((user, SecretString::from(password))))
            }
            (None, ..) => Err("expected a user and a password, or none of both".to_owned()),
            (Some(_), ..) => Err("alerts.smtp.user is set as well; expected the user in one of both".to_owned()),
        }
    }
}

/// `user` and `password`; the outer `None` is a mistake.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn read_user(reader: &mut Reader) -> Option<Option<(String, Secret)>> {
    const PASSWORD: &str = "alerts.smtp.password";
    let has_password = reader.secret_entry(PASSWORD).is_some();
    if !reader.is_set("alerts.smtp.user") && !has_password {
        return Some(None);
    }
    let user = reader.required_text("alerts.smtp.user", "the name that belongs to alerts.smtp.password");
    let password = reader.required_secret(PASSWORD);
    Some(Some((user?, password?)))
}

fn mailbox(text: &str) -> Option<Mailbox> {
    text.parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
