//! Hints on how long a result holds, and for whom.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::schema::Schemas;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_wire::jsonrpc::Kind;

const HINTS: &str = "hints";

/// The definition that the hints are judged by.
const CACHEABLE: &str = "CacheableResult";

/// Methods whose complete results are cacheable.
const METHODS: [&str; 6] = [
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/list",
];

/// Watches the caching hints of results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caching;

impl Observer for Caching {
    fn name(&self) -> &'static str {
        "caching"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    HINTS,
                    "cacheable results say how long and for whom",
                    "the complete results of server/discover, the four lists and resources/read have `ttlMs`, an integer from 0, and `cacheScope`, public or private",
                    &[
                        "2026-07-28/server/utilities/caching#cacheable-results.1",
                        "2026-07-28/server/utilities/caching#cacheable-results.2",
                        "2026-07-28/server/utilities/caching#cacheable-results.3",
                        "2026-07-28/server/utilities/caching#cacheable-results.4",
                        "2026-07-28/server/utilities/caching#cacheable-results.5",
                        "2026-07-28/server/utilities/caching#cacheable-results.6",
                        "2026-07-28/server/utilities/caching#time-to-live-ttl-field.7",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| {
            Box::new(Results {
                schemas: Schemas::of(revision),
            }) as _
        })
    }
}

struct Results {
    schemas: &'static Schemas,
}

impl Watch for Results {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let (Kind::Result, Some(asked)) = (came.message.kind, came.answers()) else {
            return;
        };
        let result = &came.message.value["result"];
        // That the type is missing is another rule's matter, and an interim result is not cacheable.
        if !METHODS.contains(&asked.method.as_str()) || result["resultType"] != "complete" {
            return;
        }
        sightings.judge(HINTS);
        let violations = self
            .schemas
            .judge_definition(CACHEABLE, result, came.raw("/result").as_deref())
            .expect("every revision of the era has the definition, as a test shows");
        for mut violation in violations {
            // Of the rest of the result this rule says nothing.
            if !matches!(violation.pointer.as_str(), "" | "/ttlMs" | "/cacheScope") {
                continue;
            }
            violation.message = format!("result of {}: {}", asked.method, violation.message);
            // Of two missing members each is a cause of its own.
            let path = format!("{} {}", violation.pointer, violation.expected);
            let finding = violation.finding(came.entry.seq, "/result");
            sightings.find(HINTS, &asked.method, &path, finding);
        }
    }
}

#[cfg(test)]
mod tests;
