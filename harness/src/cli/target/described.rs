//! A target as one of its sources describes it, before the options of the command line are laid over it.

use super::address::{self, Filled};
use super::config;
use super::quoted;
use super::variables::Environment;
use crate::cli::{Failure, args};
use crate::target::{HttpTarget, Start, Target};
use mcp_assay_catalogue::profile;
use mcp_assay_model::protocol::Binding;
use mcp_assay_transport::http::dial::Network;
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::server_process::Ready;
use mcp_assay_transport::stdio::Command;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A target, and how it is named again.
///
/// **Shape**: with an endpoint, `command` is what starts the server, and may be empty.
#[derive(Default)]
pub struct Described {
    endpoint: Option<Endpoint>,
    command: Command,
    headers: Vec<(String, String)>,
    ready: profile::Ready,
    within: Option<Duration>,
    ca: Vec<PathBuf>,
    binding: Option<Binding>,
    secrets: Vec<String>,
    /// Words of a rerun command, each with a space before it; those behind `--` come last.
    again: String,
    behind: String,
}

impl Described {
    /// A command that was typed.
    pub fn typed_command(words: &[OsString]) -> Self {
        Described {
            command: Command::new(words),
            behind: behind(words),
            ..Described::default()
        }
    }

    /// An address that was typed, and the command that starts the server behind it, where there is one.
    pub fn typed_address(typed: Filled<Endpoint>, start: &[OsString]) -> Self {
        Described {
            endpoint: Some(typed.value),
            command: Command::new(start),
            secrets: typed.secrets,
            again: format!(" {}", quoted(&typed.again)),
            behind: behind(start),
            ..Described::default()
        }
    }

    /// A target of the profile.
    ///
    /// **Errors**: an address that is none once its variables are filled in.
    pub fn of_profile(name: &str, entry: profile::Target) -> Result<Self, Failure> {
        let place = format!("target `{name}`");
        let mut secrets = entry.secrets;
        let endpoint = endpoint(&place, entry.url.as_deref(), &mut secrets)?;
        let words = if endpoint.is_some() {
            entry.start
        } else {
            entry.command
        };
        Ok(Described {
            endpoint,
            command: Command {
                env: entry.env,
                cwd: entry.cwd.map(PathBuf::from),
                ..Command::new(words)
            },
            headers: entry.headers,
            ready: entry.ready,
            within: entry.within,
            ca: entry.ca.into_iter().map(PathBuf::from).collect(),
            binding: entry.binding,
            secrets,
            again: format!(" {}", quoted(name)),
            behind: String::new(),
        })
    }

    /// A server of a client's configuration.
    ///
    /// **Errors**: an address that is none.
    pub fn configured(
        server: config::Server,
        file: &Path,
        asked: Option<&str>,
    ) -> Result<Self, Failure> {
        let place = format!("server `{}` of `{}`", server.name, file.display());
        let mut secrets = server.secrets;
        let endpoint = endpoint(&place, server.url.as_deref(), &mut secrets)?;
        let mut again = format!(" --config {}", quoted(&file.display().to_string()));
        if let Some(name) = asked {
            again.push_str(&format!(" --server {}", quoted(name)));
        }
        Ok(Described {
            endpoint,
            command: Command {
                env: server.env,
                cwd: server.cwd.map(PathBuf::from),
                ..Command::new(server.command)
            },
            headers: server.headers,
            binding: server.binding,
            secrets,
            again,
            ..Described::default()
        })
    }

    /// With the options of the command line laid over it.
    ///
    /// **Errors**: an option that is broken, or does not go with the target.
    pub fn with_options(
        mut self,
        run: &args::Run,
        environment: Environment<'_>,
    ) -> Result<Self, Failure> {
        self.refuse_idle_options(run)?;
        if let Some(cwd) = &run.cwd {
            self.again
                .push_str(&format!(" --cwd {}", quoted(&cwd.display().to_string())));
            self.command.cwd = Some(cwd.clone());
        }
        for pair in &run.env {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--env `{pair}` is not KEY=VALUE")))?;
            // The value may be a secret; the shell of whoever reruns fills it in.
            self.again.push_str(&format!(" --env {key}=\"${key}\""));
            self.command.env.push((key.to_owned(), value.to_owned()));
            self.secrets.push(value.to_owned());
        }
        let mut typed = Vec::new();
        for word in &run.header {
            let header = address::header(word, environment)?;
            self.again
                .push_str(&format!(" --header {}", quoted(&header.again)));
            self.secrets.extend(header.secrets);
            typed.push(header.value);
        }
        // What is typed stands in place of what the source has under that name.
        self.headers
            .retain(|(name, _)| !typed.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        self.headers.extend(typed);
        for file in &run.ca {
            self.again
                .push_str(&format!(" --ca {}", quoted(&file.display().to_string())));
            self.ca.push(file.clone());
        }
        if let Some(binding) = run.binding {
            self.again.push_str(&format!(" --binding {binding}"));
            self.binding = Some(binding);
        }
        Ok(self)
    }

    /// Refuses what would have no effect: whoever typed it expects one.
    fn refuse_idle_options(&self, run: &args::Run) -> Result<(), Failure> {
        let for_http = [
            ("--header", !run.header.is_empty()),
            ("--ca", !run.ca.is_empty()),
            ("--binding", run.binding.is_some()),
        ];
        let for_processes = [("--env", !run.env.is_empty()), ("--cwd", run.cwd.is_some())];
        let first = |options: &[(&'static str, bool)]| {
            options
                .iter()
                .find_map(|(name, given)| given.then_some(*name))
        };
        match (&self.endpoint, first(&for_http), first(&for_processes)) {
            (None, Some(option), _) => {
                let message =
                    format!("{option} is for a server behind an address; this target is a command");
                Err(Failure::usage(message))
            }
            (Some(_), _, Some(option)) if self.command.argv.is_empty() => {
                let message = format!(
                    "{option} is for a process that mcp-assay starts; this target is an address alone"
                );
                Err(Failure::usage(message)
                    .hint("to have the server started, write its command after `--`, or `start` in the profile"))
            }
            _ => Ok(()),
        }
    }

    /// The target, how to name it in a rerun command, and its secrets.
    ///
    /// **Errors**: a header that cannot be sent, or a file of certificate authorities that cannot be used.
    pub fn finish(self, start_timeout: Duration) -> Result<(Target, String, Vec<String>), Failure> {
        let again = self.again + &self.behind;
        let Some(endpoint) = self.endpoint else {
            return Ok((Target::Command(self.command), again, self.secrets));
        };
        for (name, value) in &self.headers {
            address::sound(name, value)?;
        }
        let ca = self
            .ca
            .iter()
            .map(|file| authorities(file))
            .collect::<Result<Vec<_>, _>>()?;
        let ready = match self.ready {
            profile::Ready::Port => Ready::Port {
                host: endpoint.host.clone(),
                port: endpoint.port,
            },
            profile::Ready::Stdout(text) => Ready::Stdout(text),
            profile::Ready::Stderr(text) => Ready::Stderr(text),
        };
        let start = (!self.command.argv.is_empty()).then_some(Start {
            command: self.command,
            ready,
            within: self.within.unwrap_or(start_timeout),
        });
        let target = HttpTarget {
            endpoint,
            headers: self.headers,
            ca,
            start,
            binding: self.binding,
        };
        Ok((Target::Http(target), again, self.secrets))
    }
}

fn behind(words: &[OsString]) -> String {
    if words.is_empty() {
        return String::new();
    }
    let words: Vec<String> = words
        .iter()
        .map(|word| quoted(&word.to_string_lossy()))
        .collect();
    format!(" -- {}", words.join(" "))
}

fn endpoint(
    place: &str,
    url: Option<&str>,
    secrets: &mut Vec<String>,
) -> Result<Option<Endpoint>, Failure> {
    let Some(url) = url else {
        return Ok(None);
    };
    // The address may hold a secret, so it is not repeated.
    let endpoint = Endpoint::parse(url)
        .map_err(|error| Failure::usage(format!("the address of {place}: {error}")))?;
    secrets.extend(address::secrets_of(url, &endpoint));
    Ok(Some(endpoint))
}

/// Reads a file of certificate authorities, and makes sure that it holds some.
fn authorities(file: &Path) -> Result<Vec<u8>, Failure> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| {
        Failure::usage(format!(
            "cannot read the certificate authorities in `{shown}`: {error}"
        ))
    })?;
    Network::new(std::slice::from_ref(&pem)).map_err(|error| {
        Failure::usage(format!(
            "`{shown}` holds no certificate authority to trust: {error}"
        ))
    })?;
    Ok(pem)
}
