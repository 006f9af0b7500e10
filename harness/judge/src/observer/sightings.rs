//! What a watch judged and found, grouped by root cause as it goes, so that a million bad lines are one finding.

use mcp_assay_model::finding::{Finding, FindingCode};
use std::collections::BTreeMap;

/// What was judged and found, by rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sightings {
    judged: BTreeMap<&'static str, u64>,
    found: BTreeMap<Cause, Finding>,
}

/// What makes two findings one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Cause {
    rule: &'static str,
    code: FindingCode,
    /// Method of the message, or of the request that it answers; empty where there is none.
    method: String,
    /// Place within the message, with array indices as `*`.
    path: String,
}

/// One finding of a rule, of one root cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting<'s> {
    /// Id of the rule.
    pub rule: &'static str,
    /// Method that groups it; empty where there is none.
    pub method: &'s str,
    /// Place that groups it.
    pub path: &'s str,
    /// The smallest example, with how often it was seen.
    pub finding: &'s Finding,
}

impl Sightings {
    /// One more thing was judged by a rule.
    pub fn judge(&mut self, rule: &'static str) {
        *self.judged.entry(rule).or_default() += 1;
    }

    /// Something was found; `path` has array indices as `*`.
    pub fn find(&mut self, rule: &'static str, method: &str, path: &str, finding: Finding) {
        let cause = Cause {
            rule,
            code: finding.code,
            method: method.to_owned(),
            path: path.to_owned(),
        };
        match self.found.get_mut(&cause) {
            None => drop(self.found.insert(cause, finding)),
            Some(kept) => {
                let count = kept.count + finding.count;
                if size(&finding) < size(kept) {
                    *kept = finding;
                }
                kept.count = count;
            }
        }
    }

    /// How many things a rule judged.
    pub fn judged(&self, rule: &str) -> u64 {
        self.judged.get(rule).copied().unwrap_or(0)
    }

    /// What was found, in order of rule and cause.
    pub fn found(&self) -> impl Iterator<Item = Sighting<'_>> {
        self.found.iter().map(|(cause, finding)| Sighting {
            rule: cause.rule,
            method: &cause.method,
            path: &cause.path,
            finding,
        })
    }
}

fn size(finding: &Finding) -> usize {
    finding.actual.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_one_finding_with_its_smallest_example() {
        let mut sightings = Sightings::default();
        for actual in ["long one", "short", "middle"] {
            sightings.judge("a");
            let finding = Finding::new(FindingCode::Schema, actual).actual(actual);
            sightings.find("a", "tools/list", "/result/tools/*", finding);
        }
        let other = Finding::new(FindingCode::Value, "other").actual("x");
        sightings.find("a", "tools/list", "/result/tools/*", other);
        let found: Vec<_> = sightings
            .found()
            .map(|one| (one.finding.message.as_str(), one.finding.count))
            .collect();
        assert_eq!(found, [("other", 1), ("short", 3)]);
        assert_eq!((sightings.judged("a"), sightings.judged("b")), (3, 0));
    }
}
