//! One issuer and several, from a file and from variables.

use jsonwebtoken::Algorithm;

use super::{AudienceRule, JwtCheck};
use crate::config::tests::read_with_needed;

const SECOND: &str = "[[auth.issuers]]\nissuer = \"https://second.example\"\naudience = \"x\"\n";

#[test]
fn a_further_issuer_has_the_keys_and_the_defaults_of_the_first() {
    let settings = read_with_needed(SECOND, &[]).unwrap();
    let [first, second] = settings.auth.issuers().collect::<Vec<_>>()[..] else { panic!("two are expected") };
    assert_eq!((first.issuer.as_str(), second.issuer.as_str()), ("https://issuer.example", "https://second.example"));
    let mut like_the_first = second.clone();
    like_the_first.issuer.clone_from(&first.issuer);
    like_the_first.audience.clone_from(&first.audience);
    like_the_first.further.push(second.clone());
    assert_eq!(format!("{like_the_first:?}"), format!("{first:?}"));
}

#[test]
fn a_variable_names_a_further_issuer_by_its_number() {
    let variables = [
        ("PO_WEBHOOK_AUTH__ISSUERS__1__AUDIENCE_RULE", "xsuaa"),
        ("PO_WEBHOOK_AUTH__ISSUERS__1__CLIENTS__WRITE", "a,b"),
        ("PO_WEBHOOK_AUTH__ISSUERS__1__INTROSPECTION__URL", "https://second.example/introspect"),
        ("PO_WEBHOOK_AUTH__ISSUERS__1__INTROSPECTION__CLIENT_ID", "x"),
        ("PO_WEBHOOK_AUTH__ISSUERS__1__INTROSPECTION__CLIENT_SECRET", "hush"),
        ("PO_WEBHOOK_AUTH__ISSUERS__1__INTROSPECTION__JWT", "introspect"),
        ("PO_WEBHOOK_AUTH__ISSUERS__2__ISSUER", "urn:third"),
        ("PO_WEBHOOK_AUTH__ISSUERS__2__JWKS_URL", "https://third.example/jwks"),
        ("PO_WEBHOOK_AUTH__ISSUERS__2__AUDIENCE", "y,z"),
        ("PO_WEBHOOK_AUTH__ISSUERS__2__SCOPES__CLAIM", "scope,/realm_access/roles"),
        ("PO_WEBHOOK_AUTH__ISSUERS__2__ALGORITHMS", "Ed25519"),
    ];
    let settings = read_with_needed(SECOND, &variables).unwrap();
    let [second, third] = &settings.auth.further[..] else { panic!("two are expected") };
    assert_eq!((second.audience_rule, &second.clients.write[..]), (AudienceRule::Xsuaa, &["a".into(), "b".into()][..]));
    assert_eq!(second.introspection.as_ref().map(|one| one.jwt), Some(JwtCheck::Introspect));
    assert_eq!((third.issuer.as_str(), third.audience.len()), ("urn:third", 2));
    assert_eq!(third.scopes.claims, ["scope", "/realm_access/roles"]);
    assert_eq!(third.algorithms, [Algorithm::EdDSA]);

    let gap = read_with_needed("", &[("PO_WEBHOOK_AUTH__ISSUERS__2__ISSUER", "https://second.example")]).unwrap_err();
    assert!(gap.0.iter().any(|mistake| mistake.contains("with the numbers from 1 on")), "{gap:?}");
}

#[test]
fn the_number_of_issuers_is_limited_and_the_rule_client_needs_no_audience() {
    let issuer = |number| format!("[[auth.issuers]]\nissuer = \"https://x{number}.example\"\naudience = \"x\"\n");
    let many: Vec<String> = (0..33).map(issuer).collect();
    let found = read_with_needed(&many.concat(), &[]).unwrap_err();
    assert!(found.0.iter().any(|mistake| mistake.contains("at most 32 sections")), "{found:?}");
    let of_clients =
        "[[auth.issuers]]\nissuer = \"https://x.example\"\naudience_rule = \"client\"\nclients.read = [\"x\"]";
    assert!(read_with_needed(of_clients, &[]).unwrap().auth.further[0].audience.is_empty());
}
