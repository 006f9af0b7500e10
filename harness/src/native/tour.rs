//! The native step `tour`: each advertised capability exercised once, so that its messages are seen.

use super::Means;
use super::arguments;
use super::exchange::{Reply, request};
use super::permission::Permission;
use super::walk::{Walk, walk};
use crate::script::conversation::Conversation;
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Value, json};

/// Entries of one list that are exercised.
const MOST_OF_A_LIST: usize = 50;
/// Levels that a client may ask for, one of which every logging server must know.
const LOG_LEVEL: &str = "info";

/// Code of the error for a method that the server does not know.
const METHOD_NOT_FOUND: i64 = -32601;

/// Runs the step.
///
/// **Errors**: when `of` names no capability of the tour.
pub async fn run(
    of: &str,
    conversation: &mut Conversation,
    means: &Means,
) -> Result<NativeBound, String> {
    let mut tour = Tour {
        conversation,
        means,
        results: Vec::new(),
        unanswered: None,
        called: 0,
        withheld: Vec::new(),
    };
    let came = match of {
        "tools" => tour.tools().await,
        "resources" => tour.resources().await,
        "prompts" => tour.prompts().await,
        "completion" => tour.completion().await,
        "logging" => tour.logging().await,
        _ => return Err(format!("native `tour` knows no capability `{of}`")),
    };
    let results: Vec<Value> = tour
        .results
        .iter()
        .map(|(seq, method)| json!({ "seq": seq, "method": method }))
        .collect();
    Ok(NativeBound {
        native: "tour".to_owned(),
        value: json!({ "of": of, "results": results, "unanswered": tour.unanswered, "called": tour.called, "withheld": tour.withheld }),
        seqs: tour.results.iter().map(|(seq, _)| *seq).collect(),
        missing: came.err(),
    })
}

struct Tour<'a> {
    conversation: &'a mut Conversation,
    means: &'a Means,
    results: Vec<(u64, String)>,
    /// Method of the request that got no answer.
    unanswered: Option<String>,
    called: u64,
    withheld: Vec<Value>,
}

impl Tour<'_> {
    async fn request(&mut self, method: &str, params: &Value) -> Result<Reply, Missing> {
        let patience = self.conversation.pace.work();
        let reply = request(self.conversation, method, Some(params), patience).await;
        if reply.is_err() {
            self.unanswered = Some(method.to_owned());
        }
        let reply = reply?;
        self.results.push((reply.seq, method.to_owned()));
        Ok(reply)
    }

    async fn list(&mut self, list: &str) -> Result<Vec<Value>, Missing> {
        let Walk {
            seqs,
            mut entries,
            missing,
            ..
        } = walk(list, self.conversation).await;
        self.results
            .extend(seqs.into_iter().map(|seq| (seq, list.to_owned())));
        entries.truncate(MOST_OF_A_LIST);
        match missing {
            Some(missing) => {
                self.unanswered = Some(list.to_owned());
                Err(missing)
            }
            None => Ok(entries),
        }
    }

    async fn tools(&mut self) -> Result<(), Missing> {
        let tools = self.list("tools/list").await?;
        for tool in &tools {
            let Some(name) = tool.get("name").and_then(Value::as_str) else {
                continue;
            };
            if let Permission::Refused(why) = self.means.permissions.of(tool, &tools) {
                let forbidden = self.means.permissions.are_forbidden();
                self.withheld.push(
                    json!({ "tool": name, "why": why, "permission": true, "forbidden": forbidden }),
                );
                continue;
            }
            // Such a call is the client's mistake (2025-11-25/basic/utilities/tasks#tool-level-negotiation.5), and the tour begins no tasks.
            let support = tool.pointer("/execution/taskSupport");
            if support.and_then(Value::as_str) == Some("required") {
                let why = "it runs as a task alone";
                self.withheld
                    .push(json!({ "tool": name, "why": why, "permission": false }));
                continue;
            }
            let Some(arguments) = tool.get("inputSchema").and_then(arguments::smallest) else {
                let why = "no arguments are sure to be valid";
                self.withheld
                    .push(json!({ "tool": name, "why": why, "permission": false }));
                continue;
            };
            self.called += 1;
            self.request(
                "tools/call",
                &json!({ "name": name, "arguments": arguments }),
            )
            .await?;
        }
        Ok(())
    }

    async fn resources(&mut self) -> Result<(), Missing> {
        let resources = self.list("resources/list").await?;
        for uri in resources.iter().filter_map(|resource| resource.get("uri")) {
            self.request("resources/read", &json!({ "uri": uri }))
                .await?;
        }
        for template in self.list("resources/templates/list").await? {
            let Some(uri) = template
                .get("uriTemplate")
                .and_then(Value::as_str)
                .and_then(expanded)
            else {
                continue;
            };
            self.request("resources/read", &json!({ "uri": uri }))
                .await?;
        }
        Ok(())
    }

    async fn prompts(&mut self) -> Result<(), Missing> {
        for prompt in self.list("prompts/list").await? {
            let Some(name) = prompt.get("name") else {
                continue;
            };
            let declared = prompt.get("arguments").and_then(Value::as_array);
            let required = declared
                .into_iter()
                .flatten()
                .filter(|argument| argument["required"] == true);
            let arguments: serde_json::Map<String, Value> = required
                .filter_map(|argument| {
                    let name = argument.get("name")?.as_str()?;
                    Some((name.to_owned(), json!(prompt_argument(name))))
                })
                .collect();
            self.request(
                "prompts/get",
                &json!({ "name": name, "arguments": arguments }),
            )
            .await?;
        }
        Ok(())
    }

    async fn completion(&mut self) -> Result<(), Missing> {
        let declares = |capability: &str| self.means.capabilities.get(capability).is_some();
        let (prompts, resources) = (declares("prompts"), declares("resources"));
        if prompts {
            for prompt in self.list("prompts/list").await? {
                let argument = prompt.pointer("/arguments/0/name").cloned();
                let (Some(name), Some(argument)) = (prompt.get("name"), argument) else {
                    continue;
                };
                let reference = json!({ "type": "ref/prompt", "name": name });
                if !self.complete(&reference, &argument).await? {
                    return Ok(());
                }
            }
        }
        if resources {
            for template in self.list("resources/templates/list").await? {
                let Some(uri) = template.get("uriTemplate").and_then(Value::as_str) else {
                    continue;
                };
                let Some(argument) = first_variable(uri) else {
                    continue;
                };
                let reference = json!({ "type": "ref/resource", "uri": uri });
                if !self.complete(&reference, &json!(argument)).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether the server knows the method, so that the next argument is worth a request.
    async fn complete(&mut self, reference: &Value, argument: &Value) -> Result<bool, Missing> {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": "" } });
        let reply = self.request("completion/complete", &params).await?;
        let entry = self.conversation.entry(reply.seq);
        let message = entry.and_then(|entry| entry.message.as_ref());
        let code = message.and_then(|message| message.value.pointer("/error/code"));
        Ok(code.is_none_or(|code| *code != METHOD_NOT_FOUND))
    }

    async fn logging(&mut self) -> Result<(), Missing> {
        self.request("logging/setLevel", &json!({ "level": LOG_LEVEL }))
            .await
            .map(drop)
    }
}

/// A value for an argument of a prompt, whose only type is its name: a server may well quote it where a URI must stand.
fn prompt_argument(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    if name.ends_with("uri") || name.ends_with("url") {
        "https://example.org/"
    } else {
        "1"
    }
}

/// A URI template of plain variables (RFC 6570, level 1), each filled with `1`.
fn expanded(template: &str) -> Option<String> {
    let mut uri = template.to_owned();
    while let Some(variable) = first_variable(&uri).map(str::to_owned) {
        let place = format!("{{{variable}}}");
        if !uri.contains(&place) {
            return None;
        }
        uri = uri.replace(&place, "1");
    }
    Some(uri)
}

/// The first variable of a URI template (RFC 6570), without operator and modifiers.
fn first_variable(template: &str) -> Option<&str> {
    let inner = template.split_once('{')?.1.split_once('}')?.0;
    let inner = inner.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
    inner
        .split([',', ':', '*'])
        .next()
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
