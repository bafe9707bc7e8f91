//! A private PostgreSQL server: a new cluster in a temporary folder, on a Unix socket and a free port.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A running server; stopped and removed with this handle.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    pub port: u16,
}

impl Postgres {
    /// Starts a server. `None`, said loudly, where PostgreSQL is not installed; on CI that is a failure.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let text = "NOT RUN: PostgreSQL is not installed (Debian: apt-get install postgresql)";
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        };
        let mut server = Self::new(programs);
        let data = server.data();
        run(server.command("initdb").args(["--auth=trust", "--username=postgres", "--no-sync", "-D"]).arg(&data));
        server.start_on_a_free_port();
        Some(server)
    }

    /// A server that is not there yet, with a folder that is its own.
    fn new(programs: PathBuf) -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap(), programs, port: 0 };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        server
    }

    fn start_on_a_free_port(&mut self) {
        // As late as possible, so that hardly another process can take the port meanwhile.
        self.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.restart();
    }

    /// Starts a standby of this server that every commit waits for.
    pub fn standby(&self) -> Self {
        let mut standby = Self::new(self.programs.clone());
        let port = self.port.to_string();
        let mut copy = standby.command("pg_basebackup");
        copy.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-D"]);
        run(copy.arg(standby.data()));
        standby.start_on_a_free_port();
        self.set("synchronous_standby_names", "*");
        let is_followed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        for _ in 0..1_000 {
            if self.run_sql("postgres", is_followed) == "1" {
                return standby;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the standby never followed");
    }

    /// Makes a standby the primary, which waits for no standby of its own.
    pub fn promote(&self) {
        self.control(&["-w", "promote"]);
        self.set("synchronous_standby_names", "");
    }

    /// Starts a stopped server as a standby that follows nobody: read-only, and behind.
    pub fn restart_read_only(&self) {
        self.write_file("standby.signal", "");
        self.restart();
    }

    /// Changes a setting of the running server, for open sessions too.
    pub fn set(&self, name: &str, value: &str) {
        self.run_sql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.run_sql("postgres", "SELECT pg_reload_conf()");
        for _ in 0..1_000 {
            if self.run_sql("postgres", &format!("SHOW {name}")) == value {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{name} never became {value}");
    }

    /// Replaces a file in the server's folder, such as `pg_hba.conf`, and makes it the server's own.
    pub fn write_file(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, content).unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&path));
        }
        run(Command::new("chmod").arg("600").arg(&path));
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }

    fn control(&self, action: &[&str]) {
        let folder = self.folder.path().display();
        let options = format!("-p {} -k {folder} -c listen_addresses=127.0.0.1,::1 -c max_connections=60", self.port);
        let log = self.folder.path().join("log");
        run(self.command("pg_ctl").arg("-D").arg(self.data()).arg("-l").arg(log).arg("-o").arg(options).args(action));
    }

    /// Stops the server as a crash does, and starts it again.
    pub fn crash_and_restart(&self) {
        self.crash();
        self.restart();
    }

    /// Stops the server as a crash does.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "-w", "stop"]);
    }

    /// Starts it again.
    pub fn restart(&self) {
        self.control(&["-w", "start"]);
    }

    /// Makes an empty database and returns its URL.
    pub fn database(&self, name: &str) -> String {
        self.run_sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }

    /// Runs statements with `psql`, and returns what it prints.
    pub fn run_sql(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let mut command = self.command("psql");
        command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", database, "-qAtX", "-c", sql]);
        run(&mut command)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stop = ["-D", &self.data().display().to_string(), "-m", "immediate", "stop"].map(str::to_owned);
        // The server may have been stopped by the test.
        let _ = self.command("pg_ctl").args(stop).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// Debian keeps the server's programs out of PATH, a folder for each version.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        debian.map(|entry| entry.path().join("bin")).filter(|path| has_server(path)).collect();
    found.sort();
    let in_path = || std::env::vars().find(|(name, _)| name == "PATH").map(|(_, value)| value).unwrap_or_default();
    found.pop().or_else(|| std::env::split_paths(&in_path()).find(|path| has_server(path)))
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// Runs a command and returns its output. The server that `pg_ctl` starts would hold a pipe open, so output goes to a file.
fn run(command: &mut Command) -> String {
    let (out, errors) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let status = command
        .stdin(Stdio::null())
        .stdout(out.reopen().unwrap())
        .stderr(errors.reopen().unwrap())
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let read = |file: &tempfile::NamedTempFile| std::fs::read_to_string(file.path()).unwrap();
    assert!(status.success(), "{command:?}: {}{}", read(&out), read(&errors));
    read(&out).trim().to_owned()
}
