use super::{Broken, Format, Told, read};
use crate::traffic::recorder::Recorder;
use crate::traffic::{Heard, Talk};
use bytes::Bytes;
use mcp_assay_model::event::{ConversationEnd, TargetFacts};
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_report::EVENTS_SCHEMA;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::jsonrpc::{Kind, examine};
use mcp_assay_wire::stdio::{Defect, DefectKind, Terminator};
use proptest::prelude::*;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn heard(bytes: &[u8], format: Option<Format>) -> (Result<Told, Broken>, Vec<Heard>) {
    let mut all = Vec::new();
    let told = read(&mut &bytes[..], format, &mut |_, heard| all.push(heard));
    (told, all)
}

fn whole(text: &str) -> Vec<Heard> {
    let (told, heard) = heard(text.as_bytes(), None);
    if let Err(broken) = told {
        panic!("{broken:?}");
    }
    heard
}

/// What is wrong, as the command line says it.
fn broken(text: &str, format: Option<Format>) -> String {
    let (told, _) = heard(text.as_bytes(), format);
    let broken = told.expect_err("it is broken");
    let line = broken.line.map(|line| format!("{line}: "));
    format!("{}{}", line.unwrap_or_default(), broken.why)
}

/// Position, direction, kind of message, and text of each entry.
fn entries(heard: &[Heard]) -> Vec<(u64, Direction, Option<Kind>, String)> {
    let entries = heard.iter().filter_map(|heard| match heard {
        Heard::Entry(_, entry) => Some(&**entry),
        Heard::Began { .. } | Heard::Lost { .. } | Heard::Ended(..) => None,
    });
    let told = |entry: &Entry| {
        let text = String::from_utf8_lossy(&entry.raw).into_owned();
        let kind = entry.message.as_ref().map(|message| message.kind);
        (entry.seq, entry.direction, kind, text)
    };
    entries.map(told).collect()
}

#[test]
fn the_beginning_tells_the_format() {
    for (text, expected) in [
        ("{\"event\":\"run-started\"", Some(Format::Jsonl)),
        ("\u{feff} { \"log\": {", Some(Format::Har)),
        ("\n\n--> {}", Some(Format::Lines)),
        ("{\"jsonrpc\":\"2.0\"}", Some(Format::Lines)),
        ("  \n", None),
        ("", None),
    ] {
        assert_eq!(Format::of(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn lines_have_a_direction_in_any_of_its_spellings() {
    let text = "# ping and pong\r\n\n> {\"id\":1}\n-->{\"id\":2}\n  C: {\"id\":3}\nclient: {\"id\":4}\n\u{2192} {\"id\":5}\n\
        < {\"id\":1}\r\n<-- {\"id\":2}\nS:{\"id\":3}\nserver: no JSON\n<- [{\"method\":\"a\"},{\"method\":\"b\"}]";
    let told: Vec<String> = entries(&whole(text))
        .into_iter()
        .map(|(seq, direction, _, text)| format!("{seq} {direction:?} {text}"))
        .collect();
    assert_eq!(
        told,
        [
            "1 Sent {\"id\":1}",
            "2 Sent {\"id\":2}",
            "3 Sent {\"id\":3}",
            "4 Sent {\"id\":4}",
            "5 Sent {\"id\":5}",
            "6 Received {\"id\":1}",
            "7 Received {\"id\":2}",
            "8 Received {\"id\":3}",
            "9 Received no JSON",
            "10 Received [{\"method\":\"a\"},{\"method\":\"b\"}]",
            "11 Received {\"method\":\"a\"}",
            "12 Received {\"method\":\"b\"}",
        ]
    );
}

#[test]
fn what_is_broken_is_told_with_its_line() {
    let started = r#"{"event":"run-started","format":"mcp-assay/events/1","tool":{"name":"a","version":"1"},"role":"server","seed":1,"target":{"argv":[],"url":null,"server_info":null,"eras":[],"spoken":[],"tested":[],"bindings":[]},"started":"","cases":1}"#;
    let table = [
        (
            "--> {}\n{\"jsonrpc\":\"2.0\",\"id\":1}\n".to_owned(),
            "2: no direction before `{\"jsonrpc\":\"2.0\",\"id\":1}`",
        ),
        ("> {}\n\u{1b}[31m".to_owned(), "2: no direction before `\\u001b[31m`"),
        (
            "{\"event\":\"case-started\",\"case\":\"a\",\"attempt\":1}\n".to_owned(),
            "1: the first event must be `run-started`",
        ),
        (
            format!("{}\n", started.replace("events/1", "events/9")),
            "1: format `mcp-assay/events/9`; this tool reads `mcp-assay/events/1`",
        ),
        (
            format!("{started}\n\n{{\"event\":\"nope\"}}\n"),
            "3: an unknown event, `nope`",
        ),
        (
            format!("{started}\n{{\"event\":\"message\",\"case\":\"a\",\"attempt\":1}}\n"),
            "2: has no entry: invalid type: null, expected struct RecordedEntry at line 1 column 4",
        ),
        (
            format!("{started}\nnot JSON\n"),
            "2: is no event: expected ident at line 1 column 2",
        ),
        (
            "{\"log\":{\"entries\":[\n{\"request\":{}}]}}".to_owned(),
            "2: missing field `method` at line 2 column 13",
        ),
        ("{\"log\":{}}".to_owned(), "1: missing field `entries` at line 1 column 9"),
        ("{\"log\":{\"entries\":[]}".to_owned(), "1: EOF while parsing an object at line 1 column 21"),
        (
            "{\"log\":{\"entries\":[{\"request\":{\"method\":\"GET\",\"url\":\"/a\"},\"response\":{\"status\":200}}]}}".to_owned(),
            "1: exchange 1: its url `/a`: relative URL without a base at line 1 column 85",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(broken(&text, None), expected);
    }
    assert_eq!(
        broken("[]", Some(Format::Har)),
        "1: invalid type: sequence, expected an object with the member `log` at line 1 column 1"
    );
}

#[test]
fn a_record_that_is_cut_off_in_a_line_is_read_up_to_there() {
    let (record, expected) = record(&[(
        Heard::Began {
            talk: "t".into(),
            binding: Binding::Stdio,
            revision: None,
        },
        1,
    )]);
    let cut = &record[..record.len() - 10];
    let (told, heard) = heard(cut, None);
    let notes = told.expect("a cut is no error").notes;
    assert_eq!(notes, ["it is cut off in the middle of line 3"]);
    assert_eq!(heard.len(), expected.len());
}

#[test]
fn the_record_of_a_run_says_who_the_target_was_and_by_which_revision() {
    let text = r#"{"event":"run-started","format":"mcp-assay/events/1","tool":{"name":"a","version":"1"},"role":"server","seed":1,"target":{"argv":[],"url":null,"server_info":null,"eras":[],"spoken":[],"tested":[],"bindings":[]},"started":"","cases":1}
{"event":"case-started","case":"a/b@2025-06-18+stdio#x=1","attempt":1}
{"event":"message","case":"a/b@2025-06-18+stdio#x=1","attempt":1,"entry":{"seq":1,"at_us":5,"dir":"sent","connection":"c","channel":"stdin","http":null,"message":{"a":1},"raw_b64":null,"truncated":false}}
{"event":"case-started","case":"a/b@2025-06-18+stdio#x=1","attempt":2}
{"event":"case-finished","case":"a/b@2025-06-18+stdio#x=1","results":[]}
"#;
    let (told, heard) = heard(text.as_bytes(), None);
    assert_eq!(told.expect("a record").target, Some(Role::Server));
    let began: Vec<_> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Began { talk, revision, .. } => Some((talk.to_string(), *revision)),
            Heard::Entry(..) | Heard::Lost { .. } | Heard::Ended(..) => None,
        })
        .collect();
    let revision = Some(Revision::R2025_06_18);
    assert_eq!(
        began,
        [
            ("a/b@2025-06-18+stdio#x=1".to_owned(), revision),
            ("a/b@2025-06-18+stdio#x=1 (attempt 2)".to_owned(), revision)
        ]
    );
    assert_eq!(entries(&heard).len(), 1);
}

#[test]
fn a_har_has_bodies_events_and_sessions() {
    let text = r#"{"log":{"version":"1.2","creator":{"name":"x"},"pages":[],"entries":[
{"startedDateTime":"2026-01-01T00:00:00.000Z","time":5,"connection":"9","request":{"method":"POST","url":"http://h:1/mcp","headers":[{"name":":authority","value":"h:1"},{"name":"content-type","value":"application/json"}],"postData":{"mimeType":"application/json","text":"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}"}},
 "response":{"status":200,"headers":[{"name":"mcp-session-id","value":"s"},{"name":"content-type","value":"text/event-stream"}],"content":{"size":30,"mimeType":"text/event-stream","encoding":"base64","text":"aWQ6IDEKZGF0YToge30KCg=="}}},
{"startedDateTime":"2026-01-01T00:00:01.000Z","request":{"method":"GET","url":"http://h:1/style.css","headers":[]},"response":{"status":200,"headers":[],"content":{}}},
{"startedDateTime":"2026-01-01T00:00:02.000Z","request":{"method":"POST","url":"http://h:1/mcp?x=1","headers":[{"name":"Mcp-Session-Id","value":"s"}],"postData":{"text":"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}"}},
 "response":{"status":200,"headers":[{"name":"Content-Type","value":"application/json"},{"name":"Content-Encoding","value":"br"}],"content":{"size":9}}},
{"startedDateTime":"2026-01-01T00:00:03.000Z","request":{"method":"POST","url":"http://h:1/mcp","headers":[{"name":"Mcp-Session-Id","value":"s"}],"postData":{"text":"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}"}},
 "response":{"status":0,"headers":[],"content":{"size":0}}}
]}}"#;
    let (told, heard) = heard(text.as_bytes(), None);
    assert_eq!(
        told.expect("a HAR").notes,
        ["1 of its exchanges are no MCP and were left out"]
    );
    let told: Vec<String> = heard
        .iter()
        .map(|heard| match heard {
            Heard::Entry(_, entry) => {
                let http = entry.http.as_ref().expect("an exchange");
                let part = match &http.part {
                    HttpPart::Request { target, head, .. } => {
                        let names: Vec<&str> =
                            head.fields.iter().map(|it| it.name.as_str()).collect();
                        format!("request {target} {}", names.join(","))
                    }
                    HttpPart::Response { status, socket, .. } => format!("{status} on {socket}"),
                    HttpPart::Body => format!("body of {}", entry.length),
                    HttpPart::Event { id, .. } => format!("event {id:?}"),
                    HttpPart::End(end) => format!("{end:?}"),
                };
                format!(
                    "{} {part} {}",
                    entry.at.as_millis(),
                    entry.message.is_some()
                )
            }
            other => format!("{}", other.talk()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "har/1",
            "0 request /mcp Host,content-type true",
            "5 200 on 1 false",
            "5 event Some(\"1\") true",
            "5 Closed false",
            "2000 request /mcp?x=1 Host,Mcp-Session-Id true",
            "2000 200 on 0 false",
            "2000 body of 9 false",
            "3000 request /mcp Host,Mcp-Session-Id true",
            "3000 Failed(\"no response came\") false",
            "har/1",
        ]
    );
}

/// What is written stays here.
#[derive(Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The record of what was heard, and what was heard.
fn record(heard: &[(Heard, usize)]) -> (Vec<u8>, Vec<Heard>) {
    let sheet = Sheet::default();
    let mut recorder =
        Recorder::begin(Box::new(sheet.clone()), TargetFacts::default(), Vec::new()).unwrap();
    for (heard, _) in heard {
        recorder.hear(heard).unwrap();
    }
    recorder.finish(Duration::from_millis(7)).unwrap();
    let bytes = sheet.0.lock().unwrap().clone();
    let mut all: Vec<Heard> = heard.iter().map(|(heard, _)| heard.clone()).collect();
    // Whatever goes on when the record ends is open.
    all.push(Heard::Ended("t".into(), ConversationEnd::Open));
    (bytes, all)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"a":[1.5,"é"]}}"#;
    prop_oneof![
        Just(message.as_bytes().to_vec()),
        Just(br#"{"jsonrpc": "2.0", "id": 1e0, "method": "\u0061"}"#.to_vec()),
        Just(br#"{"a":1,"a":2}"#.to_vec()),
        Just(b"null".to_vec()),
        Just(b"[{\"method\":\"x\"},7]".to_vec()),
        Just(b"".to_vec()),
        "\\PC{0,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn head(start: &str) -> impl Strategy<Value = Head> + use<> {
    let start = start.to_owned();
    prop::collection::vec(("[A-Za-z-]{1,8}", "[!-~][ -~é]{0,6}[!-~]"), 0..4)
        .prop_map(move |fields| Head::write(&start, fields))
}

fn part() -> impl Strategy<Value = (Direction, Channel, HttpPart)> {
    let received = Direction::Received;
    prop_oneof![
        head("POST /mcp?x=1 HTTP/1.1").prop_map(|head| {
            let part = HttpPart::Request {
                method: "POST".to_owned(),
                target: "/mcp?x=1".to_owned(),
                head,
            };
            (Direction::Sent, Channel::Http, part)
        }),
        (head("HTTP/1.1 207"), 1..9_u64).prop_map(move |(head, socket)| {
            let part = HttpPart::Response {
                status: 207,
                head,
                socket,
            };
            (received, Channel::Http, part)
        }),
        Just((received, Channel::Http, HttpPart::Body)),
        (
            prop::option::of("[a-z]{0,5}"),
            prop::option::of("\\PC{0,5}"),
            prop::option::of(any::<u64>()),
            any::<(u32, bool, bool)>()
        )
            .prop_map(
                move |(name, id, retry, (comments, has_data, is_terminated))| {
                    let part = HttpPart::Event {
                        name,
                        id,
                        retry,
                        comments,
                        has_data,
                        is_terminated,
                    };
                    (received, Channel::Sse, part)
                }
            ),
        prop_oneof![
            Just(End::Complete),
            Just(End::Closed),
            ".{0,9}".prop_map(End::Cut),
            ".{0,9}".prop_map(End::Failed)
        ]
        .prop_map(move |end| (received, Channel::Sse, HttpPart::End(end))),
    ]
}

fn place() -> impl Strategy<Value = (Direction, Channel, Option<HttpPart>)> {
    prop_oneof![
        Just((Direction::Sent, Channel::Stdin, None)),
        Just((Direction::Received, Channel::Stdout, None)),
        Just((Direction::Received, Channel::Stderr, None)),
        part().prop_map(|(direction, channel, part)| (direction, channel, Some(part))),
    ]
}

prop_compose! {
    fn entry()(
        (direction, channel, part) in place(),
        raw in bytes(),
        terminator in prop_oneof![Just(Terminator::Lf), Just(Terminator::CrLf), Just(Terminator::EndOfInput)],
        (is_read, at, missing, offset) in any::<(bool, u32, bool, u32)>(),
        (exchange, answers, part_of) in (1..5_u64, prop::option::of(1..9_u64), prop::option::of(1..9_u64)),
    ) -> Entry {
        let is_line = matches!(channel, Channel::Stdin | Channel::Stdout);
        let has_bytes = !matches!(part, Some(HttpPart::Response { .. } | HttpPart::End(_)));
        let raw = if has_bytes { raw } else { Vec::new() };
        let mut entry = Entry {
            seq: 0,
            at: Duration::from_micros(u64::from(at)),
            direction,
            connection: "c".to_owned(),
            channel,
            length: raw.len() as u64,
            terminator: is_line.then_some(terminator),
            message: None,
            defects: Vec::new(),
            answers,
            part_of,
            http: part.map(|part| Http { exchange, part }),
            raw: Bytes::from(raw),
        };
        // `null` that was cut off is the one text that is read again as what it is not.
        let is_read = is_read || entry.raw.trim_ascii() == b"null";
        if missing && has_bytes {
            entry.length += 1 + u64::from(offset);
            entry.defects = vec![Defect { kind: DefectKind::Oversized, offset: u64::from(offset), detail: "much".to_owned() }];
        }
        let is_whole = entry.length == entry.raw.len() as u64;
        if is_read && is_whole && channel != Channel::Stderr {
            let examined = examine(&entry.raw, u64::from(offset));
            entry.message = examined.message.ok();
            entry.defects = examined.defects;
        }
        if !is_whole && entry.raw.trim_ascii() == b"null" {
            entry.raw = Bytes::from_static(b"nul");
        }
        entry
    }
}

/// Heads are written anew; all else is the same to the byte.
fn comparable(heard: &Heard) -> String {
    let mut heard = heard.clone();
    if let Heard::Entry(_, entry) = &mut heard
        && let Some(Http {
            part: HttpPart::Request { head, .. } | HttpPart::Response { head, .. },
            ..
        }) = &mut entry.http
    {
        head.raw = Bytes::new();
        head.start.clear();
    }
    format!("{heard:?}")
}

proptest! {
    #[test]
    fn what_is_recorded_is_read_back(entries in prop::collection::vec(entry(), 0..12), lost in prop::option::of(any::<u64>())) {
        let talk: Talk = "t".into();
        let mut heard = vec![(Heard::Began { talk: talk.clone(), binding: Binding::HttpSse, revision: None }, 0)];
        for (seq, mut entry) in (1..).zip(entries) {
            entry.seq = seq;
            heard.push((Heard::Entry(talk.clone(), Box::new(entry)), 0));
        }
        if let Some(bytes) = lost {
            heard.push((Heard::Lost { talk: talk.clone(), after: 3, bytes, why: "no room".to_owned() }, 0));
        }
        let (bytes, expected) = record(&heard);
        let schema: serde_json::Value = serde_json::from_str(EVENTS_SCHEMA).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap();
            prop_assert!(schema.is_valid(&event), "{event}: {:?}", schema.iter_errors(&event).map(|error| error.to_string()).collect::<Vec<_>>());
        }
        let (told, got) = self::heard(&bytes, None);
        prop_assert!(told.is_ok(), "{told:?}");
        let got: Vec<String> = got.iter().map(comparable).collect();
        let expected: Vec<String> = expected.iter().map(comparable).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn no_bytes_break_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..300), format in prop::sample::select(&Format::ALL[..])) {
        let _ = heard(&bytes, Some(format));
        let mut lines = b"{\"log\":{\"entries\":[".to_vec();
        lines.extend(&bytes);
        let _ = heard(&lines, None);
    }
}

#[test]
fn credentials_in_header_fields_are_masked_and_messages_are_whole() {
    let part = HttpPart::Request {
        method: "POST".to_owned(),
        target: "/mcp?api_key=abcdef".to_owned(),
        head: Head::write(
            "POST /mcp HTTP/1.1",
            [
                ("Authorization", "Bearer abcdefgh"),
                ("Mcp-Session-Id", "s-1"),
            ],
        ),
    };
    let raw = br#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"password":"hunter22"}}"#;
    let entry = Entry {
        seq: 1,
        at: Duration::ZERO,
        direction: Direction::Sent,
        connection: "c".to_owned(),
        channel: Channel::Http,
        raw: Bytes::from_static(raw),
        length: raw.len() as u64,
        terminator: None,
        message: examine(raw, 0).message.ok(),
        defects: Vec::new(),
        answers: None,
        part_of: None,
        http: Some(Http { exchange: 1, part }),
    };
    let began = Heard::Began {
        talk: "t".into(),
        binding: Binding::Http,
        revision: None,
    };
    let (bytes, _) = record(&[(began, 0), (Heard::Entry("t".into(), Box::new(entry)), 0)]);
    let text = String::from_utf8(bytes).unwrap();
    for hidden in ["abcdef", "abcdefgh"] {
        assert!(!text.contains(hidden), "{text}");
    }
    for kept in [
        "Bearer ***",
        "s-1",
        "hunter22",
        "are masked; messages are whole",
    ] {
        assert!(text.contains(kept), "{text}");
    }
}
