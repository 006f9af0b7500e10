//! Fragments that say what went wrong, for people who have only the report.

use super::tee::{Ending, Seen};
use std::error::Error;
use std::io;

/// Bytes of what came that a fragment shows.
const SHOWN: usize = 120;

/// An error of the system as a fragment: lower case, without its number.
pub(super) fn io_error(error: &io::Error) -> String {
    let has_own_words = error.get_ref().is_some();
    let kind = error.kind().to_string();
    if has_own_words || kind.contains("other") || kind.contains("uncategorized") {
        error.to_string()
    } else {
        kind
    }
}

/// Why no response could be read, after what was seen of one.
pub(super) fn no_response(
    error: &hyper::Error,
    seen: &Seen,
    write_error: Option<&io::Error>,
) -> String {
    let came = seen.begun();
    if came.len() > 1 && matches!(came[0], 0x14..=0x17) && came[1] == 3 {
        return format!("TLS came, no HTTP: is it https? {}", shown(came));
    }
    let place = match (seen.came, came.is_empty()) {
        (0, _) => "before a response came".to_owned(),
        (_, true) => "after an interim response".to_owned(),
        (_, false) => format!("within the response head: {}", shown(came)),
    };
    let written = write_error.map(io_error).map_or_else(String::new, |error| {
        format!("; the request could not be written: {error}")
    });
    match &seen.ending {
        _ if error.is_parse() && came.starts_with(b"HTTP/1.") => {
            format!("unusable response head: {}: {}", chain(error), shown(came))
        }
        _ if error.is_parse() => format!("no HTTP response, but {}", shown(came)),
        Some(Ending::Broken(why)) => format!("{why} {place}{written}"),
        Some(Ending::Closed) => format!("connection closed {place}{written}"),
        None => format!("{}{written}", chain(error)),
    }
}

/// Why a body broke off after `length` bytes of it.
pub(super) fn broken_body(
    error: &hyper::Error,
    seen: &Seen,
    length: u64,
    promised: Option<u64>,
) -> String {
    let place = match promised {
        Some(promised) => format!("after {length} of {promised} bytes of the body"),
        None => format!("within the body, after {length} bytes of it"),
    };
    match &seen.ending {
        Some(Ending::Closed) => format!("connection closed {place}"),
        Some(Ending::Broken(why)) => format!("{why} {place}"),
        None => format!("broken framing {place}: {}", innermost(error)),
    }
}

/// The beginning of what came, in quotes and with escapes.
fn shown(came: &[u8]) -> String {
    let some = &came[..came.len().min(SHOWN)];
    let more = if came.len() > SHOWN {
        format!(" and {} bytes more", came.len() - SHOWN)
    } else {
        String::new()
    };
    format!("\"{}\"{more}", some.escape_ascii())
}

fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn innermost(error: &hyper::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
