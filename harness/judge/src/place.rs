//! Places within a value, by JSON pointer, without the texts that [`Value::pointer`] makes of each token, and without hashing: rules ask
//! for many places of each message, and most objects in it are small.

use serde_json::{Map, Value};

/// Members up to which looking at each key is faster than hashing the one that is looked for.
const FEW: usize = 8;

/// A value with places.
pub(crate) trait Place {
    /// The member of an object: what [`Value::get`] gives for a key.
    fn member(&self, key: &str) -> Option<&Value>;

    /// The value at a JSON pointer (RFC 6901): what [`Value::pointer`] gives.
    fn at(&self, pointer: &str) -> Option<&Value>;
}

impl Place for Value {
    fn member(&self, key: &str) -> Option<&Value> {
        member(self.as_object()?, key)
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer.contains('~') {
            return self.pointer(pointer);
        }
        if pointer.is_empty() {
            return Some(self);
        }
        let mut tokens = pointer.strip_prefix('/')?.split('/');
        tokens.try_fold(self, |value, token| match value {
            Value::Object(members) => member(members, token),
            Value::Array(items) => items.get(index(token)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

fn member<'m>(members: &'m Map<String, Value>, key: &str) -> Option<&'m Value> {
    if members.len() > FEW {
        return members.get(key);
    }
    let mut all = members.iter();
    all.find(|(own, _)| *own == key).map(|(_, value)| value)
}

/// An index has no sign, and no zero before its first digit.
fn index(token: &str) -> Option<usize> {
    let is_padded = token.len() > 1 && token.starts_with('0');
    if token.starts_with('+') || is_padded {
        return None;
    }
    token.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_place_is_that_of_the_library() {
        let value = json!({ "": { "": 1 }, "a": [[2], { "b~/c": 3, "0": 4 }], "00": 5, "a/b": 6, "x": "text" });
        let tokens = [
            "", "a", "0", "1", "2", "00", "+1", "-1", "b~0~1c", "a~1b", "x", "é", "1 ",
        ];
        let mut pointers = vec![String::new(), "a".to_owned(), "0/a".to_owned()];
        for first in tokens {
            pointers.push(format!("/{first}"));
            for second in tokens {
                pointers.push(format!("/{first}/{second}"));
                for third in tokens {
                    pointers.push(format!("/{first}/{second}/{third}"));
                }
            }
        }
        let wide: Map<String, Value> = (0..20).map(|key| (format!("k{key}"), json!(key))).collect();
        for few in [0, 1, FEW, FEW + 1, 20] {
            let value: Value = wide.clone().into_iter().take(few).collect();
            for key in ["", "k0", "k7", "k8", "k19", "k20"] {
                assert_eq!(value.member(key), value.get(key), "{key} of {few}");
            }
        }
        assert_eq!(json!([1]).member("0"), None);
        let there = |pointer: &&String| value.at(pointer).is_some();
        assert!(pointers.iter().filter(there).count() > 5);
        for pointer in pointers {
            assert_eq!(value.at(&pointer), value.pointer(&pointer), "{pointer}");
        }
    }
}
