//! A stand-in for Workers KV that keeps what it is given and counts what it is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// Requests by their method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub gets: u32,
    pub puts: u32,
    pub deletes: u32,
}

#[derive(Default)]
pub struct State {
    /// By the key as it stands in the address.
    pub values: HashMap<String, Vec<u8>>,
    pub asked: Asked,
}

pub struct Kv {
    pub server: MockServer,
    pub state: Arc<Mutex<State>>,
}

impl Kv {
    pub async fn start() -> Self {
        let (server, state) = (MockServer::start().await, Arc::new(Mutex::new(State::default())));
        let shared = state.clone();
        Mock::given(any())
            .respond_with(move |request: &Request| shared.lock().unwrap().answer(request))
            .mount(&server)
            .await;
        Kv { server, state }
    }

    /// The environment of a program that uses it.
    pub fn environment(&self) -> [(&'static str, String); 1] {
        [("CLOUDFLARE_API_BASE_URL", self.server.uri())]
    }

    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().values.get(key).cloned()
    }

    /// What was asked since this was last wanted.
    pub fn asked(&self) -> Asked {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let key = request.url.path().rsplit('/').next().unwrap_or_default().to_owned();
        match request.method.as_str() {
            "GET" => {
                self.asked.gets += 1;
                match self.values.get(&key) {
                    Some(value) => ResponseTemplate::new(200).set_body_bytes(value.clone()),
                    None => ResponseTemplate::new(404).set_body_string(
                        r#"{"success":false,"errors":[{"code":10009,"message":"key not found"}]}"#,
                    ),
                }
            }
            "PUT" => {
                self.asked.puts += 1;
                self.values.insert(key, part(&request.body, "value").to_vec());
                ResponseTemplate::new(200)
            }
            _ => {
                self.asked.deletes += 1;
                self.values.remove(&key);
                ResponseTemplate::new(200)
            }
        }
    }
}

/// A part of a multipart body by its name.
pub fn part<'a>(body: &'a [u8], name: &str) -> &'a [u8] {
    let find = |bytes: &[u8], what: &[u8]| {
        bytes.windows(what.len()).position(|part| part == what).unwrap()
    };
    let boundary = &body[..find(body, b"\r\n")];
    let start = find(body, format!("name=\"{name}\"").as_bytes());
    let start = start + find(&body[start..], b"\r\n\r\n") + 4;
    let end = start + find(&body[start..], boundary) - 2;
    &body[start..end]
}
