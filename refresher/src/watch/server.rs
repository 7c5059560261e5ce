//! The endpoint: `/healthz`, `/readyz`, `/metrics`. It reads what is known and changes nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::state::State;
use crate::clock::Clock;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 32;
/// How long a client may take to say what it wants.
const HEADER_TIME: Duration = Duration::from_secs(3);
/// How long a connection lives: one request and its answer.
const TIME: Duration = Duration::from_secs(10);
/// Most bytes of a request's line and headers.
const HEADER_SIZE: usize = 16 * 1024;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// # Errors
/// The address cannot be had, as text.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; give --listen another address")
    })
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, clock: Arc<dyn Clock>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (state, clock) = (Arc::clone(&state), Arc::clone(&clock));
                tokio::spawn(async move {
                    attend(stream, state, clock).await;
                    drop(slot);
                });
            }
            // Out of file descriptors, most likely: that passes, and must not become a busy loop.
            Err(error) => {
                debug!("cannot accept a connection: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, state: Arc<State>, clock: Arc<dyn Clock>) {
    let service = service_fn(|request| {
        let response = respond(&request, &state, clock.as_ref());
        async { Ok::<_, Infallible>(response) }
    });
    // One request each: a connection kept open would take its place from others.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_SIZE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("endpoint: {error}"),
        Err(_) => debug!("endpoint: a client took too long"),
    }
}

fn respond(request: &Request<Incoming>, state: &State, clock: &dyn Clock) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/healthz" => healthy(state.alive()),
        "/readyz" => healthy(state.ready(clock.now())),
        "/metrics" => match state.metrics(clock.now()) {
            Ok(text) => answer(StatusCode::OK, OPEN_METRICS, &text),
            Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, TEXT, &error),
        },
        _ => answer(StatusCode::NOT_FOUND, TEXT, "here are /healthz, /readyz and /metrics"),
    }
}

fn healthy(result: Result<(), String>) -> Response<Full<Bytes>> {
    match result {
        Ok(()) => answer(StatusCode::OK, TEXT, "ok"),
        Err(what) => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, &what),
    }
}

fn answer(status: StatusCode, kind: HeaderValue, text: &str) -> Response<Full<Bytes>> {
    let line_end = if text.ends_with('\n') { "" } else { "\n" };
    let mut response = Response::new(Full::from(format!("{text}{line_end}")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
