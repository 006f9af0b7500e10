//! Error codes that the specification keeps for itself.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use serde_json::Value;

const CODES: &str = "codes";

/// Watches the codes of errors in the modern era.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes;

impl Observer for Codes {
    fn name(&self) -> &'static str {
        "errors"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    CODES,
                    "no retired and no reserved error code is used",
                    "an error has none of the codes that earlier revisions used (-32002, -32042), nor one from -32020 to -32099 that the specification does not define",
                    &[
                        "2026-07-28/basic/index#error-codes.4",
                        "2026-07-28/basic/index#error-codes.6",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| Box::new(Errors) as _)
    }
}

struct Errors;

impl Watch for Errors {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let code = came.message.value.pointer("/error/code");
        let (Some(asked), Some(code)) = (came.answers(), code.and_then(Value::as_i64)) else {
            return;
        };
        sightings.judge(CODES);
        let why = match code {
            -32002 | -32042 => "an earlier revision used",
            -32022..=-32020 => return,
            -32099..=-32020 => "the specification keeps for itself and does not define",
            _ => return,
        };
        let message = format!(
            "an error of `{}` has the code {code}, which {why}",
            asked.method
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected("a code of JSON-RPC, one that this revision defines, or one outside of the reserved range")
            .actual(code.to_string())
            .at(came.entry.seq, "/error/code");
        sightings.find(CODES, &asked.method, "/error/code", finding);
    }
}

#[cfg(test)]
mod tests;
