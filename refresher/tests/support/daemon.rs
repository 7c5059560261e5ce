//! The real daemon as a child process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use refresher::http::{Timeouts, client};
use wiremock::MockServer;

use super::{PERSONAL_KEY, PROJECT_KEY, command};

/// How long a test waits for what should happen soon, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Daemon {
    pub child: Child,
    log: Arc<Mutex<String>>,
}

/// `refresher watch` every second, with keys set, and an endpoint on a free port.
pub fn watch(host: &str, store: &str, more: &[&str]) -> Command {
    let mut command = command(["watch", "--host", host, "--store", store, "--interval", "1s"]);
    command.args(["--listen", "127.0.0.1:0", "--retries", "0"]).args(more);
    command.env("POSTHOG_PROJECT_KEY", PROJECT_KEY).env("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY);
    command
}

impl Daemon {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, into) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = into.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Daemon { child, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub async fn until_log(&self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "no {words:?} in {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a stand-in was asked for something.
    pub async fn until_asked(&self, server: &MockServer) {
        let end = Instant::now() + PATIENCE;
        while server.received_requests().await.unwrap().is_empty() {
            assert!(Instant::now() < end, "it asks for nothing: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where the endpoint is.
    pub async fn address(&self) -> String {
        self.until_log("listening on http://").await;
        let log = self.log();
        let (_, rest) = log.split_once("listening on http://").unwrap();
        rest.split_once(": ").unwrap().0.to_owned()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let address = self.address().await;
        let base = format!("http://{address}");
        let timeouts = Timeouts { connect: PATIENCE, total: PATIENCE };
        let request = client(&base, timeouts).unwrap().get(format!("{base}{path}"));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Asks until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(u16, &str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let (status, text) = self.get(path).await;
            if wanted(status, &text) {
                return text;
            }
            assert!(Instant::now() < end, "{path}: {status} {text}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end; gives the exit code and how long it took.
    pub async fn ended(&mut self) -> (i32, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
