//! The builder: one pass over a JSON text gives the parsed value, the raw spans classification asks for, and notes of what the value does not show.
//!
//! A parser of our own, because the one pass has to see what `serde_json` hides (the first of two equal keys, the form of a number) or
//! refuses although it is JSON (a lone surrogate, `1e400`, 128 levels), and a second pass would cost the speed this layer promises.

use crate::defect::DefectKind;
use crate::jsonrpc::{MAX_DEPTH, MAX_VALUES};
use crate::scan::{Fault, MAX_NOTES, Scanner};
use serde_json::{Map, Number, Value};
use std::ops::Range;

/// Values that an item of a batch counts for: it is kept twice, in the value of the batch and as a message.
const WEIGHT_OF_ITEM: usize = 8;

/// A parsed JSON text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub value: Value,
    /// Of the text itself, where it is an object.
    pub root: Marks,
    /// Of each item, where the text is an array.
    pub items: Vec<Marks>,
    pub notes: Vec<Note>,
}

/// What the value does not show: a defect and its offset in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub kind: DefectKind,
    pub at: usize,
}

/// What classification asks about one message; of duplicate keys the last counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// Offset of the message in the text.
    pub start: usize,
    pub is_object: bool,
    pub id: Option<Range<usize>>,
    /// The member `code` of an object `error`.
    pub code: Option<Range<usize>>,
    pub method: Option<Method>,
    pub has_result: bool,
    pub has_error: bool,
}

/// The member `method`.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    Name(String),
    NotString,
}

/// Parses a JSON text from offset `start` on.
pub(crate) fn parse(text: &str, start: usize) -> Result<Parsed, Fault> {
    let mut builder = Builder {
        scanner: Scanner::new(text, start),
        depth: 0,
        room: MAX_VALUES,
        notes: Vec::new(),
    };
    let mut items = Vec::new();
    let token = builder.scanner.peek_token();
    let mut root = Marks {
        start: builder.scanner.at,
        ..Marks::default()
    };
    let value = match token {
        Some(b'{') => builder.message(&mut root)?,
        Some(b'[') => builder.array(|builder| {
            builder.take_room(WEIGHT_OF_ITEM)?;
            let mut item = Marks::default();
            let value = builder.message(&mut item)?;
            items.push(item);
            Ok(value)
        })?,
        _ => builder.value()?,
    };
    builder.scanner.pass_end()?;
    let lone = builder.scanner.lone_surrogates.iter().map(|&at| Note {
        kind: DefectKind::LoneSurrogate,
        at,
    });
    let mut notes = builder.notes;
    notes.extend(lone);
    Ok(Parsed {
        value,
        root,
        items,
        notes,
    })
}

struct Builder<'t> {
    scanner: Scanner<'t>,
    depth: usize,
    /// Values that may still be built.
    room: usize,
    notes: Vec<Note>,
}

/// How the members of an object are read.
trait Members {
    fn member(&mut self, key: &str, builder: &mut Builder<'_>) -> Result<Value, Fault>;
}

/// Members nobody asks about.
struct Unmarked;

impl Members for Unmarked {
    #[inline]
    fn member(&mut self, _key: &str, builder: &mut Builder<'_>) -> Result<Value, Fault> {
        builder.value()
    }
}

impl Members for Marks {
    fn member(&mut self, key: &str, builder: &mut Builder<'_>) -> Result<Value, Fault> {
        match key {
            "id" => {
                let (value, span) = builder.spanned_value()?;
                self.id = Some(span);
                Ok(value)
            }
            "method" => {
                let value = builder.value()?;
                self.method = Some(match &value {
                    Value::String(name) => Method::Name(name.clone()),
                    _ => Method::NotString,
                });
                Ok(value)
            }
            "result" => {
                self.has_result = true;
                builder.value()
            }
            "error" => {
                self.has_error = true;
                let mut code = Code(None);
                let value = match builder.scanner.peek_token() {
                    Some(b'{') => builder.object(&mut code)?,
                    _ => builder.value()?,
                };
                self.code = code.0;
                Ok(value)
            }
            _ => builder.value(),
        }
    }
}

/// Members of an error object.
struct Code(Option<Range<usize>>);

impl Members for Code {
    fn member(&mut self, key: &str, builder: &mut Builder<'_>) -> Result<Value, Fault> {
        if key != "code" {
            return builder.value();
        }
        let (value, span) = builder.spanned_value()?;
        self.0 = Some(span);
        Ok(value)
    }
}

impl Builder<'_> {
    /// Parses a value in the place of a message.
    fn message(&mut self, marks: &mut Marks) -> Result<Value, Fault> {
        marks.is_object = self.scanner.peek_token() == Some(b'{');
        marks.start = self.scanner.at;
        if marks.is_object {
            self.object(marks)
        } else {
            self.value()
        }
    }

    fn spanned_value(&mut self) -> Result<(Value, Range<usize>), Fault> {
        self.scanner.peek_token();
        let start = self.scanner.at;
        let value = self.value()?;
        Ok((value, start..self.scanner.at))
    }

    fn value(&mut self) -> Result<Value, Fault> {
        match self.scanner.peek_token() {
            Some(b'"') => {
                let content = self.scanner.string()?.into_owned();
                self.scalar(Value::String(content))
            }
            Some(b'{') => self.object(&mut Unmarked),
            Some(b'[') => self.array(Self::value),
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                self.scalar(Value::Number(number))
            }
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.scanner.fault("a value"),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, Fault> {
        self.scanner.literal(word)?;
        self.scalar(value)
    }

    #[inline]
    fn scalar(&mut self, value: Value) -> Result<Value, Fault> {
        self.take_room(1)?;
        Ok(value)
    }

    /// Bounds the memory of the value, which for many small values is a multiple of the text.
    #[inline]
    fn take_room(&mut self, values: usize) -> Result<(), Fault> {
        match self.room.checked_sub(values) {
            Some(room) => {
                self.room = room;
                Ok(())
            }
            None => Err(Fault {
                at: self.scanner.at,
                expected: None,
            }),
        }
    }

    fn object(&mut self, members: &mut impl Members) -> Result<Value, Fault> {
        if self.depth == MAX_DEPTH {
            return self.skip_deep_value();
        }
        self.take_room(1)?;
        self.depth += 1;
        self.scanner.at += 1;
        let mut map = Map::new();
        if self.scanner.peek_token() == Some(b'}') {
            self.scanner.at += 1;
        } else {
            self.members(&mut map, members)?;
        }
        self.depth -= 1;
        Ok(Value::Object(map))
    }

    fn members(
        &mut self,
        map: &mut Map<String, Value>,
        members: &mut impl Members,
    ) -> Result<(), Fault> {
        loop {
            if self.scanner.peek_token() != Some(b'"') {
                return self.scanner.fault("a key");
            }
            let at = self.scanner.at;
            let key = self.scanner.string()?.into_owned();
            self.scanner.pass(b':', "':'")?;
            let value = members.member(&key, self)?;
            if map.insert(key, value).is_some() {
                self.note(DefectKind::DuplicateKey, at);
            }
            match self.scanner.peek_token() {
                Some(b',') => self.scanner.at += 1,
                Some(b'}') => {
                    self.scanner.at += 1;
                    return Ok(());
                }
                _ => return self.scanner.fault("',' or '}'"),
            }
        }
    }

    fn array(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<Value, Fault>,
    ) -> Result<Value, Fault> {
        if self.depth == MAX_DEPTH {
            return self.skip_deep_value();
        }
        self.take_room(1)?;
        self.depth += 1;
        self.scanner.at += 1;
        let mut items = Vec::new();
        if self.scanner.peek_token() == Some(b']') {
            self.scanner.at += 1;
        } else {
            loop {
                items.push(item(self)?);
                match self.scanner.peek_token() {
                    Some(b',') => self.scanner.at += 1,
                    Some(b']') => {
                        self.scanner.at += 1;
                        break;
                    }
                    _ => return self.scanner.fault("',' or ']'"),
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Array(items))
    }

    /// Passes a value that is too deep to build: as JSON it must still be whole.
    #[cold]
    fn skip_deep_value(&mut self) -> Result<Value, Fault> {
        self.note(DefectKind::TooDeep, self.scanner.at);
        let mut walker = crate::walk::Walker::new(&mut self.scanner);
        while walker.next()?.is_some() {}
        self.scalar(Value::Null)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let start = self.scanner.at;
        let text = self.scanner.number()?;
        if let Some(number) = small_integer(text) {
            return Ok(number);
        }
        // The rest as `serde_json` reads it, so that a value is the same whoever parsed it.
        Ok(text.parse().unwrap_or_else(|_| {
            self.note(DefectKind::NumberRange, start);
            let largest = if text.starts_with('-') {
                f64::MIN
            } else {
                f64::MAX
            };
            Number::from_f64(largest).expect("the largest float is finite")
        }))
    }

    #[cold]
    fn note(&mut self, kind: DefectKind, at: usize) {
        if self.notes.iter().filter(|note| note.kind == kind).count() < MAX_NOTES {
            self.notes.push(Note { kind, at });
        }
    }
}

/// A plain integer of up to 18 digits, which fits both integer types; not `-0`, which is a float.
#[inline]
fn small_integer(text: &str) -> Option<Number> {
    let (digits, is_negative) = match text.as_bytes() {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if digits.len() > 18 {
        return None;
    }
    let mut magnitude = 0_u64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(byte - b'0');
    }
    if !is_negative {
        Some(Number::from(magnitude))
    } else if magnitude != 0 {
        Some(Number::from(-(magnitude as i64)))
    } else {
        None
    }
}
