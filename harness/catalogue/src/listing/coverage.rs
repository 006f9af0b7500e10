//! `coverage`: how much of the requirement catalogue checks and observers reach (docs/contracts.md section 3).

use crate::catalogue::{Catalogue, check_id, revisions_of};
use crate::requirements::{Rows, is_testable_for};
use mcp_assay_model::event::{Coverage, LevelCoverage, RevisionCoverage};
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::requirement::{Form, Keyword, Requirement};
use mcp_assay_model::scenario::Basis;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A rule of an observer, which covers what it cites.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObserverRule {
    /// `observer/NAME/RULE`.
    pub id: String,
    /// What it says, in a line.
    pub title: String,
    /// Specification or robustness.
    pub basis: Basis,
    /// Whom it binds.
    pub role: Role,
    /// First revision it judges.
    pub since: Revision,
    /// Last revision, inclusive.
    pub until: Option<Revision>,
    /// Requirements cited: first statements.
    pub cites: Vec<String>,
}

/// Counts, and the rows that nothing covers.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageReport {
    /// As in reports.
    pub coverage: Coverage,
    /// By feature, then by revision.
    pub features: Vec<FeatureCoverage>,
    /// Testable rows that no check and no rule cites, oldest revision first.
    pub uncovered: Vec<Uncovered>,
}

/// A testable row that nothing covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uncovered {
    /// Its revision.
    pub revision: Revision,
    /// `MUST` or `SHOULD`.
    pub level: &'static str,
    /// Its id.
    pub id: String,
    /// Area of the specification.
    pub feature: String,
    /// Why, where that is known.
    pub why: Option<String>,
    /// Link to the sentence.
    pub url: String,
}

/// How much of one feature is covered in one revision.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counted {
    /// Testable rows.
    pub testable: u64,
    /// Of these, those that a check or a rule cites.
    pub covered: u64,
    /// Of the others, those with a reason.
    pub excepted: u64,
}

/// How much of one feature is covered.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FeatureCoverage {
    /// The feature.
    pub feature: String,
    /// Its revision.
    pub revision: Revision,
    /// By level, `MUST` and `SHOULD`.
    pub levels: BTreeMap<&'static str, Counted>,
}

/// Counts rows for a role. `exercised` has the ids of checks and rules that ended pass or fail, with their revision; `None` without a run.
pub fn coverage(
    catalogue: &Catalogue,
    role: Role,
    rules: &[ObserverRule],
    exercised: Option<&BTreeSet<(String, Revision)>>,
) -> CoverageReport {
    let mut report = CoverageReport {
        coverage: Coverage::default(),
        features: Vec::new(),
        uncovered: Vec::new(),
    };
    let mut features: BTreeMap<(String, Revision), BTreeMap<&'static str, Counted>> =
        BTreeMap::new();
    for revision in Revision::ALL {
        let rows = catalogue.requirements().of(revision);
        let reached = reached(catalogue, role, rules, revision, rows, exercised);
        let mut levels: BTreeMap<String, LevelCoverage> = BTreeMap::new();
        for row in rows.all() {
            let Some(level) = level(row).filter(|_| is_testable_for(row, role)) else {
                continue;
            };
            let counts = levels.entry(level.to_owned()).or_default();
            counts.exercised = counts.exercised.or(exercised.map(|_| 0));
            if row.form == Form::Lowercase {
                counts.lowercase += 1;
                continue;
            }
            counts.testable += 1;
            let of_feature = features.entry((row.feature.clone(), revision)).or_default();
            let of_feature = of_feature.entry(level).or_default();
            of_feature.testable += 1;
            if reached.covered.contains(row.id.as_str()) {
                counts.covered += 1;
                of_feature.covered += 1;
            } else {
                let why = why(catalogue, row);
                of_feature.excepted += u64::from(why.is_some());
                report.uncovered.push(Uncovered {
                    revision,
                    level,
                    id: row.id.clone(),
                    feature: row.feature.clone(),
                    why,
                    url: row.url.clone(),
                });
            }
            if reached.exercised.contains(row.id.as_str()) {
                counts.exercised = counts.exercised.map(|count| count + 1);
            }
        }
        report.coverage.revisions.push(RevisionCoverage {
            revision,
            role,
            levels,
        });
    }
    let features = features.into_iter();
    report.features = features
        .map(|((feature, revision), levels)| FeatureCoverage {
            feature,
            revision,
            levels,
        })
        .collect();
    report
}

/// Why nothing covers a row.
fn why(catalogue: &Catalogue, row: &Requirement) -> Option<String> {
    let mut exceptions = catalogue.facts().exceptions().iter();
    let is_meant = |id: &str| id == row.id || Some(id) == row.same_as.as_deref();
    let exception = exceptions.find(|exception| is_meant(&exception.id))?;
    Some(exception.why.clone())
}

/// Ids of rows of one revision.
#[derive(Default)]
struct Reached<'r> {
    covered: BTreeSet<&'r str>,
    exercised: BTreeSet<&'r str>,
}

fn reached<'r>(
    catalogue: &Catalogue,
    role: Role,
    rules: &[ObserverRule],
    revision: Revision,
    rows: &'r Rows,
    exercised: Option<&BTreeSet<(String, Revision)>>,
) -> Reached<'r> {
    let mut reached = Reached::default();
    let mut note = |id: String, cites: &[String]| {
        let ids = || rows.cited(cites).into_iter().map(|row| row.id.as_str());
        reached.covered.extend(ids());
        if exercised.is_some_and(|ended| ended.contains(&(id, revision))) {
            reached.exercised.extend(ids());
        }
    };
    for (scenario, check) in catalogue.checks() {
        let runs = scenario.role == role && revisions_of(scenario).any(|run| run == revision);
        if runs && check.basis == Basis::Spec {
            note(check_id(scenario, check), &check.cites);
        }
    }
    for rule in rules {
        if rule.role == role
            && rule.since <= revision
            && rule.until.is_none_or(|until| revision <= until)
        {
            note(rule.id.clone(), &rule.cites);
        }
    }
    reached
}

/// MUST includes MUST NOT, SHOULD likewise; permissions are not counted.
fn level(row: &Requirement) -> Option<&'static str> {
    match row.level {
        Keyword::Must | Keyword::MustNot => Some("MUST"),
        Keyword::Should | Keyword::ShouldNot => Some("SHOULD"),
        Keyword::May => None,
    }
}

impl CoverageReport {
    /// The table for a person.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{:11} {:7} {:>8} {:>15} {:>15} {:>9}\n",
            "revision", "level", "testable", "covered", "exercised", "lowercase"
        );
        for of in &self.coverage.revisions {
            for (level, counts) in &of.levels {
                let share = |part: u64| match counts.testable {
                    0 => part.to_string(),
                    whole => format!("{part} ({} %)", part * 100 / whole),
                };
                let exercised = counts.exercised.map_or_else(|| "-".to_owned(), share);
                // Writing to a string cannot fail.
                let _ = writeln!(
                    out,
                    "{:11} {level:7} {:>8} {:>15} {exercised:>15} {:>9}",
                    of.revision,
                    counts.testable,
                    share(counts.covered),
                    counts.lowercase
                );
            }
        }
        out
    }

    /// The `coverage` object as JSON text, with a final newline.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.coverage).expect("coverage has string keys alone") + "\n"
    }

    /// The table by feature: of each revision what is covered, with what is testable, `12/14`.
    pub fn features_text(&self) -> String {
        let mut out = format!("{:15} {:7}", "feature", "level");
        for revision in self.revisions() {
            // Writing to a string cannot fail.
            let _ = write!(out, " {:>10}", revision.as_str());
        }
        out.push('\n');
        let names: BTreeSet<&str> = self.features.iter().map(|of| of.feature.as_str()).collect();
        for name in names {
            for level in ["MUST", "SHOULD"] {
                let of = |revision: Revision| {
                    let mut all = self.features.iter();
                    let found = all.find(|of| of.feature == name && of.revision == revision)?;
                    found.levels.get(level)
                };
                let cells: Vec<Option<&Counted>> = self.revisions().map(of).collect();
                if cells.iter().all(Option::is_none) {
                    continue;
                }
                let _ = write!(out, "{name:15} {level:7}");
                for cell in cells {
                    let cell = cell.map_or(String::new(), |counted| {
                        format!("{}/{}", counted.covered, counted.testable)
                    });
                    let _ = write!(out, " {cell:>10}");
                }
                out.truncate(out.trim_end().len());
                out.push('\n');
            }
        }
        out
    }

    fn revisions(&self) -> impl Iterator<Item = Revision> {
        self.coverage.revisions.iter().map(|of| of.revision)
    }

    /// The features as JSON text, with a final newline.
    pub fn features_json(&self) -> String {
        serde_json::to_string_pretty(&self.features).expect("features have string keys alone")
            + "\n"
    }

    /// Rows that nothing covers, one line each, with the reason where there is one.
    pub fn uncovered_text(&self) -> String {
        let lines = self.uncovered.iter().map(|row| match &row.why {
            Some(why) => format!("{:6} {} ({why})\n", row.level, row.id),
            None => format!("{:6} {}\n", row.level, row.id),
        });
        lines.collect()
    }

    /// Keeps what is of a revision, and of a feature, where these are named.
    pub fn retain(&mut self, revision: Option<Revision>, feature: Option<&str>) {
        let is_in = |of: Revision| revision.is_none_or(|wanted| of == wanted);
        let is_of = |of: &str| feature.is_none_or(|wanted| of == wanted);
        self.coverage.revisions.retain(|of| is_in(of.revision));
        self.features
            .retain(|of| is_in(of.revision) && is_of(&of.feature));
        self.uncovered
            .retain(|row| is_in(row.revision) && is_of(&row.feature));
    }
}
