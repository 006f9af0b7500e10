use super::{Closed, Sockets};
use crate::traffic::Heard;
use mcp_assay_model::record::{Direction, HttpPart};
use mcp_assay_wire::http::End;
use std::time::Duration;

const POST: &str = "POST /mcp HTTP/1.1\r\nHost: a\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n";

/// Plays sockets against the ear.
struct Play {
    sockets: Sockets,
    heard: Vec<Heard>,
}

impl Play {
    fn new() -> Self {
        Play {
            sockets: Sockets::new("/"),
            heard: Vec::new(),
        }
    }

    fn open(&mut self, socket: u64) {
        self.sockets.opened(socket, "127.0.0.1".to_owned());
    }

    fn sent(&mut self, socket: u64, bytes: &str) {
        let way = (socket, Direction::Sent);
        self.sockets
            .bytes(way, bytes.as_bytes(), Duration::ZERO, &mut self.heard);
    }

    fn received(&mut self, socket: u64, bytes: &str) {
        let way = (socket, Direction::Received);
        self.sockets
            .bytes(way, bytes.as_bytes(), Duration::ZERO, &mut self.heard);
    }

    fn post(&mut self, socket: u64, fields: &str, body: &str) {
        let length = body.len();
        self.sent(
            socket,
            &format!("{POST}{fields}Content-Length: {length}\r\n\r\n{body}"),
        );
    }

    fn answer(&mut self, socket: u64, fields: &str, body: &str) {
        let length = body.len();
        self.received(
            socket,
            &format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
            ),
        );
    }

    fn close(&mut self, socket: u64, closed: Closed) {
        self.sockets
            .closed(socket, closed, Duration::ZERO, &mut self.heard);
    }

    /// What was heard, a line each.
    fn told(mut self) -> Vec<String> {
        self.sockets.finish(Duration::ZERO, &mut self.heard);
        self.heard.iter().map(line).collect()
    }
}

fn line(heard: &Heard) -> String {
    match heard {
        Heard::Began { talk, binding, .. } => format!("{talk} over {binding}"),
        Heard::Lost { talk, after, .. } => format!("{talk} lost after {after}"),
        Heard::Ended(talk, end) => format!("{talk} {end:?}"),
        Heard::Entry(talk, entry) => {
            let raw = String::from_utf8_lossy(&entry.raw);
            let http = entry.http.as_ref().expect("all are of exchanges");
            let exchange = http.exchange;
            let part = match &http.part {
                HttpPart::Request { method, target, .. } => format!("{method} {target}"),
                HttpPart::Response { status, .. } => status.to_string(),
                HttpPart::Body => "body".to_owned(),
                HttpPart::Event { name, id, .. } => {
                    format!(
                        "event {} {}",
                        name.as_deref().unwrap_or("-"),
                        id.as_deref().unwrap_or("-")
                    )
                }
                HttpPart::End(End::Complete) => "end".to_owned(),
                HttpPart::End(other) => format!("{other:?}"),
            };
            let kind = entry.message.is_some();
            format!("{talk} #{} [{exchange}] {part} {raw} {kind}", entry.seq)
        }
    }
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;

#[test]
fn a_session_is_one_conversation_on_any_socket() {
    let mut play = Play::new();
    play.open(1);
    play.open(2);
    play.post(1, "", HELLO);
    play.post(2, "", HELLO);
    play.answer(2, "Mcp-Session-Id: two\r\n", "{}");
    play.answer(1, "Mcp-Session-Id: one\r\n", "{}");
    play.post(2, "Mcp-Session-Id: one\r\n", PING);
    play.answer(2, "", PONG);
    play.post(1, "Mcp-Session-Id: two\r\n", PING);
    play.answer(1, "", PONG);
    play.sent(1, "DELETE /mcp HTTP/1.1\r\nmcp-session-id: one\r\n\r\n");
    play.received(1, "HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(
        play.told(),
        [
            "tap/1 over http",
            &format!("tap/1 #1 [1] POST /mcp {HELLO} true"),
            "tap/2 over http",
            &format!("tap/2 #1 [1] POST /mcp {HELLO} true"),
            "tap/2 #2 [1] 200  false",
            "tap/2 #3 [1] body {} true",
            "tap/1 #2 [1] 200  false",
            "tap/1 #3 [1] body {} true",
            &format!("tap/1 #4 [2] POST /mcp {PING} true"),
            "tap/1 #5 [2] 200  false",
            &format!("tap/1 #6 [2] body {PONG} true"),
            &format!("tap/2 #4 [2] POST /mcp {PING} true"),
            "tap/2 #5 [2] 200  false",
            &format!("tap/2 #6 [2] body {PONG} true"),
            "tap/1 #7 [3] DELETE /mcp  false",
            "tap/1 #8 [3] 204  false",
            "tap/1 Closed",
            "tap/2 Open",
        ]
    );
}

#[test]
fn events_are_heard_as_they_come_and_an_end_says_who_ended_it() {
    let mut play = Play::new();
    play.open(1);
    play.post(1, "", PING);
    play.received(
        1,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    play.received(1, "10\r\nid: 7\ndata: {}\n\n\r\n");
    assert_eq!(play.heard.len(), 4, "{:?}", play.heard.last());
    play.received(1, "9\r\ndata: cut\r\n");
    play.close(1, Closed::ByServer("gone".to_owned()));
    assert_eq!(
        play.told(),
        [
            "tap/1 over http",
            &format!("tap/1 #1 [1] POST /mcp {PING} true"),
            "tap/1 #2 [1] 200  false",
            "tap/1 #3 [1] event - 7 {} true",
            "tap/1 #4 [1] event - - cut false",
            "tap/1 #5 [1] Cut(\"gone\")  false",
            "tap/1 Open",
        ]
    );
}

#[test]
fn the_old_transport_is_known_by_its_first_event() {
    let mut play = Play::new();
    for socket in 1..=3 {
        play.open(socket);
    }
    play.sent(1, "GET /sse HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n");
    play.received(
        1,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n",
    );
    // Which of the two it is cannot be told yet.
    assert_eq!(play.heard.len(), 0);
    play.received(1, "event: endpoint\ndata: messages?s=1\n\n");
    play.sent(
        2,
        &format!(
            "POST /messages?s=1 HTTP/1.1\r\nContent-Length: {}\r\n\r\n{HELLO}",
            HELLO.len()
        ),
    );
    play.received(
        2,
        "HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted",
    );
    play.received(1, &format!("data: {PONG}\n\n"));
    play.close(1, Closed::ByClient);
    assert_eq!(
        play.told(),
        [
            "tap/1 over http-sse",
            "tap/1 #1 [1] GET /sse  false",
            "tap/1 #2 [1] 200  false",
            "tap/1 #3 [1] event - -  false",
            "tap/1 #4 [1] event endpoint - messages?s=1 false",
            &format!("tap/1 #5 [2] POST /messages?s=1 {HELLO} true"),
            "tap/1 #6 [2] 202  false",
            "tap/1 #7 [2] body Accepted false",
            &format!("tap/1 #8 [1] event - - {PONG} true"),
            "tap/1 #9 [1] Closed  false",
            "tap/1 Closed",
        ]
    );
}

#[test]
fn what_is_no_mcp_is_left_out_and_keeps_its_place_among_the_responses() {
    let mut play = Play::new();
    play.open(1);
    play.sent(1, "GET /.well-known/oauth HTTP/1.1\r\n\r\n");
    play.post(1, "", PING);
    play.received(1, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    play.received(1, "HTTP/1.1 103 Early\r\n\r\n");
    play.answer(1, "", PONG);
    assert_eq!(play.sockets.left_out(), 1);
    assert_eq!(
        play.told(),
        [
            "tap/1 over http",
            &format!("tap/1 #1 [1] POST /mcp {PING} true"),
            "tap/1 #2 [1] 200  false",
            &format!("tap/1 #3 [1] body {PONG} true"),
            "tap/1 Open",
        ]
    );
}

#[test]
fn a_body_in_a_coding_or_cut_off_is_no_message() {
    let mut play = Play::new();
    play.open(1);
    play.post(1, "", PING);
    play.answer(1, "Content-Encoding: gzip\r\n", PONG);
    play.post(1, "", PING);
    play.received(
        1,
        &format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{PONG}"),
    );
    play.close(1, Closed::ByServer("gone".to_owned()));
    let told = play.told();
    assert!(
        told.contains(&format!("tap/1 #3 [1] body {PONG} false")),
        "{told:?}"
    );
    assert!(
        told.contains(&format!("tap/1 #6 [2] body {PONG} false")),
        "{told:?}"
    );
    assert!(
        told.contains(&"tap/1 #7 [2] Cut(\"gone\")  false".to_owned()),
        "{told:?}"
    );
}

#[test]
fn a_server_without_sessions_is_told_apart_by_handshakes_and_sockets() {
    let mut play = Play::new();
    play.open(1);
    play.open(2);
    play.post(1, "User-Agent: x\r\n", HELLO);
    play.answer(1, "", "{}");
    play.post(2, "User-Agent: x\r\n", HELLO);
    play.answer(2, "", "{}");
    for (socket, talk) in [(1, "tap/1"), (2, "tap/2")] {
        play.post(socket, "User-Agent: x\r\n", PING);
        let last = play.heard.last().map(line).unwrap_or_default();
        assert!(last.starts_with(talk), "{last}");
        play.answer(socket, "", PONG);
    }
    // A new socket belongs to whom the same client was last.
    play.open(3);
    play.sent(
        3,
        "GET /mcp HTTP/1.1\r\nUser-Agent: x\r\nAccept: text/event-stream\r\n\r\n",
    );
    let last = play.heard.last().map(line).unwrap_or_default();
    assert!(last.starts_with("tap/2 #7 [3] GET"), "{last}");
}

#[test]
fn what_is_no_http_costs_the_connection_and_says_so() {
    let mut play = Play::new();
    play.open(1);
    play.post(1, "", PING);
    play.received(1, "ICY 200 OK\r\n\r\nnoise");
    play.received(1, "more");
    assert_eq!(
        play.told(),
        [
            "tap/1 over http",
            &format!("tap/1 #1 [1] POST /mcp {PING} true"),
            "tap/1 lost after 1",
            "tap/1 Open",
        ]
    );
}

#[test]
fn a_stream_of_another_kind_is_no_conversation() {
    let mut play = Play::new();
    play.open(1);
    play.open(2);
    play.sent(1, "GET /news HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n");
    play.received(
        1,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
    );
    // It may still turn out to be one, but what comes meanwhile is not part of it.
    play.post(2, "", PING);
    play.received(1, "event: news\ndata: {}\n\ndata: {}\n\n");
    play.answer(2, "", PONG);
    assert_eq!(play.sockets.left_out(), 1);
    assert_eq!(
        play.told(),
        [
            "tap/2 over http",
            &format!("tap/2 #1 [1] POST /mcp {PING} true"),
            "tap/2 #2 [1] 200  false",
            &format!("tap/2 #3 [1] body {PONG} true"),
            "tap/2 Open",
        ]
    );
}
