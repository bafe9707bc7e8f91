//! Which proxy an address is reached through, from settings and from the environment.

use super::*;
use crate::config::file::SettingsText;

fn routes(text: &str, variables: &[(&str, &str)]) -> Result<ProxyRoutes, Vec<String>> {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let text = SettingsText::of("config.toml".to_owned(), text);
    let reader = Reader::parse(&text, &environment).map_err(|mistakes| mistakes.0)?;
    let proxy = reader.finish(ForwardProxy::from_reader).map_err(|mistakes| mistakes.0)?;
    Ok(proxy.read().unwrap())
}

fn route(routes: &ProxyRoutes, url: &str) -> String {
    routes.to(&url.parse().unwrap()).map_or_else(|| "-".to_owned(), ToString::to_string)
}

#[test]
fn the_proxy_of_the_settings_goes_before_that_of_the_environment() {
    const SET: &str = "[outbound]\nproxy = \"http://set:1\"";
    for (text, variables, https, http) in [
        ("", vec![], "-", "-"),
        (SET, vec![], "http://set:1", "http://set:1"),
        (SET, vec![("HTTPS_PROXY", "http://a:2")], "http://set:1", "http://set:1"),
        ("[outbound]\nproxy = \"off\"", vec![("HTTPS_PROXY", "http://a:2")], "-", "-"),
        ("", vec![("HTTPS_PROXY", "http://a:2")], "http://a:2", "-"),
        ("", vec![("HTTP_PROXY", "http://a:2")], "-", "http://a:2"),
        ("", vec![("https_proxy", "a:2"), ("HTTPS_PROXY", "b:2")], "http://a:2", "-"),
        ("", vec![("https_proxy", ""), ("HTTPS_PROXY", "https://b:2/")], "https://b:2", "-"),
        ("", vec![("http_proxy", "http://a:2"), ("https_proxy", "http://b:2")], "http://b:2", "http://a:2"),
        (
            "",
            vec![("PO_WEBHOOK_OUTBOUND__PROXY", "http://c:3"), ("HTTP_PROXY", "http://a:2")],
            "http://c:3",
            "http://c:3",
        ),
    ] {
        let routes = routes(text, &variables).unwrap();
        let found = (route(&routes, "https://vms.acme.com"), route(&routes, "http://vms.acme.com"));
        assert_eq!(found, (https.to_owned(), http.to_owned()), "{text} {variables:?}");
    }
}

#[test]
fn exceptions_are_hosts_domains_networks_and_ports() {
    for (entries, direct, through) in [
        (
            "acme.com",
            vec!["https://acme.com", "https://a.b.ACME.com.", "http://acme.com:81"],
            vec!["https://notacme.com", "https://acme.com.evil"],
        ),
        (".acme.com", vec!["https://acme.com", "https://a.acme.com"], vec!["https://notacme.com"]),
        ("*.acme.com", vec!["https://acme.com", "https://a.acme.com"], vec!["https://notacme.com"]),
        ("ACME.com.:8443", vec!["https://a.acme.com:8443"], vec!["https://acme.com", "https://acme.com:443"]),
        ("acme.com:443", vec!["https://acme.com", "http://acme.com:443"], vec!["http://acme.com"]),
        ("*", vec!["https://acme.com", "http://10.1.2.3", "http://[::1]"], vec![]),
        (
            "10.0.0.0/8",
            vec!["http://10.1.2.3:81", "http://[::ffff:10.1.2.3]"],
            vec!["http://11.1.2.3", "http://10.acme.com"],
        ),
        ("10.1.2.3", vec!["http://10.1.2.3"], vec!["http://10.1.2.30"]),
        ("10.1.2.3:81", vec!["http://10.1.2.3:81"], vec!["http://10.1.2.3"]),
        (
            "::1, [fd00::1]:8443, fd00:2::/64",
            vec!["http://[::1]", "https://[fd00::1]:8443", "https://[fd00:2::9]"],
            vec!["https://[fd00::1]"],
        ),
        (
            "localhost,127.0.0.1",
            vec!["http://localhost:1", "http://127.0.0.1:1"],
            vec!["http://127.0.0.2", "http://acme.com"],
        ),
        ("", vec![], vec!["http://localhost", "http://127.0.0.1", "http://acme.com"]),
    ] {
        let list = entries.split(", ").map(|entry| format!("{entry:?}")).collect::<Vec<_>>().join(",");
        let list =
            if entries.is_empty() { String::new() } else { list.replace(',', "\",\"").replace("\"\",\"\"", "\",\"") };
        let set = format!("[outbound]\nproxy = \"http://p:1\"\nno_proxy = [{list}]");
        let of_settings = routes(&set, &[]).unwrap();
        let of_environment =
            routes("", &[("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", entries)]).unwrap();
        for routes in [of_settings, of_environment] {
            let found = |urls: &[&str]| urls.iter().map(|url| route(&routes, url)).collect::<Vec<_>>();
            assert!(found(&direct).iter().all(|found| found == "-"), "{entries}: {:?}", found(&direct));
            assert!(found(&through).iter().all(|found| found == "http://p:1"), "{entries}: {:?}", found(&through));
        }
    }
}

#[test]
fn the_exceptions_of_the_environment_hold_for_the_proxy_of_the_settings_too() {
    let set = "[outbound]\nproxy = \"http://p:1\"";
    let found = routes(set, &[("no_proxy", "a.com b.com, <local>"), ("NO_PROXY", "c.com")]).unwrap();
    for (url, expected) in [("https://a.com", "-"), ("https://b.com", "-"), ("https://c.com", "http://p:1")] {
        assert_eq!(route(&found, url), expected, "{url}");
    }
    let found = routes(&format!("{set}\nno_proxy = []"), &[("no_proxy", "a.com")]).unwrap();
    assert_eq!(route(&found, "https://a.com"), "http://p:1");
}

#[test]
fn credentials_are_sent_and_never_shown() {
    let found = routes("[outbound]\nproxy = \"http://user:h%40sh@p:1\"", &[]).unwrap();
    let proxy = found.to(&"https://acme.com".parse().unwrap()).unwrap();
    assert_eq!(proxy.authorization(), Some("Basic dXNlcjpoQHNo"));
    assert_eq!(format!("{proxy} {proxy:?}"), "http://p:1 http://p:1");
    assert!(!format!("{found:?}").contains("dXNl"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proxy");
    std::fs::write(&file, "\u{feff}user:hush@p:1\r\n").unwrap();
    let found = routes(&format!("[outbound]\nproxy_file = {file:?}"), &[]).unwrap();
    assert_eq!(found.to(&"https://acme.com".parse().unwrap()).unwrap().authorization(), Some("Basic dXNlcjpodXNo"));
}

#[test]
fn mistakes_name_the_place_and_no_password() {
    for (text, variables, expected) in [
        ("[outbound]\nproxy = \"socks5://u:hush@p:1\"", vec![], "outbound.proxy: expected http://host:port"),
        ("[outbound]\nproxy = \"http://u:hush@p:1/path\"", vec![], "outbound.proxy: expected http://host:port"),
        ("[outbound]\nproxy = \"http://u:hu%0Ash@p:1\"", vec![], "outbound.proxy: expected http://host:port"),
        ("[outbound]\nproxy = \"http://u:hush@\"", vec![], "outbound.proxy: expected http://host:port"),
        ("", vec![("HTTPS_PROXY", "socks5://u:hush@p:1")], "HTTPS_PROXY: expected http://host:port"),
        (
            "[outbound]\nproxy = \"http://p:1\"\nno_proxy = [\"http://hush\"]",
            vec![],
            "outbound.no_proxy: expected a list of host",
        ),
        ("[outbound]\nno_proxy = [\"a.com:x\"]", vec![], "outbound.no_proxy: expected a list of host"),
        ("[outbound]\nproxi = \"hush\"", vec![], "outbound.proxi: unknown key"),
    ] {
        let found = routes(text, &variables).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(expected) && !found[0].contains("hush"), "{text}: {found:?}");
    }
}
