//! A client for tests: lines in, lines out, on paused time.

use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{Ended, FAULTS, NamedFault, Options, Planted, serve};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Split};
use tokio::task::JoinHandle;

pub const LEGACY: [Revision; 4] = [
    Revision::R2024_11_05,
    Revision::R2025_03_26,
    Revision::R2025_06_18,
    Revision::R2025_11_25,
];

/// A server under test and its streams.
pub struct Peer {
    input: Option<DuplexStream>,
    output: Split<BufReader<DuplexStream>>,
    serving: JoinHandle<Ended>,
    /// Every line that was read.
    pub read: Vec<String>,
}

/// What is left after the end.
pub struct Rest {
    pub lines: Vec<String>,
    pub ended: Ended,
}

impl Peer {
    pub fn start(options: Options) -> Peer {
        let (input, server_input) = tokio::io::duplex(1 << 20);
        let (server_output, output) = tokio::io::duplex(1 << 20);
        let serving = tokio::spawn(serve(options, server_input, server_output));
        Peer {
            input: Some(input),
            output: BufReader::new(output).split(b'\n'),
            serving,
            read: Vec::new(),
        }
    }

    /// An honest server, after the handshake.
    pub async fn open(revision: Revision) -> Peer {
        let mut peer = Peer::start(Options::default());
        peer.handshake(revision, json!({})).await;
        peer
    }

    /// A server that lies, after the handshake for the latest revision.
    pub async fn lying(fault: Planted) -> Peer {
        let mut peer = Peer::start(Options {
            fault: Some(fault),
            ..Options::default()
        });
        peer.handshake(Revision::R2025_11_25, json!({})).await;
        peer
    }

    pub async fn handshake(&mut self, revision: Revision, capabilities: Value) -> Value {
        let answer = self
            .ask(&initialize(revision.as_str(), &capabilities))
            .await;
        self.notify("notifications/initialized", json!({})).await;
        answer
    }

    pub async fn send(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes()).await;
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        // A server that has ended takes nothing more.
        drop(input.write_all(bytes).await);
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.send(&message.to_string()).await;
    }

    pub async fn request(&mut self, id: Value, method: &str, params: Value) {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(&message.to_string()).await;
    }

    /// The next line.
    pub async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(100), self.output.next_segment());
        let line = line.await.expect("a line in time");
        let line = line.unwrap().expect("a line before the end");
        let line = String::from_utf8(line).unwrap();
        self.read.push(line.clone());
        line
    }

    /// The next line as JSON.
    pub async fn message(&mut self) -> Value {
        let line = self.line().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Sends a line and reads one.
    pub async fn ask(&mut self, line: &str) -> Value {
        self.send(line).await;
        self.message().await
    }

    /// Calls a method and reads one line.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.request(json!("c"), method, params).await;
        self.message().await
    }

    /// Calls a method as a modern client does and reads one line.
    pub async fn modern(&mut self, method: &str, params: Value) -> Value {
        self.ask(&modern(json!("m"), method, params).to_string())
            .await
    }

    /// Calls a tool and reads one line.
    pub async fn tool(&mut self, name: &str, arguments: Value) -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        self.call("tools/call", params).await
    }

    /// The lines that come within this time.
    pub async fn listen(&mut self, ms: u64) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(ms);
        let mut lines = Vec::new();
        while let Ok(Ok(Some(line))) =
            tokio::time::timeout_at(deadline, self.output.next_segment()).await
        {
            let line = String::from_utf8(line).unwrap();
            self.read.push(line.clone());
            lines.push(line);
        }
        lines
    }

    pub fn close_input(&mut self) {
        self.input = None;
    }

    pub fn is_ended(&self) -> bool {
        self.serving.is_finished()
    }

    /// Ends the input and reads what is left.
    pub async fn close(mut self) -> Rest {
        self.close_input();
        self.rest().await
    }

    /// Reads to the end of the output, without ending the input.
    pub async fn rest(mut self) -> Rest {
        let lines = self.listen(100_000).await;
        let ended = tokio::time::timeout(Duration::from_secs(100), self.serving);
        let ended = ended.await.expect("it ends in time").unwrap();
        Rest { lines, ended }
    }
}

pub fn initialize(version: &str, capabilities: &Value) -> String {
    json!({
        "jsonrpc": "2.0",
        "id": "init",
        "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
    .to_string()
}

/// A modern request: what every one has in `_meta` is added to the parameters.
pub fn modern(id: Value, method: &str, mut params: Value) -> Value {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if let Some(more) = params["_meta"].as_object() {
        meta.as_object_mut().unwrap().extend(more.clone());
    }
    params["_meta"] = meta;
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

pub fn code(message: &Value) -> i64 {
    let code = message["error"]["code"].as_i64();
    code.unwrap_or_else(|| panic!("an error, not {message}"))
}

pub fn named(name: &str) -> &'static NamedFault {
    let fault = FAULTS.iter().find(|fault| fault.name == name);
    fault.unwrap_or_else(|| panic!("{name} is in the list"))
}
