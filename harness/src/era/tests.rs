use super::*;

fn id() -> RawId {
    RawId("7".to_owned())
}

#[test]
fn an_opening_of_the_legacy_era_is_initialize() {
    let text = Manner::new(Revision::R2025_06_18).opening(&id());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["method"], "initialize");
    assert_eq!(value["params"]["protocolVersion"], "2025-06-18");
    assert_eq!(value["params"]["capabilities"], json!({}));
    assert_eq!(value["params"]["clientInfo"]["name"], "mcp-assay");
}

#[test]
fn every_request_of_the_modern_era_says_who_asks() {
    let mut manner = Manner::new(Revision::R2026_07_28);
    manner.says("capabilities", Some(r#"{"roots":{}}"#.to_owned()));
    manner.says("clientInfo", None);
    manner.says("logLevel", Some(r#""info""#.to_owned()));
    let text = manner.request(&id(), "tools/call", Some(&json!({ "name": "a" })));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["params"]["name"], "a");
    assert_eq!(
        value["params"]["_meta"],
        json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "roots": {} },
            "io.modelcontextprotocol/logLevel": "info",
        })
    );
    assert_eq!(manner.opening_method(), manner.fence_method());
}

#[test]
fn what_a_card_wrote_is_kept_to_the_letter() {
    let manner = Manner::new(Revision::R2026_07_28);
    let params =
        r#"{ "n": 1e0, "_meta": { "a/b": 1.50, "io.modelcontextprotocol/protocolVersion": "x" } }"#;
    let text = manner.with_meta(Some(params)).unwrap();
    assert!(
        text.contains(r#""n": 1e0"#) && text.contains(r#""a/b": 1.50"#),
        "{text}"
    );
    assert!(
        text.contains(r#""io.modelcontextprotocol/protocolVersion": "x""#),
        "{text}"
    );
    assert_eq!(text.matches("protocolVersion").count(), 1, "{text}");
}

#[test]
fn nothing_is_added_to_what_is_no_object() {
    let modern = Manner::new(Revision::R2026_07_28);
    assert_eq!(modern.with_meta(Some("[1]")), None);
    assert_eq!(modern.with_meta(Some(r#"{"_meta":3}"#)), None);
    assert_eq!(
        Manner::new(Revision::R2025_11_25).with_meta(Some("{}")),
        None
    );
    assert_eq!(
        Manner::new(Revision::R2025_11_25).fence(&id()),
        r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#
    );
}
