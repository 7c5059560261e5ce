//! An HTTP server that can do what no well-behaved one does: wait, trickle, or go away half way.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Sleep, sleep};

pub struct Asked {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Whole,
    /// Half of the body comes, and then the connection ends.
    Cut,
    /// A byte comes every 20 ms.
    Trickle,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub flow: Flow,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Answer { status, headers: Vec::new(), body: body.into(), flow: Flow::Whole }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn flow(self, flow: Flow) -> Self {
        Answer { flow, ..self }
    }
}

/// Serves until the test ends; gives its address. Where there is no answer the connection ends.
pub async fn serve<H, F>(handler: H) -> String
where
    H: Fn(Asked) -> F + Send + Sync + 'static,
    F: Future<Output = Option<Answer>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let handler = Arc::new(handler);
    tokio::spawn(async move {
        loop {
            // None left of something for a moment is no reason to stop serving.
            let Ok((socket, _)) = listener.accept().await else { continue };
            let handler = handler.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let handler = handler.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
                    let asked = Asked {
                        method: parts.method,
                        target: target.to_owned(),
                        headers: parts.headers,
                        body,
                    };
                    let gone = || io::Error::other("gone without an answer");
                    respond(handler(asked).await.ok_or_else(gone)?)
                }
            });
            let builder = hyper::server::conn::http1::Builder::new();
            tokio::spawn(async move {
                // A client that goes away is no failure of the server.
                let _ = builder.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn respond(answer: Answer) -> io::Result<Response<Flowing>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let body = Flowing { left: answer.body, flow: answer.flow, pause: None };
    response.body(body).map_err(io::Error::other)
}

struct Flowing {
    left: Bytes,
    flow: Flow,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body for Flowing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pause) = self.pause.as_mut() {
            match pause.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.pause = None,
            }
            if self.flow == Flow::Cut {
                return Poll::Ready(Some(Err(io::Error::other("cut"))));
            }
        }
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = match self.flow {
            Flow::Whole => self.left.len(),
            Flow::Cut => self.left.len() / 2,
            Flow::Trickle => 1,
        };
        if self.flow != Flow::Whole {
            self.pause = Some(Box::pin(sleep(Duration::from_millis(20))));
        }
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(length)))))
    }

    /// What `Content-Length` says: the whole, whatever comes of it.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
