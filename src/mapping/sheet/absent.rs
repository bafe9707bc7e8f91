//! The column `absent`: the rule for sources that are missing or initial.

use crate::mapping::conversion::{Conversion, OrderValue};

/// The rule where the source is missing or initial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// A mistake in the cart.
    Refuse,
    /// The target is left out.
    Omit,
    /// The target gets this value.
    Use(OrderValue<'static>),
    /// Of the targets of one entry that carry this name, exactly one is there.
    OneOf(String),
}

impl Absent {
    /// Reads the column; a default value has to fit the conversion, `None` if that could not be read.
    pub fn parse(text: &str, conversion: Option<&Conversion>) -> Result<Self, String> {
        match (text.trim(), conversion) {
            ("refuse", Some(Conversion::Rows)) => Ok(Self::Refuse),
            (other, Some(Conversion::Rows)) => {
                Err(format!("absent {other:?}: expected refuse; as rows demands at least one entry"))
            }
            ("", None | Some(Conversion::Skip | Conversion::Constant(_))) => Ok(Self::Omit),
            (other, Some(Conversion::Skip)) => {
                Err(format!("absent {other:?}: expected nothing; as skip leaves an entry out where such a row exists"))
            }
            ("refuse", _) => Ok(Self::Refuse),
            ("omit", _) => Ok(Self::Omit),
            (other, conversion) => match other.split_once(':') {
                Some(("use", value)) => Self::parse_default(value, conversion),
                Some(("one-of", name)) if !name.trim().is_empty() => Ok(Self::OneOf(name.trim().to_owned())),
                _ => Err(format!("absent {other:?}: expected refuse, omit, use:VALUE or one-of:NAME")),
            },
        }
    }

    fn parse_default(value: &str, conversion: Option<&Conversion>) -> Result<Self, String> {
        let Some(conversion) = conversion else { return Ok(Self::Omit) };
        let default =
            conversion.apply(value).ok_or_else(|| format!("absent use:{value}: expected {}", conversion.expected()))?;
        let needs_text = matches!(
            conversion,
            Conversion::Text
                | Conversion::Id
                | Conversion::Padded(_)
                | Conversion::Lines
                | Conversion::Table(_)
                | Conversion::Join(_)
        );
        if needs_text && value.trim().is_empty() {
            return Err("absent use: needs a value; to leave the target out, say omit".to_owned());
        }
        Ok(Self::Use(default.into_owned()))
    }
}
