//! Places within a value, by JSON pointer, without the texts that [`Value::pointer`] makes of each token: rules ask for many places of each
//! message.

use serde_json::Value;

/// A value with places.
pub(crate) trait Place {
    /// The value at a JSON pointer (RFC 6901): what [`Value::pointer`] gives.
    fn at(&self, pointer: &str) -> Option<&Value>;
}

impl Place for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer.contains('~') {
            return self.pointer(pointer);
        }
        if pointer.is_empty() {
            return Some(self);
        }
        let mut tokens = pointer.strip_prefix('/')?.split('/');
        tokens.try_fold(self, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(index(token)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
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
        let there = |pointer: &&String| value.at(pointer).is_some();
        assert!(pointers.iter().filter(there).count() > 5);
        for pointer in pointers {
            assert_eq!(value.at(&pointer), value.pointer(&pointer), "{pointer}");
        }
    }
}
