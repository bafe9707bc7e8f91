//! What libpq's users write works, or is refused by name.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;

use super::*;

fn parse_alone(text: &str) -> Result<PostgresUrl, Vec<String>> {
    PostgresUrl::parse(text, &Variables::default())
}

fn parse(text: &str) -> PostgresUrl {
    parse_alone(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"))
}

fn hosts(text: &str) -> Vec<String> {
    parse(text).hosts.iter().map(Host::to_string).collect()
}

#[test]
fn hosts_are_read_as_libpq_reads_them() {
    for (url, expected) in [
        ("postgres://db.example/orders", vec!["db.example:5432"]),
        ("postgresql://db.example:6000/orders", vec!["db.example:6000"]),
        ("postgres://[::1]/orders", vec!["[::1]:5432"]),
        ("postgres://[2001:db8::1]:6000/orders", vec!["[2001:db8::1]:6000"]),
        ("postgres://one:1,two:2/orders", vec!["one:1", "two:2"]),
        ("postgres://one,two:2/orders", vec!["one:5432", "two:2"]),
        ("postgres://one,two/orders?port=6000", vec!["one:6000", "two:6000"]),
        ("postgres://one,two/orders", vec!["one:5432", "two:5432"]),
        ("postgres://[::1],[::2]:7/orders", vec!["[::1]:5432", "[::2]:7"]),
        ("postgres:///orders?host=one,two&port=1,2", vec!["one:1", "two:2"]),
        ("postgres:///orders?host=::1", vec!["[::1]:5432"]),
        ("postgres://%2Fvar%2Frun%2Fpostgresql/orders", vec!["/var/run/postgresql port 5432"]),
        ("postgres://%2Fvar%2Frun:6000/orders", vec!["/var/run port 6000"]),
        ("postgres:///orders?host=/var/run/postgresql&port=6000", vec!["/var/run/postgresql port 6000"]),
        ("postgres:///orders", vec!["the local socket, port 5432"]),
        ("postgres://user@/orders", vec!["the local socket, port 5432"]),
        ("postgres:///orders?hostaddr=192.0.2.1", vec!["192.0.2.1:5432"]),
        ("postgres://ignored/orders?host=db.example", vec!["db.example:5432"]),
    ] {
        assert_eq!(hosts(url), expected, "{url}");
    }
    let Host::Network { name, address, .. } = &parse("postgres://db/orders?hostaddr=192.0.2.1").hosts[0] else {
        panic!()
    };
    assert_eq!((name.as_str(), address.unwrap().to_string()), ("db", "192.0.2.1".to_owned()));
}

#[test]
fn user_password_and_database_are_decoded() {
    for (url, user, password, database) in [
        ("postgres://me:hidden@db/orders", Some("me"), Some("hidden"), "orders"),
        ("postgres://me:hid%2Fd%40en@db/orders", Some("me"), Some("hid/d@en"), "orders"),
        ("postgres://me:hid+den@db/my%20orders", Some("me"), Some("hid+den"), "my orders"),
        ("postgres://me:hid#d?e@n@db/orders", Some("me"), Some("hid#d?e@n"), "orders"),
        ("postgres://me@db/orders", Some("me"), None, "orders"),
        ("postgres://db/?dbname=orders&user=me@corp&password=hidden", Some("me@corp"), Some("hidden"), "orders"),
        ("postgres://db?dbname=orders", None, None, "orders"),
    ] {
        let found = parse(url);
        let secret = found.password.as_ref().map(|password| password.expose_secret().to_owned());
        assert_eq!(
            (found.user.as_deref(), secret.as_deref(), found.database.as_str()),
            (user, password, database),
            "{url}"
        );
    }
}

#[test]
fn tls_is_what_libpq_makes_of_it() {
    let tls = |query: &str| parse(&format!("postgres://db/orders?{query}")).tls;
    let file = || RootCertificates::File(PathBuf::from("ca.pem"));
    for (query, mode, roots) in [
        ("", TlsMode::Prefer, RootCertificates::System),
        ("sslmode=disable", TlsMode::Disable, RootCertificates::System),
        ("sslmode=allow", TlsMode::Allow, RootCertificates::System),
        ("ssl=true", TlsMode::Require, RootCertificates::System),
        ("ssl=true&sslmode=verify-full", TlsMode::VerifyFull, RootCertificates::System),
        ("ssl-mode=verify-full", TlsMode::VerifyFull, RootCertificates::System),
        ("sslmode=require", TlsMode::Require, RootCertificates::System),
        ("sslmode=require&sslrootcert=ca.pem", TlsMode::VerifyCa, file()),
        ("sslmode=verify-ca&sslrootcert=ca.pem", TlsMode::VerifyCa, file()),
        ("sslmode=verify-full&sslrootcert=ca.pem", TlsMode::VerifyFull, file()),
        ("sslmode=verify-full", TlsMode::VerifyFull, RootCertificates::System),
        ("sslrootcert=system", TlsMode::VerifyFull, RootCertificates::System),
    ] {
        let found = tls(query);
        assert_eq!((found.mode, found.roots), (mode, roots), "{query}");
    }
    let client = tls("sslmode=require&sslcert=a.pem&sslkey=b.pem").client.unwrap();
    assert_eq!((client.certificate, client.key), (PathBuf::from("a.pem"), PathBuf::from("b.pem")));
}

#[test]
fn parameters_that_ask_for_what_is_done_anyway_are_accepted() {
    for query in [
        "target_session_attrs=read-write",
        "target_session_attrs=any",
        "target_session_attrs=primary",
        "channel_binding=prefer",
        "channel_binding=disable",
        "gssencmode=disable",
        "client_encoding=UTF8",
        "sslnegotiation=postgres",
        "ssl_min_protocol_version=TLSv1.2",
        "application_name=a%20b",
        "options=-c%20search_path%3Dorders",
        "load_balance_hosts=disable",
    ] {
        parse(&format!("postgres://db/orders?{query}"));
    }
    let url = parse("postgres://one,two/orders?connect_timeout=7&load_balance_hosts=random&application_name=hook");
    assert_eq!((url.connect_timeout, url.order), (Some(Duration::from_secs(7)), HostOrder::Random));
    assert_eq!(url.application_name.as_deref(), Some("hook"));
}

/// Each mistake begins with the parameter's name, or says what is wrong with the part.
#[test]
fn what_does_not_work_is_refused_by_name_and_without_its_value() {
    for (url, expected) in [
        ("?channel_binding=require", "channel_binding: "),
        ("?target_session_attrs=read-only", "target_session_attrs: "),
        ("?target_session_attrs=prefer-standby", "target_session_attrs: "),
        ("?gssencmode=require", "gssencmode: "),
        ("?keepalives_idle=hidden", "keepalives_idle: "),
        ("?tcp_user_timeout=1", "tcp_user_timeout: "),
        ("?passfile=hidden", "passfile: "),
        ("?service=hidden", "service: "),
        ("?sslpassword=hidden", "sslpassword: "),
        ("?sslcrl=x", "sslcrl: "),
        ("?requirepeer=hidden", "requirepeer: "),
        ("?require_auth=scram-sha-256", "require_auth: "),
        ("?client_encoding=LATIN1", "client_encoding: "),
        ("?connect_timeout=0", "connect_timeout: "),
        ("?connect_timeout=hidden", "connect_timeout: "),
        ("?load_balance_hosts=hidden", "load_balance_hosts: "),
        ("?sslmode=hidden", "sslmode: expected disable or"),
        ("?sslmod=verify-full", "sslmod: unknown parameter; did you mean sslmode?"),
        ("?sslMode=verify-full", "sslMode: unknown parameter; did you mean sslmode?"),
        ("?pasword=hidden", "pasword: unknown parameter; did you mean password?"),
        ("?pool_size=hidden", "pool_size: unknown parameter"),
        ("?sslmode=require&sslmode=disable", "sslmode is there twice"),
        ("?sslmode=require&ssl-mode=verify-full", "sslmode is there twice"),
        ("?user=%zz", "user is not percent-encoded"),
        ("?user=a%00b", "user is not percent-encoded"),
        ("?hidden", "the query has a part"),
        ("?sslrootcert=ca.pem", "sslrootcert: nothing would be verified"),
        ("?sslmode=prefer&sslrootcert=ca.pem", "sslrootcert: nothing would be verified"),
        ("?sslmode=require&sslrootcert=system", "sslrootcert=system needs"),
        ("?sslmode=verify-ca", "sslmode=verify-ca without sslrootcert"),
        ("?sslcert=a.pem&sslmode=require", "sslkey is missing"),
        ("?sslkey=a.pem&sslmode=require", "sslcert is missing"),
        ("?sslmode=disable&sslcert=a&sslkey=b", "sslcert has no effect"),
        ("?hostaddr=hidden", "hostaddr is no IP address"),
        ("?sslmode=verify-full&hostaddr=192.0.2.1", "hostaddr: with sslmode=verify-full"),
        ("?ssl=true&sslmode=prefer", "ssl=true contradicts"),
        ("?port=hidden", "a port is no whole number"),
        ("?port=1,2", "there are more or fewer ports"),
        ("?host=@hidden", "host is an abstract socket"),
    ] {
        let mistakes = parse_alone(&format!("postgres://me:hidden@db/orders{url}")).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{url}: {mistakes:?}");
        assert!(!mistakes[0].contains("hidden"), "{mistakes:?}");
    }
}

#[test]
fn no_mistake_repeats_a_password_that_was_not_encoded() {
    for url in [
        "mysql://me:hidden@db/orders",
        "postgres:/me:hidden@db/orders",
        "postgres://me:hidden@db",
        "postgres://me:hidden@db/",
        "postgres://me:hid%den@db/orders",
        "postgres://me:12/hidden@db/orders",
        "postgres://me:hidden/12@db/orders",
        "postgres://me:1/hidden?hidden=x@db/orders",
        "postgres://me:hidden?x@db",
        "postgres://me:hid den@db/orders",
        "postgres://me:hidden@db:x/orders",
        "postgres://me:hidden@::1/orders",
        "postgres://me:hidden@[::1/orders",
        "postgres://me:hidden@[::1]5432/orders",
        "postgres://me:hidden@db/orders/hidden",
        "postgres://me:hidden@db/orders\npostgres://x",
        "host=db password=hidden dbname=orders",
    ] {
        let mistakes = parse_alone(url).unwrap_err();
        assert!(mistakes.iter().all(|mistake| !mistake.contains("hid")), "{url}: {mistakes:?}");
    }
    assert!(PostgresUrl::is_keyword_form("host=db dbname=orders"));
    assert!(!PostgresUrl::is_keyword_form("sqlite:orders.db?mode=memory"));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let mistakes = parse_alone("postgres://db/orders?sslmod=x&service=y&connect_timeout=z").unwrap_err();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
}

#[test]
fn the_location_contains_no_part_of_a_password() {
    for (url, location) in [
        ("postgres://user:hidden@db.example/orders?sslmode=verify-full", Some("db.example/orders")),
        ("postgresql://[::1]:5433/orders", Some("[::1]/orders")),
        ("postgres://one:1,two:2/orders", Some("one,two/orders")),
        ("postgres://user@db.example/orders?host=other.example", Some("other.example/orders")),
        ("postgres://user@%2Frun%2Fpostgresql/orders", None),
    ] {
        assert_eq!(parse(url).location().as_deref(), location, "{url}");
    }
}

/// The variables, the URL, and what comes of both.
#[test]
fn variables_are_the_defaults_of_what_the_url_does_not_say() {
    let parse_with = |variables: &[(&str, &str)], url: &str| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        PostgresUrl::parse(url, &Variables::of(&variables.iter().map(own).collect()))
    };
    for (variables, url, expected) in [
        (&[("PGHOST", "other"), ("PGPORT", "6000")][..], "postgres:///orders", "other:6000 orders Prefer"),
        (&[("PGHOST", "other"), ("PGPORT", "6000")], "postgres://db/orders", "db:6000 orders Prefer"),
        (&[("PGHOST", "other"), ("PGPORT", "6000")], "postgres://db:1,two/orders", "db:1,two:5432 orders Prefer"),
        (&[("PGPORT", "6000")], "postgres://db/orders?port=7", "db:7 orders Prefer"),
        (&[("PGDATABASE", "orders"), ("PGSSLMODE", "")], "postgres://db", "db:5432 orders Prefer"),
        (&[("PGSSLMODE", "verify-full")], "postgres://db/orders", "db:5432 orders VerifyFull"),
        (&[("PGSSLMODE", "verify-full")], "postgres://db/orders?sslmode=disable", "db:5432 orders Disable"),
        (&[("PGSSLMODE", "require"), ("PGSSLROOTCERT", "ca")], "postgres://db/orders", "db:5432 orders VerifyCa"),
        (&[("PGSSLMODE", "prefer")], "postgres://db/orders?ssl-mode=verify-full", "db:5432 orders VerifyFull"),
        (&[("PGSSLMODE", "prefer")], "postgres://db/orders?ssl=true", "db:5432 orders Require"),
    ] {
        let found = parse_with(variables, url).unwrap();
        let hosts: Vec<String> = found.hosts.iter().map(Host::to_string).collect();
        assert_eq!(
            format!("{} {} {:?}", hosts.join(","), found.database, found.tls.mode),
            expected,
            "{variables:?} {url}"
        );
    }
    let found =
        parse_with(&[("PGUSER", "me"), ("PGPASSWORD", "hid%den"), ("PGAPPNAME", "hook")], "postgres://db/orders");
    let found = found.unwrap();
    let password = found.password.as_ref().map(SecretString::expose_secret);
    assert_eq!((found.user.as_deref(), password), (Some("me"), Some("hid%den")), "a variable is not percent-encoded");
    assert_eq!(found.application_name.as_deref(), Some("hook"));
    for (variable, value, expected) in [
        ("PGSSLMODE", "hidden", "the environment variable PGSSLMODE: sslmode: expected disable or"),
        ("PGSSLROOTCERT", "hidden", "the environment variable PGSSLROOTCERT: sslrootcert: nothing would be verified"),
        ("PGSERVICE", "hidden", "the environment variable PGSERVICE: service: "),
        ("PGTARGETSESSIONATTRS", "standby", "the environment variable PGTARGETSESSIONATTRS: target_session_attrs: "),
        ("PGCONNECT_TIMEOUT", "hidden", "the environment variable PGCONNECT_TIMEOUT: connect_timeout: "),
        ("PGSSLCERT", "hidden", "sslkey is missing"),
        ("PGOPTIONS", "hidden", "PGOPTIONS of the environment is added to options by the driver"),
    ] {
        let query = if variable == "PGOPTIONS" { "?options=-c%20x%3D1" } else { "" };
        let mistakes = parse_with(&[(variable, value)], &format!("postgres://db/orders{query}")).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{variable}: {mistakes:?}");
        assert!(!mistakes[0].contains("hidden"), "{mistakes:?}");
    }
}
