use crate::testing::{Talk, modern, watched};

#[test]
fn keys_are_told_apart_as_they_were_written() {
    let judged = |inputs: &str| {
        let reply = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{{inputs}}}}}}}"#
        );
        let call = modern("1", "tools/call", "", r#""name":"t","#);
        let talk = Talk::modern().sent("q", &call).reply("q", &reply);
        watched("mrtr", "keys-unique", &talk)
    };
    let roots = r#"{"method":"roots/list"}"#;
    assert_eq!(judged(&format!(r#""a":{roots},"b":{roots}"#)), "1");
    assert_eq!(
        judged(&format!(r#""a":{roots},"\u0061":{roots}"#)),
        "1 duplicate #2 /result/inputRequests"
    );
    assert_eq!(
        judged(r#""a":{"method":"roots/list","x":{"a":1}},"b":{"a":1}"#),
        "1"
    );
    assert_eq!(judged(""), "0");
}
