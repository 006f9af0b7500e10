//! The headers in which an HTTP request repeats what its body says, so that who is between can route it unread.
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http#request-metadata`. A header that is missing, malformed or different is
//! refused with -32020.

use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
use crate::incoming::Params;
use hyper::HeaderMap;
use hyper::header::HeaderName;
use mcp_assay_wire::header_value;
use serde_json::{Map, Value};
use std::borrow::Cow;

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// What the headers of a tool's parameters begin with.
const PARAM: &str = "mcp-param-";

/// The annotation by which a parameter has a header.
const ANNOTATION: &str = "x-mcp-header";

/// The headers of one request.
#[derive(Clone, Copy)]
pub(super) struct Headers<'h> {
    all: &'h HeaderMap,
    judge: &'h Judge,
}

impl<'h> Headers<'h> {
    /// The headers, and who hears what is wrong with them.
    pub fn new(all: &'h HeaderMap, judge: &'h Judge) -> Self {
        Headers { all, judge }
    }

    /// The version that they name.
    pub fn version(self) -> Option<&'h str> {
        self.all.get(VERSION)?.to_str().ok()
    }

    /// Checks `MCP-Protocol-Version` against the version in the body; where the body has none, that is the body's fault.
    pub fn check_version(self, named: Option<&str>) -> Result<(), RpcError> {
        let Some(written) = self.value(&VERSION, Breach::VersionHeaderDiffers)? else {
            return self.missing(&VERSION, Breach::VersionHeaderMissing);
        };
        match named {
            Some(named) if written != named.as_bytes() => {
                self.differs(&VERSION, Breach::VersionHeaderDiffers)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks `Mcp-Method`, which is never encoded.
    pub fn check_method(self, method: &str) -> Result<(), RpcError> {
        let Some(written) = self.value(&METHOD, Breach::MethodHeaderDiffers)? else {
            return self.missing(&METHOD, Breach::MethodHeaderMissing);
        };
        if written == method.as_bytes() {
            Ok(())
        } else if written.eq_ignore_ascii_case(method.as_bytes()) {
            self.differs(&METHOD, Breach::MethodHeaderCase)
        } else {
            self.differs(&METHOD, Breach::MethodHeaderDiffers)
        }
    }

    /// Checks `Mcp-Name`, where the method has one and the body a name to compare it with.
    pub fn check_name(self, method: &str, params: Params<'_>) -> Result<(), RpcError> {
        let member = match method {
            "prompts/get" | "tools/call" => "name",
            "resources/read" => "uri",
            _ => return Ok(()),
        };
        let Some(name) = params.get(member).and_then(Value::as_str) else {
            return Ok(());
        };
        let Some(written) = self.value(&NAME, Breach::NameHeaderDiffers)? else {
            return self.missing(&NAME, Breach::NameHeaderMissing);
        };
        match self.decoded(&NAME, written, Breach::NameHeaderMalformed)? {
            Some(written) if written != name => self.differs(&NAME, Breach::NameHeaderDiffers),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks `Mcp-Param-*` of each annotated parameter of a tool: there with the value, and only with it. Null is no value.
    pub fn check_parameters(
        self,
        schema: &Value,
        arguments: &Map<String, Value>,
    ) -> Result<(), RpcError> {
        for (header, path) in annotated(schema) {
            let Ok(header) = HeaderName::try_from(format!("{PARAM}{header}")) else {
                continue;
            };
            let value = at(arguments, &path).filter(|value| !value.is_null());
            let written = self.value(&header, Breach::ParamHeaderDiffers)?;
            match (value, written) {
                (None, None) => {}
                (None, Some(_)) => self.differs(&header, Breach::ParamHeaderDiffers)?,
                (Some(_), None) => self.missing(&header, Breach::ParamHeaderMissing)?,
                (Some(value), Some(written)) => {
                    let written = self.decoded(&header, written, Breach::ParamHeaderMalformed)?;
                    if written.is_some_and(|written| !is_same(&written, value)) {
                        self.differs(&header, Breach::ParamHeaderDiffers)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The value of a header; where it stands more than once, all must be the same.
    fn value(self, name: &HeaderName, breach: Breach) -> Result<Option<&'h [u8]>, RpcError> {
        let mut values = self.all.get_all(name).iter();
        let first = values.next();
        if values.any(|other| Some(other) != first) {
            self.refuse(breach, &format!("{name} stands there more than once"))?;
        }
        Ok(first.map(|value| value.as_bytes()))
    }

    fn decoded(
        self,
        name: &HeaderName,
        value: &'h [u8],
        breach: Breach,
    ) -> Result<Option<Cow<'h, str>>, RpcError> {
        match header_value::decode(value) {
            Ok(decoded) => Ok(Some(decoded)),
            Err(malformed) => {
                self.refuse(breach, &format!("{name} has {malformed}"))?;
                Ok(None)
            }
        }
    }

    fn missing(self, name: &HeaderName, breach: Breach) -> Result<(), RpcError> {
        self.refuse(breach, &format!("{name} is missing"))
    }

    fn differs(self, name: &HeaderName, breach: Breach) -> Result<(), RpcError> {
        self.refuse(breach, &format!("{name} is not what the body says"))
    }

    fn refuse(self, breach: Breach, detail: &str) -> Result<(), RpcError> {
        self.judge.refuse(breach, RpcError::header_mismatch(detail))
    }
}

/// The annotated parameters of a tool and where they are: reached by `properties` alone.
fn annotated(schema: &Value) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(header) = property.get(ANNOTATION).and_then(Value::as_str) {
            found.push((header, vec![name.as_str()]));
        }
        for (header, mut path) in annotated(property) {
            path.insert(0, name.as_str());
            found.push((header, path));
        }
    }
    found
}

fn at<'a>(arguments: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let first = arguments.get(*first)?;
    rest.iter().try_fold(first, |value, name| value.get(*name))
}

/// Whether a header says what an argument is: numbers by value, all else by text. What no header can say is the schema's to refuse.
fn is_same(written: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => written == text,
        Value::Bool(truth) => written == if *truth { "true" } else { "false" },
        Value::Number(number) => match (written.parse::<i64>(), number.as_i64()) {
            (Ok(written), Some(number)) => written == number,
            _ => {
                let is_number =
                    written.starts_with(|first: char| first == '-' || first.is_ascii_digit());
                is_number && written.parse::<f64>().ok() == number.as_f64()
            }
        },
        Value::Null | Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_compared_by_value_and_all_else_by_text() {
        for (written, value, expected) in [
            ("42", json!(42), true),
            ("42.0", json!(42), true),
            ("42", json!(42.0), true),
            ("4.2e1", json!(42), true),
            ("-7", json!(-7), true),
            ("9007199254740991", json!(9007199254740990_i64), false),
            ("9007199254740993", json!(9007199254740992_i64), false),
            ("42x", json!(42), false),
            ("inf", json!(42), false),
            ("true", json!(true), true),
            ("True", json!(true), false),
            ("a", json!("a"), true),
            ("a ", json!("a"), false),
            ("42", json!("42"), true),
        ] {
            assert_eq!(is_same(written, &value), expected, "{written} {value}");
        }
    }

    #[test]
    fn only_properties_lead_to_an_annotated_parameter() {
        let schema = json!({
            "properties": {
                "a": { "type": "string", "x-mcp-header": "A" },
                "b": { "properties": { "c": { "type": "integer", "x-mcp-header": "C" } } },
                "d": { "items": { "x-mcp-header": "D" } },
            },
        });
        let expected = [("A", vec!["a"]), ("C", vec!["b", "c"])];
        assert_eq!(annotated(&schema), expected);
    }
}
