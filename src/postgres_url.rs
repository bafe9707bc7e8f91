//! The URL of a PostgreSQL database, with the grammar and the parameters of libpq. Pure: text to value, or every mistake.
//!
//! Each of libpq's parameters works, or is refused by its name with what to write instead. No mistake repeats a value: any
//! part of a URL may be a piece of a password that was not percent-encoded. Knows nothing of connections, and reads no file.

mod host;
mod parameters;
mod text;
mod tls;
mod variables;

use std::time::Duration;

use secrecy::SecretString;

use host::hosts;
use parameters::Parameters;
use text::{EXPECTED, Pieces, decoded, is_printable_name};

pub use host::Host;
pub use parameters::HostOrder;
pub use tls::{ClientCertificate, RootCertificates, Tls, TlsMode};
pub use variables::Variables;

/// A database, its hosts, and how to connect to it.
#[derive(Debug, Clone)]
pub struct PostgresUrl {
    /// The hosts, in the order in which they are tried; never empty.
    pub hosts: Vec<Host>,
    /// Whether that order is the written one.
    pub order: HostOrder,
    /// The user; without one, the name of the system's user.
    pub user: Option<String>,
    /// The password; without one, that of `~/.pgpass`.
    pub password: Option<SecretString>,
    /// The database.
    pub database: String,
    /// TLS, and the certificates for it. Sockets have none.
    pub tls: Tls,
    /// The time for a connection to one host, if it is set.
    pub connect_timeout: Option<Duration>,
    /// The name that the server shows for the sessions, if it is set.
    pub application_name: Option<String>,
    /// Command-line options for the sessions (`-c name=value`).
    pub options: Option<String>,
    /// Prepared statements that a session keeps, if it is set.
    pub cached_statements: Option<usize>,
}

impl PostgresUrl {
    /// Whether a text is meant as such a URL.
    pub fn has_scheme(text: &str) -> bool {
        text::without_scheme(text).is_some()
    }

    /// Whether a text is a connection string of libpq's other form, `host=… dbname=…`.
    pub fn is_keyword_form(text: &str) -> bool {
        let name = text.split('=').next().unwrap_or_default().trim();
        text.contains('=') && parameters::is_known(name)
    }

    /// Reads a URL, and the variables for what it does not say.
    ///
    /// # Errors
    /// Every mistake, each with what is expected, and without any value.
    pub fn parse(text: &str, variables: &Variables) -> Result<Self, Vec<String>> {
        let pieces = Pieces::split(text).map_err(|mistake| vec![mistake])?;
        let mut mistakes = Vec::new();
        let mut parameters = Parameters::read(&pieces, variables, &mut mistakes);
        let mut part = |what: &str, text: Option<&str>| {
            text.filter(|text| !text.is_empty()).and_then(|text| {
                decoded(text).or_else(|| {
                    mistakes.push(format!("{what} is not percent-encoded as it should be (% is %25)"));
                    None
                })
            })
        };
        let user = part("the user", pieces.user);
        let password = part("the password", pieces.password);
        let database = part("the database's name", pieces.database);
        let hosts = hosts(pieces.hosts, &mut parameters, &mut mistakes);
        let tls = Tls::read(&mut parameters, &hosts, &mut mistakes);
        let database = parameters.take("dbname").or(database);
        if database.is_none() && mistakes.is_empty() {
            mistakes.push(format!("the database's name is missing; expected {EXPECTED}"));
        }
        let url = Self {
            hosts,
            order: parameters.order,
            user: parameters.take("user").or(user),
            password: parameters.take("password").or(password).map(SecretString::from),
            database: database.unwrap_or_default(),
            tls,
            connect_timeout: parameters.connect_timeout,
            application_name: parameters
                .take("application_name")
                .or_else(|| parameters.take("fallback_application_name")),
            options: parameters.take("options"),
            cached_statements: parameters.cached_statements,
        };
        let named = |mistake| parameters.with_variable(mistake);
        if mistakes.is_empty() { Ok(url) } else { Err(mistakes.into_iter().map(named).collect()) }
    }

    /// `host/database` for log lines, without ports; `None` where a name has unusual characters, or a socket is used.
    pub fn location(&self) -> Option<String> {
        let shown = |host: &Host| {
            let name = host.name().filter(|name| is_printable_name(name))?;
            Some(if name.contains(':') { format!("[{name}]") } else { name.to_owned() })
        };
        let names: Option<Vec<String>> = self.hosts.iter().map(shown).collect();
        is_printable_name(&self.database).then_some(format!("{}/{}", names?.join(","), self.database))
    }
}

#[cfg(test)]
mod tests;
