//! Every change of one member of a value.

use serde_json::{Value, json};

/// What is done to a member.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Change {
    Removed,
    Retyped,
    Nulled,
    Renamed,
    Emptied,
    /// Another value of its type: beyond what bounds and lists of values allow, where there are any.
    Replaced,
    /// Of a message: a member that messages of another kind have.
    Added,
}

/// More than any list of the protocol may hold.
const MANY: usize = 101;

enum Step {
    Key(String),
    Index(usize),
}

/// Calls back with the value as each change leaves it, and gives it back as it was.
pub fn each(value: &mut Value, changed: &mut dyn FnMut(Change, &Value)) {
    let error = json!({ "code": -32_603, "message": "" });
    let foreign = [("id", json!(1)), ("result", json!({})), ("error", error)];
    for (name, member) in foreign {
        if let Value::Object(members) = value
            && members.contains_key("jsonrpc")
            && !members.contains_key(name)
        {
            members.insert(name.to_owned(), member);
            changed(Change::Added, value);
            value.as_object_mut().expect("it is one").shift_remove(name);
        }
    }
    let mut places = Vec::new();
    collect(value, &mut Vec::new(), &mut places);
    for place in places {
        let (parent, last) = place.split_at(place.len() - 1);
        let before = value
            .pointer(&pointer(&place))
            .expect("collected from it")
            .clone();
        for (change, other) in others(&before) {
            *at(value, &place) = other;
            changed(change, value);
        }
        *at(value, &place) = before;
        let kept = at(value, parent).clone();
        match (&last[0], at(value, parent)) {
            (Step::Key(name), Value::Object(members)) => {
                let member = members.shift_remove(name).expect("collected from it");
                changed(Change::Removed, value);
                if let Value::Object(members) = at(value, parent) {
                    members.insert(format!("{name}_"), member);
                }
                changed(Change::Renamed, value);
            }
            (Step::Index(index), Value::Array(items)) => {
                items.remove(*index);
                changed(Change::Removed, value);
            }
            _ => unreachable!("a member has a parent of its kind"),
        }
        *at(value, parent) = kept;
    }
}

fn others(value: &Value) -> Vec<(Change, Value)> {
    let mut others = vec![(Change::Nulled, Value::Null)];
    match value {
        Value::Null => others.clear(),
        Value::Bool(is_true) => {
            others.push((Change::Retyped, json!("true")));
            others.push((Change::Replaced, json!(!is_true)));
        }
        Value::Number(_) => {
            others.push((Change::Retyped, json!("7")));
            others.push((Change::Emptied, json!(0)));
            for number in [
                json!(-1),
                json!(1.5),
                json!(1.0),
                json!(-32_050),
                json!(-32_002),
                json!(1e300),
            ] {
                others.push((Change::Replaced, number));
            }
        }
        Value::String(_) => {
            others.push((Change::Retyped, json!(7)));
            others.push((Change::Emptied, json!("")));
            others.push((Change::Replaced, json!("no such %% thing")));
        }
        Value::Array(items) => {
            others.push((Change::Retyped, json!({})));
            others.push((Change::Emptied, json!([])));
            if let Some(item) = items.first() {
                others.push((Change::Replaced, Value::Array(vec![item.clone(); MANY])));
            }
        }
        Value::Object(_) => {
            others.push((Change::Retyped, json!([])));
            others.push((Change::Emptied, json!({})));
            others.push((Change::Replaced, json!({ "no such thing": 7 })));
        }
    }
    others.retain(|(_, other)| other != value);
    others
}

fn collect(value: &Value, path: &mut Vec<Step>, into: &mut Vec<Vec<Step>>) {
    let copy = |path: &[Step]| {
        path.iter()
            .map(|step| match step {
                Step::Key(name) => Step::Key(name.clone()),
                Step::Index(index) => Step::Index(*index),
            })
            .collect()
    };
    let mut visit = |step: Step, child: &Value| {
        path.push(step);
        into.push(copy(path));
        collect(child, path, into);
        path.pop();
    };
    match value {
        Value::Object(members) => {
            for (name, child) in members {
                visit(Step::Key(name.clone()), child);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                visit(Step::Index(index), child);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(name) => &mut value[name.as_str()],
        Step::Index(index) => &mut value[*index],
    })
}

fn pointer(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Key(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => format!("/{index}"),
        })
        .collect()
}
