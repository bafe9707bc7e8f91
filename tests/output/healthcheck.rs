//! `healthcheck`, as a container's platform runs it: beside the service, with the service's settings.

use std::net::TcpListener;

use crate::commands::folder_with;
use crate::process::Process;

/// The exit code and the output of the command.
async fn healthcheck(arguments: &[&str]) -> (i32, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"));
    let output = command.arg("healthcheck").args(arguments).env_remove("PO_WEBHOOK_CONFIG").output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

#[tokio::test]
async fn a_running_service_is_alive_whatever_became_of_its_other_settings() {
    let process = Process::start("").await;
    // What else the file says does not matter: the service runs.
    let settings = format!("server.management_listen = {:?}\nserver.max_bdy = 1\n", process.management);
    let folder = folder_with(&[("config.toml", &settings)]);
    let file = folder.path().join("config.toml");
    let (code, text) = healthcheck(&["--config", file.to_str().unwrap()]).await;
    assert_eq!((code, text), (0, format!("http://{}/livez: 200 OK, alive\n", process.management)));
}

#[tokio::test]
async fn a_service_that_stops_is_alive_and_not_ready() {
    let process = Process::start("server.stop_delay = \"1h\"").await;
    let (alive, ready) = (format!("http://{}/livez", process.management), format!("http://{}/readyz", process.address));
    assert_eq!(healthcheck(&["--url", &ready]).await, (0, format!("{ready}: 200 OK, ready\n")));
    process.terminate();
    while process.client.get(&ready).send().await.unwrap().status() != 503 {}
    let (code, text) = healthcheck(&["--url", &ready]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("expected 200 OK, found 503") && text.contains("stopping"), "{text}");
    assert_eq!(healthcheck(&["--url", &alive]).await.0, 0);
}

#[tokio::test]
async fn what_is_not_alive_is_named_with_the_reason() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("server.management_listen = \"{unused}\"\n");
    let folder = folder_with(&[("config.toml", &nobody), ("wrong.toml", "server.management_listen = \"here\"\n")]);
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (name, code, expected) in [
        ("config.toml", 1, format!("http://{unused}/livez: no answer: ")),
        ("wrong.toml", 1, "wrong.toml: server.management_listen: expected an address and port".to_owned()),
        ("nowhere.toml", 1, "nowhere.toml: can't be read".to_owned()),
    ] {
        let (found, text) = healthcheck(&["--config", &file(name)]).await;
        assert!(found == code && text.contains(&expected), "{name}: {found} {text}");
    }
    let (code, text) = healthcheck(&["--url", "livez"]).await;
    assert!(code == 2 && text.contains("--url"), "{text}");
}
