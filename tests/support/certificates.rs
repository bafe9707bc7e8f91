//! A private CA, made by OpenSSL: certificates as other people's tools make them.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use purchase_order_webhook::digest::sha256;
use tempfile::TempDir;

/// The kind of a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// RSA of 2048 bits, as old SAP systems want it.
    Rsa,
    /// P-256
    Ec,
}

/// A certificate and its key, in files.
#[derive(Debug, Clone)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Pair {
    /// Both in one text.
    pub fn pem(&self) -> String {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        format!("{}{}", read(&self.certificate), read(&self.key))
    }

    /// The certificate in DER.
    pub fn der(&self) -> Vec<u8> {
        STANDARD.decode(self.base64()).unwrap()
    }

    /// The certificate in DER, in base64.
    pub fn base64(&self) -> String {
        let pem = std::fs::read_to_string(&self.certificate).unwrap();
        pem.lines().filter(|line| !line.starts_with("-----")).collect()
    }

    /// `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&self.der()))
    }

    pub fn identity(&self) -> reqwest::Identity {
        reqwest::Identity::from_pem(self.pem().as_bytes()).unwrap()
    }
}

/// A folder, and how to put a file into it.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// A CA, and the certificates that it has signed.
pub struct Ca {
    folder: TempDir,
    root: Pair,
}

impl Ca {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = pair(folder.path(), "ca");
        let extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
        self_sign(folder.path(), &root, Kind::Ec, "/CN=Test CA", &extensions);
        Self { folder, root }
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &Path {
        &self.root.certificate
    }

    pub fn trusted(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(&std::fs::read(self.certificate()).unwrap()).unwrap()
    }

    /// A server on 127.0.0.1.
    pub fn server(&self, name: &str, kind: Kind) -> Pair {
        let extensions = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n";
        self.issue(name, kind, &format!("/CN={name}"), extensions)
    }

    pub fn client(&self, name: &str) -> Pair {
        self.issue(name, Kind::Ec, &format!("/CN={name}"), "extendedKeyUsage=clientAuth\n")
    }

    fn issue(&self, name: &str, kind: Kind, subject: &str, extensions: &str) -> Pair {
        let folder = self.folder.path();
        let issued = pair(folder, name);
        let (request, file) = (folder.join(format!("{name}.csr")), folder.join(format!("{name}.ext")));
        std::fs::write(&file, format!("basicConstraints=CA:FALSE\n{extensions}")).unwrap();
        let mut command = new_request(&issued, kind, subject);
        run(command.arg("-out").arg(&request));
        let mut command = Command::new("openssl");
        command.args(["x509", "-req", "-days", "2", "-in"]).arg(&request);
        command.arg("-CA").arg(&self.root.certificate).arg("-CAkey").arg(&self.root.key);
        run(command.arg("-CAcreateserial").arg("-extfile").arg(&file).arg("-out").arg(&issued.certificate));
        issued
    }

    /// A server on 127.0.0.1 whose certificate is valid between two days, each as `YYYYMMDD`.
    pub fn server_between(&self, name: &str, from: &str, until: &str) -> Pair {
        let folder = self.folder.path();
        let issued = pair(folder, name);
        let request = folder.join(format!("{name}.csr"));
        run(new_request(&issued, Kind::Ec, &format!("/CN={name}")).arg("-out").arg(&request));
        let config = "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nserial = serial.txt\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\n\
            x509_extensions = server\nunique_subject = no\n[any]\ncommonName = supplied\n\
            [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:127.0.0.1,DNS:localhost\n";
        std::fs::write(folder.join("ca.cnf"), config).unwrap();
        std::fs::write(folder.join("index.txt"), "").unwrap();
        std::fs::write(folder.join("serial.txt"), "01\n").unwrap();
        let mut command = Command::new("openssl");
        command.current_dir(folder).args(["ca", "-batch", "-notext", "-config", "ca.cnf"]);
        command.args(["-startdate", &format!("{from}000000Z"), "-enddate", &format!("{until}000000Z")]);
        command.arg("-cert").arg(&self.root.certificate).arg("-keyfile").arg(&self.root.key);
        run(command.arg("-in").arg(&request).arg("-out").arg(&issued.certificate));
        issued
    }

    /// A self-signed certificate of version 1, as `openssl x509 -req` makes it.
    pub fn of_version_1(&self, name: &str) -> Pair {
        let old = pair(self.folder.path(), name);
        let request = self.folder.path().join(format!("{name}.csr"));
        run(new_request(&old, Kind::Ec, &format!("/CN={name}")).arg("-out").arg(&request));
        let mut command = Command::new("openssl");
        command.args(["x509", "-req", "-days", "90", "-in"]).arg(&request).arg("-signkey").arg(&old.key);
        run(command.arg("-out").arg(&old.certificate));
        old
    }

    /// A CA whose own certificate is one of version 1.
    pub fn old() -> Self {
        let mut ca = Self::new();
        ca.root = ca.of_version_1("old-ca");
        ca
    }

    /// A self-signed certificate of a client.
    pub fn self_signed(&self, name: &str) -> Pair {
        let alone = pair(self.folder.path(), name);
        let extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"];
        self_sign(self.folder.path(), &alone, Kind::Ec, &format!("/CN={name}"), &extensions);
        alone
    }
}

fn pair(folder: &Path, name: &str) -> Pair {
    Pair { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) }
}

fn new_request(pair: &Pair, kind: Kind, subject: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args(["req", "-new", "-nodes", "-subj", subject, "-keyout"]).arg(&pair.key);
    match kind {
        Kind::Rsa => command.args(["-newkey", "rsa:2048"]),
        Kind::Ec => command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    };
    command
}

fn self_sign(folder: &Path, pair: &Pair, kind: Kind, subject: &str, extensions: &[&str]) {
    let mut command = new_request(pair, kind, subject);
    command.args(["-x509", "-days", "2"]).current_dir(folder);
    for extension in extensions {
        command.args(["-addext", extension]);
    }
    run(command.arg("-out").arg(&pair.certificate));
}

fn run(command: &mut Command) {
    let output = command.output().expect("openssl is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
