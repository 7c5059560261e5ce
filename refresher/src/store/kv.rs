//! Cloudflare Workers KV, over Cloudflare's REST API.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flagpost_engine::snapshot::Snapshot;
use reqwest::header::AUTHORIZATION;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::json;
use tracing::debug;

use super::{Expected, Item, Store, StoreError, Stored};
use crate::http::{self, BodyFault, NetworkFault, Timeouts};
use crate::retry::{self, Again, Patience, Transient};
use crate::secret::{self, SecretString};

/// Cloudflare's own API.
pub const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// Largest value KV takes.
pub const MAX_VALUE: usize = 25 << 20;
/// Largest metadata KV takes.
const MAX_METADATA: usize = 1024;
/// Cloudflare's codes for a missing key, as opposed to a wrong path or namespace.
const KEY_NOT_FOUND: u32 = 10009;
const NAMESPACE_NOT_FOUND: u32 = 10013;

/// Which key of which namespace, and how it is reached.
#[derive(Debug, Clone)]
pub struct KvSettings {
    /// Address of the API, without a slash at the end.
    pub base: String,
    /// `None` for APIs that have no accounts, such as that of `wrangler dev`.
    pub account: Option<String>,
    pub token: Option<SecretString>,
    pub namespace: String,
    pub key: String,
    pub patience: Patience,
    pub timeouts: Timeouts,
}

/// Keeps the snapshot under one key, without an expiry: a stale snapshot beats a missing one.
///
/// KV has no conditional write. What is expected is compared just before writing, which leaves a
/// window of one request; whoever loses in it finds out when it reads back.
#[derive(Debug)]
pub struct KvStore {
    settings: KvSettings,
    client: Client,
    /// The address of the namespace's values, with a slash at the end.
    values: String,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("workers kv answered {status}{text}{fix}")]
    Status { status: u16, text: String, fix: &'static str, after: Option<Duration> },
    #[error("no answer from workers kv: {0}")]
    Network(#[from] NetworkFault),
    #[error("no whole answer from workers kv: {0}")]
    Body(#[from] BodyFault),
}

impl Transient for Fault {
    fn again(&self) -> Again {
        match self {
            Fault::Status { status: 429 | 500..=599, after, .. } => {
                after.map_or(Again::Soon, Again::After)
            }
            Fault::Status { .. } | Fault::Body(BodyFault::TooLarge(_)) => Again::No,
            Fault::Network(_) | Fault::Body(BodyFault::Network(_)) => Again::Soon,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        StoreError::Failed(fault.to_string())
    }
}

/// What Cloudflare's API says about a request, as far as it is used.
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    code: u32,
}

impl KvStore {
    /// # Errors
    /// The machine has no usable TLS roots.
    pub fn new(settings: KvSettings) -> Result<Self, String> {
        let client = http::client(&settings.base, settings.timeouts)?;
        let account = match &settings.account {
            Some(account) => format!("/accounts/{}", http::segment(account)),
            None => String::new(),
        };
        let values = format!(
            "{}{account}/storage/kv/namespaces/{}/values/",
            settings.base,
            http::segment(&settings.namespace),
        );
        Ok(KvStore { settings, client, values })
    }

    fn request(&self, method: Method, item: &Item) -> Result<RequestBuilder, Fault> {
        let key = item.key(&self.settings.key);
        debug!(%method, namespace = self.settings.namespace, key, "asking workers kv");
        let url = format!("{}{}", self.values, http::segment(&key));
        let request = self.client.request(method, url);
        let Some(token) = &self.settings.token else {
            return Ok(request);
        };
        let bearer = http::authorization("Bearer", token, "the API token")?;
        Ok(request.header(AUTHORIZATION, bearer))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Option<Response>, Fault> {
        let response = request.send().await.map_err(NetworkFault::from)?;
        let status = response.status().as_u16();
        debug!(status, "workers kv answered");
        if response.status().is_success() {
            return Ok(Some(response));
        }
        let after = http::retry_after(response.headers(), SystemTime::now());
        let body = http::error_body(response).await;
        let codes: Vec<u32> = serde_json::from_str::<Envelope>(&body)
            .map(|envelope| envelope.errors.iter().map(|error| error.code).collect())
            .unwrap_or_default();
        if status == 404 && codes.contains(&KEY_NOT_FOUND) {
            return Ok(None);
        }
        let fix = match status {
            _ if codes.contains(&NAMESPACE_NOT_FOUND) => {
                ": check the namespace id (`wrangler kv namespace list`) and the account id"
            }
            400 | 401 | 403 => {
                ": check CLOUDFLARE_API_TOKEN, which needs Workers KV Storage: Edit, and CLOUDFLARE_ACCOUNT_ID"
            }
            404 => ": check CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_BASE_URL",
            _ => "",
        };
        let body = match &self.settings.token {
            Some(token) => secret::hide(&body, token),
            None => body,
        };
        Err(Fault::Status { status, text: http::excerpt(&body), fix, after })
    }

    async fn get(&self, item: &Item) -> Result<Option<Vec<u8>>, Fault> {
        match self.send(self.request(Method::GET, item)?).await? {
            // Somewhat more than KV holds: whatever is there can be looked at.
            Some(response) => Ok(Some(http::body(response, MAX_VALUE * 2).await?)),
            None => Ok(None),
        }
    }

    async fn put(&self, item: &Item, value: Bytes, metadata: Option<String>) -> Result<(), Fault> {
        // With a file name the part is binary; without one a server may take it for text.
        let mut form = Form::new().part("value", Part::stream(value).file_name("value"));
        if let Some(metadata) = metadata {
            form = form.text("metadata", metadata);
        }
        match self.send(self.request(Method::PUT, item)?.multipart(form)).await? {
            Some(_) => Ok(()),
            None => Err(Fault::Status {
                status: 404,
                text: String::new(),
                fix: ": the namespace has no such key and takes none",
                after: None,
            }),
        }
    }

    async fn patiently<T, F>(
        &self,
        what: &str,
        operation: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        Ok(retry::run(self.settings.patience, what, operation).await.0?)
    }
}

#[async_trait]
impl Store for KvStore {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        let bytes = self.patiently("reading workers kv", || self.get(item)).await?;
        Ok(bytes.map(Stored::of))
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        if bytes.len() > MAX_VALUE {
            return Err(StoreError::TooLarge { size: bytes.len(), limit: MAX_VALUE });
        }
        if *expected != Expected::Any {
            let current = self.read(item).await?.map(|stored| stored.version);
            if !expected.allows(current.as_ref()) {
                return Err(StoreError::Conflict);
            }
        }
        let value = Bytes::copy_from_slice(bytes);
        let metadata = metadata(bytes);
        let put = || self.put(item, value.clone(), metadata.clone());
        self.patiently("writing workers kv", put).await
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        let delete = || async { self.send(self.request(Method::DELETE, item)?).await.map(|_| ()) };
        self.patiently("removing from workers kv", delete).await
    }

    fn is_conditional(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        format!("kv:{}/{}", self.settings.namespace, self.settings.key)
    }
}

/// What readers can learn of a snapshot without loading it: `digest`, `etag`, `fetchedAt`,
/// `checkedAt`. None for bytes that are no snapshot, or if an etag makes it too large.
fn metadata(bytes: &[u8]) -> Option<String> {
    let header = Snapshot::open(bytes).ok()?.header().ok()?;
    let text = json!({
        "digest": header.digest,
        "etag": header.etag,
        "fetchedAt": header.fetched_at,
        "checkedAt": header.checked_at,
    })
    .to_string();
    (text.len() <= MAX_METADATA).then_some(text)
}
