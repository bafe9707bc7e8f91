//! The names of all log fields and their meaning. Names follow OpenTelemetry's semantic conventions or the Elastic Common
//! Schema where these have one.

/// Name and meaning of each field, sorted by name. A log line has no other fields.
pub const FIELDS: &[(&str, &str)] = &[
    ("batch.cart.position", "position of a cart in its batch, counted from 1"),
    ("batch.carts", "number of carts in a batch"),
    ("breaker.pause", "time until the circuit breaker lets a probe through, in seconds"),
    ("cart.number", "SRM's number of the shopping cart"),
    ("client.address", "IP address of the client, or of the proxy in front of it"),
    ("delivery.attempts", "number of deliveries of an alert that have failed"),
    ("delivery.channel", "channel of an alert: sap_alert_notification, pagerduty, smtp or webhook"),
    ("delivery.count", "number of alerts"),
    ("delivery.id", "id of an alert, the same on repeats"),
    ("delivery.subject", "what an alert is about, such as order-parked/ID"),
    ("error.message", "reason of a failure"),
    ("export.lost", "number of spans, log records or sets of metrics that were dropped and not reported before"),
    ("export.signal", "what is exported: traces, metrics or logs"),
    ("file.path", "path of a file, such as a certificate"),
    ("file.system", "kind of the file system of a file"),
    ("http.request.id", "id of the request, X-Request-ID"),
    ("http.request.method", "method of the request; _OTHER if no specification has it"),
    ("http.response.status_code", "status of the response"),
    ("http.route", "route that served the request, as a template"),
    ("http.server.request.duration", "time from the request's arrival to its response, in seconds"),
    ("jwks.keys", "number of the issuer's keys in use"),
    ("jwks.kid", "name of a key of the issuer"),
    ("ledger.backend", "store of the ledger: sqlite or postgresql"),
    ("ledger.location", "file of the ledger, or host/database; never a password"),
    ("ledger.operation", "operation of the ledger"),
    ("ledger.orders_removed", "number of settled orders removed after ledger.retention"),
    ("ledger.restored_at", "time of the backup that the ledger was restored from, RFC 3339"),
    (
        "ledger.restored_until",
        "time until which 11VMS is asked for orders that a restored ledger may have lost, RFC 3339",
    ),
    ("mapping.changed_examples", "what a changed mapping makes different of the examples, with counts"),
    ("mapping.directory", "folder of the mapping sheet"),
    ("mapping.previous_version", "the mapping's version before it was exchanged"),
    ("mapping.refused_version", "version of a mapping that was refused; missing if it does not compile"),
    ("mapping.since", "time since which the mapping's version is in use, RFC 3339"),
    ("mapping.version", "version of the mapping, a digest of its meaning"),
    ("oauth2.accepted_issuers", "issuers whose tokens are accepted"),
    ("oauth2.client_id", "client that the token was issued to"),
    ("oauth2.issuer", "issuer that a refused token names, at most 200 characters"),
    ("order.attempt.detail", "explanation of an attempt's outcome"),
    ("order.attempt.number", "number of the attempt, from 1"),
    ("order.attempt.outcome", "outcome of the attempt"),
    ("order.attempts", "number of attempts so far"),
    ("order.count", "number of orders"),
    ("order.id", "id of the order, derived from its cart"),
    ("order.intervention.reason", "reason for which a person cancelled the order"),
    ("order.next_attempt_at", "time of the next attempt, RFC 3339"),
    ("order.purchase_order_number", "number of the purchase order in 11VMS"),
    ("order.state", "state of the order"),
    ("order.warning", "first warning about the cart of an order"),
    ("order.warnings", "number of warnings about the cart of an order"),
    ("outage.duration", "time from the first failure to the recovery, in seconds"),
    ("problem.type", "type of the RFC 9457 problem in the response"),
    ("process.open_file_limit", "limit on open files that is in force"),
    ("process.open_files_wanted", "number of open files that the settings need"),
    ("sap.passport", "SAP passport of the request, for end-to-end tracing"),
    ("server.address", "address and port of the API"),
    ("server.management.address", "address and port of the probes"),
    ("server.tls", "whether TLS ends in this service"),
    ("service.version", "version of this service"),
    ("setting.name", "key of a setting"),
    ("setting.value", "value of a setting; never a secret"),
    ("throttling.pause", "time for which a server that throttles gets no request, in seconds"),
    ("url.full", "URL without user, query and fragment"),
    ("url.path", "path of a request that no route serves, at most 200 characters"),
    ("user.name", "person who intervened by hand"),
    ("x509.subject.distinguished_name", "subject of a certificate"),
];

#[cfg(test)]
mod tests {
    use super::FIELDS;

    #[test]
    fn the_fields_are_sorted_and_each_has_a_meaning() {
        assert!(FIELDS.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(FIELDS.iter().all(|(_, meaning)| !meaning.is_empty()));
    }
}
