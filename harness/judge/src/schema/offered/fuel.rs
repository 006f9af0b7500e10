//! Work that is counted, on a thread that ends when it is used up.
//!
//! The validator has no way to stop: references that branch can ask for more visits than there are atoms. So a keyword of ours stands in
//! every subschema, sees each visit, and unwinds the thread once there were enough. No panic hook runs, and nothing outside sees more than
//! an error.

use super::Dialect;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value, json};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// Our keyword in every subschema.
pub(super) const KEYWORD: &str = "mcp-assay-fuel";

/// Visits of subschemas for a verdict.
pub(super) const VERDICT: u64 = 2_000_000;

/// Visits of subschemas for a verdict that is given at once.
const AT_ONCE: u64 = 10_000;

/// Bytes of the stack of whoever calls that such a verdict may take.
const AT_ONCE_STACK: usize = 256 << 10;

/// Visits of subschemas for the words of a verdict, each of which may make an error.
pub(super) const WORDS: u64 = 20_000;

/// How long a thread may be at it.
const TIME: Duration = Duration::from_secs(5);

/// Visits between two looks at the clock.
const GLANCE: u64 = 1024;

/// Bytes of the stack; only what is used is there.
const STACK: usize = 512 << 20;

/// Bytes that are left alone: what lies between two visits, and the unwinding.
const MARGIN: usize = 64 << 20;

/// Members whose values are data and no schemas, in any dialect.
const DATA: [&str; 8] = [
    "const",
    "default",
    "dependentRequired",
    "enum",
    "examples",
    "required",
    "type",
    "$vocabulary",
];

/// Members whose values are schemas by name.
const NAMED: [&str; 6] = [
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Members that change nothing beside a reference, in dialects that ignore what stands there.
const BESIDE: [&str; 12] = [
    "$comment",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "id",
    "title",
];

/// What was used up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Spent {
    Work,
    Time,
    Stack,
    /// There is no thread; why not.
    Thread(String),
}

thread_local! {
    /// Visits left, the latest end, and the lowest address of the stack that may be used; nothing outside of our threads.
    static TANK: Cell<Option<Tank>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Tank {
    left: u64,
    end: Instant,
    bottom: usize,
}

/// Runs on a thread with a big stack, until the work is done or used up.
pub(super) fn stacked<T: Send>(visits: u64, work: impl FnOnce() -> T + Send) -> Result<T, Spent> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("schema".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                let here = address();
                TANK.set(Some(Tank {
                    left: visits,
                    end: Instant::now() + TIME,
                    bottom: here.saturating_sub(STACK - MARGIN),
                }));
                work()
            })
            .map_err(|error| Spent::Thread(format!("no thread to validate on: {error}")))?;
        thread.join().map_err(|payload| spent(&payload))
    })
}

/// Runs where it is called, for work that is small; `None` where it was not.
pub(super) fn at_once<T>(work: impl FnOnce() -> T) -> Option<T> {
    TANK.set(Some(Tank {
        left: AT_ONCE,
        end: Instant::now() + TIME,
        bottom: address().saturating_sub(AT_ONCE_STACK),
    }));
    // Work that is unwound is done again from the beginning, or not at all.
    let done = catch_unwind(AssertUnwindSafe(work));
    TANK.set(None);
    done.ok()
}

/// What a thread ended with: our word, or what a dependency panicked with.
fn spent(payload: &Box<dyn Any + Send>) -> Spent {
    if let Some(spent) = payload.downcast_ref::<Spent>() {
        return spent.clone();
    }
    let said = payload.downcast_ref::<String>().cloned().or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    });
    Spent::Thread(format!(
        "the validator gave up: {}",
        crate::text::cut(&said.unwrap_or_default())
    ))
}

/// Roughly where the stack is.
#[inline(never)]
fn address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// The schema with our keyword in each object that may be a subschema, within an `allOf`: that is looked at before every keyword that a
/// reference or another branch may lie behind. `None` where a reference stands beside rules that its dialect ignores, which would come to
/// life.
pub(super) fn put_into(schema: &Value, dialect: Dialect) -> Option<Value> {
    let mut fuelled = schema.clone();
    fill_all(&mut fuelled, dialect)?;
    Some(fuelled)
}

/// Recurses as deep as a message may be, which was counted before.
fn fill_all(value: &mut Value, dialect: Dialect) -> Option<()> {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| fill_all(item, dialect)),
        Value::Object(members) => {
            for (keyword, part) in members.iter_mut() {
                match part {
                    _ if DATA.contains(&keyword.as_str()) => {}
                    Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                        let mut parts = named.values_mut().filter(|part| part.is_object());
                        parts.try_for_each(|part| fill_all(part, dialect))?;
                    }
                    part => fill_all(part, dialect)?,
                }
            }
            fill(members, dialect)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(()),
    }
}

/// Puts our keyword into one subschema.
fn fill(members: &mut Map<String, Value>, dialect: Dialect) -> Option<()> {
    let drop_of_fuel = json!({ KEYWORD: true });
    let is_alone =
        dialect.ignores_beside_references() && members.get("$ref").is_some_and(Value::is_string);
    if !is_alone {
        // Where there are branches already, each of them is filled itself.
        members
            .entry("allOf")
            .or_insert_with(|| json!([drop_of_fuel]));
        return Some(());
    }
    if !members
        .keys()
        .all(|keyword| BESIDE.contains(&keyword.as_str()))
    {
        return None;
    }
    for keyword in ["$id", "id"] {
        members.shift_remove(keyword);
    }
    let reference = members.shift_remove("$ref");
    members.insert(
        "allOf".to_owned(),
        json!([drop_of_fuel, { "$ref": reference }]),
    );
    Some(())
}

/// Makes the check behind [`KEYWORD`].
pub(super) fn burn<'a>(
    _siblings: &'a Map<String, Value>,
    _value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Burn))
}

struct Burn;

impl<'i> Keyword<'i> for Burn {
    fn validate(&self, _instance: &'i Value) -> Result<(), ValidationError<'i>> {
        visit();
        Ok(())
    }

    fn is_valid(&self, _instance: &'i Value) -> bool {
        visit();
        true
    }
}

fn visit() {
    let Some(mut tank) = TANK.get() else {
        return;
    };
    let spent = if tank.left == 0 {
        Some(Spent::Work)
    } else if address() < tank.bottom {
        Some(Spent::Stack)
    } else if tank.left % GLANCE == 0 && Instant::now() > tank.end {
        Some(Spent::Time)
    } else {
        None
    };
    match spent {
        None => {
            tank.left -= 1;
            TANK.set(Some(tank));
        }
        Some(spent) => resume_unwind(Box::new(spent)),
    }
}
