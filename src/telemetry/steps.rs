//! The steps of one cart, for `dev`: a line each, with short names for people.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use super::escape::escape;

/// The target of the events of a cart's way, at debug: received, token verified, mapped, recorded, sent, created,
/// answered.
pub const STEP: &str = "step";

/// Short names of the fields of steps.
const ALIASES: [(&str, &str); 11] = [
    ("http.request.id", "request_id"),
    ("http.request.method", "method"),
    ("http.response.status_code", "status"),
    ("mapping.version", "mapping"),
    ("oauth2.client_id", "client"),
    ("order.attempt.number", "attempt"),
    ("order.attempts", "attempts"),
    ("order.id", "order"),
    ("order.purchase_order_number", "number"),
    ("order.state", "state"),
    ("url.path", "path"),
];

/// Prints the steps of carts on standard output; warnings of the service, and changes of the mapping, on standard error.
pub fn start_steps() {
    let filter = EnvFilter::new("warn,step=debug,purchase_order_webhook::mapping=info");
    drop(tracing_subscriber::registry().with(filter).with(Steps).try_init());
}

struct Steps;

impl<S: Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        // An error means that nobody reads the steps any more, which does not end the service.
        let _ = if event.metadata().target() == STEP {
            writeln!(io::stdout(), "{:<15}{}", line.message, escape(line.fields.trim_start()))
        } else {
            writeln!(io::stderr(), "{}: {}{}", event.metadata().level(), line.message, escape(&line.fields))
        };
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String can't fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => {
                let alias = ALIASES.iter().find(|(field, _)| *field == name).map_or(name, |(_, alias)| alias);
                write!(self.fields, "  {alias}={value:?}")
            }
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::fields::FIELDS;

    #[test]
    fn every_alias_is_the_short_name_of_a_field() {
        for (name, _) in ALIASES {
            assert!(FIELDS.iter().any(|(field, _)| *field == name), "{name}");
        }
    }
}
