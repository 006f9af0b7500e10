//! The profile `mcp-assay.yaml`: targets, fixtures, safety, gates, revisions, time-outs (docs/contracts.md section 4).

mod targets;

pub use targets::{Ready, Target, is_header_name, is_secret_name};

use crate::decode::{Decoder, optional};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{FieldKind, Fixture, json};
use crate::yaml::{self, Entry, Node, Value};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::requirement::Level;
use mcp_assay_model::scenario::{Source, Span};
use mcp_assay_model::verdict::Gate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use targets::{Named, targets};

/// A profile, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Values of fixtures by name, each an object with the fields of its fixture.
    pub fixtures: BTreeMap<String, serde_json::Value>,
    /// Globs of tools that may be called.
    pub allow_tools: Vec<String>,
    /// Gates over the defaults.
    pub gate: GateRules,
    /// Which revisions to test.
    pub revisions: Option<Revisions>,
    /// Bounds one reply.
    pub timeout: Option<Duration>,
    /// Bounds the first answer.
    pub start_timeout: Option<Duration>,
    targets: Vec<Named>,
    targets_span: Span,
    source: Arc<Source>,
}

/// What the profile says of gates; what it leaves out keeps its default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GateRules {
    /// By level.
    pub levels: BTreeMap<Level, Gate>,
    /// By finding code.
    pub codes: BTreeMap<FindingCode, Gate>,
    /// By check id.
    pub checks: BTreeMap<String, Gate>,
}

/// Which revisions to test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Revisions {
    /// The newest that the target speaks.
    Auto,
    /// Each that it speaks.
    All,
    /// These.
    Only(Vec<Revision>),
}

/// Names that a profile may use, beside those of the protocol.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The fixtures.
    pub fixtures: &'a [Fixture],
    /// Check ids, observer rules included.
    pub checks: &'a BTreeSet<String>,
}

impl Profile {
    /// Reads a profile. Variables are filled in by [`Profile::target`], so that one target's secrets are not asked of another's user.
    ///
    /// **Errors**: everything that is wrong with it.
    pub fn parse(source: &Arc<Source>, known: &Known<'_>) -> Result<Self, Diagnostics> {
        let root = yaml::parse(source)?;
        let mut decoder = Decoder::new(source);
        let profile = profile(&mut decoder, &root, known, source);
        decoder.finish(profile)
    }

    /// Names of the targets, in order of the file.
    pub fn target_names(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|target| target.name.as_str())
    }

    /// A target, its variables filled in from `environment`.
    ///
    /// **Errors**: no target of that name, or variables that are not set.
    pub fn target(
        &self,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Target, Diagnostics> {
        let Some(target) = self.targets.iter().find(|target| target.name == name) else {
            let title = format!("unknown target `{name}`");
            let span = self.targets_span.clone();
            let diagnostic = Diagnostic::new(&self.source, span, title, "");
            return Err(diagnostic.suggest(name, self.target_names()).into());
        };
        target.filled(&self.source, environment)
    }
}

fn profile(
    d: &mut Decoder,
    root: &Node,
    known: &Known<'_>,
    source: &Arc<Source>,
) -> Option<Profile> {
    let mut fields = d.mapping(root, "profile")?;
    let targets_node = fields.take("targets");
    let targets = optional(targets_node, |node| targets(d, node));
    let fixtures = optional(fields.take("fixtures"), |node| fixtures(d, node, known));
    let safety = optional(fields.take("safety"), |node| safety(d, node));
    let gate = optional(fields.take("gate"), |node| gate(d, node, known));
    let revisions = optional(fields.take("revisions"), |node| revisions(d, node));
    let timeout = optional(fields.take("timeout"), |node| duration(d, node));
    let start_timeout = optional(fields.take("start_timeout"), |node| duration(d, node));
    fields.finish(d);
    Some(Profile {
        fixtures: fixtures?.unwrap_or_default(),
        allow_tools: safety?.unwrap_or_default(),
        gate: gate?.unwrap_or_default(),
        revisions: revisions?,
        timeout: timeout?,
        start_timeout: start_timeout?,
        targets: targets?.unwrap_or_default(),
        targets_span: targets_node.map_or(0..0, |node| node.span.clone()),
        source: Arc::clone(source),
    })
}

/// Every member read; `None` where one could not be.
fn each<T>(
    d: &mut Decoder,
    node: &Node,
    what: &str,
    mut read: impl FnMut(&mut Decoder, &Entry) -> Option<T>,
) -> Option<Vec<T>> {
    let entries = d.entries(node, what)?;
    let read: Vec<Option<T>> = entries.iter().map(|entry| read(d, entry)).collect();
    read.into_iter().collect()
}

fn fixtures(
    d: &mut Decoder,
    node: &Node,
    known: &Known<'_>,
) -> Option<BTreeMap<String, serde_json::Value>> {
    let read = each(d, node, "`fixtures`", |d, entry| {
        let found = known
            .fixtures
            .iter()
            .find(|fixture| fixture.name == entry.key);
        let Some(fixture) = found else {
            let names = known.fixtures.iter().map(|fixture| fixture.name.as_str());
            d.unknown(&entry.key_span, "fixture", &entry.key, names);
            return None;
        };
        fixture_fields(d, fixture, &entry.value)?;
        Some((entry.key.clone(), json(&entry.value)))
    })?;
    Some(read.into_iter().collect())
}

fn fixture_fields(d: &mut Decoder, fixture: &Fixture, node: &Node) -> Option<()> {
    let entries = d.entries(node, "a fixture")?;
    let mut sound = true;
    for entry in entries {
        let field = fixture.fields.iter().find(|field| field.name == entry.key);
        let Some(field) = field else {
            let whole = format!("of fixture `{}`", fixture.name);
            let names = fixture.fields.iter().map(|field| field.name.as_str());
            d.unknown_in(&entry.key_span, "field", &entry.key, &whole, names);
            sound = false;
            continue;
        };
        let fits = match field.kind {
            FieldKind::String => entry.value.text().is_some(),
            FieldKind::Number => entry.value.kind() == "a number",
            FieldKind::Object => matches!(entry.value.value, Value::Mapping(_)),
        };
        if !fits {
            let wanted = format!("a JSON {}", field.kind.as_str());
            d.expected(&entry.value, &wanted, &format!("`{}`", entry.key));
            sound = false;
        }
    }
    for field in fixture.fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|entry| entry.key == field.name) {
            let title = format!("fixture `{}` without `{}`", fixture.name, field.name);
            d.error(&node.span, title, field.about.clone());
            sound = false;
        }
    }
    sound.then_some(())
}

fn safety(d: &mut Decoder, node: &Node) -> Option<Vec<String>> {
    let mut fields = d.mapping(node, "`safety`")?;
    let globs = optional(fields.take("allow_tools"), |node| {
        d.list(node, "`allow_tools`", |d, item| d.words(item, "a glob"))
    });
    fields.finish(d);
    Some(globs?.unwrap_or_default())
}

fn gate(d: &mut Decoder, node: &Node, known: &Known<'_>) -> Option<GateRules> {
    let mut fields = d.mapping(node, "`gate`")?;
    let mut levels = BTreeMap::new();
    let mut sound = true;
    for level in Level::ALL {
        match optional(fields.take(level.as_str()), |node| one_gate(d, node)) {
            Some(gate) => levels.extend(gate.map(|gate| (level, gate))),
            None => sound = false,
        }
    }
    let codes = optional(fields.take("codes"), |node| {
        each(d, node, "`codes`", |d, entry| {
            let code: Result<FindingCode, _> = entry.key.parse();
            if let Err(error) = &code {
                let names = error.known.iter().copied();
                d.unknown(&entry.key_span, "finding code", &entry.key, names);
            }
            Some((code.ok()?, one_gate(d, &entry.value)?))
        })
    });
    let checks = optional(fields.take("checks"), |node| {
        each(d, node, "`checks`", |d, entry| {
            if !known.checks.contains(&entry.key) {
                let names = known.checks.iter().map(String::as_str);
                d.unknown(&entry.key_span, "check", &entry.key, names);
                return None;
            }
            Some((entry.key.clone(), one_gate(d, &entry.value)?))
        })
    });
    fields.finish(d);
    let rules = GateRules {
        levels,
        codes: codes?.unwrap_or_default().into_iter().collect(),
        checks: checks?.unwrap_or_default().into_iter().collect(),
    };
    sound.then_some(rules)
}

fn one_gate(d: &mut Decoder, node: &Node) -> Option<Gate> {
    let text = d.text(node, "a gate")?;
    match text.as_str() {
        "allow" => Some(Gate::Allow),
        "warn" => Some(Gate::Warn),
        "deny" => Some(Gate::Deny),
        _ => {
            d.unknown(&node.span, "gate", &text, ["allow", "warn", "deny"]);
            None
        }
    }
}

fn revisions(d: &mut Decoder, node: &Node) -> Option<Revisions> {
    match (&node.value, node.text()) {
        (_, Some("auto")) => Some(Revisions::Auto),
        (_, Some("all")) => Some(Revisions::All),
        (_, Some(text)) => match text.parse() {
            Ok(revision) => Some(Revisions::Only(vec![revision])),
            Err(_) => {
                let dates = Revision::ALL.map(Revision::as_str);
                let known = ["auto", "all"].into_iter().chain(dates);
                d.unknown(&node.span, "revision", text, known);
                None
            }
        },
        (Value::Sequence(items), None) if !items.is_empty() => d
            .list(node, "`revisions`", |d, item| d.name(item, "a revision"))
            .map(Revisions::Only),
        (_, None) => {
            let wanted = "`auto`, `all`, a date or a list of dates";
            d.expected(node, wanted, "`revisions`");
            None
        }
    }
}

/// `30s`, `500ms`, `2m`.
fn duration(d: &mut Decoder, node: &Node) -> Option<Duration> {
    let text = node.text().unwrap_or_default();
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: Option<u64> = number.parse().ok().filter(|number| *number > 0);
    let read = number.and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    });
    if read.is_none() {
        let shown = match &node.value {
            Value::Json(text) | Value::Text { text, .. } => format!("`{text}`"),
            Value::Sequence(_) | Value::Mapping(_) => node.kind().to_owned(),
        };
        let title = format!("{shown} is no duration");
        d.error(&node.span, title, "").hint = Some("write `500ms`, `30s` or `2m`".to_owned());
    }
    read
}
