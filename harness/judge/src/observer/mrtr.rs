//! Requests for input within a result.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch, questions};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_wire::raw;
use serde_json::Map;

const KEYS: &str = "keys-unique";

/// Watches what results ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs;

impl Observer for Inputs {
    fn name(&self) -> &'static str {
        "mrtr"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[Rule::of_servers(
                KEYS,
                "requests for input have keys of their own",
                "no two requests for input of one result have the same key",
                &["2026-07-28/basic/patterns/mrtr#server-requirements-basic-workflow.3"],
            )
            .since(Revision::R2026_07_28)]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| Box::new(Keys) as _)
    }
}

struct Keys;

impl Watch for Keys {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let place = "/result/inputRequests";
        if questions::inputs(&came.message.value).is_none_or(Map::is_empty) {
            return;
        }
        let Some(source) = came.source() else {
            return;
        };
        sightings.judge(KEYS);
        let twice = raw::at(source, place).and_then(raw::repeated_key);
        if let Some(key) = twice {
            let message = format!("two requests for input have the key `{}`", text::cut(&key));
            let finding = Finding::new(FindingCode::Duplicate, message)
                .expected("a key of its own for each")
                .actual(came.raw(place).unwrap_or_default())
                .at(came.entry.seq, place);
            sightings.find(KEYS, "", "", finding);
        }
    }
}

#[cfg(test)]
mod tests;
