//! Every command in a message of the service, in its example file or on docs/identity.md does what is said of it: it is run by the
//! real tool. Where OpenSSL, OpenSSH or curl is not installed, the tests say NOT RUN.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use purchase_order_webhook::certificate::{Certificate, read_private_key};
use purchase_order_webhook::private_key;
use regex_lite::Regex;

/// Programs that a message may name.
const PROGRAMS: &str = "openssl|curl|keytool|sqlite3|psql|ssh-keygen|kubectl";

/// What comes of a command.
#[derive(Debug, Clone, Copy)]
enum Makes {
    Certificates,
    PrivateKey,
    /// A key that signs JWTs.
    SigningKey,
}

/// Each command, how its FILE is made (of `key.pem` and `cert.pem`, in `sh`), what the service says of FILE, and what NEW is.
const COMMANDS: [(&str, &str, &str, Makes); 8] = [
    (
        "openssl pkey -in FILE -out NEW",
        "openssl pkcs8 -topk8 -v2 aes256 -passout pass:x -in key.pem -out FILE",
        "encrypted",
        Makes::PrivateKey,
    ),
    (
        "openssl pkcs7 -print_certs -in FILE -out NEW",
        "openssl crl2pkcs7 -nocrl -certfile cert.pem -out FILE",
        "PKCS #7",
        Makes::Certificates,
    ),
    (
        "openssl storeutl -certs -out NEW FILE",
        "openssl x509 -in cert.pem -trustout -addtrust serverAuth -out FILE; cat FILE cert.pem FILE > twice; mv twice FILE",
        "OpenSSL's own form",
        Makes::Certificates,
    ),
    (
        "openssl x509 -inform der -in FILE -out NEW",
        "openssl x509 -in cert.pem -outform der -out FILE",
        "DER",
        Makes::Certificates,
    ),
    (
        "openssl pkey -inform der -in FILE -out NEW",
        "openssl pkey -in key.pem -outform der -out FILE",
        "DER",
        Makes::PrivateKey,
    ),
    (
        "openssl pkcs12 -nodes -in FILE -out NEW",
        "openssl pkcs12 -export -passout pass:x -inkey key.pem -in cert.pem -out FILE",
        "PKCS #12",
        Makes::PrivateKey,
    ),
    ("ssh-keygen -p -m PKCS8 -f FILE", "ssh-keygen -q -t ecdsa -N '' -f FILE", "OpenSSH's own form", Makes::PrivateKey),
    (
        "openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW",
        "openssl ec -in key.pem -out FILE",
        "no key that signs",
        Makes::SigningKey,
    ),
];

/// Whether a program is there; if not, it is said loudly, and on CI it is a failure.
fn is_installed(program: &str) -> bool {
    let package = if program == "ssh-keygen" { "openssh-client" } else { program };
    let found = Command::new(program).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let text = format!("NOT RUN: {program} is not installed (Debian: apt-get install {package})");
    if !found {
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
    }
    found
}

fn sh(folder: &Path, command: &str) -> String {
    let done = Command::new("sh").args(["-ec", command]).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{command}: {}{}", text(&done.stdout), text(&done.stderr));
    text(&done.stdout)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// Every command in the source, comments and tests aside: in back quotes, or a program with its options.
fn commands_of_messages() -> BTreeSet<String> {
    let quoted = Regex::new(&format!("`(?:{PROGRAMS}) [^`]*`")).unwrap();
    let bare = Regex::new(&format!(r"(?:^|[^`\w-])(?:{PROGRAMS}) -?[a-z0-9]+ -")).unwrap();
    let mut found = BTreeSet::new();
    for file in sources(&root().join("src")) {
        // The first call of the start page is pasted by tests/browser/first-call.mjs.
        let is_tested_elsewhere = file.ends_with("tests.rs") || file.ends_with("pages/home.rs");
        if file.components().any(|part| part.as_os_str() == "tests") || is_tested_elsewhere {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        // A text goes on in the next line.
        let code = Regex::new(r"\\\n\s*").unwrap().replace_all(&code, "").into_owned();
        found.extend(quoted.find_iter(&code).map(|one| one.as_str().trim_matches('`').to_owned()));
        let others = quoted.replace_all(&code, "");
        assert!(
            bare.find(&others).is_none(),
            "{}: a command without back quotes: {:?}",
            file.display(),
            bare.find(&others)
        );
    }
    found
}

#[test]
fn every_command_in_a_message_is_one_that_is_run_here() {
    let known: BTreeSet<String> = COMMANDS.iter().map(|(command, ..)| (*command).to_owned()).collect();
    assert_eq!(commands_of_messages(), known);
}

#[test]
fn every_command_in_a_message_makes_what_the_service_reads() {
    if !is_installed("openssl") {
        return;
    }
    let has_openssh = is_installed("ssh-keygen");
    for (command, make, problem, makes) in COMMANDS {
        if command.starts_with("ssh-keygen") && !has_openssh {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        sh(
            folder.path(),
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout key.pem -out cert.pem",
        );
        sh(folder.path(), &make.replace("FILE", "old"));
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        let before = problems(makes, &read("old"));
        assert!(before.as_ref().is_some_and(|text| text.contains(problem)), "{make}: {before:?}");
        let sections = String::from_utf8_lossy(&read("old")).matches("-----BEGIN ").count();
        // What the tool asks for.
        let answers = match (command.starts_with("ssh-keygen"), make.contains("pass:x")) {
            (true, _) => " -N ''",
            (false, true) => " -passin pass:x",
            (false, false) => "",
        };
        sh(folder.path(), &format!("{}{answers}", command.replace("FILE", "old").replace("NEW", "new")));
        let made = read(if command.contains("NEW") { "new" } else { "old" });
        assert_eq!(problems(makes, &made), None, "{command}");
        if let Makes::Certificates = makes {
            let certificates = Certificate::read_all(&made).unwrap();
            assert!(certificates.len() >= sections, "{command}: {} of {sections}", certificates.len());
        }
    }
}

/// What the service says of a file; `None` if it can be used.
fn problems(makes: Makes, content: &[u8]) -> Option<String> {
    match makes {
        Makes::Certificates => Certificate::read_all(content).err(),
        Makes::PrivateKey => read_private_key(content).err(),
        Makes::SigningKey => {
            let usable = private_key::parse(std::str::from_utf8(content).unwrap());
            usable.is_none().then(|| "no key that signs".to_owned())
        }
    }
}

/// The spans in back quotes of a text that call OpenSSL; lines of a paragraph are one text.
fn spans(text: &str) -> Vec<String> {
    let text = text.replace('\n', " ");
    let spans = Regex::new("`openssl [^`]*`").unwrap();
    let found = spans.find_iter(&text).map(|one| one.as_str().trim_matches('`').to_owned());
    found.map(|command| command.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_commands_of_the_documents_make_what_they_say() {
    if !is_installed("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let commands = spans(&fs::read_to_string(root().join("docs/identity.md")).unwrap());
    assert!(commands.len() >= 2, "{commands:?}");
    for command in &commands {
        sh(folder.path(), command);
    }
    assert_eq!(Certificate::read_roots(&read("srm.pem")).unwrap().len(), 1);
    assert!(read_private_key(&read("srm.key")).is_ok());
    assert!(private_key::parse(std::str::from_utf8(&read("key.pem")).unwrap()).is_some());

    let example = fs::read_to_string(root().join("config.example.toml")).unwrap();
    let (_, command) = example.split_once("To make one: ").unwrap();
    let secret = sh(folder.path(), command.lines().next().unwrap());
    assert!(secret.starts_with("whsec_") && secret.trim().len() > 40, "a secret for webhooks");
}

#[cfg(feature = "sandbox")]
#[test]
fn the_commands_that_dev_prints_can_be_pasted() {
    if !is_installed("curl") {
        return;
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .arg("dev")
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut commands, mut pages, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.starts_with("curl ") {
            commands.push(line);
        } else if line.starts_with("http://") {
            pages.push(line.split_once("   ").unwrap().0.trim().to_owned());
        } else if line.trim().starts_with("{\"effect\"") {
            faults.push(line.trim().to_owned());
        } else if line.starts_with("Stop:") {
            break;
        }
    }
    let curl = |arguments: &str| sh(root(), &format!("curl --noproxy '*' -sS --fail-with-body {arguments}"));
    let page = curl(pages.iter().find(|page| page.ends_with("/docs")).unwrap());
    assert!(page.contains("srm7-secret"), "the page gets tokens of the sandbox: {page}");
    let answers: Vec<String> = commands
        .iter()
        // The faults first: the order that comes then has them.
        .rev()
        .map(|command| curl(command.strip_prefix("curl ").unwrap()))
        .collect();
    let address = commands[2].split(' ').find(|word| word.contains("/sandbox/faults")).unwrap();
    let help = curl(address);
    for fault in &faults {
        assert!(help.contains(fault), "{fault} is not in the help: {help}");
        assert_eq!(curl(&format!("{address} -d '{fault}'")), "{\"queued\":1}", "{fault}");
    }
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!((commands.len(), pages.len()), (3, 4), "{commands:?} {pages:?}");
    assert!(faults.len() >= 8, "{faults:?}");
    assert!(answers[1].contains("HTTP/1.1 20"), "{answers:?}");
    let token = &answers[2];
    assert!(token.contains("\"expires_in\":600") && !token.contains("operate"), "{token}");
}
