//! Arguments and environment, checked: what comes out can be used as it is.

use std::path::PathBuf;

use reqwest::header::HeaderValue;

use crate::cli::{PatienceArguments, RefreshArguments, StoreArguments, UpstreamArguments};
use crate::filter::Filter;
use crate::http::{Timeouts, secure_base};
use crate::refresh::{Job, Policy};
use crate::retry::Patience;
use crate::secret::{self, ExposeSecret, SecretString};
use crate::store::{self, Store};
use crate::upstream::{self, Upstream};

mod stores;

const DEFAULT_HOST: &str = "https://us.i.posthog.com";

const PROJECT_KEY: [&str; 3] =
    ["POSTHOG_PROJECT_KEY", "POSTHOG_PROJECT_API_KEY", "POSTHOG_PROJECT_TOKEN"];
const PERSONAL_KEY: [&str; 2] = ["POSTHOG_PERSONAL_API_KEY", "POSTHOG_SECRET_KEY"];

/// The environment: a variable's value by its name.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The first of these variables that is set to more than white space.
pub(crate) fn first_set(environment: Environment<'_>, names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| environment(name));
    values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
}

/// Checks arguments and environment for refreshes.
///
/// # Errors
/// What is wrong and how to put it right, as text without secrets.
pub fn job(
    arguments: &RefreshArguments,
    force: bool,
    environment: Environment<'_>,
) -> Result<Job, String> {
    let RefreshArguments { stores, upstream, policy, patience } = arguments;
    let check = Check { stores, patience, environment };
    check.no_secrets()?;
    Ok(Job {
        stores: opened(check.stores()?)?,
        upstream: Upstream::new(check.upstream(upstream)?)?,
        policy: Policy {
            heartbeat: Some(policy.heartbeat).filter(|time| !time.is_zero()),
            allow_empty: policy.allow_empty,
            max_removed: policy.max_removed,
            force,
            on_quota: policy.on_quota,
            clear_cold_after: policy.clear_cold_after,
            history: usize::from(policy.history),
            lease: policy.lease,
            node_cache: policy.posthog_node_cache,
            filter: Filter {
                tags: policy.only_tags.clone(),
                runtime: policy.runtime,
                drop_names: policy.drop_names,
            },
        },
    })
}

/// Checks arguments and environment for what needs the stores alone.
///
/// # Errors
/// As [`job`].
pub fn stores(
    stores: &StoreArguments,
    patience: &PatienceArguments,
    environment: Environment<'_>,
) -> Result<Vec<Box<dyn Store>>, String> {
    let check = Check { stores, patience, environment };
    check.no_secrets()?;
    opened(check.stores()?)
}

/// The settings part by part, so that one mistake hides no other.
pub struct Parts {
    /// Scheme, host and path, without a slash at the end.
    pub host: Result<String, String>,
    pub project_key: Result<String, String>,
    pub personal_key: Result<SecretString, String>,
    /// Each in the order given, or why there are none.
    pub stores: Result<Vec<Result<store::Settings, String>>, String>,
    pub patience: Patience,
    pub timeouts: Timeouts,
    /// Most bytes of definitions taken.
    pub max_size: usize,
}

/// Checks arguments and environment part by part.
///
/// # Errors
/// A secret was given as an argument.
pub fn parts(
    stores: &StoreArguments,
    upstream: &UpstreamArguments,
    patience: &PatienceArguments,
    environment: Environment<'_>,
) -> Result<Parts, String> {
    let check = Check { stores, patience, environment };
    check.no_secrets()?;
    Ok(Parts {
        host: check.host(upstream),
        project_key: check.project_key(upstream),
        personal_key: check.personal_key(upstream),
        stores: check.each_store(),
        patience: check.patience(),
        timeouts: check.timeouts(),
        max_size: check.max_size(),
    })
}

/// Checks arguments and environment for who is asked.
///
/// # Errors
/// As [`job`].
pub fn upstream(
    stores: &StoreArguments,
    upstream: &UpstreamArguments,
    patience: &PatienceArguments,
    environment: Environment<'_>,
) -> Result<Upstream, String> {
    let check = Check { stores, patience, environment };
    check.no_secrets()?;
    Upstream::new(check.upstream(upstream)?)
}

fn opened(settings: Vec<store::Settings>) -> Result<Vec<Box<dyn Store>>, String> {
    settings.iter().map(store::open).collect()
}

/// What is checked.
struct Check<'a> {
    stores: &'a StoreArguments,
    patience: &'a PatienceArguments,
    environment: Environment<'a>,
}

impl Check<'_> {
    fn no_secrets(&self) -> Result<(), String> {
        match self.stores.refused_secret {
            None => Ok(()),
            Some(_) => Err(
                "a secret was given as an argument, and every user of this machine can list arguments: \
                 treat it as leaked, and give it by the environment (POSTHOG_PERSONAL_API_KEY, …) or by \
                 --personal-api-key-file"
                    .to_owned(),
            ),
        }
    }

    fn variable(&self, names: &[&str]) -> Option<String> {
        first_set(self.environment, names)
    }

    fn argument_or(&self, argument: Option<&String>, names: &[&str]) -> Option<String> {
        let given = argument.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        given.or_else(|| self.variable(names))
    }

    fn patience(&self) -> Patience {
        Patience {
            retries: self.patience.retries,
            delay: self.patience.retry_delay.min(self.patience.max_retry_delay),
            max_delay: self.patience.max_retry_delay,
        }
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts { connect: self.patience.connect_timeout, total: self.patience.timeout }
    }

    fn upstream(&self, arguments: &UpstreamArguments) -> Result<upstream::Settings, String> {
        Ok(upstream::Settings {
            host: self.host(arguments)?,
            project_key: self.project_key(arguments)?,
            personal_key: self.personal_key(arguments)?,
            patience: self.patience(),
            timeouts: self.timeouts(),
            max_size: self.max_size(),
        })
    }

    fn host(&self, arguments: &UpstreamArguments) -> Result<String, String> {
        let host = self
            .argument_or(arguments.host.as_ref(), &["POSTHOG_HOST"])
            .unwrap_or_else(|| DEFAULT_HOST.to_owned());
        let host = secure_base("the posthog host", &host, false)?;
        Ok(host.as_str().trim_end_matches('/').to_owned())
    }

    fn project_key(&self, arguments: &UpstreamArguments) -> Result<String, String> {
        let project_key = self
            .argument_or(arguments.project_key.as_ref(), &PROJECT_KEY)
            .ok_or("no project key: set POSTHOG_PROJECT_KEY to the project's public key (phc_…)")?;
        if project_key.starts_with("phx_") || project_key.starts_with("phs_") {
            return Err(
                "the project key is a secret key: set POSTHOG_PROJECT_KEY to the public one (phc_…)".to_owned()
            );
        }
        Ok(project_key)
    }

    fn personal_key(&self, arguments: &UpstreamArguments) -> Result<SecretString, String> {
        let personal_key = self.secret(
            arguments.personal_api_key_file.as_ref(),
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
        Ok(personal_key)
    }

    fn max_size(&self) -> usize {
        usize::from(self.patience.max_size) << 20
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
}
