//! `[pages]`: what people see without a token, and where the docs page gets one.

use url::Url;

use super::reader::Reader;
use super::units;

/// `[pages]`
#[derive(Debug, Clone)]
pub struct Pages {
    /// Who may read the live mapping sheet at `/mapping`.
    pub mapping: Audience,
    /// Who may have a cart mapped at `/preview`, without any effect.
    pub preview: Audience,
    /// The token endpoint that the docs page asks (RFC 6749 §3.2); `None`: its readers bring a token of their own.
    pub token_url: Option<Url>,
    /// A client of that endpoint whose credentials everybody may know: the docs page fills them in. No setting has it: only
    /// `dev` does, with its sandbox.
    pub demo_client: Option<DemoClient>,
}

/// Who may look at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Public,
    /// Whoever has a token with the scope that the API asks for the same.
    TokenHolders,
}

/// A client of the sandbox's issuer.
#[derive(Debug, Clone, Copy)]
pub struct DemoClient {
    /// `client_id`
    pub id: &'static str,
    /// `client_secret`
    pub secret: &'static str,
}

impl Pages {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let mapping = audience(reader, "pages.public_mapping");
        let preview = audience(reader, "pages.public_preview");
        let token_url = reader.optional("pages.token_url", units::URL, units::url);
        Some(Self { mapping: mapping?, preview: preview?, token_url: token_url?, demo_client: None })
    }
}

fn audience(reader: &mut Reader, key: &str) -> Option<Audience> {
    reader.choice(key, "false", &[("true", Audience::Public), ("false", Audience::TokenHolders)])
}
