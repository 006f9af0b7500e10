//! Exit codes: one documented type, decided in one place (docs/contracts.md section 1).

use super::gate::{is_must_pass, is_selected};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Gate, Verdict};

/// Why the process ends as it does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitCode {
    /// Nothing was denied, and something was proven.
    Clean,
    /// Findings were denied, or nothing was proven.
    Denied,
    /// The command line or a file of the user is wrong.
    Usage,
    /// The target was not started, not reached, or never gave one valid answer.
    NoTarget,
    /// Nothing was selected.
    NothingSelected,
    /// The baseline holds what no longer fails.
    StaleBaseline,
    /// A bug in the harness.
    Harness,
    /// Interrupted; reports were written.
    Interrupted,
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Clean => 0,
            ExitCode::Denied => 1,
            ExitCode::Usage => 2,
            ExitCode::NoTarget => 3,
            ExitCode::NothingSelected => 4,
            ExitCode::StaleBaseline => 5,
            ExitCode::Harness => 70,
            ExitCode::Interrupted => 130,
        }
    }
}

/// Running judgement over all results of a run; keeps counts, not results.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    denied: u64,
    errors: u64,
    passes: u64,
    must_selected: u64,
    must_passed: u64,
    /// Whether what observers saw is what was asked, as of a recording.
    pub observes: bool,
    /// Whether Ctrl-C came.
    pub interrupted: bool,
    /// Why there was no target to speak of.
    pub no_target: Option<String>,
}

impl Tally {
    /// Counts a settled result.
    pub fn see(&mut self, result: &CheckResult) {
        // What comes with every run, whatever was selected, can be denied, and proves nothing of what was asked.
        let is_observed = result.id.starts_with("observer/") && !self.observes;
        let asked = !(result.id.starts_with("run/") || is_observed);
        self.denied += u64::from(result.gate == Some(Gate::Deny));
        self.errors += u64::from(result.verdict == Some(Verdict::Error));
        self.passes += u64::from(asked && result.verdict == Some(Verdict::Pass));
        self.must_selected +=
            u64::from(asked && result.level == Some(Level::Must) && is_selected(result));
        self.must_passed += u64::from(asked && is_must_pass(result));
    }

    /// The exit code, and the reasons for it, a line each.
    pub fn decide(&self) -> (ExitCode, Vec<String>) {
        let plural =
            |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut reasons = Vec::new();
        if self.errors > 0 {
            reasons.push(format!(
                "{} ended in a bug of the harness; please report it",
                plural(self.errors, "result")
            ));
            return (ExitCode::Harness, reasons);
        }
        if self.interrupted {
            reasons.push("interrupted; what had been seen is reported".to_owned());
            return (ExitCode::Interrupted, reasons);
        }
        if let Some(why) = &self.no_target {
            reasons.push(why.clone());
            return (ExitCode::NoTarget, reasons);
        }
        if self.denied > 0 {
            reasons.push(format!("{} denied", plural(self.denied, "result")));
            return (ExitCode::Denied, reasons);
        }
        if self.must_selected > 0 && self.must_passed == 0 {
            reasons.push(
                "run/nothing-proven: MUST checks were selected, and none of them passed".to_owned(),
            );
            return (ExitCode::Denied, reasons);
        }
        if self.passes == 0 {
            reasons.push("run/nothing-proven: no check passed".to_owned());
            return (ExitCode::Denied, reasons);
        }
        (ExitCode::Clean, reasons)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{ExitCode, Tally};
    use mcp_assay_model::requirement::Level;
    use mcp_assay_model::result::{CheckResult, Stage};
    use mcp_assay_model::scenario::Basis;
    use mcp_assay_model::verdict::{Gate, Outcome, Verdict};

    /// A result of this level and verdict.
    pub(crate) fn result(level: Level, verdict: Option<Verdict>) -> CheckResult {
        CheckResult {
            id: "a/b/c".to_owned(),
            case: "a/b@2025-11-25+memory".to_owned(),
            title: String::new(),
            rule: String::new(),
            basis: Basis::Spec,
            level: Some(level),
            stage: Stage::Stable,
            requirements: Vec::new(),
            outcome: if verdict.is_some() {
                Outcome::Ran
            } else {
                Outcome::NotApplicable
            },
            verdict,
            reason: None,
            gate: None,
            contested: None,
            baselined: false,
            judged: 1,
            confirmed: None,
            duration_ms: 0,
            findings: Vec::new(),
            transcript: Vec::new(),
            rerun: String::new(),
        }
    }

    #[test]
    fn precedence_is_harness_interrupted_no_target_denied_clean() {
        for bits in 0_u8..16 {
            let [error, interrupted, no_target, denied] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let mut tally = Tally {
                interrupted,
                no_target: no_target.then(String::new),
                ..Tally::default()
            };
            tally.see(&result(Level::Must, Some(Verdict::Pass)));
            if error {
                tally.see(&result(Level::Must, Some(Verdict::Error)));
            }
            if denied {
                let mut fail = result(Level::Must, Some(Verdict::Fail));
                fail.gate = Some(Gate::Deny);
                tally.see(&fail);
            }
            let expected = match (error, interrupted, no_target, denied) {
                (true, _, _, _) => ExitCode::Harness,
                (_, true, _, _) => ExitCode::Interrupted,
                (_, _, true, _) => ExitCode::NoTarget,
                (_, _, _, true) => ExitCode::Denied,
                (false, false, false, false) => ExitCode::Clean,
            };
            assert_eq!(tally.decide().0, expected, "{bits:04b}");
        }
    }

    #[test]
    fn nothing_proven_is_no_success() {
        let mut waiting = result(Level::Must, Some(Verdict::Inconclusive));
        waiting.outcome = Outcome::Waiting;
        let mut tally = Tally::default();
        tally.see(&waiting);
        tally.see(&result(Level::Should, Some(Verdict::Pass)));
        assert_eq!(
            tally.decide().0,
            ExitCode::Denied,
            "a MUST waits and none passed"
        );

        let mut tally = Tally::default();
        tally.see(&result(Level::Should, Some(Verdict::Pass)));
        assert_eq!(
            tally.decide().0,
            ExitCode::Clean,
            "no MUST was selected, and one check passed"
        );

        assert_eq!(
            Tally::default().decide().0,
            ExitCode::Denied,
            "nothing passed at all"
        );

        for id in ["run/sanity/alive", "observer/stdout/only-messages"] {
            let mut tally = Tally::default();
            tally.see(&CheckResult {
                id: id.to_owned(),
                ..result(Level::Must, Some(Verdict::Pass))
            });
            assert_eq!(
                tally.decide().0,
                ExitCode::Denied,
                "{id} passes in every run"
            );
        }
    }

    #[test]
    fn every_code_has_the_number_of_the_contract_and_no_other_has_it() {
        let numbers = [
            (ExitCode::Clean, 0),
            (ExitCode::Denied, 1),
            (ExitCode::Usage, 2),
            (ExitCode::NoTarget, 3),
            (ExitCode::NothingSelected, 4),
            (ExitCode::StaleBaseline, 5),
            (ExitCode::Harness, 70),
            (ExitCode::Interrupted, 130),
        ];
        for (code, number) in numbers {
            assert_eq!(code.number(), number);
        }
    }

    #[test]
    fn nothing_is_proven_where_a_must_was_asked_and_none_passed_over_all_pairs() {
        let outcomes = [
            (Outcome::Ran, Some(Verdict::Pass)),
            (Outcome::Ran, Some(Verdict::Fail)),
            (Outcome::Waiting, Some(Verdict::Inconclusive)),
            (Outcome::NotRun, None),
            (Outcome::NotApplicable, None),
        ];
        let levels = [Level::Must, Level::Should, Level::May, Level::Robustness];
        for first in levels {
            for (outcome, verdict) in outcomes {
                for second in levels {
                    for (other, other_verdict) in outcomes {
                        let mut tally = Tally::default();
                        let both = [(first, outcome, verdict), (second, other, other_verdict)];
                        for (level, outcome, verdict) in both {
                            // A fail that nobody denies: what counts here is whether anything was proven.
                            let gate = (verdict == Some(Verdict::Fail)).then_some(Gate::Warn);
                            tally.see(&CheckResult {
                                outcome,
                                gate,
                                ..result(level, verdict)
                            });
                        }
                        let asked = |(level, outcome, _): &(Level, Outcome, Option<Verdict>)| {
                            *level == Level::Must && *outcome != Outcome::NotApplicable
                        };
                        let passed = |(_, _, verdict): &(Level, Outcome, Option<Verdict>)| {
                            *verdict == Some(Verdict::Pass)
                        };
                        let clean = if both.iter().any(asked) {
                            both.iter().any(|one| asked(one) && passed(one))
                        } else {
                            both.iter().any(passed)
                        };
                        let (code, reasons) = tally.decide();
                        assert_eq!(code == ExitCode::Clean, clean, "{both:?}");
                        assert_eq!(reasons.is_empty(), clean, "{both:?}");
                        if !clean {
                            assert_eq!(code, ExitCode::Denied);
                            assert!(reasons[0].contains("run/nothing-proven"), "{reasons:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_denied_sanity_or_observer_result_denies_the_run() {
        for id in ["run/sanity/alive", "observer/stdout/messages-only"] {
            let mut tally = Tally::default();
            tally.see(&result(Level::Must, Some(Verdict::Pass)));
            tally.see(&CheckResult {
                id: id.to_owned(),
                gate: Some(Gate::Deny),
                ..result(Level::Robustness, Some(Verdict::Fail))
            });
            assert_eq!(tally.decide().0, ExitCode::Denied, "{id}");
        }
    }

    #[test]
    fn reasons_count_in_words_that_a_person_reads() {
        let mut tally = Tally::default();
        let mut denied = result(Level::Must, Some(Verdict::Fail));
        denied.gate = Some(Gate::Deny);
        tally.see(&denied);
        assert_eq!(tally.decide().1, ["1 result denied"]);
        tally.see(&denied);
        assert_eq!(tally.decide().1, ["2 results denied"]);
    }
}
