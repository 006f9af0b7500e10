//! The reference server over each binding, with a client of rmcp at the other end.

use crate::client::Witness;
use mcp_assay_peer::{Cause, Ended, HttpOptions, HttpServer, Options};
use rmcp::model::ProtocolVersion;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::task::JoinHandle;

/// How long an end may take: far less than what the server would wait for a request that still runs.
const PROMPTLY: Duration = Duration::from_secs(5);

/// What carries the messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Binding {
    /// Lines between two tasks of this process.
    Memory,
    /// Lines on the pipes of a process, `mcp-assay serve`.
    Stdio,
    /// Streamable HTTP on the loopback.
    Http,
}

impl Binding {
    /// Builds what a server needs, which may take longer than a tour.
    pub fn prepare(self) {
        match self {
            Binding::Memory | Binding::Http => {}
            Binding::Stdio => {
                mcp_assay();
            }
        }
    }
}

/// How the client begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifecycle {
    /// With `initialize`.
    Initialize,
    /// With `server/discover`.
    Discover,
    /// With `server/discover`, and `initialize` should the server not know it.
    Auto,
}

impl Lifecycle {
    fn mode(self, revision: ProtocolVersion) -> ClientLifecycleMode {
        match self {
            Lifecycle::Initialize => ClientLifecycleMode::Initialize,
            Lifecycle::Discover => ClientLifecycleMode::Discover {
                preferred_versions: vec![revision],
            },
            Lifecycle::Auto => ClientLifecycleMode::Auto {
                preferred_versions: vec![revision],
                legacy_version: Some(ProtocolVersion::V_2025_11_25),
            },
        }
    }
}

/// A client and its server.
pub struct Connected {
    /// The client.
    pub client: RunningService<RoleClient, Witness>,
    server: Server,
}

enum Server {
    Memory(JoinHandle<Ended>),
    Stdio(Box<Child>),
    Http {
        server: HttpServer,
        listening: JoinHandle<io::Result<()>>,
    },
}

impl Connected {
    /// Starts a server, and a client that begins in this way in this revision.
    pub async fn new(binding: Binding, lifecycle: Lifecycle, revision: ProtocolVersion) -> Self {
        let witness = Witness::new(revision.clone());
        let mode = lifecycle.mode(revision);
        let (client, server) = match binding {
            Binding::Memory => {
                let (near, far) = tokio::io::duplex(1 << 16);
                let (input, output) = tokio::io::split(far);
                // Longer than any end may take here: a request that was cancelled and still runs is seen.
                let options = Options {
                    drain_timeout: PROMPTLY * 10,
                    ..Options::default()
                };
                let serving = tokio::spawn(mcp_assay_peer::serve(options, input, output));
                let client = witness.serve_with_lifecycle(near, mode).await;
                (client, Server::Memory(serving))
            }
            Binding::Stdio => {
                let mut child = tokio::process::Command::new(mcp_assay())
                    .arg("serve")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .kill_on_drop(true)
                    .spawn()
                    .expect("the reference server starts");
                let input = child.stdout.take().expect("stdout is piped");
                let output = child.stdin.take().expect("stdin is piped");
                let client = witness.serve_with_lifecycle((input, output), mode).await;
                (client, Server::Stdio(Box::new(child)))
            }
            Binding::Http => {
                let server = HttpServer::new(HttpOptions::default());
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let address = listener.local_addr().expect("the port is known");
                let listening = tokio::spawn(mcp_assay_peer::listen(server.clone(), listener));
                let url = format!("http://{address}/mcp");
                let transport = StreamableHttpClientTransport::from_uri(url);
                let client = witness.serve_with_lifecycle(transport, mode).await;
                (client, Server::Http { server, listening })
            }
        };
        let client = client.expect("the client takes what the server says of itself");
        Connected { client, server }
    }

    /// Has the client go, and looks at how the server ends.
    pub async fn end(self) {
        self.client.cancel().await.expect("the client ends");
        match self.server {
            Server::Memory(serving) => {
                let ended = tokio::time::timeout(PROMPTLY, serving).await;
                let ended = ended.expect("the server ends with its input");
                let ended = ended.expect("the server did not panic");
                assert_eq!((ended.cause, ended.exit_code), (Cause::EndOfInput, 0));
            }
            Server::Stdio(mut child) => {
                let ended = tokio::time::timeout(PROMPTLY, child.wait()).await;
                let ended = ended.expect("the server ends with its input");
                assert!(ended.expect("the server was waited for").success());
            }
            Server::Http { server, listening } => {
                assert_eq!(server.sessions(), 0, "the client ended its session");
                listening.abort();
            }
        }
    }
}

/// The binary: what `MCP_ASSAY` names, or what cargo builds.
fn mcp_assay() -> &'static OsString {
    static BINARY: OnceLock<OsString> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("MCP_ASSAY").unwrap_or_else(built))
}

fn built() -> OsString {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let build = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "mcp-assay",
            "--bin",
            "mcp-assay",
        ])
        .args(["--message-format", "json", "--manifest-path", root])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(build.status.success(), "cargo does not build mcp-assay");
    let messages = String::from_utf8(build.stdout).expect("cargo writes text");
    let path = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(OsString::from(message["executable"].as_str()?))
    });
    path.expect("cargo says where the binary is")
}
