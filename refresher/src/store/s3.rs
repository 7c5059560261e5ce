//! S3, R2, and whatever else speaks S3 with conditional writes.

use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig, UpdateVersion,
};

use super::{Expected, Item, Store, StoreError, Stored, Version};
use crate::http::{self, Timeouts};
use crate::retry::Patience;
use crate::secret::{self, SecretString};

/// Largest object read: far more than definitions ever are.
const MAX_OBJECT: u64 = 1 << 30;

/// Which object of which bucket, and how it is reached.
#[derive(Debug, Clone)]
pub struct S3Settings {
    pub bucket: String,
    pub key: String,
    /// Settings by the names that the AWS tools use in the environment, in lower case
    /// (`aws_region`, …); names this program does not know are passed over. Values may be secret.
    pub options: Vec<(String, SecretString)>,
    pub allow_http: bool,
    pub patience: Patience,
    pub timeouts: Timeouts,
}

/// Keeps the snapshot in one object. Its version is the object's `ETag`, so that the server itself
/// compares it when writing.
#[derive(Debug)]
pub struct S3Store {
    settings: S3Settings,
    client: AmazonS3,
}

impl S3Store {
    /// # Errors
    /// An option with a value that is none, or a key that no object can have.
    pub fn new(settings: S3Settings) -> Result<Self, String> {
        http::choose_tls();
        let Timeouts { connect, total } = settings.timeouts;
        let Patience { retries, delay, max_delay } = settings.patience;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in &settings.options {
            if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, secret::ExposeSecret::expose_secret(value));
            }
        }
        let client = builder
            .with_bucket_name(&settings.bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_allow_http(settings.allow_http)
            .with_client_options(
                ClientOptions::new()
                    .with_connect_timeout(connect)
                    .with_timeout(total)
                    .with_allow_http(settings.allow_http),
            )
            .with_retry(RetryConfig {
                backoff: BackoffConfig { init_backoff: delay, max_backoff: max_delay, base: 2.0 },
                max_retries: usize::from(retries),
                retry_timeout: total
                    .saturating_mul(u32::from(retries) + 1)
                    .min(Duration::from_secs(240)),
            })
            .build()
            .map_err(|error| {
                format!("the settings of s3 cannot be used: {}", http::causes(&error))
            })?;
        Path::parse(&settings.key).map_err(|error| {
            format!("{:?} cannot be the key of an object: {error}", settings.key)
        })?;
        Ok(S3Store { settings, client })
    }

    fn path(&self, item: &Item) -> Result<Path, StoreError> {
        let key = item.key(&self.settings.key);
        Path::parse(&key).map_err(|error| {
            StoreError::Failed(format!("{key:?} cannot be the key of an object: {error}"))
        })
    }

    fn failed(&self, what: &str, error: &Error) -> StoreError {
        let mut text = plainly(error);
        for (_, value) in self.settings.options.iter().filter(|(name, _)| is_secret(name)) {
            text = secret::hide(&text, value);
        }
        let fix = match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                ": check the credentials, and that they may get and put this object"
            }
            _ if text.contains("NoSuchBucket") => {
                ": make the bucket, or check its name and the endpoint"
            }
            _ if error.to_string().contains("/latest/api/token") => {
                ": no credentials found, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            }
            _ => "",
        };
        let told = http::excerpt(&text);
        StoreError::Failed(format!("cannot {what} {}{told}{fix}", self.describe()))
    }
}

#[async_trait]
impl Store for S3Store {
    async fn read(&self, item: &Item) -> Result<Option<Stored>, StoreError> {
        let failed = |error| self.failed("read", &error);
        let object = match self.client.get(&self.path(item)?).await {
            Ok(object) => object,
            // A missing bucket is a mistake in the settings, not an empty store.
            Err(error @ Error::NotFound { .. }) if error.to_string().contains("NoSuchBucket") => {
                return Err(failed(error));
            }
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if object.meta.size > MAX_OBJECT {
            return Err(StoreError::Failed(format!("{} is larger than 1 GiB", self.describe())));
        }
        let version = Version(object.meta.e_tag.clone().unwrap_or_default());
        let bytes = object.bytes().await.map_err(failed)?;
        Ok(Some(Stored { bytes: bytes.to_vec(), version }))
    }

    async fn write(
        &self,
        item: &Item,
        bytes: &[u8],
        expected: &Expected,
    ) -> Result<(), StoreError> {
        let mode = match expected {
            Expected::Absent => PutMode::Create,
            Expected::Is(Version(etag)) => {
                PutMode::Update(UpdateVersion { e_tag: Some(etag.clone()), version: None })
            }
            Expected::Any => PutMode::Overwrite,
        };
        let payload = PutPayload::from(bytes.to_vec());
        match self.client.put_opts(&self.path(item)?, payload, PutOptions::from(mode)).await {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                Err(StoreError::Conflict)
            }
            // If-Match on an object that is gone.
            Err(Error::NotFound { .. }) if matches!(expected, Expected::Is(_)) => {
                Err(StoreError::Conflict)
            }
            Err(error) => Err(self.failed("write", &error)),
        }
    }

    async fn remove(&self, item: &Item) -> Result<(), StoreError> {
        match self.client.delete(&self.path(item)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove from", &error)),
        }
    }

    fn describe(&self) -> String {
        format!("s3://{}/{}", self.settings.bucket, self.settings.key)
    }
}

fn is_secret(option: &str) -> bool {
    ["secret", "token", "password"].iter().any(|word| option.contains(word))
}

/// The part of an error's text that helps: the status with the server's own code and message, or,
/// when no server answered, the cause.
fn plainly(error: &Error) -> String {
    let text = error.to_string();
    let between = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        Some(rest.split_once(end)?.0)
    };
    match text.split_once("non-2xx status code: ") {
        None => {
            let causes = http::causes(error);
            // Before that stand address, times and counts.
            causes.split_once(" - ").map_or(causes.as_str(), |(_, cause)| cause).to_owned()
        }
        Some((_, answer)) => {
            let status = answer.split(':').next().unwrap_or(answer);
            match (between("<Code>", "</Code>"), between("<Message>", "</Message>")) {
                (Some(code), Some(message)) => format!("{status}, {code}, {message}"),
                (Some(code), None) => format!("{status}, {code}"),
                _ => answer.to_owned(),
            }
        }
    }
}
