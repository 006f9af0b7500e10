//! What the references of a card stand for in one case.

use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::template::Template;
use serde_json::Value;
use std::collections::BTreeMap;

/// Values behind `$fact`, `$fixture` and `$vary`; `$from` is looked up in the conversation.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Facts of every revision.
    pub facts: &'a FactTable,
    /// Revision under test.
    pub revision: Revision,
    /// Fixtures of the target: an object by fixture name.
    pub fixtures: &'a Value,
    /// Values of this case, as JSON text.
    pub vary: &'a BTreeMap<String, String>,
}

/// A reference that leads nowhere.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unresolved {
    /// The linter should have refused the card: a bug in the harness.
    #[error("{0}")]
    Card(String),
    /// The message it points into has no such value, or never came.
    #[error("nothing at `{at}` of `{label}`")]
    From {
        /// Label.
        label: String,
        /// Pointer.
        at: String,
    },
}

impl Scope<'_> {
    /// JSON text of a template; `from` finds the text at a pointer of a labelled message.
    ///
    /// **Errors**: the first reference that leads nowhere.
    pub fn render(
        &self,
        template: &Template,
        from: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Result<String, Unresolved> {
        template.render(&mut |reference| self.resolve(reference, from))
    }

    fn resolve(
        &self,
        reference: &Template,
        from: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Result<String, Unresolved> {
        match reference {
            Template::Fact(path) => {
                let value = self
                    .facts
                    .of(self.revision)
                    .and_then(|facts| facts.get(path));
                value
                    .map(Value::to_string)
                    .ok_or_else(|| Unresolved::Card(format!("no fact `{path}` in this revision")))
            }
            Template::Fixture(path) => {
                let value = self
                    .fixtures
                    .pointer(&format!("/{}", path.replace('.', "/")));
                value
                    .map(Value::to_string)
                    .ok_or_else(|| Unresolved::Card(format!("no fixture value `{path}`")))
            }
            Template::Vary(name) => self
                .vary
                .get(name)
                .cloned()
                .ok_or_else(|| Unresolved::Card(format!("`{name}` is not varied"))),
            Template::From { label, at } => from(label, at).ok_or_else(|| Unresolved::From {
                label: label.clone(),
                at: at.clone(),
            }),
            Template::Empty => Err(Unresolved::Card(
                "`$empty` stands outside a fault".to_owned(),
            )),
            Template::Literal(text) | Template::Raw(text) => Ok(text.clone()),
            Template::Text(_) | Template::Array(_) | Template::Object(_) => {
                self.render(reference, from)
            }
        }
    }

    /// A duration in milliseconds.
    ///
    /// **Errors**: as [`Scope::render`], and when the value is no number.
    pub fn milliseconds(&self, template: &Template) -> Result<std::time::Duration, Unresolved> {
        let text = self.render(template, &|_, _| None)?;
        let number: f64 = text
            .parse()
            .map_err(|_| Unresolved::Card(format!("`{text}` is no time in milliseconds")))?;
        Ok(std::time::Duration::from_secs_f64(
            (number / 1000.0).clamp(0.0, 86_400.0),
        ))
    }
}

#[cfg(test)]
mod tests;
