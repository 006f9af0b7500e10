//! Redirects: followed with method and body on the same host, each head seen.

use crate::support::{all_of, client, exchange, json, refusing, serve, settings};
use bytes::Bytes;
use mcp_assay_transport::http::{Body, Client};
use std::sync::Arc;

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 5\r\n\r\nthere")
}

#[tokio::test]
async fn method_and_body_go_with_it() {
    for status in [301, 302, 307, 308] {
        let (url, asked) = serve(move |mut peer| async move {
            while let Some(request) = peer.request().await {
                let is_there = request.contains("/mcp/ HTTP");
                let answer = if is_there {
                    json("{}")
                } else {
                    to(status, "/mcp/")
                };
                peer.write(answer).await;
            }
        })
        .await;
        let mut client = client(&url);
        client.set_session(Some(Bytes::from_static(b"s")));
        client.post(Bytes::from_static(b"{\"id\":1}"));
        let all = all_of(&mut client, 1).await;
        let first = format!("head {status}");
        assert_eq!(all, [first.as_str(), "head 200", "body {}", "complete"]);
        assert_eq!(asked.one(1), asked.one(0).replace("/mcp ", "/mcp/ "));
        let started = client.request("DELETE", &[], Body::None);
        let all = all_of(&mut client, started.exchange).await;
        assert_eq!(all[1], "head 200");
        assert!(asked.one(3).starts_with("DELETE /mcp/ "));
    }
}

#[tokio::test]
async fn a_loop_ends() {
    let (url, asked) = serve(|peer| peer.answer_all(to(307, "/mcp"))).await;
    let mut client = client(&url);
    let all = exchange(&mut client).await;
    assert_eq!(asked.all().len(), 6);
    assert_eq!(all.len(), 7);
    let why = format!("failed: redirected more than 5 times, at last to {url}");
    assert_eq!(all[6], why);
}

#[tokio::test]
async fn another_host_is_not_asked() {
    let (url, _) = serve(|peer| peer.answer_all(to(308, "http://localhost/mcp"))).await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all[0], "head 308");
    assert!(
        all[1].starts_with("failed: redirected to http://localhost/mcp: another host"),
        "{all:?}"
    );
}

#[tokio::test]
async fn another_port_learns_no_secrets() {
    let (there, asked) = serve(|peer| peer.answer_all(json("{}"))).await;
    let (here, asked_here) = serve(move |peer| peer.answer_all(to(307, &there))).await;
    let mut settings = settings(&here.replace("http://", "http://me:pw@"));
    settings.headers = vec![("X-Key".into(), "k".into())];
    let mut client = Client::streamable(Arc::new(settings));
    assert_eq!(exchange(&mut client).await[1], "head 200");
    assert!(
        asked_here
            .one(0)
            .contains("Authorization: Basic bWU6cHc=\r\nX-Key: k\r\n")
    );
    assert!(!asked.one(0).contains("Authorization"));
    assert!(!asked.one(0).contains("X-Key"));
    assert!(!asked_here.one(0).contains("me:pw"));
}

#[tokio::test]
async fn a_place_that_refuses_ends_the_exchange() {
    let (_socket, address) = refusing();
    let there = format!("http://{address}/x");
    let place = there.clone();
    let (here, _) = serve(move |peer| peer.answer_all(to(307, &place))).await;
    let all = exchange(&mut client(&here)).await;
    let why = format!("failed: redirected to {there}: {address}: connection refused");
    assert_eq!(all, ["head 307", &why]);
}
