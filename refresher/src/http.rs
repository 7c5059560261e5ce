//! What every HTTP exchange of this program has in common.

use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use crate::secret::{ExposeSecret, SecretString};

/// Most bytes of an answer's body shown to people.
const EXCERPT: usize = 200;

/// What may stay as it is in a segment of a path or a value of a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Name and version, for `User-Agent` and for a snapshot's `generator`.
pub const AGENT: &str = concat!("flagpost-refresher/", env!("CARGO_PKG_VERSION"));

/// Time limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the first byte sent to the last one received.
    pub total: Duration,
}

/// A client for one server. It follows no redirect, since a redirect would carry a secret elsewhere,
/// and reaches this machine itself directly, whatever proxy the environment names.
///
/// # Errors
/// The machine has no usable TLS roots.
pub fn client(base: &str, timeouts: Timeouts) -> Result<Client, String> {
    choose_tls();
    let mut builder = Client::builder();
    let base = Url::parse(base).ok();
    if base.as_ref().is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    if base.is_some_and(|base| base.scheme() == "http") {
        // Reading the system's certificates takes longer than all the rest of an unchanged refresh.
        builder = builder.tls_certs_only([]);
    }
    builder
        .user_agent(AGENT)
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .redirect(Policy::none())
        .build()
        .map_err(|error| {
            let cause = causes(&error);
            format!("cannot set up TLS ({cause}): install the system's CA certificates, or set SSL_CERT_FILE")
        })
}

/// Chooses the TLS implementation for the whole process. A second call changes nothing.
pub fn choose_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Why there is no whole answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NetworkFault {
    #[error("timed out {0}")]
    Timeout(&'static str),
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("the answer was cut short: {0}")]
    Cut(String),
    #[error("the request failed: {0}")]
    Other(String),
}

impl From<reqwest::Error> for NetworkFault {
    fn from(error: reqwest::Error) -> Self {
        let timeout = error.is_timeout();
        match (error.is_connect(), error.is_body() || error.is_decode()) {
            (true, _) if timeout => NetworkFault::Timeout("while connecting"),
            (true, _) => NetworkFault::Connect(causes(&error)),
            (_, true) if timeout => NetworkFault::Timeout("while the answer was coming"),
            (_, true) => NetworkFault::Cut(causes(&error)),
            _ if timeout => NetworkFault::Timeout("while waiting for the answer"),
            _ => NetworkFault::Other(causes(&error)),
        }
    }
}

/// The causes behind an error, outermost first. The error itself is left out: it shows the URL.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        next = cause.source();
        let text = match is_tls(cause) {
            true => format!("tls: {cause}"),
            false => cause.to_string(),
        };
        if text.starts_with("client error (") {
            continue;
        }
        // Wrappers often repeat what they wrap.
        match parts.last_mut() {
            Some(last) if last.contains(&text) => {}
            Some(last) if text.contains(last.as_str()) => *last = text,
            _ => parts.push(text),
        }
    }
    if parts.is_empty() { "no cause given".to_owned() } else { parts.join(": ") }
}

/// Whether an error is TLS's, also inside I/O errors, which hide what they wrap from `source`.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| is_tls(wrapped))
}

/// Why a body could not be read whole.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BodyFault {
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error(transparent)]
    Network(#[from] NetworkFault),
}

/// Reads a body after content decoding, up to `limit` bytes.
pub async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyFault> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(BodyFault::TooLarge(limit));
    }
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(NetworkFault::from)? {
        if bytes.len() + chunk.len() > limit {
            return Err(BodyFault::TooLarge(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads what an error's body says, as far as it can be had.
pub async fn error_body(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 8192 {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// At most 200 bytes of a body, on one line, behind a separator; nothing if the body is empty.
#[must_use]
pub fn excerpt(body: &str) -> String {
    let line =
        body.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    let cut = line.floor_char_boundary(EXCERPT);
    match (line.len(), cut) {
        (0, _) => String::new(),
        (length, cut) if length > cut => format!(": {}…", &line[..cut]),
        _ => format!(": {line}"),
    }
}

/// How long the server asks to wait: seconds or a date.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            Some(date.duration_since(now).unwrap_or_default())
        }
    }
}

/// An `Authorization` that no log shows. `what` names the secret in the error.
///
/// # Errors
/// It holds characters that no header can.
pub fn authorization(
    scheme: &str,
    secret: &SecretString,
    what: &str,
) -> Result<HeaderValue, NetworkFault> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret()))
        .map_err(|_| NetworkFault::Other(format!("{what} cannot stand in a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Encodes a text for one segment of a path, or one value of a query.
#[must_use]
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Parses an address that secrets will be sent to.
///
/// # Errors
/// Not an address, more than scheme, host and path, or plain HTTP to another machine.
pub fn secure_base(name: &str, text: &str, allow_http: bool) -> Result<Url, String> {
    let wrong =
        |what: &str| Err(format!("{name} {what}: give scheme and host, such as https://HOST"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not an address");
    };
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return wrong("is not an http(s) address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not hold a query or fragment");
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err(format!(
            "{name} is plain http, and a secret would cross the network in clear: use https (http is for this machine only)"
        ));
    }
    Ok(url)
}

/// Whether an address is this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
