//! Spans of a refresh, sent to an OpenTelemetry collector: OTLP over HTTP, as protobuf.
//!
//! The `OTEL_*` variables of the specification apply, with one departure: without an endpoint nothing
//! is sent, since most machines have no collector that would listen at the default one.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;
use tracing::{debug, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use crate::config;
use crate::http::{self, NetworkFault, Timeouts};

/// How long the end of the program may wait for spans to be sent.
const LAST_CALL: Duration = Duration::from_secs(3);
/// Most bytes taken of a collector's answer, of which only the status matters.
const ANSWER_SIZE: usize = 64 * 1024;
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

/// The layer that makes spans; it comes first on the registry.
pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends what is left when it is dropped.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_CALL) {
            debug!("the last spans may be lost: {error}");
        }
    }
}

fn variable(names: &[&str]) -> Option<String> {
    config::first_set(&config::environment, names)
}

fn is_off() -> bool {
    let is = |name: &str, off: &str| variable(&[name]).is_some_and(|v| v.eq_ignore_ascii_case(off));
    is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none")
}

/// Starts sending, if the environment names a collector.
///
/// # Errors
/// The settings cannot be used, as text.
pub(crate) fn start() -> Result<Option<(BoxedLayer, Telemetry)>, String> {
    let Some(endpoint) = variable(&ENDPOINTS).filter(|_| !is_off()) else {
        return Ok(None);
    };
    if let Some(protocol) = variable(&PROTOCOLS).filter(|name| name != "http/protobuf") {
        return Err(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}: set it to http/protobuf, the only one spoken here"
        ));
    }
    let timeout = variable(&TIMEOUTS).and_then(|millis| millis.parse().ok()).unwrap_or(10_000);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(&endpoint, Duration::from_millis(timeout))?)
        .with_protocol(Protocol::HttpBinary)
        .build()
        .map_err(|error| error.to_string())?;
    let resource = match variable(&["OTEL_SERVICE_NAME"]) {
        // The resource reads it by itself.
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name("flagpost-refresher"),
    };
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.build())
        .with_batch_exporter(exporter)
        .build();
    // The same targets as in the logs: what HTTP libraries trace would tell headers.
    let own = Targets::new()
        .with_target("flagpost", LevelFilter::INFO)
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("flagpost-refresher"))
        .with_location(false)
        .with_threads(false)
        .with_filter(own);
    Ok(Some((layer.boxed(), Telemetry { provider })))
}

/// Sends by this program's own HTTP client, so that there is one TLS implementation.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    /// The exporter sends from a thread of its own, where no other runtime is.
    runtime: Runtime,
    failed: AtomicBool,
}

impl Sender {
    fn new(endpoint: &str, timeout: Duration) -> Result<Self, String> {
        let client = http::client(endpoint, Timeouts { connect: timeout, total: timeout })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(Sender { client, runtime, failed: AtomicBool::new(false) })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NetworkFault> {
        let response = self.client.execute(request.try_into()?).await?;
        let status = response.status();
        let body = http::body(response, ANSWER_SIZE).await.unwrap_or_default();
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = status;
        Ok(answer)
    }

    /// The first failure is worth a warning; a collector that is down for a day is not worth more.
    fn failure(&self, what: &str) {
        if self.failed.swap(true, Relaxed) {
            debug!("spans could not be sent: {what}");
        } else {
            warn!("spans could not be sent: {what}");
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.runtime.block_on(self.send(request)) {
            Ok(answer) => {
                if !answer.status().is_success() {
                    self.failure(&format!("the collector answered {}", answer.status().as_u16()));
                }
                Ok(answer)
            }
            Err(fault) => {
                self.failure(&fault.to_string());
                Err(fault.into())
            }
        }
    }
}
