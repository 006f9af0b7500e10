//! `explain ID --repro`: a shell script that sends the exact bytes, so that a dispute ends without our tool.

use super::Failure;
use crate::cli::target::quoted;
use crate::era::Manner;
use crate::native::Means;
use crate::native::permission::Permissions;
use crate::prove::fixtures_in;
use crate::run::attempt::{Stage, attempt};
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::script::pace::Pace;
use crate::target::{Launcher, Peer, Target};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Direction, Entry, Http, HttpPart};
use mcp_assay_model::scenario::{Need, Scenario};
use mcp_assay_model::verdict::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The script for the first case of a card in a revision, over the binding that it needs, else the one given, else stdio. The bytes are those of a run against the reference server.
///
/// **Errors**: a card that does not exist in that revision.
pub fn script(
    catalogue: &Arc<Catalogue>,
    card: &Scenario,
    revision: Option<Revision>,
    binding: Option<Binding>,
) -> Result<String, Failure> {
    let last = card.until.unwrap_or(Revision::R2025_11_25);
    let usual = card.since.max(Revision::R2025_11_25.min(last));
    let revision = revision.unwrap_or(usual);
    let fence = Manner::new(revision).fence_method();
    let offer = Offer {
        fixtures: BTreeMap::from([(revision, fixtures_in(revision))]),
        calls_allowed: BTreeSet::from([revision]),
        ..Offer::default()
    };
    let chosen = [Chosen::whole(card)];
    let needed = card.needs.iter().find_map(|need| match need {
        Need::Binding(binding @ (Binding::Http | Binding::HttpSse)) => Some(*binding),
        _ => None,
    });
    let binding = needed.or(binding).unwrap_or(Binding::Memory);
    let mut cases = plan(&chosen, &[revision], binding, &offer);
    let case = match cases.first_mut() {
        Some(case) if !matches!(case.unmet, Some(Reason::Revision)) => case,
        _ => {
            return Err(Failure::usage(format!(
                "`{}` has no case in {revision}",
                card.id
            )));
        }
    };
    let sent = record(catalogue, case, revision)?;
    match binding {
        Binding::Http => return Ok(curl(card, revision, &sent)),
        Binding::HttpSse => {
            let message = "its messages go where the server's `endpoint` event says, which no fixed script can know";
            return Err(Failure::usage(format!(
                "no script for `{}`: {message}",
                card.id
            )));
        }
        Binding::Stdio | Binding::Memory => {}
    }
    let mut out = format!(
        "#!/bin/sh\n# {} in {revision}: the bytes that mcp-assay sends, in order.\n\
         # Usage: sh THIS-FILE your-server its-arguments. The server's answers appear as they come.\n\
         # Each line waits a second, in place of the answer that mcp-assay waits for.\n\
         # Each `{fence}` of ours is a fence: whatever came before it should have been answered by then.\n{{\n",
        card.id
    );
    for entry in sent {
        let mut bytes = entry.raw.to_vec();
        if entry.terminator.is_some() {
            bytes.push(b'\n');
        }
        out.push_str(&format!("  printf '%b' '{}'\n  sleep 1\n", escaped(&bytes)));
    }
    out.push_str("} | \"$@\"\n");
    Ok(out)
}

/// Host of the reference server in memory.
const PEER_HOST: &str = "127.0.0.1";
/// Fields that curl writes itself.
const OF_CURL: &[&str] = &["host", "content-length", "user-agent", "connection"];

/// The same requests with curl. The MCP session is that which the server gives; a stream is read for a few seconds.
fn curl(card: &Scenario, revision: Revision, sent: &[Entry]) -> String {
    let fence = Manner::new(revision).fence_method();
    let mut out = format!(
        "#!/bin/sh\n# {} in {revision}: the requests that mcp-assay sends, in order.\n\
         # Usage: sh THIS-FILE URL. Each answer is shown with its head; streams are read for five seconds.\n\
         # Each `{fence}` of ours is a fence: whatever came before it should have been answered by then.\n\
         url=$1\nsession=\nheads=$(mktemp)\n\
         keep() {{ session=$(tr -d '\\r' < \"$heads\" | sed -n 's/^[Mm][Cc][Pp]-[Ss][Ee][Ss][Ss][Ii][Oo][Nn]-[Ii][Dd]: *//p' | head -n 1); }}\n",
        card.id
    );
    for entry in sent {
        let Some(Http {
            part: HttpPart::Request { method, head, .. },
            ..
        }) = &entry.http
        else {
            continue;
        };
        let has_own = |name: &str| {
            // What the card overrides goes out as the card has it.
            let plain = format!("{}", entry.raw.len());
            match name {
                "host" => head.value("host").is_none_or(|host| host != PEER_HOST),
                "content-length" => {
                    head.values("content-length").count() > 1
                        || head
                            .value("content-length")
                            .is_some_and(|length| length != plain)
                }
                _ => false,
            }
        };
        let mut command = format!("curl -sS -i -m 5 -D \"$heads\" -X {method}");
        for field in &head.fields {
            let name = field.name.to_ascii_lowercase();
            if OF_CURL.contains(&name.as_str()) && !has_own(&name) {
                continue;
            }
            if name == "mcp-session-id" {
                command.push_str(" -H \"Mcp-Session-Id: $session\"");
            } else {
                let value = String::from_utf8_lossy(&field.value);
                command.push_str(&format!(
                    " -H {}",
                    quoted(&format!("{}: {value}", field.name))
                ));
            }
        }
        for name in ["accept", "content-type", "host"] {
            if head.value(name).is_none() {
                command.push_str(&format!(" -H '{name}:'"));
            }
        }
        let is_initialize = entry
            .message
            .as_ref()
            .is_some_and(|message| message.method.as_deref() == Some("initialize"));
        if entry.raw.is_empty() {
            let background = if method == "GET" { " &" } else { "" };
            out.push_str(&format!("{command} \"$url\"{background}\necho\n"));
        } else {
            out.push_str(&format!(
                "printf '%b' '{}' | {command} --data-binary @- \"$url\"\necho\n",
                escaped(&entry.raw)
            ));
        }
        if is_initialize {
            out.push_str("keep\n");
        }
    }
    out.push_str("wait\nrm -f \"$heads\"\n");
    out
}

fn record(
    catalogue: &Arc<Catalogue>,
    case: &Case,
    revision: Revision,
) -> Result<Vec<Entry>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Failure::usage(error.to_string()))?;
    runtime.block_on(async {
        let permissions =
            Permissions::new(&["*"], false).map_err(|error| Failure::usage(error.to_string()))?;
        let capabilities = serde_json::json!({ "tools": {}, "prompts": {}, "resources": {} });
        let stage = Stage {
            launcher: Launcher::new(Target::Peer(Peer::over(case.binding, None)), false)
                .map_err(|error| Failure::usage(error.to_string()))?,
            pace: Arc::new(Pace::new(Duration::from_secs(30), Duration::from_secs(20))),
            catalogue: Arc::clone(catalogue),
            fixtures: fixtures_in(revision),
            found: BTreeMap::new(),
            means: BTreeMap::from([(
                revision,
                Means {
                    permissions,
                    capabilities,
                    ..Means::default()
                },
            )]),
        };
        let (attempt, _) = attempt(&stage, case, None).await;
        let record = attempt.record.map_err(Failure::usage)?;
        let is_sent = |entry: &Entry| entry.direction == Direction::Sent;
        Ok(record.entries.into_iter().filter(is_sent).collect())
    })
}

/// Bytes as `printf %b` takes them within single quotes: octal escapes for all that is not plain.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' if byte != b'\'' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\0{byte:03o}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn bytes_survive_a_shell() {
        let bytes: Vec<u8> = (1..=255).collect();
        let script = format!("printf '%b' '{}'", escaped(&bytes));
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(script)
            .output()
            .expect("sh runs");
        assert_eq!(output.stdout, bytes);
    }
}
