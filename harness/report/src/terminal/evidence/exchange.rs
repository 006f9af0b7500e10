//! The parts of an HTTP exchange, each on a line as a person would say it.

use mcp_assay_model::result::{HttpFacts, TranscriptEntry};
use serde_json::Value;
use std::fmt::Write;

/// Headers that matter of a request, where there is room.
const OF_REQUEST: [&str; 7] = [
    "host",
    "origin",
    "accept",
    "content-type",
    "mcp-session-id",
    "mcp-protocol-version",
    "last-event-id",
];
/// Headers that matter of a response beside its type, where there is room.
const OF_RESPONSE: [&str; 4] = ["mcp-session-id", "allow", "location", "www-authenticate"];

/// Number of the exchange that an entry belongs to.
pub(super) fn number(entry: &TranscriptEntry) -> Option<u64> {
    entry.http.as_ref().map(|http| match http {
        HttpFacts::Request { exchange, .. }
        | HttpFacts::Response { exchange, .. }
        | HttpFacts::Body { exchange }
        | HttpFacts::Event { exchange, .. }
        | HttpFacts::End { exchange, .. } => *exchange,
    })
}

/// The last exchange before an entry that is no POST, such as the DELETE that ended a session: its request and the head of its response.
pub(super) fn beside(transcript: &[TranscriptEntry], at: usize) -> Vec<usize> {
    let is_other = |entry: &TranscriptEntry| matches!(&entry.http, Some(HttpFacts::Request { method, .. }) if method != "POST" && method != "GET");
    let Some(asked) = transcript[..at].iter().rposition(is_other) else {
        return Vec::new();
    };
    let is_head = |entry: &TranscriptEntry| {
        matches!(entry.http, Some(HttpFacts::Response { .. }))
            && entry.connection == transcript[asked].connection
            && number(entry) == number(&transcript[asked])
    };
    let answered = transcript[asked..at].iter().position(is_head);
    let answered = answered.map(|offset| asked + offset);
    std::iter::once(asked).chain(answered).collect()
}

/// Whether parts of several exchanges come in turn, so that a reader must be told which is which.
pub(super) fn interleave<'t>(entries: impl IntoIterator<Item = &'t TranscriptEntry>) -> bool {
    let mut last: Vec<(&str, u64)> = Vec::new();
    for entry in entries {
        let Some(number) = number(entry) else {
            continue;
        };
        match last
            .iter_mut()
            .find(|(connection, _)| *connection == entry.connection)
        {
            Some((_, highest)) if number < *highest => return true,
            Some((_, highest)) => *highest = number,
            None => last.push((&entry.connection, number)),
        }
    }
    false
}

/// What the part is, before its bytes: `POST /mcp`, `200 application/json`, `event id=7`, `stream ended: cut: …`. A body says nothing of
/// itself.
pub(super) fn said(http: &HttpFacts, is_wide: bool) -> String {
    match http {
        HttpFacts::Request {
            method,
            target,
            headers,
            ..
        } => {
            let mut text = format!("{method} {target}");
            if is_wide {
                push_headers(&mut text, headers, &OF_REQUEST);
            }
            text
        }
        HttpFacts::Response {
            status, headers, ..
        } => {
            let mut text = status.to_string();
            if let Some((_, kind)) = headers.iter().find(|(name, _)| is(name, "content-type")) {
                let essence = kind.split(';').next().unwrap_or_default().trim();
                let shown = if is_wide { kind } else { essence };
                let _ = write!(text, " {shown}");
            }
            if is_wide {
                push_headers(&mut text, headers, &OF_RESPONSE);
            }
            text
        }
        HttpFacts::Body { .. } => String::new(),
        HttpFacts::Event {
            name,
            id,
            retry,
            comments,
            terminated,
            ..
        } => {
            let mut text = "event".to_owned();
            if let Some(name) = name {
                let _ = write!(text, " {name}");
            }
            if let Some(id) = id {
                let _ = write!(text, " id={id}");
            }
            if let Some(retry) = retry {
                let _ = write!(text, " retry={retry}");
            }
            match comments {
                0 => {}
                1 => text.push_str(" (1 comment)"),
                count => {
                    let _ = write!(text, " ({count} comments)");
                }
            }
            if !terminated {
                text.push_str(" (cut off)");
            }
            text
        }
        HttpFacts::End { how, why, .. } => {
            let what = match how.as_str() {
                "complete" => "stream ended".to_owned(),
                "closed" => "stream closed by us".to_owned(),
                "failed" => "no HTTP response".to_owned(),
                how => format!("stream ended: {how}"),
            };
            match why {
                Some(why) => format!("{what}: {why}"),
                None => what,
            }
        }
    }
}

/// What a request says in its headers that an ordinary one does not, a line each: `with Origin: …`, `without Accept`.
///
/// Ordinary is the request after `initialize` for a POST, and the first GET for a GET, of the same connection; of the headers that repeat
/// the body, ordinary is what the body says. It is told in full, since a verdict may rest on it.
pub(super) fn told(transcript: &[TranscriptEntry], at: usize) -> Vec<String> {
    let entry = &transcript[at];
    let Some(HttpFacts::Request {
        method, headers, ..
    }) = &entry.http
    else {
        return Vec::new();
    };
    let mut told = Vec::new();
    if let Some(ordinary) = ordinary(&transcript[..at], &entry.connection, method) {
        for known in OF_REQUEST {
            tell(&mut told, known, headers, &values(ordinary, known));
        }
    }
    if let Some(message) = &entry.message {
        for (known, body) in repeated(message, headers) {
            tell(&mut told, known, headers, &body);
        }
    }
    for (name, value) in headers {
        if name.to_ascii_lowercase().starts_with("mcp-param-") {
            told.push(format!("with {}: {value}", name.to_ascii_lowercase()));
        }
    }
    told
}

/// Headers of the request that others of its kind are measured by.
fn ordinary<'t>(
    earlier: &'t [TranscriptEntry],
    connection: &str,
    kind: &str,
) -> Option<&'t [(String, String)]> {
    let of_kind = earlier.iter().filter_map(|entry| match &entry.http {
        Some(HttpFacts::Request {
            method, headers, ..
        }) if method == kind && entry.connection == connection => Some(headers.as_slice()),
        _ => None,
    });
    match (kind, of_kind.take(2).collect::<Vec<_>>().as_slice()) {
        ("POST", [_, second]) => Some(second),
        ("GET", [first, ..]) => Some(first),
        _ => None,
    }
}

/// Headers that repeat parts of a message, each with what the message says; none where the request is of an era without them.
fn repeated(message: &Value, headers: &[(String, String)]) -> Vec<(&'static str, Vec<String>)> {
    let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
    let version = text("/params/_meta/io.modelcontextprotocol~1protocolVersion");
    if version.is_none() && values(headers, "mcp-method").is_empty() {
        return Vec::new();
    }
    let method = text("/method");
    let name = match method {
        Some("tools/call" | "prompts/get") => text("/params/name"),
        Some("resources/read") => text("/params/uri"),
        _ => None,
    };
    [
        ("mcp-protocol-version", version),
        ("mcp-method", method),
        ("mcp-name", name),
    ]
    .map(|(known, said)| (known, said.map(str::to_owned).into_iter().collect()))
    .into()
}

/// Adds how a header differs from what is ordinary, once.
fn tell(told: &mut Vec<String>, known: &str, headers: &[(String, String)], ordinary: &[String]) {
    let here = values(headers, known);
    if here == ordinary {
        return;
    }
    let mut lines: Vec<String> = here
        .iter()
        .map(|value| format!("with {known}: {value}"))
        .collect();
    if lines.is_empty() {
        lines.push(format!("without {known}"));
    }
    lines.retain(|line| !told.contains(line));
    told.extend(lines);
}

fn values(headers: &[(String, String)], known: &str) -> Vec<String> {
    let named = headers.iter().filter(|(name, _)| is(name, known));
    named.map(|(_, value)| value.clone()).collect()
}

/// What stands in place of bytes where a part has none.
pub(super) fn empty(http: &HttpFacts) -> &'static str {
    match http {
        HttpFacts::Request { .. } | HttpFacts::Response { .. } | HttpFacts::End { .. } => "",
        HttpFacts::Body { .. } => "(empty body)",
        HttpFacts::Event { .. } => "(no data)",
    }
}

fn push_headers(text: &mut String, headers: &[(String, String)], shown: &[&str]) {
    for known in shown {
        for (name, value) in headers.iter().filter(|(name, _)| is(name, known)) {
            let _ = write!(text, "  {name}: {value}");
        }
    }
}

fn is(name: &str, known: &str) -> bool {
    name.trim().eq_ignore_ascii_case(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let fields = fields.iter();
        fields
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn event(name: Option<&str>, id: Option<&str>, comments: u32, terminated: bool) -> HttpFacts {
        HttpFacts::Event {
            exchange: 1,
            name: name.map(str::to_owned),
            id: id.map(str::to_owned),
            retry: (comments > 1).then_some(500),
            comments,
            terminated,
            data: true,
        }
    }

    fn end(how: &str, why: Option<&str>) -> HttpFacts {
        HttpFacts::End {
            exchange: 1,
            how: how.to_owned(),
            why: why.map(str::to_owned),
        }
    }

    fn asked(seq: u64, method: &str, headers: &[(&str, &str)]) -> TranscriptEntry {
        TranscriptEntry {
            seq,
            at_us: 0,
            dir: mcp_assay_model::record::Direction::Sent,
            connection: "c".to_owned(),
            channel: mcp_assay_model::record::Channel::Http,
            http: Some(HttpFacts::Request {
                exchange: seq,
                method: method.to_owned(),
                target: "/mcp".to_owned(),
                headers: fields(headers),
            }),
            message: None,
            raw: None,
            raw_b64: None,
            truncated: false,
            length: None,
            line_end: None,
            defects: Vec::new(),
            answers: None,
            part_of: None,
        }
    }

    #[test]
    fn a_request_tells_what_sets_it_apart_from_an_ordinary_one() {
        let plain = [("Accept", "*/*"), ("Mcp-Session-Id", "s")];
        let transcript = [
            asked(1, "POST", &[("Accept", "*/*")]),
            asked(2, "POST", &plain),
            asked(3, "GET", &plain),
            asked(4, "POST", &[("Accept", "*/*"), ("Origin", "http://a")]),
            asked(5, "POST", &plain),
            asked(6, "GET", &[plain[0], plain[1], ("Last-Event-ID", "7")]),
        ];
        let told: Vec<_> = (0..6).map(|at| told(&transcript, at)).collect();
        let nothing: Vec<String> = Vec::new();
        assert_eq!(
            told[..3],
            [nothing.clone(), nothing.clone(), nothing.clone()]
        );
        assert_eq!(told[3], ["with origin: http://a", "without mcp-session-id"]);
        assert_eq!(told[4], nothing);
        assert_eq!(told[5], ["with last-event-id: 7"]);
    }

    #[test]
    fn a_header_that_repeats_the_body_is_told_where_the_two_differ() {
        let call = |headers: &[(&str, &str)]| {
            let mut entry = asked(1, "POST", headers);
            entry.message = Some(serde_json::json!({
                "method": "tools/call",
                "params": {
                    "name": "add",
                    "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"},
                },
            }));
            told(&[entry], 0)
        };
        let (version, method, name) = (
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "add"),
        );
        assert_eq!(call(&[version, method, name]), Vec::<String>::new());
        assert_eq!(
            call(&[version, ("Mcp-Method", "tools/list"), name]),
            ["with mcp-method: tools/list"]
        );
        assert_eq!(call(&[version, method]), ["without mcp-name"]);
        assert_eq!(
            call(&[("MCP-Protocol-Version", "x"), method, name]),
            ["with mcp-protocol-version: x"]
        );
        assert_eq!(
            call(&[version, method, name, ("Mcp-Param-Region", "eu")]),
            ["with mcp-param-region: eu"]
        );
    }

    #[test]
    fn each_part_is_said_in_a_few_words() {
        let request = HttpFacts::Request {
            exchange: 1,
            method: "POST".to_owned(),
            target: "/mcp".to_owned(),
            headers: fields(&[("Host", "h"), ("X", "1"), ("MCP-Session-Id", "s")]),
        };
        let response = |headers: &[(&str, &str)]| HttpFacts::Response {
            exchange: 1,
            status: 405,
            headers: fields(headers),
            socket: 1,
        };
        let full = response(&[
            ("x", "1"),
            ("ALLOW", "POST"),
            ("content-type", "text/html; charset=utf-8"),
            ("WWW-Authenticate", "Bearer"),
        ]);
        for (part, narrow, wide) in [
            (
                request,
                "POST /mcp",
                "POST /mcp  Host: h  MCP-Session-Id: s",
            ),
            (
                full,
                "405 text/html",
                "405 text/html; charset=utf-8  ALLOW: POST  WWW-Authenticate: Bearer",
            ),
            (response(&[]), "405", "405"),
            (HttpFacts::Body { exchange: 1 }, "", ""),
            (event(None, None, 0, true), "event", "event"),
            (
                event(Some("endpoint"), Some("7"), 1, false),
                "event endpoint id=7 (1 comment) (cut off)",
                "event endpoint id=7 (1 comment) (cut off)",
            ),
            (
                event(None, None, 3, true),
                "event retry=500 (3 comments)",
                "event retry=500 (3 comments)",
            ),
            (end("complete", None), "stream ended", "stream ended"),
            (
                end("cut", Some("reset")),
                "stream ended: cut: reset",
                "stream ended: cut: reset",
            ),
            (
                end("closed", None),
                "stream closed by us",
                "stream closed by us",
            ),
            (
                end("failed", Some("refused")),
                "no HTTP response: refused",
                "no HTTP response: refused",
            ),
        ] {
            assert_eq!(said(&part, false), narrow);
            assert_eq!(said(&part, true), wide);
        }
    }
}
