//! What `check` says of forward proxies: the way of each address, and nothing of a password.

use std::process::Command;

const SETTINGS: &str = "auth.issuer = \"https://tenant.authentication.acme.com\"\nauth.audience = \"x\"\n\
    target.base_url = \"https://vms.acme.com/api/secret-path\"\ntarget.oauth2.token_url = \"http://127.0.0.1:1/token\"\n\
    target.oauth2.client_id = \"x\"\ntarget.oauth2.client_secret = \"x\"\n";

fn check(settings: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let mapping = format!("mapping.directory = \"{}/mapping\"\n", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(&config, format!("\u{feff}{SETTINGS}{mapping}{settings}").replace('\n', "\r\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"));
    let command = command.arg("check").arg("--config").arg(&config).current_dir(folder.path());
    let command = ["https_proxy", "http_proxy", "no_proxy", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]
        .into_iter()
        .fold(command, |command, name| command.env_remove(name));
    let done = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.success(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
}

#[test]
fn check_tells_the_way_of_each_address() {
    let (well, text) = check("", &[]);
    assert!(well && !text.contains("proxy"), "{text}");

    let proxies = [("HTTPS_PROXY", "http://acme:hush@proxy.acme.com:3128"), ("http_proxy", "proxy.acme.com:3129")];
    let (well, text) = check("", &[proxies[0], proxies[1], ("NO_PROXY", ".authentication.acme.com")]);
    assert!(well, "{text}");
    for line in [
        "target.base_url: https://vms.acme.com is reached through the forward proxy http://proxy.acme.com:3128\n",
        "target.oauth2.token_url: http://127.0.0.1:1 is reached through the forward proxy http://proxy.acme.com:3129\n",
        "auth.issuer: https://tenant.authentication.acme.com is reached without a forward proxy\n",
        "warning: target.oauth2.token_url: http://127.0.0.1:1 is this host itself, and the forward proxy",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("hush") && !text.contains("secret-path"), "{text}");

    let (well, text) = check("outbound.proxy = \"off\"", &proxies);
    assert!(well && !text.contains("forward proxy"), "{text}");
    let (well, text) = check("", &[("HTTPS_PROXY", "socks5://acme:hush@proxy:1080")]);
    assert!(!well && text.contains("HTTPS_PROXY: expected http://host:port") && !text.contains("hush"), "{text}");
}
