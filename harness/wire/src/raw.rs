//! Raw spans: the text of a JSON value as it was sent, found by JSON pointer.
//!
//! A parsed value has lost what a typed decoder trips over (`1.0` for `1`, an escaped key, the first of two equal keys); evidence and
//! comparisons of ids therefore go back to the text. One pass over the text per question, whatever the depth.

use crate::scan::{BYTE_ORDER_MARK, Fault, Scanner};
use crate::walk::{Event, Walker};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// The raw text at `pointer` (RFC 6901; empty: the whole) in a JSON text; of duplicate keys the last. `None` where the pointer leads nowhere or the text is no JSON.
///
/// **Shape**: a slice of `text` without the white space around the value. Escaped keys (`"\u0069d"`) are found by what they say. A
/// byte-order mark before the text is passed over.
pub fn at<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    span(text, pointer).map(|span| &text[span])
}

/// Where the raw text at `pointer` stands, in bytes; see [`at`].
pub fn span(text: &str, pointer: &str) -> Option<Range<usize>> {
    let tokens = tokens(pointer)?;
    find(text, &tokens).ok()?
}

/// Whether the raw text is an integer as a typed decoder reads it: optional minus, digits, no fraction, no exponent.
///
/// `-0` is one, as it has no fraction; `01` and `+1` are no JSON numbers and are none.
pub fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The first key that an object has twice, escapes resolved; `None` where it has none, or the text is no object.
pub fn repeated_key(text: &str) -> Option<String> {
    let mut scanner = scanner(text);
    let mut walker = Walker::new(&mut scanner);
    let mut seen = HashSet::new();
    while let Some(event) = walker.next().ok()? {
        if let Event::Key(key, _) = event
            && walker.depth() == 1
            && !seen.insert(key.to_string())
        {
            return Some(key.into_owned());
        }
    }
    None
}

/// The JSON pointer of the scalar, the member or the container whose text, key or opening bracket is at a byte offset; `None` where
/// the text stops being JSON before that.
pub(crate) fn pointer_to(text: &str, offset: usize) -> Option<String> {
    let mut scanner = scanner(text);
    let mut walker = Walker::new(&mut scanner);
    // Of each open container the key of the member that is being read, and the index of the item.
    let mut steps: Vec<(Option<Cow<'_, str>>, usize)> = Vec::new();
    loop {
        let event = walker.next().ok()??;
        let is_container = matches!(event, Event::Open { .. });
        let is_settled = matches!(event, Event::Scalar(_) | Event::Close { .. });
        let end = match event {
            Event::Key(key, span) => {
                steps.last_mut().expect("a key is in an object").0 = Some(key);
                span.end
            }
            Event::Open { at, .. } => at + 1,
            Event::Scalar(span) => span.end,
            Event::Close { end } => {
                steps.pop();
                end
            }
        };
        if end > offset {
            return Some(write(&steps));
        }
        if is_container {
            steps.push((None, 0));
        } else if is_settled && let Some(step) = steps.last_mut() {
            step.1 += 1;
        }
    }
}

fn write(steps: &[(Option<Cow<'_, str>>, usize)]) -> String {
    let mut pointer = String::new();
    for (key, index) in steps {
        pointer.push('/');
        match key {
            Some(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            None => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

fn scanner(text: &str) -> Scanner<'_> {
    let start = if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    Scanner::new(text, start)
}

/// The unescaped reference tokens of a pointer; `None` where it does not start with `/`.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescaped = |token: &str| token.replace("~1", "/").replace("~0", "~");
    Some(
        pointer
            .strip_prefix('/')?
            .split('/')
            .map(unescaped)
            .collect(),
    )
}

/// Finds the span in one walk: the containers that match the first tokens form the path; a later duplicate key discards what an earlier one led to.
fn find(text: &str, tokens: &[String]) -> Result<Option<Range<usize>>, Fault> {
    let mut scanner = scanner(text);
    let mut walker = Walker::new(&mut scanner);
    let mut found = None;
    // The open containers on the path, with the index of the next item; they are the outermost ones.
    let mut path: Vec<usize> = Vec::new();
    // Start and depth of the container that is the target, while it is open.
    let mut target: Option<(usize, usize)> = None;
    // Whether the key that has been read is the one looked for; `None` in an array.
    let mut key_match = None;
    while let Some(event) = walker.next()? {
        if let Event::Close { end } = event {
            if let Some((start, depth)) = target
                && walker.depth() == depth
            {
                found = Some(start..end);
                target = None;
            }
            path.truncate(walker.depth());
            continue;
        }
        // The container an opening belongs to is the one around it.
        let depth = walker.depth() - usize::from(matches!(event, Event::Open { .. }));
        if target.is_some() || path.len() != depth {
            continue;
        }
        if let Event::Key(key, _) = &event {
            key_match = Some(*key == tokens[depth - 1]);
            continue;
        }
        let is_match = match (path.last_mut(), key_match.take()) {
            (None, _) => true,
            (Some(_), Some(is_match)) => is_match,
            (Some(next), None) => {
                let index = *next;
                *next += 1;
                index_of(&tokens[depth - 1]) == Some(index)
            }
        };
        if !is_match {
            continue;
        }
        found = None;
        match event {
            Event::Scalar(span) if depth == tokens.len() => found = Some(span),
            Event::Open { at, .. } if depth == tokens.len() => target = Some((at, depth)),
            Event::Open { .. } => path.push(0),
            _ => {}
        }
    }
    scanner.pass_end()?;
    Ok(found)
}

/// An array index as RFC 6901 writes it: no sign, no leading zero.
fn index_of(token: &str) -> Option<usize> {
    if is_plain_integer(token) {
        token.parse().ok()
    } else {
        None
    }
}
