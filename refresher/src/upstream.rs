//! PostHog, asked for definitions. The one place where an HTTP status becomes a meaning.

use std::time::{Duration, SystemTime};

use flagpost_engine::snapshot;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap, IF_NONE_MATCH, LOCATION};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use tracing::{Instrument, debug, info_span};
use url::Url;

use crate::clock::Clock;
use crate::http::{self, BodyFault, NetworkFault, Timeouts};
use crate::progress;
use crate::retry::{self, Again, Patience, Transient};
use crate::secret::{self, SecretString};

/// Who is asked, with which keys, and how patiently.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme, host and path, without a slash at the end.
    pub host: String,
    pub project_key: String,
    pub personal_key: SecretString,
    pub patience: Patience,
    pub timeouts: Timeouts,
    /// Most bytes of definitions taken, after decompression.
    pub max_size: usize,
}

/// PostHog's answer.
#[derive(Debug)]
pub enum Reply {
    Definitions {
        body: Vec<u8>,
        etag: Option<String>,
    },
    /// What the `ETag` names is current. The answer may carry another name for it.
    NotModified {
        etag: Option<String>,
    },
}

/// Why there are no definitions.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    #[error(
        "posthog answered 401{0}: check that the personal or secret API key is right and belongs to this host's region"
    )]
    Unauthorized(String),
    #[error(
        "posthog answered 403{0}: give the key the scope feature_flag:read, and check that it may read the project that the project key names"
    )]
    Forbidden(String),
    #[error(
        "posthog answered 402{0}: the feature flag quota is used up, see the project's billing limits"
    )]
    Quota(String),
    #[error(
        "posthog answered 404{0}: check the host, https://us.i.posthog.com or https://eu.i.posthog.com unless self-hosted"
    )]
    NotFound(String),
    #[error("posthog answered 429, too many requests{}{excerpt}", .after.map(|time| format!(", retry after {} s", time.as_secs())).unwrap_or_default())]
    RateLimited { after: Option<Duration>, excerpt: String },
    #[error(
        "posthog answered 503, required data not found in cache: its cache is warming up, or the project has no flags yet"
    )]
    ColdCache { after: Option<Duration> },
    #[error("posthog answered {status}{excerpt}")]
    Server { status: u16, after: Option<Duration>, excerpt: String },
    #[error(
        "posthog answered {status}, a redirect to {to}: it is not followed, since that would send the key there; set the host to it if it is right"
    )]
    Redirected { status: u16, to: String },
    #[error("posthog answered {status}{excerpt}")]
    Unexpected { status: u16, excerpt: String },
    #[error("no answer from {host}: {fault}")]
    Network { host: String, fault: NetworkFault },
    #[error("posthog's answer is larger than {} MiB: raise --max-size if that is right", .0 >> 20)]
    TooLarge(usize),
}

impl Transient for Fault {
    fn again(&self) -> Again {
        match self {
            Fault::RateLimited { after, .. }
            | Fault::ColdCache { after }
            | Fault::Server { after, .. } => after.map_or(Again::Soon, Again::After),
            Fault::Network { .. } => Again::Soon,
            Fault::Unauthorized(_)
            | Fault::Forbidden(_)
            | Fault::Quota(_)
            | Fault::NotFound(_)
            | Fault::Redirected { .. }
            | Fault::Unexpected { .. }
            | Fault::TooLarge(_) => Again::No,
        }
    }
}

impl Fault {
    /// A 304 without a condition that it could answer.
    pub(crate) fn unconditional() -> Self {
        Fault::Unexpected { status: 304, excerpt: String::new() }
    }
}

/// A reply, or why there is none, with what the asking took.
#[derive(Debug)]
pub struct Asked {
    /// With a reply, when its attempt began: the definitions are at least as new as this.
    pub result: Result<(Reply, Timestamp), Fault>,
    pub attempts: u32,
}

/// PostHog as seen with one project's keys.
#[derive(Debug)]
pub struct Upstream {
    settings: Settings,
    client: Client,
    identity: snapshot::Upstream,
}

impl Upstream {
    /// # Errors
    /// The machine has no usable TLS roots.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let client = http::client(&settings.host, settings.timeouts)?;
        let project = Sha256::digest(&settings.project_key);
        let project = project.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        let identity = snapshot::Upstream {
            host: settings.host.clone(),
            project: format!("sha256:{project}"),
        };
        Ok(Upstream { settings, client, identity })
    }

    /// Who is asked, for a snapshot's header.
    #[must_use]
    pub fn identity(&self) -> &snapshot::Upstream {
        &self.identity
    }

    /// The project's public key.
    #[must_use]
    pub fn project_key(&self) -> &str {
        &self.settings.project_key
    }

    /// Asks for definitions, unless they are still those that `etag` names. Network faults, 429 and
    /// 5xx are tried again within [`Settings::patience`].
    pub async fn fetch(&self, etag: Option<&str>, clock: &dyn Clock) -> Asked {
        let host = self.settings.host.split_once("://").map_or("", |(_, host)| host);
        let _asking = progress::doing(|| format!("asking {host}"));
        let span = info_span!(target: "flagpost", "ask", host, conditional = etag.is_some());
        let (result, attempts) = retry::run(self.settings.patience, "definitions", || async {
            let at = clock.now();
            Ok((self.attempt(etag, clock).await?, at))
        })
        .instrument(span)
        .await;
        Asked { result, attempts }
    }

    /// Asks for definitions, whatever was known of them before, as [`Upstream::fetch`] does. Gives
    /// them with their etag.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn definitions(&self, clock: &dyn Clock) -> Result<(Vec<u8>, Option<String>), Fault> {
        match self.fetch(None, clock).await.result?.0 {
            Reply::Definitions { body, etag } => Ok((body, etag)),
            Reply::NotModified { .. } => Err(Fault::unconditional()),
        }
    }

    async fn attempt(&self, etag: Option<&str>, clock: &dyn Clock) -> Result<Reply, Fault> {
        let Settings { host, project_key, personal_key, max_size, .. } = &self.settings;
        debug!(host, conditional = etag.is_some(), "asking for definitions");
        let network = |fault| Fault::Network { host: host.clone(), fault };
        let token = http::segment(project_key);
        let bearer = http::authorization("Bearer", personal_key, "the key").map_err(network)?;
        let mut request = self
            .client
            .get(format!("{host}/flags/definitions?token={token}&send_cohorts"))
            .header(AUTHORIZATION, bearer);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|error| network(error.into()))?;
        debug!(status = response.status().as_u16(), length = response.content_length(), "answered");
        let meaning = self.meaning(response, etag.is_some(), clock).await;
        match meaning {
            Ok((response, etag)) if response.status() == StatusCode::OK => {
                let body = http::body(response, *max_size).await.map_err(|fault| match fault {
                    BodyFault::TooLarge(limit) => Fault::TooLarge(limit),
                    BodyFault::Network(fault) => network(fault),
                })?;
                Ok(Reply::Definitions { body, etag })
            }
            Ok((_, etag)) => Ok(Reply::NotModified { etag }),
            Err(fault) => Err(fault),
        }
    }

    /// What a status means. Gives the response back when it carries or confirms definitions.
    async fn meaning(
        &self,
        response: Response,
        conditional: bool,
        clock: &dyn Clock,
    ) -> Result<(Response, Option<String>), Fault> {
        let status = response.status().as_u16();
        let after = http::retry_after(response.headers(), SystemTime::from(clock.now()));
        if status == 200 || (status == 304 && conditional) {
            let etag = response
                .headers()
                .get(ETAG)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned);
            return Ok((response, etag));
        }
        if let 301 | 302 | 303 | 307 | 308 = status {
            return Err(Fault::Redirected { status, to: self.target(response.headers()) });
        }
        let body = http::error_body(response).await;
        let excerpt = http::excerpt(&secret::hide(&body, &self.settings.personal_key));
        Err(match status {
            401 => Fault::Unauthorized(excerpt),
            402 => Fault::Quota(excerpt),
            403 => Fault::Forbidden(excerpt),
            404 => Fault::NotFound(excerpt),
            429 => Fault::RateLimited { after, excerpt },
            503 if body.to_ascii_lowercase().contains("required data not found in cache") => {
                Fault::ColdCache { after }
            }
            500..=599 => Fault::Server { status, after, excerpt },
            _ => Fault::Unexpected { status, excerpt },
        })
    }

    /// Where a redirect points, without path and query.
    fn target(&self, headers: &HeaderMap) -> String {
        let base = Url::parse(&self.settings.host).ok();
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        match (base, location) {
            (Some(base), Some(location)) => match base.join(location) {
                Ok(url) => url.origin().ascii_serialization(),
                Err(_) => "an address that is none".to_owned(),
            },
            _ => "nowhere".to_owned(),
        }
    }
}
