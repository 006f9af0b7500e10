//! Sampling: tools that a model used, and their results.

use super::dialogue::{Came, Said};
use super::{Observer, Rule, Sightings, Watch, blocks, questions};
use crate::place::Place;
use crate::schema::OfferedSchema;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Direction;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

const ALONE: &str = "results-alone";
const BALANCED: &str = "results-balanced";
const KNOWN: &str = "results-known";
const STRUCTURED: &str = "results-structured";

/// Watches the conversations that servers have a model go on with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling;

impl Observer for Sampling {
    fn name(&self) -> &'static str {
        "sampling"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    ALONE,
                    "results of tools stand alone",
                    "a message of the user with a result of a tool has nothing but such results",
                    &[
                        "2025-11-25/client/sampling#tool-result-messages.1",
                        "2025-11-25/client/sampling#security-considerations.6",
                    ],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    BALANCED,
                    "each use of a tool has its result",
                    "a message of the assistant that uses tools is followed by one of the user with nothing but results, one for each use",
                    &[
                        "2025-11-25/client/sampling#tool-use-and-result-balance.1",
                        "2025-11-25/client/sampling#security-considerations.6",
                    ],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    KNOWN,
                    "a result of a tool names a use of it",
                    "the `toolUseId` of a result is the id of a use that came before it",
                    &["2025-11-25/schema#toolresultcontent-tooluseid.1"],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    STRUCTURED,
                    "a result of a tool fits its schema",
                    "the structured content of a result that is no error fits the output schema of the tool, where the request has one",
                    &["2025-11-25/schema#toolresultcontent-structuredcontent.1"],
                )
                .since(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision >= Revision::R2025_11_25).then(|| {
            Box::new(Samplings {
                revision,
                used: HashSet::new(),
                is_full: false,
            }) as _
        })
    }
}

/// Uses of tools by a client's model that are remembered; beyond them none is unknown.
const REMEMBERED: usize = 4096;

struct Samplings {
    revision: Revision,
    /// Ids of tools' uses that clients told of.
    used: HashSet<String>,
    is_full: bool,
}

/// A use of a tool or a result of one, with where it stands.
struct Block<'m> {
    message: usize,
    place: String,
    value: &'m Value,
}

impl Watch for Samplings {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        if said.entry.direction == Direction::Sent {
            if let Some(message) = &said.entry.message {
                self.remember(&message.value);
            }
            return;
        }
        let Some(came) = said.came() else {
            return;
        };
        for question in questions::of(came.message) {
            if question.method == "sampling/createMessage" {
                self.judge(&came, question.params, &question.place, sightings);
            }
        }
    }
}

impl Samplings {
    /// The uses in what a client's model answered.
    fn remember(&mut self, message: &Value) {
        let part = |name: &str, member: &str| message.member(name)?.member(member);
        let answer = part("result", "content");
        let responses = part("params", "inputResponses").and_then(Value::as_object);
        let responses = responses.into_iter().flat_map(|all| all.values());
        let contents = answer
            .into_iter()
            .chain(responses.filter_map(|one| one.get("content")));
        for block in contents.flat_map(blocks::each) {
            if let Some(id) = id_of(block, "tool_use", "id") {
                if self.used.len() < REMEMBERED {
                    self.used.insert(id.to_owned());
                } else {
                    self.is_full = true;
                }
            }
        }
    }

    fn judge(&self, came: &Came<'_>, params: &Value, place: &str, sightings: &mut Sightings) {
        let messages = params.get("messages").and_then(Value::as_array);
        let messages = messages.map_or(&[][..], Vec::as_slice);
        let blocks: Vec<Block<'_>> = blocks_of(messages, place);
        let mut told: HashMap<&str, &str> = HashMap::new();
        for block in &blocks {
            if let Some(id) = id_of(block.value, "tool_use", "id") {
                let name = block.value.get("name").and_then(Value::as_str);
                told.insert(id, name.unwrap_or_default());
            } else if let Some(id) = id_of(block.value, "tool_result", "toolUseId") {
                self.known(came, block, id, told.contains_key(id), sightings);
                if let Some(name) = told.get(id) {
                    self.structured(came, block, params, name, sightings);
                }
            }
        }
        for (index, message) in messages.iter().enumerate() {
            let of_message: Vec<&Block<'_>> = blocks
                .iter()
                .filter(|block| block.message == index)
                .collect();
            let at = format!("{place}/messages/{index}");
            if message.get("role").is_some_and(|role| role == "user") {
                alone(came, &of_message, &at, sightings);
            }
            if message.get("role").is_some_and(|role| role == "assistant") {
                let next = blocks.iter().filter(|block| block.message == index + 1);
                let is_user = messages
                    .get(index + 1)
                    .and_then(|next| next.get("role"))
                    .is_some_and(|role| role == "user");
                balanced(came, &of_message, next.filter(|_| is_user), &at, sightings);
            }
        }
    }

    fn known(
        &self,
        came: &Came<'_>,
        block: &Block<'_>,
        id: &str,
        is_told: bool,
        sightings: &mut Sightings,
    ) {
        let is_known = is_told || self.used.contains(id);
        let may_be_older =
            self.is_full || came.client.is_midway || !came.client.past.ids.is_empty();
        if !is_known && may_be_older {
            return;
        }
        sightings.judge(KNOWN);
        if !is_known {
            let message = format!("a result is that of no use of a tool: `{}`", text::cut(id));
            let at = format!("{}/toolUseId", block.place);
            let finding = Finding::new(FindingCode::Id, message)
                .expected("the id of a `tool_use` that came before")
                .actual(came.raw(&at).unwrap_or_default())
                .at(came.entry.seq, &at);
            sightings.find(KNOWN, "sampling/createMessage", "", finding);
        }
    }

    fn structured(
        &self,
        came: &Came<'_>,
        block: &Block<'_>,
        params: &Value,
        name: &str,
        sightings: &mut Sightings,
    ) {
        let Some(content) = block.value.get("structuredContent") else {
            return;
        };
        let tools = params.get("tools").and_then(Value::as_array);
        let mut named = tools
            .into_iter()
            .flatten()
            .filter(|tool| tool["name"] == name);
        let schema = named.next().and_then(|tool| tool.get("outputSchema"));
        let (Some(schema), None) = (schema, named.next()) else {
            return;
        };
        if block.value.get("isError") == Some(&Value::Bool(true)) {
            return;
        }
        let Ok(schema) = OfferedSchema::compile(schema, self.revision) else {
            return;
        };
        let at = format!("{}/structuredContent", block.place);
        let Ok(violations) = schema.judge(content, came.raw(&at).as_deref()) else {
            return;
        };
        sightings.judge(STRUCTURED);
        for violation in violations {
            let path = violation.expected.clone();
            let finding = violation.finding(came.entry.seq, &at);
            sightings.find(STRUCTURED, "sampling/createMessage", &path, finding);
        }
    }
}

/// The text of a member of a block of this type.
fn id_of<'m>(block: &'m Value, kind: &str, member: &str) -> Option<&'m str> {
    let is_it = block.member("type").is_some_and(|own| own == kind);
    block.get(member).filter(|_| is_it)?.as_str()
}

fn blocks_of<'m>(messages: &'m [Value], place: &str) -> Vec<Block<'m>> {
    let mut all = Vec::new();
    for (message, one) in messages.iter().enumerate() {
        let at = format!("{place}/messages/{message}/content");
        match one.get("content") {
            Some(Value::Array(blocks)) => {
                let blocks = blocks.iter().enumerate();
                all.extend(blocks.map(|(index, value)| Block {
                    message,
                    place: format!("{at}/{index}"),
                    value,
                }));
            }
            Some(value) => all.push(Block {
                message,
                place: at,
                value,
            }),
            None => {}
        }
    }
    all
}

fn is_of(block: &Block<'_>, kind: &str) -> bool {
    block.value.get("type").is_some_and(|own| own == kind)
}

fn alone(came: &Came<'_>, blocks: &[&Block<'_>], at: &str, sightings: &mut Sightings) {
    if !blocks.iter().any(|block| is_of(block, "tool_result")) {
        return;
    }
    sightings.judge(ALONE);
    let other = blocks.iter().find(|block| !is_of(block, "tool_result"));
    if let Some(other) = other {
        let kind = other
            .value
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("untyped");
        let message = format!(
            "a message with results of tools has {} content as well",
            text::cut(kind)
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected("`tool_result` content only")
            .actual(came.raw(at).unwrap_or_default())
            .at(came.entry.seq, &other.place);
        sightings.find(ALONE, "sampling/createMessage", "", finding);
    }
}

/// Judges a message of the assistant by the blocks of the message of the user behind it. That these are results alone is another rule's matter
/// where one of them is.
fn balanced<'b, 'm: 'b>(
    came: &Came<'_>,
    blocks: &[&Block<'_>],
    next: impl Iterator<Item = &'b Block<'m>>,
    at: &str,
    sightings: &mut Sightings,
) {
    let used: Vec<&str> = blocks
        .iter()
        .filter_map(|block| id_of(block.value, "tool_use", "id"))
        .collect();
    if used.is_empty() {
        return;
    }
    sightings.judge(BALANCED);
    let given: HashSet<&str> = next
        .filter_map(|block| id_of(block.value, "tool_result", "toolUseId"))
        .collect();
    if let Some(lost) = used.iter().find(|id| !given.contains(*id)) {
        let message = format!(
            "the use `{}` of a tool has no result in the message behind it",
            text::cut(lost)
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected("a message of the user behind it, with a `tool_result` for each use")
            .actual(came.raw(at).unwrap_or_default())
            .at(came.entry.seq, at);
        sightings.find(BALANCED, "sampling/createMessage", "", finding);
    }
}

#[cfg(test)]
mod tests;
