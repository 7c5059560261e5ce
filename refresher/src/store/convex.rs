//! Convex, over its HTTP API: the functions of `flagpost/convex`, called with a deploy key.
//!
//! What is called, and why a content travels in chunks, is told in `js/src/convex`.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::debug;

use super::{Expected, Item, Store, StoreError, Stored, Version};
use crate::http::{self, BodyFault, NetworkFault, Timeouts};
use crate::retry::{self, Again, Patience, Transient};
use crate::secret::{self, ExposeSecret, SecretString};

/// Bytes that fit into one of Convex's documents, which take 1 MiB, as `js/src/convex/limits.ts` has
/// it.
const CHUNK: usize = 960 << 10;
/// Largest snapshot that a query can read: one transaction reads 16 MiB.
const MAX_CURRENT: usize = 15 << 20;
/// Largest content of any other item.
const MAX_OTHER: usize = 64 << 20;
/// Largest answer: Convex's functions return 16 MiB at most, which base64 makes a third longer.
const MAX_ANSWER: usize = 24 << 20;
/// Convex's own status for a function that failed.
const FUNCTION_FAILED: u16 = 560;
/// How often a read begins again because somebody wrote meanwhile.
const READS: usize = 5;
/// Most requests made to delete what a write replaced; what is left then is for the next write.
const SWEEPS: usize = 50;

/// Which deployment, and the name of the snapshot there.
#[derive(Debug, Clone)]
pub struct ConvexSettings {
    /// Address of the deployment, without a slash at the end.
    pub url: String,
    pub name: String,
    pub deploy_key: SecretString,
    pub patience: Patience,
    pub timeouts: Timeouts,
}

/// Keeps each item as a row that names its chunks. One mutation compares what is expected and switches
/// the row to chunks that were uploaded before, so readers find the old content or the new.
///
/// A version is a name that its writer made up, new for every write. So a commit whose answer was lost
/// is recognised when it is tried again.
#[derive(Debug)]
pub struct ConvexStore {
    settings: ConvexSettings,
    client: Client,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("convex answered {status}{text}{fix}")]
    Status { status: u16, text: String, fix: &'static str, after: Option<Duration> },
    #[error("convex could not run {function}{text}{fix}")]
    Function { function: &'static str, text: String, fix: &'static str },
    #[error(
        "convex's answer to {0} is none of flagpost's: update the npm package and the refresher to the same version, and run `npx convex deploy`"
    )]
    Answer(&'static str),
    #[error("no answer from convex: {0}")]
    Network(#[from] NetworkFault),
    #[error("no whole answer from convex: {0}")]
    Body(#[from] BodyFault),
}

impl Transient for Fault {
    fn again(&self) -> Again {
        match self {
            Fault::Status { status: 408 | 429 | 500..=599, after, .. } => {
                after.map_or(Again::Soon, Again::After)
            }
            Fault::Status { .. }
            | Fault::Function { .. }
            | Fault::Answer(_)
            | Fault::Body(BodyFault::TooLarge(_)) => Again::No,
            Fault::Network(_) | Fault::Body(BodyFault::Network(_)) => Again::Soon,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        StoreError::Failed(fault.to_string())
    }
}

/// The answer to a call, in Convex's words.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Answer<T> {
    Success { value: T },
    Error { error_message: String },
}

/// Bytes as Convex's own clients send and get them; its plain `json` has none.
#[derive(Deserialize)]
struct Encoded {
    #[serde(rename = "$bytes")]
    base64: String,
}

/// A part of an item. Convex's numbers are doubles, and look so.
#[derive(Deserialize)]
struct Part {
    version: String,
    size: f64,
    chunks: f64,
    pieces: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Committed {
    status: Status,
    left: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Committed,
    Conflict,
    Incomplete,
}

/// A function of `convex/flagpost.ts`.
#[derive(Clone, Copy)]
struct Function {
    kind: &'static str,
    path: &'static str,
}

const READ: Function = Function { kind: "query", path: "flagpost:read" };
const STAGE: Function = Function { kind: "mutation", path: "flagpost:stage" };
const COMMIT: Function = Function { kind: "mutation", path: "flagpost:commit" };
const REMOVE: Function = Function { kind: "mutation", path: "flagpost:remove" };
const SWEEP: Function = Function { kind: "mutation", path: "flagpost:sweep" };

impl ConvexStore {
    /// # Errors
    /// The machine has no usable TLS roots.
    pub fn new(settings: ConvexSettings) -> Result<Self, String> {
        let client = http::client(&settings.url, settings.timeouts)?;
        Ok(ConvexStore { settings, client })
    }

    /// Calls a function once.
    async fn call<T: DeserializeOwned>(
        &self,
        function: Function,
        arguments: &Value,
    ) -> Result<T, Fault> {
        let Function { kind, path } = function;
        debug!(path, "asking convex");
        let body = json!({ "path": path, "args": arguments, "format": "convex_encoded_json" });
        let response = self
            .client
            .post(format!("{}/api/{kind}", self.settings.url))
            .header(
                AUTHORIZATION,
                http::authorization("Convex", &self.settings.deploy_key, "the deploy key")?,
            )
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(NetworkFault::from)?;
        let status = response.status().as_u16();
        debug!(status, "convex answered");
        if !response.status().is_success() && status != FUNCTION_FAILED {
            let after = http::retry_after(response.headers(), SystemTime::now());
            let text = self.excerpt(&http::error_body(response).await);
            return Err(Fault::Status { status, text, fix: fix_of_status(status), after });
        }
        let body = http::body(response, MAX_ANSWER).await?;
        match serde_json::from_slice(&body).map_err(|_| Fault::Answer(path))? {
            Answer::Success { value } => Ok(value),
            Answer::Error { error_message } => {
                let (text, fix) = (self.excerpt(&error_message), fix_of_message(&error_message));
                Err(Fault::Function { function: path, text, fix })
            }
        }
    }

    /// A part of what Convex said, without the key. What stands before the key's `|` is no secret.
    fn excerpt(&self, text: &str) -> String {
        let key = &self.settings.deploy_key;
        let mut text = secret::hide(text, key);
        if let Some((_, secret)) = key.expose_secret().split_once('|') {
            text = secret::hide(&text, &secret.into());
        }
        http::excerpt(&text)
    }

    async fn patiently<T: DeserializeOwned>(
        &self,
        what: &str,
        function: Function,
        arguments: &Value,
    ) -> Result<T, StoreError> {
        let call = || self.call(function, arguments);
        Ok(retry::run(self.settings.patience, what, call).await.0?)
    }

    fn key(&self, item: &Item) -> String {
        item.key(&self.settings.name)
    }

    /// Reads an item's chunks one part after the other. The outer `None`: another version came between.
    async fn read_once(&self, key: &str) -> Result<Option<Option<Stored>>, StoreError> {
        let (mut bytes, mut taken) = (Vec::new(), 0usize);
        let mut version: Option<String> = None;
        loop {
            let arguments = json!({ "key": key, "from": taken as f64 });
            let part: Option<Part> = self.patiently("reading convex", READ, &arguments).await?;
            let Some(part) = part else {
                return Ok(version.is_none().then_some(None));
            };
            if version.as_ref().is_some_and(|version| *version != part.version) {
                return Ok(None);
            }
            for piece in &part.pieces {
                BASE64
                    .decode_vec(&piece.base64, &mut bytes)
                    .map_err(|_| Fault::Answer(READ.path))?;
            }
            taken += part.pieces.len();
            if taken as f64 >= part.chunks {
                if bytes.len() as f64 != part.size {
                    return Err(Fault::Answer(READ.path).into());
                }
                return Ok(Some(Some(Stored { bytes, version: Version(part.version) })));
            }
            if part.pieces.is_empty() {
                return Err(Fault::Answer(READ.path).into());
            }
            version = Some(part.version);
        }
    }

    /// Uploads a content that does not fit into one document.
    async fn upload(&self, version: &str, bytes: &[u8]) -> Result<(), StoreError> {
        for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
            let arguments =
                json!({ "version": version, "index": index as f64, "bytes": encoded(chunk) });
            let taken: bool = self.patiently("uploading to convex", STAGE, &arguments).await?;
            if !taken {
                return Err(given_up());
            }
        }
        Ok(())
    }

    /// Has deleted what no item holds any more. A failure is for the next write to make good.
    async fn sweep(&self, mut left: bool) {
        for _ in 0..SWEEPS {
            if !left {
                return;
            }
            match self.call(SWEEP, &json!({})).await {
                Ok(more) => left = more,
                Err(error) => {
                    debug!("sweeping is left to the next write: {error}");
                    return;
                }
            }
        }
    }
}

#[async_trait]
impl Store for ConvexStore {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        let key = self.key(item);
        for _ in 0..READS {
            if let Some(found) = self.read_once(&key).await? {
                return Ok(found);
            }
        }
        Err(StoreError::Failed(format!(
            "{} was written {READS} times while it was read",
            self.describe()
        )))
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        let (size, limit) =
            (bytes.len(), if *item == Item::Current { MAX_CURRENT } else { MAX_OTHER });
        if size > limit {
            return Err(StoreError::TooLarge { size, limit });
        }
        let version = new_version()?;
        let mut arguments =
            json!({ "key": self.key(item), "version": version, "size": size as f64 });
        match expected {
            Expected::Absent => arguments["expected"] = Value::Null,
            Expected::Is(Version(version)) => arguments["expected"] = json!(version),
            Expected::Any => {}
        }
        if size > CHUNK {
            self.upload(&version, bytes).await?;
        } else {
            arguments["bytes"] = encoded(bytes);
        }
        let Committed { status, left } =
            self.patiently("writing convex", COMMIT, &arguments).await?;
        self.sweep(left).await;
        match status {
            Status::Committed => Ok(()),
            Status::Conflict => Err(StoreError::Conflict),
            Status::Incomplete => Err(given_up()),
        }
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        let arguments = json!({ "key": self.key(item) });
        let left = self.patiently("removing from convex", REMOVE, &arguments).await?;
        self.sweep(left).await;
        Ok(())
    }

    fn describe(&self) -> String {
        format!("convex:{}#{}", self.settings.url, self.settings.name)
    }
}

fn encoded(bytes: &[u8]) -> Value {
    json!({ "$bytes": BASE64.encode(bytes) })
}

/// A name that no other write has.
fn new_version() -> Result<String, StoreError> {
    let mut random = [0u8; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| StoreError::Failed("the system gives no random numbers".to_owned()))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn given_up() -> StoreError {
    StoreError::Failed(
        "the upload to convex stood still for an hour and was swept: run again".to_owned(),
    )
}

fn fix_of_status(status: u16) -> &'static str {
    match status {
        400 | 401 | 403 => {
            ": check CONVEX_DEPLOY_KEY, which must be a deploy key of this deployment that may run internal functions"
        }
        404 => {
            ": check the deployment's address, such as https://NAME.convex.cloud (`npx convex dashboard` shows it)"
        }
        413 => ": the deployment takes smaller requests than Convex documents, which is 16 MiB",
        _ => "",
    }
}

fn fix_of_message(message: &str) -> &'static str {
    let says = |part| message.contains(part);
    if says("Could not find") && says("function") {
        ": add convex/flagpost.ts and its tables (see examples/convex) and run `npx convex deploy`"
    } else if says("ArgumentValidationError") || says("as Query, but") || says("as Mutation, but") {
        ": the deployed functions are of another version: update the npm package and run `npx convex deploy`"
    } else if says("too large") || says("too much data") || says("too many") {
        ": the deployment has lower limits than Convex documents"
    } else {
        ""
    }
}
