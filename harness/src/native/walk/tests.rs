use super::{KEPT_KEYS, MOST_BARREN, members_of, run, walk, walk_some};
use crate::era;
use crate::script::conversation::Conversation;
use crate::testing::{Wire, conversation, ordinary, refusal, result};
use mcp_assay_model::record::Missing;
use serde_json::{Value, json};
use std::time::Duration;

/// An open conversation with a server that answers `tools/list` as told: its page by cursor; null is an error, `None` silence.
async fn listing(
    page: impl Fn(Option<&str>) -> Option<Value> + Send + Sync + 'static,
) -> Conversation {
    let mut conversation = conversation(move |mut wire: Wire| async move {
        wire.serve(|message| {
            if message["method"] != "tools/list" {
                return ordinary(message);
            }
            match page(message["params"]["cursor"].as_str()) {
                Some(Value::Null) => vec![refusal(message, -32602)],
                Some(page) => vec![result(message, &page)],
                None => Vec::new(),
            }
        })
        .await
    });
    let _ = era::open(&mut conversation, Duration::from_secs(1)).await;
    conversation
}

fn page(names: &[&str], next: Option<&str>) -> Option<Value> {
    let tools: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let mut page = json!({ "tools": tools });
    if let Some(next) = next {
        page["nextCursor"] = json!(next);
    }
    Some(page)
}

#[tokio::test(start_paused = true)]
async fn a_list_is_followed_to_its_last_page_and_an_empty_cursor_is_one() {
    let mut conversation = listing(|cursor| match cursor {
        None => page(&["a", "b"], Some("")),
        Some("") => page(&[], Some("x")),
        Some(_) => page(&["c"], None),
    })
    .await;
    let bound = run("tools/list", &mut conversation).await;
    let expected =
        json!({ "list": "tools/list", "pages": 3, "keys": ["a", "b", "c"], "end": "last-page" });
    assert_eq!(bound.value, expected);
    assert_eq!(bound.seqs, [5, 7, 9]);
    assert_eq!(bound.missing, None);
}

#[tokio::test(start_paused = true)]
async fn null_is_no_cursor() {
    let mut conversation = listing(|_| Some(json!({ "tools": [], "nextCursor": null }))).await;
    assert_eq!(walk("tools/list", &mut conversation).await.end, "last-page");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_comes_again_is_a_loop() {
    let mut conversation = listing(|cursor| match cursor {
        Some("1") => page(&["b"], Some("2")),
        Some("2") => page(&["c"], Some("1")),
        _ => page(&["a"], Some("1")),
    })
    .await;
    let walk = walk("tools/list", &mut conversation).await;
    assert_eq!((walk.end, walk.seqs.len()), ("loop", 3));
    assert_eq!(walk.entries.len(), 3);
}

/// Page after page of these names, each with a cursor that was not there before.
async fn without_end(names: impl Fn(usize) -> Vec<String> + Send + Sync + 'static) -> Conversation {
    listing(move |cursor| {
        let number: usize = cursor.unwrap_or("0").parse().unwrap();
        let names = names(number);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        page(&names, Some(&(number + 1).to_string()))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_list_that_brings_nothing_new_is_given_up() {
    let alike = |_| vec!["a".to_owned(), "b".to_owned()];
    let empty = move |number| if number == 0 { alike(0) } else { Vec::new() };
    let mut conversation = without_end(alike).await;
    let walked = walk("tools/list", &mut conversation).await;
    assert_eq!((walked.end, walked.seqs.len()), ("barren", MOST_BARREN + 1));
    let mut conversation = without_end(empty).await;
    let walked = walk("tools/list", &mut conversation).await;
    assert_eq!((walked.end, walked.seqs.len()), ("barren", MOST_BARREN + 1));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up_at_the_bound() {
    let new = |number| vec![format!("t{number}")];
    let mut conversation = without_end(new).await;
    let walk = walk_some("tools/list", &mut conversation, 300).await;
    assert_eq!((walk.end, walk.seqs.len()), ("bound", 300));
}

#[tokio::test(start_paused = true)]
async fn a_million_entries_are_walked_in_bounded_memory() {
    const PAGES: usize = 1000;
    let mut conversation = listing(|cursor| {
        let number: usize = cursor.unwrap_or("0").parse().unwrap();
        let names = (0..1000).map(|entry| json!({ "name": format!("{number}-{entry}") }));
        let mut page = json!({ "tools": names.collect::<Vec<_>>() });
        if number + 1 < PAGES {
            page["nextCursor"] = json!((number + 1).to_string());
        }
        Some(page)
    })
    .await;
    let walk = walk("tools/list", &mut conversation).await;
    assert_eq!((walk.end, walk.seqs.len()), ("last-page", PAGES));
    assert_eq!(walk.entries.len(), KEPT_KEYS, "no more are kept");
    // What is kept parsed costs most: of a thousand pages only the first are.
    let parsed = walk.seqs.iter().filter(|seq| {
        let entry = conversation.entry(**seq).unwrap();
        entry.message.is_some()
    });
    let parsed = parsed.count();
    assert!((1..PAGES / 4).contains(&parsed), "{parsed}");
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_a_walk_on_whatever_page() {
    for pages in [1, 3] {
        let mut conversation = listing(move |cursor| {
            let number: usize = cursor.unwrap_or("1").parse().unwrap();
            if number == pages {
                return Some(Value::Null);
            }
            page(&["a"], Some(&(number + 1).to_string()))
        })
        .await;
        let walk = walk("tools/list", &mut conversation).await;
        assert_eq!((walk.end, walk.seqs.len()), ("error", pages));
        assert_eq!(walk.missing, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_never_comes_is_told_apart_by_the_fence() {
    let mut silent = listing(|cursor| match cursor {
        None => page(&["a"], Some("1")),
        Some(_) => None,
    })
    .await;
    let walked = walk("tools/list", &mut silent).await;
    assert_eq!(
        (walked.end, walked.missing),
        ("silent", Some(Missing::Silent))
    );
    assert_eq!(walked.entries.len(), 1);

    for (dies, end, missing) in [
        (false, "hung", Missing::Hung),
        (true, "died", Missing::Died),
    ] {
        let mut conversation = conversation(async move |mut wire: Wire| {
            wire.handshake(json!({})).await;
            let _ = wire.hear().await;
            if dies { 1 } else { wire.mute().await }
        });
        let _ = era::open(&mut conversation, Duration::from_secs(1)).await;
        let walked = walk("tools/list", &mut conversation).await;
        assert_eq!((walked.end, walked.missing), (end, Some(missing)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_no_list_has_no_entries() {
    for odd in [
        json!({}),
        json!({ "tools": {} }),
        json!({ "tools": [1] }),
        json!([]),
    ] {
        let shown = odd.clone();
        let mut conversation = listing(move |_| Some(odd.clone())).await;
        let bound = run("tools/list", &mut conversation).await;
        assert_eq!(bound.value["keys"], json!([]), "{shown}");
        assert_eq!(bound.value["end"], "last-page", "{shown}");
    }
}

#[test]
fn every_list_of_the_legacy_era_has_its_members() {
    for list in [
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    ] {
        let (member, key) = members_of(list);
        assert!(!member.is_empty() && !key.is_empty(), "{list}");
    }
}
