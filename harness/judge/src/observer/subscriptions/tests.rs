use crate::testing::{JSON, STREAM, Talk, modern, watched};
use mcp_assay_wire::jsonrpc::RawId;

const CHANGED: &str = "notifications/tools/list_changed";
const FILTER: &str =
    r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b"]},"#;
const OPENED: &str = r#"{"jsonrpc":"2.0","id":9,"result":{"protocolVersion":"2025-11-25"}}"#;

fn listen(id: &str) -> String {
    modern(id, "subscriptions/listen", "", FILTER)
}

fn of(method: &str, id: &str) -> String {
    let meta = format!(r#""_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{{meta}}}}}"#)
}

fn acknowledged(id: &str) -> String {
    of("notifications/subscriptions/acknowledged", id)
}

fn untagged(method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#)
}

fn ended(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete"}}}}"#)
}

/// A subscription that was asked for, and one that was acknowledged.
fn asked(id: &str) -> Talk {
    Talk::modern().sent("l", &listen(id))
}

fn opened(id: &str) -> Talk {
    asked(id).came(acknowledged(id))
}

fn tag(talk: Talk) -> String {
    watched("subscriptions", "tag", &talk)
}

const TAGGED: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

#[test]
fn each_notification_of_a_subscription_carries_its_id() {
    assert_eq!(tag(opened("1").came(of(CHANGED, "1"))), "2");
    assert_eq!(tag(opened(r#""a""#).came(of(CHANGED, r#""\u0061""#))), "2");
    assert_eq!(tag(opened("1").came(of(CHANGED, "1.0"))), "2");
    let at = |code: &str| format!("2 {code} #3 {TAGGED}");
    for id in [r#""1""#, "2", "null", "true", "[1]"] {
        assert_eq!(tag(opened("1").came(of(CHANGED, id))), at("id"), "{id}");
    }
    assert_eq!(tag(opened(r#""1""#).came(of(CHANGED, "1"))), at("id"));
    for method in [
        CHANGED,
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/subscriptions/acknowledged",
    ] {
        assert_eq!(
            tag(opened("1").came(untagged(method))),
            "2 id #3",
            "{method}"
        );
        assert_eq!(tag(Talk::modern().came(untagged(method))), "1 id #1");
    }
    for method in ["notifications/message", "notifications/progress", "x/y"] {
        assert_eq!(tag(opened("1").came(untagged(method))), "1", "{method}");
    }
    let call = Talk::modern().sent("q", &modern("1", "tools/call", "", ""));
    assert_eq!(
        tag(call.came(of(CHANGED, "1"))),
        format!("1 id #2 {TAGGED}")
    );
}

#[test]
fn the_acknowledgement_is_the_first_of_its_subscription() {
    assert_eq!(
        tag(asked("1").came(of(CHANGED, "1")).came(acknowledged("1"))),
        "2 order #2"
    );
    // Each subscription has its own order.
    let two = opened("1").sent("m", &listen("2"));
    assert_eq!(tag(two.came(of(CHANGED, "1")).came(acknowledged("2"))), "3");
}

#[test]
fn a_subscription_ends_with_its_response_and_not_with_our_cancel() {
    let over = || opened("1").reply("l", &ended("1"));
    assert_eq!(
        tag(over().came(of(CHANGED, "1"))),
        format!("2 id #4 {TAGGED}")
    );
    // Its id may be used again.
    let again = over().sent("m", &listen("1"));
    assert_eq!(tag(again.came(acknowledged("1"))), "2");
    let again = over().sent("m", &listen("1")).came(of(CHANGED, "1"));
    assert_eq!(tag(again), "2 order #5");
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let cancelled = opened("1").sent("c", cancel);
    assert_eq!(tag(cancelled.came(of(CHANGED, "1"))), "2");
    // A response with another id ends another thing.
    let other = opened("1").reply("l", &ended("null"));
    assert_eq!(tag(other.came(of(CHANGED, "1"))), "2");
}

#[test]
fn over_http_the_id_is_that_of_the_stream() {
    let one = || {
        let talk = Talk::modern_http().modern_post("l", &listen("1"));
        let talk = talk.head(1, 200, STREAM).event(1, None, &acknowledged("1"));
        let talk = talk.modern_post("m", &listen("2")).head(2, 200, STREAM);
        talk.event(2, None, &acknowledged("2"))
    };
    assert_eq!(tag(one().event(2, None, &of(CHANGED, "2"))), "3");
    assert_eq!(
        tag(one().event(2, None, &of(CHANGED, "1"))),
        format!("3 id #7 {TAGGED}")
    );
    assert_eq!(tag(one().event(2, None, &untagged(CHANGED))), "3 id #7");
    // On the stream of another request it belongs to no subscription.
    let call = one().modern_post("q", &modern("3", "tools/call", "", ""));
    let call = || call.clone().head(3, 200, STREAM);
    assert_eq!(tag(call().event(3, None, &untagged(CHANGED))), "2");
    let bare = Talk::modern_http().post("l", &listen("1"));
    let bare = bare.head(1, 200, JSON).body(1, &untagged(CHANGED));
    assert_eq!(tag(bare), "0");
}

#[test]
fn where_it_is_not_known_what_was_asked_nothing_is_judged() {
    let legacy = Talk::modern().sent(
        "i",
        r#"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}"#,
    );
    assert_eq!(tag(legacy.reply("i", OPENED).came(untagged(CHANGED))), "0");
    assert_eq!(tag(Talk::modern().raw("{").came(of(CHANGED, "1"))), "0");
}

#[test]
fn a_subscription_brings_the_kinds_that_its_filter_has() {
    let said = |filter: &str, method: &str| {
        let listen = modern("1", "subscriptions/listen", "", filter);
        let talk = Talk::modern().sent("l", &listen).came(acknowledged("1"));
        watched("subscriptions", "requested", &talk.came(of(method, "1")))
    };
    let updated = "notifications/resources/updated";
    for (filter, method, expected) in [
        (FILTER, CHANGED, "1"),
        (FILTER, updated, "1"),
        (
            FILTER,
            "notifications/prompts/list_changed",
            "1 unexpected-message #3",
        ),
        (
            FILTER,
            "notifications/resources/list_changed",
            "1 unexpected-message #3",
        ),
        (
            r#""notifications":{"toolsListChanged":false},"#,
            CHANGED,
            "1 unexpected-message #3",
        ),
        (
            r#""notifications":{"resourceSubscriptions":[]},"#,
            updated,
            "1 unexpected-message #3",
        ),
        // What a malformed filter asks for is the server's to read.
        (
            r#""notifications":{"toolsListChanged":"yes"},"#,
            CHANGED,
            "1",
        ),
        (r#""notifications":true,"#, CHANGED, "0"),
        ("", CHANGED, "0"),
    ] {
        assert_eq!(said(filter, method), expected, "{filter} {method}");
    }
}

#[test]
fn a_server_cancels_subscriptions_only() {
    let cancel = |id: &str| {
        let params = format!(r#"{{"requestId":{id}}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#)
    };
    let said = |talk: Talk| watched("subscriptions", "cancelled", &talk);
    assert_eq!(said(opened("1")), "0");
    assert_eq!(said(opened("1").came(cancel("1"))), "1");
    let over = opened("1").reply("l", &ended("1"));
    assert_eq!(said(over.came(cancel("1"))), "1");
    let call = || opened("1").sent("q", &modern("2", "tools/call", "", ""));
    assert_eq!(said(call().came(cancel("2"))), "1 id #4 /params/requestId");
    // What was never sent breaks another rule, and that one alone.
    let in_flight = |talk: Talk| watched("subscriptions", "in-flight", &talk);
    for id in ["3", r#""1""#] {
        let talk = call().came(cancel(id));
        assert_eq!(in_flight(talk.clone()), "1 id #4 /params/requestId", "{id}");
        assert_eq!(said(talk), "0", "{id}");
    }
    assert_eq!(in_flight(call().came(cancel("2"))), "1");
    assert_eq!(in_flight(opened("1").came(cancel("1"))), "1");
    assert_eq!(said(call().came(untagged("notifications/cancelled"))), "0");
    assert_eq!(
        in_flight(call().came(untagged("notifications/cancelled"))),
        "0"
    );
}

#[test]
fn what_may_have_been_sent_before_is_no_matter_of_these_rules() {
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
    let mut talk = opened("1").came(cancel);
    assert_eq!(
        watched("subscriptions", "in-flight", &talk),
        "1 id #3 /params/requestId"
    );
    talk.record.past.ids.insert(RawId("7".to_owned()));
    for rule in ["in-flight", "cancelled"] {
        assert_eq!(watched("subscriptions", rule, &talk), "0", "{rule}");
    }
}
