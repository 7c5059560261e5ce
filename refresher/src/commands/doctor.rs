//! `refresher doctor`: what is wrong, and how to put it right. Stops at nothing.

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::{block_on, failed, say_folded};
use crate::cli::DoctorArguments;
use crate::clock::Clock;
use crate::config::{self, Parts};
use crate::outcome::Exit;
use crate::report::{count, printable, say};
use crate::secret::ExposeSecret;

mod posthog;
mod stores;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Mark {
    Good,
    Warning,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    mark: Mark,
    about: String,
    /// What is, and, if it is wrong, how to put it right.
    text: String,
    #[serde(skip)]
    exit: Exit,
}

impl Check {
    fn new(mark: Mark, exit: Exit, about: &str, text: String) -> Self {
        Check { mark, about: about.to_owned(), text: printable(&text), exit }
    }

    fn good(about: &str, text: impl Into<String>) -> Self {
        Check::new(Mark::Good, Exit::Ok, about, text.into())
    }

    fn warning(about: &str, text: impl Into<String>) -> Self {
        Check::new(Mark::Warning, Exit::Ok, about, text.into())
    }

    fn bad(exit: Exit, about: &str, text: impl Into<String>) -> Self {
        Check::new(Mark::Bad, exit, about, text.into())
    }

    fn line(&self) -> String {
        let mark = match self.mark {
            Mark::Good => '✓',
            Mark::Warning => '!',
            Mark::Bad => '✗',
        };
        format!("{mark} {:<14} {}", self.about, self.text)
    }
}

/// Checks everything, and prints a line for each thing.
#[must_use]
pub fn run(arguments: &DoctorArguments, clock: &dyn Clock) -> Exit {
    let common = &arguments.common;
    let parts =
        config::parts(&common.stores, &arguments.upstream, &common.patience, &config::environment);
    let parts = match parts {
        Ok(parts) => parts,
        Err(error) => return failed(Exit::Usage, &error, common.json),
    };
    let mut checks = settings(&parts);
    checks.extend(secret_files(arguments));
    checks.extend(proxies());
    if !common.json {
        checks.iter().for_each(|check| say_folded(&check.line()));
    }
    let told = checks.len();
    block_on(async {
        checks.extend(posthog::checks(&parts, clock).await);
        checks.extend(stores::checks(parts.stores, clock).await);
    });
    let bad = checks.iter().filter(|check| check.mark == Mark::Bad).count();
    let exit =
        checks.iter().find(|check| check.mark == Mark::Bad).map_or(Exit::Ok, |check| check.exit);
    if common.json {
        say(&json!({ "exitCode": exit as u8, "checks": checks }).to_string());
        return exit;
    }
    checks.iter().skip(told).for_each(|check| say_folded(&check.line()));
    say(&match bad {
        0 => "nothing is wrong".to_owned(),
        bad => format!("{} wrong, see ✗", count(bad, "thing")),
    });
    exit
}

/// Whether everything is set, and looks like what it should be.
fn settings(parts: &Parts) -> Vec<Check> {
    let bad = |about, error: &String| Check::bad(Exit::Usage, about, error);
    let mut checks = vec![match &parts.host {
        Ok(host) => Check::good("host", host),
        Err(error) => bad("host", error),
    }];
    checks.push(match &parts.project_key {
        Ok(key) if key.starts_with("phc_") => {
            Check::good("project key", format!("phc_…, {} characters", key.chars().count()))
        }
        Ok(_) => Check::warning(
            "project key",
            "does not begin with phc_: the project's settings show its key, unless this posthog is an old one",
        ),
        Err(error) => bad("project key", error),
    });
    checks.push(match parts.personal_key.as_ref().map(ExposeSecret::expose_secret) {
        Ok(key) if key.starts_with("phx_") => Check::good("secret key", "a personal API key (phx_…)"),
        Ok(key) if key.starts_with("phs_") => Check::good("secret key", "a project's secret key (phs_…)"),
        Ok(_) => Check::warning(
            "secret key",
            "begins with neither phx_ nor phs_: check that it is a personal API key or a project's secret key",
        ),
        Err(error) => bad("secret key", error),
    });
    checks
}

/// Whether files that hold secrets can be read by others.
fn secret_files(arguments: &DoctorArguments) -> Vec<Check> {
    let files = [
        ("--personal-api-key-file", &arguments.upstream.personal_api_key_file),
        ("--cloudflare-api-token-file", &arguments.common.stores.cloudflare_api_token_file),
        ("--convex-deploy-key-file", &arguments.common.stores.convex_deploy_key_file),
    ];
    let given = files.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    given.filter_map(|(option, path)| permissions(option, path)).collect()
}

#[cfg(unix)]
fn permissions(option: &str, path: &Path) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt;
    // One that cannot be read is told of with the setting.
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let path = path.display();
    Some(match mode & 0o044 {
        0 => Check::good("secret file", format!("{path} is for its owner alone")),
        others => {
            let who = if others & 0o004 != 0 { "every user of this machine" } else { "its group" };
            Check::warning(
                "secret file",
                format!("{option}: {who} can read {path}: `chmod 600` it, unless it is mounted so"),
            )
        }
    })
}

#[cfg(not(unix))]
fn permissions(_: &str, _: &Path) -> Option<Check> {
    None
}

/// Proxies that the environment names, without what may be a password.
fn proxies() -> Vec<Check> {
    let names =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let set = names.iter().filter_map(|name| {
        let value = config::first_set(&config::environment, &[name])?;
        let place = url::Url::parse(&value).ok().and_then(|url| {
            Some(format!("{}://{}:{}", url.scheme(), url.host_str()?, url.port_or_known_default()?))
        });
        Some(match place {
            Some(place) => Check::warning(
                "proxy",
                format!("{name} sends requests through {place}, save those to this machine and to NO_PROXY's"),
            ),
            None => Check::warning("proxy", format!("{name} is no address: requests may fail, unset it")),
        })
    });
    set.collect()
}
