//! What a result says of its own type.

use super::dialogue::{Asked, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::{Map, Value};

const RESULT_TYPE: &str = "result-type";
const INTERIM: &str = "input_required";

/// Watches the types of results in the modern era.
#[derive(Clone, Copy, Debug)]
pub(super) struct Types;

impl Observer for Types {
    fn name(&self) -> &'static str {
        "results"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    RESULT_TYPE,
                    "a result says its type",
                    "every result has a string `resultType`: `complete`; `input_required`, but of tools/call, prompts/get and resources/read only; or what an extension adds that both sides declared",
                    &[
                        "2026-07-28/basic/index#result-responses.4",
                        "2026-07-28/basic/index#resulttype.2",
                        "2026-07-28/basic/patterns/mrtr#supported-requests.2",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| Box::new(Results { revision }) as _)
    }
}

struct Results {
    revision: Revision,
}

impl Watch for Results {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let (Kind::Result, Some(asked)) = (came.message.kind, came.answers()) else {
            return;
        };
        sightings.judge(RESULT_TYPE);
        let found = came.message.value.at("/result/resultType");
        let Some((code, said)) = wrong(asked, found, self.revision) else {
            return;
        };
        let finding = Finding::new(code, format!("the result of `{}` {said}", asked.method))
            .expected(expected(asked, self.revision))
            .actual(
                came.raw("/result/resultType")
                    .unwrap_or_else(|| came.text()),
            )
            .at(
                came.entry.seq,
                if found.is_some() {
                    "/result/resultType"
                } else {
                    "/result"
                },
            );
        sightings.find(RESULT_TYPE, &asked.method, "/result/resultType", finding);
    }
}

/// What is wrong with the type of a result, as a code and what to say.
fn wrong(
    asked: &Asked,
    found: Option<&Value>,
    revision: Revision,
) -> Option<(FindingCode, String)> {
    let has_extensions = asked
        .capability("extensions")
        .and_then(Value::as_object)
        .is_some_and(|extensions| !Map::is_empty(extensions));
    match found {
        None => Some((FindingCode::Schema, "has no `resultType`".to_owned())),
        Some(Value::String(said)) => match said.as_str() {
            "complete" => None,
            INTERIM if may_be_interim(asked, revision) => None,
            INTERIM => Some((
                FindingCode::Value,
                "asks for input, which a result of this method must not".to_owned(),
            )),
            _ if has_extensions => None,
            other => Some((
                FindingCode::Value,
                format!(
                    "is of the type `{}`, which no extension was declared for",
                    text::cut(other)
                ),
            )),
        },
        Some(other) => Some((
            FindingCode::Schema,
            format!("has {} as `resultType`, not a string", text::kind(other)),
        )),
    }
}

fn may_be_interim(asked: &Asked, revision: Revision) -> bool {
    mcp_assay_schemas::methods(revision.as_str()).any(|known| {
        known.method == asked.method
            && known
                .results
                .iter()
                .any(|result| result == "InputRequiredResult")
    })
}

fn expected(asked: &Asked, revision: Revision) -> String {
    if may_be_interim(asked, revision) {
        format!("`resultType` with \"complete\" or \"{INTERIM}\"")
    } else {
        "`resultType` with \"complete\"".to_owned()
    }
}

#[cfg(test)]
mod tests;
