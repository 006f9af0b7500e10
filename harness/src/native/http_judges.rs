//! Native judges of HTTP: what concerns an exchange or a stream as a whole.

use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Entry, HttpPart, NativeBound, Record, Sent};
use mcp_assay_model::verdict::Reason;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::jsonrpc::classify;
use serde_json::Value;

/// Numbers that lie as close as this come from a counter.
const COUNTED: u64 = 100_000;

/// A judge of what was sent under a label.
pub type OfSent = fn(&Sent, &Record) -> Judgement;

/// Judges by name.
pub fn of_sent(name: &str) -> Option<OfSent> {
    match name {
        "data-is-message" => Some(data_is_message),
        "empty-body" => Some(empty_body),
        "endpoint-first" => Some(endpoint_first),
        "own-stream" => Some(own_stream),
        "primed" => Some(primed),
        "to-loopback" => Some(to_loopback),
        _ => None,
    }
}

/// The entries of a sent message's exchange; `None` without HTTP.
fn exchange<'r>(sent: &Sent, record: &'r Record) -> Option<Vec<&'r Entry>> {
    let entry = record.entry(sent.seq)?;
    Some(record.exchange(&entry.connection, sent.exchange?).collect())
}

fn part(entry: &Entry) -> Option<&HttpPart> {
    entry.http.as_ref().map(|http| &http.part)
}

fn head<'r>(entries: &[&'r Entry]) -> Option<(&'r Entry, &'r Head)> {
    entries.iter().rev().find_map(|entry| match part(entry)? {
        HttpPart::Response { head, .. } => Some((*entry, head)),
        _ => None,
    })
}

fn is_stream(entries: &[&Entry]) -> bool {
    head(entries).is_some_and(|(_, head)| head.media_type().as_deref() == Some("text/event-stream"))
}

/// The response has no body.
fn empty_body(sent: &Sent, record: &Record) -> Judgement {
    let Some(entries) = exchange(sent, record) else {
        return Judgement::unjudged(Reason::Binding);
    };
    if head(&entries).is_none() {
        return Judgement::unjudged(Reason::NothingToJudge);
    }
    let body = entries.iter().find(|entry| {
        matches!(part(entry), Some(HttpPart::Body | HttpPart::Event { .. })) && entry.length > 0
    });
    match body {
        None => Judgement::of(Vec::new(), 1),
        Some(body) => {
            let finding = Finding::new(FindingCode::UnexpectedMessage, "the response has a body")
                .expected("no body")
                .actual(format!("{} bytes", body.length))
                .at(body.seq, "");
            Judgement::fail(vec![finding], 1)
        }
    }
}

/// The first event of the stream that the connection begins with is `endpoint`, and has data.
fn endpoint_first(_: &Sent, record: &Record) -> Judgement {
    let first = record.entries.iter().find_map(|entry| match part(entry)? {
        HttpPart::Event { name, has_data, .. } if name.is_some() || *has_data => {
            Some((entry, name.clone()))
        }
        _ => None,
    });
    match first {
        None => Judgement::unjudged(Reason::NothingToJudge),
        Some((entry, Some(name))) if name == "endpoint" && !entry.raw.is_empty() => {
            Judgement::of(Vec::new(), 1)
        }
        Some((entry, name)) => {
            let finding = Finding::new(
                FindingCode::Order,
                "the stream does not begin with its endpoint",
            )
            .expected("an `endpoint` event with a URI")
            .actual(match name {
                Some(name) => format!("an event `{name}`"),
                None => "an event without a name".to_owned(),
            })
            .at(entry.seq, "");
            Judgement::fail(vec![finding], 1)
        }
    }
}

/// The reply came in the exchange of its request, or on a resumption of its stream.
fn own_stream(sent: &Sent, record: &Record) -> Judgement {
    if sent.exchange.is_none() {
        return Judgement::unjudged(Reason::Binding);
    }
    let Some(reply) = sent.replies.first().and_then(|seq| record.entry(*seq)) else {
        return Judgement::unjudged(Reason::NothingToJudge);
    };
    let number = reply.http.as_ref().map(|http| http.exchange);
    if number == sent.exchange {
        return Judgement::of(Vec::new(), 1);
    }
    let carrier = number.and_then(|number| {
        let mut all = record.exchange(&reply.connection, number);
        all.find_map(|entry| match part(entry)? {
            HttpPart::Request { method, head, .. } => Some((method.clone(), head)),
            _ => None,
        })
    });
    match carrier {
        // A stream that was taken up again carries what was left of it.
        Some((_, head)) if head.value("last-event-id").is_some() => Judgement::of(Vec::new(), 1),
        carrier => {
            let method = carrier.map_or_else(|| "another".to_owned(), |(method, _)| method);
            let finding = Finding::new(
                FindingCode::Order,
                "the response came in another exchange than that of its request",
            )
            .expected("the response in the exchange of its POST")
            .actual(format!("in a {method} exchange"))
            .at(reply.seq, "");
            Judgement::fail(vec![finding], 1)
        }
    }
}

/// The event stream begins with an event that has an id and empty data.
fn primed(sent: &Sent, record: &Record) -> Judgement {
    let Some(entries) = exchange(sent, record) else {
        return Judgement::unjudged(Reason::Binding);
    };
    if !is_stream(&entries) {
        return Judgement::unjudged(Reason::Given);
    }
    let first = entries.iter().find(|entry| {
        matches!(part(entry), Some(HttpPart::Event { id, has_data, .. }) if id.is_some() || *has_data)
    });
    match first.and_then(|entry| Some((entry, part(entry)?))) {
        Some((entry, HttpPart::Event { id: Some(_), .. })) if entry.raw.is_empty() => {
            Judgement::of(Vec::new(), 1)
        }
        Some((entry, _)) => {
            let finding = Finding::new(
                FindingCode::Order,
                "the stream does not begin with an id and empty data",
            )
            .expected("an event with an id and empty data first")
            .actual("another event first")
            .at(entry.seq, "");
            Judgement::fail(vec![finding], 1)
        }
        None => Judgement::unjudged(Reason::NothingToJudge),
    }
}

/// Every event of the stream that has a data field has a message in it.
fn data_is_message(sent: &Sent, record: &Record) -> Judgement {
    let Some(entries) = exchange(sent, record) else {
        return Judgement::unjudged(Reason::Binding);
    };
    let with_data = entries.iter().filter(|entry| {
        matches!(
            part(entry),
            Some(HttpPart::Event {
                has_data: true,
                is_terminated: true,
                ..
            })
        )
    });
    // Where memory is short, a message that was read is kept in part or as text alone, and nothing was wrong with it.
    let is_message = |entry: &&Entry| {
        let is_cut = (entry.raw.len() as u64) < entry.length;
        entry.message.is_some() || is_cut || classify(&entry.raw).is_ok()
    };
    let (messages, others): (Vec<&Entry>, Vec<&Entry>) = with_data.copied().partition(is_message);
    if messages.is_empty() && others.is_empty() {
        return Judgement::unjudged(Reason::Given);
    }
    let judged = (messages.len() + others.len()) as u64;
    let findings = others.first().map(|first| {
        let actual = if first.raw.is_empty() {
            "an event with empty data".to_owned()
        } else {
            format!("an event with {} bytes that are no message", first.length)
        };
        Finding {
            count: others.len() as u64,
            ..Finding::new(
                FindingCode::UnexpectedMessage,
                "an event of the stream carries no message",
            )
            .expected("a JSON-RPC message in the data of each event")
            .actual(actual)
            .at(first.seq, "")
        }
    });
    Judgement::of(findings.into_iter().collect(), judged)
}

/// The request went to a server on this machine.
fn to_loopback(sent: &Sent, record: &Record) -> Judgement {
    let Some(entries) = exchange(sent, record) else {
        return Judgement::unjudged(Reason::Binding);
    };
    let host = entries.iter().find_map(|entry| match part(entry)? {
        HttpPart::Request { head, .. } => head.value("host"),
        _ => None,
    });
    let host = host.unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_loopback {
        return Judgement::of(Vec::new(), 1);
    }
    let finding = Finding::new(FindingCode::Value, "the server is not on this machine")
        .expected("localhost or a loopback address")
        .actual(name.to_owned());
    Judgement::fail(vec![finding], 1)
}

/// Each of two clients got what it asked for.
pub fn own_answers(bound: &NativeBound, _: &Record) -> Judgement {
    let questions = bound.value["questions"].as_array();
    let questions: Vec<&Value> = questions.into_iter().flatten().collect();
    let kinds: Vec<&Value> = questions
        .iter()
        .map(|question| &question["alone"])
        .collect();
    let differ = kinds.iter().any(|kind| *kind != kinds[0]);
    if questions.is_empty() || !differ || kinds.iter().any(|kind| *kind == "nothing") {
        // One client only, or answers that cannot be told apart.
        return Judgement::unjudged(Reason::Given);
    }
    let mut judged = 0;
    let mut findings = Vec::new();
    for question in questions {
        let (alone, kind) = (&question["alone"], &question["kind"]);
        judged += 1;
        if alone == kind {
            continue;
        }
        let asked = question["asked"].as_str().unwrap_or_default();
        let client = question["client"].as_str().unwrap_or_default();
        let message = if kind == "nothing" {
            format!(
                "client `{client}` got no answer to `{asked}` while another client asked with the same id"
            )
        } else {
            format!("client `{client}` got the answer to another client's request with the same id")
        };
        let finding = Finding::new(FindingCode::Leak, message)
            .expected(format!(
                "for `{asked}` a response of the kind {alone}, as alone"
            ))
            .actual(kind.to_string());
        findings.push(finding.at(question["seq"].as_u64().unwrap_or_default(), ""));
    }
    Judgement::of(findings, judged)
}

/// Two clients have two MCP sessions.
pub fn own_session(bound: &NativeBound, _: &Record) -> Judgement {
    match bound.value["sessions"].as_str() {
        Some("two") => Judgement::of(Vec::new(), 1),
        Some("shared") => {
            let finding = Finding::new(
                FindingCode::Duplicate,
                "two clients were given the same MCP session id",
            )
            .expected("an id of its own for each")
            .actual("the same id twice");
            Judgement::fail(vec![finding], 1)
        }
        _ => Judgement::unjudged(Reason::Session),
    }
}

/// The session ids of two clients are not next to each other in a count.
pub fn session_uncounted(bound: &NativeBound, _: &Record) -> Judgement {
    let ids = bound.value["ids"].as_array();
    let ids: Vec<&str> = ids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let [first, second] = ids.as_slice() else {
        return Judgement::unjudged(Reason::Session);
    };
    let number = |id: &str| id.parse::<u64>().ok();
    match (number(first), number(second)) {
        (Some(one), Some(other)) if one != other && one.abs_diff(other) <= COUNTED => {
            let finding = Finding::new(
                FindingCode::Value,
                "the session ids of two clients are numbers close to each other",
            )
            .expected("an id that nobody can guess from another")
            .actual(format!("{first}, then {second}"));
            Judgement::fail(vec![finding], 1)
        }
        _ => Judgement::of(Vec::new(), 1),
    }
}

/// A resumed stream replays nothing that belongs to another request.
pub fn own_replay(bound: &NativeBound, record: &Record) -> Judgement {
    let value = &bound.value;
    let is_stream = value["content_type"] == "text/event-stream";
    if value["after"].is_null() || !is_stream {
        // No event ids, or no resumption offered: both lawful.
        return Judgement::unjudged(Reason::Given);
    }
    let mut findings = Vec::new();
    let of = |seq: u64| record.entry(seq).and_then(|entry| entry.answers);
    let own = value["of"].as_u64();
    let replayed = value["replayed"].as_array();
    for message in replayed.into_iter().flatten() {
        let seq = message["seq"].as_u64().unwrap_or_default();
        if message["kind"] == "response" && of(seq).is_some() && of(seq) != own {
            let finding = Finding::new(
                FindingCode::UnexpectedMessage,
                "a resumed stream replays the response to another request",
            )
            .expected("only what would have come on the stream that is resumed")
            .actual(format!("the response with id {}", message["id"]));
            findings.push(finding.at(seq, ""));
        }
    }
    Judgement::of(findings, 1)
}

/// A request whose body came in pieces was served.
pub fn slow_body_served(bound: &NativeBound, _: &Record) -> Judgement {
    let value = &bound.value;
    if value["replied"] == true {
        return Judgement::of(Vec::new(), 1);
    }
    let actual = match value["status"].as_u64() {
        Some(status) => format!("HTTP {status}"),
        None => "no response".to_owned(),
    };
    let finding = Finding::new(
        FindingCode::RefusedValid,
        "a request whose body comes in pieces is not served",
    )
    .expected("the answer that the same request gets in one piece")
    .actual(actual)
    .at(value["seq"].as_u64().unwrap_or_default(), "");
    Judgement::fail(vec![finding], 1)
}

/// An event stream was closed once its response had been sent.
pub fn stream_closed(bound: &NativeBound, _: &Record) -> Judgement {
    let value = &bound.value;
    if value["streamed"] != true || value["replied"] != true {
        return Judgement::unjudged(Reason::Given);
    }
    if value["ended"] == "open" {
        let finding = Finding::new(
            FindingCode::Endless,
            "the event stream stays open after the response",
        )
        .expected("the stream ends after the response")
        .actual(format!("still open {} ms later", value["waited_ms"]))
        .at(value["reply_seq"].as_u64().unwrap_or_default(), "");
        return Judgement::fail(vec![finding], 1);
    }
    Judgement::of(Vec::new(), 1)
}

/// An event stream was not closed before its response.
pub fn stream_answered(bound: &NativeBound, _: &Record) -> Judgement {
    let value = &bound.value;
    if value["streamed"] != true {
        return Judgement::unjudged(Reason::Given);
    }
    if value["first_end"] == "before-reply" {
        let finding = Finding::new(
            FindingCode::Order,
            "the event stream ended before its response",
        )
        .expected("the response, then the end of the stream")
        .actual("the end of the stream, without a response")
        .at(value["end_seq"].as_u64().unwrap_or_default(), "");
        return Judgement::fail(vec![finding], 1);
    }
    Judgement::of(Vec::new(), 1)
}

/// How a stream ended, in a word.
pub fn end_word(end: &End) -> &'static str {
    match end {
        End::Complete => "complete",
        End::Cut(_) => "cut",
        End::Closed => "closed",
        End::Failed(_) => "failed",
    }
}
