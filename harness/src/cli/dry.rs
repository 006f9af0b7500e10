//! `run --dry`: what a run would send and which tools it would call. Probes and lists; calls nothing.

use super::Failure;
use super::listing::print;
use crate::era::{self, Manner};
use crate::native::arguments;
use crate::native::permission::Permission;
use crate::native::walk::walk;
use crate::run::attempt::{Stage, retire};
use crate::run::exit::ExitCode;
use crate::run::plan::Case;
use crate::run::settings::Settings;
use crate::run::survey::{Survey, survey};
use crate::script::conversation::Conversation;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_model::scenario::{Action, Payload};
use mcp_assay_model::template::Template;
use mcp_assay_report::{Mask, visible};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Prints the plan.
///
/// **Errors**: standard output that cannot be written.
pub async fn main(mut stage: Stage, settings: &Settings, mask: &Mask) -> Result<ExitCode, Failure> {
    let Survey {
        probes,
        tested,
        cases,
    } = survey(&mut stage, settings).await;
    let is_reached = probes.iter().any(|probe| probe.answered);
    let why = probes.iter().find_map(|probe| probe.silence.clone());
    if let Some(why) = why.filter(|_| !is_reached) {
        return Err(Failure {
            code: ExitCode::NoTarget,
            message: shown(&why, mask),
            hint: None,
        });
    }
    let mut out = String::new();
    let dates: Vec<String> = tested.iter().map(Revision::to_string).collect();
    out.push_str(&format!(
        "Would test {} over {}; nothing was called.\n",
        dates.join(", "),
        stage.launcher.binding()
    ));
    for case in &cases {
        match &case.unmet {
            Some(reason) => out.push_str(&format!("\n{}: not run, {reason}\n", case.id)),
            None => {
                out.push_str(&format!("\n{}\n", case.id));
                case.card
                    .steps
                    .iter()
                    .for_each(|step| describe(case, &step.action, &mut out));
            }
        }
    }
    for &revision in &tested {
        tools(&stage, settings, mask, revision, &mut out).await?;
    }
    print(&out)
}

fn describe(case: &Case, action: &Action, out: &mut String) {
    let text = |template: &Template| {
        let mut fill = |reference: &Template| {
            Ok::<String, ()>(match reference {
                Template::Vary(name) => case.vary.get(name).cloned().unwrap_or_default(),
                Template::Fact(path) => format!("<fact {path}>"),
                Template::Fixture(path) => format!("<fixture {path}>"),
                Template::From { label, at } => format!("<from {label}{at}>"),
                Template::Empty => "<empty>".to_owned(),
                Template::Literal(text) | Template::Raw(text) => text.clone(),
                Template::Text(_) | Template::Array(_) | Template::Object(_) => String::new(),
            })
        };
        template.render(&mut fill).unwrap_or_default()
    };
    let line = match action {
        Action::Open { .. } => match case.revision.era() {
            Era::Legacy => "open: initialize, notifications/initialized".to_owned(),
            Era::Modern => "open: server/discover".to_owned(),
        },
        Action::Send {
            what: Payload::Message(outgoing),
            ..
        } => format!("send {}", text(&outgoing.message)),
        Action::Send {
            what: Payload::Batch(items),
            ..
        } => {
            let items: Vec<String> = items.iter().map(|(_, item)| text(&item.message)).collect();
            format!("send a batch [{}]", items.join(","))
        }
        Action::Send {
            what: Payload::Json(json),
            ..
        } => format!("send {}", json.trim_end()),
        Action::Raw { bytes, .. } => format!("write {:?}", String::from_utf8_lossy(bytes)),
        Action::Cancel { request } => format!("cancel {request}"),
        Action::Http { method, .. } => format!("http {method}"),
        Action::Close(_) => "close".to_owned(),
        Action::Native {
            name, parameters, ..
        } => {
            let parameters: Vec<String> = parameters
                .iter()
                .map(|(key, value)| format!("{key}: {}", text(value)))
                .collect();
            format!("native {name} ({})", parameters.join(", "))
        }
        Action::Await { .. } | Action::Quiet { .. } => return,
    };
    let cut: String = line.chars().take(400).collect();
    out.push_str(&format!("  {}\n", visible(&cut)));
}

/// Text that holds words of the target: without secrets, nothing of it obeyed, its further lines marked as no lines of ours.
fn shown(text: &str, mask: &Mask) -> String {
    let masked = mask.text(text);
    let lines: Vec<_> = masked.split('\n').map(visible).collect();
    lines.join("\n  | ")
}

/// Which tools a tour would call, and with what.
async fn tools(
    stage: &Stage,
    settings: &Settings,
    mask: &Mask,
    revision: Revision,
    out: &mut String,
) -> Result<(), Failure> {
    let has_tools = stage
        .means
        .get(&revision)
        .is_some_and(|means| means.capabilities.get("tools").is_some());
    if !has_tools {
        return Ok(());
    }
    let link = stage.launcher.open().await.map_err(|error| Failure {
        code: ExitCode::NoTarget,
        message: error.to_string(),
        hint: None,
    })?;
    let binding = stage.launcher.binding();
    let pace = Arc::clone(&stage.pace);
    let manner = Manner::new(revision);
    let mut conversation = Conversation::new(link, binding, manner, "dry", pace, HashSet::new());
    let (_, _) = era::open(&mut conversation, stage.pace.start()).await;
    let listed = walk("tools/list", &mut conversation).await.entries;
    retire(conversation, true).await;
    out.push_str(&format!("\nTools in {revision}:\n"));
    let mut seen = BTreeSet::new();
    for tool in &listed {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        if !seen.insert(name) {
            continue;
        }
        let line = match settings.permissions.of(tool, &listed) {
            Permission::Refused(why) => format!("would not call: {why}"),
            Permission::Allowed => match tool.get("inputSchema").and_then(arguments::smallest) {
                Some(arguments) => format!("would call with {arguments}"),
                None => "would not call: no arguments are sure to be valid".to_owned(),
            },
        };
        let line = mask.text(&format!("{name} {line}"));
        out.push_str(&format!("  {}\n", visible(&line)));
    }
    Ok(())
}
