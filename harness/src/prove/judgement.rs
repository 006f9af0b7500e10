//! What a sweep says of one claim.

use super::Proof;
use super::sweep::Sweep;
use super::traces::Honest;
use super::variations::{Claim, Variation};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::NearVerdict;
use mcp_assay_model::verdict::{Outcome, Verdict};
use std::collections::BTreeSet;

/// What the check of a claim came to in one case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Came {
    to: Option<Verdict>,
    is_not_applicable: bool,
    has_judged: bool,
}

/// Compares what fired in one revision with what is claimed, and notes it.
pub(super) fn judge(
    variation: &Variation,
    revision: Revision,
    sweep: &Sweep,
    honest: &Honest,
    proof: &mut Proof,
) {
    if let Some(refused) = &sweep.refused {
        let problem = format!("the fault was refused: {refused}");
        if !proof.problems.contains(&problem) {
            proof.problems.push(problem);
        }
        return;
    }
    if sweep.cases.is_empty() {
        // An oddity may belong to some revisions only; that it never shows in any is said once all were looked at.
        if !matches!(variation.claim, Claim::Oddity(_) | Claim::Unclaimed) {
            proof
                .problems
                .push(format!("{revision}: the fault never strikes"));
        }
        return;
    }
    proof.struck.push(revision);
    proof.cases += sweep.cases.len();
    let (fired, errors) = fired(sweep);
    let mut problems = errors;
    match &variation.claim {
        Claim::Mutant { finds, also } => {
            let own = |code: &FindingCode| format!("{}:{code}", variation.own);
            for code in finds.iter().filter(|code| !fired.contains(&own(code))) {
                let came = came(variation, sweep);
                let came: Vec<&str> = came
                    .iter()
                    .map(|came| came.to.map_or("not run", Verdict::as_str))
                    .collect();
                let came = came.join(", ");
                problems.push(format!("survives, no {code} (the check came to: {came})"));
            }
            let is_expected =
                |id: &&String| also.contains(id) || finds.iter().any(|code| **id == own(code));
            let strange = fired.iter().filter(|id| !is_expected(id));
            problems
                .extend(strange.map(|id| format!("fires {id}, which the card does not declare")));
        }
        Claim::Life(code) => {
            if !fired.contains(&format!("{}:{code}", variation.own)) {
                problems.push(format!("survives, no {code}"));
            }
            let is_death = |id: &&String| id.ends_with(&format!("/alive:{code}"));
            let strange = fired.iter().filter(|id| !is_death(id));
            problems.extend(strange.map(|id| format!("fires {id} beside a death")));
        }
        Claim::Near(stated) => {
            let holds = |came: &Came| match stated {
                NearVerdict::Verdict(Verdict::Pass) => {
                    came.to == Some(Verdict::Pass) && came.has_judged
                }
                NearVerdict::Verdict(stated) => came.to == Some(*stated),
                NearVerdict::NotApplicable => came.is_not_applicable,
            };
            let came = came(variation, sweep);
            if !came.iter().any(holds) {
                problems.push(format!(
                    "the near miss comes to {came:?}, never to the stated verdict"
                ));
            }
            let is_stated = |id: &&String| {
                *stated == NearVerdict::Verdict(Verdict::Fail)
                    && id.starts_with(&format!("{}:", variation.own))
            };
            let strange = fired.iter().filter(|id| !is_stated(id));
            problems.extend(strange.map(|id| format!("a lawful variation fires {id}")));
        }
        // Whether it should have been seen is for the suites that are still to come.
        Claim::Unclaimed => {}
        Claim::Oddity(but) => {
            // What the text leaves open is warned of at most, whoever sees it.
            let is_contested = |id: &str| {
                let results = sweep.cases.iter().flat_map(|ran| &ran.results);
                let mut own = results.filter(|result| result.id == id);
                own.any(|result| result.contested.is_some())
            };
            let fires = fired.iter().filter_map(|id| {
                let check = id.rsplit_once(':').map_or(id.as_str(), |(check, _)| check);
                let told = format!("a lawful oddity fires {id}");
                (!is_contested(check)).then(|| (check.to_owned(), told))
            });
            let blinds = honest.blinded(sweep).into_iter().map(|(check, why)| {
                let told = format!("a lawful oddity keeps {check} from a verdict ({why})");
                (check, told)
            });
            for (check, told) in fires.chain(blinds) {
                if but.iter().any(|(known, _)| *known == check) {
                    proof.excused.insert(check);
                } else {
                    problems.push(told);
                }
            }
        }
    }
    let told = problems.into_iter();
    proof
        .problems
        .extend(told.map(|problem| format!("{revision}: {problem}")));
    proof.fired.extend(fired);
}

/// What fired, `ID:code`, and what went wrong with the harness itself.
fn fired(sweep: &Sweep) -> (BTreeSet<String>, Vec<String>) {
    let mut fired = BTreeSet::new();
    let mut errors = BTreeSet::new();
    for ran in &sweep.cases {
        for result in &ran.results {
            let findings = result.findings.iter();
            match result.verdict {
                Some(Verdict::Fail) => {
                    fired.extend(findings.map(|one| format!("{}:{}", result.id, one.code)));
                }
                Some(Verdict::Error) => {
                    errors.extend(findings.map(|one| format!("{}: {}", result.id, one.message)));
                }
                Some(Verdict::Pass | Verdict::Inconclusive) | None => {}
            }
        }
        for seen in &ran.seen {
            fired.extend(
                seen.codes
                    .iter()
                    .map(|code| format!("{}:{code}", seen.rule)),
            );
        }
    }
    (fired, errors.into_iter().collect())
}

/// What the claim's own check or rule came to, over all cases.
fn came(variation: &Variation, sweep: &Sweep) -> BTreeSet<Came> {
    let mut all = BTreeSet::new();
    for ran in &sweep.cases {
        let own = ran.results.iter().filter(|one| one.id == variation.own);
        all.extend(own.map(|result| Came {
            to: result.verdict,
            is_not_applicable: result.outcome == Outcome::NotApplicable,
            has_judged: result.judged > 0,
        }));
        let seen = ran.seen.iter();
        all.extend(
            seen.filter(|one| one.rule == variation.own)
                .map(|one| Came {
                    to: Some(if one.codes.is_empty() {
                        Verdict::Pass
                    } else {
                        Verdict::Fail
                    }),
                    is_not_applicable: false,
                    has_judged: one.judged > 0,
                }),
        );
    }
    all
}
