//! From arguments and profile to a target.

use super::Failure;
use super::args;
use crate::target::Target;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::profile::{Known, Profile};
use mcp_assay_model::scenario::Source;
use mcp_assay_transport::stdio::Command;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Name of the profile that is read where none is named.
pub const PROFILE: &str = "mcp-assay.yaml";

const HOW: &str = "name a target in one of these ways:\n  \
    mcp-assay run -- node server.js        your server over stdio\n  \
    mcp-assay run NAME                     a target of mcp-assay.yaml\n  \
    mcp-assay run --self                   the embedded reference server";

/// Reads the profile: the one named, else the one that lies here, else an empty one.
///
/// **Errors**: a file that cannot be read, or everything that is wrong with it.
pub fn profile(catalogue: &Catalogue, named: Option<&Path>) -> Result<Profile, Failure> {
    let path = named.unwrap_or(Path::new(PROFILE));
    let text = if named.is_none() && !path.exists() {
        "{}\n".to_owned()
    } else {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the profile `{}`: {error}",
                path.display()
            ))
        })?
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

/// The target, how to name it in a rerun command, and the secrets that belong to it.
///
/// **Errors**: no target, an unknown name, a target of a kind that cannot be reached yet.
pub fn target(
    run: &args::Run,
    profile: &Profile,
) -> Result<(Target, String, Vec<String>), Failure> {
    if run.this {
        return Ok((Target::Peer(None), " --self".to_owned(), Vec::new()));
    }
    let mut command = Command {
        cwd: run.cwd.clone(),
        ..Command::default()
    };
    let mut secrets = Vec::new();
    let mut again = String::new();
    if !run.command.is_empty() {
        command.argv.clone_from(&run.command);
    } else if let Some(name) = &run.target {
        if profile.target_names().next().is_none() {
            return Err(Failure::usage(format!(
                "target `{name}`, but no {PROFILE} names any target"
            ))
            .hint(HOW));
        }
        let environment = |name: &str| std::env::var(name).ok();
        let entry = profile
            .target(name, &environment)
            .map_err(|broken| Failure::usage(broken.render(false)).hint(HOW))?;
        if entry.command.is_empty() {
            let message =
                format!("target `{name}` has a url; only stdio targets can be tested yet");
            return Err(Failure::usage(message));
        }
        command.argv = entry.command.iter().map(Into::into).collect();
        secrets.extend(entry.env.iter().map(|(_, value)| value.clone()));
        command.env.extend(entry.env);
        again = format!(" {}", quoted(name));
    } else {
        return Err(Failure::usage("no target").hint(HOW));
    }
    for pair in &run.env {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--env `{pair}` is not KEY=VALUE")))?;
        command.env.push((key.to_owned(), value.to_owned()));
        secrets.push(value.to_owned());
    }
    if let Some(cwd) = &run.cwd {
        again.push_str(&format!(" --cwd {}", quoted(&cwd.display().to_string())));
    }
    for (key, _) in run.env.iter().filter_map(|pair| pair.split_once('=')) {
        // The value may be a secret; the shell of whoever reruns fills it in.
        again.push_str(&format!(" --env {key}=\"${key}\""));
    }
    if !run.command.is_empty() {
        let words: Vec<String> = run
            .command
            .iter()
            .map(|word| quoted(&word.to_string_lossy()))
            .collect();
        again.push_str(&format!(" -- {}", words.join(" ")));
    }
    Ok((Target::Command(command), again, secrets))
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
