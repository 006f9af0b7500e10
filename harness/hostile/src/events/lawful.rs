//! Lawful blocks, in any spelling the standard allows.

use super::Block;
use crate::frames;
use mcp_assay_wire::sse::Event;
use proptest::prelude::*;
use proptest::sample::select;

/// How a line may end.
const ENDS: &[&str] = &["\n", "\r", "\r\n"];

/// One line, and what it does to the event.
#[derive(Clone, Debug)]
enum Line {
    Data(String),
    Name(String),
    Id(String),
    Retry(u64),
    Comment(String),
    Unknown(String, String),
}

/// How a line is spelled: whether a space follows the colon and whether an empty value goes without a colon, where either is free; its end.
type Spelling = (bool, bool, &'static str);

/// Blocks with data, priming blocks, comments and unknown fields, in any order, with any line ends.
pub fn lawful() -> impl Strategy<Value = Block> {
    let text = "[^\\r\\n]{0,10}";
    let message = frames::lawful().prop_map(|message| message.text.replace('\r', " "));
    let line = prop_oneof![
        4 => message.prop_map(Line::Data),
        3 => text.prop_map(Line::Data),
        2 => prop_oneof!["message|endpoint|", text].prop_map(Line::Name),
        2 => prop_oneof!["[0-9]{0,4}", "[^\\r\\n\\x00]{0,10}"].prop_map(Line::Id),
        1 => any::<u64>().prop_map(Line::Retry),
        2 => text.prop_map(Line::Comment),
        1 => ("[a-zA-Z{\"]{1,6}", text).prop_filter_map("it is known", |(name, value)| {
            let is_known = ["data", "event", "id", "retry"].contains(&name.as_str());
            (!is_known).then_some(Line::Unknown(name, value))
        }),
    ];
    let spelling = (any::<bool>(), any::<bool>(), select(ENDS));
    let lines = prop::collection::vec((line, spelling), 1..7);
    (lines, any::<bool>()).prop_map(|(lines, ends_with_cr)| write(lines, ends_with_cr))
}

fn write(lines: Vec<(Line, Spelling)>, ends_with_cr: bool) -> Block {
    let mut bytes = Vec::new();
    let mut says = Event {
        is_terminated: true,
        ..Event::default()
    };
    let mut data: Option<String> = None;
    let mut last = "";
    for (line, spelling) in lines {
        let (name, value) = match line {
            Line::Data(value) => ("data".to_owned(), value),
            Line::Name(value) => ("event".to_owned(), value),
            Line::Id(value) => ("id".to_owned(), value),
            Line::Retry(value) => ("retry".to_owned(), value.to_string()),
            Line::Comment(value) => (String::new(), value),
            Line::Unknown(name, value) => (name, value),
        };
        let value_at = bytes.len() + spell(&name, &value, spelling, &mut bytes);
        last = spelling.2;
        match name.as_str() {
            "data" => match &mut data {
                Some(data) => *data = format!("{data}\n{value}"),
                None => {
                    says.data_offset = value_at as u64;
                    data = Some(value);
                }
            },
            "event" => says.name = Some(value),
            "id" => says.id = Some(value),
            "retry" => says.retry = value.parse().ok(),
            "" => says.comments += 1,
            _ => says.unknown_fields.push(name),
        }
    }
    // After a carriage return a newline would end no line of its own.
    bytes.push(if ends_with_cr || last == "\r" {
        b'\r'
    } else {
        b'\n'
    });
    says.length = bytes.len() as u64;
    says.raw = bytes.clone().into();
    says.data = data.map(Into::into);
    Block {
        bytes,
        says: Some(says),
        shows: None,
    }
}

/// Writes a line; returns where in it the value begins.
fn spell(
    name: &str,
    value: &str,
    (has_space, has_no_colon, end): Spelling,
    bytes: &mut Vec<u8>,
) -> usize {
    let separator = match (has_space || value.starts_with(' '), has_no_colon) {
        (_, true) if value.is_empty() && !name.is_empty() => "",
        (true, _) => ": ",
        (false, _) => ":",
    };
    for part in [name, separator, value, end] {
        bytes.extend_from_slice(part.as_bytes());
    }
    name.len() + separator.len()
}
