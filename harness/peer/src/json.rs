//! JSON whose numbers and strings keep the text they were written with.
//!
//! A reply echoes `1.0` as `1.0`, and a fault may write what no typed value holds. So a message that goes out is a tree of raw texts.

use mcp_assay_model::template::Template;
use serde_json::Value;

/// A JSON value; scalars are raw text.
///
/// **Shape**: members keep their order. The text of a `Raw` is written as it is and may, in a fault, be anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// A string, number or literal, as JSON text.
    Raw(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A string.
    pub fn text(text: &str) -> Json {
        Json::Raw(quote(text))
    }

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        Json::Object(members.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// The template with its references filled in.
    ///
    /// **Errors**: the first that `resolve` gives.
    pub fn from_template<E>(
        template: &Template,
        resolve: &mut impl FnMut(&Template) -> Result<Json, E>,
    ) -> Result<Json, E> {
        Ok(match template {
            Template::Literal(text) | Template::Raw(text) => Json::Raw(text.clone()),
            Template::Text(text) => Json::text(text),
            Template::Array(items) => {
                let items = items.iter().map(|item| Json::from_template(item, resolve));
                Json::Array(items.collect::<Result<_, E>>()?)
            }
            Template::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Json::from_template(value, resolve)?)));
                Json::Object(members.collect::<Result<_, E>>()?)
            }
            Template::Fact(_)
            | Template::Fixture(_)
            | Template::From { .. }
            | Template::Vary(_)
            | Template::Empty => resolve(template)?,
        })
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Json> {
        tokens(pointer)?
            .iter()
            .try_fold(self, |json, token| match json {
                Json::Raw(_) => None,
                Json::Array(items) => items.get(token.parse::<usize>().ok()?),
                Json::Object(members) => members
                    .iter()
                    .find(|(key, _)| key == token)
                    .map(|(_, value)| value),
            })
    }

    /// The string at a JSON pointer.
    pub fn str_at(&self, pointer: &str) -> Option<String> {
        match self.at(pointer)? {
            Json::Raw(text) => serde_json::from_str(text).ok(),
            Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// The items of the array at a JSON pointer.
    pub fn items_at(&mut self, pointer: &str) -> Option<&mut Vec<Json>> {
        match self.at_mut(&tokens(pointer)?)? {
            Json::Array(items) => Some(items),
            Json::Raw(_) | Json::Object(_) => None,
        }
    }

    /// Sets the value at a JSON pointer, making objects on the way; false where an array or a scalar is in the way.
    pub fn set(&mut self, pointer: &str, value: Json) -> bool {
        let Some(tokens) = tokens(pointer) else {
            return false;
        };
        let mut place = self;
        for token in &tokens {
            place = match place {
                Json::Raw(_) => return false,
                Json::Array(items) => {
                    let index = match token.as_str() {
                        "-" => items.len(),
                        token => match token.parse::<usize>() {
                            Ok(index) if index <= items.len() => index,
                            Ok(_) | Err(_) => return false,
                        },
                    };
                    if index == items.len() {
                        items.push(Json::Object(Vec::new()));
                    }
                    &mut items[index]
                }
                Json::Object(members) => {
                    let index = members.iter().position(|(key, _)| key == token);
                    let index = index.unwrap_or_else(|| {
                        members.push((token.clone(), Json::Object(Vec::new())));
                        members.len() - 1
                    });
                    &mut members[index].1
                }
            };
        }
        *place = value;
        true
    }

    /// Removes the value at a JSON pointer; false where there is none.
    pub fn remove(&mut self, pointer: &str) -> bool {
        let Some(mut tokens) = tokens(pointer) else {
            return false;
        };
        let Some(last) = tokens.pop() else {
            return false;
        };
        match self.at_mut(&tokens) {
            Some(Json::Object(members)) => {
                let before = members.len();
                members.retain(|(key, _)| *key != last);
                members.len() < before
            }
            Some(Json::Array(items)) => match last.parse::<usize>() {
                Ok(index) if index < items.len() => {
                    items.remove(index);
                    true
                }
                Ok(_) | Err(_) => false,
            },
            Some(Json::Raw(_)) | None => false,
        }
    }

    /// Writes the text, without white space and so without a newline.
    pub fn write(&self, out: &mut String) {
        match self {
            Json::Raw(text) => out.push_str(text),
            Json::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&quote(key));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The text.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn at_mut(&mut self, tokens: &[String]) -> Option<&mut Json> {
        tokens.iter().try_fold(self, |json, token| match json {
            Json::Raw(_) => None,
            Json::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
            Json::Object(members) => members
                .iter_mut()
                .find(|(key, _)| key == token)
                .map(|(_, value)| value),
        })
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Json::Raw(value.to_string()),
            Value::String(text) => Json::text(&text),
            Value::Array(items) => Json::Array(items.into_iter().map(Json::from).collect()),
            Value::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key, Json::from(value)))
                    .collect(),
            ),
        }
    }
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

/// The unescaped reference tokens of a pointer; `None` where it does not start with `/`.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
    Some(
        pointer
            .strip_prefix('/')?
            .split('/')
            .map(unescape)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Json {
        Json::from(json!({ "a": { "b/c": [1, "x"] }, "d": null }))
    }

    #[test]
    fn sets_what_is_there_and_what_is_not() {
        for (pointer, text) in [
            ("/a/b~1c/1", r#"{"a":{"b/c":[1,1.0]},"d":null}"#),
            ("/a/b~1c/-", r#"{"a":{"b/c":[1,"x",1.0]},"d":null}"#),
            ("/d", r#"{"a":{"b/c":[1,"x"]},"d":1.0}"#),
            ("/e/f", r#"{"a":{"b/c":[1,"x"]},"d":null,"e":{"f":1.0}}"#),
            ("", "1.0"),
        ] {
            let mut json = sample();
            assert!(json.set(pointer, Json::Raw("1.0".into())), "{pointer}");
            assert_eq!(json.to_text(), text, "{pointer}");
        }
    }

    #[test]
    fn sets_nothing_where_a_scalar_or_a_gap_is_in_the_way() {
        for pointer in ["/d/e", "/a/b~1c/7", "/a/b~1c/x", "d"] {
            assert!(!sample().set(pointer, Json::text("x")), "{pointer}");
        }
    }

    #[test]
    fn removes_only_what_is_there() {
        for (pointer, removed) in [
            ("/a/b~1c/0", true),
            ("/d", true),
            ("/a/b~1c/2", false),
            ("/x", false),
            ("/d/x", false),
            ("", false),
        ] {
            assert_eq!(sample().remove(pointer), removed, "{pointer}");
        }
    }

    #[test]
    fn members_keep_their_order_and_strings_their_text() {
        let value = json!({ "z": "a\n\"", "a": [true, 1.5, 18446744073709551615u64] });
        assert_eq!(Json::from(value.clone()).to_text(), value.to_string());
    }
}
