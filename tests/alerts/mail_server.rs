//! A private mail server: PyPI's aiosmtpd, which `scripts/test-mail-server` installs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A running server; stopped with this handle.
pub struct MailServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
    server: Child,
    _folder: TempDir,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl MailServer {
    /// Starts a server. `None`, said loudly, where it is not installed; on CI that is a failure.
    pub fn start(config: &Value) -> Option<Self> {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/aiosmtpd");
        if !tools.join("installed").exists() {
            let text = "NOT RUN: aiosmtpd is not installed (scripts/test does it, with pip)";
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut server = Command::new("python3")
            .arg(script())
            .arg(&file)
            .env("PYTHONPATH", tools)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the mail server starts").unwrap().parse().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&mails);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                seen.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { port, mails, server, _folder: folder })
    }

    /// Waits for at least so many mails.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        for _ in 0..2_000 {
            let mails = self.mails.lock().unwrap().clone();
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("of {count} mails came {:#?}", self.mails.lock().unwrap());
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/mail_server.py")
}

/// The value of a header of a mail, unfolded.
pub fn header(mail: &Value, name: &str) -> String {
    let content = mail["content"].as_str().unwrap().replace("\r\n ", " ");
    let (head, _) = content.split_once("\r\n\r\n").unwrap();
    let prefix = format!("{}: ", name.to_ascii_lowercase());
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&prefix));
    line.map_or(String::new(), |line| line[prefix.len()..].to_owned())
}
