//! A form that was sent, and the token in it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use percent_encoding::percent_decode_str;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::api::ApiState;
use crate::api::body::form_text;
use crate::problem::{Problem, ProblemKind, RETRY_SOON};

/// The field of the token (RFC 6750 §2.2).
const ACCESS_TOKEN: &str = "access_token";

/// Bytes of a form besides its text: names, and a token.
pub const OVERHEAD: usize = 64 * 1024;

/// The most bytes that a byte takes in a form (`%XX`).
pub const ENCODED: usize = 3;

/// Forms that are read and answered at the same time. Whoever sends one has not shown a token yet: without this limit, slow senders
/// would fill the memory, and the permits of the API are not for them.
const AT_ONCE: usize = 8;

/// Permits for forms.
#[derive(Debug, Clone)]
pub struct FormPermits(Arc<Semaphore>);

impl Default for FormPermits {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl FormPermits {
    /// Takes a permit, before the form is read; it is held until the form is answered.
    pub fn take(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.try_acquire().map_err(|_| {
            let detail = "as many forms as the service takes are under way";
            Problem::new(ProblemKind::OVERLOADED, detail).retry_after(RETRY_SOON)
        })
    }
}

/// A form that was sent. It may come from a page of another site: a form has no effect, and no cookie identifies its sender, so
/// that there is nothing to gain from it.
#[derive(Debug)]
pub struct Form {
    /// The request. The token of the form is in `Authorization`, where the API looks for it.
    pub parts: Parts,
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form of at most `limit` bytes.
    pub async fn read(request: Request, limit: usize, api: &ApiState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let text = form_text(Request::from_parts(parts.clone(), body), limit, api).await?;
        let fields = fields(&text)?;
        let mut form = Self { parts, fields };
        let token = form.field(ACCESS_TOKEN).trim();
        let token = token.strip_prefix("Bearer ").unwrap_or(token).trim_start();
        // A token that is no header's value is none. A second one beside that of the header is refused as in the API.
        if !token.is_empty()
            && let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            form.parts.headers.append(header::AUTHORIZATION, value);
        }
        Ok(form)
    }

    /// A field's text, without a byte order mark before it; empty if it was not sent.
    pub fn field(&self, name: &str) -> &str {
        let value = self.fields.iter().find(|(sent, _)| sent == name).map_or("", |(_, value)| value);
        value.strip_prefix('\u{feff}').unwrap_or(value)
    }
}

/// Names and values, as forms are encoded (WHATWG URL §5.1). What is no UTF-8 is refused: the standard's replacement characters would
/// be in the order, and nobody sent them.
fn fields(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let decode = |text: &str| {
        let decoded = percent_decode_str(&text.replace('+', " ")).decode_utf8().map(Cow::into_owned);
        let problem = "the form has a field that is no UTF-8; expected UTF-8, percent-encoded";
        decoded.map_err(|_| Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, problem))
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let fields = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name)?, decode(value)?))
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_has_a_character_that_was_not_sent() {
        for fine in ["", "cart=W%C3%A4lder", "cart=%EF%BF%BD", "cart=%ef%bf%bd", "cart=\u{fffd}&x=%ef%bb%bf"] {
            assert!(fields(fine).is_ok(), "{fine}");
        }
        let found = fields("&cart=a+b%2Bc%3D%26d=&&x&y=").unwrap();
        let expected = [("cart", "a b+c=&d="), ("x", ""), ("y", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for broken in ["cart=W%E4lder", "cart=%ff", "x=1&cart=%C3", "%ff=1"] {
            let problem = fields(broken).unwrap_err();
            assert!(problem.detail().contains("is no UTF-8"), "{broken}: {}", problem.detail());
        }
    }
}
