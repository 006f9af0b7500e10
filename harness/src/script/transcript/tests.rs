use super::{HEAD_BYTES, KEPT_BYTES, Transcript};
use bytes::Bytes;
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_wire::http::Head;
use mcp_assay_wire::jsonrpc::classify;
use mcp_assay_wire::stdio::{Defect, DefectKind};
use std::time::Duration;

fn entry(raw: Bytes, part: Option<HttpPart>) -> Entry {
    Entry {
        seq: 0,
        at: Duration::ZERO,
        direction: Direction::Received,
        connection: "c".to_owned(),
        channel: Channel::Sse,
        length: raw.len() as u64,
        message: classify(&raw).ok(),
        raw,
        terminator: None,
        defects: Vec::new(),
        answers: None,
        part_of: None,
        http: part.map(|part| Http { exchange: 1, part }),
    }
}

/// An event without data whose id is this long.
fn event(id: usize) -> Entry {
    let part = HttpPart::Event {
        name: None,
        id: Some("é".repeat(id / 2)),
        retry: None,
        comments: 0,
        has_data: false,
        is_terminated: true,
    };
    entry(Bytes::new(), Some(part))
}

fn message() -> Entry {
    let text = format!(r#"{{"id":1,"result":"{}"}}"#, "x".repeat(2 * HEAD_BYTES));
    entry(Bytes::from(text), None)
}

/// Whether a message that comes now is kept whole.
fn keeps(transcript: &mut Transcript) -> bool {
    let seq = transcript.push(message(), false);
    let entry = transcript.entry(seq).unwrap();
    assert_eq!(
        entry.message.is_some(),
        entry.raw.len() as u64 == entry.length
    );
    entry.message.is_some()
}

const HALF: usize = 17 * 1024 * 1024;
const _: () = assert!(HALF as u64 * 2 > KEPT_BYTES && (HALF as u64) < KEPT_BYTES);

#[test]
fn positions_count_from_one_without_gaps() {
    let mut transcript = Transcript::default();
    assert_eq!(
        (transcript.last_seq(), transcript.push(message(), false)),
        (0, 1)
    );
    assert_eq!(transcript.push(message(), false), 2);
    transcript.truncate(1);
    assert_eq!(transcript.push(message(), false), 2);
    assert_eq!(transcript.entry(2).unwrap().seq, 2);
    assert!(transcript.entry(0).is_none() && transcript.entry(3).is_none());
}

#[test]
fn what_a_target_sends_beside_messages_counts_too() {
    let head = || {
        let part = HttpPart::Response {
            status: 200,
            head: Head {
                raw: Bytes::from(vec![b'x'; HALF]),
                ..Head::default()
            },
            socket: 1,
        };
        entry(Bytes::new(), Some(part))
    };
    let part: [(&str, &dyn Fn() -> Entry); 3] = [
        ("a body", &|| {
            entry(Bytes::from(vec![b'x'; HALF]), Some(HttpPart::Body))
        }),
        ("an event id", &|| event(HALF)),
        ("a head", &head),
    ];
    for (what, big) in part {
        let mut transcript = Transcript::default();
        transcript.push(big(), false);
        assert!(keeps(&mut transcript), "{what}: one is within the bound");
        transcript.push(big(), false);
        assert!(!keeps(&mut transcript), "{what}: two are not");
    }
}

#[test]
fn over_the_bound_only_heads_are_kept_unless_something_is_needed() {
    let mut transcript = Transcript::default();
    transcript.push(event(HALF * 2), false);
    assert!(!keeps(&mut transcript));
    let needed = transcript.push(message(), true);
    assert!(transcript.entry(needed).unwrap().message.is_some());
    let seq = transcript.push(event(4 * HEAD_BYTES + 2), false);
    let http = transcript.entry(seq).unwrap().http.as_ref();
    let HttpPart::Event { id: Some(id), .. } = &http.unwrap().part else {
        panic!("it is an event with an id");
    };
    assert_eq!(id.len(), HEAD_BYTES, "cut between characters");
}

#[test]
fn what_is_cut_off_is_not_counted_any_more_and_what_stays_is() {
    let mut transcript = Transcript::default();
    transcript.push(event(HALF), false);
    transcript.push(event(HALF), false);
    assert!(!keeps(&mut transcript));
    transcript.truncate(1);
    assert!(keeps(&mut transcript));
    // A message that stays weighs what it weighed: its parsed form is kept too.
    let mut transcript = Transcript::default();
    let text = format!(r#"{{"id":1,"result":[{}0]}}"#, "0,".repeat(256 * 1024));
    transcript.push(entry(Bytes::from(text), None), false);
    transcript.truncate(1);
    assert!(!keeps(&mut transcript));
}

#[test]
fn a_message_weighs_what_its_values_do_and_a_long_text_is_one() {
    let text = |text: &str| {
        let text = serde_json::json!({ "id": 1, "result": text }).to_string();
        entry(Bytes::from(text), None)
    };
    let mut transcript = Transcript::default();
    transcript.push(text(&r#"{a:[1,2,"\"]},"#.repeat(400 * 1024)), false);
    assert!(
        keeps(&mut transcript),
        "what stands in a text is no value of the message"
    );
    let many = format!(r#"{{"id":1,"result":[{}0]}}"#, "[],".repeat(256 * 1024));
    transcript.push(entry(Bytes::from(many), None), false);
    assert!(!keeps(&mut transcript));
}

#[test]
fn what_was_too_long_is_known_by_its_place() {
    let mut transcript = Transcript::default();
    transcript.push(message(), false);
    let defect = Defect {
        kind: DefectKind::Oversized,
        offset: 0,
        detail: String::new(),
    };
    let defects = vec![defect];
    transcript.push(
        Entry {
            defects,
            ..message()
        },
        false,
    );
    assert!(transcript.has_oversized_since(1) && !transcript.has_oversized_since(2));
    transcript.truncate(1);
    assert!(!transcript.has_oversized_since(0));
}

#[test]
fn what_was_read_is_shed_only_where_memory_is_short() {
    let mut transcript = Transcript::default();
    let first = transcript.push(message(), true);
    transcript.shed(first);
    assert!(transcript.entry(first).unwrap().message.is_some());
    let large = transcript.push(entry(Bytes::from(vec![b'x'; HALF]), None), true);
    let more = transcript.push(entry(Bytes::from(vec![b'x'; HALF]), None), true);
    transcript.shed(first);
    let shed = transcript.entry(first).unwrap();
    assert!(shed.message.is_none() && shed.raw.len() == HEAD_BYTES);
    assert!(shed.length > HEAD_BYTES as u64, "its true length is told");
    transcript.shed(large);
    transcript.shed(more);
    assert!(keeps(&mut transcript), "there is room again");
    transcript.shed(0);
    transcript.shed(99);
}
