use crate::testing::{JSON, STREAM, Talk, watched};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#;

fn said(talk: &Talk) -> String {
    watched("answers", "once", talk)
}

fn asked() -> Talk {
    Talk::new().sent("q", PING)
}

#[test]
fn a_second_response_on_lines_is_found_whatever_it_says() {
    for (talk, expected) in [
        (asked().reply("q", PONG), "1"),
        (asked().reply("q", PONG).came(PONG), "2 duplicate #3 /id"),
        (asked().reply("q", PONG).came(ERROR), "2 duplicate #3 /id"),
        // Asked twice under one id, answered twice.
        (asked().sent("r", PING).came(PONG).came(PONG), "2"),
        // A request of the server's has ids of its own.
        (asked().reply("q", PONG).came(PING), "1"),
        // What was never asked is for another rule, and so is another spelling.
        (Talk::new().came(PONG).came(PONG), "0"),
        (
            asked().came(r#"{"jsonrpc":"2.0","id":"1","result":{}}"#),
            "0",
        ),
        (
            asked().came(r#"{"jsonrpc":"2.0","id":null,"result":{}}"#),
            "0",
        ),
    ] {
        assert_eq!(said(&talk), expected);
    }
}

#[test]
fn a_broken_request_with_an_id_is_answered_under_it_too() {
    let broken = r#"{"jsonrpc":"2.0","id":1,"method":7}"#;
    let talk = asked().sent("b", broken).came(ERROR).came(PONG);
    assert_eq!(said(&talk), "2");
}

#[test]
fn items_of_batches_are_counted_one_by_one() {
    let batch = format!("[{PING},{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}}]");
    let answers = format!("[{PONG},{{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{{}}}}]");
    let talk = Talk::new().sent("b", &batch).came(&answers);
    assert_eq!(said(&talk), "2");
    assert_eq!(said(&talk.came(PONG)), "3 duplicate #3 /id");
}

#[test]
fn over_http_an_exchange_stands_for_itself() {
    let stream =
        |talk: Talk, exchange| talk.head(exchange, 200, STREAM).event(exchange, None, PONG);
    let once = || stream(Talk::http().post("q", PING), 1);
    assert_eq!(said(&once()), "1");
    assert_eq!(said(&once().event(1, None, PONG)), "2 duplicate #4 /id");
    // The same request again, and the same answer on a stream that was taken up again.
    let again = once().post("r", PING).head(2, 200, JSON).body(2, PONG);
    assert_eq!(said(&again), "2");
}

#[test]
fn a_response_has_the_id_of_a_request() {
    let answer = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
    let said = |rule: &str, talk: &Talk| watched("answers", rule, talk);
    for (id, unknown, other) in [
        ("1", "1", "1"),
        ("1.0", "1", "1"),
        (r#""1""#, "1", "1 id #2 /id"),
        ("2", "1 unexpected-message #2 /id", "0"),
        ("null", "0", "0"),
    ] {
        let talk = asked().came(answer(id));
        assert_eq!(said("asked", &talk), unknown, "{id}");
        assert_eq!(said("same-id", &talk), other, "{id}");
    }
    // What cannot be read may have had any id, and so may what came before.
    assert_eq!(said("asked", &asked().raw("{").came(answer("2"))), "0");
    let mut earlier = asked();
    let two = mcp_assay_wire::jsonrpc::RawId("2".to_owned());
    earlier.record.past.ids.insert(two);
    assert_eq!(said("asked", &earlier.came(answer("2"))), "0");
}

#[test]
fn what_refuses_a_response_may_name_it_in_its_own_exchange() {
    let error = |id: u8| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32600,"message":"m"}}}}"#)
    };
    let stray = |text: &str| {
        let talk = Talk::http()
            .post("q", PING)
            .head(1, 200, JSON)
            .body(1, PONG)
            .answers("q");
        let talk = talk.post("s", r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
        watched("answers", "asked", &talk.head(2, 400, JSON).body(2, text))
    };
    assert_eq!(stray(&error(7)), "1");
    assert_eq!(stray(&error(8)), "2 unexpected-message #6 /id");
    assert_eq!(
        stray(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#),
        "2 unexpected-message #6 /id"
    );
    // Among lines it could be meant for a request of that id.
    let talk = asked().sent("s", r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    let talk = talk.came(error(7));
    assert_eq!(
        watched("answers", "asked", &talk),
        "1 unexpected-message #3 /id"
    );
}

#[test]
fn an_id_that_went_through_a_double_is_not_one_out_of_nowhere() {
    let ask = r#"{"jsonrpc":"2.0","id":9007199254741995,"method":"ping"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":9007199254741996,"result":{}}"#;
    let talk = Talk::new().sent("q", ask).came(answer);
    assert_eq!(watched("answers", "asked", &talk), "0");
    let ask = ask.replace("9007199254741995", "70000.5");
    let answer = answer.replace("9007199254741996", "70000");
    let talk = Talk::new().sent("q", &ask).came(answer);
    assert_eq!(watched("answers", "asked", &talk), "0");
}
