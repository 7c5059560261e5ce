//! Arguments and environment, checked: what comes out can be used as it is.

use std::path::PathBuf;

use reqwest::header::HeaderValue;
use url::Url;

use crate::cli::RunArguments;
use crate::http::{Timeouts, is_loopback, secure_base};
use crate::refresh::Policy;
use crate::retry::Patience;
use crate::secret::{self, ExposeSecret, SecretString};
use crate::store::{self, ConvexSettings, KvSettings, S3Settings};
use crate::upstream;

const DEFAULT_HOST: &str = "https://us.i.posthog.com";
const DEFAULT_STORE: &str = "file:./snapshots";
const DEFAULT_FILE: &str = "flags";
/// In KV and S3: what the npm package's sources read unless they are told another key.
const DEFAULT_KEY: &str = "flagpost";
/// Longest key in bytes: KV takes 512, and versions are kept at `KEY.versions/` and 64 digits.
const MAX_KV_KEY: usize = 512 - 74;
/// Longest name in bytes: the beginning of a key that is looked up by an index.
const MAX_CONVEX_NAME: usize = 512;
/// The API that `wrangler dev` and Miniflare serve; it has no accounts.
const LOCAL_API: &str = "/cdn-cgi/explorer/api";

const PROJECT_KEY: [&str; 3] =
    ["POSTHOG_PROJECT_KEY", "POSTHOG_PROJECT_API_KEY", "POSTHOG_PROJECT_TOKEN"];
const PERSONAL_KEY: [&str; 2] = ["POSTHOG_PERSONAL_API_KEY", "POSTHOG_SECRET_KEY"];

/// Everything `run` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub policy: Policy,
    pub upstream: upstream::Settings,
    pub store: store::Settings,
}

/// The environment: a variable's value by its name.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Checks arguments and environment.
///
/// # Errors
/// What is wrong and how to put it right, as text without secrets.
pub fn check(arguments: &RunArguments, environment: Environment<'_>) -> Result<Config, String> {
    if arguments.refused_secret.is_some() {
        return Err(
            "a secret was given as an argument, and every user of this machine can list arguments: \
             treat it as leaked, and give it by the environment (POSTHOG_PERSONAL_API_KEY, …) or by \
             --personal-api-key-file"
                .to_owned(),
        );
    }
    let settings = Check { arguments, environment };
    Ok(Config {
        policy: Policy {
            heartbeat: Some(arguments.heartbeat).filter(|time| !time.is_zero()),
            allow_empty: arguments.allow_empty,
        },
        store: settings.store()?,
        upstream: settings.upstream()?,
    })
}

struct Check<'a> {
    arguments: &'a RunArguments,
    environment: Environment<'a>,
}

impl Check<'_> {
    /// The first variable that is set to more than white space.
    fn variable(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .filter_map(|name| (self.environment)(name))
            .map(|value| value.trim().to_owned())
            .find(|value| !value.is_empty())
    }

    fn argument_or(&self, argument: Option<&String>, names: &[&str]) -> Option<String> {
        let given = argument.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        given.or_else(|| self.variable(names))
    }

    fn patience(&self) -> Patience {
        Patience {
            retries: self.arguments.retries,
            delay: self.arguments.retry_delay.min(self.arguments.max_retry_delay),
            max_delay: self.arguments.max_retry_delay,
        }
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts { connect: self.arguments.connect_timeout, total: self.arguments.timeout }
    }

    fn upstream(&self) -> Result<upstream::Settings, String> {
        let host = self
            .argument_or(self.arguments.host.as_ref(), &["POSTHOG_HOST"])
            .unwrap_or_else(|| DEFAULT_HOST.to_owned());
        let host = secure_base("the posthog host", &host, false)?;
        let project_key = self
            .argument_or(self.arguments.project_key.as_ref(), &PROJECT_KEY)
            .ok_or("no project key: set POSTHOG_PROJECT_KEY to the project's public key (phc_…)")?;
        if project_key.starts_with("phx_") || project_key.starts_with("phs_") {
            return Err(
                "the project key is a secret key: set POSTHOG_PROJECT_KEY to the public one (phc_…)".to_owned()
            );
        }
        let personal_key = self.secret(
            self.arguments.personal_api_key_file.as_ref(),
            &PERSONAL_KEY,
            "the personal API key",
        )?;
        let personal_key = personal_key.ok_or(
            "no personal API key: set POSTHOG_PERSONAL_API_KEY to a personal API key (phx_…) with the scope \
             feature_flag:read or to a project's secret key (phs_…), or use --personal-api-key-file",
        )?;
        if personal_key.expose_secret().starts_with("phc_") {
            return Err(
                "the personal API key is a project key (phc_…): a key that may read definitions \
                        begins with phx_ or phs_"
                    .to_owned(),
            );
        }
        Ok(upstream::Settings {
            host: host.as_str().trim_end_matches('/').to_owned(),
            project_key,
            personal_key,
            patience: self.patience(),
            timeouts: self.timeouts(),
            max_size: usize::from(self.arguments.max_size) << 20,
        })
    }

    /// A secret from a file, if one is given, or else from the environment.
    fn secret(
        &self,
        file: Option<&PathBuf>,
        names: &[&str],
        what: &str,
    ) -> Result<Option<SecretString>, String> {
        let secret = match file {
            Some(path) => {
                Some(secret::from_file(path).map_err(|error| format!("{what}: {error}"))?)
            }
            None => self.variable(names).map(SecretString::from),
        };
        let usable = |secret: &SecretString| {
            HeaderValue::from_str(secret.expose_secret()).is_ok_and(|v| v.to_str().is_ok())
        };
        match secret {
            Some(secret) if !usable(&secret) => {
                Err(format!("{what} holds line breaks or characters no key has: copy it again"))
            }
            secret => Ok(secret),
        }
    }

    fn store(&self) -> Result<store::Settings, String> {
        let address = self
            .argument_or(self.arguments.store.as_ref(), &["FLAGPOST_STORE"])
            .unwrap_or_else(|| DEFAULT_STORE.to_owned());
        if let Some(rest) = address.strip_prefix("file:") {
            return file(rest);
        }
        if address == "memory:" {
            return Ok(store::Settings::Memory);
        }
        if let Some(rest) = address.strip_prefix("kv:") {
            return self.kv(rest);
        }
        if let Some(rest) = address.strip_prefix("s3://") {
            return self.s3(rest);
        }
        if let Some(rest) = address.strip_prefix("convex:") {
            return self.convex(rest);
        }
        // Without the address: in the wrong place it may be anything, a secret too.
        Err("the store's address begins with none of convex:, file:, kv: and s3://: give \
             convex:URL[#NAME], file:DIR[#NAME], kv:NAMESPACE_ID[/KEY] or s3://BUCKET[/KEY]"
            .to_owned())
    }

    fn kv(&self, rest: &str) -> Result<store::Settings, String> {
        let (namespace, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key = if key.is_empty() { DEFAULT_KEY } else { key };
        if !is_name(namespace) {
            return Err("kv: names no namespace: give kv:NAMESPACE_ID[/KEY]".to_owned());
        }
        if key.len() > MAX_KV_KEY || matches!(key, "." | "..") {
            return Err(format!(
                "workers kv takes no such key: 1 to {MAX_KV_KEY} bytes, not . or .."
            ));
        }
        let base = self
            .variable(&["CLOUDFLARE_API_BASE_URL"])
            .unwrap_or_else(|| store::CLOUDFLARE.to_owned());
        let base = secure_base("CLOUDFLARE_API_BASE_URL", &base, false)?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        let local = base.ends_with(LOCAL_API);
        let account = self.variable(&["CLOUDFLARE_ACCOUNT_ID"]).filter(|_| !local);
        let token = self.secret(
            self.arguments.cloudflare_api_token_file.as_ref(),
            &["CLOUDFLARE_API_TOKEN"],
            "the cloudflare API token",
        )?;
        if base == store::CLOUDFLARE {
            if account.is_none() {
                return Err(
                    "no cloudflare account: set CLOUDFLARE_ACCOUNT_ID (`wrangler whoami` shows it)"
                        .to_owned(),
                );
            }
            if token.is_none() {
                return Err(
                    "no cloudflare token: set CLOUDFLARE_API_TOKEN to a token with the permission \
                            Workers KV Storage: Edit, or use --cloudflare-api-token-file"
                        .to_owned(),
                );
            }
        }
        Ok(store::Settings::Kv(KvSettings {
            base,
            account,
            token,
            namespace: namespace.to_owned(),
            key: key.to_owned(),
            patience: self.patience(),
            timeouts: self.timeouts(),
        }))
    }

    fn convex(&self, rest: &str) -> Result<store::Settings, String> {
        let (url, name) = rest.split_once('#').unwrap_or((rest, ""));
        let name = if name.is_empty() { DEFAULT_KEY } else { name };
        if name.len() > MAX_CONVEX_NAME {
            return Err(format!("convex: the name is longer than {MAX_CONVEX_NAME} bytes"));
        }
        let url = match url {
            "" => self.variable(&["CONVEX_URL"]).ok_or(
                "convex: names no deployment: give convex:https://NAME.convex.cloud[#NAME] or set CONVEX_URL",
            )?,
            url => url.to_owned(),
        };
        let url = secure_base("the convex deployment", &url, false)?;
        if url.host_str().is_some_and(|host| host.ends_with(".convex.site")) {
            return Err(
                "convex: .convex.site serves HTTP actions only: give https://NAME.convex.cloud"
                    .to_owned(),
            );
        }
        let deploy_key = self.secret(
            self.arguments.convex_deploy_key_file.as_ref(),
            &["CONVEX_DEPLOY_KEY"],
            "the convex deploy key",
        )?;
        let deploy_key = deploy_key.ok_or(
            "no convex deploy key: set CONVEX_DEPLOY_KEY to a deploy key of this deployment (its settings in \
             the dashboard make one), or use --convex-deploy-key-file",
        )?;
        Ok(store::Settings::Convex(ConvexSettings {
            url: url.as_str().trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            deploy_key,
            patience: self.patience(),
            timeouts: self.timeouts(),
        }))
    }

    fn s3(&self, rest: &str) -> Result<store::Settings, String> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key = if key.is_empty() { DEFAULT_KEY } else { key };
        if !is_name(bucket) {
            return Err("s3:// names no bucket: give s3://BUCKET[/KEY]".to_owned());
        }
        let mut options: Vec<(String, SecretString)> = S3_VARIABLES
            .iter()
            .filter_map(|name| Some((name.to_ascii_lowercase(), self.variable(&[name])?.into())))
            .collect();
        if let Some(region) = &self.arguments.s3_region {
            options.push(("aws_region".to_owned(), region.as_str().into()));
        }
        let endpoint = self.argument_or(
            self.arguments.s3_endpoint.as_ref(),
            &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
        );
        let mut allow_http =
            self.variable(&["AWS_ALLOW_HTTP"]).is_some_and(|value| value == "true" || value == "1");
        if let Some(endpoint) = endpoint {
            let endpoint: Url = secure_base("the s3 endpoint", &endpoint, allow_http)?;
            allow_http |= is_loopback(&endpoint);
            options
                .push(("aws_endpoint".to_owned(), endpoint.as_str().trim_end_matches('/').into()));
        }
        Ok(store::Settings::S3(S3Settings {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            options,
            allow_http,
            patience: self.patience(),
            timeouts: self.timeouts(),
        }))
    }
}

/// What the AWS tools take from the environment and this store can use.
const S3_VARIABLES: [&str; 14] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_IMDSV1_FALLBACK",
    "AWS_METADATA_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

/// Whether a text can be a namespace or bucket; one with credentials in it cannot.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.chars().all(allowed)
}

fn file(rest: &str) -> Result<store::Settings, String> {
    let wrong =
        |what: &str| Err(format!("file: {what}: give file:DIR[#NAME], such as file:./snapshots"));
    let (folder, name) = rest.split_once('#').unwrap_or((rest, DEFAULT_FILE));
    let folder = match folder.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return wrong("holds the name of a machine"),
        None => folder,
    };
    if folder.is_empty() {
        return wrong("names no directory");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return wrong("has a name that leaves its directory");
    }
    Ok(store::Settings::File { folder: PathBuf::from(folder), name: name.to_owned() })
}
