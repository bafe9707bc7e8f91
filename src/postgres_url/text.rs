//! The pieces of the URL's text, as libpq splits them (`conninfo_uri_parse`), and their percent-encoding.

use percent_encoding::percent_decode_str;

/// The expected form, for messages.
pub const EXPECTED: &str = "postgres://user:password@host/database";

/// The pieces, still encoded.
#[derive(Debug)]
pub struct Pieces<'t> {
    pub user: Option<&'t str>,
    pub password: Option<&'t str>,
    /// Hosts and ports, separated by commas.
    pub hosts: &'t str,
    pub database: Option<&'t str>,
    /// Names and values, separated by `&`.
    pub query: &'t str,
    /// Whether the query may be the end of a password that is not percent-encoded.
    pub query_may_be_secret: bool,
}

/// The text behind `postgres://` or `postgresql://`.
pub fn without_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))
}

impl<'t> Pieces<'t> {
    /// Whether a piece other than the query has the value of a parameter.
    pub fn has(&self, parameter: &str) -> bool {
        let is_there = |piece: Option<&str>| piece.is_some_and(|piece| !piece.is_empty());
        match parameter {
            "user" => is_there(self.user),
            "password" => is_there(self.password),
            "dbname" => is_there(self.database),
            "host" => !self.hosts.is_empty(),
            "port" => host_list(self.hosts).is_ok_and(|(_, ports)| ports.iter().any(|port| !port.is_empty())),
            _ => false,
        }
    }

    /// Splits a URL; a mistake repeats no part of it.
    pub fn split(text: &'t str) -> Result<Self, String> {
        let rest = without_scheme(text).ok_or_else(|| format!("expected {EXPECTED}"))?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("it has white space inside; expected one line, with a space as %20".to_owned());
        }
        let (user_info, rest) = user_info(rest);
        let (hosts, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let database = path.strip_prefix('/');
        if database.is_some_and(|name| name.contains(['/', '@'])) {
            return Err(format!(
                "the database's name has / or @ inside; expected {EXPECTED}, and a password with : / ? # @ percent-encoded"
            ));
        }
        let (user, password) = match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (None, None),
        };
        let query_may_be_secret = user_info.is_none() && query.contains('@');
        Ok(Self { user, password, hosts, database, query, query_may_be_secret })
    }
}

/// User and password stand before the last `@` ahead of the path. A password may have a `?`, as for libpq.
fn user_info(text: &str) -> (Option<&str>, &str) {
    let ahead = text.split('/').next().unwrap_or_default();
    let before_query = ahead.split('?').next().unwrap_or_default();
    match before_query.rfind('@').or_else(|| ahead.rfind('@')) {
        Some(at) => (text.get(..at), text.get(at + 1..).unwrap_or_default()),
        None => (None, text),
    }
}

/// Names and ports of the authority. An IPv6 address stands in brackets (RFC 3986 §3.2.2), and is returned without them.
pub fn host_list(authority: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in authority.split(',') {
        let (name, port) = match host.strip_prefix('[') {
            Some(inside) => {
                let (name, port) = inside
                    .split_once(']')
                    .ok_or("an IPv6 address has no closing bracket; expected one such as [2001:db8::1]")?;
                let port = match port.strip_prefix(':') {
                    Some(port) => port,
                    None if port.is_empty() => port,
                    None => return Err("an IPv6 address is followed by something else than :PORT".to_owned()),
                };
                (name, port)
            }
            None if host.matches(':').count() > 1 => {
                return Err("an IPv6 address needs brackets; expected one such as [2001:db8::1]".to_owned());
            }
            None => host.split_once(':').unwrap_or((host, "")),
        };
        names.push(decoded(name).ok_or("a host is not percent-encoded as it should be (% is %25)")?);
        ports.push(port.to_owned());
    }
    if ports.iter().all(String::is_empty) {
        ports.truncate(1);
    }
    Ok((names, ports))
}

/// The text without its percent-encoding; `None` if an encoding is broken, is no UTF-8, or hides a control character.
pub fn decoded(text: &str) -> Option<String> {
    let is_hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_encoded = text.match_indices('%').all(|(at, _)| is_hex(at + 1) && is_hex(at + 2));
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    (is_encoded && !decoded.contains(char::is_control)).then(|| decoded.into_owned())
}

/// Whether a name can be shown: it has only the characters of host names, addresses and identifiers.
pub fn is_printable_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}
