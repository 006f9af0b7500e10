//! Tools: their names, the dialect of their schemas, and results against what they promised.

mod memory;

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch, blocks};
use crate::place::Place;
use crate::schema::Dialect;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use memory::Offers;
use serde_json::Value;

const DIALECT: &str = "dialect";
const EMBEDDED: &str = "embedded-declared";
const NAME: &str = "name";
const NAME_UNIQUE: &str = "name-unique";
const OUTPUT: &str = "output";
const TEXT_COPY: &str = "text-copy";

/// Watches lists of tools and the results of calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tools;

impl Observer for Tools {
    fn name(&self) -> &'static str {
        "tools"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    DIALECT,
                    "a tool's schemas are written in 2020-12",
                    "a schema of a tool that names its dialect names JSON Schema 2020-12",
                    &["2025-11-25/basic/index#schema-dialect.4"],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    EMBEDDED,
                    "who embeds resources declares resources",
                    "a server whose tools return embedded resources has the capability `resources`",
                    &["2025-06-18/server/tools#embedded-resources.2"],
                )
                .since(Revision::R2025_06_18),
                Rule::of_servers(
                    NAME,
                    "a tool's name has the characters of one",
                    "the name of a tool has 1 to 128 of A-Z, a-z, 0-9, `_`, `-` and `.`",
                    &[
                        "2025-11-25/server/tools#tool-names.1",
                        "2025-11-25/server/tools#tool-names.3",
                        "2025-11-25/server/tools#tool-names.4",
                    ],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    NAME_UNIQUE,
                    "no two tools have one name",
                    "no name comes twice in one walk through the list of tools",
                    &["2025-11-25/server/tools#tool-names.5"],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    OUTPUT,
                    "a tool returns what its output schema says",
                    "the result of a tool with an output schema has structured content that fits it, unless it is an error",
                    &["2025-06-18/server/tools#output-schema.1"],
                )
                .since(Revision::R2025_06_18),
                Rule::of_servers(
                    TEXT_COPY,
                    "structured content comes as text too",
                    "a result with structured content has its JSON in a text block as well",
                    &["2025-06-18/server/tools#structured-content.1"],
                )
                .since(Revision::R2025_06_18),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision >= Revision::R2025_06_18).then(|| {
            Box::new(Toolbox {
                revision,
                offers: Offers::default(),
            }) as _
        })
    }
}

struct Toolbox {
    revision: Revision,
    offers: Offers,
}

impl Watch for Toolbox {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        if came.notification() == Some("notifications/tools/list_changed") {
            self.offers.forget(&came.entry.connection);
        }
        let (Kind::Result, Some(asked)) = (came.message.kind, came.answers()) else {
            return;
        };
        match asked.method.as_str() {
            "tools/list" => self.listed(&came, asked, sightings),
            "tools/call" => self.called(&came, asked, sightings),
            _ => {}
        }
    }
}

impl Toolbox {
    fn listed(&mut self, came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
        let Some(tools) = came
            .message
            .value
            .at("/result/tools")
            .and_then(Value::as_array)
        else {
            return;
        };
        let offer = self.offers.of(&came.entry.connection);
        let next = came
            .message
            .value
            .at("/result/nextCursor")
            .and_then(Value::as_str);
        offer.turn(asked.param("cursor").and_then(Value::as_str), next);
        for (index, tool) in tools.iter().enumerate() {
            let at = format!("/result/tools/{index}");
            for member in ["inputSchema", "outputSchema"] {
                if let Some(schema) = tool.member(member) {
                    dialect(came, schema, &format!("{at}/{member}/$schema"), sightings);
                }
            }
            let Some(name) = tool.member("name").and_then(Value::as_str) else {
                continue;
            };
            offer.learn(name, tool.member("outputSchema"), came.entry.seq);
            sightings.judge(NAME);
            if !is_name(name) {
                let finding = Finding::new(
                    FindingCode::Value,
                    format!("a tool is called `{}`", text::cut(name)),
                )
                .expected("1 to 128 of A-Z, a-z, 0-9, `_`, `-` and `.`")
                .actual(came.raw(&format!("{at}/name")).unwrap_or_default())
                .at(came.entry.seq, &format!("{at}/name"));
                sightings.find(NAME, "tools/list", "", finding);
            }
            sightings.judge(NAME_UNIQUE);
            if !offer.is_new(name) {
                let message = format!("two tools are called `{}`", text::cut(name));
                let finding = Finding::new(FindingCode::Duplicate, message)
                    .expected("a name of its own for each tool")
                    .actual(came.raw(&format!("{at}/name")).unwrap_or_default())
                    .at(came.entry.seq, &format!("{at}/name"));
                sightings.find(NAME_UNIQUE, "tools/list", "", finding);
            }
        }
    }

    fn called(&mut self, came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
        let Some(result) = came.message.value.member("result") else {
            return;
        };
        // An interim result is none yet, and a task has its own.
        let is_interim =
            self.revision >= Revision::R2026_07_28 && result["resultType"] != "complete";
        if is_interim || asked.is_task {
            return;
        }
        embedded(came, result, sightings);
        if result.member("isError") == Some(&Value::Bool(true)) {
            return;
        }
        if let Some(structured) = result.member("structuredContent") {
            text_copy(came, result, structured, sightings);
        }
        let Some(name) = asked.param("name").and_then(Value::as_str) else {
            return;
        };
        let offer = self.offers.of(&came.entry.connection);
        let Some(schema) = offer.promised(name, asked.seq, self.revision) else {
            return;
        };
        let Some(structured) = result.member("structuredContent") else {
            sightings.judge(OUTPUT);
            let message = format!(
                "the tool `{}` has an output schema, and its result has no structured content",
                text::cut(name)
            );
            let finding = Finding::new(FindingCode::Schema, message)
                .expected("`structuredContent` that fits the tool's `outputSchema`")
                .actual(came.raw("/result").unwrap_or_default())
                .at(came.entry.seq, "/result");
            sightings.find(OUTPUT, name, "", finding);
            return;
        };
        let place = "/result/structuredContent";
        let Ok(violations) = schema.judge(structured, None) else {
            return;
        };
        sightings.judge(OUTPUT);
        for mut violation in violations {
            let at = format!("{place}{}", violation.pointer);
            violation.actual = came.raw(&at).unwrap_or_default();
            violation.message = format!(
                "the structured content of the tool `{}`: {}",
                text::cut(name),
                violation.message
            );
            let path = format!(
                "{} {}",
                text::generalize(structured, &violation.pointer),
                violation.expected
            );
            let finding = violation.finding(came.entry.seq, place);
            sightings.find(OUTPUT, name, &path, finding);
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// What a schema that names no dialect is written in is another matter.
fn dialect(came: &Came<'_>, schema: &Value, at: &str, sightings: &mut Sightings) {
    let Some(address) = schema.member("$schema").and_then(Value::as_str) else {
        return;
    };
    sightings.judge(DIALECT);
    if Dialect::named(address) == Some(Dialect::Draft202012) {
        return;
    }
    let message = format!("a schema of a tool is written in {}", text::cut(address));
    let finding = Finding::new(FindingCode::Value, message)
        .expected(Dialect::Draft202012.address())
        .actual(came.raw(at).unwrap_or_default())
        .at(came.entry.seq, at);
    sightings.find(DIALECT, "tools/list", address, finding);
}

fn embedded(came: &Came<'_>, result: &Value, sightings: &mut Sightings) {
    let mut blocks = result.member("content").into_iter().flat_map(blocks::each);
    let has_resource =
        blocks.any(|block| block.member("type").is_some_and(|kind| kind == "resource"));
    if !has_resource || came.client.server_capabilities.is_none() {
        return;
    }
    sightings.judge(EMBEDDED);
    if came.client.offered("resources").is_none() {
        let finding = Finding::new(
            FindingCode::Undeclared,
            "a tool returned an embedded resource, and the server does not declare `resources`",
        )
        .expected("the capability `resources` of the server")
        .actual(came.raw("/result/content").unwrap_or_default())
        .at(came.entry.seq, "/result/content");
        sightings.find(EMBEDDED, "tools/call", "", finding);
    }
}

/// A copy is the JSON itself, however it is written, or the value alone that an object of one member wraps, also item by item.
fn text_copy(came: &Came<'_>, result: &Value, structured: &Value, sightings: &mut Sightings) {
    let blocks = result.member("content").into_iter().flat_map(blocks::each);
    let texts: Vec<&str> = blocks
        .filter(|block| block.member("type").is_some_and(|kind| kind == "text"))
        .filter_map(|block| block.get("text")?.as_str())
        .collect();
    sightings.judge(TEXT_COPY);
    let wrapped = match structured {
        Value::Object(members) if members.len() == 1 => members.values().next(),
        _ => None,
    };
    let is_copied = |value: &Value| texts.iter().any(|text| says(text, value));
    let is_spread = |value: &Value| {
        let items = value.as_array();
        items.is_some_and(|items| items.iter().all(is_copied))
    };
    let is_there = |value: &Value| is_copied(value) || is_spread(value);
    if is_there(structured) || wrapped.is_some_and(is_there) {
        return;
    }
    let finding = Finding::new(
        FindingCode::Value,
        "no text block has the JSON of the structured content",
    )
    .expected("a text block with the JSON of `structuredContent`")
    .actual(came.raw("/result").unwrap_or_default())
    .at(came.entry.seq, "/result/content");
    sightings.find(TEXT_COPY, "tools/call", "", finding);
}

/// Whether a text is a value, as JSON or, of a string, as it is.
fn says(text: &str, value: &Value) -> bool {
    value.as_str() == Some(text)
        || serde_json::from_str::<Value>(text).is_ok_and(|read| is_same(&read, value))
}

/// Whether two values are one, however their numbers are written.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, a): (&String, &Value)| b.get(key).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests;
