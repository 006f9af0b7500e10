//! What the keys of a JSON text make of it.

use mcp_assay_wire::jsonrpc::{
    Cause, Kind, MAX_DEPTH, MAX_VALUES, Malformed, RawId, classify, examine,
};
use mcp_assay_wire::stdio::DefectKind;
use serde_json::{Value, json};

#[test]
fn kinds_follow_from_the_keys_alone() {
    use Malformed::*;
    for (text, kind) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Kind::Request),
        (r#"{"id":null,"method":"ping"}"#, Kind::Request),
        (r#"{"id":{},"method":""}"#, Kind::Request),
        (r#"{"m\u0065thod":"a"}"#, Kind::Notification),
        (r#"{"id":1,"result":null}"#, Kind::Result),
        (r#"{"result":{}}"#, Kind::Result),
        (r#"{"id":null,"error":null}"#, Kind::Error),
        (r#"{"error":{"code":1,"message":""}}"#, Kind::Error),
        (r#"[{"method":"a"}]"#, Kind::Batch),
        ("[1]", Kind::Batch),
        ("[]", Kind::Malformed(EmptyBatch)),
        ("1", Kind::Malformed(NotAnObject)),
        ("\"a\"", Kind::Malformed(NotAnObject)),
        ("true", Kind::Malformed(NotAnObject)),
        ("null", Kind::Malformed(NotAnObject)),
        ("{}", Kind::Malformed(NoKnownMember)),
        (
            r#"{"jsonrpc":"2.0","id":1}"#,
            Kind::Malformed(NoKnownMember),
        ),
        (
            r#"{"params":{"method":"a"}}"#,
            Kind::Malformed(NoKnownMember),
        ),
        (
            r#"{"method":"a","result":1}"#,
            Kind::Malformed(MethodAndResponse),
        ),
        (
            r#"{"method":null,"error":1}"#,
            Kind::Malformed(MethodAndResponse),
        ),
        (
            r#"{"method":"a","result":1,"error":1}"#,
            Kind::Malformed(MethodAndResponse),
        ),
        (
            r#"{"id":1,"result":1,"error":null}"#,
            Kind::Malformed(ResultAndError),
        ),
        (r#"{"method":1}"#, Kind::Malformed(MethodNotString)),
        (
            r#"{"method":null,"id":1}"#,
            Kind::Malformed(MethodNotString),
        ),
    ] {
        let message = classify(text.as_bytes()).expect("the text is JSON");
        assert_eq!(message.kind, kind, "{text}");
        assert_eq!(
            *message.value,
            serde_json::from_str::<Value>(text).expect("the text is JSON"),
            "{text}"
        );
    }
}

#[test]
fn ids_are_kept_as_they_were_sent() {
    for (text, id) in [
        (r#"{"id": 1.0 ,"result":1}"#, Some("1.0")),
        (r#"{"id":"\u0061","method":"m"}"#, Some(r#""\u0061""#)),
        (r#"{"\u0069d":null,"method":"m"}"#, Some("null")),
        (r#"{"id":[1, 2],"result":1}"#, Some("[1, 2]")),
        (r#"{"id":1,"id":2,"result":1}"#, Some("2")),
        (
            r#"{"id":123456789012345678901234567890,"result":1}"#,
            Some("123456789012345678901234567890"),
        ),
        (r#"{"id":5}"#, Some("5")),
        (r#"{"params":{"id":1},"method":"m"}"#, None),
        (r#"[{"id":1,"result":1}]"#, None),
    ] {
        let message = classify(text.as_bytes()).expect("the text is JSON");
        assert_eq!(message.id.map(|id| id.0).as_deref(), id, "{text}");
    }
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let message = classify(br#"{"method":"a","method":1,"method":"b","x":1,"x":2}"#)
        .expect("the text is JSON");
    assert_eq!(message.method.as_deref(), Some("b"));
    assert_eq!(*message.value, json!({"method": "b", "x": 2}));
    let message = classify(br#"{"method":"a","method":1}"#).expect("the text is JSON");
    assert_eq!(
        (message.kind, message.method),
        (Kind::Malformed(Malformed::MethodNotString), None)
    );
    let examined = examine(br#"{"error":{"code":1.0},"error":{"message":""}}"#, 0);
    assert!(
        examined
            .defects
            .iter()
            .all(|d| d.kind == DefectKind::DuplicateKey)
    );
}

#[test]
fn each_item_of_a_batch_is_a_message() {
    let text =
        br#" [ {"id":1.0,"method":"a"}, {"id":"x","result":[{"id":9}]}, 7, [{"method":"b"}] ]"#;
    let message = classify(text).expect("the text is JSON");
    let seen: Vec<_> = message
        .batch
        .iter()
        .map(|item| {
            (
                item.kind,
                item.id.as_ref().map(|id| id.0.as_str()),
                item.method.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Kind::Request, Some("1.0"), Some("a")),
            (Kind::Result, Some("\"x\""), None),
            (Kind::Malformed(Malformed::NotAnObject), None, None),
            (Kind::Malformed(Malformed::NotAnObject), None, None),
        ]
    );
    assert_eq!(*message.batch[1].value, message.value[1]);
    assert!(message.batch[3].batch.is_empty());
}

fn nested(levels: usize) -> String {
    // The object is the first level.
    format!(
        r#"{{"id":7,"result":{}{}}}"#,
        "[".repeat(levels - 1),
        "]".repeat(levels - 1)
    )
}

#[test]
fn depth_is_parsed_up_to_the_bound_and_classified_beyond_it() {
    let examined = examine(nested(MAX_DEPTH).as_bytes(), 0);
    assert_eq!(examined.defects, []);
    let value: Value = serde_json::from_str(&nested(MAX_DEPTH)).expect("the text is JSON");
    assert_eq!(*examined.message.expect("the text is JSON").value, value);

    for levels in [MAX_DEPTH + 1, 1_000_000] {
        let examined = examine(nested(levels).as_bytes(), 100);
        assert_eq!(examined.defects.len(), 1);
        assert_eq!(examined.defects[0].kind, DefectKind::TooDeep);
        assert_eq!(
            examined.defects[0].offset,
            100 + 17 + (MAX_DEPTH as u64 - 1)
        );
        let message = examined.message.expect("the text is JSON");
        assert_eq!(
            (message.kind, message.id),
            (Kind::Result, Some(RawId("7".to_owned())))
        );
    }
}

#[test]
fn a_wide_text_is_not_deep() {
    let siblings = r#"{"a":[]},[{}],"#.repeat(1_000);
    let text = format!(r#"{{"result":[{siblings}0],"error":{{"data":[{siblings}0]}}}}"#);
    let examined = examine(text.as_bytes(), 0);
    assert!(
        examined
            .defects
            .iter()
            .all(|defect| defect.kind == DefectKind::NotJsonRpc)
    );
    let value: Value = serde_json::from_str(&text).expect("the text is JSON");
    assert_eq!(*examined.message.expect("the text is JSON").value, value);
}

#[test]
fn a_break_below_the_bound_is_still_no_json() {
    for text in [
        "[".repeat(1_000_000),
        format!("{}1 2{}", "[".repeat(200), "]".repeat(200)),
        format!("{}{}", "[".repeat(200), "]".repeat(201)),
        format!("{}{{\"a\":}}{}", "[".repeat(200), "]".repeat(200)),
        format!("{}1,{}", "[".repeat(200), "]".repeat(200)),
        format!("{}{{\"a\":1,}}{}", "[".repeat(200), "]".repeat(200)),
    ] {
        let examined = examine(text.as_bytes(), 0);
        assert_eq!(
            examined
                .message
                .expect_err("the text is not read as JSON")
                .cause,
            Cause::Syntax
        );
        assert_eq!(examined.defects.len(), 1);
        assert_eq!(examined.defects[0].kind, DefectKind::NotJson);
    }
}

#[test]
fn more_values_than_the_bound_are_not_built() {
    // The object and the array are values too.
    let text = |values: usize| format!(r#"{{"result":[{}0]}}"#, "0,".repeat(values - 3));
    assert!(classify(text(MAX_VALUES).as_bytes()).is_ok());
    let examined = examine(text(MAX_VALUES + 1).as_bytes(), 0);
    assert_eq!(
        examined
            .message
            .expect_err("the text is not read as JSON")
            .cause,
        Cause::TooManyValues
    );
    assert_eq!(examined.defects.len(), 1);
    assert_eq!(examined.defects[0].kind, DefectKind::Oversized);
    let batch = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
    assert!(classify(batch(MAX_VALUES / 9).as_bytes()).is_ok());
    let error = classify(batch(MAX_VALUES / 9 + 1).as_bytes()).expect_err("too many items");
    assert_eq!(error.cause, Cause::TooManyValues);
}

#[test]
fn what_serde_json_refuses_although_it_is_json_has_a_stand_in() {
    for (text, result) in [
        (r#"{"id":1,"result":"a\ud800b"}"#, json!("a\u{fffd}b")),
        (r#"{"id":1,"result":1e400}"#, json!(f64::MAX)),
        (r#"{"id":1,"result":-1e400}"#, json!(f64::MIN)),
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        let message = classify(text.as_bytes()).expect("the text is JSON");
        assert_eq!(
            (message.kind, &message.value["result"]),
            (Kind::Result, &result),
            "{text}"
        );
    }
}

#[test]
fn numbers_read_as_serde_json_reads_them() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "-1",
        "1e0",
        "0.1",
        "1e-400",
        "123456789012345678",
        "-123456789012345678",
        "9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "1.7976931348623157e308",
        "5e-324",
        "0e999999999999999999999",
    ] {
        let expected: Value = serde_json::from_str(text).expect("the text is JSON");
        let value = classify(text.as_bytes()).expect("the text is JSON").value;
        // The text tells 0 from -0, which are equal.
        assert_eq!(
            (&*value, value.to_string()),
            (&expected, expected.to_string()),
            "{text}"
        );
    }
}

#[test]
fn a_key_that_serde_json_keeps_for_itself_is_an_ordinary_key() {
    let message = classify(br#"{"$serde_json::private::RawValue":"[1]","method":"a"}"#)
        .expect("the text is JSON");
    assert_eq!(message.value["$serde_json::private::RawValue"], "[1]");
    assert_eq!(message.kind, Kind::Notification);
}

#[test]
fn bytes_that_are_no_json_say_where_and_why() {
    for (bytes, cause, offset, reason) in [
        (&b""[..], Cause::Blank, 0, "only white space"),
        (b" \r\n", Cause::Blank, 3, "only white space"),
        (
            b"{\"a\":\xff}",
            Cause::InvalidUtf8,
            5,
            "byte 0xff is no UTF-8",
        ),
        (
            b"[1",
            Cause::Syntax,
            2,
            "expected ',' or ']', found the end of the text",
        ),
        (
            b"[1] x",
            Cause::Syntax,
            4,
            "expected the end of the text, found `x`",
        ),
        (b"{a:1}", Cause::Syntax, 1, "expected a key, found `a:1}`"),
        (
            b"\"\x01\"",
            Cause::Syntax,
            1,
            "expected an escape in place of a control character, found `\u{1}\"`",
        ),
    ] {
        let error = classify(bytes).expect_err("the text is not read as JSON");
        let seen = (error.cause, error.offset, error.reason.as_str());
        assert_eq!(seen, (cause, offset, reason), "{}", bytes.escape_ascii());
    }
}
