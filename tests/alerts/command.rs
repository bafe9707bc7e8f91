//! `alert --test`: one alert to each channel, and how each went.

use std::process::Command;

use crate::receivers::{pagerduty, receiver, webhook};

/// Runs the command with settings; exit code, standard output, standard error.
async fn run(settings: String, arguments: &'static [&'static str]) -> (i32, String, String) {
    tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"));
        let output = command.args(["alert", "--config"]).arg(&file).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_gets_one_alert_and_the_exit_code_says_whether_all_took_it() {
    let (good, bad) = (receiver(202).await, receiver(400).await);
    // Settings of other sections do not matter, and neither ledger nor 11VMS is needed.
    let settings = format!("{}{}server.listen = 7\n", pagerduty(&good), webhook(&good));
    let (code, output, errors) = run(settings, &["--test"]).await;
    assert_eq!((code, errors.as_str()), (0, ""), "{output}");
    assert_eq!(output, "ok    pagerduty: the test was delivered\nok    webhook: the test was delivered\n");
    let requests = good.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.contains("This is a test of the alerts")), "{requests:#?}");

    let (code, output, errors) = run(format!("{}{}", pagerduty(&bad), webhook(&good)), &["--test"]).await;
    assert_eq!(code, 1);
    assert_eq!(output, "FAIL  pagerduty: answered 400\nok    webhook: the test was delivered\n");
    assert_eq!(errors, "1 of 2 channels did not take the test\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_tested_is_said() {
    let (code, _, errors) = run(String::new(), &["--test"]).await;
    assert_eq!(code, 1);
    assert!(errors.starts_with("no channel is set, so nobody is alerted; expected alerts."), "{errors}");
    let (code, _, errors) =
        run("alerts.pagerduty.routing_key = \"short\"\nalerts.cool_down = 1".to_owned(), &["--test"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("alerts.pagerduty.routing_key: expected") && errors.contains("alerts.cool_down: expected"));
    let (code, ..) = run(String::new(), &[]).await;
    assert_eq!(code, 2, "without --test there is nothing to do");
}
