//! The Elastic Common Schema: which of its fields a log line uses, and where the service's own fields go.

/// The version of the schema by which lines are named: `generated/csv/fields.csv` of its repository.
pub const VERSION: &str = "9.1.0";

/// The service's field with the time that a request took, in seconds.
pub const REQUEST_DURATION: &str = "http.server.request.duration";

/// ECS's field for it, in nanoseconds.
pub const DURATION: &str = "event.duration";

/// Every field of the schema that lines use, with its type there.
pub const FIELDS: [(&str, &str); 20] = [
    ("@timestamp", "date"),
    ("client.address", "keyword"),
    ("ecs.version", "keyword"),
    ("error.message", "match_only_text"),
    ("event.duration", "long"),
    ("file.path", "keyword"),
    ("http.request.id", "keyword"),
    ("http.request.method", "keyword"),
    ("http.response.status_code", "long"),
    ("log.level", "keyword"),
    ("log.logger", "keyword"),
    ("message", "match_only_text"),
    ("server.address", "keyword"),
    ("service.name", "keyword"),
    ("service.version", "keyword"),
    ("span.id", "keyword"),
    ("trace.id", "keyword"),
    ("url.full", "wildcard"),
    ("url.path", "wildcard"),
    ("user.name", "keyword"),
];

/// Where a field of the service goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A field of the schema.
    Field(&'static str),
    /// A label: a text without further levels, as the schema wants it.
    Label(String),
}

/// Where a field goes. Names that the service shares with the schema mean the same in both.
pub fn field(name: &str) -> Destination {
    let shared = if name == REQUEST_DURATION { DURATION } else { name };
    match FIELDS.iter().find(|(field, _)| *field == shared) {
        Some((field, _)) => Destination::Field(field),
        None => Destination::Label(format!("labels.{}", name.replace('.', "_"))),
    }
}

/// Seconds as nanoseconds.
#[expect(clippy::cast_possible_truncation, reason = "a request takes no centuries")]
pub fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}
