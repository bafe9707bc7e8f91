//! Every setting of `[telemetry]`: its form, and its mistakes.

use super::*;
use crate::config::Mistakes;
use crate::config::tests::read_with_needed;
use crate::trace::Sampling;

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Telemetry, Mistakes> {
    read_with_needed(text, variables).map(|settings| settings.telemetry)
}

fn read(text: &str) -> Telemetry {
    read_with(text, &[]).unwrap()
}

/// Names and values of the collector's headers.
fn headers(telemetry: &Telemetry) -> Vec<(String, String)> {
    let headers = telemetry.otlp.as_ref().unwrap().headers.read().unwrap();
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    headers
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn without_its_settings_nothing_is_exported() {
    let telemetry = read("");
    assert!(telemetry.otlp.is_none() && telemetry.cloud_alm.is_none());
    assert_eq!((telemetry.log_format, telemetry.log_level), (LogFormat::Json, LogLevel::Info));
    assert_eq!(read("telemetry.log_format = \"ecs\"").log_format, LogFormat::Ecs);
}

#[test]
fn a_collector_is_spoken_to_by_http_and_sampled_whole_unless_said_otherwise() {
    let otlp = read("telemetry.otlp_endpoint = \"http://collector:4318\"").otlp.unwrap();
    assert_eq!((otlp.protocol, otlp.sampling), (OtlpProtocol::Http, Sampling(1.0)));
    let otlp =
        read("[telemetry]\notlp_endpoint = \"http://collector:4317\"\notlp_protocol = \"grpc\"\ntrace_sampling = 0.1");
    let otlp = otlp.otlp.unwrap();
    assert_eq!((otlp.protocol, otlp.sampling), (OtlpProtocol::Grpc, Sampling(0.1)));
}

#[test]
fn headers_are_a_list_as_in_the_variable_of_opentelemetry_or_a_section_and_each_may_be_in_a_file() {
    let endpoint = "telemetry.otlp_endpoint = \"https://collector.example\"";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "hush\n").unwrap();
    let list = format!("{endpoint}\ntelemetry.otlp_headers = \"api-key=hush,x=1\"");
    assert_eq!(headers(&read(&list)), [pair("api-key", "hush"), pair("x", "1")]);
    let section = format!("{endpoint}\n[telemetry.otlp_headers]\napi-key_file = {file:?}\nx = \"1\"");
    let telemetry = read(&section);
    assert_eq!(headers(&telemetry), [pair("api-key", "hush"), pair("x", "1")]);
    std::fs::write(&file, "rotated").unwrap();
    assert_eq!(headers(&telemetry), [pair("api-key", "rotated"), pair("x", "1")], "files are read anew");
    std::fs::write(&file, "authorization=Bearer%20hush").unwrap();
    let list_file = format!("{endpoint}\ntelemetry.otlp_headers_file = {file:?}");
    assert_eq!(headers(&read(&list_file)), [pair("authorization", "Bearer hush")]);
    let variables = [("PO_WEBHOOK_TELEMETRY__OTLP_HEADERS", "api-key=hush")];
    assert_eq!(headers(&read_with(endpoint, &variables).unwrap()), [pair("api-key", "hush")]);
    // Variables have no dashes in their names.
    for (name, value) in [("API_KEY", "hush"), ("API_KEY_FILE", file.to_str().unwrap())] {
        std::fs::write(&file, "hush").unwrap();
        let name = format!("PO_WEBHOOK_TELEMETRY__OTLP_HEADERS__{name}");
        let variables = [(name.as_str(), value)];
        assert_eq!(headers(&read_with(endpoint, &variables).unwrap()), [pair("api-key", "hush")], "{name}");
    }
}

#[test]
fn cloud_alm_has_tokens_of_its_own() {
    let telemetry = read(
        "[telemetry.cloud_alm]\nbase_url = \"https://eu10.alm.cloud.sap/api\"\ntoken_url = \"https://uaa.example/oauth/token\"\n\
         client_id = \"sb-1\"\nclient_secret = \"hush\"\nservice_id = \"s-1\"",
    );
    let cloud_alm = telemetry.cloud_alm.unwrap();
    assert_eq!(cloud_alm.service_id, "s-1");
    assert_eq!(cloud_alm.oauth2.client_id, "sb-1");
    assert!(!format!("{cloud_alm:?}").contains("hush"));
}

#[test]
fn every_mistake_is_named_and_no_secret_is_shown() {
    const ENDPOINT: &str = "telemetry.otlp_endpoint = \"https://collector.example\"\n";
    for (text, expected) in [
        ("telemetry.log_format = \"xml\"", "telemetry.log_format: expected json or text or ecs"),
        ("telemetry.log_level = \"loud\"", "telemetry.log_level: expected error or warn or info or debug or trace"),
        ("telemetry.otlp_endpoint = \"collector:4317\"", "telemetry.otlp_endpoint: expected a URL"),
        ("telemetry.otlp_endpoint = \"https://u:hush@x\"", "telemetry.otlp_endpoint: expected a URL"),
        ("telemetry.otlp_protocol = \"grpc\"", "telemetry.otlp_protocol: not used without telemetry.otlp_endpoint"),
        ("telemetry.otlp_headers = \"a=hush\"", "telemetry.otlp_headers: not used without telemetry.otlp_endpoint"),
        ("telemetry.otlp_headers.a = \"hush\"", "telemetry.otlp_headers.a: not used without telemetry.otlp_endpoint"),
        ("telemetry.trace_sampling = 0.5", "telemetry.trace_sampling: not used without telemetry.otlp_endpoint"),
        (
            &format!("{ENDPOINT}telemetry.otlp_protocol = \"http\""),
            "telemetry.otlp_protocol: expected http/protobuf or grpc",
        ),
        (&format!("{ENDPOINT}telemetry.trace_sampling = 2"), "telemetry.trace_sampling: expected a number from 0 to 1"),
        (&format!("{ENDPOINT}telemetry.otlp_headers = \"hush\""), "telemetry.otlp_headers: expected name=value"),
        (
            &format!("{ENDPOINT}telemetry.otlp_headers = {{ te = \"hush\" }}"),
            "telemetry.otlp_headers.te: expected a header",
        ),
        (
            &format!("{ENDPOINT}telemetry.otlp_headers = {{ a = \"hush\", A = \"hush\" }}"),
            "telemetry.otlp_headers: the header a is set twice",
        ),
        (
            &format!("{ENDPOINT}telemetry.otlp_headers = {{ a_file = \"/nowhere\" }}"),
            "telemetry.otlp_headers.a_file: the secret file",
        ),
        (
            &format!("{ENDPOINT}telemetry.otlp_ca = \"/nowhere\""),
            "telemetry.otlp_ca: expected a file with certificates",
        ),
        (
            &format!("{ENDPOINT}telemetry.otlp_certificate = \"/nowhere\"\ntelemetry.otlp_key = \"/nowhere\""),
            "telemetry.otlp_certificate: expected a file with certificates",
        ),
        (
            &format!("{ENDPOINT}telemetry.otlp_key = \"/nowhere\""),
            "telemetry.otlp_certificate: is missing: the certificate of telemetry.otlp_key",
        ),
        ("telemetry.otlp_key = \"/nowhere\"", "telemetry.otlp_key: not used without telemetry.otlp_endpoint"),
        ("telemetry.cloud_alm.service_id = \"x\"", "telemetry.cloud_alm.base_url is missing"),
        ("telemetry.cloud_alm = {}", "telemetry.cloud_alm.base_url is missing"),
        ("telemetry.cloud_alm.scope = \"x\"", "telemetry.cloud_alm.base_url is missing"),
    ] {
        let found = read_with(text, &[]).err().map(|mistakes| mistakes.0).unwrap_or_default();
        assert!(!found.concat().contains("hush"), "{found:?}");
        let is_named = found.iter().any(|mistake| mistake.starts_with(&format!("config.toml: {expected}")));
        assert!(is_named, "{text}: {found:#?}");
    }
    let found = read_with("telemetry.cloud_alm.client_id = \"x\"", &[]).unwrap_err().0;
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn the_level_alone_is_read_again_whatever_else_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let load = |text: &str| {
        std::fs::write(&file, text).unwrap();
        LogLevel::load(Some(&file), &BTreeMap::new()).map_err(|mistakes| mistakes.0.concat())
    };
    assert_eq!(load("telemetry.log_level = \"debug\"\nserver.listen = 1"), Ok(LogLevel::Debug));
    assert_eq!(load(""), Ok(LogLevel::Info));
    assert!(
        load("telemetry.log_level = \"loud\"").unwrap_err().contains("telemetry.log_level: expected error or warn")
    );
    assert!(load("telemetry.log_level = ").unwrap_err().contains("config.toml"));
}
