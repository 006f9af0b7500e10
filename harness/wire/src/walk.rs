//! The walker: one JSON value as a sequence of events, without recursion, so that no depth can exhaust the stack.

use crate::scan::{Fault, Scanner};
use std::borrow::Cow;
use std::ops::Range;

/// One step through a JSON value. Spans are offsets in the text, quotes included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event<'t> {
    /// A member's key, unescaped; its value follows.
    Key(Cow<'t, str>, Range<usize>),
    /// `{` or `[` at this offset.
    Open { is_object: bool, at: usize },
    /// `}` or `]`; the offset is behind it.
    Close { end: usize },
    /// A string, number or literal.
    Scalar(Range<usize>),
}

/// What may come next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expect {
    Value,
    FirstItem,
    FirstKey,
    Key,
    CommaOrClose,
    Nothing,
}

/// Walks the value at a scanner's cursor.
#[derive(Debug)]
pub(crate) struct Walker<'t, 's> {
    scanner: &'s mut Scanner<'t>,
    /// The open containers, outermost first; true for an object.
    open: Vec<bool>,
    expect: Expect,
}

impl<'t, 's> Walker<'t, 's> {
    pub fn new(scanner: &'s mut Scanner<'t>) -> Self {
        Walker {
            scanner,
            open: Vec::new(),
            expect: Expect::Value,
        }
    }

    /// Number of containers that are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next event; `None` once the value is complete.
    pub fn next(&mut self) -> Result<Option<Event<'t>>, Fault> {
        loop {
            let token = match self.expect {
                Expect::Nothing => return Ok(None),
                _ => self.scanner.peek_token(),
            };
            match (self.expect, token) {
                (Expect::FirstItem | Expect::CommaOrClose, Some(b']')) if !self.in_object() => {
                    return Ok(Some(self.close()));
                }
                (Expect::FirstKey | Expect::CommaOrClose, Some(b'}')) if self.in_object() => {
                    return Ok(Some(self.close()));
                }
                (Expect::FirstKey | Expect::Key, Some(b'"')) => return self.key().map(Some),
                (Expect::FirstKey | Expect::Key, _) => return self.scanner.fault("a key"),
                (Expect::CommaOrClose, Some(b',')) => {
                    self.scanner.at += 1;
                    self.expect = if self.in_object() {
                        Expect::Key
                    } else {
                        Expect::Value
                    };
                }
                (Expect::CommaOrClose, _) if self.in_object() => {
                    return self.scanner.fault("',' or '}'");
                }
                (Expect::CommaOrClose, _) => return self.scanner.fault("',' or ']'"),
                (_, token) => return self.value(token).map(Some),
            }
        }
    }

    fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    fn key(&mut self) -> Result<Event<'t>, Fault> {
        let start = self.scanner.at;
        let key = self.scanner.string()?;
        let span = start..self.scanner.at;
        self.scanner.pass(b':', "':'")?;
        self.expect = Expect::Value;
        Ok(Event::Key(key, span))
    }

    fn value(&mut self, token: Option<u8>) -> Result<Event<'t>, Fault> {
        let at = self.scanner.at;
        match token {
            Some(byte @ (b'{' | b'[')) => {
                let is_object = byte == b'{';
                self.scanner.at += 1;
                self.open.push(is_object);
                self.expect = if is_object {
                    Expect::FirstKey
                } else {
                    Expect::FirstItem
                };
                return Ok(Event::Open { is_object, at });
            }
            Some(b'"') => drop(self.scanner.string()?),
            Some(b'-' | b'0'..=b'9') => drop(self.scanner.number()?),
            Some(b't') => self.scanner.literal("true")?,
            Some(b'f') => self.scanner.literal("false")?,
            Some(b'n') => self.scanner.literal("null")?,
            _ => return self.scanner.fault("a value"),
        }
        self.settle();
        Ok(Event::Scalar(at..self.scanner.at))
    }

    fn close(&mut self) -> Event<'t> {
        self.scanner.at += 1;
        self.open.pop();
        self.settle();
        Event::Close {
            end: self.scanner.at,
        }
    }

    fn settle(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrClose
        };
    }
}
