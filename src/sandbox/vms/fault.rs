//! Faults, and their form in JSON: `{"delayMs":200,"effect":"hang-up-after"}`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A fault of one request.
#[derive(Debug, Clone, Default)]
pub struct Fault {
    /// Milliseconds before the effect.
    pub delay_ms: u64,
    /// The effect.
    pub effect: Effect,
}

/// The effect of a fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Nothing unusual.
    #[default]
    Normal,
    /// The connection is closed, and nothing was done.
    HangUpBefore,
    /// The order is created, and the connection is closed without an answer.
    HangUpAfter,
    /// The order is created, and the answer is unreadable.
    Garbage,
    /// Nothing is created, and this is the answer.
    #[serde(rename_all = "camelCase")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Value,
        /// `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Nothing is created, and the answer redirects elsewhere (307).
    Redirect(String),
    /// The order is created, but this is the answer.
    CreatedButStatus(u16),
    /// The order is created; the answer is a 201 without a body, whose `Location` is this text and the order's number.
    CreatedAt(String),
}

impl Effect {
    /// An answer without a body.
    pub const fn status(status: u16) -> Self {
        Self::Status { status, body: Value::Null, retry_after: None }
    }

    /// What 11VMS does, in words.
    const fn meaning(&self) -> &'static str {
        match self {
            Self::Normal => "nothing unusual; with delayMs a slow answer",
            Self::HangUpBefore => "nothing is created, and the connection is closed",
            Self::HangUpAfter => "the order is created, and the connection is closed without an answer",
            Self::Garbage => "the order is created, and the answer can't be read",
            Self::Status { .. } => "nothing is created; status, body and retryAfter are the answer's",
            Self::Redirect(_) => "nothing is created, and the answer redirects (307)",
            Self::CreatedButStatus(_) => "the order is created, and this status is the answer",
            Self::CreatedAt(_) => "the order is created; the answer is 201 with this and the number in Location",
        }
    }

    /// One of each effect.
    fn samples() -> [Self; 8] {
        [
            Self::Normal,
            Self::HangUpBefore,
            Self::HangUpAfter,
            Self::Garbage,
            Self::Status { status: 503, body: json!({ "message": "maintenance" }), retry_after: Some("5".to_owned()) },
            Self::Redirect("https://vms.example/".to_owned()),
            Self::CreatedButStatus(500),
            Self::CreatedAt("/purchase-orders/".to_owned()),
        ]
    }
}

impl Fault {
    /// A line for each effect: an example in JSON, and what it does.
    pub fn help() -> String {
        let line = |effect: &Effect| format!("  {}:\n    {}\n", effect.meaning(), json!({ "effect": effect }));
        Effect::samples().iter().map(line).collect::<Vec<_>>().concat()
    }

    /// Reads a list of faults, or one alone. `{"status":503}` is short for `{"status":{"status":503}}`.
    ///
    /// # Errors
    /// What is wrong, by the place of the fault in the list.
    pub fn parse_all(text: &[u8]) -> Result<Vec<Self>, String> {
        let faults = match serde_json::from_slice(text) {
            Ok(Value::Array(faults)) => faults,
            Ok(fault @ Value::Object(_)) => vec![fault],
            Ok(_) => return Err("expected a list of faults".to_owned()),
            Err(error) => return Err(format!("the body is no JSON: {error}; expected a list of faults")),
        };
        faults
            .into_iter()
            .enumerate()
            .map(|(at, fault)| Self::parse(fault).map_err(|error| format!("fault {at}: {error}")))
            .collect()
    }

    fn parse(mut fault: Value) -> Result<Self, String> {
        let Some(members) = fault.as_object_mut() else { return Err("expected an object".to_owned()) };
        if let Some(name) = members.keys().find(|name| !["delayMs", "effect"].contains(&name.as_str())) {
            return Err(format!("{name} is unknown; expected delayMs and effect"));
        }
        if let Some(status) = fault.pointer_mut("/effect/status").filter(|status| status.is_number()) {
            *status = json!({ "status": status.clone() });
        }
        let of = |name: &str| fault.get(name).cloned();
        let effect = of("effect").map_or(Ok(Effect::Normal), |effect| {
            serde_json::from_value(effect).map_err(|error| format!("effect: {error}"))
        })?;
        let delay_ms = of("delayMs").map_or(Ok(0), |delay| {
            serde_json::from_value(delay).map_err(|error| format!("delayMs: {error}; expected milliseconds"))
        })?;
        Ok(Self { delay_ms, effect })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_effect_once_as_it_is_written() {
        let unknown = serde_json::from_value::<Effect>(json!("x")).unwrap_err().to_string();
        let names: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert!(names.len() >= 8, "{unknown}");
        let help = Fault::help();
        let examples: Vec<&str> = help.lines().skip(1).step_by(2).map(str::trim).collect();
        let effects: Vec<Effect> =
            examples.iter().map(|text| Fault::parse_all(text.as_bytes()).unwrap().remove(0).effect).collect();
        assert_eq!(effects, Effect::samples());
        assert_eq!(examples.len(), names.len(), "{help}");
        for (name, example) in names.iter().zip(&examples) {
            assert!(example.contains(&format!("\"{name}\"")), "{name}: {example}");
        }
    }

    #[test]
    fn a_wrong_fault_is_refused_by_its_place_and_field() {
        for (text, expected) in [
            ("", "the body is no JSON"),
            ("7", "expected a list of faults"),
            ("[{},[]]", "fault 1: expected an object"),
            (r#"[{"delay":1}]"#, "fault 0: delay is unknown; expected delayMs and effect"),
            (r#"[{"delayMs":"1"}]"#, "fault 0: delayMs: invalid type: string \"1\", expected u64"),
            (r#"{"effect":"hang-up"}"#, "fault 0: effect: unknown variant `hang-up`, expected one of `normal`"),
            (r#"{"effect":{"status":{"status":503,"retry":1}}}"#, "fault 0: effect: unknown field `retry`"),
        ] {
            let error = Fault::parse_all(text.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let short = Fault::parse_all(br#"{"delayMs":5,"effect":{"status":503}}"#).unwrap().remove(0);
        assert_eq!((short.delay_ms, short.effect), (5, Effect::status(503)));
    }
}
