//! A message a line, behind its direction: what a shell, a log or a person writes.
//!
//! ```text
//! --> {"jsonrpc":"2.0","id":1,"method":"ping"}
//! <-- {"jsonrpc":"2.0","id":1,"result":{}}
//! ```

use super::{Broken, Lines, Told};
use crate::traffic::entries::{Numbers, line};
use crate::traffic::{Heard, Talk};
use mcp_assay_model::event::ConversationEnd;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::Direction;
use mcp_assay_wire::stdio::{Framer, Limits};
use std::io::BufRead;
use std::time::Duration;

/// What stands before a message, and which way it goes; what begins another stands after it.
const PREFIXES: [(&str, Direction); 12] = [
    ("-->", Direction::Sent),
    ("->", Direction::Sent),
    (">", Direction::Sent),
    ("→", Direction::Sent),
    ("C:", Direction::Sent),
    ("client:", Direction::Sent),
    ("<--", Direction::Received),
    ("<-", Direction::Received),
    ("<", Direction::Received),
    ("←", Direction::Received),
    ("S:", Direction::Received),
    ("server:", Direction::Received),
];

/// What to do about a line without a direction.
const HINT: &str = "each line needs a direction: `-->`, `->`, `>`, `→`, `C:` or `client:` before what the client sends, \
    `<--`, `<-`, `<`, `←`, `S:` or `server:` before what the server sends; empty lines and lines with # are passed over; \
    `--input` names another format";

/// Reads lines to their end; they are one conversation over stdio.
///
/// **Errors**: a line without a direction, or none at all.
pub fn read(input: &mut dyn BufRead, hear: &mut dyn FnMut(&Told, Heard)) -> Result<Told, Broken> {
    let told = Told::default();
    let talk: Talk = "lines".into();
    let mut numbers = Numbers::default();
    let mut framers = [(); 2].map(|()| Framer::new(Limits::default()));
    let mut lines = Lines::new(input);
    while let Some((number, text, _)) = lines.next()? {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let text = text.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let known = PREFIXES.iter().find_map(|(prefix, direction)| {
            Some((text.strip_prefix(prefix.as_bytes())?, *direction))
        });
        let Some((message, direction)) = known else {
            let shown: String = String::from_utf8_lossy(text).chars().take(40).collect();
            let shown = mcp_assay_report::visible(&shown).into_owned();
            return Err(Broken::at(number, format!("no direction before `{shown}`")).hint(HINT));
        };
        if numbers.last() == 0 {
            let began = Heard::Began {
                talk: talk.clone(),
                binding: Binding::Stdio,
                revision: None,
            };
            hear(&told, began);
        }
        let framer = match direction {
            Direction::Sent => &mut framers[0],
            Direction::Received => &mut framers[1],
        };
        let message = message.strip_prefix(b" ").unwrap_or(message);
        let mut frames = framer.push(message);
        frames.extend(framer.push(b"\n"));
        for frame in frames {
            for entry in numbers.number(line(Duration::ZERO, direction, frame)) {
                hear(&told, Heard::Entry(talk.clone(), Box::new(entry)));
            }
        }
    }
    if numbers.last() > 0 {
        hear(&told, Heard::Ended(talk, ConversationEnd::Open));
    }
    Ok(told)
}
