//! From arguments and profile to a target.

mod address;
mod config;
mod described;
mod variables;

use super::Failure;
use super::args;
use crate::target::{Peer, Target};
pub use address::secrets_of;
use described::Described;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::profile::{Known, Profile};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::scenario::Source;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use variables::Environment;

/// Name of the profile that is read where none is named.
pub const PROFILE: &str = "mcp-assay.yaml";

const HOW: &str = "name a target in one of these ways:\n  \
    mcp-assay run -- node server.js                your server over stdio\n  \
    mcp-assay run http://localhost:3000/mcp        your server over HTTP\n  \
    mcp-assay run URL -- node http.js              the same, started by this command\n  \
    mcp-assay run --config mcp.json --server NAME  an entry of a client's configuration\n  \
    mcp-assay run NAME                             a target of mcp-assay.yaml\n  \
    mcp-assay run --self                           the embedded reference server";

/// Reads the profile: the one named, else the one that lies here, else an empty one.
///
/// **Errors**: a file that cannot be read, or everything that is wrong with it.
pub fn profile(catalogue: &Catalogue, named: Option<&Path>) -> Result<Profile, Failure> {
    let path = named.unwrap_or(Path::new(PROFILE));
    let text = if named.is_none() && !path.exists() {
        "{}\n".to_owned()
    } else {
        read(path, "profile")?
    };
    let source = Arc::new(Source {
        path: path.display().to_string(),
        text,
    });
    let mut checks = catalogue.check_ids();
    checks.extend(
        crate::closed::observer_rules()
            .into_iter()
            .map(|rule| rule.id),
    );
    let known = Known {
        fixtures: catalogue.facts().fixtures(),
        checks: &checks,
    };
    Profile::parse(&source, &known).map_err(|broken| Failure::usage(broken.render(false)))
}

fn read(path: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read the {what} `{}`: {error}", path.display());
        Failure::usage(message)
    })
}

/// The target, how to name it in a rerun command, and the secrets that belong to it.
///
/// **Errors**: no target or two of them, an unknown name, an option that does not go with the target, a file that cannot be read.
pub fn target(
    run: &args::Run,
    profile: &Profile,
) -> Result<(Target, String, Vec<String>), Failure> {
    target_in(run, profile, &|name| std::env::var(name).ok())
}

/// As [`target`], in this environment.
fn target_in(
    run: &args::Run,
    profile: &Profile,
    environment: Environment<'_>,
) -> Result<(Target, String, Vec<String>), Failure> {
    one_kind(run)?;
    if run.this {
        return Ok(reference(run));
    }
    let described = match (&run.config, &run.target) {
        (Some(config), _) => {
            let text = read(config, "configuration")?;
            let path = config.display().to_string();
            let server = config::read(&path, &text, run.server.as_deref(), environment)?;
            Described::configured(server, config, run.server.as_deref())?
        }
        (None, Some(word)) if address::is_address(word) => {
            let typed = address::address(word, environment)?;
            Described::typed_address(typed, &run.command)
        }
        (None, Some(name)) => named(name, profile, environment)?,
        (None, None) if !run.command.is_empty() => Described::typed_command(&run.command),
        (None, None) => return Err(Failure::usage("no target").hint(HOW)),
    };
    let (_, start_timeout) = times(run, profile);
    described
        .with_options(run, environment)?
        .finish(start_timeout)
}

/// Refuses two targets at once, and says which.
fn one_kind(run: &args::Run) -> Result<(), Failure> {
    let is_address = run.target.as_deref().is_some_and(address::is_address);
    let kinds: Vec<String> = [
        run.config.as_ref().map(|_| "--config".to_owned()),
        run.target.as_ref().map(|word| match is_address {
            // The address may hold a secret.
            true => "an address".to_owned(),
            false => format!("the name `{word}`"),
        }),
        (!run.command.is_empty() && !is_address).then(|| "a command after `--`".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    match kinds.as_slice() {
        [first, second, ..] => {
            let message = format!("two targets at once: {first} and {second}");
            Err(Failure::usage(message).hint(HOW))
        }
        [_] | [] => Ok(()),
    }
}

fn reference(run: &args::Run) -> (Target, String, Vec<String>) {
    match run.binding {
        Some(binding @ (Binding::Http | Binding::HttpSse)) => {
            let target = Target::Peer(Peer::over(binding, None));
            (target, format!(" --self --binding {binding}"), Vec::new())
        }
        None | Some(Binding::Stdio | Binding::Memory) => (
            Target::Peer(Peer::lines(None)),
            " --self".to_owned(),
            Vec::new(),
        ),
    }
}

/// A target of the profile.
fn named(
    name: &str,
    profile: &Profile,
    environment: Environment<'_>,
) -> Result<Described, Failure> {
    if let Some((scheme, _)) = name.split_once("://") {
        let message = format!("`{scheme}://` begins no address that can be tested");
        return Err(Failure::usage(message).hint(HOW));
    }
    if !profile.target_names().any(|known| known == name) && name.contains([':', '/']) {
        let message = format!("no target is named `{name}`");
        let hint = format!("an address begins with its scheme: `http://{name}`\n\n{HOW}");
        return Err(Failure::usage(message).hint(hint));
    }
    if profile.target_names().next().is_none() {
        let message = format!("target `{name}`, but no {PROFILE} names any target");
        return Err(Failure::usage(message).hint(HOW));
    }
    let entry = profile
        .target(name, environment)
        .map_err(|broken| Failure::usage(broken.render(false)).hint(HOW))?;
    Described::of_profile(name, entry)
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The two bounds of time, from the command line, else the profile, else the contract.
pub fn times(run: &args::Run, profile: &Profile) -> (Duration, Duration) {
    let timeout = run
        .timeout
        .or(profile.timeout)
        .unwrap_or(Duration::from_secs(30));
    let start = run
        .start_timeout
        .or(profile.start_timeout)
        .unwrap_or(Duration::from_secs(20));
    (timeout, start)
}

#[cfg(test)]
mod tests;
