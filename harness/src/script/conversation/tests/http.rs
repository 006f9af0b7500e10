//! Exchanges: whose a response is, when nothing more can come, in which order messages go out, and with which fields.

use super::super::{Conversation, Fence, Phase, SentIndex, Waited};
use crate::era::{self, Opened};
use crate::testing::REVISION;
use crate::testing::http::{
    Asked, Say, Site, bare_answer, events, json_answer, ordinary_answer, peer,
};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Direction, Entry, HttpPart, Missing};
use mcp_assay_wire::http::End;
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn open_in(conversation: &mut Conversation, revision: Revision) -> SentIndex {
    conversation.manner = era::Manner::new(revision);
    let (index, opened) = era::open(conversation, Duration::from_secs(20)).await;
    assert_eq!(opened, Opened::Yes);
    index
}

pub(super) fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

pub(super) fn call(id: &str, method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#)
}

/// A server that is ordinary but for one method.
pub(super) fn but_for(
    what: &'static str,
    say: impl Fn(&Asked) -> Say + Send + Sync + 'static,
) -> Site {
    Site::new(move |asked| {
        if asked.what() == what {
            say(asked)
        } else {
            ordinary_answer(asked)
        }
    })
}

/// The received messages and what they answer, in short.
fn answers(conversation: &Conversation) -> Vec<Option<u64>> {
    let came = conversation.entries().iter();
    let came =
        came.filter(|entry| entry.direction == Direction::Received && entry.message.is_some());
    came.map(|entry| entry.answers).collect()
}

fn exchange_of(entry: &Entry) -> u64 {
    entry.http.as_ref().unwrap().exchange
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_an_id_answers_the_request_of_its_exchange() {
    let site = Site::new(|asked| match asked.what().as_str() {
        "a" => json_answer(400, r#"{"id":null,"error":{"code":-1,"message":"no"}}"#).after(50),
        "b" => json_answer(404, r#"{"error":{"code":-1,"message":"no"}}"#),
        "GET" => json_answer(405, r#"{"id":null,"error":{"code":-1,"message":"no"}}"#),
        _ => json_answer(400, r#"{"error":{"code":-1,"message":"no"}}"#),
    });
    let mut conversation = site.conversation();
    let (first, _) = conversation.send_now(&call("1", "a"));
    let (note, _) = conversation.send_now(r#"{"jsonrpc":"2.0","method":"notifications/n"}"#);
    conversation.listen().await;
    let (second, _) = conversation.send_now(&call("2", "b"));
    conversation.linger(Duration::from_secs(1)).await;
    let reply = |index: SentIndex| {
        let entry = conversation.reply(index)?;
        let same = Some(exchange_of(entry)) == conversation.sent(index).exchange;
        assert!(same, "it came in the exchange of its request");
        conversation.status(index)
    };
    assert_eq!((reply(first), reply(second)), (Some(400), Some(404)));
    assert_eq!(conversation.sent(note).replies, [0; 0]);
    let nobodys = answers(&conversation)
        .iter()
        .filter(|of| of.is_none())
        .count();
    assert_eq!(nobodys, 2, "those of the notification and of the GET");
}

#[tokio::test(start_paused = true)]
async fn equal_ids_are_told_apart_by_their_exchanges() {
    let site = Site::new(|asked| match asked.what().as_str() {
        "a" => json_answer(200, r#"{"id":7,"result":{"of":"a"}}"#).after(50),
        _ => json_answer(200, r#"{"id":7,"result":{"of":"b"}}"#),
    });
    let mut conversation = site.conversation();
    let sent = ["a", "b"].map(|method| conversation.send_now(&call("7", method)).0);
    for (index, of) in sent.into_iter().zip(["a", "b"]) {
        let waited = conversation.wait_reply(index, in_ms(1000)).await;
        assert!(matches!(waited, Waited::Got(_)));
        let message = conversation.reply(index).unwrap().message.as_ref().unwrap();
        assert_eq!(message.value["result"]["of"], of);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_the_server_s_own_stream_is_found_by_its_id() {
    let mut conversation = peer(Binding::Http, Some("answers-on-get-stream")).await;
    open_in(&mut conversation, REVISION).await;
    let text = r#"{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"name":"echo","arguments":{"message":"x"}}}"#;
    let (index, _) = conversation.send_message(text).await;
    let waited = conversation.wait_reply(index, in_ms(5000)).await;
    assert!(matches!(waited, Waited::Got(_)), "{waited:?}");
    let reply = conversation.reply(index).unwrap();
    let carrier = conversation
        .entries()
        .iter()
        .find(|entry| exchange_of(entry) == exchange_of(reply));
    let HttpPart::Request { method, .. } = &carrier.unwrap().http.as_ref().unwrap().part else {
        panic!("an exchange begins with its request");
    };
    assert_eq!(method, "GET");
}

#[tokio::test(start_paused = true)]
async fn items_of_a_batch_in_a_body_answer_their_own_requests() {
    let body = r#"[ {"id":6, "result":{}} , {"id":5,"error":{}}]"#;
    let site = Site::new(move |_| json_answer(200, body));
    let mut conversation = site.conversation();
    let (batch, _) = conversation.send_now(r#"[{"id":5,"method":"a"},{"id":6,"method":"b"}]"#);
    let id = |text: &str| Some(mcp_assay_wire::jsonrpc::RawId(text.to_owned()));
    let five = conversation.expect_item(batch, Some("a".to_owned()), id("5"));
    let six = conversation.expect_item(batch, Some("b".to_owned()), id("6"));
    assert_eq!(
        conversation.wait_reply(five, in_ms(1000)).await,
        Waited::Got(5)
    );
    // 1 is what was sent, 2 the head, 3 the whole body.
    assert_eq!(conversation.sent(six).replies, [4]);
    assert!(conversation.sent(batch).replies.is_empty());
    let item = conversation.entry(4).unwrap();
    assert_eq!(item.raw, r#"{"id":6, "result":{}}"#.as_bytes());
    assert_eq!(
        (item.part_of, item.answers, exchange_of(item)),
        (Some(3), Some(1), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_that_ends_without_an_answer_ends_the_waiting_at_once() {
    let short = r#"{"jsonrpc":"2.0","id":50,"result":{}}"#;
    let cut = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{short}"
    );
    let cases: [(&str, Say); 5] = [
        ("a body that breaks off, if behind its JSON", Say::Last(cut)),
        ("an empty stream", Say::Last(events(""))),
        (
            "a stream of other things",
            Say::Last(events("data: {\"method\":\"n\"}\n\n")),
        ),
        ("an empty body", bare_answer(202)),
        ("no head", Say::hang_up()),
    ];
    for (what, say) in cases {
        let site = but_for("a", move |_| say.clone());
        let mut conversation = site.conversation();
        open_in(&mut conversation, REVISION).await;
        let (index, _) = conversation.send_message(&call("50", "a")).await;
        let began = Instant::now();
        assert_eq!(
            conversation.wait_reply(index, in_ms(5000)).await,
            Waited::Over,
            "{what}"
        );
        assert_eq!(began.elapsed(), Duration::ZERO, "{what}");
        assert!(conversation.is_over(index) && conversation.ended().is_none());
        let fence = conversation.fence(Duration::ZERO).await;
        assert!(matches!(fence, Fence::Answered(_)), "{what}: {fence:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_connection_is_gone() {
    let site = Site::new(|asked| match asked.what().as_str() {
        // It breaks off, so that the next message needs a socket of its own.
        "a" => Say::hang_up(),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    site.shut();
    let (first, _) = conversation.send_message(&call("50", "a")).await;
    let waited = conversation.wait_reply(first, in_ms(5000)).await;
    // The open socket is stale, and another cannot be had.
    assert_eq!(waited, Waited::Ended);
    let ended = conversation.ended().unwrap();
    let why = ended.why.as_deref().unwrap();
    assert_eq!(why, "takes no connections: nobody listens");
    assert_eq!(ended.after, conversation.last_seq());
    let last = &conversation.entries().last().unwrap().http;
    assert!(matches!(
        &last.as_ref().unwrap().part,
        HttpPart::End(End::Failed(_))
    ));
    assert_eq!(
        conversation.fence(Duration::ZERO).await,
        Fence::Missing(Missing::Died)
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_until_the_notification_before_it_was_taken() {
    let site = but_for("notifications/n", |_| bare_answer(202).after(200));
    let mut conversation = site.conversation();
    let began = Instant::now();
    let note = r#"{"jsonrpc":"2.0","method":"notifications/n"}"#;
    let _ = conversation.send_message(note).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "nothing was before it");
    let (index, _) = conversation.send_message(&call("50", "ping")).await;
    assert_eq!(began.elapsed(), Duration::from_millis(200));
    assert!(matches!(
        conversation.wait_reply(index, in_ms(1000)).await,
        Waited::Got(_)
    ));
    // What gets a response is not waited for.
    let slow = but_for("slow", |asked| ordinary_answer(asked).after(500));
    let mut conversation = slow.conversation();
    let began = Instant::now();
    let _ = conversation.send_message(&call("51", "slow")).await;
    let _ = conversation.send_message(&call("52", "ping")).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    conversation.linger(Duration::from_secs(1)).await;
    assert_eq!(slow.words(), ["slow", "ping"]);
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_is_never_taken_is_waited_for_a_while_only() {
    let site = but_for("notifications/n", |_| Say::nothing());
    let mut conversation = site.conversation();
    let note = r#"{"jsonrpc":"2.0","method":"notifications/n"}"#;
    let _ = conversation.send_message(note).await;
    let began = Instant::now();
    let (index, _) = conversation.send_message(&call("50", "ping")).await;
    assert_eq!(began.elapsed(), conversation.pace.light());
    assert!(matches!(
        conversation.wait_reply(index, in_ms(1000)).await,
        Waited::Got(_)
    ));
    let began = Instant::now();
    let _ = conversation.send_message(&call("51", "ping")).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "not again");
}

#[tokio::test(start_paused = true)]
async fn the_handshake_is_taken_and_the_stream_stands_before_the_first_request() {
    let site = Site::new(|asked| match asked.what().as_str() {
        "notifications/initialized" => bare_answer(202).after(100),
        "GET" => Say::Open(events("")).after(100),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    let began = Instant::now();
    open_in(&mut conversation, REVISION).await;
    assert_eq!(began.elapsed(), Duration::from_millis(200));
    assert_eq!(conversation.phase(), Phase::Open);
    let heads = conversation.entries().iter().filter(|entry| {
        matches!(
            &entry.http.as_ref().unwrap().part,
            HttpPart::Response { .. }
        )
    });
    assert_eq!(heads.count(), 3, "all heads are in");
    assert_eq!(
        site.words(),
        ["initialize", "notifications/initialized", "GET"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_head_does_not_come_is_waited_for_once() {
    let mut first = peer(Binding::Http, Some("get-hangs")).await;
    let began = Instant::now();
    open_in(&mut first, REVISION).await;
    assert_eq!(began.elapsed(), first.pace.light());
    let mut second = first.sibling("d").unwrap();
    let began = Instant::now();
    open_in(&mut second, REVISION).await;
    assert_eq!(began.elapsed(), second.pace.grace());
    assert!(second.pace.grace() < second.pace.light());
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_may_be_answered_on_the_stream_that_stands() {
    for (delay, is_heard) in [(500, true), (3000, false)] {
        let answer = r#"{"jsonrpc":"2.0","id":50,"result":{}}"#;
        let site = Site::new(move |asked| match asked.what().as_str() {
            "GET" => Say::Open(events(&format!("data: {answer}\n\n"))).after(delay),
            "ping" => bare_answer(202),
            _ => ordinary_answer(asked),
        });
        let mut conversation = site.conversation();
        open_in(&mut conversation, REVISION).await;
        let (index, _) = conversation.send_message(&call("50", "ping")).await;
        let waited = conversation.wait_reply(index, in_ms(10_000)).await;
        assert_eq!(matches!(waited, Waited::Got(_)), is_heard, "{delay}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_status_is_an_answer_to_a_fence() {
    for say in [bare_answer(404), bare_answer(500), json_answer(400, "{}")] {
        let site = but_for("ping", move |_| say.clone());
        let mut conversation = site.conversation();
        open_in(&mut conversation, REVISION).await;
        let began = Instant::now();
        let fence = conversation.fence(Duration::ZERO).await;
        let Fence::Answered(seq) = fence else {
            panic!("{fence:?}");
        };
        assert_eq!(began.elapsed(), conversation.pace.grace(), "then a grace");
        let part = &conversation.entry(seq).unwrap().http.as_ref().unwrap().part;
        assert!(matches!(part, HttpPart::Response { .. }));
    }
    let none = but_for("ping", |_| Say::hang_up());
    let mut conversation = none.conversation();
    open_in(&mut conversation, REVISION).await;
    let fence = conversation.fence(Duration::ZERO).await;
    assert_eq!(fence, Fence::Missing(Missing::Hung));
    let mute = but_for("ping", |_| Say::nothing());
    let mut conversation = mute.conversation();
    open_in(&mut conversation, REVISION).await;
    let fence = conversation.fence(Duration::ZERO).await;
    assert_eq!(fence, Fence::Missing(Missing::Hung));
}

#[tokio::test(start_paused = true)]
async fn stragglers_on_the_server_s_stream_are_in_by_the_end_of_the_grace() {
    let late = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/late\"}\n\n";
    let straggling = but_for("a", move |_| Say::Last(events(late)).after(15));
    let mut conversation = straggling.conversation();
    open_in(&mut conversation, REVISION).await;
    let _ = conversation.send_message(&call("50", "a")).await;
    let fence = conversation.fence(Duration::ZERO).await;
    assert!(matches!(fence, Fence::Answered(_)));
    let straggled = conversation.entries().iter().any(|entry| {
        let message = entry.message.as_ref();
        message.is_some_and(|message| message.method.as_deref() == Some("notifications/late"))
    });
    assert!(straggled);
}
