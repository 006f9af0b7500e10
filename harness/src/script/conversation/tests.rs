mod http;
mod http_case;
mod http_resumption;
mod http_sse;

use super::{Conversation, FLOOD_KEPT, Fence, Phase, SentIndex, Waited};
use crate::era::{self, Opened};
use crate::script::transcript::HEAD_BYTES;
use crate::target::Link;
use crate::testing::{
    Wire, bounded_conversation, conversation, ordinary, pipes, refusal, result, silent_on,
};
use bytes::Bytes;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Channel, Direction, Entry, Missing};
use mcp_assay_transport::connection::{Bounds, Connection};
use mcp_assay_wire::jsonrpc::{RawId, classify};
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;

/// A conversation whose server reads, and says nothing.
fn unheard() -> Conversation {
    conversation(async |mut wire: Wire| wire.mute().await)
}

/// Receives a line as if the target had written it.
fn hear(conversation: &mut Conversation, line: &str) {
    let entry = arrived(Bytes::copy_from_slice(line.as_bytes()));
    conversation.receive(entry);
}

fn arrived(raw: Bytes) -> Entry {
    Entry {
        seq: 0,
        at: Duration::ZERO,
        direction: Direction::Received,
        connection: "c".to_owned(),
        channel: Channel::Memory,
        length: raw.len() as u64,
        message: classify(&raw).ok(),
        raw,
        terminator: None,
        defects: Vec::new(),
        answers: None,
        part_of: None,
        http: None,
    }
}

async fn open(conversation: &mut Conversation) -> SentIndex {
    let (index, opened) = era::open(conversation, Duration::from_secs(20)).await;
    assert_eq!(opened, Opened::Yes);
    index
}

/// What goes out in the table of attributions.
#[derive(Clone, Copy, Debug)]
enum Out {
    /// A line of ours.
    Line(&'static str),
    /// Raw bytes.
    Raw(&'static str),
    /// A fence.
    Fence(&'static str),
}

const FIVE: Out = Out::Line(r#"{"id":5,"method":"a"}"#);
const SIX: Out = Out::Line(r#"{"id":6,"method":"a"}"#);
const FIVE_AS_TEXT: Out = Out::Line(r#"{"id":"5","method":"a"}"#);
const NULL_ID: Out = Out::Line(r#"{"id":null,"method":"a"}"#);
const NOTE: Out = Out::Line(r#"{"method":"notifications/a"}"#);
const BROKEN: Out = Out::Raw("{\"id\":\n");
const RAW_NOTE: Out = Out::Raw("{\"method\":\"notifications/a\"}\n");
const FENCE: Out = Out::Fence(r#"{"id":7,"method":"ping"}"#);

/// What it shows, what is sent, and each answer with the index of what it is attributed to.
type Row = (
    &'static str,
    &'static [Out],
    &'static [(&'static str, Option<usize>)],
);

#[tokio::test(start_paused = true)]
async fn an_answer_goes_to_the_request_that_it_most_likely_means() {
    let table: &[Row] = &[
        (
            "the raw id",
            &[FIVE, SIX],
            &[
                (r#"{"id":6,"result":{}}"#, Some(1)),
                (r#"{"id":5,"error":{}}"#, Some(0)),
            ],
        ),
        (
            "the raw id before the loosely equal one",
            &[FIVE, FIVE_AS_TEXT],
            &[
                (r#"{"id":"5","result":{}}"#, Some(1)),
                (r#"{"id":5,"result":{}}"#, Some(0)),
            ],
        ),
        (
            "a loosely equal id",
            &[FIVE, SIX],
            &[
                (r#"{"id":"6","result":{}}"#, Some(1)),
                (r#"{"id":5.0,"result":{}}"#, Some(0)),
            ],
        ),
        (
            "the only pending request, whatever the id",
            &[FIVE],
            &[(r#"{"id":9,"result":{}}"#, Some(0))],
        ),
        (
            "the only pending request, for null",
            &[FIVE],
            &[(r#"{"id":null,"error":{}}"#, Some(0))],
        ),
        (
            "the only pending request, for no id",
            &[FIVE],
            &[(r#"{"result":{}}"#, Some(0))],
        ),
        (
            "nothing, where two could be meant",
            &[FIVE, SIX],
            &[
                (r#"{"id":9,"result":{}}"#, None),
                (r#"{"id":null,"error":{}}"#, None),
            ],
        ),
        (
            "what is left, once the other is answered",
            &[FIVE, SIX],
            &[
                (r#"{"id":5,"result":{}}"#, Some(0)),
                (r#"{"id":9,"result":{}}"#, Some(1)),
            ],
        ),
        (
            "what had no readable id, for null",
            &[FIVE, BROKEN],
            &[(r#"{"id":null,"error":{}}"#, Some(1))],
        ),
        (
            "what had no readable id, for an unknown one",
            &[FIVE, BROKEN],
            &[(r#"{"id":9,"error":{}}"#, Some(1))],
        ),
        (
            "the request with null as its id",
            &[FIVE, NULL_ID],
            &[(r#"{"id":null,"error":{}}"#, Some(1))],
        ),
        (
            "raw bytes only once",
            &[FIVE, BROKEN],
            &[
                (r#"{"id":null,"error":{}}"#, Some(1)),
                (r#"{"id":null,"error":{}}"#, Some(0)),
            ],
        ),
        (
            "a fence takes no error without an id",
            &[FENCE],
            &[
                (r#"{"id":null,"error":{}}"#, None),
                (r#"{"id":9,"error":{}}"#, None),
            ],
        ),
        (
            "a fence takes an error with its id",
            &[FENCE],
            &[(r#"{"id":7,"error":{}}"#, Some(0))],
        ),
        (
            "a fence takes a lonely result",
            &[FENCE],
            &[(r#"{"id":9,"result":{}}"#, Some(0))],
        ),
        (
            "the card's request before the fence",
            &[FIVE, FENCE],
            &[
                (r#"{"id":null,"error":{}}"#, Some(0)),
                (r#"{"id":9,"result":{}}"#, Some(1)),
            ],
        ),
        (
            "a notification is not answered",
            &[NOTE],
            &[
                (r#"{"id":null,"error":{}}"#, None),
                (r#"{"id":1,"result":{}}"#, None),
            ],
        ),
        (
            "a notification written raw may be",
            &[RAW_NOTE],
            &[(r#"{"id":null,"error":{}}"#, Some(0))],
        ),
        (
            "result beside error is an answer",
            &[FIVE, SIX],
            &[(r#"{"id":6,"result":{},"error":{}}"#, Some(1))],
        ),
        (
            "duplicates answer the same request",
            &[FIVE, SIX],
            &[
                (r#"{"id":5,"result":{}}"#, Some(0)),
                (r#"{"id":5,"result":{}}"#, Some(0)),
                (r#"{"id":"5","error":{}}"#, Some(0)),
            ],
        ),
        (
            "one id twice is answered in order",
            &[FIVE, FIVE],
            &[
                (r#"{"id":5,"result":{}}"#, Some(0)),
                (r#"{"id":5,"result":{}}"#, Some(1)),
                (r#"{"id":5,"result":{}}"#, Some(1)),
            ],
        ),
        (
            "requests and notifications answer nothing",
            &[FIVE],
            &[
                (r#"{"id":5,"method":"ping"}"#, None),
                (r#"{"method":"n"}"#, None),
            ],
        ),
        (
            "what is no message answers nothing",
            &[FIVE],
            &[(r#"{"id":5}"#, None), ("[]", None), ("noise", None)],
        ),
    ];
    for (what, out, answers) in table {
        let mut conversation = unheard();
        let sent: Vec<SentIndex> = out
            .iter()
            .map(|out| match out {
                Out::Line(line) => conversation.send_now(line).0,
                Out::Raw(bytes) => conversation.send_raw_now(bytes.as_bytes()).0,
                Out::Fence(line) => {
                    let (index, _) = conversation.send_now(line);
                    conversation.sent[index.0].is_fence = true;
                    index
                }
            })
            .collect();
        let mut expected = vec![Vec::new(); sent.len()];
        for (line, meant) in *answers {
            hear(&mut conversation, line);
            let seq = conversation
                .entries()
                .iter()
                .rposition(|entry| entry.direction == Direction::Received)
                .unwrap() as u64
                + 1;
            let answered = meant.map(|meant| conversation.sent(sent[meant]).seq);
            let entry = conversation.entry(seq).unwrap();
            assert_eq!(entry.answers, answered, "{what}: {line}");
            if let Some(meant) = meant {
                expected[*meant].push(seq);
            }
        }
        for (index, replies) in sent.iter().zip(&expected) {
            assert_eq!(&conversation.sent(*index).replies, replies, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn items_of_a_batch_are_entries_of_their_own_and_answer_their_own_requests() {
    let mut conversation = unheard();
    let (batch, _) = conversation.send_now(r#"[{"id":5,"method":"a"},{"id":6,"method":"b"}]"#);
    let id = |text: &str| Some(RawId(text.to_owned()));
    let five = conversation.expect_item(batch, Some("a".to_owned()), id("5"));
    let six = conversation.expect_item(batch, Some("b".to_owned()), id("6"));
    let line = r#"[ {"id":6, "result":{}} , {"id":5,"error":{}}]"#;
    hear(&mut conversation, line);
    let whole = conversation.entry(2).unwrap();
    assert_eq!((whole.answers, whole.part_of), (None, None));
    for (seq, raw) in [
        (3, r#"{"id":6, "result":{}}"#),
        (4, r#"{"id":5,"error":{}}"#),
    ] {
        let item = conversation.entry(seq).unwrap();
        assert_eq!(item.raw, raw.as_bytes());
        assert_eq!((item.part_of, item.answers), (Some(2), Some(1)));
    }
    assert_eq!(conversation.sent(six).replies, [3]);
    assert_eq!(conversation.sent(five).replies, [4]);
    assert!(conversation.sent(batch).replies.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_as_a_whole_takes_the_answer_without_an_id() {
    let mut conversation = unheard();
    let (batch, _) = conversation.send_now(r#"[{"id":5,"method":"a"}]"#);
    let item = conversation.expect_item(batch, Some("a".to_owned()), Some(RawId("5".to_owned())));
    hear(&mut conversation, r#"{"id":null,"error":{"code":-32600}}"#);
    assert_eq!(conversation.sent(batch).replies, [2]);
    assert!(conversation.sent(item).replies.is_empty());
}

/// A server that asks each of these, and the lines that it heard.
fn asking(questions: &'static [&'static str]) -> (Conversation, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&heard);
    let conversation = conversation(async move |mut wire: Wire| {
        for question in questions {
            wire.say(question).await;
        }
        while let Some(line) = wire.line().await {
            shared.lock().unwrap().push(line);
        }
        0
    });
    (conversation, heard)
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_target_are_answered_at_any_time_with_their_ids_as_written() {
    let (mut conversation, heard) = asking(&[
        r#"{"id":1,"method":"roots/list"}"#,
        r#"{"id":1.0,"method":"ping"}"#,
        r#"{"id":"\u0061","method":"sampling/createMessage","params":{}}"#,
        r#"{"id":2,"method":"elicitation/create"}"#,
        r#"{"id":3,"method":"no/such"}"#,
        r#"{"method":"notifications/a"}"#,
        r#"{"id":4,"method":"quiet/please"}"#,
        r#"{"id":5,"method":"of/the/card"}"#,
        r#"[{"id":6,"method":"ping"},{"id":7,"method":"roots/list"}]"#,
    ]);
    conversation.answers.set("quiet/please", None);
    conversation
        .answers
        .set("of/the/card", Some(r#""result":{"n":1.50}"#.to_owned()));
    conversation.linger(Duration::from_secs(1)).await;
    let sampled = r#"{"jsonrpc":"2.0","id":"\u0061","result":{"role":"assistant","content":{"type":"text","text":"ok"},"model":"none","stopReason":"endTurn"}}"#;
    assert_eq!(
        *heard.lock().unwrap(),
        [
            r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#,
            r#"{"jsonrpc":"2.0","id":1.0,"result":{}}"#,
            sampled,
            r#"{"jsonrpc":"2.0","id":2,"result":{"action":"decline"}}"#,
            r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"method not found"}}"#,
            r#"{"jsonrpc":"2.0","id":5,"result":{"n":1.50}}"#,
            r#"{"jsonrpc":"2.0","id":6,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{"roots":[]}}"#,
        ]
    );
    let answers = conversation
        .entries()
        .iter()
        .filter(|entry| entry.direction == Direction::Sent);
    assert_eq!(answers.count(), 8, "every answer is in the transcript");
}

#[tokio::test(start_paused = true)]
async fn the_harness_s_own_answers_are_not_taken_for_requests() {
    let (mut conversation, _heard) = asking(&[r#"{"id":1,"method":"ping"}"#]);
    conversation.linger(Duration::from_secs(1)).await;
    hear(&mut conversation, r#"{"id":null,"error":{}}"#);
    assert_eq!(conversation.entries().last().unwrap().answers, None);
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_is_answered_is_followed_by_a_grace_for_stragglers() {
    let mut conversation = conversation(async |mut wire: Wire| {
        let ping = wire.hear().await.unwrap();
        wire.say(result(&ping, &json!({}))).await;
        sleep(Duration::from_millis(20)).await;
        wire.say(r#"{"method":"straggler"}"#).await;
        wire.mute().await
    });
    let fence = conversation.fence(Duration::ZERO).await;
    assert_eq!(fence, Fence::Answered(2));
    assert_eq!(conversation.last_seq(), 3, "the straggler is in");
}

#[tokio::test(start_paused = true)]
async fn a_fence_behind_other_work_teaches_nothing() {
    let mut conversation = conversation(async |mut wire: Wire| {
        while let Some(message) = wire.hear().await {
            if message["method"] == "tools/list" {
                sleep(Duration::from_secs(5)).await;
            }
            for line in ordinary(&message) {
                wire.say(line).await;
            }
        }
        0
    });
    open(&mut conversation).await;
    let first = conversation.fence(Duration::ZERO).await;
    assert!(matches!(first, Fence::Answered(_)));
    let before = conversation.pace.slowest();
    let (_, sent) = conversation.send_now(r#"{"jsonrpc":"2.0","id":70,"method":"tools/list"}"#);
    assert!(sent.is_ok());
    let fence = conversation.fence(Duration::ZERO).await;
    assert!(matches!(fence, Fence::Answered(_)));
    assert_eq!(conversation.pace.slowest(), before);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_as_good_a_fence_as_a_result() {
    let mut conversation = conversation(async |mut wire: Wire| {
        wire.serve(|message| vec![refusal(message, -32601)]).await
    });
    assert_eq!(conversation.fence(Duration::ZERO).await, Fence::Answered(2));
}

#[tokio::test(start_paused = true)]
async fn what_a_missing_fence_means_depends_on_the_handshake() {
    // It has spoken, so no time is left to it for starting.
    let mut bare = unheard();
    hear(&mut bare, r#"{"method":"n"}"#);
    let began = Instant::now();
    assert_eq!(
        bare.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Unfenced)
    );
    assert_eq!(began.elapsed(), Duration::from_secs(2));

    let mut opening = unheard();
    assert!(opening.send_now(INITIALIZE).1.is_ok());
    assert_eq!(opening.phase(), Phase::Opening);
    let began = Instant::now();
    assert_eq!(
        opening.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Hung),
        "initialize itself is due"
    );
    assert_eq!(began.elapsed(), Duration::from_secs(10));

    let mut between = conversation(async |mut wire: Wire| wire.serve(silent_on("ping")).await);
    let (index, _) = between.send_now(INITIALIZE);
    let deadline = Instant::now() + Duration::from_secs(1);
    assert_eq!(between.wait_reply(index, deadline).await, Waited::Got(2));
    assert_eq!(
        between.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Unfenced),
        "between initialize and initialized a ping need not be answered"
    );

    let mut ready = conversation(async |mut wire: Wire| wire.serve(silent_on("ping")).await);
    open(&mut ready).await;
    let began = Instant::now();
    assert_eq!(
        ready.fence(Duration::from_secs(3)).await,
        Fence::Missing(Missing::Hung)
    );
    assert_eq!(
        began.elapsed(),
        Duration::from_secs(13),
        "what the target is known to be busy with comes on top"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fence_on_an_ended_target_says_that_it_died() {
    let mut conversation = conversation(async |mut wire: Wire| {
        let _ = wire.hear().await;
        3
    });
    let died = Fence::Missing(Missing::Died);
    assert_eq!(conversation.fence(Duration::ZERO).await, died);
    let sent = conversation.last_seq();
    assert_eq!(conversation.fence(Duration::ZERO).await, died);
    assert_eq!(conversation.last_seq(), sent, "no second ping is sent");
    let exit = conversation
        .exit(Instant::now() + Duration::from_secs(1))
        .await;
    assert_eq!(exit.unwrap().code, Some(3));
}

#[tokio::test(start_paused = true)]
async fn no_fence_is_asked_for_after_a_partial_line_or_a_closed_input() {
    let mut conversation = conversation(async |mut wire: Wire| wire.serve(ordinary).await);
    let mut write = |bytes: &[u8]| {
        assert!(conversation.send_raw_now(bytes).1.is_ok());
        conversation.is_line_open()
    };
    assert!(write(b"{\"a\":1}\n{\"jsonrpc\":"));
    assert!(write(b""), "nothing ends no line");
    let unfenced = Fence::Missing(Missing::Unfenced);
    assert_eq!(conversation.fence(Duration::ZERO).await, unfenced);
    assert!(conversation.send_raw_now(b"\"2.0\"}\n").1.is_ok());
    assert!(!conversation.is_line_open());
    assert!(matches!(
        conversation.fence(Duration::ZERO).await,
        Fence::Answered(_)
    ));
    conversation.close_stdin();
    assert_eq!(conversation.fence(Duration::ZERO).await, unfenced);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_read_hangs_once_it_must_and_is_never_written_without_bound() {
    let bounds = Bounds {
        unwritten: 60,
        ..Bounds::default()
    };
    // Never reads: what is written stays in the pipe and in the queue.
    let deaf = || bounded_conversation(bounds, async |_wire: Wire| std::future::pending().await);
    let mut bare = deaf();
    assert!(bare.send_now(&"x".repeat(50)).1.is_ok());
    assert_eq!(
        bare.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Unfenced)
    );
    let mut opening = deaf();
    assert!(opening.send_now(INITIALIZE).1.is_ok());
    assert_eq!(
        opening.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Hung)
    );
}

#[tokio::test(start_paused = true)]
async fn fresh_ids_are_none_that_the_card_writes_in_whatever_spelling() {
    let written = ["1", "\"2\"", "3.0", "4e0", "\"\\u0035\"", "\"x\"", "null"];
    let written: HashSet<RawId> = written.iter().map(|id| RawId((*id).to_owned())).collect();
    let connection = Connection::new(
        pipes(async |mut wire: Wire| wire.mute().await),
        Instant::now(),
        Bounds::default(),
    );
    let link = Link::Pipes(connection);
    let mut conversation = Conversation::new(
        link,
        Binding::Memory,
        era::Manner::new(mcp_assay_model::protocol::Revision::R2025_11_25),
        "c",
        crate::testing::pace(),
        written,
    );
    let fresh: Vec<String> = (0..3).map(|_| conversation.fresh_id().0).collect();
    assert_eq!(fresh, ["6", "7", "8"]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_given_up_and_its_beginning_kept() {
    let mut conversation = conversation(async |mut wire: Wire| {
        let asked = wire.hear().await.unwrap();
        wire.say(result(&asked, &json!({}))).await;
        let lines = "x\n".repeat(1000);
        loop {
            wire.write(lines.as_bytes()).await;
        }
    });
    let (first, _) = conversation.send_now(r#"{"id":1,"method":"a"}"#);
    let (second, _) = conversation.send_now(r#"{"id":2,"method":"a"}"#);
    let deadline = Instant::now() + Duration::from_secs(3600);
    assert_eq!(
        conversation.wait_reply(second, deadline).await,
        Waited::Ended
    );
    let ended = conversation.ended().unwrap();
    assert!(ended.flood);
    assert_eq!(ended.after, FLOOD_KEPT as u64);
    assert_eq!(conversation.entries().len(), FLOOD_KEPT);
    assert_eq!(conversation.sent(first).replies, [3]);
    assert_eq!(
        conversation.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Died)
    );
    conversation.linger(Duration::from_secs(1)).await;
    assert_eq!(conversation.entries().len(), FLOOD_KEPT, "no more is taken");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bounds_only_first_answers_are_kept_whole() {
    let mut conversation = unheard();
    let (request, _) = conversation.send_now(r#"{"id":1,"method":"a"}"#);
    let noise = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
    for _ in 0..6 {
        conversation.receive(arrived(noise.clone()));
    }
    let kept: Vec<usize> = conversation.entries()[1..]
        .iter()
        .map(|entry| entry.raw.len())
        .collect();
    let whole = noise.len();
    assert_eq!(kept, [whole, whole, whole, whole, HEAD_BYTES, HEAD_BYTES]);
    let text = "y".repeat(1000);
    for first in [true, false] {
        hear(
            &mut conversation,
            &format!(r#"{{"id":1,"result":"{text}"}}"#),
        );
        let entry = conversation.entries().last().unwrap();
        assert_eq!(entry.answers, Some(1));
        assert_eq!(entry.message.is_some(), first);
        assert_eq!(entry.raw.len() == HEAD_BYTES, !first);
        assert!(
            entry.length > text.len() as u64,
            "the length is told all the same"
        );
    }
    assert_eq!(conversation.sent(request).replies.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_line_too_long_to_be_read_may_be_the_answer_and_ends_the_wait() {
    let mut bounds = Bounds::default();
    bounds.frame.max_frame = 300;
    let mut conversation = bounded_conversation(bounds, async |mut wire: Wire| {
        wire.serve(|message| match message["method"].as_str() {
            Some("long") => vec![result(message, &json!("x".repeat(400)))],
            Some("silent") => Vec::new(),
            _ => ordinary(message),
        })
        .await
    });
    open(&mut conversation).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let (before, _) = conversation.send_now(r#"{"id":7,"method":"silent"}"#);
    let (long, _) = conversation.send_now(r#"{"id":8,"method":"long"}"#);
    assert_eq!(
        conversation.wait_reply(long, deadline).await,
        Waited::TimedOut
    );
    assert!(Instant::now() < deadline, "the deadline is not waited for");
    let since = |conversation: &Conversation, index| {
        conversation.has_oversized_since(conversation.sent(index).seq)
    };
    assert!(since(&conversation, before) && since(&conversation, long));
    let (after, _) = conversation.send_now(r#"{"id":9,"method":"silent"}"#);
    assert!(!since(&conversation, after));
    assert_eq!(
        conversation.wait_reply(after, deadline).await,
        Waited::TimedOut
    );
    assert_eq!(Instant::now(), deadline, "an older line is no answer");
    assert!(matches!(
        conversation.fence(Duration::ZERO).await,
        Fence::Answered(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn the_next_case_begins_with_the_handshake_and_nothing_else() {
    let mut conversation = conversation(async |mut wire: Wire| wire.serve(ordinary).await);
    let handshake = open(&mut conversation).await;
    let opened: Vec<Bytes> = conversation
        .entries()
        .iter()
        .map(|e| e.raw.clone())
        .collect();
    assert_eq!(opened.len(), 3, "initialize, its result, initialized");
    let id = conversation.fresh_id();
    let (index, _) = conversation.send_now(&format!(r#"{{"id":{},"method":"no/such"}}"#, id.0));
    let deadline = Instant::now() + Duration::from_secs(1);
    assert_eq!(
        conversation.wait_reply(index, deadline).await,
        Waited::Got(5)
    );
    conversation.fence(Duration::ZERO).await;
    let used = conversation.fresh_id().0.parse::<u64>().unwrap();

    conversation.begin_case();
    let kept: Vec<Bytes> = conversation
        .entries()
        .iter()
        .map(|e| e.raw.clone())
        .collect();
    assert_eq!(kept, opened);
    assert_eq!(conversation.handshake(), Some(handshake));
    assert_eq!(conversation.reply(handshake).unwrap().seq, 2);
    assert!(!conversation.has_oversized_since(0));
    let fresh = conversation.fresh_id().0.parse::<u64>().unwrap();
    assert!(fresh > used, "an id of an earlier case is not used again");
}

#[tokio::test(start_paused = true)]
async fn a_bare_conversation_has_no_handshake_to_go_back_to() {
    let mut conversation = unheard();
    conversation.begin_case();
    assert_eq!(conversation.handshake(), None);
    assert_eq!(conversation.last_seq(), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_end_reads_what_the_target_still_writes() {
    let mut conversation = conversation(async |mut wire: Wire| {
        while wire.hear().await.is_some() {}
        // More than the pipe holds: a target that is not read could not end.
        for number in 0..5000 {
            wire.say(format!(
                r#"{{"method":"last/words","params":{{"n":{number}}}}}"#
            ))
            .await;
        }
        7
    });
    conversation.close_stdin();
    let exit = conversation
        .exit(Instant::now() + Duration::from_secs(10))
        .await;
    assert_eq!(exit.unwrap().code, Some(7));
    assert_eq!(conversation.last_seq(), 5000);
    assert_eq!(conversation.ended().unwrap().after, 5000);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_counted_once() {
    let mut conversation = unheard();
    conversation.linger(Duration::from_secs(2)).await;
    conversation.linger(Duration::from_secs(3)).await;
    assert_eq!(conversation.take_waited(), Duration::from_secs(5));
    assert_eq!(conversation.take_waited(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_we_slept_through_is_given_again_once() {
    let note = r#"{"jsonrpc":"2.0","method":"notifications/a"}"#;
    for (first, needed, comes) in [
        (true, 15, true),
        (true, 17, false),
        (false, 15, true),
        (false, 17, false),
    ] {
        let mut conversation = conversation(async move |mut wire: Wire| {
            wire.hear().await;
            // The whole machine stands still from 1 s on to 21 s: 16 s of it are after the deadline.
            sleep(Duration::from_secs(1)).await;
            // Another message that waits unread does not use it up.
            if first {
                wire.say(note).await;
            }
            advance(Duration::from_secs(20)).await;
            if !first {
                wire.say(note).await;
            }
            sleep(Duration::from_secs(needed)).await;
            wire.say(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
            wire.mute().await
        });
        let (index, _) = conversation.send_now(r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#);
        let deadline = Instant::now() + Duration::from_secs(5);
        let waited = conversation.wait_reply(index, deadline).await;
        assert_eq!(
            matches!(waited, Waited::Got(_)),
            comes,
            "{first} {needed} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_null_value_is_no_reply_text() {
    // A bare `null` is JSON and no message: it must not end a wait.
    let mut conversation = unheard();
    let (index, _) = conversation.send_now(r#"{"id":1,"method":"a"}"#);
    hear(&mut conversation, "null");
    assert!(conversation.reply(index).is_none());
    assert!(conversation.entry(2).unwrap().message.is_some());
}
