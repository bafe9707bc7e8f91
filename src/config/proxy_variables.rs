//! The variables of the environment about forward proxies: the defaults of `[outbound]`, as other programs read them.

use std::collections::BTreeMap;

/// The variables that other programs read, too. Those in small letters go before, as they do for curl.
const VARIABLES: [&str; 6] = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"];

/// The variables of the environment about proxies; one of them may hold a password.
#[derive(Clone, Default)]
pub struct ProxyVariables(BTreeMap<&'static str, String>);

impl std::fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ProxyVariables {
    /// Those of an environment. An empty one counts as none, as for other programs.
    pub fn of(environment: &BTreeMap<String, String>) -> Self {
        let set = |name: &'static str| {
            let value = environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())?;
            Some((name, value.to_owned()))
        };
        Self(VARIABLES.into_iter().filter_map(set).collect())
    }

    /// The variable of several spellings that is set.
    pub fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, &str)> {
        names.into_iter().find_map(|name| Some((name, self.0.get(name)?.as_str())))
    }
}
