//! Addresses of stores and what they need from the environment.

use std::path::PathBuf;

use url::Url;

use super::Check;
use crate::http::{is_loopback, secure_base};
use crate::secret::SecretString;
use crate::store::{self, ConvexSettings, KvSettings, S3Settings};

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

impl Check<'_> {
    /// All stores, in the order given. A second one at the same address is a mistake.
    pub(super) fn stores(&self) -> Result<Vec<store::Settings>, String> {
        self.each_store()?.into_iter().collect()
    }

    /// The same, each on its own.
    pub(super) fn each_store(&self) -> Result<Vec<Result<store::Settings, String>>, String> {
        let named = self.variable(&["FLAGPOST_STORE"]).unwrap_or_else(|| DEFAULT_STORE.to_owned());
        let addresses = match self.stores.stores.as_slice() {
            [] => apart(&named),
            given => given.iter().map(|address| address.trim().to_owned()).collect(),
        };
        if let Some(twice) = (1..addresses.len()).find(|&n| addresses[..n].contains(&addresses[n]))
        {
            return Err(format!("the store in place {} was given before", twice + 1));
        }
        Ok(addresses.iter().map(|address| self.store(address)).collect())
    }

    fn store(&self, address: &str) -> Result<store::Settings, String> {
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
        Err("the store's address begins with none of file:, kv:, convex: and s3://: give file:DIR[#NAME], \
             kv:NAMESPACE_ID[/KEY], convex:URL[#NAME] or s3://BUCKET[/KEY]"
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
            self.stores.cloudflare_api_token_file.as_ref(),
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
            self.stores.convex_deploy_key_file.as_ref(),
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
        if let Some(region) = &self.stores.s3_region {
            options.push(("aws_region".to_owned(), region.as_str().into()));
        }
        let endpoint = self.argument_or(
            self.stores.s3_endpoint.as_ref(),
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

/// Addresses separated by white space. A directory's name may hold some, so an address only begins
/// where a kind of store is named.
fn apart(text: &str) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match addresses.last_mut() {
            Some(last) if !KINDS.iter().any(|kind| word.starts_with(kind)) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => addresses.push(word.to_owned()),
        }
    }
    addresses
}

/// How addresses begin.
const KINDS: [&str; 5] = ["file:", "kv:", "s3://", "convex:", "memory:"];

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
