use super::{HttpTarget, Launcher, Link, Peer, Start, Target};
use bytes::Bytes;
use mcp_assay_model::protocol::Binding;
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::http::{Client, What};
use mcp_assay_transport::server_process::Ready;
use mcp_assay_transport::stdio::Command;
use std::time::Duration;
use tokio::time::Instant;

fn http(binding: Option<Binding>) -> HttpTarget {
    HttpTarget {
        endpoint: Endpoint::parse("http://me:passw0rd@127.0.0.1:1/mcp?key=t0ken")
            .expect("an address"),
        headers: vec![("Authorization".to_owned(), "Bearer s3cret".to_owned())],
        ca: Vec::new(),
        start: None,
        binding,
    }
}

fn client(link: Link) -> Client {
    match link {
        Link::Http(client, None) => client,
        Link::Http(_, Some(_)) => panic!("nothing was to be started"),
        Link::Pipes(_) => panic!("this is no address"),
    }
}

/// Posts a message and gives the status of the response.
async fn status(client: &mut Client, message: &str) -> u16 {
    let exchange = client
        .post(Bytes::copy_from_slice(message.as_bytes()))
        .exchange;
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Some(arrival) = client.next(deadline).await {
        match arrival.what {
            What::Head { status, .. } if arrival.exchange == exchange => return status,
            What::End(_) | What::Refused(_) if arrival.exchange == exchange => break,
            _ => {}
        }
    }
    panic!("no response to {message}");
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;

#[test]
fn nothing_secret_is_shown() {
    let start = Start {
        command: Command {
            env: vec![("KEY".to_owned(), "k3y".to_owned())],
            ..Command::new(["node"])
        },
        ready: Ready::Stdout("up".to_owned()),
        within: Duration::from_secs(1),
    };
    let target = Target::Http(HttpTarget {
        start: Some(start),
        ..http(None)
    });
    let shown = format!("{target:?}");
    for secret in ["passw0rd", "t0ken", "s3cret", "k3y"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(
        shown.contains("http://127.0.0.1:1/mcp") && shown.contains("Authorization"),
        "{shown}"
    );
    assert_eq!(
        target.url().as_deref(),
        Some("http://127.0.0.1:1/mcp?key=t0ken")
    );
    assert_eq!(target.argv(), ["node"]);
}

#[tokio::test(start_paused = true)]
async fn the_binding_of_an_address_is_set_once_it_is_known() {
    let mut launcher = Launcher::new(Target::Http(http(None)), true).expect("nothing to start");
    assert!(!launcher.knows_binding());
    assert_eq!(launcher.binding(), Binding::Http);
    launcher.set_binding(Binding::HttpSse);
    assert!(launcher.knows_binding());
    assert_eq!(
        (launcher.binding(), launcher.target().binding()),
        (Binding::HttpSse, Binding::HttpSse)
    );
    let client = client(launcher.open().await.expect("nothing is dialled yet"));
    assert!(!client.is_ready(), "HTTP+SSE has to be told where to post");
    let mut other =
        Launcher::new(Target::Peer(Peer::lines(None)), false).expect("memory needs no thread");
    other.set_binding(Binding::Http);
    assert_eq!(other.binding(), Binding::Memory);
    assert!(other.knows_binding());
    assert!(other.settings().await.expect("no error").is_none());
}

#[tokio::test(start_paused = true)]
async fn clients_of_an_address_carry_what_belongs_to_it() {
    let launcher =
        Launcher::new(Target::Http(http(Some(Binding::Http))), true).expect("nothing to start");
    let told = client(launcher.open().await.expect("nothing is dialled yet"));
    assert_eq!(told.settings().endpoint, http(None).endpoint);
    assert_eq!(told.settings().headers, http(None).headers);
    let settings = launcher
        .settings()
        .await
        .expect("no error")
        .expect("an address");
    assert_eq!(settings.headers, http(None).headers);
    assert_eq!((launcher.opened(), launcher.restarts().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_connection_to_the_reference_server_is_a_server_of_its_own_and_siblings_share_it() {
    let target = Target::Peer(Peer::over(Binding::Http, None));
    assert!(target.is_in_memory());
    let launcher = Launcher::new(target, false).expect("memory needs no thread");
    let mut first = client(launcher.open().await.expect("memory"));
    assert_eq!(status(&mut first, INITIALIZE).await, 200);
    let session = first.session().cloned().expect("a session");
    let mut sibling = first.sibling();
    sibling.set_session(Some(session.clone()));
    assert_eq!(
        status(&mut sibling, PING).await,
        200,
        "the sibling is let into the session"
    );
    let mut second = client(launcher.open().await.expect("memory"));
    second.set_session(Some(session));
    assert_eq!(
        status(&mut second, PING).await,
        404,
        "another server does not know it"
    );
    assert_eq!(launcher.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_reference_server_speaks_http_sse_in_memory() {
    let target = Target::Peer(Peer::over(Binding::HttpSse, None));
    let launcher = Launcher::new(target, false).expect("memory needs no thread");
    let mut client = client(launcher.open().await.expect("memory"));
    assert_eq!(status(&mut client, INITIALIZE).await, 202);
}
