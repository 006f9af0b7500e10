//! Named faults over HTTP: each fires where it says, shows, and does what it says.

use crate::support::{
    Client, Exchange, LOGGING, PING, SLOW, Seen, events, honest, initialize, lying, mirrored,
    request, wait,
};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{
    FAULTS, HttpOptions, HttpServer, NamedFault, Options, Over, Planted, Provocation,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What clients see of all exchanges: heads, bodies by time, ends.
async fn provoke(server: &HttpServer, steps: &[Provocation]) -> Vec<String> {
    let mut clients = vec![Tried::new(server)];
    let mut rest = String::new();
    for step in steps {
        let count = clients.len();
        let client = &mut clients[count - 1];
        match step {
            Provocation::Open(capabilities) => {
                let capabilities = serde_json::from_str(capabilities).unwrap();
                client.handshake("2025-11-25", capabilities).await;
            }
            Provocation::OpenIn(revision) => client.handshake(revision, json!({})).await,
            Provocation::Send(body) => {
                let body = body.replace("@STATE@", &client.state());
                client.send("POST", &[], &body).await;
            }
            Provocation::WaitMs(ms) => wait(*ms).await,
            Provocation::Walk(pages) => client.walk(*pages).await,
            Provocation::Close => panic!("stdio alone has an input that ends"),
            Provocation::Http(ask) => client.send(ask.method, ask.headers, ask.body).await,
            Provocation::Listen => client.send("GET", &[], "").await,
            Provocation::Resume => {
                let last = client.seen.iter().rev();
                let first = |exchange: &Exchange| exchange.events().first()?.id.clone();
                // GET streams stay open, so the last that has events and is of a POST is the one behind them.
                let id = last.filter(|(method, _)| *method == "POST");
                let id = id.filter_map(|(_, exchange)| first(exchange)).next();
                let id = id.unwrap_or_else(|| "none".to_owned());
                client
                    .send("GET", &[("last-event-id", Some(&id))], "")
                    .await;
            }
            Provocation::AnotherClient => {
                let mut another = Tried::new(server);
                another.handshake("2025-11-25", json!({})).await;
                clients.push(another);
            }
            Provocation::Raw(bytes) => {
                let (mut ours, theirs) = tokio::io::duplex(1 << 16);
                let server = server.clone();
                tokio::spawn(async move { server.serve_socket(theirs).await });
                drop(ours.write_all(bytes.as_bytes()).await);
                let mut answer = Vec::new();
                let read = ours.read_to_end(&mut answer);
                drop(tokio::time::timeout(Duration::from_secs(1), read).await);
                rest.push_str(&String::from_utf8_lossy(&answer));
            }
        }
    }
    wait(1000).await;
    let mut seen = vec![rest];
    for (method, exchange) in clients.iter().flat_map(|client| &client.seen) {
        seen.push(exchange.look(|seen| {
            let headers = &seen.headers;
            let body = String::from_utf8_lossy(&seen.body);
            let (status, pieces) = (seen.status, &seen.pieces);
            let end = (seen.is_over, seen.is_broken);
            format!("{method} {status:?} {headers:?} {pieces:?} {end:?} {body}")
        }));
    }
    seen
}

struct Tried {
    client: Client,
    seen: Vec<(&'static str, Exchange)>,
}

impl Tried {
    /// The `requestState` that was given last.
    fn state(&self) -> String {
        let mut seen = self.seen.iter().rev();
        let state = seen.find_map(|(_, exchange)| {
            let body = exchange.look(|seen| seen.body.clone());
            let message: Value = serde_json::from_slice(&body).ok()?;
            Some(message["result"]["requestState"].as_str()?.to_owned())
        });
        state.unwrap_or_default()
    }

    fn new(server: &HttpServer) -> Self {
        let client = Client {
            server: server.clone(),
            session: None,
            version: None,
        };
        Tried {
            client,
            seen: Vec::new(),
        }
    }

    /// As a harness opens: initialize, initialized, a GET stream.
    async fn handshake(&mut self, revision: &str, capabilities: Value) {
        self.send("POST", &[], &initialize(revision, &capabilities))
            .await;
        for _ in 0..50 {
            if self.seen[0].1.look(|seen| seen.status.is_some()) {
                break;
            }
            wait(100).await;
        }
        let id = self.seen[0]
            .1
            .look(|seen| seen.headers.get("mcp-session-id").cloned());
        self.client.session = id.map(|id| id.to_str().unwrap().to_owned());
        self.client.version = (revision >= "2025-06-18").then(|| revision.to_owned());
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        self.send("POST", &[], initialized).await;
        self.send("GET", &[], "").await;
    }

    async fn send(&mut self, method: &'static str, changes: &[(&str, Option<&str>)], body: &str) {
        let mirrored = mirrored(body);
        let mut all: Vec<_> = mirrored
            .iter()
            .map(|(name, value)| (*name, Some(value.as_str())))
            .collect();
        all.extend(changes);
        let exchange = self.client.ask(method, &all, body.to_owned());
        self.seen.push((method, exchange));
        wait(1).await;
    }

    async fn walk(&mut self, pages: usize) {
        let mut params = json!({});
        for _ in 0..pages {
            let body = request(json!("page"), "tools/list", params);
            self.send("POST", &[], &body).await;
            let page = match self.seen.last() {
                Some((_, exchange)) => exchange.json().await,
                None => return,
            };
            let Some(cursor) = page.pointer("/result/nextCursor") else {
                return;
            };
            params = json!({ "cursor": cursor });
        }
    }
}

fn on_http() -> impl Iterator<Item = &'static NamedFault> {
    FAULTS.iter().filter(|fault| fault.over != Over::Stdio)
}

/// What a server offers for a fault to show.
fn revisions(fault: &NamedFault) -> Vec<Revision> {
    match fault.name {
        "dual-era" => vec![Revision::R2026_07_28],
        _ => Vec::new(),
    }
}

fn offering(revisions: Vec<Revision>, fault: Option<Planted>) -> HttpServer {
    HttpServer::new(HttpOptions {
        options: Options {
            revisions,
            fault,
            ..Options::default()
        },
        ..HttpOptions::default()
    })
}

#[tokio::test(start_paused = true)]
async fn every_named_fault_fires_where_it_says_and_shows() {
    let mut wrong = Vec::new();
    for fault in on_http() {
        let planted = Planted::named_on_http(fault.name).unwrap();
        let offered = revisions(fault);
        let server = offering(offered.clone(), Some(planted.clone()));
        let lie = provoke(&server, fault.provoked_by).await;
        if server.fired() == 0 {
            wrong.push(format!("{} does not fire", fault.name));
        }
        assert_eq!(server.fired(), planted.fired(), "{}", fault.name);
        assert_eq!(server.refused(), None, "{}", fault.name);
        let truth = provoke(&offering(offered, None), fault.provoked_by).await;
        if lie == truth {
            wrong.push(format!("{} does not show", fault.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_named_fault_fires_in_a_bare_handshake_only_where_that_is_its_provocation() {
    let mut wrong = Vec::new();
    for fault in on_http() {
        if fault
            .provoked_by
            .iter()
            .all(|step| matches!(step, Provocation::Open(_)))
        {
            continue;
        }
        let server = lying(Planted::named_on_http(fault.name).unwrap());
        let steps = [Provocation::Open("{}")];
        let lie = provoke(&server, &steps).await;
        if fires_early(fault.name) {
            continue;
        }
        if server.fired() != 0 {
            wrong.push(format!("{} fires", fault.name));
        }
        if lie != provoke(&honest(), &steps).await {
            wrong.push(format!("{} shows", fault.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Faults of streams show on the GET stream that a handshake opens too.
fn fires_early(name: &str) -> bool {
    [
        "comments-and-retry",
        "no-event-ids",
        "forgets-session",
        "refuses-version-header",
        "requires-version-header",
    ]
    .contains(&name)
}

#[test]
fn faults_of_http_are_told_apart() {
    let over = |name: &str| FAULTS.iter().find(|fault| fault.name == name).unwrap().over;
    assert_eq!(over("crlf"), Over::Stdio);
    assert_eq!(over("json-only"), Over::Http);
    assert_eq!(over("ids-as-strings"), Over::Any);
}

async fn open(fault: &str) -> Client {
    let server = lying(Planted::named_on_http(fault).unwrap());
    Client::open(&server, "2025-11-25", json!({})).await
}

async fn first_id(exchange: &Exchange) -> String {
    let first = |seen: &Seen| {
        events(&seen.body)
            .first()
            .and_then(|event| event.id.clone())
    };
    exchange.until(first).await
}

#[tokio::test(start_paused = true)]
async fn statuses_are_what_the_names_say() {
    let foreign = Some("https://evil.example");
    let bad = Some("1999-01-01");
    let ask = |method: &'static str, name: &'static str, value: Option<&'static str>| {
        (method, vec![(name, value)])
    };
    for (fault, (method, changes), body, status) in [
        (
            "accepts-any-accept",
            ask("POST", "accept", Some("text/html")),
            PING,
            200,
        ),
        (
            "accepts-any-content-type",
            ask("POST", "content-type", None),
            PING,
            200,
        ),
        (
            "accepts-foreign-host",
            ask("POST", "host", Some("evil.example")),
            PING,
            200,
        ),
        (
            "accepts-foreign-origin",
            ask("GET", "origin", foreign),
            "",
            200,
        ),
        (
            "accepts-missing-session",
            ask("POST", "mcp-session-id", None),
            PING,
            200,
        ),
        (
            "accepts-unknown-session",
            ask("POST", "mcp-session-id", Some("x")),
            PING,
            200,
        ),
        (
            "missing-session-404",
            ask("POST", "mcp-session-id", None),
            PING,
            404,
        ),
        (
            "unknown-session-400",
            ask("POST", "mcp-session-id", Some("x")),
            PING,
            400,
        ),
        ("origin-400", ask("POST", "origin", foreign), PING, 400),
        (
            "ignores-version-header",
            ask("POST", "mcp-protocol-version", bad),
            PING,
            200,
        ),
        (
            "requires-version-header",
            ask("POST", "mcp-protocol-version", None),
            PING,
            400,
        ),
        (
            "refuses-accept-order",
            ask(
                "POST",
                "accept",
                Some("text/event-stream, application/json"),
            ),
            PING,
            406,
        ),
        (
            "refuses-accept-wildcard",
            ask("POST", "accept", Some("*/*")),
            PING,
            406,
        ),
        (
            "refuses-content-type-parameters",
            ask(
                "POST",
                "content-type",
                Some("application/json; charset=utf-8"),
            ),
            PING,
            415,
        ),
        ("malformed-200", ask("POST", "x-none", None), "{", 200),
        ("malformed-500", ask("POST", "x-none", None), "{", 500),
        (
            "html-error-for-malformed",
            ask("POST", "x-none", None),
            "{",
            400,
        ),
        ("get-200-json", ask("GET", "x-none", None), "", 200),
        ("get-404", ask("GET", "x-none", None), "", 404),
        ("no-get-stream", ask("GET", "x-none", None), "", 405),
        ("delete-204", ask("DELETE", "x-none", None), "", 204),
        ("delete-405", ask("DELETE", "x-none", None), "", 405),
    ] {
        let client = open(fault).await;
        let answer = client.ask(method, &changes, body);
        assert_eq!(answer.status().await, status, "{fault}");
        assert!(client.server.fired() > 0, "{fault}");
        let content_type = answer.header("content-type").await.unwrap_or_default();
        match fault {
            "html-error-for-malformed" => assert!(content_type.starts_with("text/html")),
            "get-200-json" => assert_eq!(content_type, "application/json"),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lying_server_is_otherwise_as_the_honest_one() {
    for fault in [
        "accepts-foreign-origin",
        "unknown-session-400",
        "malformed-500",
        "get-404",
    ] {
        let client = open(fault).await;
        assert_eq!(client.post(PING).status().await, 200, "{fault}");
        let host = [("host", Some("evil.example"))];
        assert_eq!(
            client.ask("POST", &host, PING).status().await,
            403,
            "{fault}"
        );
        assert_eq!(client.delete().status().await, 200, "{fault}");
        assert_eq!(client.post(PING).status().await, 404, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn notifications_get_another_status() {
    for (fault, status, body) in [
        ("notification-200", 200, ""),
        ("notification-204", 204, ""),
        ("notification-200-with-body", 200, "{}"),
    ] {
        let server = lying(Planted::named_on_http(fault).unwrap());
        let mut client = Client {
            server,
            session: None,
            version: None,
        };
        let hello = client.post(&initialize("2025-11-25", &json!({})));
        client.session = hello.header("mcp-session-id").await;
        let note = client.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert_eq!(note.status().await, status, "{fault}");
        assert_eq!(note.body().await, body, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_are_mistreated_as_the_names_say() {
    let client = open("keeps-deleted-session").await;
    assert_eq!(client.delete().status().await, 200);
    assert_eq!(client.post(PING).status().await, 200);

    let client = open("deleted-session-400").await;
    assert_eq!(client.delete().status().await, 200);
    assert_eq!(client.post(PING).status().await, 400);

    let client = open("forgets-session").await;
    assert_eq!(client.post(PING).status().await, 404);

    let client = open("forgets-session").await;
    let elsewhere = Client::open(&client.server, "2025-11-25", json!({})).await;
    assert_ne!(elsewhere.session, client.session);

    let client = open("session-id-with-space").await;
    assert!(client.session.as_ref().unwrap().contains(' '));
    assert_eq!(client.post(PING).status().await, 200);

    let first = open("predictable-session-ids").await;
    let second = Client::open(&first.server, "2025-11-25", json!({})).await;
    assert_eq!(first.session.as_deref(), Some("1"));
    assert_eq!(second.session.as_deref(), Some("2"));

    let first = open("reuses-session-id").await;
    let second = Client::open(&first.server, "2025-11-25", json!({})).await;
    assert_eq!(first.session, second.session);

    let client = open("no-session").await;
    assert_eq!(client.session, None);
    assert_eq!(client.post(PING).status().await, 200);
    let stream = client.listen().await;
    assert_eq!(client.delete().status().await, 405);
    assert!(!stream.is_over());
}

#[tokio::test(start_paused = true)]
async fn answers_go_astray_as_the_names_say() {
    let first = open("shares-sessions").await;
    let second = Client::open(&first.server, "2025-11-25", json!({})).await;
    let slow = first.post(SLOW);
    slow.status().await;
    let echo = second.tool(json!(9), "echo", json!({ "message": "mine" }));
    echo.body().await;
    slow.body().await;
    assert!(echo.messages().is_empty());
    assert_eq!(slow.messages()[0]["result"]["content"][0]["text"], "mine");

    let client = open("answers-on-get-stream").await;
    let listening = client.listen().await;
    let call = client.post(LOGGING);
    call.body().await;
    listening.message(|message| message["id"] == 8).await;
    assert_eq!(call.messages().len(), 3);

    let client = open("answers-on-all-streams").await;
    let listening = client.listen().await;
    let list = client.post(r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#);
    assert_eq!(list.json().await["id"], 3);
    listening.message(|message| message["id"] == 3).await;

    let client = open("broadcasts-on-all-streams").await;
    let uri = json!({ "uri": "test://watched-resource" });
    client.call("resources/subscribe", uri).await;
    let streams = [client.listen().await, client.listen().await];
    client.tool(json!(1), "touch", json!({})).body().await;
    for stream in &streams {
        stream
            .message(|message| message["method"] == "notifications/resources/updated")
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn streams_end_otherwise_as_the_names_say() {
    let client = open("closes-stream-before-answer").await;
    let call = client.post(SLOW);
    call.body().await;
    assert!(!call.is_broken() && call.messages().is_empty());
    wait(1000).await;
    let resumed = client.resume(&first_id(&call).await);
    resumed.body().await;
    assert!(resumed.messages().is_empty(), "the answer is lost");

    let client = open("keeps-stream-open-after-answer").await;
    let call = client.post(LOGGING);
    call.message(|message| message["id"] == 8).await;
    wait(100_000).await;
    assert!(!call.is_over());
}

#[tokio::test(start_paused = true)]
async fn resumption_goes_wrong_as_the_names_say() {
    for (fault, count) in [
        ("ignores-last-event-id", 0),
        ("replays-everything", 4),
        ("replays-other-streams", 1 + 4),
    ] {
        let client = open(fault).await;
        client.post(LOGGING).body().await;
        let call = client.post(LOGGING);
        let logged = call.all_events().await;
        let resumed = client.resume(logged[logged.len() - 2].id.as_deref().unwrap());
        wait(1000).await;
        assert_eq!(resumed.messages().len(), count, "{fault}");
    }
    let client = open("repeats-event-ids").await;
    let first = client.post(LOGGING).all_events().await;
    let second = client.post(LOGGING).all_events().await;
    assert_eq!(first[1].id, second[1].id);
}

#[tokio::test(start_paused = true)]
async fn lawful_variations_say_the_same_in_another_way() {
    let truth = Client::of_honest().await.post(LOGGING);
    truth.body().await;
    for fault in [
        "comments-and-retry",
        "no-event-ids",
        "sse-only",
        "slow-head",
        "one-request-at-a-time",
    ] {
        let client = open(fault).await;
        let call = client.post(LOGGING);
        call.body().await;
        assert_eq!(call.messages(), truth.messages(), "{fault}");
    }
    let client = open("sse-only").await;
    let ping = client.post(PING);
    ping.body().await;
    assert_eq!(ping.messages()[0]["id"], 7);

    let client = open("json-only").await;
    let listening = client.listen().await;
    let call = client.post(LOGGING);
    assert_eq!(call.json().await["id"], 8);
    assert_eq!(listening.messages().len(), 3);

    let client = open("no-event-ids").await;
    let events = client.post(LOGGING).all_events().await;
    assert!(events.len() == 4 && events.iter().all(|event| event.id.is_none()));

    let client = open("comments-and-retry").await;
    let call = client.post(LOGGING);
    let body = call.body().await;
    assert!(
        body.starts_with('\u{feff}') && body.contains("\r\n: ") && body.contains("\r\nretry: ")
    );

    let client = open("batches-in-one-event").await;
    let call = client.post(LOGGING);
    call.body().await;
    assert_eq!(call.messages()[3][0]["id"], 8);
}

#[tokio::test(start_paused = true)]
async fn a_polled_stream_is_served_on_resumption() {
    let client = open("polling").await;
    let call = client.post(SLOW);
    let events = call.all_events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].retry.as_deref(), Some("500"));
    let resumed = client.resume(events[0].id.as_deref().unwrap());
    resumed.body().await;
    assert_eq!(resumed.messages()[0]["id"], 9);

    let server = lying(Planted::named_on_http("polling").unwrap());
    let client = Client::open(&server, "2025-06-18", json!({})).await;
    let call = client.post(SLOW);
    call.body().await;
    assert_eq!(
        call.messages()[0]["id"],
        9,
        "earlier revisions know no polling"
    );
    assert_eq!(server.fired(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_request_is_served_after_the_other_whatever_its_session() {
    let first = open("one-request-at-a-time").await;
    let second = Client::open(&first.server, "2025-11-25", json!({})).await;
    let slow = first.post(SLOW);
    slow.status().await;
    let ping = second.post(PING);
    wait(300).await;
    assert!(ping.look(|seen| seen.status.is_none()));
    let note = second.post(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
    assert_eq!(note.status().await, 202);
    slow.body().await;
    assert_eq!(ping.status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn servers_die_and_hang_as_the_names_say() {
    let client = open("crashes-on-delete").await;
    let gone = [client.delete(), client.post(PING)];
    for gone in gone {
        gone.body().await;
        assert!(gone.is_broken());
    }
    let client = open("malformed-closes-socket").await;
    let broken = client.post("{");
    broken.body().await;
    assert!(broken.is_broken() && broken.look(|seen| seen.status.is_none()));
    assert_eq!(client.post(PING).status().await, 200, "the server lives");

    for fault in ["hangs-on-delete", "get-hangs"] {
        let client = open(fault).await;
        let asked = match fault {
            "get-hangs" => client.ask("GET", &[], ""),
            _ => client.delete(),
        };
        wait(100_000).await;
        assert!(
            asked.look(|seen| seen.status.is_none() && !seen.is_over),
            "{fault}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn early_requests_come_on_the_stream_of_initialize() {
    let server = lying(Planted::named_on_http("requests-before-initialized").unwrap());
    let client = Client {
        server,
        session: None,
        version: None,
    };
    let hello = client.post(&initialize("2025-11-25", &json!({ "roots": {} })));
    hello.body().await;
    let messages = hello.messages();
    assert_eq!(messages[0]["id"], "init");
    assert_eq!(messages[1]["method"], "roots/list");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_silently_leaves_its_stream_open() {
    let client = open("never-answers-ping").await;
    let ping = client.post(PING);
    assert_eq!(ping.status().await, 200);
    wait(100_000).await;
    assert!(!ping.is_over() && ping.messages().is_empty());
    let client = open("drops-id-zero").await;
    let ping = client.post(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#);
    assert_eq!(ping.status().await, 202, "as a notification");
}
