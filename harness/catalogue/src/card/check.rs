//! Checks: what is judged, why, and what proves it.

use super::steps::label;
use super::{expect, fault, is_kebab};
use crate::decode::{Decoder, optional};
use crate::yaml::Node;
use mcp_assay_model::scenario::{Basis, Check};

pub(super) fn check(d: &mut Decoder, node: &Node) -> Option<Check> {
    let mut fields = d.mapping(node, "check")?;
    let name = fields.need(d, "name").map(|node| name(d, node));
    let title = fields.need(d, "title").map(|node| d.words(node, "`title`"));
    let rule = fields.need(d, "rule").map(|node| d.words(node, "`rule`"));
    let basis = fields.need(d, "basis").map(|node| basis(d, node));
    let cites = optional(fields.take("cites"), |node| {
        d.list(node, "`cites`", |d, item| d.words(item, "a citation"))
    });
    let contested = optional(fields.take("contested"), |node| {
        d.words(node, "`contested`")
    });
    let code = optional(fields.take("code"), |node| d.name(node, "`code`"));
    let on = optional(fields.take("on"), |node| label(d, node));
    let given = optional(fields.take("given"), |node| expect::given(d, node));
    let judged = fields.need(d, "expect").map(|node| expect::expect(d, node));
    let near = optional(fields.take("near"), |node| {
        d.list(node, "`near`", fault::near)
    });
    let mutants = optional(fields.take("mutants"), |node| {
        d.list(node, "`mutants`", fault::mutant)
    });
    fields.finish(d);
    Some(Check {
        name: name??,
        title: title??,
        rule: rule??,
        basis: basis??,
        cites: cites?.unwrap_or_default(),
        contested: contested?,
        code: code?,
        on: on?,
        given: given?,
        expect: judged??,
        near: near?.unwrap_or_default(),
        mutants: mutants?.unwrap_or_default(),
        span: node.span.clone(),
    })
}

fn name(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = d.text(node, "`name`")?;
    if is_kebab(&text) && text != "alive" {
        return Some(text);
    }
    let title = format!("`{text}` is no name of a check");
    d.error(&node.span, title, "").hint = Some(
        "write small letters, digits and hyphens; `alive` is the check that every case has"
            .to_owned(),
    );
    None
}

fn basis(d: &mut Decoder, node: &Node) -> Option<Basis> {
    let text = d.text(node, "`basis`")?;
    match text.as_str() {
        "spec" => Some(Basis::Spec),
        "robustness" => Some(Basis::Robustness),
        _ => {
            d.unknown(&node.span, "basis", &text, ["spec", "robustness"]);
            None
        }
    }
}
