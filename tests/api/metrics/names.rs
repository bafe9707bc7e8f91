//! The names, labels and types of all metrics: those of the catalogue, of the interface, and as promtool wants them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use purchase_order_webhook::telemetry::metrics::catalogue;

use super::{Scrape, with_carts_of_every_fate};

/// Every metric has its help, its type and no other labels than those of the catalogue.
#[tokio::test]
async fn every_metric_is_there_with_its_labels() {
    let service = with_carts_of_every_fate().await;
    let scrape = Scrape::of(&service).await;
    for metric in catalogue::ALL {
        let head = format!("# HELP {name} {}\n# TYPE {name} {}\n", metric.help, metric.kind.name(), name = metric.name);
        assert_eq!(scrape.text.matches(&head).count(), 1, "{head}");
    }
    for name in scrape.samples.keys() {
        let (name, labels) = name.trim_end_matches('}').split_once('{').unwrap_or((name, ""));
        let metric = catalogue::ALL.iter().filter(|metric| name.starts_with(metric.name));
        let metric = metric.max_by_key(|metric| metric.name.len()).unwrap_or_else(|| panic!("{name}"));
        let names: Vec<&str> = labels.split("\",").filter_map(|label| label.split('=').next()).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && *name != "le").collect();
        assert_eq!(names, metric.labels, "{name}");
    }
    for path in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_threads"] {
        assert!(scrape.get(path) > 0.5, "{path}: {}", scrape.text);
    }
    let start = scrape.get("process_start_time_seconds");
    let now = crate::support::now().as_duration().as_secs_f64();
    assert!((0.0..86_400.0).contains(&(now - start)), "{start} {now}");
}

/// What the interface promises: a name that is missing in the catalogue breaks dashboards that exist.
#[test]
fn the_names_of_the_interface_are_in_the_catalogue() {
    for (name, labels) in [
        (
            "http_server_request_duration_seconds",
            &["http_request_method", "http_route", "http_response_status_code"] as &[&str],
        ),
        ("http_client_request_duration_seconds", &["operation", "http_response_status_code"]),
        ("purchase_orders_settled_total", &["state"]),
        ("purchase_orders_open", &["state"]),
        ("purchase_orders_parked", &[]),
        ("purchase_orders_oldest_open_age_seconds", &[]),
        ("purchase_orders_retries_overdue", &[]),
        ("purchase_order_attempts_total", &["outcome"]),
        ("purchase_order_duration_seconds", &[]),
        ("circuit_breaker_open", &[]),
        ("token_checks_total", &["result"]),
        ("jwks_refreshes_total", &["result"]),
        ("ledger_commit_duration_seconds", &[]),
        ("ledger_commit_writes", &[]),
        ("mapping_info", &["version"]),
        ("mapping_reloads_total", &["result"]),
        ("requests_refused_total", &["reason"]),
        ("deliveries_pending", &["channel"]),
        ("deliveries_total", &["channel", "result"]),
        ("certificate_expiry_timestamp_seconds", &["use"]),
        ("build_info", &["version"]),
        ("process_cpu_seconds_total", &[]),
        ("process_resident_memory_bytes", &[]),
        ("process_open_fds", &[]),
        ("process_max_fds", &[]),
        ("process_start_time_seconds", &[]),
        ("process_threads", &[]),
    ] {
        let found = catalogue::ALL.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.labels, labels, "{name}");
    }
}

#[tokio::test]
async fn promtool_has_nothing_to_say() {
    if Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        let text = "NOT RUN: promtool is not installed (Debian: apt-get install prometheus)";
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
        return;
    }
    let service = with_carts_of_every_fate().await;
    let scrape = Scrape::of(&service).await;
    let mut check = Command::new("promtool");
    check.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = check.spawn().unwrap();
    check.stdin.take().unwrap().write_all(scrape.text.as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && text.is_empty(), "{text}");
}
