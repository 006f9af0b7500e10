use super::run;
use crate::era;
use crate::native::Means;
use crate::script::conversation::Conversation;
use crate::testing::{Wire, conversation, ordinary, refusal, result};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An open conversation with a server whose resources stand on two pages, as `pages` has them in each walk; what `is_there` says can be read.
async fn listing(
    pages: fn(usize) -> [Vec<&'static str>; 2],
    is_there: fn(&str) -> bool,
) -> Conversation {
    let walks = AtomicUsize::new(0);
    let mut conversation = conversation(move |mut wire: Wire| async move {
        wire.serve(|message| match message["method"].as_str() {
            Some("resources/list") => {
                let is_first = message["params"]["cursor"].is_null();
                let walk = if is_first {
                    walks.fetch_add(1, Ordering::Relaxed)
                } else {
                    walks.load(Ordering::Relaxed) - 1
                };
                let [first, second] = pages(walk);
                let entries = if is_first { first } else { second };
                let entries: Vec<Value> = entries.iter().map(|uri| json!({ "uri": uri })).collect();
                let mut page = json!({ "resources": entries });
                if is_first {
                    page["nextCursor"] = json!("next");
                }
                vec![result(message, &page)]
            }
            Some("resources/read") => {
                if is_there(message["params"]["uri"].as_str().unwrap_or_default()) {
                    vec![result(message, &json!({ "contents": [] }))]
                } else {
                    vec![refusal(message, -32002)]
                }
            }
            _ => ordinary(message),
        })
        .await
    });
    let _ = era::open(&mut conversation, Duration::from_secs(1)).await;
    conversation
}

async fn missed(mut conversation: Conversation) -> Value {
    let bound = run("resources/list", &mut conversation, &Means::default()).await;
    assert_eq!(bound.missing, None);
    bound.value["missed"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_comes_and_goes_is_missed_only_where_it_was_there_all_the_while() {
    let skipping = |walk: usize| {
        let second = if walk == 1 { vec![] } else { vec!["b:b"] };
        [vec!["a:a"], second]
    };
    let missed_now = missed(listing(skipping, |_| true).await).await;
    assert_eq!(missed_now[0]["key"], "b:b");
    let gone = missed(listing(skipping, |uri| uri != "b:b").await).await;
    assert_eq!(
        gone,
        json!([]),
        "it is not there, so it may have gone and come back"
    );
    let growing = |walk: usize| {
        let second = if walk == 0 { vec![] } else { vec!["b:b"] };
        [vec!["a:a"], second]
    };
    assert_eq!(missed(listing(growing, |_| true).await).await, json!([]));
    let shrinking = |walk: usize| {
        let second = if walk == 0 { vec!["b:b"] } else { vec![] };
        [vec!["a:a"], second]
    };
    assert_eq!(missed(listing(shrinking, |_| true).await).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_listed_and_can_be_read_counts_on_conformance_servers_alone() {
    let plain = |_: usize| [vec!["a:a"], vec!["b:b"]];
    assert_eq!(missed(listing(plain, |_| true).await).await, json!([]));
    let known = |_: usize| [vec!["test://static-text"], vec!["b:b"]];
    let missed_now = missed(listing(known, |_| true).await).await;
    assert_eq!(missed_now[0]["key"], "test://static-binary");
    let absent = missed(listing(known, |uri| uri != "test://static-binary").await).await;
    assert_eq!(absent, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_is_used_again_is_told_with_both_of_its_pages() {
    let mut conversation = listing(|_| [vec!["a:a"], vec!["b:b", "a:a"]], |_| true).await;
    let bound = run("resources/list", &mut conversation, &Means::default()).await;
    assert_eq!(bound.value["again"][0]["first"], json!(["b:b", "a:a"]));
    assert_eq!(bound.value["again"][0]["second"], json!(["b:b", "a:a"]));
    assert_eq!(bound.value["overlaps"][0]["key"], "a:a");
    assert_eq!(bound.value["alike"], true);
}
