//! `explain ID --repro`: a shell script that sends the exact bytes, so that a dispute ends without our tool.

use super::Failure;
use crate::native::Means;
use crate::native::permission::Permissions;
use crate::prove::fixtures;
use crate::run::attempt::{Stage, attempt};
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::script::pace::Pace;
use crate::target::{Launcher, Target};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Direction;
use mcp_assay_model::scenario::Scenario;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The script for the first case of a card in a revision. The bytes are those of a run against the reference server.
///
/// **Errors**: a card that does not exist in that revision.
pub fn script(
    catalogue: &Arc<Catalogue>,
    card: &Scenario,
    revision: Revision,
) -> Result<String, Failure> {
    let offer = Offer {
        fixtures: fixtures(),
        calls_allowed: true,
        ..Offer::default()
    };
    let chosen = [Chosen::whole(card)];
    let mut cases = plan(&chosen, &[revision], Binding::Memory, &offer);
    let case = match cases.first_mut() {
        Some(case) if !matches!(case.unmet, Some(mcp_assay_model::verdict::Reason::Revision)) => {
            case
        }
        _ => {
            return Err(Failure::usage(format!(
                "`{}` has no case in {revision}",
                card.id
            )));
        }
    };
    let sent = record(catalogue, case, revision)?;
    let mut out = format!(
        "#!/bin/sh\n# {} in {revision}: the bytes that mcp-assay sends, in order.\n\
         # Usage: sh THIS-FILE your-server its-arguments. The server's answers appear as they come.\n\
         # Each line waits a second, in place of the answer that mcp-assay waits for.\n\
         # The pings are fences: whatever came before them should have been answered by then.\n{{\n",
        card.id
    );
    for bytes in sent {
        out.push_str(&format!("  printf '%b' '{}'\n  sleep 1\n", escaped(&bytes)));
    }
    out.push_str("} | \"$@\"\n");
    Ok(out)
}

fn record(
    catalogue: &Arc<Catalogue>,
    case: &Case,
    revision: Revision,
) -> Result<Vec<Vec<u8>>, Failure> {
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
            launcher: Launcher::new(Target::Peer(None), false)
                .map_err(|error| Failure::usage(error.to_string()))?,
            pace: Arc::new(Pace::new(Duration::from_secs(30), Duration::from_secs(20))),
            catalogue: Arc::clone(catalogue),
            fixtures: fixtures(),
            means: BTreeMap::from([(
                revision,
                Means {
                    permissions,
                    capabilities,
                },
            )]),
        };
        let (attempt, _) = attempt(&stage, case, None).await;
        let record = attempt.record.map_err(Failure::usage)?;
        let sent = record
            .entries
            .iter()
            .filter(|entry| entry.direction == Direction::Sent);
        Ok(sent
            .map(|entry| {
                let mut bytes = entry.raw.to_vec();
                if entry.terminator.is_some() {
                    bytes.push(b'\n');
                }
                bytes
            })
            .collect())
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
