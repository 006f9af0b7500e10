//! What a verdict does to the exit code: policy from the profile, never from a check.

use mcp_assay_catalogue::profile::Profile;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::{CheckResult, Stage};
use mcp_assay_model::verdict::{Gate, Outcome, Verdict};
use std::collections::BTreeMap;

/// Gates by level, code and check.
#[derive(Clone, Debug, PartialEq)]
pub struct GatePolicy {
    /// By level.
    pub levels: BTreeMap<Level, Gate>,
    /// By finding code; over the level's.
    pub codes: BTreeMap<FindingCode, Gate>,
    /// By check id; over everything but the cap on contested checks.
    pub checks: BTreeMap<String, Gate>,
    /// Whether an inconclusive MUST is denied.
    pub strict: bool,
}

impl Default for GatePolicy {
    fn default() -> Self {
        GatePolicy {
            levels: BTreeMap::from([
                (Level::Must, Gate::Deny),
                (Level::Should, Gate::Warn),
                (Level::May, Gate::Allow),
                (Level::Robustness, Gate::Warn),
            ]),
            codes: BTreeMap::from([
                (FindingCode::Died, Gate::Deny),
                (FindingCode::Hung, Gate::Deny),
                (FindingCode::Framing, Gate::Deny),
            ]),
            checks: BTreeMap::new(),
            strict: false,
        }
    }
}

impl GatePolicy {
    /// What a profile says, over the defaults.
    pub fn of(profile: &Profile, strict: bool) -> Self {
        let mut gate = GatePolicy {
            strict,
            ..GatePolicy::default()
        };
        gate.levels.extend(&profile.gate.levels);
        gate.codes.extend(&profile.gate.codes);
        gate.checks.extend(profile.gate.checks.clone());
        gate
    }

    /// Sets the gate of a result: on fail, and on an inconclusive MUST when strict.
    pub fn apply(&self, result: &mut CheckResult) {
        result.gate = match result.verdict {
            Some(Verdict::Fail) => Some(self.of_fail(result)),
            Some(Verdict::Inconclusive) if self.strict && result.level == Some(Level::Must) => {
                Some(cap(result, Gate::Deny))
            }
            Some(Verdict::Pass | Verdict::Inconclusive | Verdict::Error) | None => None,
        };
    }

    fn of_fail(&self, result: &CheckResult) -> Gate {
        let by_check = self.checks.get(&result.id).copied();
        let by_code = || {
            result
                .findings
                .iter()
                .filter_map(|finding| self.codes.get(&finding.code))
                .max()
                .copied()
        };
        let by_level = || {
            result
                .level
                .and_then(|level| self.levels.get(&level))
                .copied()
        };
        let gate = by_check
            .or_else(by_code)
            .or_else(by_level)
            .unwrap_or(Gate::Warn);
        cap(result, gate)
    }
}

/// Contested sentences warn at most; previews and what the baseline knows never gate.
fn cap(result: &CheckResult, gate: Gate) -> Gate {
    if result.baselined || result.stage == Stage::Preview {
        return Gate::Allow;
    }
    if result.contested.is_some() {
        gate.min(Gate::Warn)
    } else {
        gate
    }
}

/// Whether a result counts towards 'at least one MUST passed'.
pub fn is_must_pass(result: &CheckResult) -> bool {
    result.level == Some(Level::Must) && result.verdict == Some(Verdict::Pass)
}

/// Whether a result was selected and applies: it ran or waits, or was left out by no fault of the target.
pub fn is_selected(result: &CheckResult) -> bool {
    match result.outcome {
        Outcome::Ran | Outcome::Waiting | Outcome::NotRun => true,
        Outcome::NotApplicable => false,
    }
}

#[cfg(test)]
mod tests {
    use super::GatePolicy;
    use crate::run::exit::tests::result;
    use mcp_assay_model::finding::{Finding, FindingCode};
    use mcp_assay_model::requirement::Level;
    use mcp_assay_model::result::Stage;
    use mcp_assay_model::verdict::{Gate, Verdict};
    use std::collections::BTreeMap;

    const GATES: [Option<Gate>; 4] = [None, Some(Gate::Allow), Some(Gate::Warn), Some(Gate::Deny)];

    #[test]
    fn checks_go_before_codes_before_levels_and_the_caps_come_last() {
        for by_check in GATES {
            for by_code in GATES {
                for by_level in GATES {
                    for bits in 0_u8..8 {
                        let [contested, preview, baselined] = [1, 2, 4].map(|bit| bits & bit != 0);
                        let policy = GatePolicy {
                            levels: by_level
                                .map(|gate| (Level::Must, gate))
                                .into_iter()
                                .collect(),
                            codes: by_code
                                .map(|gate| (FindingCode::Value, gate))
                                .into_iter()
                                .collect(),
                            checks: by_check
                                .map(|gate| ("a/b/c".to_owned(), gate))
                                .into_iter()
                                .collect(),
                            strict: false,
                        };
                        let mut result = result(Level::Must, Some(Verdict::Fail));
                        result.findings = vec![Finding::new(FindingCode::Value, "x")];
                        result.contested = contested.then(|| "row".to_owned());
                        result.baselined = baselined;
                        result.stage = if preview {
                            Stage::Preview
                        } else {
                            Stage::Stable
                        };
                        policy.apply(&mut result);
                        let mut expected = by_check.or(by_code).or(by_level).unwrap_or(Gate::Warn);
                        if contested {
                            expected = expected.min(Gate::Warn);
                        }
                        if preview || baselined {
                            expected = Gate::Allow;
                        }
                        assert_eq!(
                            result.gate,
                            Some(expected),
                            "{by_check:?} {by_code:?} {by_level:?} {bits:03b}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn of_several_codes_the_hardest_gate_counts_and_only_where_one_has_a_gate() {
        let policy = GatePolicy {
            codes: BTreeMap::from([
                (FindingCode::Value, Gate::Allow),
                (FindingCode::Id, Gate::Warn),
                (FindingCode::Died, Gate::Deny),
            ]),
            ..GatePolicy::default()
        };
        for (codes, gate) in [
            (&[FindingCode::Value][..], Gate::Allow),
            (&[FindingCode::Value, FindingCode::Id], Gate::Warn),
            (&[FindingCode::Died, FindingCode::Value], Gate::Deny),
            (&[FindingCode::Schema], Gate::Deny),
            (&[], Gate::Deny),
        ] {
            let mut result = result(Level::Must, Some(Verdict::Fail));
            result.findings = codes.iter().map(|code| Finding::new(*code, "x")).collect();
            policy.apply(&mut result);
            assert_eq!(result.gate, Some(gate), "{codes:?}");
        }
    }

    #[test]
    fn what_passed_or_was_not_run_has_no_gate() {
        for strict in [false, true] {
            for verdict in [None, Some(Verdict::Pass), Some(Verdict::Error)] {
                let mut result = result(Level::Must, verdict);
                result.gate = Some(Gate::Deny);
                let policy = GatePolicy {
                    strict,
                    ..GatePolicy::default()
                };
                policy.apply(&mut result);
                assert_eq!(result.gate, None, "{verdict:?}");
            }
        }
    }

    #[test]
    fn strictness_bows_to_the_same_caps() {
        let strict = GatePolicy {
            strict: true,
            ..GatePolicy::default()
        };
        let apply = |change: &dyn Fn(&mut mcp_assay_model::result::CheckResult)| {
            let mut result = result(Level::Must, Some(Verdict::Inconclusive));
            change(&mut result);
            strict.apply(&mut result);
            result.gate
        };
        assert_eq!(apply(&|_| ()), Some(Gate::Deny));
        let contested = apply(&|result| result.contested = Some("row".to_owned()));
        assert_eq!(contested, Some(Gate::Warn));
        assert_eq!(apply(&|result| result.baselined = true), Some(Gate::Allow));
        assert_eq!(
            apply(&|result| result.stage = Stage::Preview),
            Some(Gate::Allow)
        );
    }

    #[test]
    fn every_level_code_check_and_contest_gives_the_gate_of_the_contract() {
        let levels = [
            (Level::Must, Gate::Deny),
            (Level::Should, Gate::Warn),
            (Level::May, Gate::Allow),
            (Level::Robustness, Gate::Warn),
        ];
        let denied = [FindingCode::Died, FindingCode::Hung, FindingCode::Framing];
        let mut policy = GatePolicy::default();
        policy.checks.insert("a/b/allowed".to_owned(), Gate::Allow);
        for (level, by_level) in levels {
            for &code in FindingCode::ALL {
                for contested in [false, true] {
                    for id in ["a/b/c", "a/b/allowed"] {
                        let mut result = result(level, Some(Verdict::Fail));
                        result.id = id.to_owned();
                        result.findings = vec![Finding::new(code, "x")];
                        result.contested = contested.then(|| "row".to_owned());
                        policy.apply(&mut result);
                        let mut expected = if denied.contains(&code) {
                            Gate::Deny
                        } else {
                            by_level
                        };
                        if id == "a/b/allowed" {
                            expected = Gate::Allow;
                        }
                        if contested {
                            expected = expected.min(Gate::Warn);
                        }
                        assert_eq!(
                            result.gate,
                            Some(expected),
                            "{level} {code} {contested} {id}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn inconclusive_is_denied_only_for_must_and_only_when_strict() {
        for strict in [false, true] {
            for level in Level::ALL {
                let mut result = result(level, Some(Verdict::Inconclusive));
                GatePolicy {
                    strict,
                    ..GatePolicy::default()
                }
                .apply(&mut result);
                let denied = strict && level == Level::Must;
                assert_eq!(
                    result.gate,
                    denied.then_some(Gate::Deny),
                    "{strict} {level}"
                );
            }
        }
    }
}
