//! JSON in cards, with references that are filled in at run time.

/// JSON text in a card, with references.
///
/// **Shape**: numbers keep their text; an object keeps the order of its members; a reference stands alone in its mapping (`{$fact: a.b}`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Template {
    /// `null`, `true`, `false` or a number, as JSON text.
    Literal(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Template>),
    /// An object, in order of the card.
    Object(Vec<(String, Template)>),
    /// `{ json: "1e0" }` among the values of `vary`: raw JSON text.
    Raw(String),
    /// `{ $fact: path }`: from the facts of the revision under test.
    Fact(String),
    /// `{ $fixture: slow.tool }`.
    Fixture(String),
    /// `{ $from: label, at: pointer }`: the raw text at that place of the message that the label names.
    From {
        /// Label of a send or await step.
        label: String,
        /// JSON pointer into the whole message; empty: the whole.
        at: String,
    },
    /// `{ $vary: name }`.
    Vary(String),
    /// `{ $empty: result }`: the smallest lawful result of the method that is answered; only in faults.
    Empty,
}

impl Template {
    /// Writes JSON text, asking `resolve` for each reference.
    ///
    /// **Errors**: the first that `resolve` gives.
    pub fn render<E>(
        &self,
        resolve: &mut impl FnMut(&Template) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut out = String::new();
        self.write(&mut out, resolve)?;
        Ok(out)
    }

    fn write<E>(
        &self,
        out: &mut String,
        resolve: &mut impl FnMut(&Template) -> Result<String, E>,
    ) -> Result<(), E> {
        match self {
            Template::Literal(text) | Template::Raw(text) => out.push_str(text),
            Template::Text(text) => push_string(out, text),
            Template::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out, resolve)?;
                }
                out.push(']');
            }
            Template::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    push_string(out, key);
                    out.push(':');
                    value.write(out, resolve)?;
                }
                out.push('}');
            }
            Template::Fact(_)
            | Template::Fixture(_)
            | Template::From { .. }
            | Template::Vary(_)
            | Template::Empty => {
                out.push_str(&resolve(self)?);
            }
        }
        Ok(())
    }

    /// Visits this template and every one inside it.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Template)) {
        see(self);
        match self {
            Template::Array(items) => items.iter().for_each(|item| item.visit(see)),
            Template::Object(members) => members.iter().for_each(|(_, value)| value.visit(see)),
            Template::Literal(_)
            | Template::Text(_)
            | Template::Raw(_)
            | Template::Fact(_)
            | Template::Fixture(_)
            | Template::From { .. }
            | Template::Vary(_)
            | Template::Empty => {}
        }
    }

    /// The member of an object template.
    pub fn member(&self, key: &str) -> Option<&Template> {
        match self {
            Template::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            Template::Literal(_)
            | Template::Text(_)
            | Template::Array(_)
            | Template::Raw(_)
            | Template::Fact(_)
            | Template::Fixture(_)
            | Template::From { .. }
            | Template::Vary(_)
            | Template::Empty => None,
        }
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a string always serialises"));
}
