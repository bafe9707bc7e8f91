//! libpq's environment variables: each is the default of a parameter that the URL does not have (PostgreSQL, §32.15).

use std::collections::BTreeMap;

/// Each variable and its parameter. `PGPASSFILE` is left to the driver, which reads it; those of a session's defaults, such
/// as `PGTZ`, change nothing here.
const VARIABLES: [(&str, &str); 34] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGSERVICE", "service"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGREQUIRESSL", "requiressl"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLCOMPRESSION", "sslcompression"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLCERTMODE", "sslcertmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLSNI", "sslsni"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGKRBSRVNAME", "krbsrvname"),
    ("PGGSSLIB", "gsslib"),
    ("PGGSSDELEGATION", "gssdelegation"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGMINPROTOCOLVERSION", "min_protocol_version"),
    ("PGMAXPROTOCOLVERSION", "max_protocol_version"),
];

/// The variables that are set; one of them may be a password.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<&'static str, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// Those of an environment. An empty one counts as none, as for libpq.
    pub fn of(environment: &BTreeMap<String, String>) -> Self {
        let set = |(variable, _): &(&'static str, &str)| {
            let value = environment.get(*variable).filter(|value| !value.is_empty())?;
            Some((*variable, value.clone()))
        };
        Self(VARIABLES.iter().filter_map(set).collect())
    }

    /// Each variable that is set, its parameter, and its value.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let value = |(variable, parameter): &(&'static str, &'static str)| {
            Some((*variable, *parameter, self.0.get(variable)?.as_str()))
        };
        VARIABLES.iter().filter_map(value)
    }
}
