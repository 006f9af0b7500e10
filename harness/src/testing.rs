//! Scripted servers and cards for the tests of this crate: lines in memory, on a clock that jumps.

pub(crate) mod http;

use crate::native::Means;
use crate::native::permission::Permissions;
use crate::prove::fixtures_in;
use crate::run::attempt::{Attempt, Stage, attempt};
use crate::run::gate::GatePolicy;
use crate::run::interpret::results;
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::run::probe::Choice;
use crate::run::settings::Settings;
use crate::script::conversation::Conversation;
use crate::script::pace::Pace;
use crate::target::{Launcher, Link, Script, Target};
use mcp_assay_catalogue::{Catalogue, card};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Record;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::scenario::{Scenario, Source};
use mcp_assay_transport::connection::{Bounds, Connection};
use mcp_assay_transport::memory;
use mcp_assay_transport::pipes::Pipes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::time::Instant;

/// The revision that tests run in.
pub(crate) const REVISION: Revision = Revision::R2025_11_25;

/// A server's end of a connection.
pub(crate) struct Wire {
    input: BufReader<DuplexStream>,
    output: DuplexStream,
}

impl Wire {
    fn new(input: DuplexStream, output: DuplexStream) -> Self {
        Wire {
            input: BufReader::new(input),
            output,
        }
    }

    /// The next line without its end; `None` at the end of input.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let read = self.input.read_until(b'\n', &mut line).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        (read > 0).then_some(text)
    }

    /// The next line as JSON, null where it is none; `None` at the end of input.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        let line = self.line().await?;
        Some(serde_json::from_str(&line).unwrap_or_default())
    }

    /// Writes a line.
    pub(crate) async fn say(&mut self, line: impl AsRef<str>) {
        self.write(format!("{}\n", line.as_ref()).as_bytes()).await;
    }

    /// Writes bytes. A client that went away is no matter of the server's.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.output.write_all(bytes).await;
    }

    /// Hears the handshake and answers it; the capabilities are those given.
    pub(crate) async fn handshake(&mut self, capabilities: Value) {
        let asked = self.hear().await.unwrap_or_default();
        self.say(welcome(&asked, capabilities)).await;
        let _ = self.hear().await;
    }

    /// Answers each message with these lines, to the end of input.
    pub(crate) async fn serve(&mut self, mut answer: impl FnMut(&Value) -> Vec<String>) -> i32 {
        while let Some(message) = self.hear().await {
            for line in answer(&message) {
                self.say(line).await;
            }
        }
        0
    }

    /// Reads and says nothing, to the end of input.
    pub(crate) async fn mute(&mut self) -> i32 {
        self.serve(|_| Vec::new()).await
    }
}

/// A result response to a request.
pub(crate) fn result(request: &Value, result: &Value) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
        request["id"]
    )
}

/// An error response to a request.
pub(crate) fn refusal(request: &Value, code: i64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":{code},"message":"no"}}}}"#,
        request["id"]
    )
}

/// The result of `initialize`, in the revision that was asked for.
pub(crate) fn welcome(request: &Value, capabilities: Value) -> String {
    let told = json!({
        "protocolVersion": request["params"]["protocolVersion"],
        "capabilities": capabilities,
        "serverInfo": { "name": "scripted", "version": "1" },
    });
    result(request, &told)
}

/// What every server does: answers `initialize` and `ping`, and refuses methods that it does not know.
pub(crate) fn ordinary(message: &Value) -> Vec<String> {
    if message.get("id").is_none() {
        return Vec::new();
    }
    vec![match message["method"].as_str() {
        Some("initialize") => welcome(message, json!({})),
        Some("ping") => result(message, &json!({})),
        Some(_) => refusal(message, -32601),
        None => return Vec::new(),
    }]
}

/// An ordinary server that leaves one method unanswered.
pub(crate) fn silent_on(method: &'static str) -> impl Fn(&Value) -> Vec<String> + Clone {
    move |message| {
        if message["method"] == method {
            Vec::new()
        } else {
            ordinary(message)
        }
    }
}

/// Starts a scripted server.
pub(crate) fn pipes<F>(script: impl FnOnce(Wire) -> F) -> Pipes
where
    F: Future<Output = i32> + Send + 'static,
{
    memory::spawn(|input, output| script(Wire::new(input, output)))
}

/// The deadlines of the contract.
pub(crate) fn pace() -> Arc<Pace> {
    Arc::new(Pace::new(Duration::from_secs(30), Duration::from_secs(20)))
}

/// A bare conversation with a scripted server.
pub(crate) fn conversation<F>(script: impl FnOnce(Wire) -> F) -> Conversation
where
    F: Future<Output = i32> + Send + 'static,
{
    bounded_conversation(Bounds::default(), script)
}

/// A bare conversation under bounds of its own.
pub(crate) fn bounded_conversation<F>(
    bounds: Bounds,
    script: impl FnOnce(Wire) -> F,
) -> Conversation
where
    F: Future<Output = i32> + Send + 'static,
{
    let connection = Connection::new(pipes(script), Instant::now(), bounds);
    let link = Link::Pipes(connection);
    Conversation::new(
        link,
        Binding::Memory,
        crate::era::Manner::new(Revision::R2025_11_25),
        "c",
        pace(),
        HashSet::new(),
    )
}

/// The embedded cards.
pub(crate) fn catalogue() -> Arc<Catalogue> {
    static EMBEDDED: LazyLock<Arc<Catalogue>> =
        LazyLock::new(|| Arc::new(Catalogue::embedded().expect("the embedded cards are sound")));
    Arc::clone(&EMBEDDED)
}

/// A card with this id; `rest` holds its steps, and its checks unless these are of no matter.
pub(crate) fn card_of(id: &str, rest: &str) -> Scenario {
    let checks = if rest.contains("\nchecks:") {
        ""
    } else {
        "checks:\n  - { name: any, title: t, rule: r, basis: robustness, on: q, expect: { reply: { type: object } } }\n"
    };
    let text = format!("id: {id}\nrole: server\nsince: 2024-11-05\n{rest}\n{checks}");
    let source = Arc::new(Source {
        path: "test.yaml".to_owned(),
        text,
    });
    card::parse(&source).unwrap_or_else(|broken| panic!("{}", broken.render(false)))
}

/// A card named `a/b`.
pub(crate) fn card(rest: &str) -> Scenario {
    card_of("a/b", rest)
}

/// A stage over a target, with the fixtures of the reference peer and permission to call everything.
pub(crate) fn stage(target: Target) -> Stage {
    let catalogue = catalogue();
    let means = Means {
        permissions: Permissions::new(&["*"], false).expect("a star is a glob"),
        capabilities: json!({}),
        ..Means::default()
    };
    Stage {
        launcher: Launcher::new(target, false)
            .expect("memory needs no thread")
            .with_facts(&catalogue),
        pace: pace(),
        catalogue,
        fixtures: fixtures_in(REVISION),
        found: BTreeMap::new(),
        means: BTreeMap::from([(REVISION, means)]),
    }
}

/// A target that runs this script for each connection.
pub(crate) fn scripted<F>(script: impl Fn(Wire) -> F + Clone + Send + Sync + 'static) -> Target
where
    F: Future<Output = i32> + Send + 'static,
{
    Target::Scripted(Script::new(move || Ok(pipes(script.clone()))))
}

/// A target that answers each message with these lines.
pub(crate) fn answering(
    answer: impl Fn(&Value) -> Vec<String> + Clone + Send + Sync + 'static,
) -> Target {
    scripted(move |mut wire| {
        let answer = answer.clone();
        async move { wire.serve(answer).await }
    })
}

/// The cases of a card in the revision of the tests.
pub(crate) fn cases(card: &Scenario) -> Vec<Case> {
    let offer = Offer {
        fixtures: BTreeMap::from([(REVISION, fixtures_in(REVISION))]),
        calls_allowed: BTreeSet::from([REVISION]),
        ..Offer::default()
    };
    plan(&[Chosen::whole(card)], &[REVISION], Binding::Memory, &offer)
}

/// The first case of a card.
pub(crate) fn case(card: &Scenario) -> Case {
    cases(card).swap_remove(0)
}

/// Runs the first case of a card against a target.
pub(crate) async fn play(card: &Scenario, target: Target) -> Record {
    let (attempt, _) = attempt(&stage(target), &case(card), None).await;
    attempt.record.expect("the card is sound")
}

/// Runs the first case of a card against a target, and judges it.
pub(crate) async fn judge(card: &Scenario, target: Target) -> (Attempt, Vec<CheckResult>) {
    let (stage, case) = (stage(target), case(card));
    let (attempt, _) = attempt(&stage, &case, None).await;
    let results = results(&stage, &case, &attempt);
    (attempt, results)
}

/// What was sent in a conversation, line by line.
pub(crate) fn sent(record: &Record) -> Vec<String> {
    use mcp_assay_model::record::Direction;
    let sent = record
        .entries
        .iter()
        .filter(|entry| entry.direction == Direction::Sent);
    sent.map(|entry| String::from_utf8_lossy(&entry.raw).into_owned())
        .collect()
}

/// Settings of a run of these cards in the revision of the tests: everything allowed, and the usual gate.
pub(crate) fn settings(chosen: Vec<Chosen>) -> Settings {
    Settings {
        chosen,
        choice: Choice::Exact(REVISION),
        jobs: 4,
        seed: 1,
        permissions: Permissions::new(&["*"], false).expect("a star is a glob"),
        calls_allowed: true,
        may_measure: false,
        gate: GatePolicy::default(),
        rerun: ("mcp-assay run --seed 1".to_owned(), " -- server".to_owned()),
        started: "2026-01-01T00:00:00.000Z".to_owned(),
    }
}
