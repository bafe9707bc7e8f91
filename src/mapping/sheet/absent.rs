//! The column `absent`: the rule for sources that are missing or initial.

use serde_json::Value;

use crate::mapping::conversion::Conversion;

/// The rule where the source is missing or initial.
#[derive(Debug, Clone, PartialEq)]
pub enum Absent {
    /// A mistake in the cart.
    Refuse,
    /// The target is left out.
    Omit,
    /// The target gets this value.
    Use(Value),
}

impl Absent {
    /// Reads the column; a default value has to fit the conversion, `None` if that could not be read.
    pub fn parse(text: &str, conversion: Option<&Conversion>) -> Result<Self, String> {
        match text.trim() {
            "refuse" => Ok(Self::Refuse),
            "omit" => Ok(Self::Omit),
            "" if matches!(conversion, Some(Conversion::Constant(_))) => Ok(Self::Omit),
            other => {
                let value = other
                    .strip_prefix("use:")
                    .ok_or_else(|| format!("absent {other:?}: expected refuse, omit or use:VALUE"))?;
                let Some(conversion) = conversion else { return Ok(Self::Omit) };
                let value = conversion
                    .apply(value)
                    .ok_or_else(|| format!("absent use:{value}: expected {}", conversion.expected()))?;
                if matches!(conversion, Conversion::Text | Conversion::Id | Conversion::Table(_))
                    && value.as_str().is_some_and(str::is_empty)
                {
                    return Err("absent use: needs a value; to leave the target out, say omit".to_owned());
                }
                Ok(Self::Use(value))
            }
        }
    }
}
