//! Values that fit a definition, made from its text: a seed gives the same values, whatever the machine.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Levels below which nothing is added that is not required.
const SHALLOW: usize = 5;

/// Levels beyond which nothing is made: a definition that contains itself ends here.
const DEEPEST: usize = 24;

/// A stream of numbers (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// The seed is the text's: a definition gets the same values when others are added.
    pub fn of(text: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Dice(text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn pick<'p, T: ?Sized>(&mut self, pool: &[&'p T]) -> &'p T {
        pool[self.below(pool.len())]
    }

    fn is_one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// Makes values of the definitions of one document.
pub struct Generator<'d> {
    pub definitions: &'d Map<String, Value>,
    pub dice: Dice,
}

/// What several schemas ask of one value together.
#[derive(Default)]
struct Demands<'d> {
    values: Option<Vec<&'d Value>>,
    types: Option<Vec<&'d str>>,
    formats: Vec<&'d str>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    fewest: usize,
    required: Vec<&'d str>,
    members: BTreeMap<&'d str, Vec<&'d Value>>,
    others: Vec<&'d Value>,
    names: Vec<&'d Value>,
    items: Vec<&'d Value>,
    is_schema: bool,
}

impl<'d> Generator<'d> {
    /// A value of a definition; most of them fit, and the validator says which.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        let definition = self.definitions.get(name)?;
        self.fitting(&[definition], 0)
    }

    fn fitting(&mut self, schemas: &[&'d Value], depth: usize) -> Option<Value> {
        let mut demands = Demands::default();
        for schema in schemas {
            self.collect(schema, &mut demands, 0)?;
        }
        if depth > DEEPEST {
            return None;
        }
        if let Some(values) = &demands.values {
            return match values.len() {
                0 => None,
                count => Some(values[self.dice.below(count)].clone()),
            };
        }
        let kind = match &demands.types {
            Some(types) if types.is_empty() => return None,
            Some(types) => self.dice.pick(types),
            None if !demands.members.is_empty() || !demands.required.is_empty() => "object",
            None if !demands.items.is_empty() => "array",
            None if !demands.formats.is_empty() => "string",
            None => return Some(self.anything(depth)),
        };
        Some(match kind {
            "null" => Value::Null,
            "boolean" => json!(self.dice.is_one_in(2)),
            "integer" | "number" => self.number(kind, &demands),
            "string" => json!(self.text(&demands.formats)),
            "array" => self.array(&demands, depth)?,
            _ if demands.is_schema => self.schema(&demands, depth)?,
            _ => self.object(&demands, depth)?,
        })
    }

    /// Takes in what a schema asks for; of a union one branch, drawn.
    fn collect(
        &mut self,
        schema: &'d Value,
        demands: &mut Demands<'d>,
        links: usize,
    ) -> Option<()> {
        let keywords = match schema {
            Value::Bool(true) => return Some(()),
            Value::Object(keywords) if links < 32 => keywords,
            _ => return None,
        };
        let narrow = |known: &mut Option<Vec<&'d Value>>, values: Vec<&'d Value>| {
            *known = Some(match known.take() {
                None => values,
                Some(known) => known
                    .into_iter()
                    .filter(|one| values.contains(one))
                    .collect(),
            });
        };
        for (keyword, value) in keywords {
            match keyword.as_str() {
                "$ref" => {
                    let name = value.as_str()?.rsplit('/').next()?;
                    self.collect(self.definitions.get(name)?, demands, links + 1)?;
                }
                "allOf" => {
                    for schema in value.as_array()? {
                        self.collect(schema, demands, links + 1)?;
                    }
                }
                "anyOf" | "oneOf" => {
                    let branches = value.as_array()?;
                    let branch = &branches[self.dice.below(branches.len())];
                    self.collect(branch, demands, links + 1)?;
                }
                "const" => narrow(&mut demands.values, vec![value]),
                "enum" => narrow(&mut demands.values, value.as_array()?.iter().collect()),
                "type" => {
                    let types: Vec<&str> = match value {
                        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                        one => vec![one.as_str()?],
                    };
                    demands.types = Some(match demands.types.take() {
                        None => types,
                        Some(known) => known
                            .into_iter()
                            .filter(|one| types.contains(one))
                            .collect(),
                    });
                }
                "format" => demands.formats.push(value.as_str()?),
                "minimum" => demands.minimum = value.as_f64(),
                "maximum" => demands.maximum = value.as_f64(),
                "minItems" => demands.fewest = usize::try_from(value.as_u64()?).unwrap(),
                "required" => {
                    let names = value.as_array()?.iter().filter_map(Value::as_str);
                    demands.required.extend(names);
                }
                "properties" => {
                    for (name, member) in value.as_object()? {
                        demands.members.entry(name).or_default().push(member);
                    }
                }
                "additionalProperties" => demands.others.push(value),
                "propertyNames" => demands.names.push(value),
                "items" => demands.items.push(value),
                "mcp-assay-schema" => demands.is_schema = true,
                // What is left is checked by the validator.
                _ => {}
            }
        }
        Some(())
    }

    fn number(&mut self, kind: &str, demands: &Demands) -> Value {
        let pool: &[f64] = match kind {
            "integer" => &[0.0, 1.0, 2.0, 7.0, 100.0, -1.0, -32_600.0, 4_294_967_296.0],
            _ => &[0.0, 0.5, 1.0, 0.25, 7.0, -1.5, 3.75],
        };
        let fits = |number: &&f64| {
            demands.minimum.is_none_or(|least| **number >= least)
                && demands.maximum.is_none_or(|most| **number <= most)
        };
        let pool: Vec<&f64> = pool.iter().filter(fits).collect();
        let number = *self.dice.pick(&pool);
        match number.to_string().parse::<i64>() {
            Ok(integer) => json!(integer),
            Err(_) => json!(number),
        }
    }

    fn text(&mut self, formats: &[&str]) -> &'static str {
        let pool: &[&'static str] = if formats.contains(&"file-uri") {
            &["file:///", "file:///home/a%20b", "FILE:///c"]
        } else if formats.contains(&"icon-uri") {
            &[
                "https://example.com/a.png",
                "data:image/png;base64,eA==",
                "http://localhost/i",
            ]
        } else {
            match formats.first() {
                Some(&"byte") => &["", "eA==", "eHh4", "+/+/"],
                Some(&"uri") => &[
                    "file:///a",
                    "https://example.com/?q=1#f",
                    "test://x/y",
                    "urn:a:b",
                ],
                Some(&"uri-template") => &["file:///{path}", "test://{+a}{?b,c}", "x:y"],
                Some(&"media-type") => &["image/png", "audio/wav", "text/plain; charset=utf-8"],
                Some(&"revision") => &["2024-11-05", "2025-11-25", "2026-07-28"],
                Some(&"timestamp") => &["2025-11-25T10:30:00Z", "2025-11-25T10:30:00.5+01:00"],
                Some(&"meta-key") => &["a", "com.example/a", "progress-token", ""],
                Some(&"extension-id") => &["com.example/a", "io.modelcontextprotocol/ui"],
                Some(&"traceparent") => {
                    &["00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"]
                }
                _ => &[
                    "",
                    "a",
                    "text",
                    "object",
                    "initialize",
                    "2025-11-25",
                    "image/png",
                    "https://example.com/i.png",
                    "é\n\"",
                    "eA==",
                ],
            }
        };
        self.dice.pick(pool)
    }

    fn array(&mut self, demands: &Demands<'d>, depth: usize) -> Option<Value> {
        let most = if depth >= SHALLOW { 1 } else { 3 };
        let count = demands.fewest + self.dice.below(most);
        let mut items = Vec::new();
        for _ in 0..count {
            match self.fitting(&demands.items, depth + 1) {
                Some(item) => items.push(item),
                None if items.len() >= demands.fewest => break,
                None => return None,
            }
        }
        Some(Value::Array(items))
    }

    fn object(&mut self, demands: &Demands<'d>, depth: usize) -> Option<Value> {
        let mut object = Map::new();
        for (name, schemas) in &demands.members {
            let is_required = demands.required.contains(name);
            let is_drawn = depth < SHALLOW && self.dice.is_one_in(2 + depth);
            if is_required || is_drawn {
                match self.fitting(schemas, depth + 1) {
                    Some(value) => drop(object.insert((*name).to_owned(), value)),
                    None if is_required => return None,
                    None => {}
                }
            }
        }
        for name in &demands.required {
            if !object.contains_key(*name) {
                let value = self.fitting(&demands.others, depth + 1)?;
                object.insert((*name).to_owned(), value);
            }
        }
        // A map has its own members, every other object now and then one that nobody knows.
        let is_map = demands.members.is_empty();
        for _ in 0..self
            .dice
            .below(if is_map && depth < SHALLOW { 3 } else { 2 })
        {
            if is_map || self.dice.is_one_in(6) {
                let name = self.name(&demands.names);
                if !demands.members.contains_key(name.as_str())
                    && let Some(value) = self.fitting(&demands.others, depth + 1)
                {
                    object.insert(name, value);
                }
            }
        }
        Some(Value::Object(object))
    }

    fn name(&mut self, names: &[&'d Value]) -> String {
        let named = (!names.is_empty())
            .then(|| self.fitting(names, DEEPEST - 1))
            .flatten();
        match named {
            Some(Value::String(name)) => name,
            _ => self
                .dice
                .pick(&["a", "b", "extra", "com.example/a"])
                .to_owned(),
        }
    }

    /// An object that is a JSON Schema besides.
    fn schema(&mut self, demands: &Demands<'d>, depth: usize) -> Option<Value> {
        let mut schema = self.object(demands, depth.max(SHALLOW))?;
        let part = match self.dice.below(6) {
            0 => json!({ "properties": { "a": { "type": "string" } }, "required": ["a"] }),
            1 => json!({ "properties": { "a": true, "b": {} } }),
            2 => {
                json!({ "$schema": "http://json-schema.org/draft-07/schema#", "additionalProperties": false })
            }
            3 => {
                json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "required": [] })
            }
            4 => json!({ "properties": { "a": { "type": "string", "x-mcp-header": "A" } } }),
            _ => json!({}),
        };
        let members = schema.as_object_mut()?;
        members.extend(part.as_object()?.clone());
        Some(schema)
    }

    fn anything(&mut self, depth: usize) -> Value {
        let kinds = if depth < SHALLOW { 8 } else { 6 };
        match self.dice.below(kinds) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(7),
            3 => json!(-0.5),
            4 => json!("text"),
            5 => json!({}),
            6 => json!([{ "a": null }]),
            _ => json!({ "a": [1, "b"], "type": "object" }),
        }
    }
}
