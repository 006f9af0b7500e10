//! What servers said of their tools, in bounded memory.

use crate::schema::OfferedSchema;
use mcp_assay_model::protocol::Revision;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Tools of a connection that are remembered.
const TOOLS: usize = 4096;

/// Bytes of output schemas that are remembered of a connection.
const WEIGHT: usize = 4 << 20;

/// What each connection was offered.
#[derive(Default)]
pub(super) struct Offers(HashMap<String, Offer>);

/// The tools of one connection.
#[derive(Default)]
pub(super) struct Offer {
    tools: HashMap<String, Tool>,
    weight: usize,
    /// Names in the walk that goes on, and the cursor that continues it.
    walk: HashSet<String>,
    next: Option<String>,
}

/// What a tool promises.
struct Tool {
    output: Option<Value>,
    /// Position of the list that said so first.
    learnt: u64,
    /// Whether lists disagree about it.
    is_uncertain: bool,
    /// Compiled, once it was asked for; `None` within: nothing can be said by it.
    compiled: Option<Option<Rc<OfferedSchema>>>,
}

impl Offers {
    pub fn of(&mut self, connection: &str) -> &mut Offer {
        if !self.0.contains_key(connection) {
            self.0.insert(connection.to_owned(), Offer::default());
        }
        self.0.get_mut(connection).expect("it was put there")
    }

    /// The list changed.
    pub fn forget(&mut self, connection: &str) {
        self.0.remove(connection);
    }
}

impl Offer {
    /// A page came, in answer to a request with this cursor.
    pub fn turn(&mut self, cursor: Option<&str>, next: Option<&str>) {
        if cursor.is_none() || cursor != self.next.as_deref() {
            self.walk.clear();
        }
        self.next = next.map(str::to_owned);
    }

    /// Whether a name did not come before in this walk.
    pub fn is_new(&mut self, name: &str) -> bool {
        if self.walk.len() >= TOOLS {
            return !self.walk.contains(name);
        }
        self.walk.insert(name.to_owned())
    }

    /// A list says this of a tool.
    pub fn learn(&mut self, name: &str, output: Option<&Value>, seq: u64) {
        match self.tools.get_mut(name) {
            Some(known) => known.is_uncertain |= known.output.as_ref() != output,
            None => {
                let weight = output.map_or(0, |schema| schema.to_string().len());
                if self.tools.len() >= TOOLS || self.weight + weight > WEIGHT {
                    return;
                }
                self.weight += weight;
                let tool = Tool {
                    output: output.cloned(),
                    learnt: seq,
                    is_uncertain: false,
                    compiled: None,
                };
                self.tools.insert(name.to_owned(), tool);
            }
        }
    }

    /// The schema that the result of a call must fit, of a call that was made after the tool was listed.
    pub fn promised(
        &mut self,
        name: &str,
        called: u64,
        revision: Revision,
    ) -> Option<Rc<OfferedSchema>> {
        let tool = self.tools.get_mut(name)?;
        if tool.is_uncertain || called < tool.learnt {
            return None;
        }
        let output = tool.output.as_ref()?;
        let compiled = tool
            .compiled
            .get_or_insert_with(|| OfferedSchema::compile(output, revision).ok().map(Rc::new));
        compiled.clone()
    }
}
