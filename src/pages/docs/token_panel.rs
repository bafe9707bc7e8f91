//! The part of the docs page that gets a token: from the configured endpoint, or from the reader.

use std::fmt::Write as _;

use crate::config::Pages;

/// The form: client and scopes where an endpoint is set, and a field for a token in any case. Its script has the rest.
pub fn html(pages: &Pages, scopes: &[String]) -> String {
    let own_token = |is_open: &str| {
        format!(
            "<details class=\"own-token\"{is_open}><summary>Use a token of your own</summary>\n\
             <form id=\"own-token\"><label>Access token <input name=\"token\" type=\"password\" autocomplete=\"off\" required></label>\n\
             <button>Use it</button></form></details>\n"
        )
    };
    let Some(url) = &pages.token_url else { return own_token(" open") };
    let (id, secret) = pages.demo_client.map_or(("", ""), |client| (client.id, client.secret));
    let mut html = format!(
        "<form id=\"get-token\" data-token-url=\"{url}\"{demo}>\n\
         <label>Client <input name=\"client_id\" value=\"{id}\" autocomplete=\"off\" required></label>\n\
         <label>Secret <input name=\"client_secret\" type=\"password\" value=\"{secret}\" autocomplete=\"off\" required></label>\n\
         <fieldset><legend>Scopes</legend>\n",
        url = attribute(url.as_str()),
        demo = if pages.demo_client.is_some() { " data-demo" } else { "" },
        id = attribute(id),
        secret = attribute(secret),
    );
    for scope in scopes {
        let scope = attribute(scope);
        // Writing to a text can't fail.
        let _ =
            writeln!(html, "<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> {scope}</label>");
    }
    html.push_str("</fieldset>\n");
    if pages.demo_client.is_some() {
        html.push_str(
            "<label>Valid for <input name=\"expires_in\" type=\"number\" min=\"-3600\" max=\"86400\" value=\"3600\"> seconds</label>\n",
        );
    }
    html.push_str("<button>Get a token</button>\n</form>\n");
    html + &own_token("")
}

/// Text as the value of an attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Audience, DemoClient};

    fn pages(token_url: Option<&str>, demo_client: Option<DemoClient>) -> Pages {
        let token_url = token_url.map(|url| url.parse().unwrap());
        Pages { mapping: Audience::Public, preview: Audience::Public, token_url, demo_client }
    }

    #[test]
    fn only_a_demo_client_is_filled_in() {
        let scopes = ["a\"b".to_owned()];
        assert!(!html(&pages(None, None), &scopes).contains("get-token"));
        let real = html(&pages(Some("https://i.example/token?a=1&b=2"), None), &scopes);
        for part in [
            "data-token-url=\"https://i.example/token?a=1&amp;b=2\">",
            "value=\"a&quot;b\"",
            "name=\"client_id\" value=\"\"",
        ] {
            assert!(real.contains(part), "{part}: {real}");
        }
        assert!(!real.contains("expires_in"), "the lifetime is the sandbox's own parameter");
        let demo = html(&pages(Some("https://i.example/token"), Some(DemoClient { id: "x", secret: "y" })), &scopes);
        for part in ["data-demo", "name=\"client_id\" value=\"x\"", "value=\"y\"", "name=\"expires_in\""] {
            assert!(demo.contains(part), "{part}: {demo}");
        }
    }
}
