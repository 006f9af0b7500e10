use super::{SentState, answered_by};
use mcp_assay_model::record::Sent;
use mcp_assay_wire::jsonrpc::{RawId, classify};

/// A message in an exchange of its own.
fn state(id: Option<&str>, exchange: u64, answerable: bool) -> SentState {
    SentState {
        sent: Sent {
            id: id.map(|id| RawId(id.to_owned())),
            exchange: Some(exchange),
            ..Sent::default()
        },
        answerable,
        is_fence: false,
    }
}

fn request(id: &str, exchange: u64) -> SentState {
    state(Some(id), exchange, true)
}

fn note(exchange: u64) -> SentState {
    state(None, exchange, false)
}

/// What is no request one could read, or a batch as a whole.
fn unreadable(exchange: u64) -> SentState {
    state(None, exchange, true)
}

fn answered(mut state: SentState) -> SentState {
    state.sent.replies.push(2);
    state
}

fn fence(id: &str, exchange: u64) -> SentState {
    SentState {
        is_fence: true,
        ..request(id, exchange)
    }
}

#[test]
fn an_exchange_says_what_is_meant_where_an_id_does_not() {
    let five_and_six = || vec![request("5", 1), request("6", 2)];
    let batch = || vec![unreadable(1), request("5", 1), request("6", 1), note(1)];
    let refusal = r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}"#;
    // What it shows, what was sent, the response, its exchange, and what it answers.
    let table = [
        (
            "its id, where it travelled",
            five_and_six(),
            r#"{"id":6,"result":{}}"#,
            2,
            Some(1),
        ),
        (
            "its id, in another's exchange",
            five_and_six(),
            r#"{"id":6,"result":{}}"#,
            1,
            Some(1),
        ),
        (
            "its id, on the server's own stream",
            five_and_six(),
            r#"{"id":6,"result":{}}"#,
            3,
            Some(1),
        ),
        (
            "a loosely equal id there",
            five_and_six(),
            r#"{"id":"6","result":{}}"#,
            3,
            Some(1),
        ),
        (
            "an unknown id there",
            vec![request("5", 1)],
            r#"{"id":9,"result":{}}"#,
            3,
            None,
        ),
        ("no id there", vec![request("5", 1)], refusal, 3, None),
        (
            "a null id there",
            vec![request("5", 1)],
            r#"{"id":null,"error":{}}"#,
            3,
            None,
        ),
        (
            "equal ids, the second",
            vec![request("5", 1), request("5", 2)],
            r#"{"id":5,"result":{}}"#,
            2,
            Some(1),
        ),
        (
            "equal ids, the first",
            vec![request("5", 1), request("5", 2)],
            r#"{"id":5,"result":{}}"#,
            1,
            Some(0),
        ),
        (
            "equal ids, the second twice",
            vec![request("5", 1), answered(request("5", 2))],
            r#"{"id":5,"result":{}}"#,
            2,
            Some(1),
        ),
        (
            "a null id",
            five_and_six(),
            r#"{"id":null,"error":{}}"#,
            2,
            Some(1),
        ),
        ("no id", five_and_six(), refusal, 2, Some(1)),
        (
            "a result without an id",
            five_and_six(),
            r#"{"result":{}}"#,
            1,
            Some(0),
        ),
        (
            "an unknown id",
            five_and_six(),
            r#"{"id":9,"result":{}}"#,
            2,
            Some(1),
        ),
        (
            "no id, once it is answered",
            vec![answered(request("5", 1))],
            refusal,
            1,
            None,
        ),
        (
            "an unknown id, once it is answered",
            vec![answered(request("5", 1))],
            r#"{"id":9,"result":{}}"#,
            1,
            Some(0),
        ),
        (
            "a notification is refused",
            vec![note(1), request("5", 2)],
            refusal,
            1,
            None,
        ),
        (
            "a notification gets a response",
            vec![note(1), request("5", 2)],
            r#"{"id":9,"result":{}}"#,
            1,
            Some(0),
        ),
        (
            "a fence is refused without an id",
            vec![fence("7", 1)],
            refusal,
            1,
            Some(0),
        ),
        (
            "bytes are refused",
            vec![request("5", 1), unreadable(2)],
            refusal,
            2,
            Some(1),
        ),
        (
            "an item of a batch",
            batch(),
            r#"{"id":6,"result":{}}"#,
            1,
            Some(2),
        ),
        ("a batch is refused", batch(), refusal, 1, Some(0)),
    ];
    for (what, sent, response, exchange, meant) in table {
        let response = classify(response.as_bytes()).unwrap();
        assert_eq!(
            answered_by(&response, &sent, Some(exchange)),
            meant,
            "{what}"
        );
    }
}

#[test]
fn without_exchanges_an_unreadable_id_means_the_only_request() {
    let response = classify(br#"{"id":null,"error":{}}"#).unwrap();
    let sent = [note(1), request("5", 2)];
    assert_eq!(answered_by(&response, &sent, None), Some(1));
}
