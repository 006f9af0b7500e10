//! The native step `two_clients`.

use super::http::{FAIL, GIVEN, PASS, judged, native, of_native, open, opened};
use crate::testing::http::{Asked, Say, Site, json_answer, ordinary_answer};
use mcp_assay_model::record::{Bound, Missing};
use mcp_assay_model::verdict::Reason;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};

#[tokio::test(start_paused = true)]
async fn two_clients_get_each_its_own() {
    for (fault, sessions, answers, session) in [
        (None, "two", PASS, PASS),
        (
            Some("no-session"),
            "none",
            PASS,
            (None, Some(Reason::Session)),
        ),
        (Some("reuses-session-id"), "shared", PASS, FAIL),
    ] {
        let mut conversation = opened(fault).await;
        let bound = native(&mut conversation, "two_clients", None, json!({})).await;
        assert_eq!(bound.value["second"], "open", "{fault:?}");
        assert_eq!(bound.value["sessions"], sessions, "{fault:?}");
        let questions = bound.value["questions"].as_array().unwrap();
        let asked: Vec<(&str, &str)> = questions
            .iter()
            .map(|question| {
                (
                    question["client"].as_str().unwrap(),
                    question["kind"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            asked,
            [
                ("c", "error"),
                ("d", "result"),
                ("c", "result"),
                ("d", "error")
            ]
        );
        for question in questions {
            let entry = conversation
                .entry(question["seq"].as_u64().unwrap())
                .unwrap();
            assert_eq!(entry.connection, question["client"].as_str().unwrap());
        }
        assert_eq!(bound.seqs.len(), 4);
        assert_eq!(
            of_native(&conversation, &bound, "own-answers"),
            answers,
            "{fault:?}"
        );
        assert_eq!(
            of_native(&conversation, &bound, "own-session"),
            session,
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_clients_ask_with_equal_ids_so_that_a_mix_up_shows() {
    let mut conversation = opened(None).await;
    let bound = native(&mut conversation, "two_clients", None, json!({})).await;
    let asked_by = |seq: &u64| {
        let asked = conversation.entry(*seq).unwrap().answers.unwrap();
        let message = conversation.entry(asked).unwrap().message.as_ref();
        message.unwrap().id.clone().unwrap().0
    };
    let ids: Vec<String> = bound.seqs.iter().map(asked_by).collect();
    assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]), "one of each client");
    assert_ne!(ids[0], ids[2]);
    // Whoever mixes them up gives each client the other's answers.
    let mut bound = bound;
    bound.value["questions"][0]["kind"] = json!("result");
    let judged = of_native(&conversation, &bound, "own-answers");
    assert_eq!(judged, FAIL);
}

#[tokio::test(start_paused = true)]
async fn the_session_ids_of_two_clients_are_kept() {
    for (fault, expected) in [(None, PASS), (Some("predictable-session-ids"), FAIL)] {
        let mut conversation = opened(fault).await;
        let bound = native(&mut conversation, "two_clients", None, json!({})).await;
        assert_eq!(bound.value["ids"].as_array().unwrap().len(), 2, "{fault:?}");
        let judged = of_native(&conversation, &bound, "session-uncounted");
        assert_eq!(judged, expected, "{fault:?}");
    }
}

/// A server that answers the second client's first message so.
fn second_client(say: Say) -> Site {
    let times = AtomicU64::new(0);
    Site::new(move |asked: &Asked| {
        if asked.what() == "initialize" && times.fetch_add(1, Ordering::Relaxed) == 1 {
            return say.clone();
        }
        ordinary_answer(asked)
    })
}

#[tokio::test(start_paused = true)]
async fn a_second_client_may_be_refused_and_leaves_its_trace() {
    let refusal = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"one at a time"}}"#;
    for say in [json_answer(400, refusal), Say::hang_up()] {
        let mut conversation = second_client(say).conversation();
        open(&mut conversation).await;
        let bound = native(&mut conversation, "two_clients", None, json!({})).await;
        assert_eq!(
            (&bound.value["second"], bound.missing),
            (&json!("refused"), None)
        );
        assert!(
            conversation
                .entries()
                .iter()
                .any(|entry| entry.connection == "d")
        );
        assert_eq!(of_native(&conversation, &bound, "own-answers"), GIVEN);
        assert_eq!(
            of_native(&conversation, &bound, "own-session"),
            (None, Some(Reason::Session))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_to_one_client_alone_is_not_blamed_for_two() {
    let pings = AtomicU64::new(0);
    let site = Site::new(move |asked| match asked.what().as_str() {
        // The first client's questions alone are answered, and its fences not.
        "ping" if pings.fetch_add(1, Ordering::Relaxed) > 0 => Say::nothing(),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open(&mut conversation).await;
    let bound = native(&mut conversation, "two_clients", None, json!({})).await;
    assert_eq!(bound.missing, Some(Missing::Hung));
    assert!(
        conversation
            .entries()
            .iter()
            .any(|entry| entry.connection == "d")
    );
    let judgement = judged(&conversation, Bound::Native(bound), "own-answers");
    assert_eq!(
        judgement.missing.map(|missing| missing.why),
        Some(Missing::Hung)
    );
}
