//! A real S3 server, that checks signatures and conditions, inside the test's own process.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

pub const ACCESS_KEY: &str = "test-access-key";
pub const SECRET_KEY: &str = "testS3SecretAccessKey0123456789";
pub const BUCKET: &str = "flags";

pub struct S3 {
    pub endpoint: String,
    _folder: tempfile::TempDir,
}

/// Starts a server with one empty bucket. It ends with the test.
pub async fn start() -> S3 {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    // S3 decides about a condition and writes in one step. This server does not: one request at a time.
    let turn = Arc::new(Mutex::new(()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (service, turn) = (service.clone(), turn.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (service, turn) = (service.clone(), turn.clone());
                async move {
                    let _turn = turn.lock().await;
                    service.call(request.map(s3s::Body::from)).await
                }
            });
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                // A client that goes away is no failure of the server.
                let _ = builder.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    S3 { endpoint, _folder: folder }
}

/// The environment of a program that uses this server.
pub fn environment(server: &S3) -> [(&'static str, String); 4] {
    [
        ("AWS_ENDPOINT_URL_S3", server.endpoint.clone()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ]
}
